//! `grpc-pki init --ephemeral`: a CA that signs once.

use super::changing::tighten;
use super::context::Printer;
use super::{Common, Stop, issue, progress};
use crate::apply::{self, Outcome};
use crate::config::{Config, Entry};
use crate::pki::{Certificate, StoredKey};
use crate::plan::{self, InitPlan, PlanError, Warning};
use crate::report::{IssueMode, IssueReport};
use crate::store::{Found, Guard, Store};

/// Refuses what could not be mended afterwards: a CA that is there, or nothing to sign.
pub(super) fn check(config: &Config, store: &Store, planned: &InitPlan<'_>) -> Result<(), Stop> {
    let dir = store.dir().to_owned();
    match planned {
        InitPlan::Keep { .. } => Err(PlanError::CaExists { dir }.into()),
        InitPlan::Create { .. } if config.certificates.is_empty() => {
            let path = config.path.display().to_string();
            Err(PlanError::NothingToIssue { path }.into())
        }
        InitPlan::Create { .. } => Ok(()),
    }
}

/// Makes the CA and all that certs.toml asks for in one transaction, and forgets the CA's key.
pub(super) fn make(
    config: &Config,
    store: &Store,
    guard: &Guard<'_>,
    common: &Common,
    printer: &Printer<'_, '_>,
) -> Result<(Certificate, IssueReport), Stop> {
    let now = printer.context.now;
    let entries: Vec<&Entry> = config.certificates.iter().collect();
    let names: Vec<&str> = entries.iter().map(|it| it.name.as_str()).collect();
    let mut inventory = store.inventory(&names)?;
    // Another process may have been faster.
    let planned = plan::init(&config.ca, store.ca_files()?, store.dir(), now)?;
    check(config, store, &planned)?;
    let InitPlan::Create { ca, validity } = planned else {
        return Err(PlanError::CaExists {
            dir: store.dir().to_owned(),
        }
        .into());
    };
    let (certificate, key) = apply::authority(ca, validity, printer.context.keys)?;
    inventory.ca.certificates = Found::Read(vec![certificate.clone()]);
    inventory.ca.key = Found::Read(StoredKey::Plain(key));
    let mut planned = plan::issue(&entries, inventory, store.dir(), now, false)?;
    tighten(&mut planned.warnings, guard);
    let issuer = planned.issuer(store.dir())?;
    let interactive = printer.context.interactive;
    let made = progress::with_bar(interactive, planned.steps.len(), |done| {
        apply::issue_all(&planned, issuer, guard, printer.context.keys, done)
    })?;
    let Outcome { issued, repair } = made;
    let path = store.issued_path();
    let repaired = repair.map(|repair| Warning::LogRepaired { path, repair });
    planned.warnings.extend(repaired);
    let report = IssueReport {
        dir: common.pki.clone(),
        config: config.path.clone(),
        mode: IssueMode::Applied,
        steps: issue::steps(&planned.steps, issued),
        warnings: planned.warnings,
        flags: common.flags(),
        now,
    };
    Ok((certificate, report))
}
