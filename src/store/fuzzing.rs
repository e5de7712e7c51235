//! What reads the files of the folder, for whoever feeds it octets without a file: the targets in `fuzz/` and the
//! tests. No interface for programs.

use super::read::{parse_certificates, parse_key};
use super::record::Record;
use super::{Content, IssuedLog};
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

/// `issued.jsonl`, and what becomes of it before the next line is written.
pub fn issued(text: &[u8]) -> (IssuedLog, Vec<u8>) {
    let log = IssuedLog::read(text).unwrap_or_default();
    let repaired = log.repair(|_| None).ok().flatten();
    let line = repaired.map(|(line, _)| line).unwrap_or_default();
    let whole = usize::try_from(log.end).map_or(text, |end| &text[..end]);
    let mended = [whole, line.as_bytes()].concat();
    (log, mended)
}
