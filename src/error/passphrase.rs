//! Why there is no passphrase, or not the right one. No text here is ever that of a passphrase.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::Hint;
use crate::text::quoted;

/// The environment variable that a passphrase is taken from.
pub const VARIABLE: &str = "GRPC_PKI_PASSPHRASE";

/// Where a passphrase came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `--passphrase-file`.
    File(PathBuf),
    /// The terminal.
    Terminal,
    /// [`VARIABLE`].
    Variable,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the passphrase in {}", path.display()),
            Self::Terminal => f.write_str("the passphrase"),
            Self::Variable => write!(f, "the passphrase in {VARIABLE}"),
        }
    }
}

/// Why there is no passphrase, or not the right one.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// It has no character.
    #[error("{0} is empty")]
    Empty(Origin),
    /// Two entries of a new one are not the same.
    #[error("the two entries of the passphrase differ")]
    Mismatch,
    /// Nobody gave one, and nobody can be asked.
    #[error("{} needs a passphrase, and there is no terminal to ask for it", key.display())]
    NoTerminal {
        /// The key file.
        key: PathBuf,
    },
    /// The terminal gave none.
    #[error("no passphrase could be read from the terminal")]
    Terminal {
        /// What the system said.
        source: io::Error,
    },
    /// A new key is not to be encrypted, and `--passphrase-file` was given.
    #[error("--passphrase-file is given, and nothing asks for {} to be encrypted", key.display())]
    Unused {
        /// The key file.
        key: PathBuf,
    },
    /// The key was encrypted with another one.
    #[error("{origin} does not open {}", key.display())]
    Wrong {
        /// The key file.
        key: PathBuf,
        /// Where the passphrase came from.
        origin: Origin,
    },
}

impl Hint for PassphraseError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Empty(Origin::File(path)) => {
                format!("the passphrase is the first line of {}", quoted(path))
            }
            Self::Empty(Origin::Terminal) => "nothing was changed; run it again".to_owned(),
            Self::Empty(Origin::Variable) => format!(
                "set {VARIABLE} to the passphrase, or unset it: then it is asked for on the terminal"
            ),
            Self::Mismatch => "nothing was made; run it again".to_owned(),
            Self::NoTerminal { .. } => {
                format!("name a file that holds it with --passphrase-file FILE, or set {VARIABLE}")
            }
            Self::Terminal { .. } => return None,
            Self::Unused { .. } => {
                "add --encrypt, or write `encrypt = true` below [ca] in certs.toml".to_owned()
            }
            Self::Wrong { key, .. } => format!(
                "nothing was changed; `openssl pkey -in {} -noout` tries a passphrase, too",
                quoted(key)
            ),
        })
    }
}
