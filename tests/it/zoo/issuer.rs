//! Rows: what is wrong with the certificates above the server's, and with what rustls cannot use at all.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, NameConstraints,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::certificate::python;
use super::grpc::Tonic;
use super::pki::{Authority, Key, Pair, World, period};
use super::process::openssl;
use super::row::{Row, Staged, row};

pub fn rows() -> Vec<Row> {
    let mut rows = intermediates();
    rows.extend(constraints());
    rows.extend(unusable());
    rows
}

/// A server whose issuer, sent along, is changed by `change`.
fn below(world: &World, change: impl FnOnce(&mut CertificateParams)) -> Staged {
    let between = world.ca.below_with("between", change);
    python(&world.chain(&world.leaf_of(&between, |_| ()), &[&between.pem]))
}

fn intermediates() -> Vec<Row> {
    vec![
        row(
            "an issuer that is no CA",
            13,
            "path",
            &["path.issuer_not_ca"],
            &["CN=between", "do not say CA"],
            |world| below(world, |it| it.is_ca = IsCa::ExplicitNoCa),
        )
        .id("D7"),
        row(
            "an issuer that is for clients",
            13,
            "path",
            &["path.issuer_purpose"],
            &["CN=between", "lacks serverAuth"],
            |world| {
                below(world, |it| {
                    it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
                })
            },
        )
        .id("D19"),
        row(
            "an issuer that expired",
            13,
            "time",
            &["time.issuer"],
            &["the issuer's certificate (CN=between)", "expired on"],
            |world| below(world, |it| period(it, -30, -2)),
        )
        .id("D14"),
        row(
            "more issuers than the CA allows",
            13,
            "path",
            &["path.length"],
            &["CN=upper", "allows 0 intermediates"],
            |world| {
                let upper = world.ca.below_with("upper", |it| {
                    it.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
                });
                let lower = upper.below("lower");
                let leaf = world.leaf_of(&lower, |_| ());
                python(&world.chain(&leaf, &[&lower.pem, &upper.pem]))
            },
        )
        .id("D23"),
    ]
}

fn constraints() -> Vec<Row> {
    let limited = |permitted: GeneralSubtree| {
        move |world: &World| {
            let ca = Authority::new("limited", Key::P256, |it| {
                it.name_constraints = Some(NameConstraints {
                    permitted_subtrees: vec![permitted.clone()],
                    excluded_subtrees: Vec::new(),
                });
            });
            let file = world.file(&ca.pem);
            python(&world.leaf_of(&ca, |_| ())).args(["--ca", file.to_str().unwrap()])
        }
    };
    let mut directory = rcgen::DistinguishedName::new();
    directory.push(DnType::OrganizationName, "Another Organization");
    vec![
        row(
            "a name that the CA may not certify",
            13,
            "path",
            &["path.name_constraints"],
            &["may not certify", "localhost", "allow example.internal"],
            limited(GeneralSubtree::DnsName("example.internal".to_owned())),
        )
        .id("D21"),
        row(
            "constraints on directory names, which rustls refuses",
            13,
            "path",
            &["path.refused"],
            &["rustls refuses", "RFC 5280"],
            limited(GeneralSubtree::DirectoryName(directory)),
        ),
    ]
}

fn unusable() -> Vec<Row> {
    vec![
        row(
            "a critical extension that nobody knows",
            13,
            "path",
            &["path.critical_extension"],
            &["1.3.6.1.4.1.99999.1", "critical"],
            |world| {
                python(&world.leaf(|it| {
                    let oid = [1, 3, 6, 1, 4, 1, 99999, 1];
                    let mut extension = CustomExtension::from_oid_content(&oid, vec![5, 0]);
                    extension.set_criticality(true);
                    it.custom_extensions.push(extension);
                }))
            },
        )
        .id("D22"),
        row(
            "an RSA key of 1024 bits",
            13,
            "path",
            &["path.weak"],
            &["an RSA key of 1024 bits"],
            |world| {
                let pair = made_by_openssl(world, "weak-key", &["rsa:1024"], &["-sha256"]);
                let more = ["-alpn", "h2", "-cipher", "ALL:@SECLEVEL=0"];
                let server = openssl(world, &pair, &more);
                Staged::new(server.port, server).quick()
            },
        )
        .id("D20"),
        row(
            "a certificate that cannot be read",
            13,
            "path",
            &["path.unreadable"],
            &["not an intact X.509 certificate"],
            |world| {
                let server = Tonic::tls(with_garbage(&world.ours("server").key));
                Staged::new(server.port, server)
            },
        ),
    ]
}

/// A server certificate of our CA with a kind of key or of signature that rcgen does not make.
fn made_by_openssl(world: &World, name: &str, key: &[&str], digest: &[&str]) -> Pair {
    let at = |end: &str| world.path().join(format!("{name}.{end}"));
    let pair = Pair {
        certificate: at("crt"),
        key: at("key"),
    };
    std::fs::write(
        at("ext"),
        "basicConstraints = critical,CA:FALSE\nextendedKeyUsage = serverAuth\n\
         subjectAltName = DNS:localhost\nauthorityKeyIdentifier = keyid\n",
    )
    .unwrap();
    let run = |command: &mut Command| {
        let done = command.current_dir(world.path()).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    let subject = ["-subj", "/CN=my-server", "-nodes"];
    let mut request = Command::new("openssl");
    request.args(["req", "-new", "-newkey"]).args(key);
    request.args(subject).arg("-keyout").arg(&pair.key);
    run(request.arg("-out").arg(at("csr")));
    let mut sign = Command::new("openssl");
    sign.args(["x509", "-req", "-days", "30", "-CA", "pki/ca.crt"]);
    sign.args(["-CAkey", "pki/ca.key", "-set_serial", "4711"]);
    sign.args(digest).arg("-extfile").arg(at("ext"));
    run(sign
        .arg("-in")
        .arg(at("csr"))
        .arg("-out")
        .arg(&pair.certificate));
    pair
}

/// Presents octets that are no certificate, and signs with a good key.
fn with_garbage(key: &Path) -> ServerConfig {
    #[derive(Debug)]
    struct Always(Arc<CertifiedKey>);
    impl ResolvesServerCert for Always {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            Some(self.0.clone())
        }
    }
    let key = any_supported_type(&PrivateKeyDer::from_pem_file(key).unwrap()).unwrap();
    let garbage = CertificateDer::from(vec![0x30, 0x03, 0x02, 0x01, 0x07]);
    let always = Always(Arc::new(CertifiedKey::new(vec![garbage], key)));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(rustls::DEFAULT_VERSIONS)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(always));
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}
