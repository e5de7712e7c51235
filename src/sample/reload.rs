//! From files to a TLS configuration, and again whenever the files change.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::CertificateDer;
use tokio::time::MissedTickBehavior;

use super::server::Events;
use super::{Event, Material, MaterialError, Source};
use crate::pki::Certificate;

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
    let presented = material
        .chain
        .first()
        .cloned()
        .ok_or(MaterialError::NoCertificate)?;
    let certificate = Certificate::from_der(presented).map_err(|_| MaterialError::Certificate)?;

    Ok(Loaded {
        config: Arc::new(server_config(material)?),
        fingerprint: certificate.fingerprint(),
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
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|why| MaterialError::Source(Box::new(why)))?;
    let builder = match material.client_anchors {
        Some(anchors) => builder.with_client_cert_verifier(client_verifier(anchors, provider)?),
        None => builder.with_no_client_auth(),
    };

    // Not `with_single_cert`: it takes the octets of the key, and does not wipe them.
    let key = aws_lc_rs::sign::any_supported_type(&material.key);
    let certified = CertifiedKey::new(material.chain, key.map_err(|_| MaterialError::Key)?);
    certified.keys_match().map_err(|why| match why {
        rustls::Error::InconsistentKeys(_) => MaterialError::KeyMismatch,
        rustls::Error::InvalidCertificate(_) => MaterialError::Certificate,
        _ => MaterialError::Key,
    })?;
    let resolver = SingleCertAndKey::from(certified);
    let mut config = builder.with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn client_verifier(
    anchors: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, MaterialError> {
    let mut roots = RootCertStore::empty();
    for (number, anchor) in (1..).zip(anchors) {
        roots
            .add(anchor)
            .map_err(|_| MaterialError::Anchor { number })?;
    }

    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        // Nothing else can be wrong where there are no revocation lists.
        .map_err(|_| MaterialError::NoAnchors)
}
