//! What every certificate is, whoever asked for it: each point of section 5 of the design a test, for every
//! type of key and every profile, read back with x509-parser alone.

use std::sync::LazyLock;

use rustls::pki_types::CertificateDer;
use x509_parser::extensions::{GeneralName, KeyUsage, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::support::{NOW, Project};

mod acceptance;
mod constraints;
mod names;
mod other_ca;

const KEYS: [&str; 6] = [
    "ecdsa-p256",
    "ecdsa-p384",
    "rsa-2048",
    "rsa-3072",
    "rsa-4096",
    "ed25519",
];

/// A certificate of every profile for every type of key, named like `rsa-2048-peer`.
static MATRIX: LazyLock<Project> = LazyLock::new(|| {
    let entry = |(key, profile): (&str, &str)| {
        format!(
            "[certs.{key}-{profile}]\nprofile = \"{profile}\"\nkey = \"{key}\"\n\
             alt_names = {{ DNS = [\"localhost\"], IP = [\"127.0.0.1\"] }}\n"
        )
    };
    Project::issued(&kinds().into_iter().map(entry).collect::<String>())
});

fn kinds() -> Vec<(&'static str, &'static str)> {
    let profiles = |key| ["server", "client", "peer"].map(|profile| (key, profile));
    KEYS.into_iter().flat_map(profiles).collect()
}

/// Shows every certificate of the matrix with its type of key and profile.
fn each(check: impl Fn(&str, &str, &X509Certificate<'_>)) {
    for (key, profile) in kinds() {
        let der = MATRIX.certificate(&format!("{key}-{profile}"));
        check(key, profile, &parse(&der));
    }
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> X509Certificate<'a> {
    let (rest, certificate) = X509Certificate::from_der(der).unwrap();
    assert!(rest.is_empty());
    certificate
}

/// The subjectKeyIdentifier and the keyIdentifier of the authorityKeyIdentifier.
fn identifiers(certificate: &X509Certificate<'_>) -> (Vec<u8>, Vec<u8>) {
    let (mut own, mut issuer) = (Vec::new(), Vec::new());
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(it) => own = it.0.to_vec(),
            ParsedExtension::AuthorityKeyIdentifier(it) => {
                issuer = it.key_identifier.as_ref().unwrap().0.to_vec();
            }
            _ => {}
        }
    }
    (own, issuer)
}

#[test]
fn serial_numbers_are_positive_and_have_20_octets() {
    each(|key, _, it| {
        let serial = it.raw_serial();
        assert_eq!((serial.len(), serial[0] & 0x80), (20, 0), "{key}");
    });
    let ca = MATRIX.certificate("ca");
    assert_eq!(parse(&ca).raw_serial().len(), 20);
}

#[test]
fn serial_numbers_are_drawn_anew_even_for_the_same_key() {
    let serials = ["server", "client", "peer"].map(|profile| {
        // The tests have one RSA key of each size.
        let der = MATRIX.certificate(&format!("rsa-2048-{profile}"));
        parse(&der).raw_serial().to_vec()
    });
    assert_ne!(serials[0], serials[1]);
    assert_ne!(serials[1], serials[2]);
    let other = |_| {
        parse(&Project::issued(crate::support::SERVER).certificate("server"))
            .raw_serial()
            .to_vec()
    };
    assert_ne!(other(0), other(1));
}

#[test]
fn validity_starts_5_minutes_back_and_ends_after_valid_for() {
    each(|key, _, it| {
        let start = it.validity().not_before.to_datetime();
        assert_eq!(NOW - time::Duration::minutes(5), start, "{key}");
    });
    let project = Project::with_ca(crate::support::SERVER).later(1);
    project.run("issue").ok();
    let der = project.certificate("server");
    let validity = parse(&der).validity().clone();
    assert_eq!(
        NOW + time::Duration::minutes(24 * 60 - 5),
        validity.not_before.to_datetime()
    );
    assert_eq!(
        NOW + time::Duration::days(366),
        validity.not_after.to_datetime()
    );
}

#[test]
fn no_validity_exceeds_that_of_the_ca() {
    let config = "[ca]\nvalid_for = \"1d\"\n[certs.a]\nprofile = \"client\"\n";
    let project = Project::issued(config);
    let (leaf, ca) = (project.certificate("a"), project.certificate("ca"));
    let (leaf, ca) = (parse(&leaf), parse(&ca));
    assert_eq!(leaf.validity().not_after, ca.validity().not_after);
    assert_eq!(leaf.validity().not_before, ca.validity().not_before);
}

#[test]
fn key_identifiers_lead_to_the_ca() {
    let ca = MATRIX.certificate("ca");
    let (of_ca, of_ca_s_issuer) = identifiers(&parse(&ca));
    assert_eq!((of_ca.len(), &of_ca), (20, &of_ca_s_issuer));
    each(|key, profile, it| {
        let (own, issuer) = identifiers(it);
        assert_eq!(issuer, of_ca, "{key}-{profile}");
        assert_eq!(own.len(), 20);
        assert_ne!(own, of_ca);
    });
}

