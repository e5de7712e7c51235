//! The least that a gRPC client of rustls and tonic does at a server: a connection, a handshake without resumption,
//! one call of the health service. It judges nothing and tells nothing; what `verify` needs beyond it is its own.

use std::sync::Arc;

use hyper_util::rt::TokioIo;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower::service_fn;

/// Stands for this program as it is not meant for people.
const WORD: &str = "--bare-client";
/// As many at one time as `verify` has, on as many threads.
const PARALLEL: usize = 32;
const THREADS: usize = 2;

pub fn is_asked_for() -> bool {
    std::env::args().nth(1).is_some_and(|it| it == WORD)
}

/// So many connections to `localhost:PORT`.
pub fn arguments(target: &str, count: usize) -> [String; 3] {
    [WORD.to_owned(), target.to_owned(), count.to_string()]
}

pub fn run() {
    let arguments: Vec<String> = std::env::args().collect();
    let (target, count) = (arguments[2].clone(), arguments[3].parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(all(target, count));
}

async fn all(target: String, count: usize) {
    let config = config();
    let permits = Arc::new(Semaphore::new(PARALLEL));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..count {
        let (target, config, permits) = (target.clone(), config.clone(), permits.clone());
        tasks.spawn(async move {
            let _permit = permits.acquire().await.unwrap();
            call(&target, config).await;
        });
    }
    tasks.join_all().await;
}

fn config() -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let anchor = CertificateDer::from_pem_file("pki/ca.crt").unwrap();
    roots.add(anchor).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

async fn call(target: &str, config: Arc<ClientConfig>) {
    let stream = TcpStream::connect(target).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(config).connect(name, stream).await;
    let mut stream = Some(TokioIo::new(stream.unwrap()));
    let connector = service_fn(move |_| {
        let stream = stream.take().ok_or(std::io::ErrorKind::NotConnected);
        async move { stream.map_err(std::io::Error::from) }
    });
    let endpoint = Endpoint::from_shared(format!("http://{target}")).unwrap();
    let channel = endpoint.connect_with_connector(connector).await.unwrap();
    let mut client = HealthClient::new(channel);
    client.check(HealthCheckRequest::default()).await.unwrap();
}
