//! Private keys under a passphrase: PKCS #8 with PBES2 (RFC 5958, 3 and RFC 8018, 6.2).
//!
//! What is written is PBKDF2 with HMAC-SHA-256 and AES-256-CBC, which every OpenSSL since 1.1 reads. What is read is
//! all of PBES2 that OpenSSL writes, but for ciphers that are older than AES. The derivations and the cipher are those
//! of the cryptographic library, which wipes what it worked with.

use std::fmt;
use std::num::NonZeroU32;

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptionContext, EncryptionContext,
    PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2;
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::{Decode, Encode};
use pkcs8::pkcs5::pbes2::{self, Kdf, Pbkdf2Params, Pbkdf2Prf};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef, pkcs5};
use rustls_pki_types::PrivateKeyDer;
use zeroize::Zeroizing;

use super::der;
use super::key::{KeyError, PrivateKey};
use super::pem::{self, KeyBlock};

/// How often PBKDF2 hashes for a new key (OWASP, Password Storage, 2023).
pub const ITERATIONS: NonZeroU32 = NonZeroU32::new(600_000).unwrap();
/// More iterations than this would take many seconds.
const MAX_ITERATIONS: u32 = 10_000_000;
/// More memory than this is not given to scrypt, in octets (N = 2^17, r = 8); OpenSSL stops at 32 MiB.
const MAX_MEMORY: u64 = 128 << 20;
/// More passes than this over that memory would take many seconds.
const MAX_PARALLELIZATION: u16 = 16;
/// Octets of the longest key of a cipher.
const MAX_KEY: usize = 32;
/// The arcs of PKCS #5 (RFC 8018, A.3: all but PBES2 are PBES1) and of PKCS #12 (RFC 7292, appendix C), as octets.
const PBES1: [&[u8]; 2] = [
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x05",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01",
];
/// id-PBES2, as octets.
const PBES2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d";

/// Why no passphrase could open an encrypted key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionError {
    /// The octets are no EncryptedPrivateKeyInfo.
    #[error("the encrypted key is damaged")]
    Damaged,
    /// A PEM block with `Proc-Type: 4,ENCRYPTED` (RFC 1421): its passphrase is hashed once, with MD5.
    #[error("it is encrypted as in old versions of OpenSSL")]
    LegacyPem,
    /// PBES1 or the scheme of PKCS #12.
    #[error("it is encrypted with PBES1")]
    Pbes1,
    /// Opening it would take more memory or time than is given.
    #[error("opening it would take too much memory or time")]
    TooCostly,
    /// PBES2 with a cipher or a derivation that is not known here.
    #[error("its cipher or the derivation of its key is not supported")]
    Unsupported,
}

/// Why a passphrase does not open a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It opens, but to no key that signs here.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The passphrase is another one.
    #[error("the passphrase is another one")]
    WrongPassphrase,
}

/// A private key as it lies on disk.
#[derive(Debug)]
pub enum StoredKey {
    /// Under a passphrase.
    Encrypted(EncryptedKey),
    /// As it is.
    Plain(PrivateKey),
}

impl StoredKey {
    /// Reads the first private key of a PEM text, whatever stands around it.
    ///
    /// # Errors
    /// [`StoredKeyError`], which never quotes the text.
    pub fn from_pem(text: &[u8]) -> Result<Self, StoredKeyError> {
        let block = pem::private_key(text).ok_or(KeyError::Missing)?;
        match block {
            KeyBlock::Damaged => Err(KeyError::Unsupported.into()),
            KeyBlock::Encrypted(der) => Ok(Self::Encrypted(EncryptedKey::from_der(&der)?)),
            KeyBlock::LegacyEncrypted => Err(EncryptionError::LegacyPem.into()),
            KeyBlock::Plain(der) => Ok(Self::Plain(PrivateKey::from_der(&der)?)),
        }
    }
}

