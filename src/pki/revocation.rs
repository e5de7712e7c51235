//! Certificate revocation lists (RFC 5280, 5): read from their DER, and what they say of a certificate.
//!
//! A list counts where its issuer is the certificate's, that issuer's key signed it, and nothing in it is critical
//! and not understood. Indirect, delta and partial lists have such an extension, so they are left aside as a whole.

use std::collections::HashMap;
use std::fmt;

use time::OffsetDateTime;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer, X509Extension};
use x509_parser::revocation_list::{CertificateRevocationList, RevokedCertificate};

use super::algorithm::{Signature, dotted};
use super::certificate::{Certificate, KeyUsage, Name};
use super::path::Path;
use super::validity::Moment;

/// deltaCRLIndicator (RFC 5280, 5.2.4).
const DELTA: &str = "2.5.29.27";
/// issuingDistributionPoint (RFC 5280, 5.2.5).
const DISTRIBUTION_POINT: &str = "2.5.29.28";

/// The octets are no revocation list.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not an intact certificate revocation list")]
pub struct RevocationListError;

/// A list of the certificates that a CA takes back.
#[derive(Clone, PartialEq, Eq)]
pub struct RevocationList {
    der: Vec<u8>,
    signature: Signature,
    /// Who made it.
    pub issuer: Name,
    /// When it was made.
    pub this_update: OffsetDateTime,
    /// When the next one is due.
    pub next_update: Option<OffsetDateTime>,
    /// Critical extensions, its own and of its entries, that this program does not act upon; dotted.
    pub unknown_critical: Vec<String>,
    revoked: HashMap<Vec<u8>, Revocation>,
}

/// One entry of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Since when.
    pub since: OffsetDateTime,
    /// CRLReason (RFC 5280, 5.3.1); absence is the same as 0.
    pub reason: u8,
}

impl Revocation {
    /// certificateHold: it may be lifted again.
    pub const HOLD: u8 = 6;
    /// removeFromCRL: the opposite of a revocation.
    const REMOVED: u8 = 8;

    /// Its reason, in words.
    pub fn words(&self) -> String {
        let words = match self.reason {
            0 => "no reason is given",
            1 => "its private key may be in other hands (keyCompromise)",
            2 => "the private key of the CA may be in other hands (cACompromise)",
            3 => "whom it is about has changed (affiliationChanged)",
            4 => "another certificate took its place (superseded)",
            5 => "it is no longer needed (cessationOfOperation)",
            Self::HOLD => "it is on hold, which may be lifted again (certificateHold)",
            9 => "a right that it gives was withdrawn (privilegeWithdrawn)",
            10 => "the key of an attribute authority may be in other hands (aACompromise)",
            other => {
                return format!("the reason has the number {other}, which RFC 5280 does not know");
            }
        };
        words.to_owned()
    }
}

impl RevocationList {
    /// Reads the DER of one list.
    ///
    /// # Errors
    /// [`RevocationListError`] when it is none.
    pub fn from_der(der: &[u8]) -> Result<Self, RevocationListError> {
        let parsed = CertificateRevocationList::from_der(der);
        let (rest, parsed) = parsed.map_err(|_| RevocationListError)?;
        if !rest.is_empty() {
            return Err(RevocationListError);
        }
        let entries = || parsed.iter_revoked_certificates();
        let mut unknown_critical = Vec::new();
        let extensions = entries().flat_map(RevokedCertificate::iter_extensions);
        for extension in parsed.extensions().iter().chain(extensions) {
            let oid = dotted(&extension.oid);
            if extension.critical && !is_understood(extension) && !unknown_critical.contains(&oid) {
                unknown_critical.push(oid);
            }
        }
        Ok(Self {
            issuer: Name::read(parsed.issuer()),
            this_update: parsed.last_update().to_datetime(),
            next_update: parsed.next_update().map(|it| it.to_datetime()),
            signature: Signature::of(&parsed.signature_algorithm),
            revoked: entries().filter_map(entry).collect(),
            der: der.to_vec(),
            unknown_critical,
        })
    }

    /// How many certificates it takes back.
    pub fn len(&self) -> usize {
        self.revoked.len()
    }

