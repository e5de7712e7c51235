//! The names of the certificate against the one that is dialled (RFC 9525, 6).

use super::{Code, Finding, Judge, StageId, Status};
use crate::config::nearest;
use crate::pki::name::join;
use crate::pki::{Certificate, GeneralName};
use crate::text::printable;

impl Judge<'_> {
    pub(super) fn name(&mut self, end_entity: &Certificate) {
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
        if let Some(finding) = self.other_site(end_entity, &wanted, &presented) {
            return self.find(format!("wanted {wanted}; it has {presented}"), finding);
        }
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
                "or for this client alone: `--server-name {}`",
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
        self.find(message, Finding::new(code, headline, why, fix));
    }
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
