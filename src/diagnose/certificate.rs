//! The server's certificate as a whole: path, name and time are judged each on its own, and then rustls's word.

use super::{Code, Finding, Fix, Judge, Outcome, StageId};
use crate::pki::Certificate;
use crate::pki::path::Path;

impl Judge<'_> {
    /// What the server presented, the end entity first; nothing where it cannot be read.
    pub(super) fn presented(&mut self) -> Vec<Certificate> {
        let Some(session) = self.observation.seen() else {
            return Vec::new();
        };
        let chain: Result<Vec<_>, _> = session
            .chain
            .iter()
            .map(|der| Certificate::from_der(der.clone()))
            .collect();
        chain.unwrap_or_else(|_| {
            let headline = "the certificate cannot be read".to_owned();
            let why = "What the server presents is not an intact X.509 certificate.".to_owned();
            let fix = Fix::steps([format!(
                "issue the certificate anew: `{}` makes one that every stack reads",
                self.knowledge.command("issue")
            )]);
            let finding = Finding::new(Code::PathUnreadable, headline, why, fix);
            self.find("unreadable", finding);
            Vec::new()
        })
    }

    /// Judges the certificate by the path that there is from it.
    pub(super) fn certificate(&mut self, path: &Path<'_>) {
        let (end_entity, before) = (path.certificates[0], self.failures());
        self.path(path);
        self.revocation(path);
        self.name(end_entity);
        self.time(path);
        let verified = self.observation.seen().and_then(|it| it.verified.as_ref());
        let refused = verified.is_some_and(Result::is_err);
        if refused && self.failures() == before {
            let headline = "rustls refuses the certificate".to_owned();
            let why = "Names and dates are right and the CA is trusted, yet the certificate, or one above it, \
                       breaks a rule of RFC 5280 that gRPC clients in Rust enforce."
                .to_owned();
            let fix = self.knowledge.issue_again(end_entity, self.now);
            let finding = Finding::new(Code::PathRefused, headline, why, fix);
            self.find("refused by rustls", finding);
        }
        self.min_days(path);
        self.other_entry(end_entity);
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
                .filter(|it| it.code.outcome() == Outcome::Certificate)
                .any(|it| certificate.contains(&it.stage()))
    }

    fn failures(&self) -> usize {
        self.findings.iter().filter(|it| it.is_failure()).count()
    }
}
