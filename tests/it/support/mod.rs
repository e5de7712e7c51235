//! What the sessions share: a project in a folder of its own, the program run on it at a fixed time, and what
//! is on disk afterwards.

mod keys;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use grpc_pki::cli::{self, Context, Passphrases};
use grpc_pki::pki::KeySource;
use grpc_pki::probe::SystemResolver;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tempfile::TempDir;
use time::OffsetDateTime;
use time::macros::datetime;
use zeroize::Zeroizing;

use keys::{FixtureKeys, PooledKeys};

/// The time of every run, unless a test moves it.
pub const NOW: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);

/// A server certificate, and nothing else but defaults.
pub const SERVER: &str = "[alt_names]\nDNS.1 = \"localhost\"\n";

/// A folder with a certs.toml and a pki folder.
pub struct Project {
    dir: TempDir,
    pub now: OffsetDateTime,
    keys: Box<dyn KeySource + Send>,
    /// What the environment variable says.
    pub passphrase: Option<&'static str>,
}

impl Passphrases for Project {
    fn variable(&self) -> Option<Zeroizing<Vec<u8>>> {
        self.passphrase.map(|it| it.as_bytes().to_vec().into())
    }

    /// There is no terminal: see `passphrase::terminal`.
    fn ask(&self, _: &str) -> Option<io::Result<Zeroizing<String>>> {
        None
    }
}

