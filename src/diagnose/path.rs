//! The certification path (RFC 5280, 6): whether a trusted CA issued the certificate, and for servers.

use super::words::short;
use super::{Code, Finding, Fix, Judge, StageId, Status};
use crate::pki::Certificate;
use crate::pki::path::{End, Path};
use crate::text::{date, printable};

impl Judge<'_> {
    pub(super) fn path(&mut self, path: &Path<'_>) {
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
                    "issue the server a certificate of your CA: `grpc-pki init && grpc-pki issue`"
                        .to_owned(),
                    "or trust it as it is, where it is not a CA: `--ca FILE` with that certificate"
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
                        "pass the CA that issued it: `grpc-pki verify {} --ca FILE`",
                        self.observation.target
                    ),
                    "or give the server a certificate of your CA: `grpc-pki issue`, and restart it"
                        .to_owned(),
                ]),
            ),
        };
        self.find(shown, Finding::new(code, headline, why, fix));
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
                     `grpc-pki issue` makes server.crt and server.key",
                ]),
            )
        } else {
            let message = format!(
                "{shown} ({}), {}",
                self.knowledge.anchors_path, end_entity.public_key
            );
            return self.stage(StageId::Path, Status::Ok, message, None);
        };
        self.find(shown.to_owned(), Finding::new(code, headline, why, fix));
    }
}