#[test]
fn the_issuer_is_the_subject_of_the_ca_octet_for_octet() {
    let ca = MATRIX.certificate("ca");
    let ca = parse(&ca);
    assert_eq!(ca.issuer().as_raw(), ca.subject().as_raw());
    each(|key, _, it| assert_eq!(it.issuer().as_raw(), ca.subject().as_raw(), "{key}"));
}

#[test]
fn basic_constraints_are_critical_and_never_those_of_a_ca() {
    each(|key, _, it| {
        let constraints = it.basic_constraints().unwrap().expect(key);
        assert!(constraints.critical && !constraints.value.ca, "{key}");
        assert_eq!(constraints.value.path_len_constraint, None);
    });
}

#[test]
fn a_ca_may_have_one_ca_below_it() {
    for key in ["ecdsa-p256", "ed25519", "rsa-2048"] {
        let project = Project::with_ca(&format!("[ca]\nkey = \"{key}\"\n"));
        let der = project.certificate("ca");
        let ca = parse(&der);
        let constraints = ca.basic_constraints().unwrap().unwrap();
        assert!(constraints.critical && constraints.value.ca);
        assert_eq!(constraints.value.path_len_constraint, Some(1));
        assert_eq!(usage(&ca), ["keyCertSign", "cRLSign"]);
        assert!(ca.extended_key_usage().unwrap().is_none());
    }
}

#[test]
fn key_usage_is_critical_and_follows_the_type_of_key() {
    each(|key, profile, it| {
        let expected: &[&str] = match key.starts_with("rsa") {
            true => &["digitalSignature", "keyEncipherment"],
            false => &["digitalSignature"],
        };
        assert_eq!(usage(it), expected, "{key}-{profile}");
    });
}

/// keyUsage, which has to be critical.
fn usage(certificate: &X509Certificate<'_>) -> Vec<&'static str> {
    let usage = certificate.key_usage().unwrap().unwrap();
    assert!(usage.critical);
    type Flag = (&'static str, fn(&KeyUsage) -> bool);
    let named: [Flag; 9] = [
        ("digitalSignature", KeyUsage::digital_signature),
        ("nonRepudiation", KeyUsage::non_repudiation),
        ("keyEncipherment", KeyUsage::key_encipherment),
        ("dataEncipherment", KeyUsage::data_encipherment),
        ("keyAgreement", KeyUsage::key_agreement),
        ("keyCertSign", KeyUsage::key_cert_sign),
        ("cRLSign", KeyUsage::crl_sign),
        ("encipherOnly", KeyUsage::encipher_only),
        ("decipherOnly", KeyUsage::decipher_only),
    ];
    let set = named.into_iter().filter(|(_, is)| is(usage.value));
    set.map(|(name, _)| name).collect()
}

#[test]
fn extended_key_usage_follows_the_profile() {
    each(|key, profile, it| {
        let usage = it.extended_key_usage().unwrap().expect(key).value;
        let expected = (profile != "client", profile != "server");
        assert_eq!(
            (usage.server_auth, usage.client_auth),
            expected,
            "{key}-{profile}"
        );
        assert!(!usage.any && !usage.code_signing && usage.other.is_empty());
    });
}

#[test]
fn there_are_no_extensions_but_these() {
    each(|key, profile, it| {
        let mut oids: Vec<_> = it
            .extensions()
            .iter()
            .map(|e| e.oid.to_id_string())
            .collect();
        oids.sort();
        let expected = [
            "2.5.29.14",
            "2.5.29.15",
            "2.5.29.17",
            "2.5.29.19",
            "2.5.29.35",
            "2.5.29.37",
        ];
        assert_eq!(oids, expected, "{key}-{profile}");
    });
}

#[test]
fn subject_alternative_names_are_not_critical_beside_a_subject() {
    each(|key, _, it| {
        let names = it.subject_alternative_name().unwrap().unwrap();
        assert!(!names.critical, "{key}");
        let expected = [
            GeneralName::DNSName("localhost"),
            GeneralName::IPAddress(&[127, 0, 0, 1]),
        ];
        assert_eq!(names.value.general_names, expected);
    });
}

#[test]
fn every_key_file_is_pkcs8_version_1() {
    each(|key, profile, _| {
        let file = format!("pki/{key}-{profile}.key");
        assert!(
            MATRIX
                .read(&file)
                .starts_with("-----BEGIN PRIVATE KEY-----\n")
        );
        let parsed = MATRIX.openssl(&format!("asn1parse -in {file}")).ok().stdout;
        let version = parsed.lines().nth(1).unwrap();
        assert!(
            version.ends_with("INTEGER           :00"),
            "{key}: {version}"
        );
        MATRIX
            .openssl(&format!("pkey -in {file} -check -noout"))
            .ok();
    });
}

#[test]
fn every_key_is_the_one_of_its_certificate() {
    each(|key, profile, _| {
        let name = format!("pki/{key}-{profile}");
        let certified = MATRIX
            .openssl(&format!("x509 -in {name}.crt -noout -pubkey"))
            .ok()
            .stdout;
        let own = MATRIX
            .openssl(&format!("pkey -in {name}.key -pubout"))
            .ok()
            .stdout;
        assert_eq!(certified, own);
        let other = MATRIX.openssl("pkey -in pki/ca.key -pubout").ok().stdout;
        assert_ne!(certified, other);
    });
}
