//! Reading while others may write: without the lock, and never half of a change without saying so.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use super::Store;
use super::lock::{Holder, Patience};

/// How often the folder is read again while it changes.
const ATTEMPTS: u32 = 5;
/// Longer than it takes to put a few files into place.
const PAUSE: Duration = Duration::from_millis(20);

/// Why what was read may be half of a change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsettled {
    /// It is being put into place.
    #[error("{} is being changed by {holder}, and what was read of it may be half of that change", dir.display())]
    Changing {
        /// The folder.
        dir: PathBuf,
        /// Who.
        holder: Holder,
    },
    /// It was interrupted, and cannot be completed.
    #[error("a change of {} was interrupted and is half in place, and its record {} is damaged", dir.display(), record.display())]
    Damaged {
        /// The folder.
        dir: PathBuf,
        /// The record.
        record: PathBuf,
    },
    /// It was interrupted, and could not be completed from here.
    #[error("a change of {} was interrupted and is half in place; the next `grpc-pki issue` completes it", dir.display())]
    Interrupted {
        /// The folder.
        dir: PathBuf,
    },
}

impl Store {
    /// Reads the folder without the lock. Where files are put into place meanwhile, it reads once more; where that
    /// does not end, the second half of the result says so. A change that was interrupted is completed first where
    /// this process may.
    pub fn reading<T>(&self, mut read: impl FnMut() -> T) -> (T, Option<Unsettled>) {
        if self.has_leftovers() {
            self.complete();
        }
        let mut attempt = 1;
        loop {
            let before = self.version();
            let value = read();
            if before.is_some() && self.version() == before {
                return (value, None);
            }
            if attempt == ATTEMPTS {
                let dir = self.dir().to_owned();
                let unsettled = match self.holder() {
                    None if self.has_record() => match self.damaged_record() {
                        Some(record) => Unsettled::Damaged { dir, record },
                        None => Unsettled::Interrupted { dir },
                    },
                    holder => Unsettled::Changing {
                        dir,
                        holder: holder.unwrap_or_default(),
                    },
                };
                return (value, Some(unsettled));
            }
            attempt += 1;
            thread::sleep(PAUSE);
        }
    }

    /// Completes an interrupted change if nobody else is at it and the system lets us.
    fn complete(&self) {
        let mut patience = Patience {
            timeout: Duration::ZERO,
            command: "grpc-pki",
            waiting: &mut |_| {},
        };
        // Whatever stands in the way, the reader goes on, and tells that the change is not complete.
        let _ = self.lock(&mut patience).map(drop);
    }

    /// Is another one whenever a file was put into place; `None` in the middle of a change. The clock of a file system
    /// ticks slowly, so that the length of the list of certificates is looked at too.
    fn version(&self) -> Option<[i64; 3]> {
        if self.has_record() {
            return None;
        }
        let moment = fs::metadata(self.dir()).map(|it| (it.mtime(), it.mtime_nsec()));
        let (seconds, nanoseconds) = moment.unwrap_or_default();
        let length = fs::metadata(self.issued_path()).map_or(0, |it| it.size());
        Some([seconds, nanoseconds, length.cast_signed()])
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn what_was_read_while_a_change_ended_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        fs::create_dir(store.work_dir()).unwrap();
        let lock = File::create(store.work_dir().join("lock")).unwrap();
        lock.lock().unwrap();
        let record = store.work_dir().join("commit.json");
        fs::write(&record, "{}").unwrap();
        let mut reads = 0;
        let ((), unsettled) = store.reading(|| {
            reads += 1;
            // All files were in place before, and the list gained its lines now.
            let _ = fs::remove_file(&record);
        });
        assert_eq!((reads, unsettled), (2, None));
        let ((), unsettled) = store.reading(|| reads += 1);
        assert_eq!((reads, unsettled), (3, None));
    }
}
