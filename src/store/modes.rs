//! Key files that others may read.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::inventory::is_open;
use super::lock::Guard;
use super::place;
use super::transaction::KEY_MODE;

impl Guard<'_> {
    /// Takes from group and others whatever rights they have to a key file, and returns the permission bits that it
    /// had; `None` where there was nothing to take, or the file is not ours.
    pub fn tighten(&self, path: &Path) -> Option<u32> {
        is_open(path).then(|| tighten(path).ok()).flatten()
    }
}

fn tighten(path: &Path) -> std::io::Result<u32> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(place::no_follow())
        .open(path)?;
    let mode = file.metadata()?.permissions().mode() & 0o777;
    file.set_permissions(Permissions::from_mode(mode & KEY_MODE))?;
    Ok(mode)
}
