//! What all runs share: a folder that `init` and `issue` made, and who signs there; servers on its certificates.

use std::path::PathBuf;
use std::sync::Arc;

use grpc_pki::config::Config;
use grpc_pki::diagnose::{Knowledge, KnownEntry};
use grpc_pki::pki::Certificate;
use grpc_pki::store::{Identity, read_certificates, read_identity};
use rcgen::{
    CertificateParams, CertificateRevocationListParams, CustomExtension, Issuer, KeyIdMethod,
    KeyPair, RevocationReason, RevokedCertParams, SanType, SerialNumber,
};
use rustls::crypto::aws_lc_rs::{default_provider, sign::any_supported_type};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::version::{TLS12, TLS13};
use rustls::{DistinguishedName, RootCertStore, ServerConfig, SupportedProtocolVersion};
use time::{Duration, OffsetDateTime};

use super::noise::{Noise, value};
use crate::support::Project;

const CONFIG: &str = r#"
[alt_names]
DNS.1 = "localhost"
IP.1 = "127.0.0.1"

[certs.client]
profile = "client"

[certs.orders]
profile = "peer"
alt_names = { DNS = ["orders.internal"], URI = ["spiffe://internal/orders"] }
"#;
/// subjectAltName, basicConstraints, keyUsage, extendedKeyUsage, nameConstraints, both key identifiers, and those that
/// nobody here acts upon (RFC 5280, 4.2).
const EXTENSIONS: [&[u64]; 11] = [
    &[2, 5, 29, 17],
    &[2, 5, 29, 19],
    &[2, 5, 29, 15],
    &[2, 5, 29, 37],
    &[2, 5, 29, 30],
    &[2, 5, 29, 14],
    &[2, 5, 29, 35],
    &[2, 5, 29, 31],
    &[2, 5, 29, 32],
    &[1, 3, 6, 1, 5, 5, 7, 1, 1],
    &[1, 3, 6, 1, 5, 5, 7, 1, 24],
];

pub struct Ground {
    pub project: Project,
    pub anchors: Vec<Certificate>,
    pub client: Arc<Identity>,
    pub stranger: Arc<Identity>,
    server: Identity,
    server_key: Arc<dyn SigningKey>,
    own_key: KeyPair,
    own_signing_key: Arc<dyn SigningKey>,
    issuer: Issuer<'static, KeyPair>,
    config: Config,
}

impl Ground {
    pub fn new() -> Self {
        let project = Project::new(CONFIG).today();
        project.run("init").ok();
        project.run("issue").ok();
        let pki = |name: &str| project.path("pki").join(name);
        let pair = |name: &str| {
            read_identity(&pki(&format!("{name}.crt")), &pki(&format!("{name}.key"))).unwrap()
        };
        let server = pair("server");
        let own_key = KeyPair::generate().unwrap();
        let own = PrivateKeyDer::try_from(own_key.serialize_der()).unwrap();
        let ca = project.read("pki/ca.crt");
        let ca_key = KeyPair::from_pem(&project.read("pki/ca.key")).unwrap();
        Self {
            anchors: read_certificates(&pki("ca.crt")).unwrap(),
            client: Arc::new(pair("client")),
            stranger: Arc::new(pair("orders")),
            server_key: any_supported_type(&server.key).unwrap(),
            server,
            own_signing_key: any_supported_type(&own).unwrap(),
            own_key,
            issuer: Issuer::from_ca_cert_pem(&ca, ca_key).unwrap(),
            config: Config::load(&project.path("certs.toml")).unwrap(),
            project,
        }
    }

    pub fn socket(&self, seed: u64) -> PathBuf {
        self.project.path(&format!("{seed:x}.sock"))
    }

    /// What `verify` knows in this folder.
    pub fn knowledge(&self) -> Knowledge {
        let entry = |it: &grpc_pki::config::Entry| {
            let file = self.project.path(&format!("pki/{}.crt", it.name));
            KnownEntry {
                name: it.name.clone(),
                client_auth: it.profile.client_auth(),
                names: it.names.clone(),
                place: it.place.clone(),
                certificate: Some(read_certificates(&file).unwrap().swap_remove(0)),
            }
        };
        Knowledge {
            anchors: self.anchors.clone(),
            anchors_path: "pki/ca.crt".to_owned(),
            entries: self.config.certificates.iter().map(entry).collect(),
            config_path: "certs.toml".to_owned(),
            ..Knowledge::default()
        }
    }

