//! A command that could not do what it was asked for.

use std::fmt::Write;

use serde_json::{Value, json};

use super::Style;
use crate::config::{ConfigError, Problem};
use crate::error::{Error, Hint};

/// An error as it is told.
#[derive(Debug)]
pub struct Failure<'e> {
    /// The error.
    pub error: &'e Error,
    /// What the process will exit with.
    pub exit_code: u8,
}

impl Failure<'_> {
    /// Text for stderr: what and where, why, what to do.
    pub fn human(&self, style: Style) -> String {
        if let Error::Config(ConfigError::Invalid { path, problems }) = self.error {
            return self::problems(path, problems, style);
        }
        let mut text = format!("{} {}\n", style.bad("error:"), self.error);
        for cause in self.error.causes() {
            let _ = writeln!(text, "  cause: {cause}");
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
        } = problem;
        let _ = writeln!(
            text,
            "{} {path}:{line}:{column}: {message}",
            style.bad("error:")
        );
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        // Tabs stay, so that the caret stands where the eye looks.
        let indent: String = source
            .chars()
            .take(column - 1)
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        let _ = writeln!(text, " {number} | {source}");
        let _ = writeln!(
            text,
            " {margin} | {indent}{}",
            style.bad(&"^".repeat(*length))
        );
        if let Some(hint) = hint {
            let _ = writeln!(text, "{} {hint}", style.strong("hint:"));
        }
        text.push('\n');
    }
    let count = crate::text::plural(problems.len(), "problem");
    let _ = writeln!(text, "{count} in {path}; nothing was changed");
    text
}
