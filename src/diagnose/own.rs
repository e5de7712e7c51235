//! Why a server may have refused our client certificate: our own look at it, since most servers do not say.

use super::enforcement::Refusal;
use super::{Fix, Judge, KnownEntry};
use crate::pki::Certificate;
use crate::pki::certificate::Name;
use crate::pki::validity::Moment;
use crate::probe::Failure;
use crate::text::{date, printable};

/// Alert 48: no trust anchor of the server leads to the certificate (RFC 8446, 6.2).
const UNKNOWN_CA: u8 = 48;

impl Judge<'_> {
    /// What is wrong with our own certificate as far as we can see, and what to do.
    pub(super) fn own_fault(&self, hints: &[Name], refusal: &Refusal) -> (String, Fix) {
        let Some(own) = &self.knowledge.identity else {
            return (String::new(), Fix::steps(["look at the server's log"]));
        };
        self.own_time(own)
            .or_else(|| self.own_revoked(own))
            .or_else(|| self.own_purpose(own))
            .or_else(|| self.own_path(own, hints, refusal))
            .unwrap_or_else(|| {
                let name = printable(&own.subject.to_string());
                let issuer = printable(&own.issuer.to_string());
                let anchors = &self.knowledge.anchors;
                let alike = anchors.iter().any(|it| it.subject == own.issuer);
                // Whose intermediate it is, cannot be told here.
                let but = if alike || !self.knowledge.identity_issuers.is_empty() {
                    "."
                } else {
                    ", but the server's own certificate is from another CA: it may accept clients of that one alone."
                };
                let mut why = format!(" Ours ({name}, issued by {issuer}) looks right from here{but}");
                let seen = &self.client_auth;
                if seen.anonymous == seen.with_certificate {
                    why.push_str(
                        " Shown none, it does the same: perhaps it is not about certificates.",
                    );
                }
                let fix = format!(
                    "compare the CA file that the server loads for clients with the CA of ours, {issuer}; its log says \
                     more"
                );
                (why, Fix::steps([fix]))
            })
    }

    fn own_time(&self, own: &Certificate) -> Option<(String, Fix)> {
        let name = printable(&own.subject.to_string());
        match own.validity.at(self.now) {
            Moment::After => {
                let why = format!(
                    " Ours ({name}) expired on {}.",
                    date(own.validity.not_after)
                );
                Some((why, self.issue_own_again(own)))
            }
            Moment::Before => {
                let start = date(own.validity.not_before);
                let why = format!(" Ours ({name}) is valid only from {start}.");
                let fix = "check the clock of this machine and of the server";
                Some((why, Fix::steps([fix])))
            }
            Moment::Within => None,
        }
    }

    fn own_purpose(&self, own: &Certificate) -> Option<(String, Fix)> {
        let name = printable(&own.subject.to_string());
        let why =
            format!(" Ours ({name}) is not for clients: its extendedKeyUsage lacks clientAuth.");
        (!own.allows_client_auth()).then(|| {
            let has_another = self.knowledge.entries.iter().any(KnownEntry::is_for_clients);
            let issue = self.knowledge.command("issue");
            let step = format!(
                "use a certificate of profile `client` or `peer`: in certs.toml `profile = \"peer\"`, then `{issue}`"
            );
            let fix = match has_another {
                true => self.show_a_certificate().or(format!("or {step}")),
                false => Fix::steps([step]),
            };
            (why, fix)
        })
    }

    /// Whether the server can get from our certificate to a CA that it accepts.
    fn own_path(
        &self,
        own: &Certificate,
        hints: &[Name],
        refusal: &Refusal,
    ) -> Option<(String, Fix)> {
        let shown = self.shown(own);
        let last = *shown.last()?;
        let issuer = printable(&last.issuer.to_string());
        if let Some(told) = self.own_other_key(own, last) {
            return Some(told);
        }
        let accepted = |name: &Name| hints.iter().any(|it| it.as_der() == name.as_der());
        // Go's client looks through its chain for a certificate whose issuer the server names.
        let withheld = if hints.is_empty() || shown.iter().any(|it| accepted(&it.issuer)) {
            ""
        } else {
            " A Go client would keep it back, as no issuer of its chain is among those: there the server says that \
             it got no certificate."
        };
        if accepted(&last.issuer) {
            let unknown = matches!(refusal, Refusal::Ended(Failure::Alert(UNKNOWN_CA)));
            let why = format!(
                " Ours is from {issuer}: by that name the server has a CA with another key, an older or a newer one."
            );
            let fix = "let the server load the ca.crt that this certificate was issued under, and restart it";
            return unknown.then(|| (why, Fix::steps([fix])));
        }
        if let Some(intermediate) = self.issuer_not_sent(last)
            && (hints.is_empty() || accepted(&intermediate.issuer))
        {
            let above = printable(&intermediate.issuer.to_string());
            let why = format!(
                " Ours is from {issuer}, an intermediate CA under {above}, and the certificate of {issuer} is not \
                 in our file, so the server finds no way from ours to its CA.{withheld}"
            );
            let fix = Fix::steps([
                "send the whole chain, ours first: `cat client.crt intermediate.crt > chain.crt`"
                    .to_owned(),
                "then show that: `--cert chain.crt --key client.key`".to_owned(),
            ]);
            return Some((why, fix));
        }
        let unknown = matches!(refusal, Refusal::Ended(Failure::Alert(UNKNOWN_CA)));
        if hints.is_empty() && !unknown {
            return None;
        }
        let why = format!(
            " Ours is from {issuer}, and its file holds nothing that leads on to a CA that the server accepts.{withheld}"
        );
        let fix = Fix::steps([
            "use a certificate of a CA that the server accepts, or let it load this CA's ca.crt"
                .to_owned(),
            format!(
                "where {issuer} is an intermediate CA, add its certificate to the file, below ours"
            ),
        ]);
        Some((why, fix))
    }

    /// Whether ours is from a CA that bears the name of a trusted one and is another.
    fn own_other_key(&self, own: &Certificate, last: &Certificate) -> Option<(String, Fix)> {
        let trusted = &self.knowledge.anchors;
        let mut namesakes = trusted
            .iter()
            .filter(|it| it.subject.as_der() == last.issuer.as_der())
            .peekable();
        namesakes.peek()?;
        if namesakes.any(|it| last.is_issued_by(it)) {
            return None;
        }
        let name = printable(&own.subject.to_string());
        let issuer = printable(&last.issuer.to_string());
        let why = format!(
            " Ours ({name}) is from {issuer}, but not from the CA of that name in {}, which the server's own is from: \
             the CA was made again.",
            self.knowledge.anchors_path
        );
        Some((why, self.issue_own_again(own)))
    }

    /// How to have our own certificate made anew.
    fn issue_own_again(&self, own: &Certificate) -> Fix {
        let is_own = |it: &&KnownEntry| {
            let on_disk = it.certificate.as_ref();
            on_disk.is_some_and(|it| it.der() == own.der())
        };
        match self.knowledge.entries.iter().find(is_own) {
            Some(entry) => {
                let command = self.knowledge.command(&format!("issue {}", entry.name));
                Fix::command(command, "and try again")
            }
            None => Fix::steps([format!(
                "have the client certificate issued anew by a CA that the server accepts: `{}` does so for those of \
                 certs.toml",
                self.knowledge.command("issue")
            )]),
        }
    }

    /// Our certificate and its issuers, as far as our file holds them.
    fn shown<'a>(&'a self, own: &'a Certificate) -> Vec<&'a Certificate> {
        let mut shown = vec![own];
        while let Some(last) = shown.last()
            && let Some(next) = self
                .knowledge
                .identity_issuers
                .iter()
                .find(|it| !shown.contains(it) && last.is_issued_by(it))
        {
            shown.push(next);
        }
        shown
    }

    /// The intermediate CA above a certificate, where we know it but do not send it.
    fn issuer_not_sent(&self, last: &Certificate) -> Option<Certificate> {
        let served = self.observation.seen().map_or(&[][..], |it| &it.chain);
        let served = served
            .iter()
            .filter_map(|der| Certificate::from_der(der.clone()).ok());
        let on_disk = self
            .knowledge
            .entries
            .iter()
            .filter_map(|it| it.certificate.as_ref());
        let known = self.knowledge.anchors.iter().chain(on_disk).cloned();
        known
            .chain(served)
            .find(|it| !it.is_self_issued() && last.is_issued_by(it))
    }
}
