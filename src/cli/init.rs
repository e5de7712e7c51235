//! `grpc-pki init`

use super::context::Printer;
use super::{Common, Done, LOCK_TIMEOUT, exit};
use crate::config::{self, Config, ConfigError};
use crate::plan::{self, InitPlan};
use crate::report::{InitOutcome, InitReport};
use crate::{apply, store};

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
pub(super) struct Init {}

impl Init {
    pub(super) fn run(&self, common: &Common, printer: &mut Printer<'_, '_>) -> Done {
        let now = printer.context.now;
        // Where there is none, one is written, at the place that was asked for.
        let found = match common.load_config() {
            Ok(config) => Some(config),
            Err(ConfigError::Missing { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let config = match &found {
            Some(config) => config.clone(),
            None => Config::parse(common.config_path(), config::STARTER.as_bytes())?,
        };
        let store = common.store();
        store.recover(LOCK_TIMEOUT)?;
        let planned = plan::init(&config.ca, store.ca_files()?, store.dir(), now)?;
        let (certificate, outcome) = match planned {
            InitPlan::Keep {
                certificate,
                key_is_open,
                differs,
            } => {
                // Without a file there is no wish that the CA could differ from.
                let differs = differs && found.is_some();
                (
                    *certificate,
                    InitOutcome::Kept {
                        differs,
                        key_is_open,
                    },
                )
            }
            InitPlan::Create { .. } => create(&config, &store, printer)?,
        };
        let starter = match found {
            Some(_) => None,
            None => config::write_starter(common.config_path())?,
        };
        let dir = common.pki.clone();
        let report = InitReport {
            dir,
            certificate,
            outcome,
            starter,
            flags: common.flags(),
            now,
        };
        printer.report(&report).map_err(super::Stop::Pipe)?;
        Ok(exit::OK)
    }
}

/// Makes the CA under the lock, unless another process was faster.
fn create(
    config: &Config,
    store: &store::Store,
    printer: &mut Printer<'_, '_>,
) -> Result<(crate::pki::Certificate, InitOutcome), super::Stop> {
    let guard = store.lock(LOCK_TIMEOUT)?;
    let files = store.ca_files()?;
    match plan::init(&config.ca, files, store.dir(), printer.context.now)? {
        InitPlan::Keep {
            certificate,
            key_is_open,
            ..
        } => Ok((
            *certificate,
            InitOutcome::Kept {
                differs: false,
                key_is_open,
            },
        )),
        InitPlan::Create { ca, validity } => {
            let certificate = apply::init(ca, validity, &guard, printer.context.keys)?;
            Ok((certificate, InitOutcome::Created))
        }
    }
}
