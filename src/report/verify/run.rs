//! What a run adds to a verdict: how often was looked, whether the wait ran out, and all targets in one line.

use std::time::Duration;

use super::{VerifyReport, paragraph};
use crate::diagnose::{Finding, Verdict};
use crate::report::Style;
use crate::text::{plural, printable};

/// So many targets that failed are named in the last line.
const NAMED: usize = 5;

/// How a report came about, and what was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Run {
    /// How often the server was looked at; the report is about the last time.
    pub attempts: usize,
    /// How long it took to come to the report.
    pub waited: Duration,
    /// The time to wait, where it ran out.
    pub ran_out: Option<Duration>,
    /// Whether a warning counts as a failure.
    pub deny_warnings: bool,
    /// Whether it is one of several, where one line is enough for a server without findings.
    pub several: bool,
}

impl VerifyReport {
    /// The target, and the entry of certs.toml that it belongs to.
    pub(super) fn who(&self, style: Style) -> String {
        let target = &self.verdict.target;
        let text = style.strong(&printable(&target.text));
        match &target.entry {
            Some(entry) => format!("{text} ({})", printable(entry)),
            None => text,
        }
    }

    /// Whether the server is trusted, and nothing is denied.
    pub(super) fn is_ok(&self) -> bool {
        self.verdict.is_trusted() && self.denied().is_none()
    }

    /// The first warning, where it is what fails.
    pub(super) fn denied(&self) -> Option<&Finding> {
        let first = self.verdict.findings.first();
        first.filter(|_| self.run.deny_warnings && self.verdict.is_trusted())
    }

    pub(super) fn is_told_in_a_line(&self) -> bool {
        self.run.several && self.verdict.findings.is_empty()
    }

    /// What came of waiting.
    pub(super) fn waited(&self, style: Style) -> String {
        let looked = plural(self.run.attempts, "attempt");
        let text = match self.run.ran_out {
            Some(limit) => format!(
                "{} ran out after {looked}; the last one is shown",
                seconds(limit)
            ),
            None if self.run.attempts > 1 => format!("{}, {looked}", seconds(self.run.waited)),
            None => return String::new(),
        };
        paragraph("wait", &text, style)
    }
}

/// `30 s`, `0.5 s`.
fn seconds(time: Duration) -> String {
    let tenths = (time.as_secs_f64() * 10.0).round() / 10.0;
    if time.subsec_millis() == 0 {
        format!("{} s", time.as_secs())
    } else {
        format!("{:.1} s", tenths.max(0.1))
    }
}

/// The line for a cause that is waited for; `None` for a verdict without a finding.
pub fn waiting(verdict: &Verdict, elapsed: Duration) -> Option<String> {
    let cause = verdict.failure().or(verdict.findings.first())?;
    Some(format!(
        "{:>5.1} s  {}  {} — {} ({}), waiting",
        elapsed.as_secs_f64(),
        printable(&verdict.target.text),
        cause.stage().as_str(),
        cause.headline,
        cause.code.as_str(),
    ))
}

/// All targets of a run in one line.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    total: usize,
    failed: Vec<String>,
    count: usize,
}

impl Tally {
    /// Counts one more target.
    pub fn add(&mut self, report: &VerifyReport) {
        self.total += 1;
        if report.is_ok() {
            return;
        }
        self.count += 1;
        if self.failed.len() < NAMED {
            let cause = report.verdict.failure().or_else(|| report.denied());
            let code = cause.map_or("", |it| it.code.as_str());
            let target = printable(&report.verdict.target.text);
            self.failed.push(format!("{target} ({code})"));
        }
    }

    /// `2 of 200 failed: a:50051 (tcp.refused), b:50051 (time.expired)`; `None` where there is but one target.
    pub fn line(&self, style: Style) -> Option<String> {
        if self.total < 2 {
            return None;
        }
        if self.count == 0 {
            return Some(style.good(&format!("all {} are trusted", self.total)));
        }
        let verdict = style.bad(&format!("{} of {} failed", self.count, self.total));
        let more = match self.count - self.failed.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(format!("{verdict}: {}{more}", self.failed.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_seconds() {
        for (millis, text) in [
            (30_000, "30 s"),
            (500, "0.5 s"),
            (1_240, "1.2 s"),
            (1, "0.1 s"),
        ] {
            assert_eq!(seconds(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn the_last_line_names_a_few() {
        let tally = |total, count: usize| Tally {
            total,
            count,
            failed: (0..count.min(NAMED))
                .map(|it| format!("h{it}:1 (tcp.refused)"))
                .collect(),
        };
        let line = |total, count| tally(total, count).line(Style::default());
        assert_eq!(line(1, 1), None);
        assert_eq!(line(2, 0).unwrap(), "all 2 are trusted");
        assert_eq!(line(2, 1).unwrap(), "1 of 2 failed: h0:1 (tcp.refused)");
        assert!(
            line(200, 7)
                .unwrap()
                .ends_with("h4:1 (tcp.refused) and 2 more")
        );
    }
}
