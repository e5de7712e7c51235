//! The pki folder: which files there are, with which modes, and how they change.
//!
//! | file | mode | holds |
//! |---|---|---|
//! | `ca.crt` | 0644 | trust anchors, what clients load |
//! | `ca.key` | 0600 | the CA's private key, PKCS #8 |
//! | `NAME.crt` | 0644 | a certificate, then any intermediates |
//! | `NAME.key` | 0600 | its private key, PKCS #8 |
//! | `crl.pem` | 0644 | revocation lists, which `verify` reads where they are |
//! | `issued.jsonl` | 0644 | what was signed, a line each, append-only |
//! | `.gitignore` | 0644 | `*.key` and `.grpc-pki/` |
//! | `.grpc-pki/` | 0700 | the lock, and a transaction in progress |
//!
//! The files are the state: nothing else is kept that could drift from them.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the one that touches the disk"
)]

mod examine;
mod inventory;
mod issued;
mod lock;
mod transaction;
mod trust;

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::pki::key::KeyError;
use crate::pki::{Certificate, PrivateKey, pem};

pub use examine::{Examined, examine, neighbours};
pub use inventory::{CaFiles, EntryFiles, Found, Inventory};
pub use lock::Guard;
pub use transaction::{IssuedRecord, Transaction};
pub use trust::{read_revocation_lists, read_system_certificates};

/// Larger than any file of the folder but `issued.jsonl`, in octets.
const MAX_SIZE: u64 = 1 << 20;

/// What `.gitignore` holds: everything that must not be shared.
pub const GITIGNORE: &str = "*.key\n.grpc-pki/\n";

/// A pki folder.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
}

/// What a file holds that should hold something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Content {
    /// It starts with a UTF-8 byte order mark.
    #[error("starts with a byte order mark, over which some gRPC programs stumble")]
    ByteOrderMark,
    /// It is a certificate request.
    #[error("is a certificate request, not a certificate")]
    CertificateRequest,
    /// A certificate in it cannot be decoded.
    #[error("holds a certificate that is damaged")]
    DamagedCertificate,
    /// A revocation list in it cannot be decoded.
    #[error("holds a revocation list (CRL) that is damaged")]
    DamagedList,
    /// A private key in it cannot be decoded, or is of a kind that is not supported.
    #[error("holds no intact RSA, P-256, P-384 or Ed25519 private key")]
    DamagedKey,
    /// It is DER.
    #[error("is in DER form; gRPC programs load PEM")]
    Der,
    /// It is empty.
    #[error("is empty")]
    Empty,
    /// It is a private key under a passphrase.
    #[error("is encrypted with a passphrase")]
    EncryptedKey,
    /// It is a public file, and has a private key beside the certificate.
    #[error("holds a private key beside the certificate, in a file that is for everyone")]
    KeyInCertificate,
    /// It is a certificate where a revocation list belongs.
    #[error("is a certificate, not a revocation list (CRL)")]
    ListIsCertificate,
    /// It is a private key where a revocation list belongs.
    #[error("is a private key, not a revocation list (CRL)")]
    ListIsKey,
    /// It is larger than 16 MiB.
    #[error("is larger than 16 MiB")]
    ListTooLarge,
    /// It holds no certificate.
    #[error("holds no certificate in PEM form")]
    NoCertificate,
    /// It holds no private key.
    #[error("holds no private key in PEM form")]
    NoKey,
    /// It holds no revocation list.
    #[error("holds no revocation list (CRL), neither in PEM nor in DER form")]
    NoList,
    /// It is a folder, a device or a pipe.
    #[error("is not a regular file")]
    NotAFile,
    /// It is a private key where a certificate belongs.
    #[error("is a private key, not a certificate")]
    PrivateKey,
    /// It is larger than 1 MiB.
    #[error("is larger than 1 MiB")]
    TooLarge,
}

/// Why the folder could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file holds something else than it should.
    #[error("{} {content}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it holds.
        content: Content,
    },
    /// Another process is changing the folder.
    #[error("{} is being changed by another process{}", dir.display(), holder.as_deref().unwrap_or(""))]
    Locked {
        /// The folder.
        dir: PathBuf,
        /// Who, as far as it said so.
        holder: Option<String>,
    },
    /// A file is not there.
    #[error("{} does not exist", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The system refused to read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The commit record of an interrupted change is damaged.
    #[error("{} is damaged, so an interrupted change cannot be completed", path.display())]
    Record {
        /// The record.
        path: PathBuf,
    },
    /// The system trusts no CA.
    #[error("the system's trust store has no CA certificate{}", places(variables))]
    SystemStore {
        /// The environment variables that say where it is, and what they say.
        variables: Vec<(&'static str, PathBuf)>,
        /// What the system said.
        source: Option<io::Error>,
    },
    /// The system refused to write; what was staged is dropped.
    #[error("{} cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl StoreError {
    fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::NotFound => Self::Missing {
                path: path.to_owned(),
            },
            _ => Self::Read {
                path: path.to_owned(),
                source,
            },
        }
    }

    fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Write {
            path: path.to_owned(),
            source,
        }
    }
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

    fn work_dir(&self) -> PathBuf {
        self.path(".grpc-pki")
    }
}

