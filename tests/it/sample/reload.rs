//! New files under a running server.

use grpc_pki::sample::{Event, Material, MaterialError};
use rustls::HandshakeKind;
use tokio::io::AsyncReadExt;

use super::sha256;
use super::support::{Ca, Client, Running, client_config, client_config_for, handshake, soon};

#[tokio::test]
async fn a_reload_reaches_new_connections_and_spares_open_ones() {
    let ca = Ca::new("ca");
    let (first, second) = (ca.server(1), ca.server(2));
    let mut server = Running::start(first.material(None)).await;
    let config = client_config(&ca, None).into();
    let old = Client::connect(&server, &config).await;
    assert_eq!(old.server_certificate, first.certificate);

    server.files.replace(second.material(None));
    match server.event().await {
        Event::Reloaded { fingerprint } => assert_eq!(fingerprint, sha256(&second)),
        other => panic!("{other:?}"),
    }

    let new = Client::connect(&server, &config).await;
    assert_eq!(new.server_certificate, second.certificate);
    new.who_am_i().await.unwrap();
    old.who_am_i().await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn a_broken_reload_keeps_what_worked() {
    let ca = Ca::new("ca");
    let (first, second) = (ca.server(1), ca.server(2));
    let mut server = Running::start(first.material(None)).await;
    let config = client_config(&ca, None).into();

    let mismatched = Material {
        key: first.key().into(),
        ..second.material(None)
    };
    server.files.replace(mismatched);
    let event = server.event().await;
    let kept = matches!(
        &event,
        Event::ReloadFailed {
            why: MaterialError::KeyMismatch
        }
    );
    assert!(kept, "{event:?}");
    let client = Client::connect(&server, &config).await;
    assert_eq!(client.server_certificate, first.certificate);

    server.files.replace(second.material(None));
    assert!(matches!(server.event().await, Event::Reloaded { .. }));
    let client = Client::connect(&server, &config).await;
    assert_eq!(client.server_certificate, second.certificate);
    server.stop().await;
}

#[tokio::test]
async fn a_resumed_session_does_not_outlive_its_trust_anchor() {
    let (ca, other) = (Ca::new("ca"), Ca::new("other"));
    let identity = ca.server(1);
    let alice = ca.client("alice", 2);
    for versions in [&[&rustls::version::TLS13], &[&rustls::version::TLS12]] {
        let mut server = Running::start(identity.material(Some(&[&ca]))).await;
        let config = client_config_for(&ca, Some(&alice), versions).into();
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let client = Client::connect(&server, &config).await;
            assert_eq!(client.kind, kind);
            assert!(client.who_am_i().await.unwrap().authenticated);
        }

        server.files.replace(identity.material(Some(&[&other])));
        assert!(matches!(server.event().await, Event::Reloaded { .. }));
        // On TLS 1.2 the refusal comes in the handshake, on TLS 1.3 after it.
        if let Ok(mut stream) = handshake(&server, &config).await {
            soon(stream.read_u8()).await.unwrap_err();
        }
        assert_eq!(
            server.refusal().await,
            "the client certificate is not issued by a trust anchor of this server"
        );
        server.stop().await;
    }
}
