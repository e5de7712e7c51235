//! What is to be done, decided whole before anything is done: (configuration, files, now) → steps with reasons.
//!
//! Pure: it reads no file and no clock, so `--dry-run` and `--check` are this and nothing more.

mod error;
mod reason;

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use time::OffsetDateTime;

use crate::config::{CaEntry, Config, Entry, nearest};
use crate::pki::sign::{SignError, may_sign};
use crate::pki::validity::Moment;
use crate::pki::{Certificate, EncryptedKey, GeneralName, Issuer, PrivateKey, StoredKey, Validity};
use crate::store::{CaFiles, Content, EntryFiles, Found, Inventory, Repair};

pub use error::PlanError;
pub use reason::Reason;

/// What `init` is to do.
#[derive(Debug)]
pub enum InitPlan<'c> {
    /// Make a CA.
    Create {
        /// What it is to be.
        ca: &'c CaEntry,
        /// Its validity.
        validity: Validity,
    },
    /// There is one, and it stays.
    Keep(Box<KeptCa>),
}

/// A CA that stays.
#[derive(Debug)]
pub struct KeptCa {
    /// Its certificate.
    pub certificate: Certificate,
    /// What there is of its key.
    pub key: KeyState,
    /// Whether others may read its key file.
    pub key_is_open: bool,
    /// Whether `[ca]` asks for something else than it is.
    pub differs: bool,
}

/// What there is of a CA's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It is under a passphrase.
    Encrypted,
    /// It was not kept.
    Ephemeral,
    /// It can be read by its owner.
    Plain,
}

/// What `issue` is to do.
#[derive(Debug)]
pub struct Plan<'c> {
    /// The CA in whose name is signed.
    pub ca: Certificate,
    /// What is signed with.
    pub signer: Signer,
    /// One for each entry, in file order.
    pub steps: Vec<Step<'c>>,
    /// What the user should know, whatever is done.
    pub warnings: Vec<Warning>,
}

/// What there is to sign with; only what has work to do needs it.
#[derive(Debug)]
pub enum Signer {
    /// The CA's key is under a passphrase. With several certificates in ca.crt it is not yet known which is the key's;
    /// the newest is taken for it.
    Encrypted(EncryptedKey),
    /// The CA's key was not kept.
    Ephemeral,
    /// The CA, with its key.
    Ready(Box<Issuer>),
}

/// What happens to one entry.
#[derive(Debug)]
pub struct Step<'c> {
    /// The entry of certs.toml.
    pub entry: &'c Entry,
    /// Whether it is made anew, and why.
    pub action: Action,
}

/// Whether a certificate is made.
#[derive(Debug)]
pub enum Action {
    /// It stays as it is.
    Keep {
        /// When it ends.
        not_after: OffsetDateTime,
    },
    /// It is made, with a new key.
    Issue {
        /// Why; at least one.
        reasons: Vec<Reason>,
        /// Its validity, within the CA's.
        validity: Validity,
    },
}

/// What the user should know about a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The CA ends before this certificate should be renewed, so renewing it would change nothing.
    CaEndsFirst {
        /// Entry.
        name: String,
        /// When the CA ends.
        not_after: OffsetDateTime,
    },
    /// The certificate would outlive the CA and was shortened.
    Clipped {
        /// Entry.
        name: String,
        /// When the CA ends.
        not_after: OffsetDateTime,
    },
    /// Gone from the C core's list of key types.
    CCoreRefuses {
        /// Entry.
        name: String,
        /// Key type.
        key: &'static str,
    },
    /// A key file can be read by others than its owner.
    KeyIsOpen {
        /// The file.
        path: PathBuf,
    },
    /// A key file could be read by others than its owner, and no more.
    KeyWasOpen {
        /// The file.
        path: PathBuf,
        /// The permission bits that it had.
        mode: u32,
    },
    /// The last line of the list of certificates did not end.
    LogRepaired {
        /// The file.
        path: PathBuf,
        /// What became of it.
        repair: Repair,
    },
    /// `[ca]` asks for a passphrase, and the key has none.
    KeyIsPlain {
        /// The file.
        path: PathBuf,
    },
    /// The file of the passphrase can be read by others than its owner.
    PassphraseIsOpen {
        /// The file.
        path: PathBuf,
    },
}

/// Decides what `init` does; a CA that is there is never replaced.
///
/// # Errors
/// [`PlanError`] when only half of a CA is there, or its files hold something else.
pub fn init<'c>(
    ca: &'c CaEntry,
    files: CaFiles,
    dir: &Path,
    now: OffsetDateTime,
) -> Result<InitPlan<'c>, PlanError> {
    if files.certificates.is_missing() && files.key.is_missing() {
        let validity = Validity::starting(now, &ca.valid_for);
        return Ok(InitPlan::Create { ca, validity });
    }
    let key_is_open = files.key_is_open;
    let (certificate, signer) = authority(files, dir)?;
    let constraints = certificate.name_constraints.clone().unwrap_or_default();
    let differs = ca.written
        && (certificate.subject.comparable() != ca.subject.comparable()
            || certificate.public_key.to_string() != ca.key.as_str()
            || constraints != ca.constraints);
    Ok(InitPlan::Keep(Box::new(KeptCa {
        certificate,
        key: match signer {
            Signer::Encrypted(_) => KeyState::Encrypted,
            Signer::Ephemeral => KeyState::Ephemeral,
            Signer::Ready(_) => KeyState::Plain,
        },
        key_is_open,
        differs,
    })))
}

