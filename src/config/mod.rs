//! certs.toml: read once, checked whole, and from then on trusted.
//!
//! All that is wrong with a file is found in one go and said in file order, each with its place; nothing else
//! happens then. The one room but `store` that reads a file.

mod address;
mod fields;
mod place;
mod problem;
mod read;
pub mod schema;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::pki::{
    DistinguishedName, GeneralName, KeyAlgorithm, Lifetime, NameConstraints, Profile, Validity,
};
use crate::target::Target;

pub use place::{NewLine, Place};
pub use problem::Problem;

/// A commented certs.toml that `init` writes where there is none.
pub const STARTER: &str = include_str!("starter.toml");

/// The name of the certificate that the top-level `[dn]` and `[alt_names]` make.
pub const TOP_LEVEL: &str = "server";

/// More than any certs.toml needs, in octets.
const MAX_SIZE: u64 = 1 << 20;

/// What certs.toml asks for.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file, as it was named.
    pub path: PathBuf,
    /// What `init` makes.
    pub ca: CaEntry,
    /// What `issue` makes, in file order.
    pub certificates: Vec<Entry>,
}

/// `[ca]`.
#[derive(Clone, Debug)]
pub struct CaEntry {
    /// Whether the file has this section at all; without it the rest is defaults.
    pub written: bool,
    /// Subject.
    pub subject: DistinguishedName,
    /// Kind of key.
    pub key: KeyAlgorithm,
    /// How long it is valid.
    pub valid_for: Lifetime,
    /// nameConstraints.
    pub constraints: NameConstraints,
    /// Whether its key is written under a passphrase.
    pub encrypt: bool,
}

/// One end entity: `[certs.NAME]`, or the top level of the file.
#[derive(Clone, Debug)]
pub struct Entry {
    /// File name without its extension.
    pub name: String,
    /// What it is for.
    pub profile: Profile,
    /// Subject.
    pub subject: DistinguishedName,
    /// subjectAltName.
    pub names: Vec<GeneralName>,
    /// Kind of key.
    pub key: KeyAlgorithm,
    /// How long it is valid.
    pub valid_for: Lifetime,
    /// When it is renewed.
    pub renewal: Renewal,
    /// Where it is served.
    pub address: Option<Target>,
    /// Line of its header `[certs.NAME]`, counted from 1; the top level has none.
    pub line: Option<usize>,
    /// Where its names stand in the file.
    pub place: Place,
}

/// How long before its end a certificate is renewed.
#[derive(Clone, Debug)]
pub enum Renewal {
    /// `renew_before`.
    Before(Lifetime),
    /// Nothing was said and the default of 30 days is too long: when a third of the period is left.
    LastThird,
}

impl Renewal {
    /// The moment from which a certificate of that period is to be renewed.
    pub fn due(&self, period: Validity) -> time::OffsetDateTime {
        match self {
            Self::Before(lifetime) => lifetime.before(period.not_after),
            Self::LastThird => period.not_after - (period.not_after - period.not_before) / 3,
        }
    }
}

/// Why there is no usable certs.toml.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is empty.
    #[error("{path} is empty")]
    Empty {
        /// The file, as it was named.
        path: String,
    },
    /// It has mistakes.
    #[error("{path} has {}", count(problems.len()))]
    Invalid {
        /// The file, as it was named.
        path: String,
        /// Every mistake, in file order.
        problems: Vec<Problem>,
    },
    /// There is no such file.
    #[error("{path} does not exist")]
    Missing {
        /// The file, as it was named.
        path: String,
    },
    /// There is nothing to verify in it: no entry has an `address`.
    #[error("{path} gives no `address` to verify")]
    NoAddress {
        /// The file, as it was named.
        path: String,
        /// What to write, and where.
        place: String,
    },
    /// It is a folder, a device or a pipe.
    #[error("{path} is not a regular file")]
    NotAFile {
        /// The file, as it was named.
        path: String,
    },
    /// It cannot be read.
    #[error("{path} cannot be read")]
    Read {
        /// The file, as it was named.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// It is larger than 1 MiB.
    #[error("{path} is larger than 1 MiB")]
    TooLarge {
        /// The file, as it was named.
        path: String,
    },
    /// The starter cannot be written.
    #[error("{path} cannot be written")]
    Write {
        /// The file, as it was named.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}

fn count(problems: usize) -> String {
    if problems == 1 {
        "1 problem".into()
    } else {
        format!("{problems} problems")
    }
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`ConfigError`], which for mistakes in the file lists every one.
    #[expect(
        clippy::disallowed_methods,
        reason = "certs.toml is the one file outside the store"
    )]
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let shown = path.display().to_string();
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => ConfigError::Missing {
                path: shown.clone(),
            },
            _ => ConfigError::Read {
                path: shown.clone(),
                source,
            },
        };
        let metadata = fs::metadata(path).map_err(failed)?;
        if !metadata.is_file() {
            // A pipe would be waited for.
            return Err(ConfigError::NotAFile { path: shown });
        }
        if metadata.len() > MAX_SIZE {
            return Err(ConfigError::TooLarge { path: shown });
        }
        let octets = fs::read(path).map_err(failed)?;
        if octets.is_empty() {
            return Err(ConfigError::Empty { path: shown });
        }
        Self::parse(path, &octets)
    }

    /// Checks the content of a file.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with every mistake.
    pub fn parse(path: &Path, octets: &[u8]) -> Result<Self, ConfigError> {
        let invalid = |problems| ConfigError::Invalid {
            path: path.display().to_string(),
            problems,
        };
        let text = match std::str::from_utf8(octets) {
            Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
            Err(error) => {
                return Err(invalid(vec![problem::not_utf8(
                    octets,
                    error.valid_up_to(),
                )]));
            }
        };
        let (ca, certificates) = read::read(text).map_err(invalid)?;
        Ok(Self {
            path: path.to_owned(),
            ca,
            certificates,
        })
    }

    /// The entry with this name.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.certificates.iter().find(|entry| entry.name == name)
    }
}

/// Writes [`STARTER`] where there is no file yet, or one without a single octet, as a full disk leaves it, and returns
/// its path; any other stays.
///
/// # Errors
/// [`ConfigError::Write`].
#[expect(
    clippy::disallowed_methods,
    reason = "certs.toml is the one file outside the store"
)]
pub fn write_starter(path: &Path) -> Result<Option<PathBuf>, ConfigError> {
    let failed = |source: io::Error| ConfigError::Write {
        path: path.display().to_string(),
        source,
    };
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    let mut file = options.open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.len() > 0 {
        return Ok(None);
    }
    let written = file.write_all(STARTER.as_bytes());
    written.and_then(|()| file.sync_all()).map_err(|error| {
        // Half a starter would pass for somebody's file.
        let _ = file.set_len(0);
        failed(error)
    })?;
    Ok(Some(path.to_owned()))
}

/// The candidate that a mistyped word most likely means, where there is one good guess.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    candidates
        .map(|it| (strsim::damerau_levenshtein(&lower, &it.to_lowercase()), it))
        .filter(|(distance, it)| *distance <= 1 + it.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, it)| it)
}
