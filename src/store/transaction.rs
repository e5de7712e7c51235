//! All changes of one run, at once or not at all.
//!
//! Each file is staged under `.grpc-pki/stage/` with its final mode and owner. Then all of it is made durable,
//! a commit record names what is to go where, the files are renamed into place, and the record is dropped. A
//! process that dies before the record stands has changed nothing; one that dies after it has its work
//! completed by the next command. Every step can be done twice.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lock::{Guard, sync_dir};
use super::{Content, Store, StoreError};

const KEY_MODE: u32 = 0o600;
const PUBLIC_MODE: u32 = 0o644;
const STAGE: &str = "stage";
const RECORD: &str = "commit.json";
pub(super) const LOG: &str = "issued.jsonl";
/// Above this many files, one flush of the file system costs less than a flush of each.
const FLUSH_EACH: usize = 32;

/// A line of `issued.jsonl`: what was signed, so that it can be found, recognised and revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedRecord {
    /// Entry of certs.toml, or `ca`.
    pub name: String,
    /// Hexadecimal serial number.
    pub serial: String,
    /// Subject.
    pub subject: String,
    /// Subject of the issuer.
    pub issuer: String,
    /// `ca`, `server`, `client` or `peer`.
    pub profile: String,
    /// subjectAltName, each with its kind.
    pub names: Vec<String>,
    /// RFC 3339.
    pub not_before: String,
    /// RFC 3339.
    pub not_after: String,
    /// SHA-256 of the DER, hexadecimal.
    pub sha256: String,
}

/// The commit record.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    /// Staged files in the order in which they are put into place: keys before certificates, so that a reader
    /// meets no certificate without a key.
    files: Vec<String>,
    /// What `issued.jsonl` gains.
    append: Option<Append>,
}

impl Record {
    /// Reads a record; `None` where it is damaged or names anything outside the folder.
    fn parse(text: &[u8]) -> Option<Self> {
        let record: Self = serde_json::from_slice(text).ok()?;
        let is_inside = |file: &String| {
            let mut components = Path::new(file).components();
            matches!(
                (components.next(), components.next()),
                (Some(Component::Normal(_)), None)
            )
        };
        record.files.iter().all(is_inside).then_some(record)
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Append {
    /// Where the lines belong, whatever an interrupted attempt left there.
    offset: u64,
    lines: String,
}

/// Changes that are being staged; dropped without [`Transaction::commit`], nothing has happened.
#[derive(Debug)]
pub struct Transaction<'g> {
    guard: &'g Guard<'g>,
    stage: PathBuf,
}

impl<'s> Guard<'s> {
    /// Begins to stage changes.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn begin(&'s self) -> Result<Transaction<'s>, StoreError> {
        let stage = self.store.work_dir().join(STAGE);
        fs::create_dir(&stage).map_err(StoreError::write(&stage))?;
        Ok(Transaction { guard: self, stage })
    }

    /// Completes a committed transaction, or drops what one that was not committed left.
    pub(super) fn recover(&self) -> Result<(), StoreError> {
        let work = self.store.work_dir();
        let record = work.join(RECORD);
        match fs::read(&record) {
            Ok(text) => {
                let parsed = Record::parse(&text);
                self.roll_forward(&parsed.ok_or(StoreError::Record { path: record })?)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let dropped = fs::remove_file(work.join("commit.tmp"));
                ignore_missing(dropped).map_err(StoreError::write(&work))?;
                let stage = work.join(STAGE);
                ignore_missing(fs::remove_dir_all(&stage)).map_err(StoreError::write(&stage))
            }
            Err(error) => Err(StoreError::read(&record)(error)),
        }
    }

    fn roll_forward(&self, record: &Record) -> Result<(), StoreError> {
        let work = self.store.work_dir();
        let stage = work.join(STAGE);
        for file in &record.files {
            let to = self.store.path(file);
            // A file that is no longer staged was put into place before the interruption.
            ignore_missing(fs::rename(stage.join(file), &to)).map_err(StoreError::write(&to))?;
        }
        if let Some(append) = &record.append {
            let log = self.store.path(LOG);
            append_at(&log, append).map_err(StoreError::write(&log))?;
        }
        sync_dir(self.store.dir()).map_err(StoreError::write(self.store.dir()))?;
        let path = work.join(RECORD);
        fs::remove_file(&path).map_err(StoreError::write(&path))?;
        ignore_missing(fs::remove_dir_all(&stage)).map_err(StoreError::write(&stage))
    }
}

