//! Whether others accept what we make: rustls' verifiers and `openssl verify`, with the twins that must fail.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{CertificateError, Error, RootCertStore};
use time::OffsetDateTime;

use super::{KEYS, MATRIX, each};
use crate::support::{NOW, Project, Ran};

/// How rustls, as a client, likes a server with this certificate.
pub fn as_server(
    anchor: &CertificateDer<'static>,
    certificate: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    host: &str,
    at: OffsetDateTime,
) -> Result<(), Error> {
    let verifier = WebPkiServerVerifier::builder_with_provider(roots(anchor), provider());
    let host = ServerName::try_from(host.to_owned()).unwrap();
    let verifier = verifier.build().unwrap();
    let verified = verifier.verify_server_cert(certificate, intermediates, &host, &[], moment(at));
    verified.map(drop)
}

/// How rustls, as a server, likes a client with this certificate.
fn as_client(
    anchor: &CertificateDer<'static>,
    certificate: &CertificateDer<'_>,
) -> Result<(), Error> {
    let verifier = WebPkiClientVerifier::builder_with_provider(roots(anchor), provider());
    let verified = verifier
        .build()
        .unwrap()
        .verify_client_cert(certificate, &[], moment(NOW));
    verified.map(drop)
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(default_provider())
}

fn roots(anchor: &CertificateDer<'static>) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(anchor.clone()).unwrap();
    Arc::new(roots)
}

fn moment(at: OffsetDateTime) -> UnixTime {
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(at.unix_timestamp() as u64))
}

fn verify(project: &Project, options: &str, file: &str) -> Ran {
    let time = NOW.unix_timestamp();
    project.openssl(&format!(
        "verify -x509_strict -attime {time} -CAfile pki/ca.crt {options} pki/{file}.crt"
    ))
}

#[test]
fn rustls_accepts_a_server_under_its_names_and_no_others() {
    let ca = MATRIX.certificate("ca");
    each(|key, profile, _| {
        let certificate = MATRIX.certificate(&format!("{key}-{profile}"));
        let verified = |host| as_server(&ca, &certificate, &[], host, NOW);
        if profile == "client" {
            assert!(matches!(
                verified("localhost"),
                Err(Error::InvalidCertificate(_))
            ));
            return;
        }
        assert_eq!(verified("localhost"), Ok(()), "{key}-{profile}");
        assert_eq!(verified("127.0.0.1"), Ok(()), "{key}-{profile}");
        let Err(Error::InvalidCertificate(error)) = verified("elsewhere") else {
            panic!("{key}-{profile}");
        };
        assert!(matches!(
            error,
            CertificateError::NotValidForNameContext { .. }
        ));
    });
}

#[test]
fn rustls_accepts_clients_and_no_servers_as_clients() {
    let ca = MATRIX.certificate("ca");
    each(|key, profile, _| {
        let certificate = MATRIX.certificate(&format!("{key}-{profile}"));
        let accepted = as_client(&ca, &certificate).is_ok();
        assert_eq!(accepted, profile != "server", "{key}-{profile}");
    });
}

#[test]
fn openssl_accepts_a_server_under_its_names_and_no_others() {
    each(|key, profile, _| {
        let file = format!("{key}-{profile}");
        let verified = |options| verify(&MATRIX, options, &file);
        if profile == "client" {
            verified("-purpose sslserver").exits(2);
            return;
        }
        verified("-purpose sslserver -verify_hostname localhost").ok();
        verified("-purpose sslserver -verify_ip 127.0.0.1").ok();
        verified("-purpose sslserver -verify_hostname elsewhere").exits(2);
    });
}

#[test]
fn openssl_accepts_clients_and_no_servers_as_clients() {
    each(|key, profile, _| {
        let ran = verify(&MATRIX, "-purpose sslclient", &format!("{key}-{profile}"));
        ran.exits(if profile == "server" { 2 } else { 0 });
    });
}

#[test]
fn a_ca_of_every_type_of_key_is_accepted() {
    for key in KEYS {
        let config = format!("[ca]\nkey = \"{key}\"\n{}", crate::support::SERVER);
        let project = Project::issued(&config);
        let (ca, server) = (project.certificate("ca"), project.certificate("server"));
        assert_eq!(
            as_server(&ca, &server, &[], "localhost", NOW),
            Ok(()),
            "{key}"
        );
        verify(
            &project,
            "-purpose sslserver -verify_hostname localhost",
            "server",
        )
        .ok();
        verify(&project, "", "ca").ok();
        let stranger = MATRIX.certificate("ca");
        assert!(as_server(&stranger, &server, &[], "localhost", NOW).is_err());
    }
}
