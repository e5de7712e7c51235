//! `grpc-pki explain`

use super::context::Printer;
use super::{Done, Stop, exit};
use crate::diagnose::Code;
use crate::report::{ExplainReport, Explained};

/// Tell what a finding of verify means, and how to fix it
///
/// Prints the page of a code: what it means, how it looks in each client and how to fix it on each server, as far
/// as there is something to say about them. "Python" stands for all clients and servers on the same core: C++,
/// Ruby and PHP. Without a code it lists all of them. Reads no file and connects to nothing.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  grpc-pki explain                             every code in one line
  grpc-pki explain name.dns_not_in_san         one page
  grpc-pki explain --format json               all pages for scripts
")]
pub(super) struct Explain {
    /// Code of a finding, as `verify` prints it; all are listed when none is named
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

impl Explain {
    pub(super) fn run(&self, printer: &mut Printer<'_, '_>) -> Done {
        let codes = match &self.code {
            Some(text) => vec![Code::parse(text)?],
            None => Code::ALL.to_vec(),
        };
        let explained = codes.into_iter().map(|code| Explained {
            code,
            exit_code: exit::of(code.outcome()),
        });
        let report = ExplainReport {
            codes: explained.collect(),
            list: self.code.is_none(),
        };
        printer.report(&report).map_err(Stop::Pipe)?;
        Ok(exit::OK)
    }
}
