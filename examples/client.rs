//! TLS for your own tonic client; `-- --mtls [NAME]` presents `pki/NAME.crt` (default `client`).
//! `SERVER=https://localhost:50052` in the environment dials another server.

use grpc_pki::sample::v1::{WhoAmIRequest, who_am_i_client::WhoAmIClient};
use std::{env, error::Error, fs, process::ExitCode};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = who_am_i().await else {
        return ExitCode::SUCCESS;
    };
    let (mut causes, mut next) = (Vec::new(), Some(&*error as &(dyn Error + 'static)));
    while let Some(cause) = next {
        let status = cause.downcast_ref::<tonic::Status>();
        causes.push(status.map_or_else(|| cause.to_string(), |s| s.message().to_owned()));
        next = cause.source();
    }
    causes.retain(|cause| cause != "transport error"); // says nothing, and says it twice
    causes.dedup();
    eprintln!("error: {}", causes.join("\n  cause: "));
    if error.is::<tonic::Status>() {
        eprintln!("hint: does the server want a client certificate (`--mtls`), or one of its CA?");
    }
    ExitCode::FAILURE
}

async fn who_am_i() -> Result<(), Box<dyn Error>> {
    let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read("ca.crt")?));
    if env::args().any(|argument| argument == "--mtls") {
        let name = env::args().nth(2).unwrap_or("client".to_owned());
        let (certificate, key) = (read(&format!("{name}.crt"))?, read(&format!("{name}.key"))?);
        tls = tls.identity(Identity::from_pem(certificate, key));
    }
    // It connects even where the server refuses our certificate: only an answer proves it.
    let server = env::var("SERVER").unwrap_or("https://localhost:50051".to_owned());
    let channel = Channel::from_shared(server)?.tls_config(tls)?;
    let mut client = WhoAmIClient::new(channel.connect().await?);
    let caller = client.who_am_i(WhoAmIRequest {}).await?.into_inner();
    let name = Some(caller.subject).filter(|_| caller.authenticated);
    println!("answered, known as {}", name.unwrap_or("anonymous".into()));
    Ok(())
}

fn read(name: &str) -> Result<Vec<u8>, String> {
    fs::read(format!("pki/{name}")).map_err(|why| format!("pki/{name}: {why}"))
}
