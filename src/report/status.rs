//! How the folder stands.

use std::fmt::Write;
use std::path::PathBuf;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{Report, Style, words};
use crate::error::Hint;
use crate::plan::{CaKey, EntryStatus, Status, Warning};
use crate::text::{date, plural, printable, rfc3339, until};

/// Entries listed in full; a longer list names first what there is to do, and says how many more there are.
const MAX_LISTED: usize = 20;
/// Warnings of one kind that are told.
const MAX_WARNED: usize = 5;

/// How the folder stands.
#[derive(Debug)]
pub struct StatusReport<'c> {
    /// The folder.
    pub dir: PathBuf,
    /// What was found.
    pub status: Status<'c>,
    /// The numbers of damaged lines in the list of certificates.
    pub damaged_lines: Vec<usize>,
    /// Whether the last line of that list is torn.
    pub is_torn: bool,
    /// Entries whose certificate is not in that list.
    pub unlisted: Vec<String>,
    /// What to know about all that was read.
    pub remark: Option<String>,
    /// The flags with which the next command finds the same folder and file.
    pub flags: String,
    /// The time of the run.
    pub now: OffsetDateTime,
}

impl StatusReport<'_> {
    /// How many certificates there are to issue.
    fn work(&self) -> usize {
        let entries = self.status.entries.iter();
        entries.filter(|it| !it.reasons.is_empty()).count()
    }

    fn ca(&self) -> String {
        let ca = &self.status.ca;
        let subject = printable(&ca.subject.to_string());
        let path = self.dir.join("ca.crt");
        let not_after = ca.validity.not_after;
        let left = until(self.now, not_after);
        let time = if self.now > not_after {
            format!("expired on {} ({left} ago)", date(not_after))
        } else {
            format!("until {} ({left} left)", date(not_after))
        };
        let key = match &self.status.ca_key {
            CaKey::Encrypted => "under a passphrase",
            CaKey::Ephemeral => "not kept, on purpose",
            CaKey::Missing => "missing",
            CaKey::Plain => "there",
            CaKey::Unusable(_) => "there, but cannot be used",
        };
        format!(
            "CA {subject} ({}), {time}; its key is {key}\n",
            path.display()
        )
    }

    fn left(&self, entry: &EntryStatus<'_>) -> (String, String) {
        match entry.validity() {
            None => ("-".to_owned(), "-".to_owned()),
            Some(it) if self.now > it.not_after => (date(it.not_after), "none".to_owned()),
            Some(it) => (date(it.not_after), until(self.now, it.not_after)),
        }
    }

    fn table(&self, style: Style) -> String {
        let mut entries: Vec<&EntryStatus<'_>> = self.status.entries.iter().collect();
        let limit = if style.verbose {
            usize::MAX
        } else {
            MAX_LISTED
        };
        if entries.len() > limit {
            entries.sort_by_key(|it| (it.reasons.is_empty(), it.validity().map(|it| it.not_after)));
        }
        let mut rows = vec![["name", "profile", "until", "left", "state"].map(str::to_owned)];
        for entry in entries.iter().take(limit) {
            let state = match entry.reasons.first() {
                None => "current".to_owned(),
                Some(reason) => words::reason(reason, self.now),
            };
            let (until, left) = self.left(entry);
            let profile = entry.entry.profile.as_str().to_owned();
            rows.push([entry.entry.name.clone(), profile, until, left, state]);
        }
        let width = |column: usize| rows.iter().map(|it| it[column].chars().count()).max();
        let widths = [0, 1, 2, 3].map(|column| width(column).unwrap_or_default());
        let mut text = String::new();
        for (index, row) in rows.iter().enumerate() {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths) {
                let _ = write!(line, "{cell:<width$}  ");
            }
            line.push_str(&match row[4].as_str() {
                state @ "current" => style.good(state),
                state if index > 0 => style.warn(state),
                state => state.to_owned(),
            });
            let _ = writeln!(text, "{line}");
        }
        if entries.len() > limit {
            let more = entries.len() - limit;
            let _ = writeln!(text, "… and {more} more (-v lists them)");
        }
        text
    }

    fn can_issue(&self) -> bool {
        let has_key = matches!(self.status.ca_key, CaKey::Encrypted | CaKey::Plain);
        has_key && self.status.ca_problem.is_none()
    }
}

/// As many of these as anybody reads, and how many more there are.
fn several(count: usize, each: &mut dyn Iterator<Item = String>, more: &str) -> Vec<String> {
    let mut told: Vec<String> = each.take(MAX_WARNED).collect();
    if count > told.len() {
        told.push(format!("{} {more}", count - told.len()));
    }
    told
}

