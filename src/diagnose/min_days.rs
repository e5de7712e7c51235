//! `--min-days`: what is valid today, but ends sooner than somebody wants to be told.

use super::{Code, Finding, Fix, Judge};
use crate::pki::Certificate;
use crate::pki::path::Path;
use crate::pki::validity::Moment;
use crate::text::{date, plural, printable};

impl Judge<'_> {
    pub(super) fn min_days(&mut self, path: &Path<'_>) {
        let Some(least) = self.knowledge.min_days else {
            return;
        };
        let anchor = path.anchor();
        let is_anchor = |it: &Certificate| anchor.is_some_and(|anchor| anchor.der() == it.der());
        let server = path.certificates[0];
        let mut short: Vec<String> = Vec::new();
        let (mut soonest, mut issuers) = (i64::MAX, false);
        let issuing = path.certificates.iter().skip(1).copied();
        let issuing = issuing.filter(|it| !is_anchor(it)).chain(anchor);
        for certificate in std::iter::once(server).chain(issuing) {
            let days = self.days_left(certificate);
            // What has ended, or not begun, is told as that.
            if certificate.validity.at(self.now) != Moment::Within || days >= i64::from(least) {
                continue;
            }
            let is_server = certificate.der() == server.der();
            let whose = if is_server {
                "The server's certificate".to_owned()
            } else {
                issuers = true;
                format!("the CA {}", printable(&certificate.subject.to_string()))
            };
            let end = date(certificate.validity.not_after);
            short.push(format!("{whose} ends on {end}, in {}", left(days)));
            soonest = soonest.min(days);
        }
        if short.is_empty() {
            return;
        }
        let wanted = plural(least.into(), "day");
        let headline = format!("{} left, and --min-days asks for {wanted}", left(soonest));
        let mut why = format!("{}.", short.join("; "));
        if let Some(first) = why.get(..1).map(str::to_uppercase) {
            why.replace_range(..1, &first);
        }
        let fix = self.last_longer(server, issuers, least);
        let finding = Finding::new(Code::TimeBelowMinDays, headline.clone(), why, fix);
        self.find(headline, finding);
    }

    /// Whole days: what has 29 and a half left has 29.
    fn days_left(&self, certificate: &Certificate) -> i64 {
        (certificate.validity.not_after - self.now).whole_days()
    }

    fn last_longer(&self, server: &Certificate, issuers: bool, least: u16) -> Fix {
        if issuers {
            return Fix::steps([
                "a CA ends too soon, and no certificate outlives its CA: make a new one in another folder \
                 (`grpc-pki init --pki NEW`), issue from it, and give clients the new ca.crt",
            ]);
        }
        let Some(entry) = self.knowledge.owner(server) else {
            return Fix::steps([
                "have the server's certificate issued anew, and restart the server",
            ]);
        };
        let on_disk = entry.certificate.as_ref();
        if on_disk.is_some_and(|it| self.days_left(it) >= least.into()) {
            return Fix::steps([format!(
                "restart the server, or have it load its files again: {}.crt on disk lasts longer",
                entry.name
            )]);
        }
        let command = self
            .knowledge
            .command(&format!("issue {} --force", entry.name));
        Fix::command(command, "then restart the server").or(format!(
            "where `valid_for` of `{}` in {} is {} or less, raise it first",
            entry.name,
            self.knowledge.config_path,
            plural(least.into(), "day"),
        ))
    }
}

fn left(days: i64) -> String {
    plural(usize::try_from(days).unwrap_or_default(), "day")
}
