//! One report per command, as human text or as JSON. Pure: nothing here prints.
//!
//! JSON is one document per run on stdout, on failure too: `schema` is 1, times are RFC 3339, a key may be added
//! but none changes its meaning, and no private key is ever in it.
#![doc = include_str!("verify.md")]

mod explain;
mod failure;
mod init;
mod issue;
mod status;
mod verify;
pub mod words;

use serde_json::Value;

pub use explain::{ExplainReport, Explained};
pub use failure::Failure;
pub use init::{InitOutcome, InitReport};
pub use issue::{IssueMode, IssueReport, StepReport};
pub use status::StatusReport;
pub use verify::{Run, Tally, VerifyReport, common_exit, waiting};

/// What a command has to say.
pub trait Report {
    /// The result as text for people; goes to stdout.
    fn human(&self, style: Style) -> String;

    /// What the user should know besides, a line each; goes to stderr.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// The result for scripts.
    fn json(&self) -> Value;
}

/// How text is set: everything is understandable without colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether escape sequences colour it.
    pub color: bool,
    /// `-v`: show everything.
    pub verbose: bool,
}

impl Style {
    /// Bold red.
    pub fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// Green.
    pub fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// Yellow.
    pub fn warn(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// Bold.
    pub fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Grey.
    pub fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.color {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
