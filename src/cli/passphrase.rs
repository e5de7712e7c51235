//! The passphrase of the CA key: from a file, from the environment, or asked for on the terminal. There is no flag
//! that takes it as it is: every user of a machine sees the arguments of a process.

use std::env;
use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::Stop;
use super::context::Printer;
use crate::error::{Error, Origin, PassphraseError, VARIABLE};
use crate::pki::encrypted::OpenError;
use crate::pki::{EncryptedKey, PrivateKey};
use crate::plan::Warning;
use crate::store::{self, Content, StoreError};
use crate::text::printable;

/// Where a passphrase comes from that no file holds.
pub trait Passphrases {
    /// That of the environment, where it is set.
    fn variable(&self) -> Option<Zeroizing<Vec<u8>>>;

    /// Asks on the terminal; `None` where there is none.
    fn ask(&self, prompt: &str) -> Option<io::Result<Zeroizing<String>>>;
}

/// The environment and the terminal of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemPassphrases;

impl Passphrases for SystemPassphrases {
    fn variable(&self) -> Option<Zeroizing<Vec<u8>>> {
        env::var_os(VARIABLE).map(|it| Zeroizing::new(it.into_vec()))
    }

    fn ask(&self, prompt: &str) -> Option<io::Result<Zeroizing<String>>> {
        // A script that feeds stdin does not expect to be asked anything elsewhere.
        io::stdin()
            .is_terminal()
            .then(|| rpassword::prompt_password(prompt).map(Zeroizing::new))
    }
}

/// How the passphrase is named.
#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// File whose first line is the passphrase of ca.key
    ///
    /// Without it, the passphrase is that of the environment variable GRPC_PKI_PASSPHRASE, or else it is asked for on
    /// the terminal; only where ca.key is encrypted, and something is to be signed. The file may be a pipe.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// A passphrase, and what the user should know about it.
pub(super) struct Passphrase {
    pub(super) octets: Zeroizing<Vec<u8>>,
    origin: Origin,
    pub(super) warning: Option<Warning>,
}

impl Flags {
    /// Whether a file was named.
    pub(super) fn is_given(&self) -> bool {
        self.passphrase_file.is_some()
    }

    /// Opens the CA key with the passphrase that is there.
    pub(super) fn open(
        &self,
        key: &EncryptedKey,
        path: &Path,
        printer: &Printer<'_, '_>,
    ) -> Result<(PrivateKey, Option<Warning>), Stop> {
        let prompt = format!("Passphrase of {}: ", shown(path));
        let passphrase = self.find(path, &prompt, None, printer)?;
        let opened = key.open(&passphrase.octets).map_err(|error| match error {
            OpenError::WrongPassphrase => Error::from(PassphraseError::Wrong {
                key: path.to_owned(),
                origin: passphrase.origin,
            }),
            OpenError::Key(_) => Error::from(StoreError::Content {
                path: path.to_owned(),
                content: Content::DamagedKey,
            }),
        });
        Ok((opened?, passphrase.warning))
    }

    /// The passphrase of a new CA key; asked for twice, as one that is mistyped would be known to nobody.
    pub(super) fn choose(
        &self,
        path: &Path,
        printer: &Printer<'_, '_>,
    ) -> Result<Passphrase, Stop> {
        let prompt = format!("New passphrase of {}: ", shown(path));
        self.find(path, &prompt, Some("The same again: "), printer)
    }

    fn find(
        &self,
        key: &Path,
        prompt: &str,
        again: Option<&str>,
        printer: &Printer<'_, '_>,
    ) -> Result<Passphrase, Stop> {
        let passphrases = printer.context.passphrases;
        let ask = |prompt: &str| -> Result<Zeroizing<String>, PassphraseError> {
            let answer = passphrases
                .ask(prompt)
                .ok_or_else(|| PassphraseError::NoTerminal {
                    key: key.to_owned(),
                })?;
            answer.map_err(|source| PassphraseError::Terminal { source })
        };
        let found = if let Some(path) = &self.passphrase_file {
            let file = store::read_passphrase(path)?;
            let path = path.clone();
            let warning = file
                .is_open
                .then(|| Warning::PassphraseIsOpen { path: path.clone() });
            Passphrase {
                octets: file.passphrase,
                origin: Origin::File(path),
                warning,
            }
        } else if let Some(octets) = passphrases.variable() {
            Passphrase {
                octets,
                origin: Origin::Variable,
                warning: None,
            }
        } else {
            let typed = ask(prompt)?;
            if let Some(prompt) = again
                && !typed.is_empty()
                && ask(prompt)? != typed
            {
                return Err(PassphraseError::Mismatch.into());
            }
            Passphrase {
                octets: Zeroizing::new(typed.as_bytes().to_vec()),
                origin: Origin::Terminal,
                warning: None,
            }
        };
        if found.octets.is_empty() {
            return Err(PassphraseError::Empty(found.origin).into());
        }
        Ok(found)
    }
}

fn shown(path: &Path) -> String {
    printable(&path.display().to_string())
}
