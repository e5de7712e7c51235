//! Why a certificate is made anew.

use time::OffsetDateTime;

use crate::config::Entry;
use crate::pki::certificate::PublicKey;
use crate::pki::validity::Moment;
use crate::pki::{Certificate, GeneralName, KeyAlgorithm};
use crate::store::{Content, EntryFiles, Found};

/// What is missing, stale or wrong about an entry's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no certificate file.
    CertificateMissing,
    /// The certificate file holds something else.
    CertificateWrong(Content),
    /// The time to renew has come.
    Due {
        /// When it ends.
        not_after: OffsetDateTime,
    },
    /// It ended.
    Expired {
        /// When.
        not_after: OffsetDateTime,
    },
    /// `--force`.
    Forced,
    /// The CA of the folder did not sign it.
    IssuerDiffers {
        /// Who did, by name.
        found: String,
        /// Whether the CA has the same name, so that only its key is another.
        same_name: bool,
    },
    /// The private key is not the certificate's.
    KeyMismatch,
    /// There is no key file.
    KeyMissing,
    /// Another kind of key is asked for.
    KeyTypeDiffers {
        /// Of the certificate.
        found: String,
        /// Of certs.toml.
        wanted: KeyAlgorithm,
    },
    /// The key file holds something else.
    KeyWrong(Content),
    /// Other names are asked for.
    NamesDiffer {
        /// In certs.toml only.
        added: Vec<GeneralName>,
        /// In the certificate only.
        removed: Vec<GeneralName>,
    },
    /// It starts later than now.
    NotYetValid {
        /// When.
        not_before: OffsetDateTime,
    },
    /// It is for another purpose, or is a CA's.
    ProfileDiffers {
        /// Of the certificate.
        found: String,
        /// Of certs.toml.
        wanted: &'static str,
    },
    /// Another subject is asked for.
    SubjectDiffers {
        /// Of the certificate.
        found: String,
        /// Of certs.toml.
        wanted: String,
    },
}

/// Every reason to make the certificate anew, what is plainly missing first; none when it may stay.
pub(super) fn find(
    entry: &Entry,
    files: &EntryFiles,
    ca: &Certificate,
    now: OffsetDateTime,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let certificate = match &files.certificates {
        Found::Missing => {
            reasons.push(Reason::CertificateMissing);
            None
        }
        Found::Wrong(content) => {
            reasons.push(Reason::CertificateWrong(*content));
            None
        }
        Found::Read(certificates) => Some(&certificates[0]),
    };
    match (&files.public_key_info, certificate) {
        // A certificate that was never made has no key either; one reason is enough.
        (Found::Missing, None) => {}
        (Found::Missing, Some(_)) => reasons.push(Reason::KeyMissing),
        (Found::Wrong(content), _) => reasons.push(Reason::KeyWrong(*content)),
        (Found::Read(key), Some(certificate)) if *key != certificate.public_key_info => {
            reasons.push(Reason::KeyMismatch);
        }
        (Found::Read(_), _) => {}
    }
    if let Some(certificate) = certificate {
        compare(entry, certificate, ca, &mut reasons);
        reasons.extend(time(entry, certificate, now));
    }
    reasons
}

fn compare(entry: &Entry, found: &Certificate, ca: &Certificate, reasons: &mut Vec<Reason>) {
    if !found.is_issued_by(ca) {
        reasons.push(Reason::IssuerDiffers {
            found: found.issuer.to_string(),
            same_name: found.issuer.as_der() == ca.subject.as_der(),
        });
    }
    if found.subject.comparable() != entry.subject.comparable() {
        reasons.push(Reason::SubjectDiffers {
            found: found.subject.to_string(),
            wanted: entry.subject.to_string(),
        });
    }
    let only_in = |these: &[GeneralName], those: &[GeneralName]| -> Vec<GeneralName> {
        these
            .iter()
            .filter(|name| !those.contains(name))
            .cloned()
            .collect()
    };
    let added = only_in(&entry.names, &found.names);
    let removed = only_in(&found.names, &entry.names);
    if !added.is_empty() || !removed.is_empty() {
        reasons.push(Reason::NamesDiffer { added, removed });
    }
    if let Some(purpose) = other_purpose(entry, found) {
        reasons.push(Reason::ProfileDiffers {
            found: purpose,
            wanted: entry.profile.as_str(),
        });
    }
    if found.public_key != kind(entry.key) {
        reasons.push(Reason::KeyTypeDiffers {
            found: found.public_key.to_string(),
            wanted: entry.key,
        });
    }
}

fn other_purpose(entry: &Entry, found: &Certificate) -> Option<String> {
    if found.is_ca() {
        return Some("signing certificates".to_owned());
    }
    let Some(purposes) = &found.extended_key_usage else {
        return Some("any purpose".to_owned());
    };
    let fits = found.allows_server_auth() == entry.profile.server_auth()
        && found.allows_client_auth() == entry.profile.client_auth()
        && purposes.len()
            == usize::from(entry.profile.server_auth()) + usize::from(entry.profile.client_auth());
    let names = purposes
        .iter()
        .map(|oid| crate::pki::certificate::purpose_name(oid));
    (!fits).then(|| names.collect::<Vec<_>>().join(" and "))
}

fn kind(algorithm: KeyAlgorithm) -> PublicKey {
    match algorithm {
        KeyAlgorithm::EcdsaP256 => PublicKey::Ecdsa("p256"),
        KeyAlgorithm::EcdsaP384 => PublicKey::Ecdsa("p384"),
        KeyAlgorithm::Ed25519 => PublicKey::Ed25519,
        KeyAlgorithm::Rsa2048 => PublicKey::Rsa(2048),
        KeyAlgorithm::Rsa3072 => PublicKey::Rsa(3072),
        KeyAlgorithm::Rsa4096 => PublicKey::Rsa(4096),
    }
}

fn time(entry: &Entry, found: &Certificate, now: OffsetDateTime) -> Option<Reason> {
    let not_after = found.validity.not_after;
    match found.validity.at(now) {
        Moment::After => Some(Reason::Expired { not_after }),
        Moment::Before => Some(Reason::NotYetValid {
            not_before: found.validity.not_before,
        }),
        Moment::Within if entry.renewal.due(found.validity) <= now => {
            Some(Reason::Due { not_after })
        }
        Moment::Within => None,
    }
}
