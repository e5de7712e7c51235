//! `grpc-pki issue`

use super::changing::{Changing, tighten};
use super::context::Printer;
use super::{Common, Done, exit, progress};
use crate::apply::{self, Issued, Outcome};
use crate::config::Entry;
use crate::plan::{self, Action, Plan, Warning};
use crate::report::{IssueMode, IssueReport, StepReport};
use crate::store::Store;

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
        self.changing.recover(&store, COMMAND, printer)?;
        let planned = self.plan(&entries, &store, printer)?;
        let has_work = !planned.is_empty() || planned.warnings.iter().any(is_open);
        let (planned, issued) = if !has_work || mode != IssueMode::Applied {
            (planned, Vec::new())
        } else {
            // Another process may have done some of it in the meantime, so the plan under the lock counts.
            let guard = self.changing.lock(&store, COMMAND, printer)?;
            let mut planned = self.plan(&entries, &store, printer)?;
            tighten(&mut planned.warnings, &guard);
            let work = planned
                .steps
                .iter()
                .filter(|step| matches!(step.action, Action::Issue { .. }));
            let interactive = printer.context.interactive;
            let outcome = progress::with_bar(interactive, work.count(), |done| {
                apply::issue(&planned, &guard, printer.context.keys, done)
            })?;
            let Outcome { issued, repair } = outcome;
            planned
                .warnings
                .extend(repair.map(|repair| Warning::LogRepaired {
                    path: store.issued_path(),
                    repair,
                }));
            (planned, issued)
        };
        let report = IssueReport {
            dir: common.pki.clone(),
            config: config.path.clone(),
            mode,
            steps: steps(&planned, issued),
            warnings: planned.warnings,
            flags: common.flags(),
            now: printer.context.now,
        };
        printer.report(&report).map_err(super::Stop::Pipe)?;
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
        printer: &Printer<'_, '_>,
    ) -> Result<Plan<'c>, super::Stop> {
        let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        let inventory = store.inventory(&names)?;
        Ok(plan::issue(
            entries,
            inventory,
            store.dir(),
            printer.context.now,
            self.force,
        )?)
    }
}

fn is_open(warning: &Warning) -> bool {
    matches!(warning, Warning::KeyIsOpen { .. })
}

/// The plan's steps, each with the certificate that was made for it.
fn steps(plan: &Plan<'_>, issued: Vec<Issued>) -> Vec<StepReport> {
    let mut issued = issued.into_iter().peekable();
    plan.steps
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
