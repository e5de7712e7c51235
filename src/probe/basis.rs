//! What every connection of a run stands on: whom we trust and how we speak TLS, made ready once.

use std::sync::Arc;

use rustls::client::{
    ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, Error as TlsError, NamedGroup, RootCertStore};

use super::trust;
use crate::pki::{Certificate, RevocationList};
use crate::store::Identity;

/// Whom to trust, and a TLS client that asks nobody else.
#[derive(Debug)]
pub struct Basis {
    pub(super) anchors: Arc<[Certificate]>,
    pub(super) roots: Arc<RootCertStore>,
    pub(super) revocation_lists: Vec<Arc<RevocationList>>,
    pub(super) provider: Arc<CryptoProvider>,
    /// Without what differs from connection to connection: the time, and who judges and shows certificates.
    pub(super) config: Result<ClientConfig, TlsError>,
}

impl Basis {
    /// With these trust anchors, and those revoked whom these lists name.
    pub fn new(
        anchors: impl IntoIterator<Item = Certificate>,
        revocation_lists: impl IntoIterator<Item = Arc<RevocationList>>,
    ) -> Self {
        let anchors: Arc<[Certificate]> = anchors.into_iter().collect();
        let roots = Arc::new(trust::roots(&anchors));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider.clone());
        let config = config.with_safe_default_protocol_versions().map(|it| {
            let mut config = it
                .with_root_certificates(roots.clone())
                .with_no_client_auth();
            config.resumption = Resumption::store(Arc::new(NoSessions));
            config
        });
        Self {
            anchors,
            roots,
            revocation_lists: revocation_lists.into_iter().collect(),
            provider,
            config,
        }
    }
}

/// A client certificate as TLS shows it.
#[derive(Debug)]
pub struct Credentials {
    /// `None` where rustls cannot sign with the key: a server that asks is shown none.
    pub(super) certified: Option<Arc<CertifiedKey>>,
}

impl Credentials {
    /// Those of an identity, to be used in any number of connections.
    pub fn new(identity: &Identity) -> Self {
        // Not `from_der`: it takes the octets of the key, and does not wipe them.
        let key = any_supported_type(&identity.key).ok();
        let certified = key.map(|it| CertifiedKey::new(identity.chain.clone(), it));
        let certified = certified.filter(|it| it.keys_match().is_ok());
        Self {
            certified: certified.map(Arc::new),
        }
    }
}

/// Keeps no session: a resumed one would show neither a certificate nor a CertificateRequest. The ClientHello is that
/// of a client which knows no session yet.
#[derive(Debug)]
struct NoSessions;

impl ClientSessionStore for NoSessions {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, _: Tls13ClientSessionValue) {}

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}
