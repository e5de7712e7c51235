//! One error over those of the rooms: what happened and where (`Display`), why (`source`), what to do ([`Hint`]).

mod passphrase;

use std::error::Error as StdError;
use std::io;
use std::path::Path;

use crate::apply::ApplyError;
use crate::config::ConfigError;
use crate::diagnose::UnknownCode;
use crate::plan::PlanError;
use crate::probe::{MetadataError, MisreadTargets, TargetError};
use crate::sample::{MaterialError, ServeError};
use crate::store::{Content, Kind as Thing, Obstacle, StoreError};
use crate::text::{io_text, quoted};

pub use passphrase::{Origin, PassphraseError, VARIABLE};

/// Why a command could not do what it was asked for. A peer that refuses is no error but a verdict.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A plan was not carried out.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// What to explain.
    #[error(transparent)]
    Code(#[from] UnknownCode),
    /// certs.toml.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The demonstration did not go as it should.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// What is to go with the calls.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The passphrase of the CA key.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// There can be no plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The system gave no threads or no event queue.
    #[error("the system gave no resources for network connections")]
    Runtime {
        /// What it said.
        source: io::Error,
    },
    /// The sample server could not start, or ended.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The pki folder.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The name to check.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// Whom to verify.
    #[error(transparent)]
    Targets(#[from] MisreadTargets),
}

/// Why the demonstration did not go as it should.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A server ended without saying where it listens.
    #[error("`grpc-pki {command}` did not say where it listens")]
    Silent {
        /// The command.
        command: String,
    },
    /// A command could not be started, or its folder not be made.
    #[error("the demonstration could not run its commands")]
    Start {
        /// What the system said.
        source: io::Error,
    },
    /// A command ended with another exit code.
    #[error("`grpc-pki {command}` ended with {}, not {expected}", code.map_or("a signal".to_owned(), |it| it.to_string()))]
    Unexpected {
        /// The command.
        command: String,
        /// Its exit code; `None` after a signal.
        code: Option<i32>,
        /// The exit code that it should have had.
        expected: u8,
    },
}

/// What the user can do about an error: one action, with the exact command or key.
pub trait Hint {
    /// The action; `None` where there is no good advice.
    fn hint(&self) -> Option<String>;
}

/// Whose fault an error is, which is what the exit code tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It ran, and the answer is no.
    Answer,
    /// The arguments, certs.toml or a local file.
    Input,
    /// The system could not read, write or lock.
    System,
}

impl Error {
    /// Whose fault it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Config(ConfigError::Read { .. } | ConfigError::Write { .. }) => Kind::System,
            Self::Code(_) | Self::Config(_) | Self::Metadata(_) | Self::Plan(_) => Kind::Input,
            Self::Passphrase(PassphraseError::Terminal { .. }) => Kind::System,
            Self::Passphrase(_) => Kind::Input,
            Self::Target(_) | Self::Targets(_) => Kind::Input,
            Self::Apply(ApplyError::Store(error)) | Self::Store(error) if error.is_input() => {
                Kind::Input
            }
            Self::Apply(_) | Self::Runtime { .. } | Self::Store(_) => Kind::System,
            Self::Demo(_) => Kind::Answer,
            Self::Serve(error) if error.is_input() => Kind::Input,
            Self::Serve(_) => Kind::System,
        }
    }

    /// The reasons behind it, outermost first, without repetitions and in words for people.
    pub fn causes(&self) -> Vec<String> {
        causes(self)
    }
}

/// The texts of an error's sources, without those that only repeat what was said before.
pub fn causes(error: &(dyn StdError + 'static)) -> Vec<String> {
    let mut said = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        let text = match cause.downcast_ref::<io::Error>() {
            Some(error) => io_text(error),
            None => cause.to_string(),
        };
        if !said.contains(&text) {
            said.push(text);
        }
        next = cause.source();
    }
    said.remove(0);
    said
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Apply(ApplyError::Store(error)) | Self::Store(error) => error.hint(),
            Self::Apply(_) | Self::Demo(_) | Self::Runtime { .. } => None,
            Self::Code(error) => error.hint(),
            Self::Config(error) => error.hint(),
            Self::Metadata(error) => error.hint(),
            Self::Passphrase(error) => error.hint(),
            Self::Plan(error) => error.hint(),
            Self::Serve(error) => error.hint(),
            Self::Target(error) => error.hint(),
            Self::Targets(error) => error.hint(),
        }
    }
}