impl Transaction<'_> {
    /// Stages a private key as PEM.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn key(&self, name: &str, pem: &str) -> Result<(), StoreError> {
        self.stage(&format!("{name}.key"), pem.as_bytes(), KEY_MODE)
    }

    /// Stages a certificate file as PEM.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn certificate(&self, name: &str, pem: &str) -> Result<(), StoreError> {
        self.stage(&format!("{name}.crt"), pem.as_bytes(), PUBLIC_MODE)
    }

    /// Stages `.gitignore`, unless the user has one.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn gitignore(&self) -> Result<(), StoreError> {
        if self.guard.store.path(".gitignore").exists() {
            return Ok(());
        }
        self.stage(".gitignore", super::GITIGNORE.as_bytes(), PUBLIC_MODE)
    }

    fn stage(&self, file: &str, content: &[u8], mode: u32) -> Result<(), StoreError> {
        let target = self.guard.store.path(file);
        let path = self.stage.join(file);
        create(&path, &target, content, mode).map_err(StoreError::write(&target))
    }

    /// Makes everything durable, puts it into place and writes down what was issued.
    ///
    /// # Errors
    /// [`StoreError::Write`]: before the commit record stands nothing has changed, and afterwards the next
    /// command completes it.
    pub fn commit(self, issued: &[IssuedRecord]) -> Result<(), StoreError> {
        let work = self.guard.store.work_dir();
        let failed = |source| StoreError::write(&work)(source);
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.stage).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            files.push(name.to_string_lossy().into_owned());
        }
        files.sort_by_key(|file| (!file.ends_with(".key"), file.clone()));
        let record = Record {
            append: self.append(issued)?,
            files,
        };
        self.make_durable(&record.files).map_err(failed)?;
        write_record(&work, &record).map_err(failed)?;
        self.guard.roll_forward(&record)
    }

    fn append(&self, issued: &[IssuedRecord]) -> Result<Option<Append>, StoreError> {
        if issued.is_empty() {
            return Ok(None);
        }
        let log = self.guard.store.path(LOG);
        let failed = |source| StoreError::write(&log)(source);
        let mut lines = String::new();
        for record in issued {
            lines.push_str(&serde_json::to_string(record).map_err(|it| failed(it.into()))?);
            lines.push('\n');
        }
        let offset = match fs::metadata(&log) {
            Ok(metadata) if metadata.is_file() => metadata.len(),
            Ok(_) => {
                return Err(StoreError::Content {
                    path: log,
                    content: Content::NotAFile,
                });
            }
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(failed(error)),
        };
        Ok(Some(Append { offset, lines }))
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
        if !self.guard.store.work_dir().join(RECORD).exists() {
            let _ = fs::remove_dir_all(&self.stage);
        }
    }
}

impl Store {
    /// Whether an interrupted command left something to complete or to drop.
    pub(super) fn has_leftovers(&self) -> bool {
        let work = self.work_dir();
        work.join(STAGE).exists() || work.join(RECORD).exists()
    }
}

/// Creates a staged file with its final mode: that of the file it replaces where it is at least as tight.
fn create(path: &Path, replaces: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let replaced = fs::metadata(replaces).ok().filter(fs::Metadata::is_file);
    let kept = replaced
        .as_ref()
        .map(|it| it.mode() & 0o777)
        .filter(|it| it & !mode == 0);
    let mode = kept.unwrap_or(mode);
    // The mode is given at creation, so that a key is at no instant more open than it ends.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode | 0o200)
        .open(path)?;
    if let Some(replaced) = &replaced {
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (replaced.uid(), replaced.gid()) {
            // Only root can give a file away; for others the new file is their own.
            let _ = fchown(&file, Some(replaced.uid()), Some(replaced.gid()));
        }
    }
    file.write_all(content)?;
    // What the umask took off a public file, and the right to write that only staging needed.
    if file.metadata()?.mode() & 0o777 != mode {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    Ok(())
}

fn write_record(work: &Path, record: &Record) -> io::Result<()> {
    let draft = work.join("commit.tmp");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(KEY_MODE)
        .open(&draft)?;
    file.write_all(&serde_json::to_vec(record)?)?;
    file.sync_all()?;
    fs::rename(&draft, work.join(RECORD))?;
    sync_dir(work)
}

fn append_at(log: &Path, append: &Append) -> io::Result<()> {
    let is_new = !log.exists();
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(PUBLIC_MODE)
        .open(log)?;
    if is_new {
        // What the umask took off.
        file.set_permissions(Permissions::from_mode(PUBLIC_MODE))?;
    }
    file.set_len(append.offset)?;
    file.seek(SeekFrom::Start(append.offset))?;
    file.write_all(append.lines.as_bytes())?;
    file.sync_all()
}

fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| {
        if error.kind() == ErrorKind::NotFound {
            Ok(())
        } else {
            Err(error)
        }
    })
}
