//! Where `verify` dials, where that is not simply the target.

use std::path::Path;

use crate::text::{printable, quoted};

/// Flags of `verify`.
#[derive(Debug, clap::Args)]
pub(super) struct Dial {
    /// Dial there, HOST:PORT or unix:PATH, and still check the name of the target and send it
    #[arg(long, value_name = "PLACE")]
    pub(super) connect: Option<String>,
    /// Look at every address of the name, up to 32, not at the first alone that answers; fails where one does,
    /// with the exit code of the first that does
    #[arg(long)]
    pub(super) all_addresses: bool,
}

impl Dial {
    /// The same flags, for a further command.
    pub(super) fn flags(&self) -> String {
        let mut flags = String::new();
        if let Some(place) = &self.connect {
            flags.push_str(&format!(
                " --connect {}",
                printable(&quoted(Path::new(place)))
            ));
        }
        if self.all_addresses {
            flags.push_str(" --all-addresses");
        }
        flags
    }
}
