//! `grpc-pki status`

use super::context::Printer;
use super::{Common, Done, Stop, exit};
use crate::config::Entry;
use crate::error::Error;
use crate::plan::{self, EntryStatus};
use crate::report::StatusReport;

/// Show the CA and every certificate: how long each is good for, and what there is to do
///
/// Compares certs.toml with the files, as `issue` does, and changes nothing. It needs neither the CA's key nor its
/// passphrase, and says where the key is missing or where others may read one. `issue --check` tells a script by its
/// exit code whether there is work.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  grpc-pki status                              all that certs.toml asks for
  grpc-pki status server client                these two
  grpc-pki status --format json                for scripts, with days_left of each
")]
pub(super) struct Show {
    /// Certificates of certs.toml to look at; all when none is named
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

impl Show {
    pub(super) fn run(&self, common: &Common, printer: &mut Printer<'_, '_>) -> Done {
        let now = printer.context.now;
        let config = common.load_config()?;
        let entries = plan::select(&config, &self.names)?;
        let store = common.store();
        let names: Vec<&str> = entries.iter().map(|it: &&Entry| it.name.as_str()).collect();
        let (read, unsettled) = store.reading(|| {
            let inventory = store.inventory(&names)?;
            let log = store.issued()?;
            let status = plan::status(&entries, inventory, store.dir(), now)?;
            Ok::<_, Error>((status, log))
        });
        let (status, log) = read.map_err(|it| it.amid(unsettled.as_ref()))?;
        let is_unlisted = |it: &&EntryStatus<'_>| {
            let certificate = it.certificate.as_ref();
            certificate.is_some_and(|it| !log.serials.contains(&it.serial_hex()))
        };
        let unlisted = status.entries.iter().filter(is_unlisted);
        let report = StatusReport {
            dir: common.pki.clone(),
            unlisted: unlisted.map(|it| it.entry.name.clone()).collect(),
            is_torn: log.is_torn(),
            damaged_lines: log.damaged,
            status,
            remark: unsettled.map(|it| it.to_string()),
            flags: common.flags(),
            now,
        };
        printer.report(&report).map_err(Stop::Pipe)?;
        Ok(exit::OK)
    }
}
