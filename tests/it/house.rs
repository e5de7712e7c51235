//! The walls of the house that clippy cannot hold: which room may know which.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Room and the rooms that it may know; data goes one way.
const ROOMS: [(&str, &[&str]); 15] = [
    ("pki", &[]),
    ("text", &[]),
    ("keys", &["pki"]),
    ("store", &["pki", "text"]),
    ("target", &["pki", "text"]),
    ("config", &["pki", "target"]),
    ("plan", &["config", "pki", "store"]),
    ("apply", &["config", "pki", "plan", "store", "text"]),
    ("probe", &["pki", "store", "target", "text"]),
    ("diagnose", &["config", "pki", "probe", "text"]),
    ("sample", &["pki"]),
    (
        "error",
        &[
            "apply", "config", "diagnose", "plan", "probe", "sample", "store", "text",
        ],
    ),
    (
        "report",
        &[
            "config", "diagnose", "error", "pki", "plan", "probe", "text",
        ],
    ),
    (
        "cli",
        &[
            "apply", "config", "diagnose", "error", "pki", "plan", "probe", "report", "sample",
            "store", "text",
        ],
    ),
    ("lib", &[]),
];

#[test]
fn no_room_knows_a_room_above_it() {
    let mut wrong = Vec::new();
    for file in sources() {
        let room = room_of(&file);
        if room == "main" {
            continue;
        }
        let known = ROOMS.iter().find(|(name, _)| *name == room);
        let (_, allowed) = known.unwrap_or_else(|| panic!("{room} is no room of the design"));
        for other in mentioned(&fs::read_to_string(&file).unwrap()) {
            if other != room && !allowed.contains(&other.as_str()) {
                wrong.push(format!("{} knows {other}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_room_that_knows_too_much_would_be_seen() {
    let text = "use crate::report::Style;\nfn f() { crate::cli::run() } // crate::plan";
    let expected = ["cli", "plan", "report"].map(str::to_owned);
    assert_eq!(mentioned(text), expected.into());
}

#[test]
fn only_signing_names_rcgen() {
    let naming: Vec<_> = sources()
        .into_iter()
        .filter(|file| fs::read_to_string(file).unwrap().contains("rcgen::"))
        .collect();
    assert_eq!(naming, [root().join("pki/sign.rs")]);
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources() -> Vec<PathBuf> {
    let mut folders = vec![root()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn room_of(file: &Path) -> String {
    let inside = file.strip_prefix(root()).unwrap();
    let first = inside
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy()
        .into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Every `crate::ROOM` in a text.
fn mentioned(text: &str) -> BTreeSet<String> {
    text.split("crate::")
        .skip(1)
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect()
        })
        .filter(|name: &String| name.starts_with(|c: char| c.is_lowercase()))
        .collect()
}
