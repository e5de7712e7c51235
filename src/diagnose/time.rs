//! The validity of every certificate on the path, the trust anchor's too (RFC 5280, 4.1.2.5).

use ::time::{Duration, OffsetDateTime};

use super::clock::set_clocks;
use super::{Code, Finding, Fix, Judge, StageId, Status};
use crate::pki::Certificate;
use crate::pki::path::Path;
use crate::pki::validity::Moment;
use crate::text::{date, printable, until};

/// A certificate that starts within this time is more likely a matter of clocks than of dates.
const CLOCK_SKEW: Duration = Duration::hours(24);

impl Judge<'_> {
    pub(super) fn time(&mut self, path: &Path<'_>) {
        let mut left = Vec::new();
        let before = self.findings.len();
        for (depth, certificate) in path.certificates.iter().enumerate() {
            self.period(certificate, depth, depth > 0, path.certificates[0]);
            left.push(format!(
                "{} {}",
                if depth == 0 { "server" } else { "issuer" },
                self.left(certificate)
            ));
        }
        let last = path.certificates.last();
        if let Some(anchor) = path
            .anchor()
            .filter(|it| last.is_none_or(|last| last.der() != it.der()))
        {
            self.anchor_period(anchor);
            left.push(format!("CA {}", self.left(anchor)));
        }
        if self.findings.len() == before {
            self.stage(StageId::Time, Status::Ok, left.join(", "), None);
        }
        self.renewed_on_disk(path.certificates[0]);
        self.clocks();
    }

    fn left(&self, certificate: &Certificate) -> String {
        until(self.now, certificate.validity.not_after)
    }

    fn period(
        &mut self,
        certificate: &Certificate,
        depth: usize,
        issuer: bool,
        end_entity: &Certificate,
    ) {
        let validity = certificate.validity;
        let subject = printable(&certificate.subject.to_string());
        let whose = if issuer {
            format!("the issuer's certificate ({subject})")
        } else {
            "the certificate".to_owned()
        };
        let (code, headline, why, fix) = match validity.at(self.now) {
            Moment::Within => return,
            Moment::After => (
                if depth == 0 {
                    Code::TimeExpired
                } else {
                    Code::TimeIssuer
                },
                format!("{whose} expired on {}", date(validity.not_after)),
                format!(
                    "It ended {}, {} ago.",
                    minute(validity.not_after),
                    until(self.now, validity.not_after)
                ),
                if depth == 0 {
                    self.knowledge.issue_again(end_entity, self.now)
                } else {
                    Fix::steps([
                        format!(
                            "have the certificate of {subject} renewed, and the server send that one in the place of \
                             the old"
                        ),
                        "or have the server's certificate issued anew by a CA that lasts; then restart the server"
                            .to_owned(),
                    ])
                },
            ),
            Moment::Before => {
                let ahead = validity.not_before - self.now;
                let fix = if self.skew().is_some() {
                    set_clocks()
                } else if ahead < CLOCK_SKEW {
                    Fix::steps([format!(
                        "compare the clocks: this machine says {}; `timedatectl` shows whether it is set by NTP",
                        minute(self.now)
                    )])
                } else {
                    Fix::steps([
                        "check the clock of this machine and of the one that issued the certificate",
                    ])
                };
                (
                    if depth == 0 {
                        Code::TimeNotYetValid
                    } else {
                        Code::TimeIssuer
                    },
                    format!("{whose} is valid only from {}", minute(validity.not_before)),
                    format!("It starts in {}.", until(self.now, validity.not_before)),
                    fix,
                )
            }
        };
        let message = headline.clone();
        let why = why + &self.by_their_clock(certificate);
        self.find(message, Finding::new(code, headline, why, fix));
    }

    /// That it is the clocks, where by the server's own the certificate is as it should be.
    fn by_their_clock(&self, certificate: &Certificate) -> String {
        match (self.server_time(), self.skew()) {
            (Some(theirs), Some(skew)) if certificate.validity.at(theirs) == Moment::Within => {
                format!(" By the server's clock it is valid: that one is {skew} this machine's.")
            }
            _ => String::new(),
        }
    }

    fn anchor_period(&mut self, anchor: &Certificate) {
        if anchor.validity.at(self.now) == Moment::Within {
            return;
        }
        let path = &self.knowledge.anchors_path;
        let headline = format!(
            "the CA in {path} expired on {}",
            date(anchor.validity.not_after)
        );
        let headline = match anchor.validity.at(self.now) {
            Moment::Before => format!(
                "the CA in {path} is valid only from {}",
                minute(anchor.validity.not_before)
            ),
            _ => headline,
        };
        let why =
            "Most clients hold a CA to its own dates, and refuse what it issued outside of them.";
        let fix = self.knowledge.renew_trust();
        let finding = Finding::new(Code::TimeAnchor, headline.clone(), why.to_owned(), fix);
        self.find(headline, finding);
    }
}

/// `2026-11-23 20:39 UTC`.
pub(super) fn minute(at: OffsetDateTime) -> String {
    format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
}