/// The entries that were asked for by name, or all of them.
///
/// # Errors
/// [`PlanError::UnknownEntry`].
pub fn select<'c>(config: &'c Config, names: &[String]) -> Result<Vec<&'c Entry>, PlanError> {
    if let Some(name) = names.iter().find(|name| config.entry(name).is_none()) {
        let known = config.certificates.iter().map(|entry| entry.name.as_str());
        return Err(PlanError::UnknownEntry {
            path: config.path.display().to_string(),
            nearest: nearest(name, known).map(str::to_owned),
            name: name.clone(),
        });
    }
    let asked = |entry: &&Entry| names.is_empty() || names.contains(&entry.name);
    Ok(config.certificates.iter().filter(asked).collect())
}

/// Decides for each entry whether it is made, and why. `inventory` has the files of `entries`, in their order.
///
/// # Errors
/// [`PlanError`] when the CA cannot sign, or may not sign one of the names.
pub fn issue<'c>(
    entries: &[&'c Entry],
    inventory: Inventory,
    dir: &Path,
    now: OffsetDateTime,
    force: bool,
) -> Result<Plan<'c>, PlanError> {
    let mut warnings = Vec::new();
    if inventory.ca.key_is_open {
        warnings.push(Warning::KeyIsOpen {
            path: dir.join("ca.key"),
        });
    }
    let (ca, signer) = authority(inventory.ca, dir)?;
    current(&ca, dir, now)?;
    for entry in entries {
        permit(entry, &ca)?;
    }
    for (entry, files) in entries.iter().zip(&inventory.entries) {
        let path = |extension| dir.join(format!("{}.{extension}", entry.name));
        replaceable(&files.certificates, &path("crt"))?;
        replaceable(&files.public_key_info, &path("key"))?;
    }
    let decide = |(entry, files): (&&'c Entry, &EntryFiles)| {
        let (action, warnings) = decide(entry, files, &ca, now, force);
        (Step { entry, action }, warnings)
    };
    // Signatures are checked, so thousands of entries are worth all cores, and a handful is not.
    let decided: Vec<_> = if entries.len() < 16 {
        entries.iter().zip(&inventory.entries).map(decide).collect()
    } else {
        entries
            .par_iter()
            .zip(&inventory.entries)
            .map(decide)
            .collect()
    };
    let (steps, told): (Vec<_>, Vec<_>) = decided.into_iter().unzip();
    for (step, files) in steps.iter().zip(&inventory.entries) {
        if files.key_is_open {
            warnings.push(Warning::KeyIsOpen {
                path: dir.join(format!("{}.key", step.entry.name)),
            });
        }
    }
    warnings.extend(told.into_iter().flatten());
    Ok(Plan {
        ca,
        signer,
        steps,
        warnings,
    })
}

impl Plan<'_> {
    /// Whether nothing is to be made.
    pub fn is_empty(&self) -> bool {
        self.steps
            .iter()
            .all(|step| matches!(step.action, Action::Keep { .. }))
    }

    /// The CA with its key.
    ///
    /// # Errors
    /// [`PlanError::CaEphemeral`]; [`PlanError::CaKeyChanged`] where the key is still under a passphrase.
    pub fn issuer(&self, dir: &Path) -> Result<&Issuer, PlanError> {
        let key = dir.join("ca.key");
        match &self.signer {
            Signer::Encrypted(_) => Err(PlanError::CaKeyChanged { key }),
            Signer::Ephemeral => Err(PlanError::CaEphemeral {
                dir: dir.to_owned(),
            }),
            Signer::Ready(issuer) => Ok(issuer),
        }
    }
}

/// The CA's certificate, and what there is of its key.
fn authority(files: CaFiles, dir: &Path) -> Result<(Certificate, Signer), PlanError> {
    let (certificate, key) = (dir.join("ca.crt"), dir.join("ca.key"));
    let certificates = match files.certificates {
        Found::Read(certificates) => certificates,
        Found::Wrong(content) => {
            return Err(PlanError::Content {
                path: certificate,
                content,
            });
        }
        Found::Missing if files.key.is_missing() => {
            return Err(PlanError::NoCa {
                dir: dir.to_owned(),
            });
        }
        Found::Missing => {
            return Err(PlanError::CaIncomplete {
                there: key,
                missing: certificate,
            });
        }
    };
    match files.key {
        Found::Read(StoredKey::Plain(private_key)) => {
            let own = |it: &Certificate| it.public_key_info == private_key.public_key_info();
            let Some(own) = certificates.into_iter().find(own) else {
                return Err(PlanError::CaMismatch { key, certificate });
            };
            let issuer = prove(own, private_key, dir)?;
            let own = issuer.certificate().clone();
            Ok((own, Signer::Ready(Box::new(issuer))))
        }
        Found::Read(StoredKey::Encrypted(it)) => {
            Ok((newest(certificates, dir)?, Signer::Encrypted(it)))
        }
        Found::Missing if files.ephemeral => Ok((newest(certificates, dir)?, Signer::Ephemeral)),
        Found::Wrong(content) => Err(PlanError::Content { path: key, content }),
        Found::Missing => Err(PlanError::CaIncomplete {
            there: certificate,
            missing: key,
        }),
    }
}

