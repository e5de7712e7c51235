//! What reads the files of the folder, for whoever feeds it octets without a file: the targets in `fuzz/` and the
//! tests. No interface for programs.

use super::transaction::Record;
use super::{Content, IssuedRecord, parse_certificates, parse_key};
use crate::pki::{Certificate, PrivateKey};

pub use super::MAX_SIZE;

/// A certificate file.
///
/// # Errors
/// What it holds instead.
pub fn certificates(text: &[u8]) -> Result<Vec<Certificate>, Content> {
    parse_certificates(text)
}

/// A key file.
///
/// # Errors
/// What it holds instead.
pub fn key(text: &[u8]) -> Result<PrivateKey, Content> {
    parse_key(text)
}

/// The files that a commit record names, where it is one.
pub fn commit_record(text: &[u8]) -> Option<Vec<String>> {
    Record::parse(text).map(|it| it.files)
}

/// The lines of `issued.jsonl` that are whole.
pub fn issued(text: &[u8]) -> Vec<IssuedRecord> {
    let lines = text.split(|it| *it == b'\n');
    lines
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}
