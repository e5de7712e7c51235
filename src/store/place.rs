//! What is in the way: nothing is written through a symbolic link, nor into a folder that is somebody else's.

use std::fmt;
use std::fs::{self, FileType, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use super::StoreError;

/// Why a place is not written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// A folder of another user, by number: its owner could put other files in the place of ours.
    ForeignFolder(u32),
    /// A folder in which everybody may replace files; its permission bits.
    OpenFolder(u32),
    /// There is something else where a folder belongs.
    NotAFolder(Kind),
    /// There is something else where a file belongs.
    NotAFile(Kind),
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the word itself")]
pub enum Kind {
    Device,
    File,
    Folder,
    Pipe,
    Socket,
    SymbolicLink,
}

impl Kind {
    fn of(file_type: FileType) -> Self {
        match file_type {
            it if it.is_symlink() => Self::SymbolicLink,
            it if it.is_dir() => Self::Folder,
            it if it.is_fifo() => Self::Pipe,
            it if it.is_socket() => Self::Socket,
            it if it.is_file() => Self::File,
            _ => Self::Device,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Device => "a device",
            Self::File => "a file",
            Self::Folder => "a folder",
            Self::Pipe => "a named pipe",
            Self::Socket => "a socket",
            Self::SymbolicLink => "a symbolic link",
        })
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForeignFolder(uid) => {
                write!(
                    f,
                    "belongs to another user (uid {uid}), who could replace keys in it"
                )
            }
            Self::OpenFolder(mode) => {
                write!(
                    f,
                    "may be written by everyone (mode {mode:04o}), who could replace keys in it"
                )
            }
            Self::NotAFolder(kind) => write!(f, "is {kind}, where a folder belongs"),
            Self::NotAFile(kind) => write!(f, "is {kind}, where a file belongs"),
        }
    }
}

/// Of `open`: what was looked at here may be a symbolic link by now, and is not followed.
pub(super) fn no_follow() -> i32 {
    rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()
}

/// What is there now and may be replaced by a file; `None` where there is nothing.
///
/// # Errors
/// [`StoreError::InTheWay`], [`StoreError::Read`].
pub(super) fn file(path: &Path) -> Result<Option<Metadata>, StoreError> {
    match look(path)? {
        Some(it) if !it.is_file() => in_the_way(path, Obstacle::NotAFile(Kind::of(it.file_type()))),
        found => Ok(found),
    }
}

/// Whether there is such a folder, which then is our own.
///
/// # Errors
/// As [`file`].
pub(super) fn folder(path: &Path) -> Result<bool, StoreError> {
    match look(path)? {
        None => Ok(false),
        Some(it) => own(path, &it).map(|()| true),
    }
}

/// The same of the folder that the user named, who may have meant a symbolic link.
///
/// # Errors
/// As [`file`].
pub(super) fn named_folder(path: &Path) -> Result<bool, StoreError> {
    match fs::metadata(path) {
        Ok(it) => own(path, &it).map(|()| true),
        // A symbolic link that leads nowhere is in the way.
        Err(error) if error.kind() == ErrorKind::NotFound => folder(path),
        Err(error) => Err(StoreError::read(path)(error)),
    }
}

fn own(path: &Path, metadata: &Metadata) -> Result<(), StoreError> {
    let mode = metadata.mode() & 0o7777;
    if !metadata.is_dir() {
        in_the_way(path, Obstacle::NotAFolder(Kind::of(metadata.file_type())))
    } else if metadata.uid() != rustix::process::geteuid().as_raw() {
        in_the_way(path, Obstacle::ForeignFolder(metadata.uid()))
    } else if mode & 0o002 != 0 {
        in_the_way(path, Obstacle::OpenFolder(mode))
    } else {
        Ok(())
    }
}

fn look(path: &Path) -> Result<Option<Metadata>, StoreError> {
    match fs::symlink_metadata(path) {
        Ok(it) => Ok(Some(it)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::read(path)(error)),
    }
}

fn in_the_way<T>(path: &Path, obstacle: Obstacle) -> Result<T, StoreError> {
    Err(StoreError::InTheWay {
        path: path.to_owned(),
        obstacle,
    })
}
