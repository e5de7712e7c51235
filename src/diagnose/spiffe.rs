//! The SPIFFE id of the certificate against the one that is wanted (X509-SVID, 2): it is compared whole.

use super::words::excerpt;
use super::{Code, Finding, Fix, Judge, Knowledge, StageId, Status};
use crate::pki::spiffe::{Identity, identity};
use crate::pki::{Certificate, GeneralName};

/// A SPIFFE id that is longer is not offered for typing.
const SHORT: usize = 120;

impl Judge<'_> {
    pub(super) fn spiffe_id(&mut self, end_entity: &Certificate, wanted: &str) {
        let names = &end_entity.names;
        let fix = self.knowledge.set_spiffe_id(end_entity, wanted);
        let (code, message, why, fix) = match identity(names) {
            Identity::Id(id) if id == wanted => {
                return self.stage(StageId::Name, Status::Ok, wanted, None);
            }
            Identity::Id(id) => {
                let shown = excerpt(id);
                let why = format!(
                    "You expect {wanted}; the certificate is of {shown}.{}",
                    near(wanted, id)
                );
                let fix = match spiffe_flag(id) {
                    Some(flag) => fix.or(format!(
                        "or, where that is the server that you mean: `{flag}`"
                    )),
                    None => fix,
                };
                (
                    Code::NameSpiffeMismatch,
                    format!("it has {shown}"),
                    why,
                    fix,
                )
            }
            Identity::Missing => {
                let uri = names.iter().find(|it| matches!(it, GeneralName::Uri(_)));
                let why = match uri {
                    Some(uri) => format!(
                        "The one URI in subjectAltName is {}, and that is no SPIFFE id.",
                        excerpt(&uri.to_string())
                    ),
                    None => "Its subjectAltName has no URI. DNS names and IP addresses do not count where a SPIFFE id \
                             is asked for."
                        .to_owned(),
                };
                (Code::NameSpiffeMissing, "it has none".to_owned(), why, fix)
            }
            Identity::Several(count) => {
                let wanted = GeneralName::Uri(wanted.to_owned());
                let among = if names.contains(&wanted) {
                    ", that one among them"
                } else {
                    ""
                };
                let why = format!(
                    "It has {count} URIs in subjectAltName{among}. SPIFFE allows one, and has clients refuse a \
                     certificate with more."
                );
                let fix = Fix::steps([format!(
                    "have the certificate issued anew with {wanted} as its only URI, and restart the server"
                )]);
                (
                    Code::NameSpiffeSeveral,
                    format!("it has {count} URIs"),
                    why,
                    fix,
                )
            }
        };
        let headline = format!("the certificate is not that of `{wanted}`");
        let message = format!("wanted {wanted}; {message}");
        self.find(message, Finding::new(code, headline, why, fix));
    }
}

impl Judge<'_> {
    /// What the other clients make of a server where none decides otherwise.
    pub(super) fn agreement(&self) -> (Status, &'static str) {
        match self.observation.target.spiffe_id {
            Some(_) => (
                Status::Skip,
                "not asked: gRPC clients as they come look for a name",
            ),
            None => (Status::Ok, "Go, Python, Node and Java would do the same"),
        }
    }
}

/// The flag that asks for this id, where it is fit to be typed.
pub(super) fn spiffe_flag(id: &str) -> Option<String> {
    let fit = id.len() <= SHORT && GeneralName::uri(id).is_ok_and(|it| it.is_spiffe());
    fit.then(|| format!("--spiffe-id {id}"))
}

/// What may explain an id that is almost right.
fn near(wanted: &str, presented: &str) -> &'static str {
    let domain = |id: &str| id.split('/').nth(2).map(str::to_owned);
    if wanted.eq_ignore_ascii_case(presented) {
        " They differ only in upper and lower case, which counts."
    } else if wanted.trim_end_matches('/') == presented.trim_end_matches('/') {
        " They differ only in the `/` at the end, which counts."
    } else if domain(wanted) != domain(presented) {
        " That is another trust domain."
    } else {
        ""
    }
}

impl Knowledge {
    /// How to have the served certificate carry this id: a certificate has one, so another one is replaced.
    fn set_spiffe_id(&self, served: &Certificate, wanted: &str) -> Fix {
        let name = GeneralName::Uri(wanted.to_owned());
        let add = self.add_name(served, &name);
        let Some(entry) = self.owner(served) else {
            return Fix::steps([format!(
                "have the server's certificate issued anew with the URI {wanted} in subjectAltName"
            )]);
        };
        let issued = entry.certificate.iter().flat_map(|it| &it.names);
        if entry.names.iter().chain(issued).any(|it| *it == name) {
            return add;
        }
        let Some(old) = entry.names.iter().find(|it| it.is_spiffe()) else {
            return add;
        };
        self.write(
            entry,
            entry.place.replace("URI", &old.to_string(), wanted),
            &format!("write {wanted} in place of {old} for `{}`", entry.name),
        )
    }
}
