//! Whether the server still has a certificate that was renewed on disk since.

use ::time::OffsetDateTime;

use super::words::short;
use super::{Code, Finding, Fix, Judge, Knowledge, KnownEntry};
use crate::pki::Certificate;
use crate::pki::validity::Moment;
use crate::text::date;

/// What has to happen on the server, and nothing else.
pub(super) const LOAD_AGAIN: &str = "restart the server, or have it load its files again";

impl Knowledge {
    /// The entry that made a certificate, and what took its place on disk, where that is newer and good today.
    pub(super) fn renewed(
        &self,
        served: &Certificate,
        now: OffsetDateTime,
    ) -> Option<(&KnownEntry, &Certificate)> {
        let entry = self.owner(served)?;
        let new = entry.certificate.as_ref()?;
        let is_newer = new.validity.not_before >= served.validity.not_before
            && new.validity.at(now) == Moment::Within;
        let same_issuer = new.issuer == served.issuer
            && new.authority_key_identifier.is_some()
            && new.authority_key_identifier == served.authority_key_identifier;
        let is_trusted = same_issuer || self.anchors.iter().any(|it| new.is_issued_by(it));
        (new.der() != served.der() && is_newer && is_trusted).then_some((entry, new))
    }
}

impl Judge<'_> {
    /// Only what is certain: this folder issued the one that is served, and a newer one for the same entry.
    pub(super) fn renewed_on_disk(&mut self, served: &Certificate) {
        if !self.knowledge.issued.contains_key(&served.fingerprint()) {
            return;
        }
        let Some((entry, new)) = self.knowledge.renewed(served, self.now) else {
            return;
        };
        let name = &entry.name;
        let until = date(new.validity.not_after);
        let headline =
            format!("`{name}` was renewed on disk, and the server still has the old one");
        let why = format!(
            "It presents the certificate of {} with the serial number {}, until {}. On disk {name}.crt is a newer one, \
             until {until}, which the server has not loaded.",
            short(&served.subject),
            served.serial_hex(),
            date(served.validity.not_after),
        );
        let fix = Fix::steps([LOAD_AGAIN]);
        let finding = Finding::new(Code::TimeRenewedOnDisk, headline, why, fix);
        self.find(
            format!("renewed on disk until {until}, not loaded"),
            finding,
        );
    }
}
