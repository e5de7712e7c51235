//! Private keys and serial numbers. Where new ones come from is the caller's choice: see [`KeySource`].

use std::fmt;

use aws_lc_rs::encoding::{AsBigEndian, AsDer, EcPrivateKeyBin, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use rustls_pki_types::PrivateKeyDer;
use zeroize::Zeroizing;

use super::algorithm::KeyAlgorithm;
use super::pem::{self, KeyBlock};

/// Where keys and serial numbers come from; one seam, so that tests can foresee what is made.
pub trait KeySource: Sync {
    /// A new private key.
    ///
    /// # Errors
    /// [`KeyError::Generation`] when the source has none.
    fn key(&self, algorithm: KeyAlgorithm) -> Result<PrivateKey, KeyError>;

    /// A new serial number.
    ///
    /// # Errors
    /// [`KeyError::Generation`] when the source has none.
    fn serial(&self) -> Result<SerialNumber, KeyError>;

    /// Random octets, for the salt or the initialization vector of an encryption.
    ///
    /// # Errors
    /// [`KeyError::Generation`] when the source has none.
    fn octets(&self) -> Result<[u8; 16], KeyError>;
}

/// The DER of a private key, wiped from memory when dropped.
pub type SecretKey = Zeroizing<PrivateKeyDer<'static>>;

/// Why there is no usable private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The PEM block is encrypted.
    #[error("it is encrypted with a passphrase")]
    Encrypted,
    /// The cryptographic library gave no key or no random octets.
    #[error("the system gave no randomness for a new key")]
    Generation,
    /// No PEM block of a private key.
    #[error("it holds no private key in PEM form")]
    Missing,
    /// Not one of the algorithms that this program signs with, or damaged.
    #[error("it is not an intact RSA, P-256, P-384 or Ed25519 private key")]
    Unsupported,
}

/// A private key, wiped from memory when dropped; it has no text form but [`PrivateKey::to_pem`].
pub struct PrivateKey {
    pair: Pair,
    public: Vec<u8>,
}

enum Pair {
    EcdsaP256(EcdsaKeyPair),
    EcdsaP384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

// P-256 is the default, and on it everything has a fixed length, so that what stands around the key is constant.
// The library takes 3 us for the two encodings, a tenth of what a certificate costs. A test compares them.

/// SubjectPublicKeyInfo (RFC 5480, 2) up to the point.
const P256_SPKI: &[u8] =
    b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
/// PrivateKeyInfo with an ECPrivateKey (RFC 5208, 5 and RFC 5915, 3): before the private key, and before the point.
const P256_PKCS8: [&[u8]; 2] = [
    b"\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\
      \x04\x6d\x30\x6b\x02\x01\x01\x04\x20",
    b"\xa1\x44\x03\x42\x00",
];

/// The families that sign differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256,
    /// ECDSA on P-384 with SHA-384.
    EcdsaP384,
    /// Ed25519.
    Ed25519,
    /// RSA, PKCS #1 v1.5 with SHA-256.
    Rsa,
}

impl PrivateKey {
    /// Takes over a P-256 key pair.
    ///
    /// # Errors
    /// [`KeyError::Unsupported`] when its public half cannot be encoded.
    pub fn from_p256(pair: EcdsaKeyPair) -> Result<Self, KeyError> {
        let public = [P256_SPKI, pair.public_key().as_ref()].concat();
        Ok(Self {
            pair: Pair::EcdsaP256(pair),
            public,
        })
    }

    /// Takes over a P-384 key pair.
    ///
    /// # Errors
    /// [`KeyError::Unsupported`] when its public half cannot be encoded.
    pub fn from_p384(pair: EcdsaKeyPair) -> Result<Self, KeyError> {
        let public = spki(pair.public_key())?;
        Ok(Self {
            pair: Pair::EcdsaP384(pair),
            public,
        })
    }

