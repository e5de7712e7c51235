//! The names of the certificate against the one that is dialled (RFC 9525, 6).

use super::spiffe::spiffe_flag;
use super::words::excerpt;
use super::{Code, Finding, Judge, StageId, Status};
use crate::config::nearest;
use crate::pki::name::join;
use crate::pki::spiffe::{Identity, identity};
use crate::pki::{Certificate, GeneralName};
use crate::text::printable;

impl Judge<'_> {
    pub(super) fn name(&mut self, end_entity: &Certificate) {
        if let Some(id) = &self.observation.target.spiffe_id {
            return self.spiffe_id(end_entity, id);
        }
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
        let only_id = match identity(&end_entity.names) {
            Identity::Id(id) if hosts.is_empty() => Some(id),
            _ => None,
        };
        if let Some(flag) = only_id.and_then(spiffe_flag) {
            fix = fix.or(format!(
                "or, where clients are made to look for that id: `{flag}`"
            ));
        }
        let (code, why) = match &wanted {
            _ if hosts.is_empty() => (
                Code::NameNoSan,
                match only_id {
                    Some(id) => format!(
                        "It has no DNS name and no IP address, only the SPIFFE id {}, and gRPC clients as they come \
                         cannot match a URI.",
                        excerpt(id)
                    ),
                    None => format!(
                        "It has no name in subjectAltName ({}); rustls and Go never read the common name.",
                        printable(&end_entity.subject.to_string())
                    ),
                },
            ),
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
        if let Some(name) = hosts.iter().find_map(host_to_type) {
            fix = fix.or(format!("or for this client alone: `--server-name {name}`"));
        }
        let headline = format!("the certificate does not cover `{wanted}`");
        let message = if let Some(id) = only_id {
            format!("it has {}", excerpt(id))
        } else if hosts.is_empty() {
            "it has none".to_owned()
        } else {
            format!("it has {presented}")
        };
        let message = format!("wanted {wanted}; {message}");
        self.find(message, Finding::new(code, headline, why, fix));
    }
}

/// The host name that this is, where it may stand in a command: a peer writes what it likes, also what a shell would run.
pub(super) fn host_to_type(name: &GeneralName) -> Option<&str> {
    match name {
        GeneralName::Dns(text) if !text.starts_with("*.") => {
            let is_host = text.is_ascii() && GeneralName::dns(text).is_ok();
            is_host.then_some(text.as_str())
        }
        _ => None,
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
