//! All changes of one run, at once or not at all.
//!
//! Each file is staged under `.grpc-pki/stage/` with its final mode and owner. Then all of it is made durable,
//! a commit record names what is to go where, the files are renamed into place, and the record is dropped. A
//! process that dies before the record stands has changed nothing; one that dies after it has its work
//! completed by the next command. Every step can be done twice.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::issued::{IssuedLog, IssuedRecord, Repair};
use super::lock::{Guard, sync_dir};
use super::record::{Append, Record, unfinished};
use super::{StoreError, place, read_certificates};

pub(super) const KEY_MODE: u32 = 0o600;
pub(super) const PUBLIC_MODE: u32 = 0o644;
pub(super) const STAGE: &str = "stage";
/// Above this many files, one flush of the file system costs less than a flush of each.
const FLUSH_EACH: usize = 32;

/// Changes that are being staged; dropped without [`Transaction::commit`], nothing has happened.
#[derive(Debug)]
pub struct Transaction<'g> {
    guard: &'g Guard<'g>,
    stage: PathBuf,
    log: IssuedLog,
    serials: Mutex<HashSet<String>>,
}

impl<'s> Guard<'s> {
    /// Begins to stage changes.
    ///
    /// # Errors
    /// [`StoreError::Write`]; [`StoreError::InTheWay`] or [`StoreError::Read`] for `issued.jsonl`.
    pub fn begin(&'s self) -> Result<Transaction<'s>, StoreError> {
        let mut log = IssuedLog::open(&self.store.issued_path())?;
        let work = self.store.work_dir();
        let stage = work.join(STAGE);
        let made = DirBuilder::new().mode(0o700).create(&stage);
        // The record of the last transaction is gone from memory; were it still on the disk after a power failure, it
        // would put into place what is staged now.
        let durable = made.and_then(|()| sync_dir(&work));
        durable.map_err(StoreError::write(&stage))?;
        Ok(Transaction {
            guard: self,
            stage,
            serials: Mutex::new(std::mem::take(&mut log.serials)),
            log,
        })
    }
}

impl Transaction<'_> {
    /// Takes a serial number, in hexadecimal, for a certificate of this run; false where it was given out before (RFC 5280, 4.1.2.2).
    pub fn claim(&self, serial: &str) -> bool {
        let mut serials = self.serials.lock().unwrap_or_else(PoisonError::into_inner);
        serials.insert(serial.to_owned())
    }

    /// Stages a private key as PEM.
    ///
    /// # Errors
    /// [`StoreError::InTheWay`], [`StoreError::Write`].
    pub fn key(&self, name: &str, pem: &str) -> Result<(), StoreError> {
        self.stage(&format!("{name}.key"), pem.as_bytes(), KEY_MODE)
    }

    /// Stages a certificate file as PEM.
    ///
    /// # Errors
    /// As [`Transaction::key`].
    pub fn certificate(&self, name: &str, pem: &str) -> Result<(), StoreError> {
        self.stage(&format!("{name}.crt"), pem.as_bytes(), PUBLIC_MODE)
    }

    /// Stages `.gitignore`, unless the user has one.
    ///
    /// # Errors
    /// As [`Transaction::key`].
    pub fn gitignore(&self) -> Result<(), StoreError> {
        if self.guard.store.path(".gitignore").exists() {
            return Ok(());
        }
        self.stage(".gitignore", super::GITIGNORE.as_bytes(), PUBLIC_MODE)
    }

    fn stage(&self, file: &str, content: &[u8], mode: u32) -> Result<(), StoreError> {
        let target = self.guard.store.path(file);
        let replaced = place::file(&target)?;
        let staged = create(&self.stage.join(file), replaced.as_ref(), content, mode);
        staged.map_err(StoreError::write(&target))
    }

    /// Makes everything durable, puts it into place and writes down what was issued; returns what became of a torn
    /// line of `issued.jsonl`.
    ///
    /// # Errors
    /// [`StoreError::Write`]: nothing has changed. [`StoreError::Unfinished`]: the next command completes it.
    pub fn commit(self, issued: &[IssuedRecord]) -> Result<Option<Repair>, StoreError> {
        let store = self.guard.store;
        let work = store.work_dir();
        let failed = |source| StoreError::write(&work)(source);
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.stage).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            files.push(name.to_string_lossy().into_owned());
        }
        files.sort_by_key(|file| (!file.ends_with(".key"), file.clone()));
        let appended = self.append(issued);
        let (append, repair) = appended.map_err(StoreError::write(&store.issued_path()))?;
        let record = Record { files, append };
        self.make_durable(&record.files).map_err(failed)?;
        record.write(&work).map_err(|source| {
            if store.has_record() {
                unfinished(&work)(source)
            } else {
                failed(source)
            }
        })?;
        self.guard.roll_forward(&record)?;
        Ok(repair)
    }

    fn append(&self, issued: &[IssuedRecord]) -> io::Result<(Option<Append>, Option<Repair>)> {
        if issued.is_empty() {
            return Ok((None, None));
        }
        let certificate = |name: &str| {
            let path = self.guard.store.certificate_path(name);
            Some(read_certificates(&path).ok()?.swap_remove(0))
        };
        let (mut lines, repair) = match self.log.repair(certificate)? {
            Some((line, repair)) => (line, Some(repair)),
            None => (String::new(), None),
        };
        for record in issued {
            lines.push_str(&record.line()?);
        }
        let offset = self.log.end;
        Ok((Some(Append { offset, lines }), repair))
    }

    fn make_durable(&self, files: &[String]) -> io::Result<()> {
        if files.len() > FLUSH_EACH {
            return rustix::fs::syncfs(File::open(&self.stage)?).map_err(io::Error::from);
        }
        for file in files {
            File::open(self.stage.join(file))?.sync_all()?;
        }
        sync_dir(&self.stage)
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        // Once the commit record stands, what is staged belongs to it.
        if !self.guard.store.has_record() {
            let _ = fs::remove_dir_all(&self.stage);
        }
    }
}

/// Creates a staged file with its final mode, that of the file it replaces where it is at least as tight, and with
/// the owner of that file as far as the system lets us. The mode is given at creation, and never changed: a key is
/// at no instant more open than it ends.
fn create(path: &Path, replaced: Option<&Metadata>, content: &[u8], mode: u32) -> io::Result<()> {
    let kept = replaced.map(|it| it.mode() & 0o777);
    let kept = kept.filter(|it| it & !mode == 0);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(kept.unwrap_or(mode))
        .open(path)?;
    if let Some(replaced) = replaced {
        let own = file.metadata()?;
        let group = (own.gid() != replaced.gid()).then_some(replaced.gid());
        let owner = (own.uid() != replaced.uid()).then_some(replaced.uid());
        // Only root can give a file away; a group of our own we can give it to.
        let given = owner.is_some() && fchown(&file, owner, group).is_ok();
        if group.is_some() && !given {
            let _ = fchown(&file, None, group);
        }
    }
    file.write_all(content)
}
