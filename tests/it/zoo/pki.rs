//! A folder that `init` and `issue` made, and the bad certificates beside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::prelude::{BASE64_STANDARD, Engine};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512,
    PKCS_ED25519, PKCS_RSA_SHA256, RevocationReason, RevokedCertParams, RsaKeySize, SanType,
    SerialNumber,
};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

const CERTS_TOML: &str = r#"[dn]
CN = "my-server"

[alt_names]
DNS.1 = "localhost"
IP.1 = "127.0.0.1"

[certs.client]
profile = "client"

[certs.orders]
profile = "server"
alt_names = { DNS = ["orders.internal", "*.pods.internal"] }

[certs.ledger]
profile = "peer"
alt_names = { DNS = ["ledger.internal"], URI = "spiffe://internal/ledger" }
"#;

/// The folder that every row runs in: a CA and certificates of our own making.
pub struct World {
    dir: TempDir,
    pub ca: Authority,
}

/// Who signs.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

/// A certificate file, perhaps with its chain, and its key file.
pub struct Pair {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Kinds of key.
#[derive(Clone, Copy)]
pub enum Key {
    Ed25519,
    P256,
    P384,
    P521,
    Rsa2048,
}

impl Key {
    fn generate(self) -> KeyPair {
        match self {
            Self::Ed25519 => KeyPair::generate_for(&PKCS_ED25519),
            Self::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
            Self::P384 => KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384),
            Self::P521 => KeyPair::generate_for(&PKCS_ECDSA_P521_SHA512),
            Self::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
        }
        .unwrap()
    }
}

impl World {
    pub fn new() -> Self {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join("certs.toml"), CERTS_TOML).unwrap();
        for command in ["init", "issue"] {
            let done = Command::new(env!("CARGO_BIN_EXE_grpc-pki"))
                .arg(command)
                .current_dir(dir.path())
                .output()
                .unwrap();
            assert!(done.status.success(), "{done:?}");
        }
        let read = |name| fs::read_to_string(dir.path().join(name)).unwrap();
        let pem = read("pki/ca.crt");
        let key = KeyPair::from_pem(&read("pki/ca.key")).unwrap();
        let issuer = Issuer::from_ca_cert_pem(&pem, key).unwrap();
        Self {
            dir,
            ca: Authority { issuer, pem },
        }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A certificate of ours.
    pub fn ours(&self, name: &str) -> Pair {
        let pki = self.path().join("pki");
        Pair {
            certificate: pki.join(format!("{name}.crt")),
            key: pki.join(format!("{name}.key")),
        }
    }

    /// A server certificate of our CA, changed by `change`.
    pub fn leaf(&self, change: impl FnOnce(&mut CertificateParams)) -> Pair {
        self.leaf_of(&self.ca, change)
    }

    pub fn leaf_of(&self, ca: &Authority, change: impl FnOnce(&mut CertificateParams)) -> Pair {
        self.leaf_with(ca, Key::P256, change)
    }

    pub fn leaf_with(
        &self,
        ca: &Authority,
        key: Key,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Pair {
        let key = key.generate();
        let mut params = server();
        change(&mut params);
        let certificate = params.signed_by(&key, &ca.issuer).unwrap();
        self.pair(&certificate.pem(), &key)
    }

    /// A certificate that signs itself, changed by `change`.
    pub fn self_signed(&self, change: impl FnOnce(&mut CertificateParams)) -> Pair {
        let key = Key::P256.generate();
        let mut params = server();
        change(&mut params);
        self.pair(&params.self_signed(&key).unwrap().pem(), &key)
    }

    fn pair(&self, chain: &str, key: &KeyPair) -> Pair {
        Pair {
            certificate: self.file(chain),
            key: self.file(&pkcs8_v1(key)),
        }
    }

    /// The same key behind a chain of these files and texts, one after the other.
    pub fn chain(&self, leaf: &Pair, others: &[&str]) -> Pair {
        let first = fs::read_to_string(&leaf.certificate).unwrap();
        Pair {
            certificate: self.file(&(first + &others.concat())),
            key: leaf.key.clone(),
        }
    }

    /// A new file with this text.
    pub fn file(&self, text: &str) -> PathBuf {
        let file = tempfile::Builder::new()
            .suffix(".pem")
            .tempfile_in(self.path())
            .unwrap();
        fs::write(file.path(), text).unwrap();
        file.keep().unwrap().1
    }
}

impl Authority {
    /// A CA by this name.
    pub fn new(name: &str, key: Key, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = authority(name);
        change(&mut params);
        let issuer = CertifiedIssuer::self_signed(params.clone(), key.generate()).unwrap();
        let pem = issuer.pem();
        let key = KeyPair::from_pem(&issuer.key().serialize_pem()).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// The same key in another certificate of this name, changed by `change`.
    pub fn again(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> String {
        let mut params = authority(name);
        change(&mut params);
        params.self_signed(self.issuer.key()).unwrap().pem()
    }

    /// A certificate of this CA's for the key of another one by this name, changed by `change`.
    pub fn certifies(
        &self,
        other: &Self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> String {
        let mut params = authority(name);
        change(&mut params);
        let key = other.issuer.key();
        params.signed_by(key, &self.issuer).unwrap().pem()
    }

    /// A CA below this one.
    pub fn below(&self, name: &str) -> Self {
        self.below_with(name, |_| ())
    }

    /// A CA below this one, changed by `change`.
    pub fn below_with(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = Key::P256.generate();
        let mut params = authority(name);
        change(&mut params);
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }
}

impl Authority {
    /// Its revocation list of today with these serial numbers, changed by `change`.
    pub fn revokes(
        &self,
        revoked: &[(Vec<u8>, RevocationReason)],
        change: impl FnOnce(&mut CertificateRevocationListParams),
    ) -> String {
        let now = OffsetDateTime::now_utc();
        let entry = |(serial, reason): &(Vec<u8>, RevocationReason)| RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial),
            revocation_time: now - Duration::days(3),
            reason_code: Some(*reason),
            invalidity_date: None,
        };
        let mut params = CertificateRevocationListParams {
            this_update: now - Duration::hours(1),
            next_update: now + Duration::days(7),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        change(&mut params);
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

/// The key as PKCS#8 v1: rcgen writes Ed25519 as v2, with the public key, which OpenSSL 3.0 does not read.
fn pkcs8_v1(key: &KeyPair) -> String {
    if key.algorithm() != &PKCS_ED25519 {
        return key.serialize_pem();
    }
    let v2 = key.serialize_der();
    let mut v1 = v2[..48].to_vec();
    (v1[1], v1[4]) = (46, 0);
    let text = BASE64_STANDARD.encode(v1);
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

fn authority(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// What a server certificate looks like when nothing is wrong with it.
fn server() -> CertificateParams {
    let mut params = params("my-server");
    params.is_ca = IsCa::ExplicitNoCa;
    params.subject_alt_names = vec![dns("localhost"), ip("127.0.0.1")];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    period(&mut params, -1, 30);
    params
}

pub fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

pub fn ip(address: &str) -> SanType {
    SanType::IpAddress(address.parse().unwrap())
}

/// Valid from and to so many days from now.
pub fn period(params: &mut CertificateParams, from: i64, to: i64) {
    let now = OffsetDateTime::now_utc();
    params.not_before = now + Duration::days(from);
    params.not_after = now + Duration::days(to);
}

pub fn for_clients(params: &mut CertificateParams) {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
}
