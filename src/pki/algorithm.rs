//! Kinds of key, and the algorithms that sign certificates (RFC 3279, RFC 5758, RFC 8410).

use std::fmt::{self, Write as _};
use std::str::FromStr;

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::asn1_rs::Oid;
use x509_parser::certificate::X509Certificate;
use x509_parser::public_key::PublicKey as ParsedKey;
use x509_parser::x509::AlgorithmIdentifier;

/// The kinds of key that `issue` makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyAlgorithm {
    /// ECDSA on P-256 with SHA-256: accepted by every gRPC stack.
    EcdsaP256,
    /// ECDSA on P-384 with SHA-384.
    EcdsaP384,
    /// Ed25519 (RFC 8410): the C core of gRPC refuses it in end-entity certificates.
    Ed25519,
    /// RSA with a modulus of 2048 bits, signing with SHA-256.
    Rsa2048,
    /// RSA with a modulus of 3072 bits, signing with SHA-256.
    Rsa3072,
    /// RSA with a modulus of 4096 bits, signing with SHA-256.
    Rsa4096,
}

impl KeyAlgorithm {
    /// Every algorithm, the default first.
    pub const ALL: [Self; 6] = [
        Self::EcdsaP256,
        Self::EcdsaP384,
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
        Self::Ed25519,
    ];

    /// As certs.toml writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
            Self::Ed25519 => "ed25519",
            Self::Rsa2048 => "rsa-2048",
            Self::Rsa3072 => "rsa-3072",
            Self::Rsa4096 => "rsa-4096",
        }
    }

    /// Whether the TLS of the gRPC C core (Python, C++, Ruby, PHP) accepts an end entity with it.
    pub fn accepted_by_c_core(self) -> bool {
        self != Self::Ed25519
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyAlgorithm {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|it| it.as_str() == text)
            .ok_or(())
    }
}

/// A certified key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// ECDSA on the curve with this name.
    Ecdsa(&'static str),
    /// Ed25519.
    Ed25519,
    /// Any other, by object identifier.
    Other(String),
    /// RSA with a modulus of this many bits.
    Rsa(usize),
}

impl PublicKey {
    pub(super) fn read(certificate: &X509Certificate<'_>) -> Self {
        let info = certificate.public_key();
        let oid = dotted(&info.algorithm.algorithm);
        match oid.as_str() {
            "1.2.840.10045.2.1" => {
                let parameters = info.algorithm.parameters.as_ref();
                let curve = parameters
                    .and_then(|it| it.as_oid().ok())
                    .map(|it| dotted(&it));
                match curve.as_deref() {
                    Some("1.2.840.10045.3.1.7") => Self::Ecdsa("p256"),
                    Some("1.3.132.0.34") => Self::Ecdsa("p384"),
                    Some("1.3.132.0.35") => Self::Ecdsa("p521"),
                    _ => Self::Other(oid),
                }
            }
            "1.3.101.112" => Self::Ed25519,
            _ => match info.parsed() {
                Ok(ParsedKey::RSA(key)) => Self::Rsa(key.key_size()),
                _ => Self::Other(oid),
            },
        }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ecdsa(curve) => write!(f, "ecdsa-{curve}"),
            Self::Ed25519 => f.write_str("ed25519"),
            Self::Other(oid) => write!(f, "key type {oid}"),
            Self::Rsa(bits) => write!(f, "rsa-{bits}"),
        }
    }
}

/// An algorithm that signed a certificate, by object identifier and common name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Dotted object identifier.
    pub oid: String,
    /// Such as `ecdsa-with-SHA256`; the object identifier where there is none.
    pub name: String,
}

impl Signature {
    pub(super) fn read(certificate: &X509Certificate<'_>) -> Self {
        Self::of(&certificate.signature_algorithm)
    }

    pub(super) fn of(algorithm: &AlgorithmIdentifier<'_>) -> Self {
        let oid = dotted(&algorithm.algorithm);
        let name = match oid.as_str() {
            "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
            "1.2.840.113549.1.1.5" => "sha1WithRSAEncryption",
            "1.2.840.113549.1.1.10" => "rsassaPss",
            "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
            "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
            "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
            "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
            "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
            "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
            "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
            "1.3.101.112" => "ed25519",
            other => other,
        };
        Self {
            name: name.to_owned(),
            oid,
        }
    }

    /// Whether `signature` over `message` is of this algorithm and of `key`, whose bit string is `bits`; `None`
    /// for an algorithm that needs parameters or is not known. Weak ones are verified too: that they are weak
    /// is for others to judge.
    pub(super) fn verify(
        &self,
        key: &PublicKey,
        bits: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Option<bool> {
        let algorithm: &'static dyn VerificationAlgorithm = match (self.name.as_str(), key) {
            ("ecdsa-with-SHA256", PublicKey::Ecdsa("p256")) => &signature::ECDSA_P256_SHA256_ASN1,
            ("ecdsa-with-SHA384", PublicKey::Ecdsa("p256")) => &signature::ECDSA_P256_SHA384_ASN1,
            ("ecdsa-with-SHA512", PublicKey::Ecdsa("p256")) => &signature::ECDSA_P256_SHA512_ASN1,
            ("ecdsa-with-SHA256", PublicKey::Ecdsa("p384")) => &signature::ECDSA_P384_SHA256_ASN1,
            ("ecdsa-with-SHA384", PublicKey::Ecdsa("p384")) => &signature::ECDSA_P384_SHA384_ASN1,
            ("ecdsa-with-SHA512", PublicKey::Ecdsa("p384")) => &signature::ECDSA_P384_SHA512_ASN1,
            ("ecdsa-with-SHA256", PublicKey::Ecdsa("p521")) => &signature::ECDSA_P521_SHA256_ASN1,
            ("ecdsa-with-SHA384", PublicKey::Ecdsa("p521")) => &signature::ECDSA_P521_SHA384_ASN1,
            ("ecdsa-with-SHA512", PublicKey::Ecdsa("p521")) => &signature::ECDSA_P521_SHA512_ASN1,
            ("ed25519", PublicKey::Ed25519) => &signature::ED25519,
            ("sha1WithRSAEncryption", PublicKey::Rsa(_)) => {
                &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY
            }
            ("sha256WithRSAEncryption", PublicKey::Rsa(_)) => {
                &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
            }
            ("sha384WithRSAEncryption", PublicKey::Rsa(_)) => {
                &signature::RSA_PKCS1_2048_8192_SHA384
            }
            ("sha512WithRSAEncryption", PublicKey::Rsa(_)) => {
                &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY
            }
            _ => return None,
        };
        Some(
            UnparsedPublicKey::new(algorithm, bits)
                .verify(message, signature)
                .is_ok(),
        )
    }
}

/// An object identifier in dotted form; `Oid::to_id_string` makes a big integer and a text of each of its numbers.
pub(super) fn dotted(oid: &Oid<'_>) -> String {
    let Some(numbers) = oid.iter() else {
        return oid.to_id_string();
    };
    let mut text = String::with_capacity(24);
    for number in numbers {
        let separator = if text.is_empty() { "" } else { "." };
        // Writing to a String cannot fail.
        let _ = write!(text, "{separator}{number}");
    }
    text
}
