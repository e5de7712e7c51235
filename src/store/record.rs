//! The commit record: what of a transaction is still to be put into place, and how that is done.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lock::{Guard, sync_dir};
use super::transaction::{KEY_MODE, PUBLIC_MODE, STAGE};
use super::{Store, StoreError, place};

/// The record's name once it counts, and before.
const RECORD: &str = "commit.json";
const DRAFT: &str = "commit.tmp";
/// Larger than the record of half a million certificates, in octets.
const MAX_RECORD: u64 = 256 << 20;

/// What a committed transaction still has to do. All of it can be done twice.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Staged files in the order in which they are put into place: keys before certificates, so that a reader
    /// meets no certificate without a key.
    pub(super) files: Vec<String>,
    /// What `issued.jsonl` gains.
    pub(super) append: Option<Append>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Append {
    /// Where the lines belong, whatever a torn line or an interrupted attempt left there.
    pub(super) offset: u64,
    pub(super) lines: String,
}

impl Record {
    /// Reads a record; `None` where it is damaged or names anything but the files of the folder.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let record: Self = serde_json::from_slice(text).ok()?;
        let is_ours = |file: &String| {
            let mut components = Path::new(file).components();
            let inside = (components.next(), components.next());
            matches!(inside, (Some(Component::Normal(_)), None))
                && (file == ".gitignore" || file.ends_with(".crt") || file.ends_with(".key"))
        };
        let whole = |it: &Append| it.lines.is_empty() || it.lines.ends_with('\n');
        (record.files.iter().all(is_ours) && record.append.iter().all(whole)).then_some(record)
    }

    /// Writes it down, durable once this returns. From its rename on the transaction counts.
    pub(super) fn write(&self, work: &Path) -> io::Result<()> {
        let text = serde_json::to_vec(self)?;
        if text.len() as u64 > MAX_RECORD {
            return Err(ErrorKind::FileTooLarge.into());
        }
        let draft = work.join(DRAFT);
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(KEY_MODE)
            .open(&draft)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&draft, work.join(RECORD))?;
        sync_dir(work)
    }

    fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        let mut text = Vec::new();
        let read = File::open(path).and_then(|it| it.take(MAX_RECORD + 1).read_to_end(&mut text));
        match read {
            Ok(_) => match Self::parse(&text) {
                Some(record) => Ok(Some(record)),
                None => Err(StoreError::Record {
                    path: path.to_owned(),
                }),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::read(path)(error)),
        }
    }
}

impl Guard<'_> {
    /// Completes a committed transaction, or drops what one that was not committed left.
    pub(super) fn recover(&self) -> Result<(), StoreError> {
        let work = self.store.work_dir();
        if let Some(record) = Record::read(&work.join(RECORD))? {
            return self.roll_forward(&record);
        }
        let draft = work.join(DRAFT);
        ignore_missing(fs::remove_file(&draft)).map_err(StoreError::write(&draft))?;
        let stage = work.join(STAGE);
        ignore_missing(fs::remove_dir_all(&stage)).map_err(StoreError::write(&stage))
    }

    /// Puts into place what is staged, and drops the record.
    pub(super) fn roll_forward(&self, record: &Record) -> Result<(), StoreError> {
        let work = self.store.work_dir();
        let stage = work.join(STAGE);
        for file in &record.files {
            let to = self.store.path(file);
            // A file that is no longer staged was put into place before the interruption.
            ignore_missing(fs::rename(stage.join(file), &to)).map_err(unfinished(&to))?;
        }
        if let Some(append) = &record.append {
            let log = self.store.issued_path();
            place::file(&log)?;
            append.write(&log).map_err(unfinished(&log))?;
        }
        sync_dir(self.store.dir()).map_err(unfinished(self.store.dir()))?;
        let path = work.join(RECORD);
        fs::remove_file(&path).map_err(unfinished(&path))?;
        // What is left of the stage is an empty folder, which the next command drops where it stays now.
        let _ = fs::remove_dir_all(&stage);
        Ok(())
    }
}

impl Store {
    /// Whether an interrupted command left something to complete or to drop.
    pub(super) fn has_leftovers(&self) -> bool {
        let work = self.work_dir();
        self.has_record() || work.join(STAGE).exists() || work.join(DRAFT).exists()
    }

    /// Whether what is in place is half of a change.
    pub(super) fn has_record(&self) -> bool {
        match fs::symlink_metadata(self.work_dir().join(RECORD)) {
            Ok(_) => true,
            // Of a folder that is closed to this process it cannot tell. Otherwise, what is staged is rather kept.
            Err(error) => !matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied
            ),
        }
    }

    /// The record, where it is damaged, so that the change is never completed.
    pub(super) fn damaged_record(&self) -> Option<PathBuf> {
        match Record::read(&self.work_dir().join(RECORD)) {
            Err(StoreError::Record { path }) => Some(path),
            _ => None,
        }
    }
}

impl Append {
    fn write(&self, log: &Path) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(PUBLIC_MODE)
            .custom_flags(place::no_follow())
            .open(log)?;
        let length = file.metadata()?.len();
        if length < self.offset {
            // Somebody took lines away: these go to what is left, and on a line of their own.
            if ends_within_a_line(&mut file, length)? {
                file.write_all(b"\n")?;
            }
        } else {
            file.set_len(self.offset)?;
            file.seek(SeekFrom::Start(self.offset))?;
        }
        file.write_all(self.lines.as_bytes())?;
        file.sync_all()
    }
}

/// Whether the last octet is none that ends a line; the position is then the end of the file.
fn ends_within_a_line(file: &mut File, length: u64) -> io::Result<bool> {
    let mut last = [b'\n'];
    if length > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    Ok(last != [b'\n'])
}

/// The record stands, so that the next command goes on where this one stopped.
pub(super) fn unfinished(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError::Unfinished {
        path: path.to_owned(),
        source,
    }
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_list_that_became_a_link_in_the_meantime_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (log, other) = (dir.path().join("issued.jsonl"), dir.path().join("other"));
        let append = Append {
            offset: 0,
            lines: "new\n".to_owned(),
        };
        fs::write(&other, "old").unwrap();
        symlink(&other, &log).unwrap();
        append.write(&log).unwrap_err();
        assert_eq!(fs::read(&other).unwrap(), b"old");
        fs::remove_file(&log).unwrap();
        append.write(&log).unwrap();
        assert_eq!(fs::read(&log).unwrap(), b"new\n");
    }
}
