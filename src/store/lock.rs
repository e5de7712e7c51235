//! One process at a time changes the folder.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::{Store, StoreError, place};

const RETRY: Duration = Duration::from_millis(10);
/// Longer waits than this are told.
const PATIENCE: Duration = Duration::from_secs(1);
/// Longer than what is written about a holder, in octets.
const MAX_HOLDER: usize = 256;

/// The right to change the folder, held until it is dropped.
#[derive(Debug)]
pub struct Guard<'s> {
    pub(super) store: &'s Store,
    _lock: File,
}

/// Who holds the lock, as far as it said so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder(Option<(u32, String)>);

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("another process"),
            Some((pid, command)) => write!(f, "`{command}` (pid {pid})"),
        }
    }
}

/// How long to wait for the lock, and what to do meanwhile.
pub struct Patience<'p> {
    /// At most so long.
    pub timeout: Duration,
    /// The command that wants it, for others that wait.
    pub command: &'p str,
    /// Is called once where it takes longer than a second.
    pub waiting: &'p mut dyn FnMut(&Holder),
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
    /// [`StoreError::Locked`] after the time is up; [`StoreError::InTheWay`]; [`StoreError::Write`];
    /// [`StoreError::Record`]; [`StoreError::Unfinished`].
    pub fn lock(&self, patience: &mut Patience<'_>) -> Result<Guard<'_>, StoreError> {
        let mut file = loop {
            let (file, path) = self.open_lock()?;
            self.wait(&file, &path, patience)?;
            // Whoever took the folder away meanwhile took the lock along, and another process may hold the next one.
            if is_at(&file, &path) {
                break file;
            }
        };
        // Who holds it is a courtesy to the next one that waits; without it the lock holds all the same.
        let line = format!("{} {}\n", std::process::id(), patience.command);
        let _ = file
            .set_len(0)
            .and_then(|()| file.write_all(line.as_bytes()));
        let guard = Guard {
            store: self,
            _lock: file,
        };
        guard.recover()?;
        Ok(guard)
    }

    /// The file to lock, in folders that are there now.
    fn open_lock(&self) -> Result<(File, PathBuf), StoreError> {
        if !place::named_folder(self.dir())? {
            make_folder(self.dir(), 0o755)?;
        }
        let work = self.work_dir();
        if !place::folder(&work)? {
            make_folder(&work, 0o700)?;
        }
        let path = work.join("lock");
        place::file(&path)?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .custom_flags(place::no_follow())
            .open(&path)
            .map_err(StoreError::write(&path))?;
        Ok((file, path))
    }

    fn wait(
        &self,
        file: &File,
        path: &Path,
        patience: &mut Patience<'_>,
    ) -> Result<(), StoreError> {
        let started = Instant::now();
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => return Err(StoreError::write(path)(source)),
            }
            let waited = started.elapsed();
            if waited >= patience.timeout {
                return Err(StoreError::Locked {
                    dir: self.dir().to_owned(),
                    holder: holder(path),
                    waited: patience.timeout,
                });
            }
            if waited >= PATIENCE && !told {
                told = true;
                (patience.waiting)(&holder(path));
            }
            thread::sleep(RETRY.min(patience.timeout - waited));
        }
    }

    /// Who is changing the folder at this moment; `None` where nobody is, or where that cannot be told.
    pub(super) fn holder(&self) -> Option<Holder> {
        let path = self.work_dir().join("lock");
        let file = File::open(&path).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(holder(&path)),
            _ => None,
        }
    }
}

/// Makes a folder and those above it, each durable before anything is put into it.
fn make_folder(path: &Path, mode: u32) -> Result<(), StoreError> {
    let parent = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => Path::new("/"),
    };
    if !parent.exists() {
        make_folder(parent, 0o755)?;
    }
    match DirBuilder::new().mode(mode).create(path) {
        // Another process was faster, which is fine if it made the same.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            place::named_folder(path).map(|_| ())
        }
        made => {
            let durable = made.and_then(|()| sync_dir(parent));
            durable.map_err(StoreError::write(path))
        }
    }
}

fn holder(path: &Path) -> Holder {
    let read = || {
        let text = fs::read_to_string(path).ok()?;
        let (pid, command) = text.lines().next()?.split_once(' ')?;
        let is_sound = command.len() <= MAX_HOLDER && !command.chars().any(char::is_control);
        is_sound.then_some((pid.parse().ok()?, command.to_owned()))
    };
    Holder(read())
}

/// Whether this is the file that the path leads to.
fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(it), Ok(there)) => (it.dev(), it.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Makes the names in a folder durable. Some file systems have no such thing for folders, and say that it is invalid.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}
