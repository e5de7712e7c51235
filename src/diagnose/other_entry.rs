//! Whether the address of one entry of certs.toml serves the certificate of another.

use super::{Code, Finding, Fix, Judge, KnownEntry};
use crate::pki::Certificate;

impl Judge<'_> {
    /// Only what is certain: the certificate is, octet for octet, the one on disk of another entry.
    pub(super) fn other_entry(&mut self, served: &Certificate) {
        let Some(own) = &self.observation.target.entry else {
            return;
        };
        let is_served = |it: &&KnownEntry| {
            let on_disk = it.certificate.as_ref();
            on_disk.is_some_and(|it| it.der() == served.der())
        };
        let entries = &self.knowledge.entries;
        let found: Vec<&KnownEntry> = entries.iter().filter(is_served).collect();
        let [other, ..] = found[..] else {
            return;
        };
        if found.iter().any(|it| it.name == *own) {
            return;
        }
        let other = &other.name;
        let target = &self.observation.target;
        let headline = format!("the certificate is that of `{other}`, not of `{own}`");
        let why = format!(
            "{} gives {target} as the address of `{own}`, and the server there has the certificate of `{other}` \
             loaded.",
            self.knowledge.config_path
        );
        let fix = Fix::steps([
            format!("have the server load {own}.crt and {own}.key, and restart it"),
            format!(
                "or, where {target} is another service, correct `address` of `{own}` in {}",
                self.knowledge.config_path
            ),
        ]);
        let message = format!("serves `{other}`, not `{own}`");
        self.find(
            message,
            Finding::new(Code::PathOtherEntry, headline, why, fix),
        );
    }
}
