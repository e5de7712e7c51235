//! The sample server: who gets in, and what it answers.

use grpc_pki::sample::WhoAmIService;
use grpc_pki::sample::v1::who_am_i_client::WhoAmIClient;
use grpc_pki::sample::v1::who_am_i_server::WhoAmIServer;
use grpc_pki::sample::v1::{WhoAmIRequest, WhoAmIResponse};
use rustls::AlertDescription;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::transport::{ClientTlsConfig, Endpoint, ServerTlsConfig};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};
use tonic_reflection::pb::v1alpha;

use support::{
    Ca, Client, Issued, Running, client_config, client_config_for, handshake, pem, soon,
};

mod lifecycle;
mod reload;
mod support;

const SERVICE: &str = "grpc_pki.sample.v1.WhoAmI";

#[tokio::test]
async fn tls_lets_in_whoever_trusts_the_ca() {
    let (ca, other) = (Ca::new("ca"), Ca::new("other"));
    let mut server = Running::start(ca.server(1).material(None)).await;

    let refused = handshake(&server, &client_config(&other, None).into()).await;
    assert!(refused.unwrap_err().to_string().contains("UnknownIssuer"));
    assert_eq!(
        server.refusal().await,
        "the client does not trust the CA that issued the server certificate"
    );

    let client = Client::connect(&server, &client_config(&ca, None).into()).await;
    let expected = WhoAmIResponse {
        tls_version: "TLS 1.3".into(),
        cipher_suite: "TLS_AES_256_GCM_SHA384".into(),
        peer_address: client.address.to_string(),
        ..WhoAmIResponse::default()
    };
    assert_eq!(client.who_am_i().await.unwrap(), expected);
    server.stop().await;
}

#[tokio::test]
async fn mutual_tls_tells_the_caller_who_it_is() {
    let ca = Ca::new("ca");
    let server = Running::start(ca.server(1).material(Some(&[&ca]))).await;

    let alice = ca.client("alice", 0x2af);
    let client = Client::connect(&server, &client_config(&ca, Some(&alice)).into()).await;
    let answer = client.who_am_i().await.unwrap();
    let expected = WhoAmIResponse {
        authenticated: true,
        subject: "O=MyOrganization\\, Inc., CN=alice".into(),
        dns_names: vec!["alice.internal".into()],
        ip_addresses: vec!["10.0.0.7".into()],
        uris: vec!["spiffe://example.internal/alice".into()],
        sha256_fingerprint: sha256(&alice),
        serial_number: "02af".into(),
        tls_version: "TLS 1.3".into(),
        cipher_suite: "TLS_AES_256_GCM_SHA384".into(),
        peer_address: client.address.to_string(),
    };
    assert_eq!(answer, expected);
    server.stop().await;
}

#[tokio::test]
async fn behind_the_tls_of_tonic_it_knows_the_caller_too() {
    let ca = Ca::new("ca");
    let (own, alice) = (ca.server(1), ca.client("alice", 2));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tls = ServerTlsConfig::new()
        .identity(own.identity())
        .client_ca_root(pem(&ca.anchor()));
    let serving = tonic::transport::Server::builder()
        .tls_config(tls)
        .unwrap()
        .add_service(WhoAmIServer::new(WhoAmIService))
        .serve_with_incoming(TcpListenerStream::new(listener));
    let serving = tokio::spawn(serving);

    let tls = ClientTlsConfig::new()
        .ca_certificate(pem(&ca.anchor()))
        .identity(alice.identity())
        .domain_name("localhost");
    let endpoint = Endpoint::new(format!("https://{address}")).unwrap();
    let endpoint = endpoint.tls_config(tls).unwrap();
    let mut client = WhoAmIClient::new(soon(endpoint.connect()).await.unwrap());
    let answer = soon(client.who_am_i(WhoAmIRequest {})).await.unwrap();
    let answer = answer.into_inner();
    assert!(answer.authenticated && answer.peer_address.starts_with("127.0.0.1:"));
    assert_eq!(answer.subject, "O=MyOrganization\\, Inc., CN=alice");
    assert_eq!(answer.sha256_fingerprint, sha256(&alice));
    assert_eq!(
        (answer.tls_version, answer.cipher_suite),
        Default::default()
    );
    serving.abort();
}

#[tokio::test]
async fn mutual_tls_refuses_everyone_else() {
    let (ca, other) = (Ca::new("ca"), Ca::new("other"));
    let alice = ca.client("alice", 2);
    let mut server = Running::start(ca.server(1).material(Some(&[&ca]))).await;

    let cases = [
        (None, "the client presented no certificate"),
        (
            Some(other.client("alice", 2)),
            "the client certificate is not issued by a trust anchor of this server",
        ),
        (
            Some(ca.server(4)),
            "the client certificate is not for client authentication",
        ),
    ];
    for (identity, why) in cases {
        let client = Client::connect(&server, &client_config(&ca, identity.as_ref()).into()).await;
        client.who_am_i().await.unwrap_err();
        assert_eq!(server.refusal().await, why);
    }

    let client = Client::connect(&server, &client_config(&ca, Some(&alice)).into()).await;
    assert!(client.who_am_i().await.unwrap().authenticated);
    server.stop().await;
}

