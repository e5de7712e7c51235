//! Signatures that were found right in this process: whoever meets one again need not verify it again. Nothing that
//! is concluded depends on it, since a signature that is right once is right for ever; only those that are right are
//! kept, and only by a verifier that is as strict as any that asks.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};

/// Signatures that are kept, of 32 octets each.
const MOST: usize = 16 * 1024;

static KNOWN: LazyLock<Mutex<HashSet<[u8; 32]>>> = LazyLock::new(Mutex::default);

/// A signature, with everything that it depends on.
#[derive(Clone, Copy)]
pub(crate) struct Signed<'a> {
    /// Content of the AlgorithmIdentifier of the key (RFC 5280, 4.1.1.2).
    pub(crate) key_algorithm: &'a [u8],
    /// Content of its subjectPublicKey.
    pub(crate) key: &'a [u8],
    /// Content of the AlgorithmIdentifier of the signature.
    pub(crate) algorithm: &'a [u8],
    /// What is signed.
    pub(crate) message: &'a [u8],
    /// The signature.
    pub(crate) signature: &'a [u8],
}

impl Signed<'_> {
    /// Whether it was found right before.
    pub(crate) fn is_known(self) -> bool {
        let digest = self.digest();
        let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.contains(&digest)
    }

    /// Keeps in mind that it is right.
    pub(crate) fn remember(self) {
        let digest = self.digest();
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST {
            known.insert(digest);
        }
    }

    fn digest(self) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        let parts = [
            self.key_algorithm,
            self.key,
            self.algorithm,
            self.message,
            self.signature,
        ];
        for part in parts {
            // No two lists of parts are the same octets.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        digest
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::Ed25519KeyPair;
    use time::macros::datetime;

    use super::*;
    use crate::pki::sign::self_signed;
    use crate::pki::{
        Certificate, DistinguishedName, NameConstraints, PrivateKey, SerialNumber, Template,
        Validity,
    };

    fn ca() -> Certificate {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let template = Template {
            subject: &DistinguishedName::common_name("ca").unwrap(),
            names: &[],
            validity: Validity {
                not_before: datetime!(2026-01-01 0:00 UTC),
                not_after: datetime!(2027-01-01 0:00 UTC),
            },
            serial: SerialNumber::from_random([7; 20]),
        };
        let key = PrivateKey::from_ed25519(pair).unwrap();
        self_signed(&template, &NameConstraints::default(), &key).unwrap()
    }

    #[test]
    fn a_look_of_our_own_asks_and_adds_nothing() {
        let ca = ca();
        assert!(ca.is_signed_by(&ca));
        assert!(!ca.signed(ca.der()).unwrap().is_known());
        let mut forged = ca.der().to_vec();
        *forged.last_mut().unwrap() ^= 1;
        let forged = Certificate::from_der(forged.into()).unwrap();
        assert!(!forged.is_signed_by(&ca));
        assert!(!ca.signed(forged.der()).unwrap().is_known());
        // What a strict verifier answers for is taken from it.
        ca.signed(forged.der()).unwrap().remember();
        assert!(forged.is_signed_by(&ca));
    }

    #[test]
    fn a_signature_is_known_with_all_that_it_depends_on_and_no_other() {
        let signed = Signed {
            key_algorithm: b"ab",
            key: b"c",
            algorithm: b"d",
            message: b"e",
            signature: b"f",
        };
        assert!(!signed.is_known());
        signed.remember();
        assert!(signed.is_known());
        let others = [
            Signed {
                key_algorithm: b"a",
                key: b"bc",
                ..signed
            },
            Signed {
                algorithm: b"x",
                ..signed
            },
            Signed {
                message: b"x",
                ..signed
            },
            Signed {
                signature: b"x",
                ..signed
            },
        ];
        assert!(!others.into_iter().any(Signed::is_known));
    }
}
