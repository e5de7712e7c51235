//! Files as they come out of other tools.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::prelude::{BASE64_STANDARD, Engine};

use crate::zoo::pki::World;

/// Runs openssl in the folder.
pub fn openssl(world: &World, args: &[&str]) {
    let mut command = Command::new("openssl");
    let done = command.current_dir(world.path()).args(args).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{args:?}: {done:?}");
}

/// What openssl makes of something, in a new file that comes last in the command.
pub fn converted(world: &World, args: &[&str]) -> PathBuf {
    let out = world.file("");
    openssl(world, &[args, &[out.to_str().unwrap()]].concat());
    out
}

pub fn convert(world: &World, command: &str) -> PathBuf {
    converted(world, &command.split(' ').collect::<Vec<_>>())
}

/// A certificate request for the client's key.
pub fn request(world: &World) -> PathBuf {
    convert(world, "req -new -key pki/client.key -subj /CN=client -out")
}

pub fn octets(world: &World, octets: &[u8]) -> PathBuf {
    let path = world.file("");
    fs::write(&path, octets).unwrap();
    path
}

pub fn base64(world: &World, text: &str) -> PathBuf {
    world.file(&BASE64_STANDARD.encode(text))
}

pub fn escaped(world: &World, text: &str) -> PathBuf {
    world.file(&text.replace('\n', "\\n"))
}

/// With a character that is not Base64.
pub fn damaged(pem: &str) -> String {
    pem.replacen("MII", "M!I", 1)
}

/// The same file in another folder.
pub fn copy(folder: &Path, file: &Path) -> PathBuf {
    let to = folder.join(file.file_name().unwrap());
    fs::copy(file, &to).unwrap();
    to
}
