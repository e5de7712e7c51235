//! A passphrase that lies in a file, or comes through a pipe.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zeroize::Zeroizing;

use super::read::read_open;
use super::{Content, MAX_SIZE, StoreError};

/// What a passphrase file holds.
pub struct PassphraseFile {
    /// Its first line, without the end of the line.
    pub passphrase: Zeroizing<Vec<u8>>,
    /// Whether others than its owner may read it.
    pub is_open: bool,
}

/// Reads the first line of a file. A pipe is read to its end, as a shell's `<(…)` and `/dev/stdin` are pipes.
///
/// # Errors
/// [`StoreError::Missing`] or [`StoreError::Read`]; [`StoreError::Content`] for a folder and for what is too large.
pub fn read_passphrase(path: &Path) -> Result<PassphraseFile, StoreError> {
    let metadata = fs::metadata(path).map_err(StoreError::read(path))?;
    if metadata.is_dir() {
        return Err(StoreError::Content {
            path: path.to_owned(),
            content: Content::NotAFile,
        });
    }
    let text = Zeroizing::new(read_open(path, 0, MAX_SIZE, Content::TooLarge)?);
    let line = text.split(|it| *it == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Ok(PassphraseFile {
        passphrase: Zeroizing::new(line.to_vec()),
        is_open: metadata.is_file() && metadata.permissions().mode() & 0o077 != 0,
    })
}
