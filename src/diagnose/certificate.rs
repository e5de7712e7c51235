//! The server's certificate: path, name and time, each judged on its own (RFC 5280, 6; RFC 9525).

use time::{Duration, OffsetDateTime};

use super::words::short;
use super::{Code, Finding, Fix, Judge, StageId, Status};
use crate::config::nearest;
use crate::pki::name::join;
use crate::pki::path::{End, Path};
use crate::pki::validity::Moment;
use crate::pki::{Certificate, GeneralName};
use crate::text::{date, printable, until};

/// A certificate that starts within this time is more likely a matter of clocks than of dates.
const CLOCK_SKEW: Duration = Duration::hours(24);

impl Judge<'_> {
    /// Judges the chain; returns it with the trust anchor that it reaches.
    pub(super) fn certificate(&mut self) -> (Vec<Certificate>, Option<Certificate>) {
        let Some(session) = self.observation.seen() else {
            return (Vec::new(), None);
        };
        let chain: Result<Vec<_>, _> = session
            .chain
            .iter()
            .map(|der| Certificate::from_der(der.clone()))
            .collect();
        let (Ok(chain), before) = (chain, self.findings.len()) else {
            let headline = "the certificate cannot be read".to_owned();
            let why = "What the server presents is not an intact X.509 certificate.".to_owned();
            let fix = Fix::steps([
                "issue the certificate anew: grpc-pki issue makes one that every stack reads",
            ]);
            let finding = Finding {
                code: Code::PathUnreadable,
                stage: StageId::Path,
                headline,
                why,
                fix,
            };
            self.find(StageId::Path, "unreadable", finding);
            return (Vec::new(), None);
        };
        let Some(path) = Path::find(&chain, &self.knowledge.anchors) else {
            return (chain, None);
        };
        self.path(&path);
        self.name(&chain[0]);
        self.time(&path);
        let refused = session.verified.as_ref().is_some_and(Result::is_err);
        if refused && self.findings.len() == before {
            let headline = "rustls refuses the certificate".to_owned();
            let why = "Names and dates are right and the CA is trusted, yet the certificate, or one above it, \
                       breaks a rule of RFC 5280 that gRPC clients in Rust enforce."
                .to_owned();
            let fix = self.knowledge.issue_again(&chain[0]);
            let finding = Finding {
                code: Code::PathRefused,
                stage: StageId::Path,
                headline,
                why,
                fix,
            };
            self.find(StageId::Path, "refused by rustls", finding);
        }
        let anchor = path.anchor().cloned();
        (chain, anchor)
    }

    fn path(&mut self, path: &Path<'_>) {
        let end_entity = path.certificates[0];
        let trusted = &self.knowledge.anchors_path;
        let mut shown: Vec<String> = path
            .certificates
            .iter()
            .map(|it| short(&it.subject))
            .collect();
        if let Some(anchor) = path.anchor()
            && path
                .certificates
                .last()
                .is_none_or(|last| last.subject != anchor.subject)
        {
            shown.push(short(&anchor.subject));
        }
        let shown = shown.join(" ← ");
        let last = path.certificates[path.certificates.len() - 1];
        let issuer = printable(&last.issuer.to_string());
        let ours = self
            .knowledge
            .anchors
            .first()
            .map(|it| printable(&it.subject.to_string()));
        let (code, headline, why, fix) = match path.end {
            End::Anchor(_) => return self.accepted_path(end_entity, &shown),
            End::OtherKey(anchor) => (
                Code::PathCaRecreated,
                "the certificate is from another CA of the same name".to_owned(),
                format!(
                    "Both are called {issuer}, but the key in {trusted} (valid from {}) did not sign it: \
                     the CA was made again after this certificate was issued.",
                    date(anchor.validity.not_before)
                ),
                self.knowledge.issue_again(end_entity).or(format!(
                    "or, where the server is right: put the CA that issued it into {trusted}"
                )),
            ),
            End::SelfSigned if path.certificates.len() == 1 => (
                Code::PathSelfSigned,
                "the certificate signed itself, and is not trusted".to_owned(),
                format!("{issuer} is its own issuer, and {trusted} does not contain it."),
                Fix::steps([
                    "issue the server a certificate of your CA: grpc-pki init && grpc-pki issue"
                        .to_owned(),
                    "or trust it as it is, where it is not a CA: --ca FILE with that certificate"
                        .to_owned(),
                ]),
            ),
            End::SelfSigned | End::UnknownIssuer => (
                Code::PathUnknownIssuer,
                format!("the certificate is from a CA that {trusted} does not contain"),
                format!(
                    "It was issued by {issuer}; {trusted} has {}.",
                    ours.unwrap_or_else(|| "no CA".to_owned())
                ),
                Fix::steps([
                    format!(
                        "pass the CA that issued it: grpc-pki verify {} --ca FILE",
                        self.observation.target
                    ),
                    "or give the server a certificate of your CA: grpc-pki issue, and restart it"
                        .to_owned(),
                ]),
            ),
        };
        self.find(
            StageId::Path,
            shown,
            Finding {
                code,
                stage: StageId::Path,
                headline,
                why,
                fix,
            },
        );
    }

    /// What a certificate of a trusted CA may still have wrong.
    fn accepted_path(&mut self, end_entity: &Certificate, shown: &str) {
        let name = printable(&end_entity.subject.to_string());
        let (code, headline, why, fix) = if end_entity.is_ca() {
            (
                Code::PathCaAsServer,
                "the server presents a CA certificate as its own".to_owned(),
                format!(
                    "{name} is marked CA: TRUE. rustls refuses that; Go, Python and Node accept it."
                ),
                Fix::command(
                    "grpc-pki init && grpc-pki issue",
                    "and give the server server.crt and server.key",
                ),
            )
        } else if !end_entity.allows_server_auth() {
            let only = if end_entity.allows_client_auth() {
                "clients"
            } else {
                "other purposes"
            };
            (
                Code::PathPurpose,
                format!("the certificate is for {only}, not for servers"),
                format!(
                    "The extendedKeyUsage of {name} lacks serverAuth: was a client's file given to the server?"
                ),
                Fix::steps([
                    "give the server a certificate of profile `server` or `peer`: \
                     grpc-pki issue makes server.crt and server.key",
                ]),
            )
        } else {
            let message = format!(
                "{shown} ({}), {}",
                self.knowledge.anchors_path, end_entity.public_key
            );
            return self.stage(StageId::Path, Status::Ok, message, None);
        };
        self.find(
            StageId::Path,
            shown.to_owned(),
            Finding {
                code,
                stage: StageId::Path,
                headline,
                why,
                fix,
            },
        );
    }

    fn name(&mut self, end_entity: &Certificate) {
        let wanted = self.observation.target.name().as_name();
        if end_entity.names.iter().any(|name| name.covers(&wanted)) {
            return self.stage(StageId::Name, Status::Ok, wanted.to_string(), None);
        }
        let hosts: Vec<GeneralName> = end_entity
            .names
            .iter()
            .filter(|it| matches!(it, GeneralName::Dns(_) | GeneralName::Ip(_)))
            .cloned()
            .collect();
        let presented = printable(&join(&hosts));
        let mut fix = self.knowledge.add_name(end_entity, &wanted);
        let (code, why) = match &wanted {
            _ if hosts.is_empty() => {
                let subject = printable(&end_entity.subject.to_string());
                (
                    Code::NameNoSan,
                    format!(
                        "It has no name in subjectAltName ({subject}); rustls and Go never read the common name."
                    ),
                )
            }
            GeneralName::Ip(address) => {
                let as_text = end_entity
                    .names
                    .contains(&GeneralName::Dns(address.to_string()));
                let stands = if as_text {
                    " The address stands there as a DNS name, where no client looks."
                } else {
                    ""
                };
                (
                    Code::NameIp,
                    format!(
                        "You dial the address {wanted}; the certificate is good for {presented}.{stands}"
                    ),
                )
            }
            _ => {
                let note = near(&wanted, &hosts).unwrap_or_default();
                (
                    Code::NameDns,
                    format!("You dial {wanted}; the certificate is good for {presented}.{note}"),
                )
            }
        };
        let alternative = hosts
            .iter()
            .find(|it| matches!(it, GeneralName::Dns(name) if !name.starts_with("*.")));
        if let Some(name) = alternative {
            fix = fix.or(format!(
                "or for this client alone: --server-name {}",
                printable(&name.to_string())
            ));
        }
        let headline = format!("the certificate does not cover `{wanted}`");
        let message = if hosts.is_empty() {
            "it has none".to_owned()
        } else {
            format!("it has {presented}")
        };
        let message = format!("wanted {wanted}; {message}");
        self.find(
            StageId::Name,
            message,
            Finding {
                code,
                stage: StageId::Name,
                headline,
                why,
                fix,
            },
        );
    }

    fn time(&mut self, path: &Path<'_>) {
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
                self.knowledge.issue_again(end_entity),
            ),
            Moment::Before => {
                let ahead = validity.not_before - self.now;
                let fix = if ahead < CLOCK_SKEW {
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
        self.find(
            StageId::Time,
            message,
            Finding {
                code,
                stage: StageId::Time,
                headline,
                why,
                fix,
            },
        );
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
        let why = "Rust and Java clients do not look at the CA's own dates; Go, Python, C++ and Node refuse it.";
        let fix = Fix::steps([
            "make a new CA in another folder (grpc-pki init --pki NEW), issue from it, and give clients the new ca.crt",
        ]);
        let finding = Finding {
            code: Code::TimeAnchor,
            stage: StageId::Time,
            headline: headline.clone(),
            why: why.to_owned(),
            fix,
        };
        self.find(StageId::Time, headline, finding);
    }

    /// Whether the peer counts as verified: rustls accepted it and no rule of ours objects.
    pub(super) fn is_verified(&self) -> bool {
        let accepted = self
            .observation
            .seen()
            .is_some_and(|it| it.verified == Some(Ok(())));
        let certificate = [StageId::Path, StageId::Name, StageId::Time];
        accepted
            && !self
                .findings
                .iter()
                .any(|it| certificate.contains(&it.stage))
    }
}

/// `2026-11-23 20:39 UTC`.
fn minute(at: OffsetDateTime) -> String {
    format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
}

/// What may explain a name that is almost there.
fn near(wanted: &GeneralName, presented: &[GeneralName]) -> Option<String> {
    let wanted = wanted.to_string();
    let names: Vec<String> = presented
        .iter()
        .map(|it| printable(&it.to_string()))
        .collect();
    let wildcard = names.iter().find(|name| {
        name.strip_prefix("*.")
            .is_some_and(|rest| wanted == rest || wanted.ends_with(&format!(".{rest}")))
    });
    if let Some(wildcard) = wildcard {
        return Some(format!(
            " The `*` in {wildcard} stands for exactly one label."
        ));
    }
    if let Some(longer) = names
        .iter()
        .find(|name| name.starts_with(&format!("{wanted}.")))
    {
        return Some(format!(" Did you mean {longer}?"));
    }
    let close = nearest(
        &wanted,
        names
            .iter()
            .map(String::as_str)
            .filter(|it| !it.starts_with("*.")),
    );
    close.map(|it| format!(" Did you mean {it}?"))
}