    /// A server as it should be.
    pub fn well(&self, version: &'static SupportedProtocolVersion) -> Arc<ServerConfig> {
        let key = CertifiedKey::new(self.server.chain.clone(), self.server_key.clone());
        let mut config = builder(version).with_cert_resolver(Arc::new(Always(key.into())));
        config.alpn_protocols = vec![b"h2".to_vec()];
        Arc::new(config)
    }

    /// One that copied the certificate, and has another key.
    pub fn copied(&self, version: &'static SupportedProtocolVersion) -> Arc<ServerConfig> {
        let key = CertifiedKey::new(self.server.chain.clone(), self.own_signing_key.clone());
        let mut config = builder(version).with_cert_resolver(Arc::new(Always(key.into())));
        config.alpn_protocols = vec![b"h2".to_vec()];
        Arc::new(config)
    }

    /// The same as [`Ground::well`], of either version.
    pub fn either(&self, noise: &mut Noise) -> Arc<ServerConfig> {
        self.well(pick_version(noise))
    }

    /// A server with a chain that nobody foresaw, which may ask for a certificate with hints that are as odd.
    pub fn odd(&self, noise: &mut Noise) -> Arc<ServerConfig> {
        let (mut chain, key) = match noise.below(4) {
            0 => (self.server.chain.clone(), &self.server_key),
            1 => (vec![self.extended(noise)], &self.own_signing_key),
            2 => {
                let der = self.server.chain[0].to_vec();
                (vec![noise.change_der(&der).into()], &self.server_key)
            }
            _ => {
                let der = self.extended(noise).to_vec();
                (vec![noise.change_der(&der).into()], &self.own_signing_key)
            }
        };
        for _ in 0..noise.below(4) {
            let ca = self.anchors[0].der();
            chain.push(match noise.below(5) {
                0 => ca.clone(),
                1 => noise.octets(200).into(),
                2 => self.extended(noise),
                3 => chain[0].clone(),
                _ => noise.change_der(ca).into(),
            });
        }
        let mut key = CertifiedKey::new(chain, key.clone());
        if noise.one_in(4) {
            // One of no length would not be sent.
            key.ocsp = Some([&[0x30], &noise.octets(100)[..]].concat());
        }
        let version = pick_version(noise);
        let builder = match noise.below(4) {
            0 => builder_of(version).with_client_cert_verifier(self.asks(noise)),
            _ => builder(version),
        };
        let mut config = builder.with_cert_resolver(Arc::new(Always(key.into())));
        config.alpn_protocols = match noise.below(8) {
            0 => vec![],
            1 => vec![b"http/1.1".to_vec()],
            _ => vec![b"h2".to_vec()],
        };
        Arc::new(config)
    }

    fn asks(&self, noise: &mut Noise) -> Arc<dyn rustls::server::danger::ClientCertVerifier> {
        let mut roots = RootCertStore::empty();
        roots.add(self.anchors[0].der().clone()).unwrap();
        let provider = Arc::new(default_provider());
        let mut verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
        for _ in 0..noise.below(4) {
            let name = value(0x30, &noise.octets(64));
            let hint = noise.change_der(&name);
            // One of no length would not be sent.
            let hint = (!hint.is_empty()).then(|| DistinguishedName::from(hint));
            verifier = verifier.add_root_hint_subjects(hint);
        }
        if noise.one_in(2) {
            verifier = verifier.allow_unauthenticated();
        }
        verifier.build().unwrap()
    }

