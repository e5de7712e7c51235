//! How a server starts, and how it stops.

use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use grpc_pki::sample::{Material, ServeError, Server};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpStream;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;

use super::support::{Ca, Client, Files, Running, client_config, soon};
use super::{list_services, services};

#[tokio::test]
async fn a_host_name_is_listened_on_at_every_address() {
    let files = || Files::new(Ca::new("ca").server(1).material(None));
    let server = Server::bind("localhost:0", files(), drop).await.unwrap();
    let port = server.local_addrs()[0].port();
    assert_ne!(port, 0);
    for address in server.local_addrs() {
        assert!(address.ip().is_loopback());
        assert_eq!(address.port(), port);
        TcpStream::connect(address).await.unwrap();
    }

    let taken = format!("localhost:{port}");
    let error = Server::bind(&taken, files(), drop).await.err().unwrap();
    let address = server.local_addrs()[0];
    assert_eq!(error.to_string(), format!("cannot listen on {address}"));
    let why = error.source().unwrap();
    let why = why.downcast_ref::<io::Error>().unwrap().kind();
    assert_eq!(why, io::ErrorKind::AddrInUse);

    let error = Server::bind("localhost", files(), drop)
        .await
        .err()
        .unwrap();
    assert!(matches!(error, ServeError::Address { .. }));
    assert_eq!(
        error.to_string(),
        "cannot resolve `localhost` to an address to listen on"
    );
}

#[tokio::test]
async fn unusable_material_is_named() {
    let ca = Ca::new("ca");
    let (one, two) = (ca.server(1), ca.server(2));
    let good = || one.material(Some(&[&ca]));
    let no_key = PrivatePkcs8KeyDer::from(vec![0]);
    let cases = [
        (
            Material {
                chain: Vec::new(),
                ..good()
            },
            "there is no server certificate",
        ),
        (
            Material {
                chain: vec![vec![0].into()],
                ..good()
            },
            "the server certificate cannot be parsed",
        ),
        (
            Material {
                key: two.key().into(),
                ..good()
            },
            "the private key does not belong to the server certificate",
        ),
        (
            Material {
                key: PrivateKeyDer::from(no_key).into(),
                ..good()
            },
            "the private key of the server certificate is not one that TLS can use",
        ),
        (
            Material {
                client_anchors: Some(Vec::new()),
                ..good()
            },
            "client certificates are required, but there is no trust anchor to verify them",
        ),
        (
            Material {
                client_anchors: Some(vec![ca.anchor(), vec![0].into()]),
                ..good()
            },
            "trust anchor 2 for client certificates is not a certificate",
        ),
    ];
    for (material, why) in cases {
        let bound = Server::bind("127.0.0.1:0", Files::new(material), drop).await;
        assert_eq!(bound.err().unwrap().to_string(), why);
    }
    Server::bind("127.0.0.1:0", Files::new(good()), drop)
        .await
        .unwrap();
}

#[tokio::test]
async fn shutdown_ends_watches_and_idle_connections_without_waiting() {
    let ca = Ca::new("ca");
    let server = Running::start(ca.server(1).material(None)).await;
    let client = Client::connect(&server, &client_config(&ca, None).into()).await;
    let mut health = HealthClient::new(client.channel.clone());
    let request = HealthCheckRequest {
        service: String::new(),
    };
    let mut watch = health.watch(request).await.unwrap().into_inner();
    let status = watch.next().await.unwrap().unwrap().status();
    assert_eq!(status, ServingStatus::Serving);

    let asked = Instant::now();
    let stopped = server.shutdown();
    let status = soon(watch.next()).await.unwrap().unwrap().status();
    assert_eq!(status, ServingStatus::NotServing);
    assert!(soon(watch.next()).await.is_none());
    soon(stopped).await.unwrap().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(5));
    client.who_am_i().await.unwrap_err();
}

#[tokio::test]
async fn shutdown_lets_requests_in_flight_finish_within_the_grace() {
    let ca = Ca::new("ca");
    for finishes in [true, false] {
        let server = Running::start(ca.server(1).material(None)).await;
        let address = server.address;
        let client = Client::connect(&server, &client_config(&ca, None).into()).await;
        let (requests, held) = tokio::sync::mpsc::channel(1);
        let mut reflection = ServerReflectionClient::new(client.channel.clone());
        let answers = reflection.server_reflection_info(ReceiverStream::new(held));
        let mut answers = answers.await.unwrap().into_inner();

        let asked = Instant::now();
        let stopped = server.shutdown();
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        requests.send(list_services()).await.unwrap();
        let answer = soon(answers.next()).await.unwrap().unwrap();
        assert_eq!(services(answer).len(), 3);

        if finishes {
            drop(requests);
            soon(stopped).await.unwrap().unwrap();
            assert!(asked.elapsed() < Duration::from_secs(5));
        } else {
            soon(stopped).await.unwrap().unwrap();
            assert!(asked.elapsed() >= Duration::from_secs(5));
            soon(answers.next()).await.unwrap().unwrap_err();
        }
    }
}
