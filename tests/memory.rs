//! What is left in memory of private keys and passphrases once a command has used them: nothing. In a test binary, and
//! so in a process, of its own: it searches all of its memory, and what it searches for is nowhere in it as such.

use std::fs::{self, File};
use std::io::{self, BufRead, Cursor, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex};

use grpc_pki::cli::{self, Context, Passphrases};
use grpc_pki::keys::SystemKeys;
use grpc_pki::pki::key::KeyError;
use grpc_pki::pki::{KeyAlgorithm, KeySource, PrivateKey, SerialNumber};
use grpc_pki::probe::SystemResolver;
use tempfile::TempDir;
use time::macros::datetime;
use zeroize::{Zeroize, Zeroizing};

/// What every octet of a secret is kept under, so that what is looked for is not found where it is kept.
const MASK: u8 = 0xa5;
/// Octets of a secret that are looked for.
const LENGTH: usize = 24;
/// Octets that are read at once.
const CHUNK: usize = 1 << 20;

/// A masked secret and what it is.
#[derive(Clone)]
struct Needle {
    what: String,
    masked: Vec<u8>,
}

impl Needle {
    fn new(what: impl Into<String>, secret: impl Iterator<Item = u8>) -> Self {
        let masked: Vec<u8> = secret.map(|it| it ^ MASK).take(LENGTH).collect();
        assert!(masked.len() >= 16);
        Self {
            what: what.into(),
            masked,
        }
    }

    fn is_at(&self, place: &[u8]) -> bool {
        place.len() >= self.masked.len()
            && self
                .masked
                .iter()
                .zip(place)
                .all(|(one, two)| one ^ MASK == *two)
    }

    /// How often it is in these octets. The standard library looks for the first octet, and is fast at it.
    fn count(&self, octets: &[u8]) -> usize {
        let first = self.masked[0] ^ MASK;
        let mut cursor = Cursor::new(octets);
        let mut count = 0;
        loop {
            let skipped = cursor.skip_until(first).unwrap();
            let end = cursor.position() as usize;
            if skipped == 0 || octets[end - 1] != first {
                return count;
            }
            count += usize::from(self.is_at(&octets[end - 1..]));
        }
    }
}

/// How often each secret is in the memory of this process that can be written to.
fn found(needles: &[Needle]) -> Vec<String> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let mut memory = File::open("/proc/self/mem").unwrap();
    let mut found = Vec::new();
    let mut buffer = vec![0; CHUNK + LENGTH];
    for line in maps.lines().filter(|it| it.contains(" rw")) {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [mut at, end] = [start, end].map(|it| u64::from_str_radix(it, 16).unwrap());
        while at < end {
            let length = (end - at).min(buffer.len() as u64) as usize;
            memory.seek(SeekFrom::Start(at)).unwrap();
            if memory.read_exact(&mut buffer[..length]).is_err() {
                break;
            }
            for needle in needles {
                for _ in 0..needle.count(&buffer[..length]) {
                    found.push(format!("{} in {line}", needle.what));
                }
            }
            at += CHUNK as u64;
        }
        // What was read is a copy of it.
        buffer.fill(0);
    }
    found
}

/// The system's keys, each noted.
#[derive(Default)]
struct Noted(Mutex<Vec<Needle>>);

impl KeySource for Noted {
    fn key(&self, algorithm: KeyAlgorithm) -> Result<PrivateKey, KeyError> {
        let key = SystemKeys.key(algorithm)?;
        let der = key.to_pkcs8()?;
        // Where the private number stands, whatever the public one is.
        let secret = match algorithm {
            KeyAlgorithm::EcdsaP256 => &der[36..68],
            KeyAlgorithm::EcdsaP384 => &der[35..83],
            KeyAlgorithm::Ed25519 => &der[16..48],
            _ => &der[400..432],
        };
        let mut notes = self.0.lock().unwrap();
        notes.push(Needle::new(format!("{algorithm}"), secret.iter().copied()));
        // As the library has its numbers.
        notes.push(Needle::new(
            format!("{algorithm}, reversed"),
            secret.iter().rev().copied(),
        ));
        let pem = key.to_pem()?;
        for (number, line) in pem
            .lines()
            .enumerate()
            .skip(1)
            .filter(|(_, it)| it.len() == 64)
        {
            notes.push(Needle::new(
                format!("{algorithm}, line {number}"),
                line.bytes(),
            ));
        }
        Ok(key)
    }