#[tokio::test]
async fn a_refused_client_gets_to_read_why() {
    let ca = Ca::new("ca");
    let server = Running::start(ca.server(1).material(Some(&[&ca]))).await;

    let config = client_config(&ca, None).into();
    let mut stream = handshake(&server, &config).await.unwrap();
    // A client that goes on sending must find an alert, not a connection reset.
    stream.write_all(&[0; 65536]).await.unwrap();
    soon(stream.get_ref().0.peek(&mut [0])).await.unwrap();
    stream.write_all(&[0; 1024]).await.unwrap();
    stream.write_all(&[0; 1024]).await.unwrap();
    let error = soon(stream.read_u8()).await.unwrap_err();
    let alert = error.get_ref().and_then(|e| e.downcast_ref()).cloned();
    let expected = rustls::Error::AlertReceived(AlertDescription::CertificateRequired);
    assert_eq!(alert, Some(expected), "{error}");
    drop(stream);
    server.stop().await;
}

#[tokio::test]
async fn strangers_do_not_take_the_server_down() {
    let ca = Ca::new("ca");
    let mut server = Running::start(ca.server(1).material(None)).await;

    let mut plain = TcpStream::connect(server.address).await.unwrap();
    plain
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(server.refusal().await, "the client does not speak TLS");

    let mut http1 = client_config(&ca, None);
    http1.alpn_protocols = vec![b"http/1.1".to_vec()];
    handshake(&server, &http1.into()).await.unwrap_err();
    assert_eq!(
        server.refusal().await,
        "the client does not offer HTTP/2 (`h2`) by ALPN"
    );

    drop(TcpStream::connect(server.address).await.unwrap());
    assert_eq!(
        server.refusal().await,
        "the client closed the connection during the handshake"
    );

    // Says nothing at all, and stays: others get in all the same.
    let silent = TcpStream::connect(server.address).await.unwrap();
    let config = client_config_for(&ca, None, &[&rustls::version::TLS12]).into();
    let client = Client::connect(&server, &config).await;
    let answer = client.who_am_i().await.unwrap();
    assert_eq!(answer.tls_version, "TLS 1.2");
    assert_eq!(
        answer.cipher_suite,
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    );
    drop(silent);
    server.stop().await;
}

#[tokio::test]
async fn health_and_reflection_are_served() {
    let ca = Ca::new("ca");
    let server = Running::start(ca.server(1).material(None)).await;
    let client = Client::connect(&server, &client_config(&ca, None).into()).await;

    let mut health = HealthClient::new(client.channel.clone());
    for service in ["", SERVICE] {
        let service = service.to_owned();
        let answer = health.check(HealthCheckRequest { service }).await.unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving);
    }
    let service = "unknown".to_owned();
    let unknown = health.check(HealthCheckRequest { service }).await;
    assert_eq!(unknown.unwrap_err().code(), tonic::Code::NotFound);

    let (requests, held) = tokio::sync::mpsc::channel(1);
    let mut reflection = ServerReflectionClient::new(client.channel.clone());
    let answers = reflection.server_reflection_info(ReceiverStream::new(held));
    requests.send(list_services()).await.unwrap();
    let mut answers = answers.await.unwrap().into_inner();
    assert_eq!(
        services(answers.next().await.unwrap().unwrap()),
        [
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            SERVICE
        ]
    );

    let older = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(
            v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(
                SERVICE.into(),
            ),
        ),
    };
    let mut reflection =
        v1alpha::server_reflection_client::ServerReflectionClient::new(client.channel.clone());
    let answers = reflection.server_reflection_info(tokio_stream::once(older));
    let answer = answers.await.unwrap().into_inner().next().await.unwrap();
    assert!(matches!(
        answer.unwrap().message_response,
        Some(v1alpha::server_reflection_response::MessageResponse::FileDescriptorResponse(_))
    ));
    drop(requests);
    server.stop().await;
}

fn sha256(issued: &Issued) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &issued.certificate);
    digest
        .as_ref()
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect()
}

fn list_services() -> ServerReflectionRequest {
    ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    }
}

fn services(answer: ServerReflectionResponse) -> Vec<String> {
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("not a list of services");
    };
    let mut names: Vec<_> = list.service.into_iter().map(|s| s.name).collect();
    names.sort();
    names
}