impl Hint for UnknownCode {
    fn hint(&self) -> Option<String> {
        Some(match self.nearest {
            Some(code) => format!("did you mean `{}`?", code.as_str()),
            None => "`grpc-pki explain` lists all of them".to_owned(),
        })
    }
}

impl Hint for ConfigError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Empty { path } | Self::Missing { path } => {
                let flag = if path == "certs.toml" {
                    String::new()
                } else {
                    format!(" --config {path}")
                };
                Some(format!(
                    "`grpc-pki init{flag}` writes a commented one to start from"
                ))
            }
            Self::NoAddress { place, .. } => Some(place.clone()),
            Self::Write { .. } => Some("nothing has been changed".to_owned()),
            _ => None,
        }
    }
}

impl Hint for MetadataError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Base64(name) => format!("write `--header '{name}: BASE64'`"),
            Self::Empty(_) => "is the variable that it comes from set?".to_owned(),
            Self::Name(_) => "write `--header 'name: value'`".to_owned(),
            Self::Reserved(_) => "leave it out".to_owned(),
            Self::Value(_) => {
                "put other octets in base64 under a name that ends in `-bin`".to_owned()
            }
        })
    }
}

impl Hint for PlanError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::CaEphemeral { dir } => format!(
                "make another CA with new certificates, and give clients the new ca.crt: remove or move away {0}, and \
                 run `grpc-pki init --ephemeral{1}` again",
                quoted(dir),
                pki_flag(dir)
            ),
            Self::CaExists { .. } => {
                "name a new folder with --pki; `grpc-pki issue` makes certificates under the CA that is there"
                    .to_owned()
            }
            Self::CaKeyChanged { .. } => "nothing was made; run it again".to_owned(),
            Self::CaExpired { .. } => {
                "certificates under an expired CA are refused; move the folder away, \
                 run `grpc-pki init` and `grpc-pki issue`, and give clients the new ca.crt"
                    .to_owned()
            }
            Self::CaNotYetValid { .. } => "check the clock of this machine".to_owned(),
            Self::CaIncomplete { missing, .. } => format!(
                "restore {} from a backup; a CA is never replaced, and a new one \
                 needs another folder (`--pki`)",
                missing.display()
            ),
            Self::CaMismatch { key, certificate } => format!(
                "restore the pair from a backup: {} and {} were made at different times",
                certificate.display(),
                key.display()
            ),
            Self::Content { path, content } => content_hint(path, *content)?,
            Self::NoCa { dir } => format!("run `grpc-pki init{}` first", pki_flag(dir)),
            Self::NothingToIssue { path } => {
                format!("add [alt_names] or a [certs.NAME] to {path}")
            }
            Self::NotACa { .. } => {
                "put the CA's own certificate there; one of a server or a client cannot sign"
                    .to_owned()
            }
            Self::NotPermitted { .. } => {
                "the CA's name constraints (`permitted` and `excluded` of [ca] at `init`) \
                 leave these names out, and every peer would refuse them"
                    .to_owned()
            }
            Self::UnknownEntry {
                nearest: Some(nearest),
                ..
            } => {
                format!("did you mean `{nearest}`?")
            }
            Self::UnknownEntry {
                path,
                nearest: None,
                name,
            } => {
                format!("add [certs.{name}] to {path}")
            }
        })
    }
}

impl ServeError {
    /// Whether the arguments or the files are wrong, not the system.
    fn is_input(&self) -> bool {
        matches!(self, Self::Address { .. } | Self::Material(_))
    }
}

