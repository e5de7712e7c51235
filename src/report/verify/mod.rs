//! What `verify` found: the verdict first, then a line for each stage, the cause and the fix.

mod addresses;
mod grpc;
mod json;
mod run;

use std::fmt::Write;

use serde_json::Value;
use time::OffsetDateTime;

use super::{Report, Style};
use crate::diagnose::{Finding, Stage, StageId, Status, Verdict};
use crate::probe::Observation;
use crate::text::{date, plural, printable, until};

pub use run::{Run, Tally, waiting};

/// Width of a line without its time.
const WIDTH: usize = 68;

/// What `verify` found at one target.
#[derive(Debug)]
pub struct VerifyReport {
    /// What was seen.
    pub observation: Observation,
    /// What it means.
    pub verdict: Verdict,
    /// The time of the run.
    pub now: OffsetDateTime,
    /// What the process will exit with.
    pub exit_code: u8,
    /// How it came about, and what was asked for.
    pub run: Run,
}

impl VerifyReport {
    fn headline(&self, style: Style) -> String {
        let target = self.who(style);
        let Some(failure) = self.verdict.failure() else {
            if let Some(denied) = self.denied() {
                let failed = style.bad("FAILED");
                return format!(
                    "{target}  {failed} — warnings are denied: {}\n",
                    denied.headline
                );
            }
            let mut stages = self.verdict.stages.iter();
            let grpc = stages.find(|stage| stage.id == StageId::Grpc);
            let state = grpc.map_or("", |stage| stage.message.as_str());
            let at = self.trusted_at();
            return format!("{target}  {} — trusted{at}, {state}\n", style.good("OK"));
        };
        let failed = style.bad(&format!("FAILED at {}", failure.stage().as_str()));
        let at = self.failed_at();
        format!("{target}  {failed} — {at}{}\n", failure.headline)
    }

    fn line(stage: &Stage, style: Style) -> String {
        let mark = match stage.status {
            Status::Fail => style.bad("FAIL"),
            Status::NotReached | Status::Skip => style.faint("--  "),
            Status::Ok => style.good("ok  "),
            Status::Warn => style.warn("warn"),
        };
        let text = format!("{:<11}  {}", stage.id.as_str(), stage.message);
        let time = stage.elapsed.map_or_else(String::new, |elapsed| {
            let gap = " ".repeat(WIDTH.saturating_sub(text.chars().count()).max(1));
            style.faint(&format!("{gap}{:.1} ms", elapsed.as_secs_f64() * 1000.0))
        });
        format!("  {mark}  {text}{time}\n")
    }

    fn cause(&self, finding: &Finding, style: Style) -> String {
        let mut text = paragraph("why", &finding.why, style);
        for (index, step) in finding.fix.steps.iter().enumerate() {
            let label = if index == 0 { "fix" } else { "" };
            text.push_str(&paragraph(label, step, style));
        }
        text
    }

    /// What the server was asked besides and, for those who want to see everything, what came of it.
    fn follow_ups(&self, style: Style) -> String {
        let seen = &self.observation;
        let others = seen.connections().skip(1).filter(|_| style.verbose);
        let mut purposes: Vec<String> = others.map(|it| it.purpose.as_str().to_owned()).collect();
        purposes.extend(seen.follow_ups.iter().map(|it| printable(&it.purpose())));
        if purposes.is_empty() {
            return String::new();
        }
        let count = plural(purposes.len(), "more connection");
        let mut text = paragraph("asked", &format!("{count}: {}", purposes.join(", ")), style);
        for it in seen.follow_ups.iter().filter(|_| style.verbose) {
            let purpose = style.faint(&printable(&it.purpose()));
            let answer = it.answer();
            let took = it.elapsed.as_secs_f64() * 1000.0;
            let _ = writeln!(text, "      {purpose}: {answer} · {took:.1} ms");
        }
        text
    }

    fn chain(&self, style: Style) -> String {
        let mut text = String::new();
        for (depth, certificate) in self.verdict.chain.iter().enumerate() {
            let _ = writeln!(
                text,
                "  {}  {} · serial {} · {} · until {} ({}) · sha256 {}",
                style.faint(&depth.to_string()),
                printable(&certificate.subject.to_string()),
                certificate.serial_hex(),
                certificate.public_key,
                date(certificate.validity.not_after),
                until(self.now, certificate.validity.not_after),
                certificate.fingerprint(),
            );
        }
        text
    }
}

/// A labelled paragraph, wrapped at word boundaries; what stands in backticks is to be copied and stays whole.
fn paragraph(label: &str, text: &str, style: Style) -> String {
    let mut out = String::new();
    let mut line = String::new();
    let mut label = style.strong(&format!("{label:<6}"));
    for word in words(text) {
        if !line.is_empty() && line.chars().count() + word.chars().count() > 72 {
            let _ = writeln!(out, "{label}{line}");
            label = " ".repeat(6);
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    let _ = writeln!(out, "{label}{line}");
    out
}

/// The words of a text, a span in backticks being one.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match words.last_mut() {
            Some(open) if open.matches('`').count() % 2 == 1 => {
                open.push(' ');
                open.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

impl Report for VerifyReport {
    fn human(&self, style: Style) -> String {
        let mut text = self.headline(style);
        if self.is_told_in_a_line() && !style.verbose {
            return text;
        }
        let shown = self.verdict.stages.iter().filter(|stage| {
            let is_quiet = stage.id == StageId::Inputs && stage.status == Status::Ok;
            stage.status != Status::NotReached && (style.verbose || !is_quiet)
        });
        for stage in shown {
            text.push_str(&Self::line(stage, style));
            if stage.id == StageId::Grpc {
                text.push_str(&self.services(style));
            }
        }
        text.push_str(&self.addresses(style));
        if style.verbose {
            text.push_str(&self.chain(style));
        }
        text.push_str(&self.follow_ups(style));
        text.push_str(&self.waited(style));
        let mut findings = self.verdict.findings.iter();
        if let Some(first) = findings.next() {
            text.push_str(&self.cause(first, style));
        }
        for other in findings {
            text.push_str(&paragraph(
                "also",
                &format!("{} ({})", other.headline, other.code.as_str()),
                style,
            ));
        }
        // Where a client refuses what we trust, a finding has told it.
        for opinion in self.verdict.opinions.iter().filter(|it| it.accepts) {
            text.push_str(&paragraph("also", &opinion.words(), style));
        }
        let notes = self.verdict.notes.iter();
        for note in notes.filter(|it| style.verbose || !it.verbose) {
            text.push_str(&paragraph("note", &note.text, style));
        }
        if let Some(raw) = json::raw(&self.observation).filter(|_| style.verbose) {
            text.push_str(&paragraph("raw", &printable(&raw), style));
        }
        if let Some(first) = self.verdict.findings.first() {
            let code = first.code.as_str();
            let more = style.faint(&format!("(grpc-pki explain {code})"));
            let _ = writeln!(text, "{}{code}   {more}", style.strong("code  "));
        }
        text
    }

    fn json(&self) -> Value {
        self.document()
    }
}

/// The exit code of several targets: the common one, or 1.
pub fn common_exit(codes: &[u8]) -> u8 {
    match codes {
        [first, rest @ ..] if rest.iter().all(|code| code == first) => *first,
        [] => 0,
        _ => 1,
    }
}
