//! What is on disk, read without a lock and without changing anything.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rayon::prelude::*;

use super::read::{read_key, read_public, read_stored_key};
use super::{Content, Store, StoreError};
use crate::pki::{Certificate, EncryptedKey, PrivateKey, StoredKey};

/// A file of the folder.
#[derive(Debug)]
pub enum Found<T> {
    /// There is none.
    Missing,
    /// It was read.
    Read(T),
    /// It holds something else.
    Wrong(Content),
}

impl<T> Found<T> {
    fn new(result: Result<T, StoreError>) -> Result<Self, StoreError> {
        match result {
            Ok(value) => Ok(Self::Read(value)),
            Err(StoreError::Missing { .. }) => Ok(Self::Missing),
            Err(StoreError::Content { content, .. }) => Ok(Self::Wrong(content)),
            Err(error) => Err(error),
        }
    }

    /// Whether there is no such file.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    fn map<U>(self, f: impl FnOnce(T) -> U) -> Found<U> {
        match self {
            Self::Missing => Found::Missing,
            Self::Read(value) => Found::Read(f(value)),
            Self::Wrong(content) => Found::Wrong(content),
        }
    }
}

/// `ca.crt` and `ca.key`.
#[derive(Debug)]
pub struct CaFiles {
    /// The trust anchors, in file order.
    pub certificates: Found<Vec<Certificate>>,
    /// The CA's private key, perhaps under a passphrase.
    pub key: Found<StoredKey>,
    /// Whether the key was never to be kept, so that it is not missing.
    pub ephemeral: bool,
    /// Whether others than its owner may read the key file.
    pub key_is_open: bool,
}

/// `NAME.crt` and `NAME.key`.
#[derive(Debug)]
pub struct EntryFiles {
    /// The certificate, then any intermediates.
    pub certificates: Found<Vec<Certificate>>,
    /// SubjectPublicKeyInfo of the private key; the key itself is not kept.
    pub public_key_info: Found<Vec<u8>>,
    /// Whether others than its owner may read the key file.
    pub key_is_open: bool,
}

/// The CA's files and those of the entries that were asked for, in that order.
#[derive(Debug)]
pub struct Inventory {
    /// The CA.
    pub ca: CaFiles,
    /// One for each name.
    pub entries: Vec<EntryFiles>,
}

impl CaFiles {
    /// Puts a key in the place of the encrypted one that it was; another one stays encrypted.
    pub fn open(&mut self, encrypted: &EncryptedKey, key: PrivateKey) {
        if matches!(&self.key, Found::Read(StoredKey::Encrypted(it)) if it == encrypted) {
            self.key = Found::Read(StoredKey::Plain(key));
        }
    }
}

impl Store {
    /// Reads the CA's files.
    ///
    /// # Errors
    /// [`StoreError::Read`] when the system refuses; wrong content is a finding, not an error.
    pub fn ca_files(&self) -> Result<CaFiles, StoreError> {
        let path = self.key_path("ca");
        let certificates = Found::new(read_public(&self.certificate_path("ca")))?;
        let key = Found::new(read_stored_key(&path))?;
        let ephemeral = match &certificates {
            Found::Read(certificates) if key.is_missing() => self.is_ephemeral(certificates)?,
            _ => false,
        };
        Ok(CaFiles {
            certificates,
            key,
            ephemeral,
            key_is_open: is_open(&path),
        })
    }

    /// Reads the files of the CA and of these entries, several at a time.
    ///
    /// # Errors
    /// As [`Store::ca_files`].
    pub fn inventory(&self, names: &[&str]) -> Result<Inventory, StoreError> {
        let ca = self.ca_files()?;
        let read = |name: &&str| {
            let key = self.key_path(name);
            Ok(EntryFiles {
                certificates: Found::new(read_public(&self.certificate_path(name)))?,
                public_key_info: Found::new(read_key(&key))?
                    .map(|it| it.public_key_info().to_vec()),
                key_is_open: is_open(&key),
            })
        };
        // A thread pool costs more than it saves for a handful of files.
        let entries: Result<Vec<_>, StoreError> = if names.len() < 16 {
            names.iter().map(read).collect()
        } else {
            names.par_iter().map(read).collect()
        };
        Ok(Inventory {
            ca,
            entries: entries?,
        })
    }
}

impl Store {
    /// Whether the list of what was signed says of one of these CAs that its key was not kept.
    fn is_ephemeral(&self, certificates: &[Certificate]) -> Result<bool, StoreError> {
        let ephemeral = self.issued()?.ephemeral;
        let mut fingerprints = certificates.iter().map(Certificate::fingerprint);
        Ok(fingerprints.any(|it| ephemeral.contains(&it)))
    }
}

/// Whether group or others have any right to a file; what stands in its place is told otherwise.
pub(super) fn is_open(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o077 != 0)
}
