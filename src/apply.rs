//! Carries out a plan: makes keys and certificates, and hands them to one transaction.

use std::num::NonZeroU32;

use rayon::prelude::*;
use zeroize::Zeroizing;

use crate::config::CaEntry;
use crate::pki::certificate::hex;
use crate::pki::encrypted::Randomness;
use crate::pki::key::KeyError;
use crate::pki::sign::{self, SignError};
use crate::pki::{
    Certificate, Issuer, KeySource, PrivateKey, SerialNumber, Template, Validity, pem,
};
use crate::plan::{Action, Plan, Step};
use crate::store::{Guard, IssuedRecord, Repair, StoreError, Transaction};

/// The name of the CA's files, and in the list of what was signed.
const CA: &str = "ca";

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
#[derive(Debug, Default)]
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

/// The passphrase of a new CA key.
pub struct Protection {
    /// Never empty.
    pub passphrase: Zeroizing<Vec<u8>>,
    /// How often it is hashed.
    pub iterations: NonZeroU32,
}

/// Makes a CA; returns what became of a torn line of `issued.jsonl`, too.
///
/// # Errors
/// [`ApplyError`].
pub fn init(
    ca: &CaEntry,
    validity: Validity,
    protection: Option<&Protection>,
    guard: &Guard<'_>,
    keys: &dyn KeySource,
) -> Result<(Certificate, Option<Repair>), ApplyError> {
    let transaction = guard.begin()?;
    let (certificate, key) = authority(ca, validity, keys)?;
    let pem = match protection {
        None => key.to_pem(),
        Some(it) => encrypt(&key, it, keys),
    };
    let pem = pem.map_err(key_error(CA))?;
    transaction.key(CA, &pem)?;
    let record = stage_ca(&transaction, &certificate)?;
    let repair = transaction.commit(&[record])?;
    Ok((certificate, repair))
}

/// Makes a CA whose key is in memory alone, to be handed to [`plan::issue`](crate::plan::issue) and [`issue_all`].
///
/// # Errors
/// [`ApplyError`]; nothing is written yet.
pub fn authority(
    ca: &CaEntry,
    validity: Validity,
    keys: &dyn KeySource,
) -> Result<(Certificate, PrivateKey), ApplyError> {
    let key = keys.key(ca.key).map_err(key_error(CA))?;
    let serial = keys.serial().map_err(key_error(CA))?;
    let template = Template {
        subject: &ca.subject,
        names: &[],
        validity,
        serial,
    };
    let certificate =
        sign::self_signed(&template, &ca.constraints, &key).map_err(|source| ApplyError::Sign {
            name: CA.to_owned(),
            source,
        })?;
    Ok((certificate, key))
}

fn encrypt(
    key: &PrivateKey,
    protection: &Protection,
    keys: &dyn KeySource,
) -> Result<Zeroizing<String>, KeyError> {
    let random = Randomness {
        salt: keys.octets()?,
        iv: keys.octets()?,
    };
    key.to_encrypted_pem(&protection.passphrase, protection.iterations, random)
}

/// Stages what of a CA is for everyone, and returns what is written down about it.
fn stage_ca(
    transaction: &Transaction<'_>,
    certificate: &Certificate,
) -> Result<IssuedRecord, ApplyError> {
    if !transaction.claim(&certificate.serial_hex()) {
        return Err(ApplyError::Serial {
            name: CA.to_owned(),
        });
    }
    transaction.certificate(CA, &pem::encode("CERTIFICATE", certificate.der()))?;
    transaction.gitignore()?;
    Ok(IssuedRecord::new(CA, certificate))
}

/// Makes what a plan asks for, on all cores, and calls `done` after each; in the order of the plan.
///
/// # Errors
/// [`ApplyError`]; nothing has changed then.
pub fn issue(
    plan: &Plan<'_>,
    issuer: &Issuer,
    guard: &Guard<'_>,
    keys: &dyn KeySource,
    done: &(dyn Fn() + Sync),
) -> Result<Outcome, ApplyError> {
    let transaction = guard.begin()?;
    let (issued, records) = make_all(plan, issuer, &transaction, keys, done)?;
    let repair = transaction.commit(&records)?;
    Ok(Outcome { issued, repair })
}

/// The same together with the CA itself, whose key is not kept.
///
/// # Errors
/// [`ApplyError`]; nothing has changed then.
pub fn issue_all(
    plan: &Plan<'_>,
    issuer: &Issuer,
    guard: &Guard<'_>,
    keys: &dyn KeySource,
    done: &(dyn Fn() + Sync),
) -> Result<Outcome, ApplyError> {
    let transaction = guard.begin()?;
    let ca = IssuedRecord {
        ephemeral: true,
        ..stage_ca(&transaction, issuer.certificate())?
    };
    let (issued, records) = make_all(plan, issuer, &transaction, keys, done)?;
    let records: Vec<_> = [ca].into_iter().chain(records).collect();
    let repair = transaction.commit(&records)?;
    Ok(Outcome { issued, repair })
}

fn make_all(
    plan: &Plan<'_>,
    issuer: &Issuer,
    transaction: &Transaction<'_>,
    keys: &dyn KeySource,
    done: &(dyn Fn() + Sync),
) -> Result<(Vec<Issued>, Vec<IssuedRecord>), ApplyError> {
    let make = |step: &Step<'_>| make(step, issuer, transaction, keys, done).transpose();
    // A thread pool costs more than it saves for a single certificate.
    let issued: Result<Vec<_>, _> = if plan.steps.len() < 2 {
        plan.steps.iter().filter_map(make).collect()
    } else {
        plan.steps.par_iter().filter_map(make).collect()
    };
    Ok(issued?.into_iter().unzip())
}

fn serial(
    name: &str,
    transaction: &Transaction<'_>,
    keys: &dyn KeySource,
) -> Result<SerialNumber, ApplyError> {
    for _ in 0..DRAWS {
        let serial = keys.serial().map_err(key_error(name))?;
        if transaction.claim(&hex(serial.as_bytes())) {
            return Ok(serial);
        }
    }
    Err(ApplyError::Serial {
        name: name.to_owned(),
    })
}

fn key_error(name: &str) -> impl Fn(KeyError) -> ApplyError {
    move |source| ApplyError::Key {
        name: name.to_owned(),
        source,
    }
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
    let failed = key_error(&entry.name);
    let key = keys.key(entry.key).map_err(&failed)?;
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
    transaction.key(&entry.name, &key.to_pem().map_err(&failed)?)?;
    transaction.certificate(&entry.name, &pem::encode("CERTIFICATE", certificate.der()))?;
    done();
    let record = IssuedRecord::new(&entry.name, &certificate);
    let issued = Issued {
        name: entry.name.clone(),
        certificate,
    };
    Ok(Some((issued, record)))
}
