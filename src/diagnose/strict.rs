//! What libraries beyond the gRPC clients hold against a certificate: worth knowing, and no gRPC client's trouble.

use super::words::short;
use super::{Judge, Note};
use crate::pki::path::Path;
use crate::text::plural;

/// Apple's platforms take no server's certificate that lasts longer (support.apple.com/103769).
const APPLE: i64 = 825;

impl Judge<'_> {
    /// A remark for each of them.
    pub(super) fn strict(&mut self, path: &Path<'_>) {
        if path.anchor().is_none() {
            return;
        }
        let own = path.certificates[0];
        let days = (own.validity.not_after - own.validity.not_before).whole_days();
        let apple = (days > APPLE).then(|| {
            format!(
                "Apple's platforms refuse it: it lasts {}, and {APPLE} are the most there",
                plural(usize::try_from(days).unwrap_or_default(), "day")
            )
        });
        let keyless = path
            .certificates
            .iter()
            .find(|it| it.authority_key_identifier.is_none() && !it.is_self_issued());
        let python = keyless.map(|it| {
            format!(
                "Python's own ssl module refuses it from 3.13 on, grpcio does not: {} has no authorityKeyIdentifier",
                short(&it.subject)
            )
        });
        let notes = apple.into_iter().chain(python);
        self.notes.extend(notes.map(|text| Note {
            text,
            verbose: true,
        }));
    }
}