    /// Takes over an Ed25519 key pair.
    ///
    /// # Errors
    /// [`KeyError::Unsupported`] when its public half cannot be encoded.
    pub fn from_ed25519(pair: Ed25519KeyPair) -> Result<Self, KeyError> {
        let public = spki(pair.public_key())?;
        Ok(Self {
            pair: Pair::Ed25519(pair),
            public,
        })
    }

    /// Takes over an RSA key pair.
    ///
    /// # Errors
    /// [`KeyError::Unsupported`] when its public half cannot be encoded.
    pub fn from_rsa(pair: RsaKeyPair) -> Result<Self, KeyError> {
        let public = spki(pair.public_key())?;
        Ok(Self {
            pair: Pair::Rsa(pair),
            public,
        })
    }

    /// Reads PKCS #8, PKCS #1 or SEC 1.
    ///
    /// # Errors
    /// [`KeyError::Unsupported`] for another algorithm or damaged octets.
    pub fn from_der(der: &PrivateKeyDer<'_>) -> Result<Self, KeyError> {
        let bytes = der.secret_der();
        if !matches!(der, PrivateKeyDer::Pkcs1(_)) {
            if let Ok(pair) =
                EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_ASN1_SIGNING, bytes)
            {
                return Self::from_p256(pair);
            }
            if let Ok(pair) =
                EcdsaKeyPair::from_private_key_der(&ECDSA_P384_SHA384_ASN1_SIGNING, bytes)
            {
                return Self::from_p384(pair);
            }
            if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes) {
                return Self::from_ed25519(pair);
            }
        }
        let pair = match der {
            PrivateKeyDer::Pkcs1(_) => RsaKeyPair::from_der(bytes),
            _ => RsaKeyPair::from_pkcs8(bytes),
        };
        Self::from_rsa(pair.map_err(|_| KeyError::Unsupported)?)
    }

    /// Reads the first private key of a PEM text, whatever stands around it.
    ///
    /// # Errors
    /// [`KeyError`], which never quotes the text.
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        match pem::private_key(text).ok_or(KeyError::Missing)? {
            KeyBlock::Damaged => Err(KeyError::Unsupported),
            KeyBlock::Encrypted(_) | KeyBlock::LegacyEncrypted => Err(KeyError::Encrypted),
            KeyBlock::Plain(der) => Self::from_der(&der),
        }
    }

    /// The DER of the SubjectPublicKeyInfo (RFC 5280, 4.1.2.7).
    pub fn public_key_info(&self) -> &[u8] {
        &self.public
    }

    /// How it signs.
    pub fn family(&self) -> Family {
        match self.pair {
            Pair::EcdsaP256(_) => Family::EcdsaP256,
            Pair::EcdsaP384(_) => Family::EcdsaP384,
            Pair::Ed25519(_) => Family::Ed25519,
            Pair::Rsa(_) => Family::Rsa,
        }
    }

    /// The content of the subjectPublicKey bit string.
    pub(crate) fn public_key_bits(&self) -> &[u8] {
        match &self.pair {
            Pair::EcdsaP256(pair) | Pair::EcdsaP384(pair) => pair.public_key().as_ref(),
            Pair::Ed25519(pair) => pair.public_key().as_ref(),
            Pair::Rsa(pair) => pair.public_key().as_ref(),
        }
    }

    /// Signs a message with the algorithm of [`PrivateKey::family`].
    ///
    /// # Errors
    /// [`KeyError::Generation`] when the library refuses, which for ECDSA means that it got no randomness.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::EcdsaP256(pair) | Pair::EcdsaP384(pair) => pair
                .sign(&random, message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| KeyError::Generation),
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(|_| KeyError::Generation)?;
                Ok(signature)
            }
        }
    }

    /// PKCS #8 version 1 (RFC 5208), which OpenSSL 3.0, BoringSSL, Go, Java, Node and Python all read.
    ///
    /// # Errors
    /// [`KeyError::Unsupported`] when the library cannot encode it.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let unsupported = |_| KeyError::Unsupported;
        Ok(Zeroizing::new(match &self.pair {
            Pair::EcdsaP256(pair) => {
                let private: EcPrivateKeyBin<'static> =
                    pair.private_key().as_be_bytes().map_err(unsupported)?;
                let [head, middle] = P256_PKCS8;
                [head, private.as_ref(), middle, pair.public_key().as_ref()].concat()
            }
            Pair::EcdsaP384(pair) => pair.to_pkcs8v1().map_err(unsupported)?.as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map_err(unsupported)?.as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let der: Pkcs8V1Der<'static> = pair.as_der().map_err(unsupported)?;
                der.as_ref().to_vec()
            }
        }))
    }

    /// [`PrivateKey::to_pkcs8`] as TLS libraries take it.
    ///
    /// # Errors
    /// As [`PrivateKey::to_pkcs8`].
    pub fn to_secret(&self) -> Result<SecretKey, KeyError> {
        let der = std::mem::take(&mut *self.to_pkcs8()?);
        Ok(Zeroizing::new(PrivateKeyDer::Pkcs8(der.into())))
    }

    /// [`PrivateKey::to_pkcs8`] as a PEM text (RFC 7468, 10).
    ///
    /// # Errors
    /// As [`PrivateKey::to_pkcs8`].
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        Ok(pem::encode("PRIVATE KEY", &self.to_pkcs8()?))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({:?}, redacted)", self.family())
    }
}

