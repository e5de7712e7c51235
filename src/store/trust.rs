//! What tells whom to trust besides `ca.crt`: revocation lists, and the trust store of the system.

use std::env;
use std::path::{Path, PathBuf};

use rustls_native_certs::{ErrorKind, load_native_certs};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

use super::read::read_up_to;
use super::{Content, Store, StoreError};
use crate::pki::{Certificate, RevocationList, pem};

/// Larger than the lists of most CAs, in octets.
const MAX_LIST: u64 = 16 << 20;

/// How the system's trust store is moved, for OpenSSL and for all who follow it.
const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

impl Store {
    /// The revocation lists that are looked into when they are there.
    pub fn revocation_lists_path(&self) -> PathBuf {
        self.path("crl.pem")
    }
}

/// The revocation lists of a file, PEM or DER, in order; at least one.
///
/// # Errors
/// [`StoreError::Content`] when the file holds something else; [`StoreError::Missing`] or [`StoreError::Read`].
pub fn read_revocation_lists(path: &Path) -> Result<Vec<RevocationList>, StoreError> {
    // What was named may be a private key.
    let text = zeroize::Zeroizing::new(read_up_to(path, MAX_LIST, Content::ListTooLarge)?);
    parse_lists(&text).map_err(|content| StoreError::Content {
        path: path.to_owned(),
        content,
    })
}

fn parse_lists(text: &[u8]) -> Result<Vec<RevocationList>, Content> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let list = |der: &[u8]| RevocationList::from_der(der).map_err(|_| Content::DamagedList);
    let sniffed = pem::sniff(text);
    if sniffed == pem::Content::Der {
        let is_certificate = || Certificate::from_der(text.to_vec().into()).is_ok();
        return list(text).map(|it| vec![it]).map_err(|damaged| {
            if is_certificate() {
                Content::ListIsCertificate
            } else if PrivateKeyDer::try_from(text).is_ok() {
                Content::ListIsKey
            } else {
                damaged
            }
        });
    }
    let ders: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(text).collect();
    let ders = ders.map_err(|_| Content::DamagedList)?;
    if ders.is_empty() {
        return Err(match sniffed {
            pem::Content::Certificates => Content::ListIsCertificate,
            pem::Content::EncryptedKey | pem::Content::PrivateKey => Content::ListIsKey,
            pem::Content::Empty => Content::Empty,
            _ => Content::NoList,
        });
    }
    ders.iter().map(|der| list(der)).collect()
}

/// The CAs that the system trusts.
///
/// # Errors
/// [`StoreError::SystemStore`] when there is none.
pub fn read_system_certificates() -> Result<Vec<Certificate>, StoreError> {
    let found = load_native_certs();
    let read = |der: CertificateDer<'static>| Certificate::from_der(der).ok();
    let certificates: Vec<_> = found.certs.into_iter().filter_map(read).collect();
    if !certificates.is_empty() {
        return Ok(certificates);
    }
    let variables = VARIABLES.into_iter().filter_map(|name| {
        let value = env::var_os(name).filter(|it| !it.is_empty())?;
        Some((name, PathBuf::from(value)))
    });
    let variables = variables.collect();
    let source = found.errors.into_iter().find_map(|it| match it.kind {
        ErrorKind::Io { inner, .. } => Some(inner),
        _ => None,
    });
    Err(StoreError::SystemStore { variables, source })
}
