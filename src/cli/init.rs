//! `grpc-pki init`

use super::changing::{Changing, tighten};
use super::context::Printer;
use super::{Common, Stop, exit};
use crate::apply;
use crate::config::{self, Config, ConfigError};
use crate::pki::Certificate;
use crate::plan::{self, InitPlan, Warning};
use crate::report::{InitOutcome, InitReport};
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
  grpc-pki init --format json                  the same for scripts
")]
pub(super) struct Init {
    #[command(flatten)]
    changing: Changing,
}

/// What there is of a CA in the end.
struct Done {
    certificate: Certificate,
    outcome: InitOutcome,
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
        self.changing.recover(&store, COMMAND, printer)?;
        // Before the CA, which is there to stay: a starter can be written again.
        let starter = match found {
            Some(_) => None,
            None => config::write_starter(common.config_path())?,
        };
        let done = self.ca(&config, &store, printer).inspect_err(|_| {
            if let Some(starter) = &starter {
                // An error is told next, and matters more than what cannot be printed.
                let _ = printer.meanwhile(&format!("wrote {}, a starter", starter.display()));
            }
        })?;
        let outcome = match done.outcome {
            // Without a file there is no wish that the CA could differ from.
            InitOutcome::Kept { differs } => InitOutcome::Kept {
                differs: differs && found.is_some(),
            },
            InitOutcome::Created => InitOutcome::Created,
        };
        let report = InitReport {
            dir: common.pki.clone(),
            certificate: done.certificate,
            outcome,
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
        printer: &mut Printer<'_, '_>,
    ) -> Result<Done, Stop> {
        let now = printer.context.now;
        let plan = || -> Result<InitPlan<'_>, Stop> {
            Ok(plan::init(&config.ca, store.ca_files()?, store.dir(), now)?)
        };
        if let InitPlan::Keep {
            certificate,
            key_is_open: false,
            differs,
        } = plan()?
        {
            return Ok(Done {
                certificate: *certificate,
                outcome: InitOutcome::Kept { differs },
                warnings: Vec::new(),
            });
        }
        // Another process may have been faster, so the plan under the lock counts.
        let guard = self.changing.lock(store, COMMAND, printer)?;
        match plan()? {
            InitPlan::Create { ca, validity } => {
                let (certificate, repair) =
                    apply::init(ca, validity, &guard, printer.context.keys)?;
                let path = store.issued_path();
                let warning = repair.map(|repair| Warning::LogRepaired { path, repair });
                Ok(Done {
                    certificate,
                    outcome: InitOutcome::Created,
                    warnings: warning.into_iter().collect(),
                })
            }
            InitPlan::Keep {
                certificate,
                key_is_open,
                differs,
            } => {
                let path = store.key_path("ca");
                let warning = key_is_open.then_some(Warning::KeyIsOpen { path });
                let mut warnings: Vec<_> = warning.into_iter().collect();
                tighten(&mut warnings, &guard);
                Ok(Done {
                    certificate: *certificate,
                    outcome: InitOutcome::Kept { differs },
                    warnings,
                })
            }
        }
    }
}
