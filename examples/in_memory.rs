//! A throw-away CA and a server certificate for tests: nothing is read or written.
//!
//! `cargo run --example in_memory` serves with them on a free port, and asks the server how it is.

use std::error::Error;
use std::time::SystemTime;

use grpc_pki::keys::SystemKeys;
use grpc_pki::pki::{
    DistinguishedName, GeneralName, Issuer, KeyAlgorithm, KeySource, NameConstraints, Profile,
    Template, Validity, pem, sign,
};
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity, Server, ServerTlsConfig};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (ca, identity) = throw_away_pki()?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let (_, health) = tonic_health::server::health_reporter();
    let server = Server::builder()
        .tls_config(ServerTlsConfig::new().identity(identity))?
        .add_service(health); // your services go here
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));

    let tls = ClientTlsConfig::new().ca_certificate(ca);
    let channel = Endpoint::from_shared(format!("https://localhost:{port}"))?.tls_config(tls)?;
    let mut client = HealthClient::new(channel.connect().await?);
    let answer = client.check(HealthCheckRequest::default()).await?;
    println!("{}", answer.into_inner().status().as_str_name());
    Ok(())
}

fn throw_away_pki() -> Result<(Certificate, Identity), Box<dyn Error>> {
    let validity = Validity::starting(SystemTime::now().into(), &"1h".parse()?);
    let template = |subject, names| -> Result<_, Box<dyn Error>> {
        let serial = SystemKeys.serial()?;
        Ok(Template {
            subject,
            names,
            validity,
            serial,
        })
    };

    let ca_key = SystemKeys.key(KeyAlgorithm::EcdsaP256)?;
    let ca_name = DistinguishedName::common_name("test CA")?;
    let no_limits = NameConstraints::default();
    let ca = sign::self_signed(&template(&ca_name, &[])?, &no_limits, &ca_key)?;
    let ca_pem = pem::encode("CERTIFICATE", ca.der());
    let issuer = Issuer::new(ca, ca_key)?;

    let key = SystemKeys.key(KeyAlgorithm::EcdsaP256)?;
    let name = DistinguishedName::common_name("server")?;
    let names = [GeneralName::dns("localhost")?];
    let certificate = issuer.issue(&template(&name, &names)?, Profile::Server, &key)?;
    let certificate_pem = pem::encode("CERTIFICATE", certificate.der());

    let identity = Identity::from_pem(certificate_pem.as_str(), key.to_pem()?.as_str());
    Ok((Certificate::from_pem(ca_pem.as_str()), identity))
}
