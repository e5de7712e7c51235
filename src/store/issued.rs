//! `issued.jsonl`: what was signed, a line each, append-only; and the mending of a last line that was torn.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Store, StoreError, place};
use crate::pki::{Certificate, Profile};
use crate::text::rfc3339;

/// Longer than any line that is written, in octets.
const MAX_LINE: u64 = 1 << 20;

/// A line of `issued.jsonl`: what was signed, so that it can be found, recognised and revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedRecord {
    /// Entry of certs.toml, or `ca`.
    pub name: String,
    /// Hexadecimal serial number.
    pub serial: String,
    /// Subject.
    pub subject: String,
    /// Subject of the issuer.
    pub issuer: String,
    /// `ca`, `server`, `client` or `peer`.
    pub profile: String,
    /// subjectAltName, each with its kind.
    pub names: Vec<String>,
    /// RFC 3339.
    pub not_before: String,
    /// RFC 3339.
    pub not_after: String,
    /// SHA-256 of the DER, hexadecimal.
    pub sha256: String,
    /// Of a CA: whether its key was not kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ephemeral: bool,
}

impl IssuedRecord {
    /// What is written down about a certificate that was made for an entry.
    pub fn new(name: &str, certificate: &Certificate) -> Self {
        let profile = match (
            certificate.allows_server_auth(),
            certificate.allows_client_auth(),
        ) {
            _ if certificate.is_ca() => "ca",
            (true, true) => Profile::Peer.as_str(),
            (false, _) => Profile::Client.as_str(),
            (true, false) => Profile::Server.as_str(),
        };
        let names = certificate.names.iter();
        Self {
            name: name.to_owned(),
            serial: certificate.serial_hex(),
            subject: certificate.subject.to_string(),
            issuer: certificate.issuer.to_string(),
            profile: profile.to_owned(),
            names: names.map(|it| format!("{}:{it}", it.kind())).collect(),
            not_before: rfc3339(certificate.validity.not_before),
            not_after: rfc3339(certificate.validity.not_after),
            sha256: certificate.fingerprint(),
            ephemeral: false,
        }
    }

    pub(super) fn line(&self) -> io::Result<String> {
        Ok(serde_json::to_string(self)? + "\n")
    }
}

/// What became of a last line that did not end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Repair {
    /// It was completed from the certificate that it is about, which is on disk.
    #[error("it was completed from {0}.crt")]
    Completed(String),
    /// It was whole, and only its end was missing.
    #[error("only its end was missing, and was added")]
    Ended,
    /// It could not be told what it was about: so many octets were taken away.
    #[error("its {0} octets were taken away, as no certificate here begins like that")]
    Removed(usize),
}

/// What `issued.jsonl` holds.
#[derive(Debug, Default)]
pub struct IssuedLog {
    /// Serial numbers that were given out, in hexadecimal.
    pub serials: HashSet<String>,
    /// The entry of each certificate, by the SHA-256 of its DER in hexadecimal.
    pub names: HashMap<String, String>,
    /// The SHA-256 of each CA whose key was not kept.
    pub ephemeral: HashSet<String>,
    /// The numbers of whole lines that are no record of a certificate.
    pub damaged: Vec<usize>,
    /// What follows the last whole line.
    pub torn: Vec<u8>,
    /// Where the last whole line ends, in octets.
    pub(super) end: u64,
    /// Octets between the two, of a line that is too long to keep.
    skipped: usize,
}

#[derive(Deserialize)]
struct Line {
    serial: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    sha256: String,
    #[serde(default)]
    ephemeral: bool,
}

impl Store {
    /// Reads `issued.jsonl`, or nothing where there is none.
    ///
    /// # Errors
    /// [`StoreError::InTheWay`], [`StoreError::Read`].
    pub fn issued(&self) -> Result<IssuedLog, StoreError> {
        IssuedLog::open(&self.issued_path())
    }
}