/// The youngest certificate that may sign others.
fn newest(certificates: Vec<Certificate>, dir: &Path) -> Result<Certificate, PlanError> {
    let mut best: Result<Certificate, PlanError> = Err(PlanError::NoCa {
        dir: dir.to_owned(),
    });
    for certificate in certificates {
        match (&best, may_sign(&certificate)) {
            (Ok(best), Ok(())) if best.validity.not_before >= certificate.validity.not_before => {}
            (_, Ok(())) => best = Ok(certificate),
            (Err(PlanError::NoCa { .. }), Err(error)) => best = Err(unfit(error, dir)),
            (_, Err(_)) => {}
        }
    }
    best
}

/// Only a CA that is valid now is worth signing with.
fn current(ca: &Certificate, dir: &Path, now: OffsetDateTime) -> Result<(), PlanError> {
    let path = dir.join("ca.crt");
    let Validity {
        not_before,
        not_after,
    } = ca.validity;
    match ca.validity.at(now) {
        Moment::After => Err(PlanError::CaExpired { path, not_after }),
        Moment::Before => Err(PlanError::CaNotYetValid { path, not_before }),
        Moment::Within => Ok(()),
    }
}

/// A certificate that may sign others, with its key.
fn prove(certificate: Certificate, key: PrivateKey, dir: &Path) -> Result<Issuer, PlanError> {
    Issuer::new(certificate, key).map_err(|error| unfit(error, dir))
}

fn unfit(error: SignError, dir: &Path) -> PlanError {
    let path = dir.join("ca.crt");
    match error {
        SignError::NotACa(why) => PlanError::NotACa { path, why },
        _ => PlanError::CaMismatch {
            key: dir.join("ca.key"),
            certificate: path,
        },
    }
}

/// A wrong file is replaced; a folder, a device or a pipe is somebody's.
fn replaceable<T>(found: &Found<T>, path: &Path) -> Result<(), PlanError> {
    match found {
        Found::Wrong(content @ Content::NotAFile) => Err(PlanError::Content {
            path: path.to_owned(),
            content: *content,
        }),
        _ => Ok(()),
    }
}

/// Refuses here what every peer would refuse later (RFC 5280, 4.2.1.10).
fn permit(entry: &Entry, ca: &Certificate) -> Result<(), PlanError> {
    let Some(constraints) = &ca.name_constraints else {
        return Ok(());
    };
    let has_dns = entry
        .names
        .iter()
        .any(|name| matches!(name, GeneralName::Dns(_)));
    // Without a DNS name, OpenSSL holds a commonName that looks like a host against the constraints.
    let common_name = entry
        .subject
        .get("CN")
        .filter(|name| !has_dns && name.contains('.'))
        .and_then(|name| GeneralName::dns(name).ok());
    let outside: Vec<GeneralName> = entry
        .names
        .iter()
        .chain(&common_name)
        .filter(|name| !constraints.allow(name))
        .cloned()
        .collect();
    if outside.is_empty() {
        return Ok(());
    }
    Err(PlanError::NotPermitted {
        entry: entry.name.clone(),
        names: outside,
    })
}

fn decide(
    entry: &Entry,
    files: &EntryFiles,
    ca: &Certificate,
    now: OffsetDateTime,
    force: bool,
) -> (Action, Vec<Warning>) {
    let mut warnings = Vec::new();
    let (validity, clipped) = Validity::starting(now, &entry.valid_for).within(ca.validity);
    let mut reasons = reason::find(entry, files, ca, now);
    if let (Some(Reason::Due { .. }), Found::Read(found)) = (reasons.first(), &files.certificates)
        && reasons.len() == 1
        && found[0].validity.not_after >= ca.validity.not_after
    {
        reasons.clear();
        warnings.push(Warning::CaEndsFirst {
            name: entry.name.clone(),
            not_after: ca.validity.not_after,
        });
    }
    if reasons.is_empty() && force {
        reasons.push(Reason::Forced);
    }
    if !entry.key.accepted_by_c_core() && entry.profile.server_auth() {
        warnings.push(Warning::CCoreRefuses {
            name: entry.name.clone(),
            key: entry.key.as_str(),
        });
    }
    let action = match &files.certificates {
        Found::Read(found) if reasons.is_empty() => Action::Keep {
            not_after: found[0].validity.not_after,
        },
        _ => {
            if clipped {
                warnings.push(Warning::Clipped {
                    name: entry.name.clone(),
                    not_after: ca.validity.not_after,
                });
            }
            Action::Issue { reasons, validity }
        }
    };
    (action, warnings)
}
