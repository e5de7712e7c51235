//! Client authentication (RFC 8446, 4.3.2 and 4.4.2).
//!
//! In TLS 1.3 a finished handshake proves nothing about client certificates: the refusal comes after it, as an
//! alert, as a bare end of the connection, or as an HTTP status. Only an answered call proves acceptance.

use super::words::{alert, ended};
use super::{Code, Finding, Fix, Judge, StageId, Status};
use crate::pki::certificate::Name;
use crate::pki::validity::Moment;
use crate::probe::{Failure, First, Rpc, RpcOutcome, Session};
use crate::text::{date, printable};

/// Alert 48: no trust anchor of the server leads to the certificate (RFC 8446, 6.2).
const UNKNOWN_CA: u8 = 48;

impl Judge<'_> {
    /// How the server turned us away for want of a certificate that it likes; `None` where it did not.
    pub(super) fn refused<'s>(&self, session: &'s Session) -> Option<Refusal<'s>> {
        session.requested.as_ref()?;
        if let Err(failure) = &session.handshake {
            return (*failure != Failure::Certificate && *failure != Failure::Timeout)
                .then_some(Refusal::Ended(failure));
        }
        if let Some(First::Ended(failure)) = &session.first {
            return Some(Refusal::Ended(failure));
        }
        let rpc = session.rpc.as_ref()?;
        if let Some(http) = &rpc.http
            && matches!(http.status, 400 | 401 | 403 | 495 | 496)
        {
            return Some(Refusal::Http(http.status));
        }
        match &rpc.outcome {
            RpcOutcome::NoAnswer(Failure::Timeout) => None,
            RpcOutcome::NoAnswer(failure) => Some(Refusal::Ended(failure)),
            _ => None,
        }
    }

    pub(super) fn client_auth(&mut self) {
        let Some(session) = self.answering() else {
            return;
        };
        let Some(request) = &session.requested else {
            if session.handshake.is_ok() {
                self.stage(StageId::ClientAuth, Status::Ok, "not asked for", None);
            }
            return;
        };
        let Some(refusal) = self.refused(session) else {
            if session.rpc.as_ref().is_some_and(Rpc::is_answered) {
                let message = if session.identity {
                    "certificate accepted"
                } else {
                    "asked for, but not required"
                };
                self.stage(StageId::ClientAuth, Status::Ok, message, None);
            }
            return;
        };
        let how = refusal.words();
        let names = request
            .authorities
            .iter()
            .filter_map(|der| Name::from_der(der));
        let names: Vec<String> = names
            .take(4)
            .map(|name| printable(&name.to_string()))
            .collect();
        let accepts = if names.is_empty() {
            String::new()
        } else {
            format!(" It accepts certificates of {}.", names.join("; "))
        };
        if session.identity {
            let reason = self.own_fault(&names, &refusal);
            let headline = "the server refused the client certificate".to_owned();
            let why = format!("Shown the certificate, {how}.{accepts}{}", reason.0);
            let code = Code::ClientAuthRefused;
            let finding = Finding::new(code, headline, why, reason.1);
            return self.find("certificate refused", finding);
        }
        if self.knowledge.identity.is_some() {
            let message = "required; none was shown to a server that is not trusted";
            return self.stage(StageId::ClientAuth, Status::Skip, message, None);
        }
        let headline = "the server demands a client certificate".to_owned();
        let why = format!("It asked for one and got none: {how}.{accepts}");
        let fix = self.show_a_certificate();
        let code = Code::ClientAuthRequired;
        let finding = Finding::new(code, headline, why, fix);
        self.find("required, and none was shown", finding);
    }

    fn show_a_certificate(&self) -> Fix {
        let target = &self.observation.target;
        let client = self
            .knowledge
            .entries
            .iter()
            .find(|it| it.client_auth && it.certificate.is_some());
        match client {
            Some(client) => Fix::command(self.knowledge.command(&format!("verify {target} --client {}", client.name)), ""),
            None => Fix::steps([
                "show one: `--cert FILE --key FILE`".to_owned(),
                "or make one: add `[certs.client]` with `profile = \"client\"` to certs.toml, run `grpc-pki issue`, \
                 then `--client client`"
                    .to_owned(),
            ]),
        }
    }

    /// What is wrong with our own certificate as far as we can see, and what to do.
    fn own_fault(&self, accepted: &[String], refusal: &Refusal<'_>) -> (String, Fix) {
        let Some(own) = &self.knowledge.identity else {
            return (String::new(), Fix::steps(["look at the server's log"]));
        };
        let name = printable(&own.subject.to_string());
        let issuer = printable(&own.issuer.to_string());
        match own.validity.at(self.now) {
            Moment::After => {
                let why = format!(
                    " Ours ({name}) expired on {}.",
                    date(own.validity.not_after)
                );
                return (
                    why,
                    Fix::command(self.knowledge.command("issue"), "and try again"),
                );
            }
            Moment::Before => {
                let why = format!(
                    " Ours ({name}) is valid only from {}.",
                    date(own.validity.not_before)
                );
                return (
                    why,
                    Fix::steps(["check the clock of this machine and of the server"]),
                );
            }
            Moment::Within => {}
        }
        if !own.allows_client_auth() {
            let why = format!(
                " Ours ({name}) is not for clients: its extendedKeyUsage lacks clientAuth."
            );
            let fix = Fix::steps([
                "use a certificate of profile `client` or `peer`: in certs.toml `profile = \"peer\"`, then `grpc-pki issue`",
            ]);
            return (why, fix);
        }
        let unknown = matches!(refusal, Refusal::Ended(Failure::Alert(UNKNOWN_CA)));
        if unknown || (!accepted.is_empty() && !accepted.contains(&issuer)) {
            let why = format!(" Ours is from {issuer}.");
            let fix = Fix::steps([
                "use a certificate of a CA that the server accepts, or let it load this CA's ca.crt",
            ]);
            return (why, fix);
        }
        let why = format!(" Ours ({name}, issued by {issuer}) looks right from here.");
        (
            why,
            Fix::steps([
                "compare the CA file that the server loads for clients with pki/ca.crt; its log says more",
            ]),
        )
    }
}

/// How a server turned a client away.
pub(super) enum Refusal<'s> {
    Ended(&'s Failure),
    Http(u16),
}

impl Refusal<'_> {
    fn words(&self) -> String {
        match self {
            Self::Ended(Failure::Alert(number)) => {
                format!("it ended the connection with `{}`", alert(*number))
            }
            Self::Ended(failure) => ended(failure),
            Self::Http(status) => format!("it answered HTTP {status}"),
        }
    }
}
