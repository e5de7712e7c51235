//! `grpc-pki issue`

use time::OffsetDateTime;

use super::changing::{Changing, tighten};
use super::context::Printer;
use super::{Common, Done, Stop, exit, passphrase, progress};
use crate::apply::{self, Issued, Outcome};
use crate::config::Entry;
use crate::pki::{EncryptedKey, PrivateKey};
use crate::plan::{self, Action, Plan, PlanError, Signer, Step, Warning};
use crate::report::{IssueMode, IssueReport, StepReport, words};
use crate::store::{Guard, Store};

/// What other commands are told that wait for this one.
const COMMAND: &str = "grpc-pki issue";

/// Make the certificates that are missing, stale or wrong
///
/// Reads certs.toml, compares it with the files that are there, and makes exactly what is needed: where a file
/// is missing or damaged, where subject, names, profile, key type or CA are not what certs.toml asks for, where
/// the key is another one's, and where `renew_before` is reached. The plan is whole before the first byte is
/// written. A second run writes nothing.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  grpc-pki issue                               all that certs.toml asks for
  grpc-pki issue server client                 these two
  grpc-pki issue --dry-run                     what would be made, and why
  grpc-pki issue --check || alert              for CI: is there something to do?
  grpc-pki issue orders --force                a new key and certificate although the old are good
  grpc-pki issue --passphrase-file pass.txt    with an encrypted ca.key, without a terminal

Where the passphrase comes from: --passphrase-file, else the variable GRPC_PKI_PASSPHRASE, else the
terminal. It is needed only where ca.key is encrypted and there is something to sign.
")]
pub(super) struct Issue {
    /// Certificates of certs.toml to look at; all when none is named
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Print the plan and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the plan, write nothing, and exit with 1 when there is work
    #[arg(long, conflicts_with = "dry_run")]
    check: bool,
    /// Make them anew even where nothing is wrong
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    passphrase: passphrase::Flags,
    #[command(flatten)]
    changing: Changing,
}

impl Issue {
    pub(super) fn run(&self, common: &Common, printer: &mut Printer<'_, '_>) -> Done {
        let config = common.load_config()?;
        let entries = plan::select(&config, &self.names)?;
        let store = common.store();
        let mode = match (self.check, self.dry_run) {
            (true, _) => IssueMode::Check,
            (_, true) => IssueMode::DryRun,
            _ => IssueMode::Applied,
        };
        let now = printer.context.now;
        let planned = self.changing.read(&store, COMMAND, printer, || {
            self.plan(&entries, &store, None, now)
        })??;
        let has_work = !planned.is_empty() || planned.warnings.iter().any(is_open);
        let (planned, issued) = if !has_work || mode != IssueMode::Applied {
            (planned, Vec::new())
        } else if planned.is_empty() {
            let guard = self.changing.lock(&store, COMMAND, printer)?;
            let mut planned = planned;
            tighten(&mut planned.warnings, &guard);
            (planned, Vec::new())
        } else {
            // Before the lock, which nobody is to wait for while somebody types.
            let (opened, warning) = self.open(planned, &store, printer)?;
            // Another process may have done some of it in the meantime, so the plan under the lock counts.
            let guard = self.changing.lock(&store, COMMAND, printer)?;
            let mut planned = self.plan(&entries, &store, opened, now)?;
            planned.warnings.extend(warning);
            tighten(&mut planned.warnings, &guard);
            let applied = apply_plan(&planned, &guard, printer);
            let Outcome { issued, repair } = applied.inspect_err(|_| {
                for mended in planned.warnings.iter().filter(|it| was_open(it)) {
                    // An error is told next, and matters more than what cannot be printed.
                    let _ = printer.meanwhile(&format!("warning: {}", words::warning(mended)));
                }
            })?;
            let path = store.issued_path();
            let repaired = repair.map(|repair| Warning::LogRepaired { path, repair });
            planned.warnings.extend(repaired);
            (planned, issued)
        };
        let Plan {
            signer,
            steps,
            warnings,
            ..
        } = planned;
        // The CA's key is wiped here, and not after the report is read.
        drop(signer);
        let report = IssueReport {
            dir: common.pki.clone(),
            config: config.path.clone(),
            mode,
            steps: self::steps(&steps, issued),
            warnings,
            flags: common.flags(),
            now: printer.context.now,
        };
        printer.report(&report).map_err(Stop::Pipe)?;
        Ok(if mode == IssueMode::Check && report.work() > 0 {
            exit::NO
        } else {
            exit::OK
        })
    }

    fn plan<'c>(
        &self,
        entries: &[&'c Entry],
        store: &Store,
        opened: Option<Opened>,
        now: OffsetDateTime,
    ) -> Result<Plan<'c>, Stop> {
        let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        let mut inventory = store.inventory(&names)?;
        if let Some(it) = opened {
            inventory.ca.open(&it.encrypted, it.key);
        }
        Ok(plan::issue(
            entries,
            inventory,
            store.dir(),
            now,
            self.force,
        )?)
    }

    /// The CA's key, where it is encrypted and can sign.
    fn open(
        &self,
        planned: Plan<'_>,
        store: &Store,
        printer: &Printer<'_, '_>,
    ) -> Result<(Option<Opened>, Option<Warning>), Stop> {
        match planned.signer {
            Signer::Encrypted(encrypted) => {
                let path = store.key_path("ca");
                let (key, warning) = self.passphrase.open(&encrypted, &path, printer)?;
                Ok((Some(Opened { encrypted, key }), warning))
            }
            Signer::Ephemeral => Err(PlanError::CaEphemeral {
                dir: store.dir().to_owned(),
            }
            .into()),
            Signer::Ready(_) => Ok((None, None)),
        }
    }
}

/// A CA key that a passphrase opened.
struct Opened {
    encrypted: EncryptedKey,
    key: PrivateKey,
}

/// Makes what is planned, if anything still is.
fn apply_plan(
    planned: &Plan<'_>,
    guard: &Guard<'_>,
    printer: &Printer<'_, '_>,
) -> Result<Outcome, Stop> {
    let is_work = |step: &&Step<'_>| matches!(step.action, Action::Issue { .. });
    let work = planned.steps.iter().filter(is_work).count();
    if work == 0 {
        return Ok(Outcome::default());
    }
    let issuer = planned.issuer(guard.dir())?;
    let interactive = printer.context.interactive;
    Ok(progress::with_bar(interactive, work, |done| {
        apply::issue(planned, issuer, guard, printer.context.keys, done)
    })?)
}

fn is_open(warning: &Warning) -> bool {
    matches!(warning, Warning::KeyIsOpen { .. })
}

fn was_open(warning: &Warning) -> bool {
    matches!(warning, Warning::KeyWasOpen { .. })
}

/// The plan's steps, each with the certificate that was made for it.
pub(super) fn steps(steps: &[Step<'_>], issued: Vec<Issued>) -> Vec<StepReport> {
    let mut issued = issued.into_iter().peekable();
    steps
        .iter()
        .map(|step| {
            let entry = step.entry;
            let (reasons, not_after) = match &step.action {
                Action::Keep { not_after } => (Vec::new(), *not_after),
                Action::Issue { reasons, validity } => (reasons.clone(), validity.not_after),
            };
            let made = issued.next_if(|it| it.name == entry.name);
            StepReport {
                name: entry.name.clone(),
                profile: entry.profile,
                names: entry.names.clone(),
                reasons,
                not_after,
                certificate: made.map(|it| it.certificate),
            }
        })
        .collect()
}