    /// A certificate that our CA signed, with extensions that it should not have signed.
    fn extended(&self, noise: &mut Noise) -> CertificateDer<'static> {
        let mut params = CertificateParams::default();
        params.serial_number = Some(SerialNumber::from(u64::from(noise.number())));
        let (before, after) = *noise.pick(&[(1, 30), (1, 30), (1, 30), (-3, 30), (30, -3)]);
        let now = OffsetDateTime::now_utc();
        params.not_before = now - Duration::days(before);
        params.not_after = now + Duration::days(after);
        params.use_authority_key_identifier_extension = true;
        if !noise.one_in(4) {
            let name = SanType::DnsName("localhost".try_into().unwrap());
            params.subject_alt_names = vec![name, SanType::IpAddress([127, 0, 0, 1].into())];
        }
        for _ in 0..noise.below(4) {
            let oid = *noise.pick(&EXTENSIONS);
            let content = content(noise, oid);
            let mut extension = CustomExtension::from_oid_content(oid, content);
            extension.set_criticality(noise.one_in(3));
            params.custom_extensions.push(extension);
        }
        let signed = params.signed_by(&self.own_key, &self.issuer).unwrap();
        signed.der().clone()
    }

    /// A revocation list of our CA, changed or not.
    pub fn list(&self, noise: &mut Noise) -> Vec<u8> {
        let now = OffsetDateTime::now_utc();
        let mut serials = vec![noise.octets(21), vec![1]];
        if noise.one_in(2) {
            serials.push(self.server.certificate.serial.clone());
        }
        let revoked = |serial: Vec<u8>| RevokedCertParams {
            serial_number: SerialNumber::from_slice(&serial),
            revocation_time: now - Duration::days(3),
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: now - Duration::hours(1),
            next_update: now + Duration::days(7),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.into_iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = params.signed_by(&self.issuer).unwrap();
        if noise.one_in(3) {
            list.der().to_vec()
        } else {
            noise.change_der(list.der())
        }
    }
}

fn pick_version(noise: &mut Noise) -> &'static SupportedProtocolVersion {
    if noise.one_in(2) { &TLS12 } else { &TLS13 }
}

/// Content that the extension could have, or nearly.
fn content(noise: &mut Noise, oid: &[u64]) -> Vec<u8> {
    let text = |noise: &mut Noise, tag| {
        let text = match noise.below(3) {
            0 => b"localhost".to_vec(),
            1 => noise.octets(80),
            _ => noise.text(),
        };
        value(tag, &text)
    };
    let names = |noise: &mut Noise| -> Vec<u8> {
        let mut names = Vec::new();
        for _ in 0..noise.below(4) {
            // dNSName, iPAddress, URI, rfc822Name, otherName, directoryName
            let tag = *noise.pick(&[0x82, 0x87, 0x86, 0x81, 0xa0, 0xa4]);
            names.push(text(noise, tag));
        }
        names.concat()
    };
    let content = match oid {
        [2, 5, 29, 17] => value(0x30, &names(noise)),
        [2, 5, 29, 19] => {
            let length = value(2, &noise.octets(9));
            value(0x30, &[&[1, 1, noise.octet()], &length[..]].concat())
        }
        [2, 5, 29, 15] => value(3, &noise.octets(4)),
        [2, 5, 29, 37] => value(0x30, &value(6, &noise.octets(30))),
        [2, 5, 29, 30] => {
            let tag = *noise.pick(&[0xa0, 0xa1]);
            value(0x30, &value(tag, &value(0x30, &names(noise))))
        }
        [2, 5, 29, 14] => value(4, &noise.octets(64)),
        [2, 5, 29, 35] => value(0x30, &value(0x80, &noise.octets(64))),
        _ => value(0x30, &names(noise)),
    };
    if noise.one_in(3) {
        noise.change_der(&content)
    } else {
        content
    }
}

type Wants = rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier>;

fn builder_of(version: &'static SupportedProtocolVersion) -> Wants {
    ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
}

fn builder(
    version: &'static SupportedProtocolVersion,
) -> rustls::ConfigBuilder<ServerConfig, rustls::server::WantsServerCert> {
    builder_of(version).with_no_client_auth()
}

/// The same for every client, whether or not the key is that of the certificate.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl rustls::server::ResolvesServerCert for Always {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}
