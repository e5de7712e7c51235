//! What the commands share that change the folder.

use std::time::Duration;

use super::context::Printer;
use crate::plan::Warning;
use crate::store::{Guard, Holder, Patience, Store, StoreError};

/// How long to wait for another command.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Changing {
    /// Wait at most this long for another command that is changing the same folder
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = timeout)]
    lock_timeout: Duration,
}

/// `10s`, `500ms`; `0s` does not wait at all.
fn timeout(text: &str) -> Result<Duration, String> {
    let read = text.parse::<jiff::SignedDuration>().ok();
    let read = read.and_then(|it| Duration::try_from(it).ok());
    read.ok_or_else(|| "write a length of time as `10s` or `500ms`, or `0s`".to_owned())
}

impl Changing {
    /// The right to change the folder.
    pub(super) fn lock<'s>(
        self,
        store: &'s Store,
        command: &str,
        printer: &mut Printer<'_, '_>,
    ) -> Result<Guard<'s>, StoreError> {
        // Whoever has to wait is told for whom.
        let mut waiting = |holder: &Holder| {
            let dir = store.dir().display();
            // A terminal that is gone is found out by the report.
            let _ = printer.meanwhile(&format!("waiting: {dir} is being changed by {holder}"));
        };
        store.lock(&mut Patience {
            timeout: self.lock_timeout,
            command,
            waiting: &mut waiting,
        })
    }

    /// Reads the folder as it is between two changes: without the lock, unless a change does not come to its end.
    pub(super) fn read<T>(
        self,
        store: &Store,
        command: &str,
        printer: &mut Printer<'_, '_>,
        mut read: impl FnMut() -> T,
    ) -> Result<T, StoreError> {
        match store.reading(&mut read) {
            (value, None) => Ok(value),
            (_, Some(_)) => {
                let _guard = self.lock(store, command, printer)?;
                Ok(read())
            }
        }
    }
}

/// Takes key files from those who may read them and should not.
pub(super) fn tighten(warnings: &mut [Warning], guard: &Guard<'_>) {
    for warning in warnings {
        if let Warning::KeyIsOpen { path } = warning
            && let Some(mode) = guard.tighten(path)
        {
            let path = std::mem::take(path);
            *warning = Warning::KeyWasOpen { path, mode };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_wait_may_be_none_at_all() {
        assert_eq!(timeout("0s"), Ok(Duration::ZERO));
        assert_eq!(timeout("1500ms"), Ok(Duration::from_millis(1500)));
        for text in ["", "10", "-1s", "soon"] {
            assert!(timeout(text).is_err(), "{text}");
        }
    }
}
