//! The certification path (RFC 5280, 6): whether a trusted CA issued the certificate, and for servers.

use super::words::short;
use super::{Code, Finding, Fix, Judge, StageId, Status};
use crate::pki::Certificate;
use crate::pki::certificate::{KeyUsage, PublicKey, purpose_name};
use crate::pki::name::join;
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
        let ours = self.knowledge.trusted_cas();
        let (code, headline, why, fix) = match path.end {
            End::Anchor(_) => return self.rules(path, &shown),
            End::OtherKey(anchor) => (
                Code::PathCaRecreated,
                "the certificate is from another CA of the same name".to_owned(),
                match self.knowledge.issuer_beside(last) {
                    Some(file) => format!(
                        "Both are called {issuer}, but the key in {trusted} did not sign it: the one in {} did.",
                        printable(&file.display().to_string())
                    ),
                    None => format!(
                        "Both are called {issuer}, but the key in {trusted} (valid from {}) did not sign it: the CA \
                         was made again after this certificate was issued.",
                        date(anchor.validity.not_before)
                    ),
                },
                match self.trust_the_one_beside(last) {
                    Some(fix) => fix,
                    None => self
                        .knowledge
                        .issue_again(end_entity, self.now)
                        .or(self.knowledge.trust_too("where the server is right")),
                },
            ),
            End::SelfSigned if path.certificates.len() == 1 => (
                Code::PathSelfSigned,
                "the certificate signed itself, and is not trusted".to_owned(),
                format!("{issuer} is its own issuer, and {trusted} does not contain it."),
                {
                    let fix = Fix::steps([format!(
                        "issue the server a certificate of your CA: `{}`",
                        self.knowledge.init_and_issue()
                    )]);
                    if end_entity.is_ca() {
                        fix
                    } else {
                        fix.or("or trust it as it is: `--ca FILE` with that certificate")
                    }
                },
            ),
            End::SelfSigned | End::UnknownIssuer => {
                let known = self.missing_intermediate(path);
                if let Some(finding) = known.or_else(|| self.intercepted(path)) {
                    let how = match finding.code {
                        Code::PathMissingIntermediate => "not sent",
                        _ => "not trusted",
                    };
                    self.find(
                        format!("{shown} ← {} ({how})", short(&last.issuer)),
                        finding,
                    );
                    return self.rules(path, &shown);
                }
                let proxy = self.perhaps_proxy(path);
                (
                    Code::PathUnknownIssuer,
                    format!("the certificate is from a CA that {trusted} does not contain"),
                    format!("It was issued by {issuer}; {trusted} has {ours}.{proxy}"),
                    self.trust_its_issuer(path),
                )
            }
        };
        let message = match path.end {
            End::SelfSigned => format!("{shown} (signed itself, not in {trusted})"),
            End::OtherKey(_) => format!(
                "{shown} ← {} (not the one in {trusted})",
                short(&last.issuer)
            ),
            _ => format!("{shown} ← {} (not in {trusted})", short(&last.issuer)),
        };
        self.find(message, Finding::new(code, headline, why, fix));
        self.rules(path, &shown);
    }

    /// What is wrong with the certificates of the path, whether or not a trusted CA stands at its end.
    fn rules(&mut self, path: &Path<'_>, shown: &str) {
        let before = self.findings.len();
        let end_entity = path.certificates[0];
        self.end_entity(end_entity, shown);
        self.issuers(path, shown);
        self.name_constraints(path, shown);
        self.critical_extensions(path, shown);
        self.strength(path, shown);
        if self.findings.len() == before && path.anchor().is_some() {
            let trusted = &self.knowledge.anchors_path;
            let revocation = self.not_revoked(path);
            let message = format!("{shown} ({trusted}), {}{revocation}", end_entity.public_key);
            self.stage(StageId::Path, Status::Ok, message, None);
        }
    }

    /// RFC 5280, 4.2.1.9 and 4.2.1.12, for the certificate of the server itself.
    fn end_entity(&mut self, certificate: &Certificate, shown: &str) {
        let name = printable(&certificate.subject.to_string());
        if certificate.is_ca() {
            let why = format!(
                "{name} is marked CA: TRUE, and rustls refuses that in a server's certificate."
            );
            let fix = Fix::command(
                self.knowledge.init_and_issue(),
                "and give the server server.crt and server.key",
            );
            let headline = "the server presents a CA certificate as its own";
            self.find(
                shown,
                Finding::new(Code::PathCaAsServer, headline, why, fix),
            );
        }
        if certificate.allows_server_auth() {
            return;
        }
        let only = if certificate.allows_client_auth() {
            "clients"
        } else {
            "other purposes"
        };
        let purposes = certificate.extended_key_usage.iter().flatten();
        let purposes: Vec<&str> = purposes.map(|oid| purpose_name(oid)).collect();
        let why = format!(
            "The extendedKeyUsage of {name} is {}, without serverAuth: was a client's file given to the server?",
            purposes.join(", ")
        );
        let fix = Fix::steps([format!(
            "give the server a certificate of profile `server` or `peer`: `{}` makes server.crt and server.key",
            self.knowledge.command("issue")
        )]);
        let headline = format!("the certificate is for {only}, not for servers");
        self.find(shown, Finding::new(Code::PathPurpose, headline, why, fix));
    }

    /// RFC 5280, 4.2.1.3, 4.2.1.9 and 4.2.1.12, for the intermediates.
    fn issuers(&mut self, path: &Path<'_>, shown: &str) {
        for (depth, issuer) in path.certificates.iter().enumerate().skip(1) {
            let name = printable(&issuer.subject.to_string());
            let again = || {
                Fix::steps([format!(
                    "have {name} made again as a CA, and the certificates below it too"
                )])
            };
            let lacks_usage = issuer
                .key_usage
                .is_some_and(|it| !it.has(KeyUsage::KEY_CERT_SIGN));
            if !issuer.is_ca() || lacks_usage {
                let why = if issuer.is_ca() {
                    format!("The keyUsage of {name} lacks keyCertSign.")
                } else {
                    format!(
                        "The basicConstraints of {name} do not say CA, yet it issued the certificate below it."
                    )
                };
                let headline = "a certificate that is no CA issued another";
                self.find(
                    shown,
                    Finding::new(Code::PathIssuerNotCa, headline, why, again()),
                );
            }
            if !issuer.allows_server_auth() {
                let headline = "an intermediate CA is not for servers";
                let why = format!(
                    "The extendedKeyUsage of {name} lacks serverAuth, which binds all that it issues."
                );
                self.find(
                    shown,
                    Finding::new(Code::PathIssuerPurpose, headline, why, again()),
                );
            }
            let limit = issuer.basic_constraints.and_then(|it| it.path_length);
            let below = path.certificates[1..depth]
                .iter()
                .filter(|it| !it.is_self_issued())
                .count();
            if let Some(limit) = limit
                && below > limit as usize
            {
                let headline = "the chain is longer than one of its CAs allows";
                let why =
                    format!("{name} allows {limit} intermediates below it, and there are {below}.");
                self.find(
                    shown,
                    Finding::new(Code::PathLength, headline, why, again()),
                );
            }
        }
    }

    /// RFC 5280, 4.2.1.10: the trust anchor's constraints bind too.
    fn name_constraints(&mut self, path: &Path<'_>, shown: &str) {
        let names = &path.certificates[0].names;
        for issuer in path
            .certificates
            .iter()
            .skip(1)
            .copied()
            .chain(path.anchor())
        {
            let Some(constraints) = &issuer.name_constraints else {
                continue;
            };
            let outside: Vec<_> = names
                .iter()
                .filter(|it| !constraints.allow(it))
                .cloned()
                .collect();
            if outside.is_empty() {
                continue;
            }
            let headline = format!(
                "a CA of the chain may not certify {}",
                printable(&join(&outside))
            );
            let permitted = constraints.permitted_dns.iter().cloned();
            let permitted: Vec<String> = permitted
                .chain(constraints.permitted_ip.iter().map(ToString::to_string))
                .collect();
            let allowed = if permitted.is_empty() {
                "all but what it excludes".to_owned()
            } else {
                printable(&permitted.join(", "))
            };
            let why = format!(
                "The name constraints of {} allow {allowed}.",
                printable(&issuer.subject.to_string())
            );
            let fix = Fix::steps([
                "leave the name out of the certificate, or have a CA issue it whose constraints allow the name",
            ]);
            self.find(
                shown,
                Finding::new(Code::PathNameConstraints, headline, why, fix),
            );
        }
    }

    /// RFC 5280, 4.2: a critical extension that is not understood is a refusal.
    fn critical_extensions(&mut self, path: &Path<'_>, shown: &str) {
        for certificate in &path.certificates {
            if certificate.unknown_critical.is_empty() {
                continue;
            }
            let headline = "a critical extension is not understood";
            let why = format!(
                "{} has the extension {} and marks it critical, so every client that does not know it has to refuse.",
                printable(&certificate.subject.to_string()),
                certificate.unknown_critical.join(", ")
            );
            let fix = Fix::steps([
                "have the certificate issued without it, or with it not marked critical",
            ]);
            self.find(
                shown,
                Finding::new(Code::PathCriticalExtension, headline, why, fix),
            );
        }
    }

    /// Keys and signatures that today's clients refuse.
    fn strength(&mut self, path: &Path<'_>, shown: &str) {
        let anchor = path.anchor();
        for (depth, certificate) in path.certificates.iter().enumerate() {
            let mut weak = Vec::new();
            if let PublicKey::Rsa(bits) = certificate.public_key
                && bits < 2048
            {
                weak.push(format!("an RSA key of {bits} bits"));
            }
            // Nobody verifies the signature of what is trusted as it is.
            let is_anchor = anchor.is_some_and(|it| it.der() == certificate.der());
            let digest = certificate.signature.name.to_lowercase();
            if !is_anchor && (digest.contains("sha1") || digest.contains("md5")) {
                weak.push(format!(
                    "a signature of the kind {}",
                    certificate.signature.name
                ));
            }
            if weak.is_empty() {
                continue;
            }
            let name = printable(&certificate.subject.to_string());
            let why = format!("{name} has {}.", weak.join(" and "));
            let fix = if depth == 0 {
                self.knowledge.issue_again(certificate, self.now)
            } else {
                Fix::steps([format!(
                    "have {name} made again with an ecdsa-p256 key, and what is below it too"
                )])
            };
            let headline = "the chain has a key or a signature that is too weak";
            self.find(shown, Finding::new(Code::PathWeak, headline, why, fix));
        }
    }
}
