//! The pki folder: which files there are, with which modes, and how they change.
//!
//! | file | mode | holds |
//! |---|---|---|
//! | `ca.crt` | 0644 | trust anchors, what clients load |
//! | `ca.key` | 0600 | the CA's private key, PKCS #8, perhaps under a passphrase |
//! | `NAME.crt` | 0644 | a certificate, then any intermediates |
//! | `NAME.key` | 0600 | its private key, PKCS #8 |
//! | `crl.pem` | 0644 | revocation lists, which `verify` reads where they are |
//! | `issued.jsonl` | 0644 | what was signed, a line each, append-only |
//! | `.gitignore` | 0644 | `*.key` and `.grpc-pki/` |
//! | `.grpc-pki/` | 0700 | the lock, and a transaction in progress |
//!
//! The files are the state: nothing else is kept that could drift from them.
//!
//! Modes are those of creation: the process's umask must leave 0644 and 0600 alone, for which `main` sees.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the one that touches the disk"
)]

mod error;
mod examine;
#[doc(hidden)]
pub mod fuzzing;
mod inventory;
mod issued;
mod lock;
mod modes;
mod passphrase;
mod place;
mod read;
mod reading;
mod record;
mod transaction;
mod trust;

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

pub use error::{Content, StoreError};
pub use examine::{Examined, examine, neighbours};
pub use inventory::{CaFiles, EntryFiles, Found, Inventory};
pub use issued::{IssuedLog, IssuedRecord, Repair};
pub use lock::{Guard, Holder, Patience};
pub use passphrase::{PassphraseFile, read_passphrase};
pub use place::{Kind, Obstacle};
pub use read::{Identity, read_certificates, read_identity, read_key};
pub use reading::Unsettled;
pub use transaction::Transaction;
pub use trust::{read_revocation_lists, read_system_certificates};

/// Larger than any file of the folder but `issued.jsonl`, in octets.
pub const MAX_SIZE: u64 = 1 << 20;

/// What `.gitignore` holds: everything that must not be shared.
pub const GITIGNORE: &str = "*.key\n.grpc-pki/\n";

/// A pki folder.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
}

impl Store {
    /// The folder at this path, which need not exist.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A file of the folder.
    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.join(file)
    }

    /// The certificate file of an entry, or of `ca`.
    pub fn certificate_path(&self, name: &str) -> PathBuf {
        self.path(&format!("{name}.crt"))
    }

    /// The key file of an entry, or of `ca`.
    pub fn key_path(&self, name: &str) -> PathBuf {
        self.path(&format!("{name}.key"))
    }

    /// The list of certificates that were made.
    pub fn issued_path(&self) -> PathBuf {
        self.path("issued.jsonl")
    }

    fn work_dir(&self) -> PathBuf {
        self.path(".grpc-pki")
    }
}

/// Whether a path is that of a Unix socket.
pub fn is_socket(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|it| it.file_type().is_socket())
}

/// A number that changes whenever one of these files is replaced or rewritten.
pub fn stamp(paths: &[PathBuf]) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    for path in paths {
        if let Ok(it) = fs::metadata(path) {
            (it.ino(), it.len(), it.mtime(), it.mtime_nsec()).hash(&mut hasher);
        }
    }
    hasher.finish()
}