impl Hint for ServeError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Address { .. } => Some("write HOST:PORT, such as localhost:50051".to_owned()),
            Self::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => Some(
                "another program listens there; choose another port, or 0 for a free one"
                    .to_owned(),
            ),
            Self::Material(MaterialError::Source(error)) => {
                error.downcast_ref::<StoreError>().and_then(Hint::hint)
            }
            Self::Material(MaterialError::KeyMismatch) => {
                Some("`grpc-pki issue` makes the pair anew".to_owned())
            }
            _ => None,
        }
    }
}

impl Hint for MisreadTargets {
    fn hint(&self) -> Option<String> {
        match &self.command {
            Some(command) => Some(format!("`{command}`")),
            None => {
                let unclear = self.misread.iter().find(|it| it.meant.is_none());
                unclear.and_then(|it| it.error.hint())
            }
        }
    }
}

impl Hint for TargetError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Listening(_) => "write localhost, or the address of the machine".to_owned(),
            Self::Host(_) => "write HOST:PORT, such as localhost:50051 or [::1]:50051".to_owned(),
            Self::NoPort(text) => format!("gRPC has no default port; write {text}:50051"),
            Self::Path(_) | Self::Port(_) => "write HOST:PORT, such as localhost:50051".to_owned(),
            Self::SpiffeId(..) => {
                "write spiffe://TRUST-DOMAIN/PATH, such as spiffe://example.internal/orders"
                    .to_owned()
            }
            Self::Scheme(_) => "write HOST:PORT without a scheme, or with https://".to_owned(),
            Self::Socket(_) => {
                "write unix:/path/to/socket, or unix:socket in this folder".to_owned()
            }
        })
    }
}

impl StoreError {
    /// Whether a file is wrong, not the system.
    fn is_input(&self) -> bool {
        matches!(
            self,
            Self::Content { .. }
                | Self::InTheWay { .. }
                | Self::Missing { .. }
                | Self::SystemStore { .. }
        )
    }
}

impl Hint for StoreError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Content { path, content } => content_hint(path, *content),
            Self::InTheWay { path, obstacle } => Some(obstacle_hint(path, *obstacle)),
            Self::Locked { .. } => {
                Some("wait for it or end it; --lock-timeout is how long to wait".to_owned())
            }
            Self::Unfinished { .. } => Some(
                "nothing is lost: once that is mended, the next `grpc-pki issue` puts the rest into place"
                    .to_owned(),
            ),
            Self::Write { .. } => Some("nothing has been changed".to_owned()),
            Self::Record { path } => Some(format!(
                "look at {} and remove it; then `grpc-pki issue` makes what is missing",
                path.display()
            )),
            Self::Missing { path } => missing_hint(path),
            Self::Read { path, source } if source.kind() == io::ErrorKind::NotADirectory => {
                let dir = path.parent()?.display();
                Some(format!("{dir} is a file; name a folder with --pki"))
            }
            Self::SystemStore { variables, .. } if variables.is_empty() => Some(
                "install it: `apt install ca-certificates` (Debian, Ubuntu), `apk add ca-certificates` (Alpine) or \
                 `dnf install ca-certificates` (Fedora)"
                    .to_owned(),
            ),
            Self::SystemStore { variables, .. } => {
                let names: Vec<&str> = variables.iter().map(|(name, _)| *name).collect();
                Some(format!(
                    "set {} right, or unset what is not needed",
                    names.join(" and ")
                ))
            }
            Self::Read { .. } => None,
        }
    }
}

/// ` --pki DIR`, where it is not the usual one.
fn pki_flag(dir: &Path) -> String {
    if dir == Path::new("pki") {
        String::new()
    } else {
        format!(" --pki {}", quoted(dir))
    }
}