/// Why a PEM text gives no private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoredKeyError {
    /// It is encrypted in a way that cannot be opened here.
    #[error(transparent)]
    Encryption(#[from] EncryptionError),
    /// It has no usable key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// An encrypted private key that the right passphrase opens.
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptedKey {
    parameters: pbes2::Parameters,
    data: Vec<u8>,
}

impl EncryptedKey {
    /// Reads an EncryptedPrivateKeyInfo and checks all that can be checked without the passphrase.
    ///
    /// # Errors
    /// [`EncryptionError`].
    pub fn from_der(octets: &[u8]) -> Result<Self, EncryptionError> {
        let scheme = scheme(octets).ok_or(EncryptionError::Damaged)?;
        if scheme != PBES2 {
            return Err(if PBES1.iter().any(|arc| scheme.starts_with(arc)) {
                EncryptionError::Pbes1
            } else {
                EncryptionError::Unsupported
            });
        }
        let info = EncryptedPrivateKeyInfoRef::from_der(octets)
            .map_err(|_| EncryptionError::Unsupported)?;
        let pkcs5::EncryptionScheme::Pbes2(parameters) = info.encryption_algorithm else {
            return Err(EncryptionError::Unsupported);
        };
        let key = Self {
            parameters,
            data: info.encrypted_data.as_bytes().to_vec(),
        };
        key.cipher()?;
        key.affordable()?;
        Ok(key)
    }

    /// The key, where this is its passphrase.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(&self, passphrase: &[u8]) -> Result<PrivateKey, OpenError> {
        let wrong = |_| OpenError::WrongPassphrase;
        let unsupported = |_| OpenError::Key(KeyError::Unsupported);
        let (algorithm, length, iv) = self
            .cipher()
            .map_err(|_| OpenError::Key(KeyError::Unsupported))?;
        let key = derive(&self.parameters.kdf, passphrase, length)
            .ok_or(OpenError::Key(KeyError::Unsupported))?;
        let key = UnboundCipherKey::new(algorithm, &key).map_err(unsupported)?;
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).map_err(unsupported)?;
        let mut octets = Zeroizing::new(self.data.clone());
        let context = DecryptionContext::Iv128(FixedLength::from(iv));
        let plain = key.decrypt(&mut octets, context).map_err(wrong)?;
        // Under a wrong passphrase one text of 256 looks well padded, but hardly one looks like a key.
        if PrivateKeyInfoRef::from_der(plain).is_err() {
            return Err(OpenError::WrongPassphrase);
        }
        let plain: &[u8] = plain;
        Ok(PrivateKey::from_der(&PrivateKeyDer::Pkcs8(plain.into()))?)
    }

    /// The cipher, the octets of its key, and the first block.
    fn cipher(&self) -> Result<(&'static Algorithm, usize, [u8; 16]), EncryptionError> {
        match self.parameters.encryption {
            pbes2::EncryptionScheme::Aes128Cbc { iv } => Ok((&AES_128, 16, iv)),
            pbes2::EncryptionScheme::Aes192Cbc { iv } => Ok((&AES_192, 24, iv)),
            pbes2::EncryptionScheme::Aes256Cbc { iv } => Ok((&AES_256, 32, iv)),
            _ => Err(EncryptionError::Unsupported),
        }
    }

    /// Whether the derivation is known, and within the bounds of memory and time.
    fn affordable(&self) -> Result<(), EncryptionError> {
        let fits = match &self.parameters.kdf {
            Kdf::Pbkdf2(it) => {
                prf(it.prf).ok_or(EncryptionError::Unsupported)?;
                it.iteration_count <= MAX_ITERATIONS
            }
            Kdf::Scrypt(it) => {
                let memory = it
                    .cost_parameter
                    .saturating_mul(u64::from(it.block_size))
                    .saturating_mul(128);
                memory <= MAX_MEMORY && it.parallelization <= MAX_PARALLELIZATION
            }
            _ => return Err(EncryptionError::Unsupported),
        };
        if fits {
            Ok(())
        } else {
            Err(EncryptionError::TooCostly)
        }
    }
}

impl fmt::Debug for EncryptedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncryptedKey(redacted)")
    }
}

/// What goes into a new encryption besides the passphrase; never used twice.
#[derive(Clone, Copy, Debug)]
pub struct Randomness {
    /// Of PBKDF2.
    pub salt: [u8; 16],
    /// The first block of CBC.
    pub iv: [u8; 16],
}

impl PrivateKey {
    /// [`PrivateKey::to_pkcs8`] under a passphrase, as a PEM text (RFC 7468, 11).
    ///
    /// # Errors
    /// [`KeyError::Unsupported`] when the library cannot encode it.
    pub fn to_encrypted_pem(
        &self,
        passphrase: &[u8],
        iterations: NonZeroU32,
        random: Randomness,
    ) -> Result<Zeroizing<String>, KeyError> {
        let parameters = pbes2::Parameters {
            kdf: Pbkdf2Params::hmac_sha256(iterations.get(), &random.salt)
                .map_err(|_| KeyError::Unsupported)?
                .into(),
            encryption: pbes2::EncryptionScheme::Aes256Cbc { iv: random.iv },
        };
        let failed = |_| KeyError::Unsupported;
        let key = derive(&parameters.kdf, passphrase, MAX_KEY);
        let key = UnboundCipherKey::new(&AES_256, &key.ok_or(KeyError::Unsupported)?);
        let key = PaddedBlockEncryptingKey::cbc_pkcs7(key.map_err(failed)?).map_err(failed)?;
        let plain = self.to_pkcs8()?;
        // Room for the padding: a vector that grows leaves a copy behind.
        let mut data = Zeroizing::new(Vec::with_capacity(plain.len() + 16));
        data.extend_from_slice(&plain);
        let context = EncryptionContext::Iv128(FixedLength::from(random.iv));
        key.less_safe_encrypt(&mut *data, context).map_err(failed)?;
        let failed = |_| KeyError::Unsupported;
        let info = EncryptedPrivateKeyInfoRef {
            encryption_algorithm: parameters.into(),
            encrypted_data: OctetStringRef::new(&data).map_err(failed)?,
        };
        let der = info.to_der().map_err(failed)?;
        Ok(pem::encode("ENCRYPTED PRIVATE KEY", &der))
    }
}

