//! What a command takes from the world: the time, randomness, and where it writes.

use std::io::{self, Write};
use std::sync::Arc;

use serde_json::Value;
use time::OffsetDateTime;

use super::{ColorChoice, Common, Format, Passphrases};
use crate::error::Error;
use crate::pki::KeySource;
use crate::probe::Resolve;
use crate::report::{Failure, Report, Style};
use crate::text::{io_text, printable_json};

/// What a command takes from the world; `main` makes the real one, tests their own.
pub struct Context<'w> {
    /// The time of the whole run, read once.
    pub now: OffsetDateTime,
    /// Where keys and serial numbers come from.
    pub keys: &'w dyn KeySource,
    /// Where passphrases come from.
    pub passphrases: &'w dyn Passphrases,
    /// Who is asked for the addresses of names.
    pub resolver: Arc<dyn Resolve>,
    /// Results.
    pub stdout: &'w mut (dyn Write + Send),
    /// Errors, warnings and progress.
    pub stderr: &'w mut (dyn Write + Send),
    /// Whether results go to a terminal that shows colour.
    pub color: bool,
    /// Whether a progress bar may be drawn.
    pub interactive: bool,
}

/// The one place that prints: reports go to stdout, everything else to stderr.
pub(super) struct Printer<'a, 'w> {
    pub(super) context: &'a mut Context<'w>,
    format: Format,
    quiet: bool,
    pub(super) style: Style,
}

impl<'a, 'w> Printer<'a, 'w> {
    pub(super) fn new(context: &'a mut Context<'w>, common: &Common) -> Self {
        let color = match common.color {
            ColorChoice::Always => true,
            ColorChoice::Auto => context.color,
            ColorChoice::Never => false,
        };
        let style = Style {
            color,
            verbose: common.verbose,
        };
        Self {
            context,
            format: common.format,
            quiet: common.quiet,
            style,
        }
    }

    pub(super) fn report(&mut self, report: &dyn Report) -> io::Result<()> {
        match self.format {
            Format::Human if self.quiet => {}
            Format::Human => self
                .context
                .stdout
                .write_all(report.human(self.style).as_bytes())?,
            Format::Json => self.document(&report.json())?,
        }
        if self.format == Format::Human {
            for warning in report.warnings() {
                writeln!(
                    self.context.stderr,
                    "{} {warning}",
                    self.style.warn("warning:")
                )?;
            }
        }
        self.context.stdout.flush()
    }

    pub(super) fn failure(
        &mut self,
        error: &Error,
        command: &str,
        exit_code: u8,
    ) -> io::Result<()> {
        let failure = Failure {
            error,
            command,
            exit_code,
        };
        match self.format {
            Format::Human => self
                .context
                .stderr
                .write_all(failure.human(self.style).as_bytes()),
            Format::Json => self.document(&failure.json()),
        }
    }

    /// What was done, but could not be told on stdout; on stderr, which may be gone as well.
    pub(super) fn unheard(&mut self, error: &io::Error) {
        let _ = writeln!(
            self.context.stderr,
            "{} the result could not be printed\n  cause: {}",
            self.style.bad("error:"),
            io_text(error)
        );
    }

    /// Something that happened in a long-running command, at once: a line, or a JSON document a line.
    pub(super) fn event(&mut self, text: &str, json: &Value) -> io::Result<()> {
        match self.format {
            Format::Human if self.quiet => return Ok(()),
            Format::Human => writeln!(self.context.stdout, "{text}")?,
            Format::Json => writeln!(self.context.stdout, "{}", printable_json(&json.to_string()))?,
        }
        self.context.stdout.flush()
    }

    /// A line for people about what is still going on, on stderr.
    pub(super) fn meanwhile(&mut self, text: &str) -> io::Result<()> {
        if self.quiet || self.format == Format::Json {
            return Ok(());
        }
        writeln!(self.context.stderr, "{text}")?;
        self.context.stderr.flush()
    }

    /// A line for people, at once.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        if self.format == Format::Human {
            self.event(text, &Value::Null)
        } else {
            Ok(())
        }
    }

    /// The result of a command that told people about it as it went.
    pub(super) fn document(&mut self, json: &Value) -> io::Result<()> {
        if self.format == Format::Json {
            self.event("", json)
        } else {
            Ok(())
        }
    }
}