fn obstacle_hint(path: &Path, obstacle: Obstacle) -> String {
    let word = quoted(path);
    match obstacle {
        Obstacle::ForeignFolder(uid) => format!(
            "run it as that user (`sudo -u '#{uid}' grpc-pki …`), or make the folder your own: `chown {} {word}`",
            rustix::process::geteuid().as_raw()
        ),
        Obstacle::OpenFolder(_) => format!("`chmod o-w {word}`"),
        Obstacle::NotAFolder(Thing::SymbolicLink) | Obstacle::NotAFile(Thing::SymbolicLink) => {
            format!(
                "nothing is written through a link; move it away: `mv {word} {}`",
                quoted(&path.with_extension("link"))
            )
        }
        Obstacle::NotAFolder(_) => format!("move {word} away, or name another folder with --pki"),
        Obstacle::NotAFile(_) => format!("move {word} away"),
    }
}

fn missing_hint(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    match name {
        "ca.crt" => {
            let flag = path.parent().map_or_else(String::new, pki_flag);
            Some(format!(
                "run `grpc-pki init{flag}` first, or name the folder with --pki"
            ))
        }
        _ if name.ends_with(".crt") || name.ends_with(".key") => Some(
            "`grpc-pki issue` makes what certs.toml asks for; --pki names another folder"
                .to_owned(),
        ),
        _ => None,
    }
}

/// The command that encrypts a private key as this program does.
pub const ENCRYPT: &str = "openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000";

/// The command that puts a private key under a passphrase.
pub fn encrypt_command(path: &Path) -> String {
    let new = quoted(&path.with_extension("new.key"));
    let path = quoted(path);
    format!("{ENCRYPT} -in {path} -out {new} && mv {new} {path}")
}

/// The command that turns a wrong file into a right one, where there is one.
pub fn content_hint(path: &Path, content: Content) -> Option<String> {
    let is_key = path.extension().is_some_and(|it| it == "key");
    let new = quoted(&path.with_extension(if is_key { "new.key" } else { "new.crt" }));
    let path = quoted(path);
    // The new file has the mode that OpenSSL gives a private key, and a name that .gitignore knows.
    let convert = |command: &str| format!("{command} -in {path} -out {new} && mv {new} {path}");
    Some(match content {
        Content::ByteOrderMark => format!("sed -i '1s/^\\xEF\\xBB\\xBF//' {path}"),
        Content::Der if is_key => convert("openssl pkey -inform DER"),
        Content::Der => convert("openssl x509 -inform DER"),
        Content::EncryptedKey => convert("openssl pkey"),
        Content::EncryptedLegacyPem | Content::EncryptedUnsupported => {
            format!("encrypt it anew: `{}`", convert(ENCRYPT))
        }
        // OpenSSL 3 has the oldest of these ciphers only on demand.
        Content::EncryptedPbes1 => format!(
            "encrypt it anew: `{}`",
            convert(&format!("{ENCRYPT} -provider default -provider legacy"))
        ),
        Content::EncryptedTooCostly => format!(
            "encrypt it anew with what made it, or, where OpenSSL can open it: `{}`",
            convert(ENCRYPT)
        ),
        Content::KeyInCertificate => {
            format!(
                "take the key out of {path}; if others could read it, `grpc-pki issue` makes a new pair"
            )
        }
        Content::DamagedCertificate | Content::Empty => format!("restore {path} from a backup"),
        Content::DamagedList => {
            format!("`openssl crl -in {path} -noout -text` says where; have the CA make it again")
        }
        Content::ListIsCertificate => {
            "--crl takes the list that a CA publishes; certificates to trust go to --ca".to_owned()
        }
        Content::ListIsKey => "--crl takes the list that a CA publishes".to_owned(),
        Content::NoList => {
            "the list of a CA that OpenSSL runs: `openssl ca -gencrl -out crl.pem`".to_owned()
        }
        Content::DamagedKey => {
            format!("restore {path} from a backup, or use a key of one of these types")
        }
        Content::PrivateKey => {
            format!("{path} must be the certificate; never hand a private key to clients")
        }
        Content::CertificateRequest => "it has to be signed by a CA first".to_owned(),
        Content::NotAFile => format!("move {path} away"),
        Content::ListTooLarge | Content::NoCertificate | Content::NoKey | Content::TooLarge => {
            return None;
        }
    })
}