impl Project {
    /// An empty folder.
    pub fn empty() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            now: NOW,
            keys: Box::new(PooledKeys),
            passphrase: None,
        }
    }

    /// A folder with a certs.toml.
    pub fn new(config: &str) -> Self {
        let project = Self::empty();
        project.write("certs.toml", config);
        project
    }

    /// The same, and a CA.
    pub fn with_ca(config: &str) -> Self {
        let project = Self::new(config);
        project.run("init").ok();
        project
    }

    /// The same, and all that certs.toml asks for.
    pub fn issued(config: &str) -> Self {
        let project = Self::with_ca(config);
        project.run("issue").ok();
        project
    }

    /// With the same keys and serial numbers in every run: whole files can be snapshots. Ed25519 alone.
    pub fn foreseeable(config: &str) -> Self {
        Self {
            keys: Box::new(FixtureKeys::default()),
            ..Self::new(&format!(
                "[ca]\nkey = \"ed25519\"\n[defaults]\nkey = \"ed25519\"\n{config}"
            ))
        }
    }

    /// The same project, with keys and serial numbers from elsewhere.
    pub fn with_keys(self, keys: impl KeySource + Send + 'static) -> Self {
        Self {
            keys: Box::new(keys),
            ..self
        }
    }

    /// The same project, so many days later.
    pub fn later(self, days: i64) -> Self {
        Self {
            now: self.now + time::Duration::days(days),
            ..self
        }
    }

    /// The same project at the real time, at which OpenSSL makes its certificates.
    pub fn today(self) -> Self {
        Self {
            now: OffsetDateTime::now_utc(),
            ..self
        }
    }

    /// Runs the program in this process; no private key may ever be in what it prints.
    #[must_use]
    pub fn run(&self, args: &str) -> Ran {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut context = Context {
            now: self.now,
            keys: &*self.keys,
            passphrases: self,
            resolver: Arc::new(SystemResolver),
            stdout: &mut stdout,
            stderr: &mut stderr,
            color: false,
            interactive: false,
        };
        let fixed = [
            "--pki".into(),
            self.path("pki").into_os_string(),
            "--config".into(),
            self.path("certs.toml").into(),
        ];
        let words = ["grpc-pki"].into_iter().chain(args.split_whitespace());
        let args: Vec<OsString> = words.map(OsString::from).chain(fixed).collect();
        let code = cli::run(args, &mut context);
        let ran = Ran {
            code: code.into(),
            stdout: self.redact(&stdout),
            stderr: self.redact(&stderr),
        };
        for secret in self.secrets() {
            assert!(!ran.stdout.contains(&secret) && !ran.stderr.contains(&secret));
        }
        ran
    }

    /// Starts the real program in the folder, with this umask, at the real time; dates become `DATE`.
    #[must_use]
    pub fn start(&self, umask: &str, args: &str) -> Ran {
        let script = format!("umask {umask} && exec \"$0\" {args}");
        let program = env!("CARGO_BIN_EXE_grpc-pki");
        let ran = self.command("sh", &["-c", &script, program]);
        Ran {
            stdout: without_dates(&ran.stdout),
            ..ran
        }
    }

    /// Runs OpenSSL in the folder.
    #[must_use]
    pub fn openssl(&self, args: &str) -> Ran {
        self.command("openssl", &args.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs a line of shell in the folder.
    #[must_use]
    pub fn shell(&self, line: &str) -> Ran {
        self.command("bash", &["-c", line])
    }

    fn command(&self, program: &str, args: &[&str]) -> Ran {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.dir.path());
        let output = command.output().expect(program);
        Ran {
            code: output.status.code().expect("no signal"),
            stdout: self.redact(&output.stdout),
            stderr: self.redact(&output.stderr),
        }
    }

    /// Text as a user who stands in the folder reads it.
    fn redact(&self, output: &[u8]) -> String {
        let text = String::from_utf8(output.to_vec()).unwrap();
        let text = text.replace(&format!("{}/", self.dir.path().display()), "");
        // In-process runs name the folder and the file, which a user who stands there need not.
        text.replace(" --pki pki", "")
            .replace(" --config certs.toml", "")
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    pub fn write(&self, file: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(file), content).expect(file);
    }

    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).expect(file)
    }

    pub fn remove(&self, file: &str) {
        fs::remove_file(self.path(file)).expect(file);
    }

    pub fn copy(&self, from: &str, to: &str) {
        fs::copy(self.path(from), self.path(to)).expect(from);
    }

    /// The first certificate of a file, as DER.
    pub fn certificate(&self, name: &str) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.path(&format!("pki/{name}.crt"))).expect(name)
    }

    /// The files of the pki folder with their modes.
    pub fn tree(&self) -> String {
        let files = files(self.dir.path());
        let lines = files.iter().filter(|(path, _)| path.starts_with("pki"));
        lines.fold(String::new(), |text, (path, metadata)| match metadata {
            it if it.is_dir() => text,
            it => text + &format!("{} {:04o}\n", path.display(), it.mode() & 0o7777),
        })
    }

    /// All that a change of anything would change: contents, modes, times and identities.
    pub fn state(&self) -> BTreeMap<PathBuf, String> {
        self.state_of("")
    }

    /// The same of one folder.
    pub fn state_of(&self, folder: &str) -> BTreeMap<PathBuf, String> {
        let root = self.path(folder);
        let describe = |(path, metadata): (PathBuf, fs::Metadata)| {
            let mut content = DefaultHasher::new();
            if metadata.is_file() {
                fs::read(root.join(&path)).unwrap().hash(&mut content);
            }
            let facts = [
                i128::from(metadata.mode()),
                i128::from(metadata.ino()),
                i128::from(metadata.mtime()),
                i128::from(metadata.mtime_nsec()),
                i128::from(content.finish()),
            ];
            (path, format!("{facts:?}"))
        };
        files(&root).into_iter().map(describe).collect()
    }

    /// The long lines of every private key in the pki folder.
    pub fn secrets(&self) -> Vec<String> {
        let keys = files(&self.path("pki"))
            .into_iter()
            .filter(|(path, it)| it.is_file() && path.extension().is_some_and(|it| it == "key"));
        let text = |(path, _): (PathBuf, _)| fs::read(self.path("pki").join(path)).unwrap();
        keys.map(text)
            .flat_map(|text| {
                let text = String::from_utf8_lossy(&text).into_owned();
                text.lines().map(str::to_owned).collect::<Vec<_>>()
            })
            .filter(|line| line.len() >= 20 && !line.contains(' ') && !line.starts_with('-'))
            .collect()
    }
}

/// Everything below a folder, sorted, by its path from there; nothing where there is no such folder.
fn files(root: &Path) -> BTreeMap<PathBuf, fs::Metadata> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            if metadata.is_dir() {
                folders.push(path.clone());
            }
            found.insert(path.strip_prefix(root).unwrap().to_owned(), metadata);
        }
    }
    found
}

/// `2036-01-01` → `DATE`.
fn without_dates(text: &str) -> String {
    let is_date = |word: &[u8]| {
        let mut shape = word.iter().zip(b"0000-00-00");
        shape.all(|(c, form)| {
            if *form == b'0' {
                c.is_ascii_digit()
            } else {
                c == form
            }
        })
    };
    let mut text = text.to_owned();
    while let Some(at) = text.as_bytes().windows(10).position(is_date) {
        text.replace_range(at..at + 10, "DATE");
    }
    text
}

/// What a command did; as text it reads like a terminal.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Demands success.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.exits(0)
    }

    /// Demands this exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// stdout as JSON: one document and nothing else.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.stderr, "");
        serde_json::from_str(&self.stdout).expect(&self.stdout)
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stdout)?;
        if !self.stderr.is_empty() {
            write!(f, "--- stderr\n{}", self.stderr)?;
        }
        write!(f, "--- exit {}", self.code)
    }
}
