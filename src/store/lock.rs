//! One process at a time changes the folder.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::{Store, StoreError};

const RETRY: Duration = Duration::from_millis(20);

/// The right to change the folder, held until it is dropped.
#[derive(Debug)]
pub struct Guard<'s> {
    pub(super) store: &'s Store,
    _lock: File,
}

impl Guard<'_> {
    /// The folder.
    pub fn dir(&self) -> &Path {
        self.store.dir()
    }
}

impl Store {
    /// Makes the folder if there is none, waits until no other process changes it, and completes or drops
    /// what an interrupted one left.
    ///
    /// # Errors
    /// [`StoreError::Locked`] after `timeout`; [`StoreError::Write`]; [`StoreError::Record`].
    pub fn lock(&self, timeout: Duration) -> Result<Guard<'_>, StoreError> {
        make_dir(self.dir(), 0o755)?;
        make_dir(&self.work_dir(), 0o700)?;
        let path = self.work_dir().join("lock");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(StoreError::write(&path))?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if started.elapsed() < timeout => {
                    thread::sleep(RETRY)
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Locked {
                        dir: self.dir().to_owned(),
                        holder: holder(&path),
                    });
                }
                Err(TryLockError::Error(source)) => return Err(StoreError::write(&path)(source)),
            }
        }
        // Who holds it is a courtesy to the next one that waits; without it the lock holds all the same.
        let _ = file
            .set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        let guard = Guard {
            store: self,
            _lock: file,
        };
        guard.recover()?;
        Ok(guard)
    }

    /// Completes or drops what an interrupted command left, and does nothing where there is nothing.
    ///
    /// # Errors
    /// As [`Store::lock`].
    pub fn recover(&self, timeout: Duration) -> Result<(), StoreError> {
        if self.has_leftovers() {
            self.lock(timeout).map(drop)
        } else {
            Ok(())
        }
    }
}

fn make_dir(path: &Path, mode: u32) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder
        .recursive(true)
        .mode(mode)
        .create(path)
        .map_err(StoreError::write(path))
}

fn holder(path: &Path) -> Option<String> {
    let pid: u32 = fs::read_to_string(path).ok()?.trim().parse().ok()?;
    Some(format!(" (pid {pid})"))
}

/// Makes the names in a folder durable.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
