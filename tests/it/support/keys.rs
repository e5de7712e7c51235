//! Where the keys of the tests come from.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU8, Ordering};

use aws_lc_rs::signature::Ed25519KeyPair;
use grpc_pki::keys::SystemKeys;
use grpc_pki::pki::key::KeyError;
use grpc_pki::pki::{KeyAlgorithm, KeySource, PrivateKey, SerialNumber};

/// The system's keys, but one RSA key of each size for all tests, as making them takes seconds.
pub(super) struct PooledKeys;

static RSA_2048: LazyLock<String> = LazyLock::new(|| fresh(KeyAlgorithm::Rsa2048));
static RSA_3072: LazyLock<String> = LazyLock::new(|| fresh(KeyAlgorithm::Rsa3072));
static RSA_4096: LazyLock<String> = LazyLock::new(|| fresh(KeyAlgorithm::Rsa4096));

fn fresh(algorithm: KeyAlgorithm) -> String {
    let key = SystemKeys.key(algorithm).unwrap();
    key.to_pem().unwrap().to_string()
}

impl KeySource for PooledKeys {
    fn key(&self, algorithm: KeyAlgorithm) -> Result<PrivateKey, KeyError> {
        match algorithm {
            KeyAlgorithm::Rsa2048 => PrivateKey::from_pem(RSA_2048.as_bytes()),
            KeyAlgorithm::Rsa3072 => PrivateKey::from_pem(RSA_3072.as_bytes()),
            KeyAlgorithm::Rsa4096 => PrivateKey::from_pem(RSA_4096.as_bytes()),
            _ => SystemKeys.key(algorithm),
        }
    }

    fn serial(&self) -> Result<SerialNumber, KeyError> {
        SystemKeys.serial()
    }

    fn octets(&self) -> Result<[u8; 16], KeyError> {
        SystemKeys.octets()
    }
}

/// Ed25519 keys and serial numbers that count from 1. Ed25519 signs the same octets the same way each time.
#[derive(Default)]
pub(super) struct FixtureKeys {
    keys: AtomicU8,
    serials: AtomicU8,
}

impl KeySource for FixtureKeys {
    fn key(&self, algorithm: KeyAlgorithm) -> Result<PrivateKey, KeyError> {
        assert_eq!(algorithm, KeyAlgorithm::Ed25519);
        let seed = [self.keys.fetch_add(1, Ordering::Relaxed) + 1; 32];
        PrivateKey::from_ed25519(Ed25519KeyPair::from_seed_unchecked(&seed).unwrap())
    }

    fn serial(&self) -> Result<SerialNumber, KeyError> {
        let mut serial = [0; 20];
        serial[19] = self.serials.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(SerialNumber::from_random(serial))
    }

    fn octets(&self) -> Result<[u8; 16], KeyError> {
        SystemKeys.octets()
    }
}