fn spki(key: &impl AsDer<PublicKeyX509Der<'static>>) -> Result<Vec<u8>, KeyError> {
    key.as_der()
        .map(|der| der.as_ref().to_vec())
        .map_err(|_| KeyError::Unsupported)
}

/// A certificate's serial number (RFC 5280, 4.1.2.2): positive and at most 20 octets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SerialNumber([u8; 20]);

impl SerialNumber {
    /// Makes one of 20 octets: the first bit cleared, so that it is positive, and the second set, so
    /// that its length is fixed; 158 bits of `random` remain.
    pub fn from_random(mut random: [u8; 20]) -> Self {
        random[0] = random[0] & 0x3f | 0x40;
        Self(random)
    }

    /// Its octets, most significant first.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::pki) fn ed25519() -> PrivateKey {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        PrivateKey::from_ed25519(pair).unwrap()
    }

    #[test]
    fn a_serial_is_positive_and_20_octets_long_whatever_is_drawn() {
        for random in [[0; 20], [0xff; 20]] {
            let serial = SerialNumber::from_random(random);
            assert_eq!(serial.as_bytes()[0] & 0xc0, 0x40);
            assert_eq!(serial.as_bytes().len(), 20);
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let key = ed25519();
        assert_eq!(format!("{key:?}"), "PrivateKey(Ed25519, redacted)");
    }

    #[test]
    fn ed25519_is_written_as_pkcs8_version_1() {
        let der = ed25519().to_pkcs8().unwrap();
        assert_eq!((der.len(), &der[2..5]), (48, [2, 1, 0].as_slice()));
    }

    #[test]
    fn p256_is_encoded_as_the_library_does() {
        for _ in 0..600 {
            // Enough to meet keys whose first octet is zero.
            let document =
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new());
            let document = document.unwrap();
            let key = PrivateKeyDer::Pkcs8(document.as_ref().into());
            let key = PrivateKey::from_der(&key).unwrap();
            assert_eq!(*key.to_pkcs8().unwrap(), document.as_ref());
            let Pair::EcdsaP256(pair) = &key.pair else {
                unreachable!("the first curve that is tried");
            };
            assert_eq!(key.public_key_info(), spki(pair.public_key()).unwrap());
        }
    }

    #[test]
    fn names_of_algorithms_are_read_back() {
        for algorithm in KeyAlgorithm::ALL {
            assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
        }
        assert_eq!("rsa-1024".parse::<KeyAlgorithm>(), Err(()));
    }
}
