//! Files with certificates and keys, as far as they hold what they should.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use rustls_pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::{Content, MAX_SIZE, StoreError};
use crate::pki::encrypted::{EncryptionError, StoredKeyError};
use crate::pki::key::{KeyError, SecretKey};
use crate::pki::{Certificate, PrivateKey, StoredKey, pem};

/// Octets that a file whose size is not known is read with at first.
const PIECE: usize = 1 << 10;

/// Reads a small regular file; a pipe in its place is refused, not waited for.
pub(super) fn read_small(path: &Path) -> Result<Vec<u8>, StoreError> {
    read_up_to(path, MAX_SIZE, Content::TooLarge)
}

/// Reads a regular file of at most so many octets.
pub(super) fn read_up_to(
    path: &Path,
    limit: u64,
    too_large: Content,
) -> Result<Vec<u8>, StoreError> {
    let wrong = |content| StoreError::Content {
        path: path.to_owned(),
        content,
    };
    let metadata = fs::metadata(path).map_err(StoreError::read(path))?;
    if !metadata.is_file() {
        return Err(wrong(Content::NotAFile));
    }
    read_open(path, metadata.len(), limit, too_large)
}

/// Reads whatever can be opened: of about so many octets, and of at most so many.
pub(super) fn read_open(
    path: &Path,
    expected: u64,
    limit: u64,
    too_large: Content,
) -> Result<Vec<u8>, StoreError> {
    let failed = |source| StoreError::read(path)(source);
    let mut file = File::open(path).map_err(failed)?.take(limit + 1);
    // What is read may be a key, of which a vector that grows would leave copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(expected.min(limit) as usize + 1));
    loop {
        if text.len() == text.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(2 * text.len().max(PIECE)));
            larger.extend_from_slice(&text);
            text = larger;
        }
        let start = text.len();
        let room = text.capacity();
        text.resize(room, 0);
        let read = file.read(&mut text[start..]);
        text.truncate(start + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    if text.len() as u64 > limit {
        return Err(StoreError::Content {
            path: path.to_owned(),
            content: too_large,
        });
    }
    Ok(std::mem::take(&mut *text))
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
pub(super) fn read_public(path: &Path) -> Result<Vec<Certificate>, StoreError> {
    let text = Zeroizing::new(read_small(path)?);
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

pub(super) fn parse_certificates(text: &[u8]) -> Result<Vec<Certificate>, Content> {
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
    let text = Zeroizing::new(read_small(path)?);
    parse_key(&text).map_err(|content| StoreError::Content {
        path: path.to_owned(),
        content,
    })
}

pub(super) fn parse_key(text: &[u8]) -> Result<PrivateKey, Content> {
    expect_pem(text)?;
    PrivateKey::from_pem(text).map_err(key_content)
}

fn expect_pem(text: &[u8]) -> Result<(), Content> {
    if pem::has_byte_order_mark(text) {
        return Err(Content::ByteOrderMark);
    }
    match pem::sniff(text) {
        pem::Content::Der => Err(Content::Der),
        pem::Content::Empty => Err(Content::Empty),
        _ => Ok(()),
    }
}

fn key_content(error: KeyError) -> Content {
    match error {
        KeyError::Encrypted => Content::EncryptedKey,
        KeyError::Missing => Content::NoKey,
        KeyError::Generation | KeyError::Unsupported => Content::DamagedKey,
    }
}

/// The private key of a file, which may be under a passphrase.
pub(super) fn read_stored_key(path: &Path) -> Result<StoredKey, StoreError> {
    let text = Zeroizing::new(read_small(path)?);
    parse_stored_key(&text).map_err(|content| StoreError::Content {
        path: path.to_owned(),
        content,
    })
}

fn parse_stored_key(text: &[u8]) -> Result<StoredKey, Content> {
    expect_pem(text)?;
    StoredKey::from_pem(text).map_err(|error| match error {
        StoredKeyError::Encryption(error) => match error {
            EncryptionError::Damaged => Content::DamagedKey,
            EncryptionError::LegacyPem => Content::EncryptedLegacyPem,
            EncryptionError::Pbes1 => Content::EncryptedPbes1,
            EncryptionError::TooCostly => Content::EncryptedTooCostly,
            EncryptionError::Unsupported => Content::EncryptedUnsupported,
        },
        StoredKeyError::Key(error) => key_content(error),
    })
}

/// A certificate with its chain and its key, as a TLS library takes them.
pub struct Identity {
    /// The end entity first.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its private key.
    pub key: SecretKey,
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
    let key = read_key(key)?.to_secret().map_err(damaged)?;
    Ok(Identity {
        chain,
        key,
        certificate: certificates.swap_remove(0),
    })
}
