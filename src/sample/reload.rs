//! From files to a TLS configuration, and again whenever the files change.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{InconsistentKeys, RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use tokio::time::MissedTickBehavior;

use super::server::Events;
use super::{Event, Material, MaterialError, Source, whoami};

/// Someone who replaces a certificate waits no longer than this for the server to notice.
const POLL: Duration = Duration::from_millis(500);

/// The TLS configuration in use, and the stamp of the files it was made from.
pub(super) struct Loaded {
    pub(super) config: Arc<ServerConfig>,
    pub(super) fingerprint: String,
    pub(super) stamp: u64,
}

/// Reads the material and makes a configuration of it.
pub(super) fn load<S: Source>(source: &S) -> Result<Loaded, MaterialError> {
    // Before the files: if they change while they are read, the next poll sees another stamp.
    let stamp = source.stamp();
    let material = source
        .load()
        .map_err(|why| MaterialError::Source(Box::new(why)))?;
    let fingerprint = material.chain.first().map(|c| whoami::fingerprint(c));

    Ok(Loaded {
        config: Arc::new(server_config(material)?),
        fingerprint: fingerprint.unwrap_or_default(),
        stamp,
    })
}

/// Replaces `config` whenever the files change, for as long as it is polled.
pub(super) async fn watch<S: Source>(
    source: Arc<S>,
    config: Arc<ArcSwap<ServerConfig>>,
    mut served: u64,
    events: Events,
) {
    let mut failed = None;
    let mut reported = None;
    let mut poll = tokio::time::interval(POLL);
    poll.set_missed_tick_behavior(MissedTickBehavior::Delay);

    loop {
        poll.tick().await;
        let stamp = source.stamp();
        if stamp == served {
            continue;
        }
        match load(&*source) {
            Ok(loaded) => {
                config.store(loaded.config);
                served = loaded.stamp;
                events(Event::Reloaded {
                    fingerprint: loaded.fingerprint,
                });
            }
            // A key that was replaced a moment before its certificate is no news; files that stay
            // so until the next poll are.
            Err(why) if failed == Some(stamp) && reported != Some(stamp) => {
                reported = Some(stamp);
                events(Event::ReloadFailed { why });
            }
            Err(_) => failed = Some(stamp),
        }
    }
}

/// A configuration for gRPC: HTTP/2 only, and client certificates where anchors are given.
///
/// Its session store is new. A session of an earlier configuration is unknown to it, so a client
/// that was let in under other trust anchors has to present its certificate again.
fn server_config(material: Material) -> Result<ServerConfig, MaterialError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let identity = identity(&material, &provider)?;

    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|why| MaterialError::Source(Box::new(why)))?;
    let builder = match material.client_anchors {
        Some(anchors) => builder.with_client_cert_verifier(client_verifier(
            &anchors,
            material.client_crls,
            provider,
        )?),
        None => builder.with_no_client_auth(),
    };

    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(identity)));
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

/// The chain and its key, proved to belong together.
fn identity(material: &Material, provider: &CryptoProvider) -> Result<CertifiedKey, MaterialError> {
    use rustls::Error::{InconsistentKeys as Inconsistent, NoCertificatesPresented};

    let key = provider
        .key_provider
        .load_private_key(material.key.clone_key())
        .map_err(|_| MaterialError::Key)?;
    let identity = CertifiedKey::new(material.chain.clone(), key);
    match identity.keys_match() {
        // Unknown is for keys that cannot tell their public half; those of aws-lc-rs can.
        Ok(()) | Err(Inconsistent(InconsistentKeys::Unknown)) => Ok(identity),
        Err(Inconsistent(_)) => Err(MaterialError::KeyMismatch),
        Err(NoCertificatesPresented) => Err(MaterialError::NoCertificate),
        Err(_) => Err(MaterialError::Certificate),
    }
}

fn client_verifier(
    anchors: &[CertificateDer<'static>],
    crls: Vec<CertificateRevocationListDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, MaterialError> {
    let mut roots = RootCertStore::empty();
    for (index, anchor) in anchors.iter().enumerate() {
        let number = index + 1;
        roots
            .add(anchor.clone())
            .map_err(|_| MaterialError::Anchor { number })?;
    }

    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .with_crls(crls)
        // During a rollover one of two CAs may have no list yet.
        .allow_unknown_revocation_status()
        .build()
        .map_err(|why| match why {
            VerifierBuilderError::NoRootAnchors => MaterialError::NoAnchors,
            _ => MaterialError::Crl,
        })
}