fn places(variables: &[(&str, PathBuf)]) -> String {
    let places = variables
        .iter()
        .map(|(name, value)| format!("{} ({name})", value.display()));
    match places.collect::<Vec<_>>().join(" and ") {
        nowhere if nowhere.is_empty() => nowhere,
        places => format!(" in {places}"),
    }
}

/// Reads a small regular file; a pipe in its place is refused, not waited for.
fn read_small(path: &Path) -> Result<Vec<u8>, StoreError> {
    read_up_to(path, MAX_SIZE, Content::TooLarge)
}

/// Reads a regular file of at most so many octets.
fn read_up_to(path: &Path, limit: u64, too_large: Content) -> Result<Vec<u8>, StoreError> {
    let wrong = |content| StoreError::Content {
        path: path.to_owned(),
        content,
    };
    let metadata = fs::metadata(path).map_err(StoreError::read(path))?;
    if !metadata.is_file() {
        return Err(wrong(Content::NotAFile));
    }
    let mut text = Vec::with_capacity(metadata.len().min(limit) as usize + 1);
    let file = File::open(path).map_err(StoreError::read(path))?;
    file.take(limit + 1)
        .read_to_end(&mut text)
        .map_err(StoreError::read(path))?;
    if text.len() as u64 > limit {
        return Err(wrong(too_large));
    }
    Ok(text)
}

/// The certificates of a file, in order; at least one.
///
/// # Errors
/// [`StoreError::Content`] when the file holds something else, which a client would read as nothing at all;
/// [`StoreError::Missing`] or [`StoreError::Read`].
pub fn read_certificates(path: &Path) -> Result<Vec<Certificate>, StoreError> {
    let text = read_small(path)?;
    parse_certificates(&text).map_err(|content| StoreError::Content {
        path: path.to_owned(),
        content,
    })
}

/// The certificates of a file that is for everyone: it must not hold a private key as well.
fn read_public(path: &Path) -> Result<Vec<Certificate>, StoreError> {
    let text = zeroize::Zeroizing::new(read_small(path)?);
    let certificates = parse_certificates(&text).and_then(|certificates| {
        if !pem::mentions_private_key(&text) {
            Ok(certificates)
        } else {
            Err(Content::KeyInCertificate)
        }
    });
    certificates.map_err(|content| StoreError::Content {
        path: path.to_owned(),
        content,
    })
}

fn parse_certificates(text: &[u8]) -> Result<Vec<Certificate>, Content> {
    if pem::has_byte_order_mark(text) {
        return Err(Content::ByteOrderMark);
    }
    match pem::sniff(text) {
        pem::Content::Certificates | pem::Content::Unknown => {}
        pem::Content::CertificateRequest => return Err(Content::CertificateRequest),
        pem::Content::Der => return Err(Content::Der),
        pem::Content::Empty => return Err(Content::Empty),
        pem::Content::EncryptedKey | pem::Content::PrivateKey if pem::count(text).0 == 0 => {
            return Err(Content::PrivateKey);
        }
        pem::Content::EncryptedKey | pem::Content::PrivateKey => {}
    }
    let der = pem::certificates(text).ok_or(Content::DamagedCertificate)?;
    if der.is_empty() {
        return Err(Content::NoCertificate);
    }
    der.into_iter()
        .map(|der| Certificate::from_der(der).map_err(|_| Content::DamagedCertificate))
        .collect()
}

/// The private key of a file.
///
/// # Errors
/// As [`read_certificates`]. No error quotes the file.
pub fn read_key(path: &Path) -> Result<PrivateKey, StoreError> {
    let text = zeroize::Zeroizing::new(read_small(path)?);
    parse_key(&text).map_err(|content| StoreError::Content {
        path: path.to_owned(),
        content,
    })
}

fn parse_key(text: &[u8]) -> Result<PrivateKey, Content> {
    if pem::has_byte_order_mark(text) {
        return Err(Content::ByteOrderMark);
    }
    match pem::sniff(text) {
        pem::Content::Der => return Err(Content::Der),
        pem::Content::Empty => return Err(Content::Empty),
        _ => {}
    }
    PrivateKey::from_pem(text).map_err(|error| match error {
        KeyError::Encrypted => Content::EncryptedKey,
        KeyError::Missing => Content::NoKey,
        KeyError::Generation | KeyError::Unsupported => Content::DamagedKey,
    })
}

/// A certificate with its chain and its key, as a TLS library takes them.
pub struct Identity {
    /// The end entity first.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its private key.
    pub key: PrivateKeyDer<'static>,
    /// The end entity, read.
    pub certificate: Certificate,
}

/// Reads a certificate file and the key that belongs to it.
///
/// # Errors
/// As [`read_certificates`] and [`read_key`].
pub fn read_identity(certificate: &Path, key: &Path) -> Result<Identity, StoreError> {
    let mut certificates = read_certificates(certificate)?;
    let chain = certificates.iter().map(|it| it.der().clone()).collect();
    let damaged = |_| StoreError::Content {
        path: key.to_owned(),
        content: Content::DamagedKey,
    };
    let pkcs8 = read_key(key)?.to_pkcs8().map_err(damaged)?;
    Ok(Identity {
        chain,
        key: PrivateKeyDer::Pkcs8(pkcs8.to_vec().into()),
        certificate: certificates.swap_remove(0),
    })
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