impl Report for StatusReport<'_> {
    fn human(&self, style: Style) -> String {
        let mut text = self.ca();
        let (count, work) = (self.status.entries.len(), self.work());
        if count == 0 {
            text.push_str("certs.toml asks for no certificate\n");
            return text;
        }
        text.push_str(&self.table(style));
        let current = count - work;
        let is = |count| if count == 1 { "is" } else { "are" };
        let _ = match work {
            0 => writeln!(
                text,
                "{} {} current",
                plural(current, "certificate"),
                is(current)
            ),
            _ => writeln!(
                text,
                "{current} of {} current",
                plural(count, "certificate")
            ),
        };
        if work > 0 && self.can_issue() {
            let _ = writeln!(text, "next: grpc-pki issue{}", self.flags);
        }
        text
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = self.remark.iter().cloned().collect();
        let key = self.dir.join("ca.key");
        if let CaKey::Unusable(error) = &self.status.ca_key {
            let hint = error
                .hint()
                .map_or_else(String::new, |it| format!(": {it}"));
            warnings.push(format!("nothing can be issued or renewed: {error}{hint}"));
        }
        if self.status.ca_key == CaKey::Missing {
            warnings.push(format!(
                "{} is missing: nothing can be issued or renewed, though servers run on and `verify` works; \
                 restore it from a backup",
                key.display()
            ));
        }
        warnings.extend(self.status.ca_problem.iter().map(ToString::to_string));
        let open = |path| words::warning(&Warning::KeyIsOpen { path });
        warnings.extend(self.status.ca_key_is_open.then(|| open(key)));
        for entry in self.status.entries.iter().filter(|it| it.key_is_open) {
            warnings.push(open(self.dir.join(format!("{}.key", entry.entry.name))));
        }
        let log = self.dir.join("issued.jsonl");
        let log = log.display();
        if self.is_torn {
            warnings.push(format!(
                "{log}: the last line does not end; it is mended when the next certificate is issued"
            ));
        }
        warnings.extend(several(
            self.damaged_lines.len(),
            &mut self
                .damaged_lines
                .iter()
                .map(|line| format!("{log}:{line} is no record of a certificate")),
            &format!("more such lines in {log}"),
        ));
        warnings.extend(several(
            self.unlisted.len(),
            &mut self.unlisted.iter().map(|name| {
                format!(
                    "{name}.crt is not in {log}: it was made elsewhere, or the list is not whole"
                )
            }),
            &format!("more certificates that are not in {log}"),
        ));
        warnings
    }

    fn json(&self) -> Value {
        let Status { ca, ca_key, .. } = &self.status;
        let key = match ca_key {
            CaKey::Encrypted => "encrypted",
            CaKey::Ephemeral => "ephemeral",
            CaKey::Missing => "missing",
            CaKey::Plain => "plain",
            CaKey::Unusable(_) => "unusable",
        };
        let days = |at: OffsetDateTime| (at - self.now).whole_days();
        let entries: Vec<Value> = self
            .status
            .entries
            .iter()
            .map(|it| {
                let reasons = it.reasons.iter().map(|reason| {
                    json!({
                        "code": words::reason_code(reason),
                        "message": words::reason(reason, self.now),
                    })
                });
                let validity = it.validity();
                json!({
                    "name": it.entry.name,
                    "profile": it.entry.profile.as_str(),
                    "current": it.reasons.is_empty(),
                    "reasons": reasons.collect::<Vec<_>>(),
                    "not_before": validity.map(|it| rfc3339(it.not_before)),
                    "not_after": validity.map(|it| rfc3339(it.not_after)),
                    "days_left": validity.map(|it| days(it.not_after)),
                    "serial": it.certificate.as_ref().map(|it| it.serial_hex()),
                    "certificate": self.dir.join(format!("{}.crt", it.entry.name)),
                    "key": self.dir.join(format!("{}.key", it.entry.name)),
                })
            })
            .collect();
        json!({
            "schema": 1,
            "command": "status",
            "ok": true,
            "exit_code": 0,
            "ca": {
                "certificate": self.dir.join("ca.crt"),
                "subject": ca.subject.to_string(),
                "serial": ca.serial_hex(),
                "not_before": rfc3339(ca.validity.not_before),
                "not_after": rfc3339(ca.validity.not_after),
                "days_left": days(ca.validity.not_after),
                "key": key,
            },
            "can_issue": self.can_issue(),
            "to_issue": self.work(),
            "certificates": entries,
            "warnings": self.warnings(),
        })
    }
}
