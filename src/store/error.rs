//! Why the folder could not be read or changed.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Holder, Obstacle};

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
    /// It is a private key under a passphrase, and opening it would take too much memory or time.
    #[error(
        "is encrypted so that opening it takes more memory or time than is given: over 128 MiB, or 10 000 000 iterations"
    )]
    EncryptedTooCostly,
    /// It is a private key under a passphrase, encrypted as in RFC 1421.
    #[error(
        "is encrypted as old versions of OpenSSL do (Proc-Type: 4,ENCRYPTED), which protects it badly"
    )]
    EncryptedLegacyPem,
    /// It is a private key under a passphrase, encrypted with PBES1.
    #[error("is encrypted with an old scheme (PBES1), which protects it badly")]
    EncryptedPbes1,
    /// It is a private key under a passphrase, with an unknown cipher or derivation.
    #[error("is encrypted, and not with AES in CBC mode under PBKDF2 or scrypt")]
    EncryptedUnsupported,
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
    /// Something stands where a file or a folder is to be written.
    #[error("{} {obstacle}", path.display())]
    InTheWay {
        /// The path.
        path: PathBuf,
        /// What it is.
        obstacle: Obstacle,
    },
    /// Another process is changing the folder.
    #[error("{} is being changed by {holder}{}", dir.display(), in_vain(*waited))]
    Locked {
        /// The folder.
        dir: PathBuf,
        /// Who.
        holder: Holder,
        /// How long it was waited for.
        waited: Duration,
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
    /// The system refused to put a change into place that is made and durable.
    #[error("the change is made, but not all of it is in place: {} cannot be written", path.display())]
    Unfinished {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The system refused to write; what was staged is dropped, and nothing has changed.
    #[error("{} cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl StoreError {
    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
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

    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Write {
            path: path.to_owned(),
            source,
        }
    }
}

fn in_vain(waited: Duration) -> String {
    if waited.is_zero() {
        String::new()
    } else {
        format!(", and still was after {} s", waited.as_secs_f32())
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
