//! TLS for your own tonic server, with the files of `grpc-pki issue`.
//!
//! `cargo run --example server` — `-- --mtls` lets in only clients with a certificate of the CA.
//! `ADDR=127.0.0.1:50052` in the environment serves elsewhere.

use std::error::Error;
use std::fs;

use grpc_pki::sample::WhoAmIService;
use grpc_pki::sample::v1::who_am_i_server::WhoAmIServer;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let identity = Identity::from_pem(read("pki/server.crt")?, read("pki/server.key")?);
    let mut tls = ServerTlsConfig::new().identity(identity);
    if std::env::args().any(|argument| argument == "--mtls") {
        tls = tls.client_ca_root(Certificate::from_pem(read("pki/ca.crt")?));
    }

    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<WhoAmIServer<WhoAmIService>>().await;

    let address = std::env::var("ADDR").unwrap_or("127.0.0.1:50051".to_owned());
    let incoming = TcpIncoming::bind(address.parse()?)?;
    println!("serving on {}", incoming.local_addr()?);
    Server::builder()
        .tls_config(tls)?
        .add_service(health_service)
        .add_service(WhoAmIServer::new(WhoAmIService)) // your services go here
        .serve_with_incoming(incoming)
        .await?;
    Ok(())
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|why| format!("{path}: {why}"))
}
