//! What `init` did.

use std::fmt::Write;
use std::path::PathBuf;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{IssueReport, Report, Style};
use crate::error::Hint;
use crate::pki::Certificate;
use crate::plan::{KeyState, PlanError, Warning};
use crate::text::{date, printable, rfc3339, until};

/// Whether there is a new CA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InitOutcome {
    /// It was made.
    Created,
    /// It was there.
    Kept {
        /// Whether `[ca]` asks for something else than it is.
        differs: bool,
    },
}

/// What `init` did.
#[derive(Debug)]
pub struct InitReport {
    /// The folder.
    pub dir: PathBuf,
    /// The CA.
    pub certificate: Certificate,
    /// Whether it is new.
    pub outcome: InitOutcome,
    /// What there is of its key.
    pub key: KeyState,
    /// The certificates that were made with it, where its key was not kept.
    pub issued: Option<IssueReport>,
    /// certs.toml, where it was written now.
    pub starter: Option<PathBuf>,
    /// What the user should know besides.
    pub warnings: Vec<Warning>,
    /// The flags with which the next command finds the same folder and file.
    pub flags: String,
    /// The time of the run.
    pub now: OffsetDateTime,
}

impl Report for InitReport {
    fn human(&self, style: Style) -> String {
        let not_after = self.certificate.validity.not_after;
        let subject = printable(&self.certificate.subject.to_string());
        let (certificate, key) = (self.dir.join("ca.crt"), self.dir.join("ca.key"));
        let mut text = String::new();
        let left = until(self.now, not_after);
        match self.outcome {
            InitOutcome::Created => {
                let made = style.good("made");
                let end = match self.key {
                    KeyState::Ephemeral => "; its key was not kept, so it signs nothing more",
                    KeyState::Encrypted | KeyState::Plain => "",
                };
                let _ = writeln!(
                    text,
                    "{made} the CA {subject}, valid until {}{end}",
                    date(not_after)
                );
                let mut line = |path: &std::path::Path, what| {
                    let _ = writeln!(text, "  {:<12} {what}", path.display().to_string());
                };
                line(&certificate, "what clients trust; give it to everyone");
                match self.key {
                    KeyState::Encrypted => line(
                        &key,
                        "signs certificates, with its passphrase; keep a backup of both",
                    ),
                    KeyState::Ephemeral => {}
                    KeyState::Plain => line(
                        &key,
                        "signs certificates; keep it secret, and keep a backup",
                    ),
                }
                if let Some(starter) = &self.starter {
                    line(starter, "a starter; put in the names that clients dial");
                }
                match &self.issued {
                    Some(issued) => text.push_str(&issued.human(style)),
                    None => {
                        let _ = writeln!(text, "next: grpc-pki issue{}", self.flags);
                    }
                }
            }
            InitOutcome::Kept { .. } => {
                let passed = self.now > not_after;
                let path = certificate.display();
                let until = date(not_after);
                let _ = if passed {
                    writeln!(
                        text,
                        "{path} is the CA {subject}, which expired on {until} ({left} ago)"
                    )
                } else {
                    writeln!(
                        text,
                        "nothing to do: {path} is the CA {subject}, valid until {until} ({left} left)"
                    )
                };
                if self.key == KeyState::Ephemeral {
                    text.push_str("its key was not kept, so it signs nothing more\n");
                }
                if let Some(starter) = &self.starter {
                    let _ = writeln!(
                        text,
                        "{} {}, a starter",
                        style.good("wrote"),
                        starter.display()
                    );
                }
            }
        }
        text
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = self.warnings.iter().map(super::words::warning).collect();
        warnings.extend(self.issued.iter().flat_map(Report::warnings));
        let InitOutcome::Kept { differs } = self.outcome else {
            return warnings;
        };
        let not_after = self.certificate.validity.not_after;
        if self.now > not_after {
            let path = self.dir.join("ca.crt");
            warnings.extend(PlanError::CaExpired { path, not_after }.hint());
        }
        if differs {
            warnings.push(
                "[ca] in certs.toml asks for another CA than this one; a CA is never replaced, \
                 and a new one needs another folder (`--pki`)"
                    .to_owned(),
            );
        }
        warnings
    }

    fn json(&self) -> Value {
        let certificate = &self.certificate;
        let key = match self.key {
            KeyState::Ephemeral => None,
            KeyState::Encrypted | KeyState::Plain => Some(self.dir.join("ca.key")),
        };
        let mut value = json!({
            "schema": 1,
            "command": "init",
            "ok": true,
            "exit_code": 0,
            "changed": self.outcome == InitOutcome::Created || self.starter.is_some(),
            "ca": {
                "certificate": self.dir.join("ca.crt"),
                "key": key,
                "encrypted": self.key == KeyState::Encrypted,
                "ephemeral": self.key == KeyState::Ephemeral,
                "created": self.outcome == InitOutcome::Created,
                "subject": certificate.subject.to_string(),
                "serial": certificate.serial_hex(),
                "sha256": certificate.fingerprint(),
                "not_before": rfc3339(certificate.validity.not_before),
                "not_after": rfc3339(certificate.validity.not_after),
            },
            "starter": self.starter,
            "warnings": self.warnings(),
        });
        if let Some(issued) = &self.issued {
            value["steps"] = issued.json()["steps"].take();
        }
        value
    }
}