impl IssuedLog {
    /// Reads the file, or nothing where there is none.
    ///
    /// # Errors
    /// [`StoreError::InTheWay`], [`StoreError::Read`].
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        if place::file(path)?.is_none() {
            return Ok(Self::default());
        }
        let read = File::open(path).and_then(|file| Self::read(BufReader::new(file)));
        read.map_err(StoreError::read(path))
    }

    /// Reads lines; one of more than 1 MiB is damaged, and is not kept in memory.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn read(mut reader: impl BufRead) -> io::Result<Self> {
        let mut log = Self::default();
        let (mut number, mut begun) = (1, 0);
        let mut piece = Vec::new();
        loop {
            piece.clear();
            let length = reader
                .by_ref()
                .take(MAX_LINE)
                .read_until(b'\n', &mut piece)? as u64;
            if piece.last() == Some(&b'\n') {
                // Of a longer line there is only the last piece, which is no record.
                match serde_json::from_slice::<Line>(&piece) {
                    Ok(line) if begun == 0 => {
                        log.serials.insert(line.serial);
                        if line.ephemeral {
                            log.ephemeral.insert(line.sha256.clone());
                        }
                        log.names.insert(line.sha256, line.name);
                    }
                    _ => log.damaged.push(number),
                }
                log.end += begun + length;
                begun = 0;
                number += 1;
            } else if length == MAX_LINE {
                begun += length;
            } else {
                log.torn = piece;
                log.skipped = begun as usize;
                return Ok(log);
            }
        }
    }

    /// Whether the last line does not end.
    pub fn is_torn(&self) -> bool {
        !self.torn.is_empty() || self.skipped > 0
    }

    /// The line that stands in for a torn one, and what that is.
    pub(super) fn repair(
        &self,
        certificate: impl Fn(&str) -> Option<Certificate>,
    ) -> io::Result<Option<(String, Repair)>> {
        if !self.is_torn() {
            return Ok(None);
        }
        if self.skipped == 0 && serde_json::from_slice::<Line>(&self.torn).is_ok() {
            let whole = String::from_utf8_lossy(&self.torn).into_owned();
            return Ok(Some((whole + "\n", Repair::Ended)));
        }
        if let Some(name) = named(&self.torn)
            && let Some(certificate) = certificate(name)
        {
            let line = IssuedRecord::new(name, &certificate).line()?;
            if line.as_bytes().starts_with(&self.torn) {
                return Ok(Some((line, Repair::Completed(name.to_owned()))));
            }
        }
        Ok(Some((
            String::new(),
            Repair::Removed(self.skipped + self.torn.len()),
        )))
    }
}

/// The entry that the beginning of a line is about; a file name, whatever stands there.
fn named(torn: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(torn).ok()?;
    let (name, _) = text.strip_prefix("{\"name\":\"")?.split_once('"')?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    name.chars().all(is_plain).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "{\"name\":\"a\",\"serial\":\"0a\"}\n";

    fn read(text: &str) -> IssuedLog {
        IssuedLog::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn whole_lines_are_counted_and_the_rest_is_kept() {
        let log = read(&format!("{LINE}nonsense\n{LINE}{{\"na"));
        assert_eq!(log.serials, HashSet::from(["0a".to_owned()]));
        assert_eq!(log.damaged, [2]);
        assert_eq!(log.torn, b"{\"na");
        assert_eq!(log.end, 2 * LINE.len() as u64 + 9);
    }

    #[test]
    fn a_line_without_end_is_damaged_and_not_kept() {
        let long = "x".repeat(3 * MAX_LINE as usize);
        let log = read(&format!("{long}\n{LINE}"));
        assert_eq!((log.damaged.as_slice(), log.serials.len()), (&[1][..], 1));
        assert_eq!(log.end as usize, long.len() + 1 + LINE.len());
        let log = read(&long);
        assert_eq!(log.end, 0);
        assert!(log.torn.len() < MAX_LINE as usize);
    }

    #[test]
    fn a_torn_line_that_lacks_only_its_end_gets_it() {
        let log = read(LINE.trim_end());
        let repaired = log.repair(|_| None).unwrap();
        assert_eq!(repaired, Some((LINE.to_owned(), Repair::Ended)));
    }

    #[test]
    fn a_torn_line_about_nothing_known_is_taken_away() {
        for torn in [
            "{\"name\":\"a\",\"ser",
            "{\"na",
            "nonsense",
            "{\"name\":\"../a\",\"",
        ] {
            let repaired = read(torn).repair(|_| None).unwrap();
            assert_eq!(repaired, Some((String::new(), Repair::Removed(torn.len()))));
        }
        assert_eq!(read(LINE).repair(|_| None).unwrap(), None);
    }

    #[test]
    fn the_end_of_a_line_that_was_not_kept_is_no_line() {
        let long = "x".repeat(MAX_LINE as usize);
        let log = read(&(long + LINE.trim_end()));
        assert_eq!(log.torn, LINE.trim_end().as_bytes());
        let length = MAX_LINE as usize + log.torn.len();
        let repaired = log.repair(|_| None).unwrap();
        assert_eq!(repaired, Some((String::new(), Repair::Removed(length))));
    }

    #[test]
    fn a_line_never_leads_out_of_the_folder() {
        assert_eq!(named(b"{\"name\":\"orders\",\""), Some("orders"));
        assert_eq!(named(b"{\"name\":\"../../etc/x\",\""), None);
    }
}
