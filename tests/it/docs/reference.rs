//! certs.toml at the root explains every key that the reader knows, and every configuration of the repository is usable.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use grpc_pki::config::{Config, schema};
use grpc_pki::pki::dn::ATTRIBUTE_TYPES;
use regex_lite::Regex;
use tempfile::TempDir;

use super::{read, root};

/// Every configuration in the repository, and how many certificates it makes.
const CONFIGURATIONS: [(&str, usize); 5] = [
    ("certs.toml", 3),
    ("examples/minimal.toml", 1),
    ("examples/mtls.toml", 4),
    ("examples/spiffe.toml", 2),
    ("src/config/starter.toml", 2),
];

#[test]
fn every_key_is_explained() {
    let keys = keys(&read("certs.toml"));
    let mut expected = BTreeSet::new();
    let mut expect = |table: &str, names: &[&str]| {
        expected.extend(names.iter().map(|name| format!("{table}.{name}")));
    };
    expect("ca", &schema::CA);
    expect("defaults", &schema::DEFAULTS);
    expect("dn", &ATTRIBUTE_TYPES.each_ref().map(|it| it.short));
    expect("alt_names", &["DNS", "IP"]);
    expect("certs.orders.alt_names", &schema::ALT_NAMES);
    let in_line = schema::ENTRY.iter().filter(|it| **it != "alt_names");
    expect("certs.orders", &in_line.copied().collect::<Vec<_>>());
    let missing: Vec<_> = expected.difference(&keys).collect();
    assert!(missing.is_empty(), "not in certs.toml: {missing:?}");
    let tables: BTreeSet<_> = keys.iter().filter_map(|it| it.split('.').next()).collect();
    assert_eq!(tables, schema::TOP.into());
    for subtree in ["permitted", "excluded"] {
        let line = read("certs.toml");
        let line = line
            .lines()
            .find(|line| line.contains(&format!("{subtree} =")))
            .unwrap();
        assert!(
            schema::SUBTREES
                .iter()
                .all(|kind| line.contains(&format!("{kind} =")))
        );
    }
}

/// `table.key` for each setting, commented out or not.
fn keys(text: &str) -> BTreeSet<String> {
    let header = Regex::new(r"^\[([^\]]+)\]").unwrap();
    let setting = Regex::new(r"^#?([A-Za-z_]+)(\.\d+)? = ").unwrap();
    let mut table = String::new();
    let mut keys = BTreeSet::new();
    for line in text.lines() {
        if let Some(found) = header.captures(line) {
            table = found[1].to_owned();
        } else if let Some(found) = setting.captures(line) {
            // What stands above the first table has no table to name.
            let dot = if table.is_empty() { "" } else { "." };
            keys.insert(format!("{table}{dot}{}", &found[1]));
        }
    }
    keys
}

#[test]
fn every_setting_that_is_commented_out_is_valid_too() {
    let commented = Regex::new(r"(?m)^#([A-Za-z_]+ = )").unwrap();
    let text = commented
        .replace_all(&read("certs.toml"), "$1")
        .into_owned();
    assert_ne!(text, read("certs.toml"));
    works("certs.toml with everything", &text, 3);
}

#[test]
fn every_configuration_loads_and_works() {
    let examples = fs::read_dir(root().join("examples")).unwrap();
    let listed = |name: &str| {
        CONFIGURATIONS
            .iter()
            .any(|(it, _)| *it == format!("examples/{name}"))
    };
    for entry in examples {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            !name.ends_with(".toml") || listed(&name),
            "{name} is not tested"
        );
    }
    for (path, certificates) in CONFIGURATIONS {
        works(path, &read(path), certificates);
    }
}

/// The configuration is right, and what it asks for can be made, without a warning.
fn works(path: &str, text: &str, certificates: usize) {
    if let Err(error) = Config::parse(Path::new(path), text.as_bytes()) {
        panic!("{path}: {error:?}");
    }
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("certs.toml"), text).unwrap();
    for command in ["init", "issue"] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_grpc-pki"));
        program.arg(command).current_dir(&folder);
        // Only what is encrypted asks for it.
        let output = program.env("GRPC_PKI_PASSPHRASE", "x").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && said.is_empty(),
            "{path}: {command}: {said}"
        );
    }
    let files = fs::read_dir(folder.path().join("pki")).unwrap();
    let names = files.map(|it| it.unwrap().file_name().into_string().unwrap());
    let made = names.filter(|it| it.ends_with(".crt") && it != "ca.crt");
    assert_eq!(made.count(), certificates, "{path}");
}
