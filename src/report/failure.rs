//! A command that could not do what it was asked for.

use std::fmt::Write;

use serde_json::{Value, json};

use super::Style;
use crate::config::{ConfigError, Problem};
use crate::error::{Error, Hint};
use crate::probe::MisreadTargets;
use crate::text::{printable, steers};

/// A longer line of certs.toml is shown in part, in characters.
const WIDTH: usize = 100;

/// An error as it is told.
#[derive(Debug)]
pub struct Failure<'e> {
    /// The error.
    pub error: &'e Error,
    /// The command that failed.
    pub command: &'e str,
    /// What the process will exit with.
    pub exit_code: u8,
}

impl Failure<'_> {
    /// Text for stderr: what and where, why, what to do.
    pub fn human(&self, style: Style) -> String {
        if let Error::Config(ConfigError::Invalid { path, problems }) = self.error {
            return self::problems(path, problems, style);
        }
        let mut text = match self.error {
            Error::Targets(targets) => misread(targets, style),
            error => {
                let error = printable(&error.to_string());
                format!("{} {error}\n", style.bad("error:"))
            }
        };
        for cause in self.error.causes() {
            let _ = writeln!(text, "  cause: {}", printable(&cause));
        }
        if let Some(hint) = self.error.hint() {
            let _ = writeln!(text, "{} {hint}", style.strong("hint:"));
        }
        text
    }

    /// The same for scripts.
    pub fn json(&self) -> Value {
        let problems = match self.error {
            Error::Config(ConfigError::Invalid { problems, .. }) => problems.as_slice(),
            _ => &[],
        };
        json!({
            "schema": 1,
            "command": self.command,
            "ok": false,
            "exit_code": self.exit_code,
            "error": {
                "message": self.error.to_string(),
                "causes": self.error.causes(),
                "hint": self.error.hint(),
                "problems": problems,
            },
        })
    }
}

/// Every text that is no target, and how it was understood.
fn misread(targets: &MisreadTargets, style: Style) -> String {
    let mut text = String::new();
    for it in &targets.misread {
        let error = printable(&it.to_string());
        let understood = it.understood(targets.server_name.as_ref());
        let _ = writeln!(text, "{} {error}", style.bad("error:"));
        if it.host.is_some() {
            let _ = writeln!(text, "  understood: {understood}");
        }
    }
    text
}

/// Every mistake in certs.toml with its line and a caret, then how many there are.
fn problems(path: &str, problems: &[Problem], style: Style) -> String {
    let mut text = String::new();
    for problem in problems {
        let Problem {
            line,
            column,
            length,
            message,
            hint,
            source,
            skipped: before,
        } = problem;
        let at = column - before;
        let _ = writeln!(
            text,
            "{} {path}:{line}:{column}: {}",
            style.bad("error:"),
            printable(message)
        );
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        let (shown, skipped) = window(source, at);
        // Tabs stay, so that the caret stands where the eye looks.
        let before = shown.chars().take(at - 1 - skipped);
        let indent: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let room = shown
            .chars()
            .count()
            .saturating_sub(at - 1 - skipped)
            .max(1);
        let caret = style.bad(&"^".repeat((*length).min(room)));
        let _ = writeln!(text, " {number} | {shown}");
        let _ = writeln!(text, " {margin} | {indent}{caret}");
        if let Some(hint) = hint {
            let _ = writeln!(text, "{} {hint}", style.strong("hint:"));
        }
        text.push('\n');
    }
    let count = crate::text::plural(problems.len(), "problem");
    let _ = writeln!(text, "{count} in {path}; nothing was changed");
    text
}

/// The part of a line around a column, with nothing in it that could steer a terminal, and how many characters
/// were left out before it.
fn window(source: &str, column: usize) -> (String, usize) {
    let long = source.chars().count() > WIDTH;
    let skipped = if long {
        (column - 1).saturating_sub(WIDTH / 2)
    } else {
        0
    };
    let shown = source.chars().skip(skipped).take(WIDTH);
    let safe = |c: char| {
        if steers(c) && c != '\t' {
            '\u{fffd}'
        } else {
            c
        }
    };
    (shown.map(safe).collect(), skipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_shown_where_it_is_wrong() {
        let line = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let (shown, skipped) = window(&line, 501);
        assert_eq!((shown.chars().count(), skipped), (WIDTH, 450));
        assert_eq!(shown.chars().nth(500 - skipped), Some('X'));
        assert_eq!(window("a\x1b\tb", 2), ("a\u{fffd}\tb".to_owned(), 0));
        assert_eq!(window("a\u{202e}b", 2), ("a\u{fffd}b".to_owned(), 0));
    }
}
