//! Carries out a plan: makes keys and certificates, and hands them to one transaction.

use rayon::prelude::*;

use crate::config::CaEntry;
use crate::pki::key::KeyError;
use crate::pki::sign::{self, SignError};
use crate::pki::{Certificate, Issuer, KeySource, SerialNumber, Template, Validity, pem};
use crate::plan::{Action, Plan, Step};
use crate::store::{Guard, IssuedRecord, Repair, StoreError, Transaction};

/// Why a plan was not carried out; nothing on disk has changed then, or the next command completes it.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A key or serial number could not be made.
    #[error("no key could be made for `{name}`")]
    Key {
        /// Entry, or `ca`.
        name: String,
        /// Why.
        source: KeyError,
    },
    /// Every serial number that was drawn had been given out before.
    #[error("no serial number could be made for `{name}` that was not given out before")]
    Serial {
        /// Entry, or `ca`.
        name: String,
    },
    /// A certificate could not be signed.
    #[error("no certificate could be made for `{name}`")]
    Sign {
        /// Entry, or `ca`.
        name: String,
        /// Why.
        source: SignError,
    },
    /// The folder could not be changed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Serial numbers have 158 random bits: who draws a second one that is taken has no randomness.
const DRAWS: usize = 2;

/// What was made.
#[derive(Debug)]
pub struct Outcome {
    /// The certificates, in the order of the plan.
    pub issued: Vec<Issued>,
    /// What became of a torn line of `issued.jsonl`.
    pub repair: Option<Repair>,
}

/// One certificate that was made.
#[derive(Debug)]
pub struct Issued {
    /// Entry.
    pub name: String,
    /// The certificate.
    pub certificate: Certificate,
}

/// Makes a CA; returns what became of a torn line of `issued.jsonl`, too.
///
/// # Errors
/// [`ApplyError`].
pub fn init(
    ca: &CaEntry,
    validity: Validity,
    guard: &Guard<'_>,
    keys: &dyn KeySource,
) -> Result<(Certificate, Option<Repair>), ApplyError> {
    let name = || "ca".to_owned();
    let failed = |source| ApplyError::Key {
        name: name(),
        source,
    };
    let transaction = guard.begin()?;
    let key = keys.key(ca.key).map_err(failed)?;
    let serial = serial("ca", &transaction, keys)?;
    let template = Template {
        subject: &ca.subject,
        names: &[],
        validity,
        serial,
    };
    let certificate =
        sign::self_signed(&template, &ca.constraints, &key).map_err(|source| ApplyError::Sign {
            name: name(),
            source,
        })?;
    transaction.key("ca", &key.to_pem().map_err(failed)?)?;
    transaction.certificate("ca", &pem::encode("CERTIFICATE", certificate.der()))?;
    transaction.gitignore()?;
    let repair = transaction.commit(&[IssuedRecord::new("ca", &certificate)])?;
    Ok((certificate, repair))
}

/// Makes what a plan asks for, on all cores, and calls `done` after each; in the order of the plan.
///
/// # Errors
/// [`ApplyError`]; nothing has changed then.
pub fn issue(
    plan: &Plan<'_>,
    guard: &Guard<'_>,
    keys: &dyn KeySource,
    done: &(dyn Fn() + Sync),
) -> Result<Outcome, ApplyError> {
    let transaction = guard.begin()?;
    let make = |step: &Step<'_>| make(step, &plan.issuer, &transaction, keys, done).transpose();
    // A thread pool costs more than it saves for a single certificate.
    let issued: Result<Vec<_>, _> = if plan.steps.len() < 2 {
        plan.steps.iter().filter_map(make).collect()
    } else {
        plan.steps.par_iter().filter_map(make).collect()
    };
    let (issued, records): (Vec<_>, Vec<_>) = issued?.into_iter().unzip();
    let repair = transaction.commit(&records)?;
    Ok(Outcome { issued, repair })
}

fn serial(
    name: &str,
    transaction: &Transaction<'_>,
    keys: &dyn KeySource,
) -> Result<SerialNumber, ApplyError> {
    for _ in 0..DRAWS {
        let serial = keys.serial().map_err(|source| ApplyError::Key {
            name: name.to_owned(),
            source,
        })?;
        if transaction.claim(&serial) {
            return Ok(serial);
        }
    }
    Err(ApplyError::Serial {
        name: name.to_owned(),
    })
}

fn make(
    step: &Step<'_>,
    issuer: &Issuer,
    transaction: &Transaction<'_>,
    keys: &dyn KeySource,
    done: &(dyn Fn() + Sync),
) -> Result<Option<(Issued, IssuedRecord)>, ApplyError> {
    let Action::Issue { validity, .. } = &step.action else {
        return Ok(None);
    };
    let entry = step.entry;
    let failed = |source| ApplyError::Key {
        name: entry.name.clone(),
        source,
    };
    let key = keys.key(entry.key).map_err(failed)?;
    let serial = serial(&entry.name, transaction, keys)?;
    let template = Template {
        subject: &entry.subject,
        names: &entry.names,
        validity: *validity,
        serial,
    };
    let certificate = issuer
        .issue(&template, entry.profile, &key)
        .map_err(|source| ApplyError::Sign {
            name: entry.name.clone(),
            source,
        })?;
    transaction.key(&entry.name, &key.to_pem().map_err(failed)?)?;
    transaction.certificate(&entry.name, &pem::encode("CERTIFICATE", certificate.der()))?;
    done();
    let record = IssuedRecord::new(&entry.name, &certificate);
    let issued = Issued {
        name: entry.name.clone(),
        certificate,
    };
    Ok(Some((issued, record)))
}