    /// Whether it takes back none.
    pub fn is_empty(&self) -> bool {
        self.revoked.is_empty()
    }

    /// Whether it bears the name of this CA.
    pub fn names(&self, issuer: &Certificate) -> bool {
        self.issuer.as_der() == issuer.subject.as_der()
    }

    /// Whether it bears the name of this CA, and the CA's key signed it.
    pub fn is_issued_by(&self, issuer: &Certificate) -> bool {
        self.names(issuer) && issuer.has_signed(&self.der, &self.signature)
    }

    /// Why a list of this CA says nothing of its certificates; `None` where it does.
    pub fn flaw(&self, issuer: &Certificate) -> Option<Flaw> {
        let has = |oid: &str| self.unknown_critical.iter().any(|it| it == oid);
        let lacks_usage = issuer
            .key_usage
            .is_some_and(|it| !it.has(KeyUsage::CRL_SIGN));
        match self.unknown_critical.first() {
            _ if has(DELTA) => Some(Flaw::Delta),
            _ if has(DISTRIBUTION_POINT) => Some(Flaw::Part),
            Some(oid) => Some(Flaw::Extension(oid.clone())),
            None if lacks_usage => Some(Flaw::Usage),
            None => None,
        }
    }

    /// Where a moment lies with respect to the time that the list speaks of.
    pub fn at(&self, now: OffsetDateTime) -> Moment {
        if now < self.this_update {
            Moment::Before
        } else if self.next_update.is_some_and(|next| now > next) {
            Moment::After
        } else {
            Moment::Within
        }
    }

    /// What it says of a certificate of its issuer.
    pub fn revocation(&self, certificate: &Certificate) -> Option<Revocation> {
        self.revoked.get(significant(&certificate.serial)).copied()
    }
}

/// Why a list cannot be used, although its issuer's key signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It has only what changed since another list.
    Delta,
    /// It has a critical extension with this object identifier.
    Extension(String),
    /// It has only some of what the CA takes back, or what other CAs do.
    Part,
    /// The keyUsage of its issuer lacks cRLSign.
    Usage,
}

/// The list that decides for the certificates of this CA: of those that can be used the newest, one from the future
/// only where there is no other.
pub fn deciding<'a>(
    lists: impl IntoIterator<Item = &'a RevocationList>,
    issuer: &Certificate,
    now: OffsetDateTime,
) -> Option<&'a RevocationList> {
    lists
        .into_iter()
        .filter(|it| it.names(issuer) && it.flaw(issuer).is_none() && it.is_issued_by(issuer))
        .max_by_key(|it| (it.this_update <= now, it.this_update))
}

/// Whether a certificate of the path is revoked.
pub fn is_revoked(path: &Path<'_>, lists: &[&RevocationList], now: OffsetDateTime) -> bool {
    path.issued().any(|(certificate, issuer)| {
        let list = deciding(lists.iter().copied(), issuer, now);
        list.is_some_and(|it| it.revocation(certificate).is_some())
    })
}

/// RFC 5280, 5.2 and 5.3: what concerns the status of a certificate and is acted upon here.
fn is_understood(extension: &X509Extension<'_>) -> bool {
    matches!(
        extension.parsed_extension(),
        ParsedExtension::AuthorityKeyIdentifier(_)
            | ParsedExtension::CRLNumber(_)
            | ParsedExtension::InvalidityDate(_)
            | ParsedExtension::ReasonCode(_)
    ) && dotted(&extension.oid) != DELTA
}

fn entry(it: &RevokedCertificate<'_>) -> Option<(Vec<u8>, Revocation)> {
    let revocation = Revocation {
        since: it.revocation_date.to_datetime(),
        reason: it.reason_code().map_or(0, |(_, reason)| reason.0),
    };
    let revoked = revocation.reason != Revocation::REMOVED;
    revoked.then(|| (significant(it.raw_serial()).to_vec(), revocation))
}

/// A serial number without leading zero octets.
fn significant(serial: &[u8]) -> &[u8] {
    let zeros = serial.iter().take_while(|octet| **octet == 0).count();
    &serial[zeros..]
}

impl fmt::Debug for RevocationList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RevocationList({}, {} entries)", self.issuer, self.len())
    }
}
