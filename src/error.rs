//! One error over those of the rooms: what happened and where (`Display`), why (`source`), what to do ([`Hint`]).

mod folder;
mod passphrase;

use std::error::Error as StdError;
use std::io;

use crate::apply::ApplyError;
use crate::config::ConfigError;
use crate::diagnose::UnknownCode;
use crate::plan::PlanError;
use crate::probe::{MetadataError, MisreadTargets, TargetError};
use crate::sample::{MaterialError, ServeError};
use crate::store::{StoreError, Unsettled};
use crate::text::io_text;

pub use folder::encrypt_command;
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
    /// The folder was read in the middle of a change, and what was read is wrong in itself.
    #[error("{change}")]
    HalfRead {
        /// The change.
        change: Unsettled,
        /// What is wrong, perhaps with that half alone.
        source: Box<Self>,
    },
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
            Self::Apply(_) | Self::HalfRead { .. } | Self::Runtime { .. } | Self::Store(_) => {
                Kind::System
            }
            Self::Demo(_) => Kind::Answer,
            Self::Serve(error) if error.is_input() => Kind::Input,
            Self::Serve(_) => Kind::System,
        }
    }

    /// The same of a command that read the folder, perhaps in the middle of this change.
    pub fn amid(self, change: Option<&Unsettled>) -> Self {
        match change {
            None => self,
            Some(change) => Self::HalfRead {
                change: change.clone(),
                source: Box::new(self),
            },
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
            Self::HalfRead { change, .. } => change.hint(),
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
