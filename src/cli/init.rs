//! `grpc-pki init`

use super::changing::{Changing, tighten};
use super::context::Printer;
use super::passphrase::{self, Passphrase};
use super::{Common, Stop, ephemeral, exit};
use crate::apply::{self, Protection};
use crate::config::{self, Config, ConfigError};
use crate::error::PassphraseError;
use crate::pki::Certificate;
use crate::pki::encrypted::ITERATIONS;
use crate::plan::{self, InitPlan, KeptCa, KeyState, Warning};
use crate::report::{InitOutcome, InitReport, IssueReport};
use crate::store::Store;

/// What other commands are told that wait for this one.
const COMMAND: &str = "grpc-pki init";

/// Make a certificate authority (CA)
///
/// Writes ca.crt, which clients trust, and ca.key, which signs certificates, as [ca] in certs.toml asks; where
/// there is no certs.toml, also a commented one to start from. A CA that is there is never replaced.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  grpc-pki init                                a CA in ./pki, and a starter certs.toml
  grpc-pki init --pki /etc/orders/pki          a CA in another folder
  grpc-pki init --encrypt                      ca.key under a passphrase, asked for twice
  grpc-pki init --encrypt --passphrase-file pass.txt  the same without a terminal
  grpc-pki init --ephemeral                    all certificates at once, and no ca.key to lose
  grpc-pki init --format json                  the same for scripts

Where the passphrase comes from: --passphrase-file, else the variable GRPC_PKI_PASSPHRASE, else the
terminal, where it is asked for twice.
")]
pub(super) struct Init {
    /// Encrypt ca.key with a passphrase, as `encrypt = true` of [ca] does
    #[arg(long)]
    encrypt: bool,
    /// Issue what certs.toml asks for at once, and never write ca.key
    ///
    /// Who trusts this CA trusts these certificates and no others, as nobody can sign with it again. To renew them,
    /// make another CA in a new folder.
    #[arg(long, conflicts_with_all = ["encrypt", "passphrase_file"])]
    ephemeral: bool,
    #[command(flatten)]
    passphrase: passphrase::Flags,
    #[command(flatten)]
    changing: Changing,
}

/// What there is of a CA in the end.
struct Done {
    certificate: Certificate,
    outcome: InitOutcome,
    key: KeyState,
    issued: Option<IssueReport>,
    warnings: Vec<Warning>,
}

impl Init {
    pub(super) fn run(&self, common: &Common, printer: &mut Printer<'_, '_>) -> super::Done {
        let now = printer.context.now;
        // Where there is none, one is written, at the place that was asked for.
        let found = match common.load_config() {
            Ok(config) => Some(config),
            Err(ConfigError::Missing { .. } | ConfigError::Empty { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let config = match &found {
            Some(config) => config.clone(),
            None => Config::parse(common.config_path(), config::STARTER.as_bytes())?,
        };
        let store = common.store();
        // Before the CA, which is there to stay: a starter can be written again.
        let starter = match found {
            Some(_) => None,
            None => config::write_starter(common.config_path())?,
        };
        let done = self.ca(&config, &store, common, printer);
        let mut done = done.inspect_err(|_| {
            if let Some(starter) = &starter {
                // An error is told next, and matters more than what cannot be printed.
                let _ = printer.meanwhile(&format!("wrote {}, a starter", starter.display()));
            }
        })?;
        if let InitOutcome::Kept { differs } = &mut done.outcome {
            // Without a file there is no wish that the CA could differ from.
            *differs &= found.is_some();
            if (config.ca.encrypt || self.encrypt) && done.key == KeyState::Plain {
                let path = store.key_path("ca");
                done.warnings.push(Warning::KeyIsPlain { path });
            }
        }
        let report = InitReport {
            dir: common.pki.clone(),
            certificate: done.certificate,
            outcome: done.outcome,
            key: done.key,
            issued: done.issued,
            starter,
            warnings: done.warnings,
            flags: common.flags(),
            now,
        };
        printer.report(&report).map_err(Stop::Pipe)?;
        Ok(exit::OK)
    }

    /// Makes the CA, and leaves one alone that is there.
    fn ca(
        &self,
        config: &Config,
        store: &Store,
        common: &Common,
        printer: &mut Printer<'_, '_>,
    ) -> Result<Done, Stop> {
        let now = printer.context.now;
        let plan = || -> Result<InitPlan<'_>, Stop> {
            Ok(plan::init(&config.ca, store.ca_files()?, store.dir(), now)?)
        };
        let planned = self.changing.read(store, COMMAND, printer, plan)??;
        if self.ephemeral {
            ephemeral::check(config, store, &planned)?;
            let guard = self.changing.lock(store, COMMAND, printer)?;
            let (certificate, issued) = ephemeral::make(config, store, &guard, common, printer)?;
            return Ok(Done {
                certificate,
                outcome: InitOutcome::Created,
                key: KeyState::Ephemeral,
                issued: Some(issued),
                warnings: Vec::new(),
            });
        }
        let passphrase = match planned {
            InitPlan::Keep(kept) if !kept.key_is_open => return Ok(keep(*kept, Vec::new())),
            InitPlan::Keep(_) => None,
            // Before the lock, which nobody is to wait for while somebody types.
            InitPlan::Create { .. } => self.choose(config, store, printer)?,
        };
        let guard = self.changing.lock(store, COMMAND, printer)?;
        // Another process may have been faster, so the plan under the lock counts.
        match plan()? {
            InitPlan::Create { ca, validity } => {
                // Where the CA was taken away in the meantime, nobody has asked yet.
                let passphrase = match passphrase {
                    None => self.choose(config, store, printer)?,
                    chosen => chosen,
                };
                let key = match &passphrase {
                    None => KeyState::Plain,
                    Some(_) => KeyState::Encrypted,
                };
                let warning = passphrase.as_ref().and_then(|it| it.warning.clone());
                let protection = passphrase.map(|it| Protection {
                    passphrase: it.octets,
                    iterations: ITERATIONS,
                });
                let keys = printer.context.keys;
                let made = apply::init(ca, validity, protection.as_ref(), &guard, keys);
                let (certificate, repair) = made?;
                let path = store.issued_path();
                let repaired = repair.map(|repair| Warning::LogRepaired { path, repair });
                Ok(Done {
                    certificate,
                    outcome: InitOutcome::Created,
                    key,
                    issued: None,
                    warnings: warning.into_iter().chain(repaired).collect(),
                })
            }
            InitPlan::Keep(kept) => {
                let path = store.key_path("ca");
                let open = kept.key_is_open.then_some(Warning::KeyIsOpen { path });
                let mut warnings: Vec<_> = open.into_iter().collect();
                tighten(&mut warnings, &guard);
                Ok(keep(*kept, warnings))
            }
        }
    }

    /// The passphrase of the new key, where it is to have one.
    fn choose(
        &self,
        config: &Config,
        store: &Store,
        printer: &Printer<'_, '_>,
    ) -> Result<Option<Passphrase>, Stop> {
        let key = store.key_path("ca");
        if self.encrypt || config.ca.encrypt {
            self.passphrase.choose(&key, printer).map(Some)
        } else if self.passphrase.is_given() {
            Err(PassphraseError::Unused { key }.into())
        } else {
            Ok(None)
        }
    }
}

/// What is said of a CA that was there.
fn keep(kept: KeptCa, warnings: Vec<Warning>) -> Done {
    Done {
        certificate: kept.certificate,
        outcome: InitOutcome::Kept {
            differs: kept.differs,
        },
        key: kept.key,
        issued: None,
        warnings,
    }
}
