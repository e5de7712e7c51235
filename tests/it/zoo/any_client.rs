//! Rows: servers that demand a client certificate and take whichever comes.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme,
    SupportedProtocolVersion,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use serde_json::Value;

use super::client_auth::RACES;
use super::enforcement::{ANONYMOUS, FIVE, OURS, SIX, THROWAWAY, VERDICT};
use super::grpc::Tonic;
use super::pki::{Pair, World};
use super::process::openssl;
use super::row::{Row, Staged, finish, row, verify};

pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, version) in [("TLS 1.2", &TLS12), ("TLS 1.3", &TLS13)] {
        rows.extend(any(name, version));
    }
    rows
}

fn any(name: &str, version: &'static SupportedProtocolVersion) -> Vec<Row> {
    let case = |what: &str| format!("{what} ({name})");
    let with = |demanded: bool, args: &'static [&str]| {
        move |world: &World| {
            let tls = any_client(&world.ours("server"), demanded, version);
            let server = Tonic::tls(tls);
            Staged::new(server.port, server).args(args)
        }
    };
    vec![
        row(
            case("any certificate will do, looked at closely"),
            15,
            "client_auth",
            &["client_auth.accepts_any"],
            &["made up for this test", "RequireAndVerifyClientCert"],
            with(true, &["--client", "client", "--deep"]),
        )
        .tells(VERDICT, "accepts_any")
        .tells(ANONYMOUS, "refused_alert")
        .tells(THROWAWAY, "accepted")
        .connects(match name {
            "TLS 1.2" => FIVE,
            _ => SIX,
        })
        .times(RACES),
        row(
            case("any certificate will do, none to show, looked at closely"),
            15,
            "client_auth",
            &["client_auth.required", "client_auth.accepts_any"],
            &["demands a client certificate"],
            with(true, &["--deep"]),
        )
        .tells(VERDICT, "accepts_any")
        .tells("/connections/1/purpose", "throwaway"),
        row(
            case("any certificate will do, or none"),
            15,
            "client_auth",
            &["client_auth.accepts_any"],
            &[],
            with(false, &["--client", "client", "--deep"]),
        )
        .tells(VERDICT, "accepts_any")
        .tells(ANONYMOUS, "accepted"),
        row(
            case("any certificate will do, at a glance"),
            0,
            "",
            &[],
            &["required (proven)"],
            with(true, &OURS),
        )
        .tells(THROWAWAY, Value::Null),
    ]
}

/// rustls that takes any certificate, as Go's `RequireAnyClientCert` and nginx's `optional_no_ca` do.
fn any_client(
    pair: &Pair,
    demanded: bool,
    version: &'static SupportedProtocolVersion,
) -> ServerConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = AnyClient {
        provider: provider.clone(),
        demanded,
    };
    let builder = ServerConfig::builder_with_provider(provider);
    let mut config = builder
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(
            vec![CertificateDer::from_pem_file(&pair.certificate).unwrap()],
            PrivateKeyDer::from_pem_file(&pair.key).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

#[derive(Debug)]
struct AnyClient {
    provider: Arc<CryptoProvider>,
    demanded: bool,
}

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        self.demanded
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

/// OpenSSL's error 18: the certificate that was shown is its own issuer.
#[test]
fn the_made_up_certificate_is_signed_by_itself() {
    let world = World::new();
    let server = openssl(&world, &world.ours("server"), &["-Verify", "1"]);
    let mut command = verify(&world);
    command.args([&format!("localhost:{}", server.port), "--deep"]);
    finish(command);
    server.wait_for(|line| line.contains("verify error:num=18").then_some(()));
}
