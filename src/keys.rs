//! The one room that draws randomness: keys, serial numbers and salts from the system.
#![expect(
    clippy::disallowed_methods,
    reason = "new keys are made here and nowhere else"
)]

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    RsaKeyPair,
};

use crate::pki::key::KeyError;
use crate::pki::{KeyAlgorithm, KeySource, PrivateKey, SerialNumber};

/// Keys and serial numbers from the operating system's random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemKeys;

impl KeySource for SystemKeys {
    fn key(&self, algorithm: KeyAlgorithm) -> Result<PrivateKey, KeyError> {
        let none = |_| KeyError::Generation;
        match algorithm {
            KeyAlgorithm::EcdsaP256 => PrivateKey::from_p256(
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(none)?,
            ),
            KeyAlgorithm::EcdsaP384 => PrivateKey::from_p384(
                EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).map_err(none)?,
            ),
            KeyAlgorithm::Ed25519 => {
                PrivateKey::from_ed25519(Ed25519KeyPair::generate().map_err(none)?)
            }
            KeyAlgorithm::Rsa2048 => rsa(KeySize::Rsa2048),
            KeyAlgorithm::Rsa3072 => rsa(KeySize::Rsa3072),
            KeyAlgorithm::Rsa4096 => rsa(KeySize::Rsa4096),
        }
    }

    fn serial(&self) -> Result<SerialNumber, KeyError> {
        random().map(SerialNumber::from_random)
    }

    fn octets(&self) -> Result<[u8; 16], KeyError> {
        random()
    }
}

fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut octets = [0; N];
    SystemRandom::new()
        .fill(&mut octets)
        .map_err(|_| KeyError::Generation)?;
    Ok(octets)
}

fn rsa(size: KeySize) -> Result<PrivateKey, KeyError> {
    PrivateKey::from_rsa(RsaKeyPair::generate(size).map_err(|_| KeyError::Generation)?)
}
