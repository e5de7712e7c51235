//! How everything stands, whether or not anything could be signed: (configuration, files, now) → [`Status`]. Pure.

use std::path::Path;

use time::OffsetDateTime;

use super::authority::{authority, current, newest};
use super::{PlanError, Reason, Signer, for_each, reason};
use crate::config::Entry;
use crate::pki::{Certificate, Validity};
use crate::store::{CaFiles, Found, Inventory};

/// The CA, and every entry that was asked for.
#[derive(Debug)]
pub struct Status<'c> {
    /// The CA's certificate.
    pub ca: Certificate,
    /// What there is of its key.
    pub ca_key: CaKey,
    /// Whether others than its owner may read the CA's key file.
    pub ca_key_is_open: bool,
    /// Why nothing could be signed now although there is a key: the CA expired, or is not yet valid.
    pub ca_problem: Option<PlanError>,
    /// Entries, in file order.
    pub entries: Vec<EntryStatus<'c>>,
}

/// What there is of a CA's key, to the eye of somebody who signs nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum CaKey {
    /// It is under a passphrase.
    Encrypted,
    /// It was not kept.
    Ephemeral,
    /// It is not in the folder.
    Missing,
    /// It is there.
    Plain,
    /// It is there, and cannot be used.
    Unusable(PlanError),
}

/// One entry of certs.toml and its files.
#[derive(Debug)]
pub struct EntryStatus<'c> {
    /// The entry.
    pub entry: &'c Entry,
    /// The certificate that is on disk.
    pub certificate: Option<Certificate>,
    /// What `issue` would make it anew for; none where it is current.
    pub reasons: Vec<Reason>,
    /// Whether others than its owner may read its key file.
    pub key_is_open: bool,
}

impl EntryStatus<'_> {
    /// The period of the certificate on disk.
    pub fn validity(&self) -> Option<Validity> {
        self.certificate.as_ref().map(|it| it.validity)
    }
}

/// Looks at everything. `inventory` has the files of `entries`, in their order.
///
/// # Errors
/// [`PlanError`] when there is no CA certificate to hold anything against; a key that is missing is no error.
pub fn status<'c>(
    entries: &[&'c Entry],
    inventory: Inventory,
    dir: &Path,
    now: OffsetDateTime,
) -> Result<Status<'c>, PlanError> {
    let ca_key_is_open = inventory.ca.key_is_open;
    let (ca, ca_key) = ca(inventory.ca, dir)?;
    let entries = for_each(entries, &inventory.entries, |entry, files| EntryStatus {
        entry,
        reasons: reason::find(entry, files, &ca, now),
        certificate: match &files.certificates {
            Found::Read(certificates) => certificates.first().cloned(),
            Found::Missing | Found::Wrong(_) => None,
        },
        key_is_open: files.key_is_open,
    });
    Ok(Status {
        ca_problem: current(&ca, dir, now).err(),
        ca,
        ca_key,
        ca_key_is_open,
        entries,
    })
}

fn ca(files: CaFiles, dir: &Path) -> Result<(Certificate, CaKey), PlanError> {
    let certificates = match &files.certificates {
        Found::Read(certificates) => certificates.clone(),
        Found::Missing | Found::Wrong(_) => Vec::new(),
    };
    let key = dir.join("ca.key");
    match authority(files, dir) {
        Ok((ca, Signer::Encrypted(_))) => Ok((ca, CaKey::Encrypted)),
        Ok((ca, Signer::Ephemeral)) => Ok((ca, CaKey::Ephemeral)),
        Ok((ca, Signer::Ready(_))) => Ok((ca, CaKey::Plain)),
        Err(PlanError::CaIncomplete { missing, .. }) if missing == key => {
            Ok((newest(certificates, dir)?, CaKey::Missing))
        }
        Err(error @ PlanError::CaMismatch { .. }) => {
            Ok((newest(certificates, dir)?, CaKey::Unusable(error)))
        }
        Err(error @ PlanError::Content { .. }) if !certificates.is_empty() => {
            Ok((newest(certificates, dir)?, CaKey::Unusable(error)))
        }
        Err(error) => Err(error),
    }
}
