//! What a file that was named turned out to hold, where that is a fact to be judged and not an error.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::StoreError;
use super::read::read_small;
use crate::pki::contents::Contents;
use crate::pki::key::SecretKey;

/// More files of a folder than this are not looked at.
const MAX_FILES: usize = 256;

/// A file, what it holds, and who may read it.
#[derive(Debug)]
pub struct Examined {
    /// What it holds.
    pub contents: Contents,
    /// The first private key that can be used, as PKCS #8.
    pub key: Option<SecretKey>,
    /// The permission bits.
    pub mode: u32,
}

/// Looks at a file of certificates or with a private key.
///
/// # Errors
/// [`StoreError::Missing`] or [`StoreError::Read`]; [`StoreError::Content`] for what is no regular file or too large.
pub fn examine(path: &Path) -> Result<Examined, StoreError> {
    let text = Zeroizing::new(read_small(path)?);
    let mode = fs::metadata(path).map_err(StoreError::read(path))?;
    let (contents, key) = Contents::read(&text);
    Ok(Examined {
        contents,
        key,
        mode: mode.permissions().mode() & 0o777,
    })
}

/// What lies in a folder under the usual names of certificates and keys, in order of the names; what cannot be read
/// is left out.
pub fn neighbours(dir: &Path) -> Vec<(PathBuf, Contents)> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let usual = |path: &PathBuf| {
        // A name that steers a terminal is none to recommend.
        let name = path.file_name().and_then(|it| it.to_str());
        let extension = path.extension().and_then(|it| it.to_str());
        name.is_some_and(|it| !it.chars().any(char::is_control))
            && extension.is_some_and(|it| ["cer", "crt", "key", "pem"].contains(&it))
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|it| it.path()).collect();
    paths.retain(usual);
    paths.sort();
    paths.truncate(MAX_FILES);
    let read = |path: PathBuf| {
        let it = examine(&path).ok()?;
        Some((path, it.contents))
    };
    paths.into_iter().filter_map(read).collect()
}