    fn serial(&self) -> Result<SerialNumber, KeyError> {
        SystemKeys.serial()
    }

    fn octets(&self) -> Result<[u8; 16], KeyError> {
        SystemKeys.octets()
    }
}

/// A passphrase that is nowhere in this file.
struct Told(Vec<u8>);

impl Told {
    fn passphrase(&self) -> Zeroizing<Vec<u8>> {
        let mut passphrase = Zeroizing::new(Vec::with_capacity(self.0.len()));
        passphrase.extend(self.0.iter().map(|it| it ^ MASK));
        passphrase
    }
}

impl Passphrases for Told {
    fn variable(&self) -> Option<Zeroizing<Vec<u8>>> {
        Some(self.passphrase())
    }

    fn ask(&self, _: &str) -> Option<io::Result<Zeroizing<String>>> {
        None
    }
}

/// Searches the memory when the report is written: everything is done then, and the process still runs.
struct Report<'a> {
    keys: &'a Noted,
    passphrase: &'a Needle,
    found: Vec<String>,
}

impl Write for Report<'_> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let mut needles = self.keys.0.lock().unwrap().clone();
        needles.push(self.passphrase.clone());
        self.found.extend(found(&needles));
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn nothing_is_left_of_keys_and_passphrases() {
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("certs.toml");
    fs::write(
        &config,
        "[alt_names]\nDNS.1 = \"localhost\"\n\
         [certs.a]\nprofile = \"client\"\nkey = \"ecdsa-p384\"\n\
         [certs.b]\nprofile = \"client\"\nkey = \"rsa-2048\"\n\
         [certs.c]\nprofile = \"client\"\nkey = \"ed25519\"\n",
    )
    .unwrap();
    let keys = Noted::default();
    let told = Told((0..32u8).map(|it| (it * 7 + 33) ^ MASK).collect());
    let passphrase = Needle::new("passphrase", told.0.iter().map(|it| it ^ MASK));

    // What is there is found, or nothing of this would prove anything.
    let mut held = told.passphrase().to_vec();
    assert!(!found(std::slice::from_ref(&passphrase)).is_empty());
    held.zeroize();
    assert_eq!(found(std::slice::from_ref(&passphrase)), [""; 0]);

    for args in [
        "init --encrypt",
        "issue",
        "issue --force",
        "init --pki once --ephemeral",
        // Nobody listens there: the client's key is read all the same.
        "verify localhost:1 --client a",
    ] {
        let mut stdout = Report {
            keys: &keys,
            passphrase: &passphrase,
            found: Vec::new(),
        };
        let mut stderr = Vec::new();
        let mut context = Context {
            now: datetime!(2026-01-01 0:00 UTC),
            keys: &keys,
            passphrases: &told,
            resolver: Arc::new(SystemResolver),
            stdout: &mut stdout,
            stderr: &mut stderr,
            color: false,
            interactive: false,
        };
        let mut words: Vec<_> = ["grpc-pki"].into_iter().chain(args.split(' ')).collect();
        let dir = folder
            .path()
            .join("pki")
            .into_os_string()
            .into_string()
            .unwrap();
        let once = folder
            .path()
            .join("once")
            .into_os_string()
            .into_string()
            .unwrap();
        match words.iter_mut().find(|it| **it == "once") {
            Some(it) => *it = &once,
            None => words.extend(["--pki", &dir]),
        }
        words.extend(["--config", config.to_str().unwrap()]);
        let code = cli::run(words.iter().map(Into::into), &mut context);
        let is_verify = args.starts_with("verify");
        let expected = if is_verify { 11 } else { 0 };
        assert_eq!(code, expected, "{}", String::from_utf8_lossy(&stderr));
        if !is_verify {
            assert_eq!(stdout.found, [""; 0], "{args}, in the report");
        }
        let needles = keys.0.lock().unwrap().clone();
        assert_eq!(found(&needles), [""; 0], "{args}, afterwards");
    }
    // One CA and four certificates for each of the last three, and one CA for the first two.
    let made = keys
        .0
        .lock()
        .unwrap()
        .iter()
        .filter(|it| it.what.ends_with("reversed"))
        .count();
    assert_eq!(made, 2 + 3 * 4);
}
