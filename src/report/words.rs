//! Words for the reasons and warnings of a plan: each has its text here and nowhere else.

use time::OffsetDateTime;

use crate::error::encrypt_command;
use crate::pki::name;
use crate::plan::{Reason, Warning};
use crate::text::{date, printable, quoted, until};

/// Why a certificate is made.
pub fn reason(reason: &Reason, now: OffsetDateTime) -> String {
    match reason {
        Reason::CertificateMissing => "there is no certificate yet".to_owned(),
        Reason::CertificateWrong(content) => format!("the certificate file {content}"),
        Reason::Due { not_after } => {
            format!(
                "it is due for renewal: {} left, until {}",
                until(now, *not_after),
                date(*not_after)
            )
        }
        Reason::Expired { not_after } => {
            format!(
                "it expired on {} ({} ago)",
                date(*not_after),
                until(now, *not_after)
            )
        }
        Reason::Forced => "asked for with --force".to_owned(),
        Reason::IssuerDiffers { found, same_name } => {
            let found = printable(found);
            if *same_name {
                format!("it was issued by another key of the CA {found}")
            } else {
                format!("it was issued by another CA ({found})")
            }
        }
        Reason::KeyMismatch => "its private key is another certificate's".to_owned(),
        Reason::KeyMissing => "its private key is missing".to_owned(),
        Reason::KeyTypeDiffers { found, wanted } => {
            format!(
                "its key is {}, and certs.toml asks for {wanted}",
                printable(found)
            )
        }
        Reason::KeyWrong(content) => format!("the key file {content}"),
        Reason::NamesDiffer { added, removed } => {
            let part = |what: &str, names: &[_]| {
                (!names.is_empty()).then(|| format!("{what} {}", printable(&name::join(names))))
            };
            let parts = [part("adds", added), part("drops", removed)];
            format!(
                "certs.toml {}",
                parts
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(" and ")
            )
        }
        Reason::NotYetValid { not_before } => {
            format!("it is valid only from {}", date(*not_before))
        }
        Reason::ProfileDiffers { found, wanted } => {
            format!(
                "it is for {}, and certs.toml asks for a {wanted}",
                printable(found)
            )
        }
        Reason::SubjectDiffers { found, wanted } => {
            format!(
                "its subject is {}, and certs.toml asks for {wanted}",
                printable(found)
            )
        }
    }
}

/// The stable name of a reason in JSON.
pub fn reason_code(reason: &Reason) -> &'static str {
    match reason {
        Reason::CertificateMissing => "certificate_missing",
        Reason::CertificateWrong(_) => "certificate_unreadable",
        Reason::Due { .. } => "due",
        Reason::Expired { .. } => "expired",
        Reason::Forced => "forced",
        Reason::IssuerDiffers { .. } => "issuer_differs",
        Reason::KeyMismatch => "key_mismatch",
        Reason::KeyMissing => "key_missing",
        Reason::KeyTypeDiffers { .. } => "key_type_differs",
        Reason::KeyWrong(_) => "key_unreadable",
        Reason::NamesDiffer { .. } => "names_differ",
        Reason::NotYetValid { .. } => "not_yet_valid",
        Reason::ProfileDiffers { .. } => "profile_differs",
        Reason::SubjectDiffers { .. } => "subject_differs",
    }
}

/// What the user should know about a plan.
pub fn warning(warning: &Warning) -> String {
    match warning {
        Warning::CaEndsFirst { name, not_after } => format!(
            "`{name}` is due, but the CA itself ends on {}, and a new certificate could not last longer",
            date(*not_after)
        ),
        Warning::CCoreRefuses { name, key } => format!(
            "`{name}` has a key of type {key}: Python, C++, Ruby and PHP clients refuse it \
             (use ecdsa-p256 for them)"
        ),
        Warning::Clipped { name, not_after } => format!(
            "`{name}` ends with its CA on {}, sooner than `valid_for` asks for",
            date(*not_after)
        ),
        Warning::KeyWasOpen { path, mode } => {
            let (key, is_ca) = (path.display(), path.ends_with("ca.key"));
            let then = if is_ca {
                "make a new CA if others have had a look".to_owned()
            } else {
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                format!(
                    "if others have had a look, `grpc-pki issue {name} --force` makes a new one"
                )
            };
            format!(
                "others than its owner could read {key} (mode {mode:04o}), which is mended; {then}"
            )
        }
        Warning::LogRepaired { path, repair } => {
            let path = path.display();
            format!("{path}: the last line did not end, as after a full disk; {repair}")
        }
        Warning::KeyIsPlain { path } => format!(
            "{} has no passphrase, and one was asked for; `{}` gives it one",
            path.display(),
            encrypt_command(path)
        ),
        Warning::PassphraseIsOpen { path } => {
            let word = quoted(path);
            let path = path.display();
            format!("others than its owner can read the passphrase in {path}: chmod 600 {word}")
        }
        Warning::KeyIsOpen { path } => {
            let word = quoted(path);
            let path = path.display();
            format!("others than its owner can read {path}: chmod 600 {word}")
        }
    }
}