/// The object identifier of the encryption scheme, as octets.
fn scheme(octets: &[u8]) -> Option<&[u8]> {
    let (outer, _) = der::take(octets)?;
    let (algorithm, _) = der::take(outer.content)?;
    let (oid, _) = der::take(algorithm.content)?;
    (oid.whole.first() == Some(&der::OBJECT_IDENTIFIER)).then_some(oid.content)
}

/// The key of the cipher; `None` where the derivation is not supported.
fn derive(kdf: &Kdf, passphrase: &[u8], length: usize) -> Option<Zeroizing<Vec<u8>>> {
    if length > MAX_KEY || kdf.key_length().is_some_and(|it| usize::from(it) != length) {
        return None;
    }
    let mut key = Zeroizing::new(vec![0; length]);
    match kdf {
        Kdf::Pbkdf2(it) => {
            let iterations = NonZeroU32::new(it.iteration_count)?;
            pbkdf2::derive(
                prf(it.prf)?,
                iterations,
                it.salt.as_ref(),
                passphrase,
                &mut key,
            );
        }
        Kdf::Scrypt(it) => {
            let log_n = it
                .cost_parameter
                .is_power_of_two()
                .then(|| it.cost_parameter.ilog2())?;
            let (r, p) = (it.block_size.into(), it.parallelization.into());
            let parameters = scrypt::Params::new(log_n.try_into().ok()?, r, p).ok()?;
            scrypt::scrypt(passphrase, it.salt.as_ref(), &parameters, &mut key).ok()?;
        }
        _ => return None,
    }
    Some(key)
}

fn prf(prf: Pbkdf2Prf) -> Option<pbkdf2::Algorithm> {
    Some(match prf {
        Pbkdf2Prf::HmacWithSha1 => pbkdf2::PBKDF2_HMAC_SHA1,
        Pbkdf2Prf::HmacWithSha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        Pbkdf2Prf::HmacWithSha384 => pbkdf2::PBKDF2_HMAC_SHA384,
        Pbkdf2Prf::HmacWithSha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::key::tests::ed25519;

    const RANDOM: Randomness = Randomness {
        salt: [1; 16],
        iv: [2; 16],
    };

    fn encrypted(passphrase: &[u8]) -> EncryptedKey {
        let pem = ed25519().to_encrypted_pem(passphrase, NonZeroU32::MIN, RANDOM);
        let Ok(StoredKey::Encrypted(key)) = StoredKey::from_pem(pem.unwrap().as_bytes()) else {
            panic!("what was written is not read");
        };
        key
    }

    #[test]
    fn what_is_encrypted_is_opened_with_its_passphrase_alone() {
        for passphrase in [&b"x"[..], "pässword ".as_bytes(), &[0xff; 2000]] {
            let key = encrypted(passphrase);
            let opened = key.open(passphrase).unwrap();
            assert_eq!(*opened.to_pkcs8().unwrap(), *ed25519().to_pkcs8().unwrap());
            for wrong in [&b""[..], b"y", &passphrase[1..]] {
                assert_eq!(key.open(wrong).unwrap_err(), OpenError::WrongPassphrase);
            }
        }
    }

    #[test]
    fn what_looks_well_padded_by_chance_is_a_wrong_passphrase() {
        // One of 256 does.
        let key = encrypted(b"right");
        for number in 0..2000 {
            let wrong = format!("wrong {number}");
            let opened = key.open(wrong.as_bytes());
            assert_eq!(opened.unwrap_err(), OpenError::WrongPassphrase);
        }
    }

    #[test]
    fn hostile_octets_are_no_panic() {
        let pem = ed25519().to_encrypted_pem(b"x", NonZeroU32::MIN, RANDOM);
        let pem = pem.unwrap();
        let Some(KeyBlock::Encrypted(der)) = pem::private_key(pem.as_bytes()) else {
            panic!("a block of another kind");
        };
        for at in 0..der.len() {
            let _ = EncryptedKey::from_der(&der[..at]).map(|it| it.open(b"x"));
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = der.clone();
                changed[at] = value;
                // What would take seconds to open is not opened here.
                let key = EncryptedKey::from_der(&changed);
                let _ = key.map(|it| match &it.parameters.kdf {
                    Kdf::Pbkdf2(kdf) if kdf.iteration_count > 1000 => true,
                    _ => it.open(b"x").is_ok(),
                });
            }
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let key = StoredKey::Encrypted(encrypted(b"x"));
        assert_eq!(format!("{key:?}"), "Encrypted(EncryptedKey(redacted))");
    }
}
