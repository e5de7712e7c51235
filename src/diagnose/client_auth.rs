//! Client authentication (RFC 8446, 4.3.2 and 4.4.2).
//!
//! In TLS 1.3 a finished handshake proves nothing about client certificates: the refusal comes after it, as an
//! alert, as a bare end of the connection, or as an HTTP status. Only an answered call proves acceptance.

use super::enforcement::{Refusal, refusal};
use super::{Answer, Code, Enforcement, Finding, Fix, Judge, StageId, Status};
use crate::probe::{Rpc, Session};
use crate::text::printable;

/// How the usual servers are told to demand a client certificate.
const DEMAND: [&str; 7] = [
    "let the server demand one, and verify it against the CA:",
    "Go: `ClientAuth: tls.RequireAndVerifyClientCert` with `ClientCAs`",
    "tonic: `client_ca_root(ca)` without `client_auth_optional(true)`",
    "grpcio: `ssl_server_credentials(pairs, ca, require_client_auth=True)`",
    "grpc-js: `ServerCredentials.createSsl(ca, pairs, true)`",
    "nginx: `ssl_verify_client on;` with `ssl_client_certificate ca.crt;`",
    "haproxy: `bind … ca-file ca.crt verify required`",
];

impl Judge<'_> {
    /// How the server turned us away for want of a certificate that it likes; `None` where it did not.
    pub(super) fn refused(&self, session: &Session) -> Option<Refusal> {
        refusal(session)
    }

    pub(super) fn client_auth(&mut self) {
        self.client_auth = self.enforcement();
        let Some(session) = self.answering() else {
            return;
        };
        let answered = session.rpc.as_ref().is_some_and(Rpc::is_answered);
        let unasked = session.handshake.is_ok() && session.requested.is_none();
        match refusal(session) {
            Some(refusal) if self.client_auth.presented => self.refused_ours(&refusal),
            Some(refusal) => self.refused_none(&refusal),
            None if answered || unasked => self.let_in(answered),
            // Why the call has no answer is found elsewhere.
            None => {}
        }
        if self.client_auth.enforcement == Enforcement::AcceptsAny {
            self.accepts_any();
        }
    }

    fn refused_ours(&mut self, refusal: &Refusal) {
        let reason = self.own_fault(&self.client_auth.hints, refusal);
        let headline = "the server refused the client certificate".to_owned();
        let how = refusal.words();
        let accepts = self.accepted();
        let mut why = format!("Shown the certificate, {how}.{accepts}{}", reason.0);
        if self.client_auth.anonymous == Some(Answer::Accepted) {
            why.push_str(" A client that shows none gets in.");
        }
        let finding = Finding::new(Code::ClientAuthRefused, headline, why, reason.1);
        self.find("certificate refused", finding);
    }

    fn refused_none(&mut self, refusal: &Refusal) {
        if self.knowledge.identity.is_some() {
            let message = "required (likely); none was shown to a server that is not trusted";
            return self.stage(StageId::ClientAuth, Status::Skip, message, None);
        }
        let headline = "the server demands a client certificate".to_owned();
        let (how, accepts) = (refusal.words(), self.accepted());
        let why = format!("It asked for one and got none: {how}.{accepts}");
        let fix = self.show_a_certificate();
        let finding = Finding::new(Code::ClientAuthRequired, headline, why, fix);
        self.find("required (likely), and none was shown", finding);
    }

    /// We got in; now whether others would.
    fn let_in(&mut self, answered: bool) {
        let seen = &self.client_auth;
        let (message, worded) = match seen.enforcement {
            Enforcement::AcceptsAny => return,
            Enforcement::Ignored => (
                "ignored (not asked for)",
                Some((
                    "the server does not ask for a client certificate",
                    "Anyone who reaches the port gets in.".to_owned(),
                )),
            ),
            Enforcement::Requested => (
                "requested (not enforced)",
                Some((
                    "the server asks for a client certificate, but does not require one",
                    "It answered the same call to a client without one: anyone who reaches the port gets in."
                        .to_owned(),
                )),
            ),
            Enforcement::Required if seen.proven => ("required (proven)", None),
            Enforcement::Required | Enforcement::Unknown => (
                if seen.enforcement == Enforcement::Required {
                    "required (likely)"
                } else {
                    "unknown"
                },
                Some((
                    "it is not proven that the server demands a client certificate",
                    format!(
                        "What was seen: {}.",
                        seen.evidence.as_deref().unwrap_or("nothing")
                    ),
                )),
            ),
        };
        let code = if self.knowledge.require_mtls {
            Code::ClientAuthNotEnforced
        } else {
            Code::ClientAuthOptional
        };
        // An option that a server offers to us concerns us only if we took it.
        let optional = seen.enforcement == Enforcement::Requested && seen.presented;
        match worded {
            Some((headline, why)) if (self.knowledge.require_mtls && answered) || optional => {
                let fix = self.demand();
                self.find(message, Finding::new(code, headline, why, fix));
            }
            _ => self.stage(StageId::ClientAuth, Status::Ok, message, None),
        }
    }

    fn accepts_any(&mut self) {
        let headline = "the server accepts any client certificate".to_owned();
        let why = "It answered the call to a certificate that was made up for this test and that no CA signed, so \
                   anyone can get in with one of their own.";
        let fix = Fix::steps(DEMAND);
        let code = Code::ClientAuthAcceptsAny;
        let finding = Finding::new(code, headline, why, fix);
        self.find("accepts_any (a made-up certificate got in)", finding);
    }

    /// How to have the server demand a certificate, or to prove that it does.
    fn demand(&self) -> Fix {
        let seen = &self.client_auth;
        match seen.enforcement {
            Enforcement::Required if !seen.presented => self.show_a_certificate(),
            _ => Fix::steps(DEMAND),
        }
    }

    /// The CAs that the server said it accepts, as a sentence.
    fn accepted(&self) -> String {
        let hints = self.client_auth.hints.iter().take(4);
        let names: Vec<String> = hints.map(|it| printable(&it.to_string())).collect();
        if names.is_empty() {
            return String::new();
        }
        format!(" It accepts certificates of {}.", names.join("; "))
    }

    pub(super) fn show_a_certificate(&self) -> Fix {
        let target = self.observation.target.typed();
        let client = self.knowledge.entries.iter().find(|it| it.is_for_clients());
        match client {
            Some(client) => Fix::command(
                self.knowledge.command(&format!(
                    "verify {target}{} --client {}",
                    self.knowledge.own_flags, client.name
                )),
                "",
            ),
            None => Fix::steps([
                "show one: `--cert FILE --key FILE`".to_owned(),
                format!(
                    "or make one: add `[certs.client]` with `profile = \"client\"` to certs.toml, run `{}`, then \
                     `--client client`",
                    self.knowledge.command("issue")
                ),
            ]),
        }
    }
}
