//! What `issue` did, or would do.

use std::fmt::Write;
use std::path::PathBuf;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::words;
use super::{Report, Style};
use crate::pki::{Certificate, GeneralName, Profile, name};
use crate::plan::{Reason, Warning};
use crate::text::{date, plural, printable, rfc3339, until};

/// Entries listed in full; a longer list says how many more there are.
const MAX_LISTED: usize = 20;

/// How far `issue` went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssueMode {
    /// `--check`: only whether there is work.
    Check,
    /// `--dry-run`: only the plan.
    DryRun,
    /// Everything was made.
    Applied,
}

/// One entry of certs.toml and what happened to it.
#[derive(Debug)]
pub struct StepReport {
    /// Entry.
    pub name: String,
    /// What it is for.
    pub profile: Profile,
    /// Its names.
    pub names: Vec<GeneralName>,
    /// Why it is made; none when it stays.
    pub reasons: Vec<Reason>,
    /// When it ends: of the certificate that stays, or of the one to be made.
    pub not_after: OffsetDateTime,
    /// What was made.
    pub certificate: Option<Certificate>,
}

/// What `issue` did, or would do.
#[derive(Debug)]
pub struct IssueReport {
    /// The folder.
    pub dir: PathBuf,
    /// certs.toml, as it was named.
    pub config: PathBuf,
    /// How far it went.
    pub mode: IssueMode,
    /// Entries in file order.
    pub steps: Vec<StepReport>,
    /// What the user should know.
    pub warnings: Vec<Warning>,
    /// The flags with which the next command finds the same folder and file.
    pub flags: String,
    /// The time of the run.
    pub now: OffsetDateTime,
}

impl IssueReport {
    /// How many certificates are, or would be, made.
    pub fn work(&self) -> usize {
        self.steps
            .iter()
            .filter(|step| !step.reasons.is_empty())
            .count()
    }

    fn nothing(&self) -> String {
        let Some(next) = self.steps.iter().map(|step| step.not_after).min() else {
            let config = self.config.display();
            return format!("nothing to do: {config} names no certificate\n");
        };
        let count = self.steps.len();
        let are = if count == 1 { "is" } else { "are" };
        let certificates = plural(count, "certificate");
        let left = until(self.now, next);
        if count == 1 {
            format!("nothing to do: {certificates} {are} current, it expires in {left}\n")
        } else {
            format!("nothing to do: {certificates} {are} current, the next expires in {left}\n")
        }
    }

    fn files(&self, step: &StepReport) -> (PathBuf, PathBuf) {
        (
            self.dir.join(format!("{}.crt", step.name)),
            self.dir.join(format!("{}.key", step.name)),
        )
    }

    fn entry(&self, step: &StepReport, style: Style) -> String {
        let (certificate, key) = self.files(step);
        let verb = match self.mode {
            IssueMode::Applied => style.good("issued"),
            IssueMode::Check | IssueMode::DryRun => style.warn("would issue"),
        };
        let mut text = String::new();
        let files = format!("{}, {}", certificate.display(), key.display());
        let _ = writeln!(
            text,
            "{verb} {} ({}): {files}, until {}",
            step.name,
            step.profile,
            date(step.not_after)
        );
        if !step.names.is_empty() {
            let _ = writeln!(text, "  for  {}", printable(&name::join(&step.names)));
        }
        for reason in &step.reasons {
            let _ = writeln!(text, "  why  {}", words::reason(reason, self.now));
        }
        text
    }

    /// Which file goes where, and how to see that it works.
    fn next(&self) -> String {
        let made = |wanted: fn(Profile) -> bool| {
            self.steps
                .iter()
                .find(|step| !step.reasons.is_empty() && wanted(step.profile))
        };
        let mut text = String::new();
        if let Some(step) = made(Profile::server_auth) {
            let (certificate, key) = self.files(step);
            let ca = self.dir.join("ca.crt");
            let _ = writeln!(
                text,
                "the server loads {} and {}; clients trust {}",
                certificate.display(),
                key.display(),
                ca.display()
            );
        }
        if made(Profile::server_auth).is_some_and(|step| step.name == crate::config::TOP_LEVEL) {
            let flags = &self.flags;
            let _ = writeln!(
                text,
                "next: grpc-pki serve{flags}, and in another terminal: grpc-pki verify localhost:50051{flags}"
            );
        }
        text
    }
}

impl Report for IssueReport {
    fn human(&self, style: Style) -> String {
        let work = self.work();
        if work == 0 {
            return self.nothing();
        }
        let limit = if style.verbose {
            usize::MAX
        } else {
            MAX_LISTED
        };
        let listed = self.steps.iter().filter(|step| !step.reasons.is_empty());
        let mut text: String = listed
            .take(limit)
            .map(|step| self.entry(step, style))
            .collect();
        if work > limit {
            let _ = writeln!(text, "… and {} more (-v lists them)", work - limit);
        }
        let current = self.steps.len() - work;
        if current > 0 {
            let are = if current == 1 { "is" } else { "are" };
            let _ = writeln!(text, "{} {are} current", plural(current, "certificate"));
        }
        match self.mode {
            IssueMode::Applied => text.push_str(&self.next()),
            IssueMode::Check | IssueMode::DryRun => {
                let _ = writeln!(
                    text,
                    "{} to issue; nothing was written",
                    plural(work, "certificate")
                );
            }
        }
        text
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.iter().map(words::warning).collect()
    }

    fn json(&self) -> Value {
        let steps: Vec<Value> = self
            .steps
            .iter()
            .map(|step| {
                let (certificate, key) = self.files(step);
                let reasons: Vec<Value> = step
                    .reasons
                    .iter()
                    .map(|it| {
                        json!({ "code": words::reason_code(it), "message": words::reason(it, self.now) })
                    })
                    .collect();
                let mut value = json!({
                    "name": step.name,
                    "profile": step.profile.as_str(),
                    "action": if reasons.is_empty() { "keep" } else { "issue" },
                    "reasons": reasons,
                    "names": step.names.iter().map(|it| format!("{}:{it}", it.kind())).collect::<Vec<_>>(),
                    "not_after": rfc3339(step.not_after),
                    "certificate": certificate,
                    "key": key,
                });
                if let Some(certificate) = &step.certificate {
                    value["serial"] = certificate.serial_hex().into();
                    value["sha256"] = certificate.fingerprint().into();
                }
                value
            })
            .collect();
        let work = self.work();
        let applied = self.mode == IssueMode::Applied;
        json!({
            "schema": 1,
            "command": "issue",
            "ok": self.mode != IssueMode::Check || work == 0,
            "exit_code": u8::from(self.mode == IssueMode::Check && work > 0),
            "changed": applied && work > 0,
            "to_issue": if applied { 0 } else { work },
            "steps": steps,
            "warnings": self.warnings(),
        })
    }
}
