//! `issued.jsonl`: each certificate once, whatever happened to the last line.

use std::sync::Mutex;

use grpc_pki::keys::SystemKeys;
use grpc_pki::pki::key::KeyError;
use grpc_pki::pki::{KeyAlgorithm, KeySource, PrivateKey, SerialNumber};
use insta::assert_snapshot;

use crate::support::{Project, SERVER};

const LOG: &str = "pki/issued.jsonl";

/// A project whose log has lost its last octets.
fn torn(octets: usize) -> (Project, String) {
    let project = Project::issued(SERVER);
    let whole = project.read(LOG);
    project.write(LOG, &whole[..whole.len() - octets]);
    (project, whole)
}

#[test]
fn a_torn_line_is_completed_from_its_certificate() {
    let (project, whole) = torn(100);
    project.write(
        "certs.toml",
        format!("{SERVER}[certs.alice]\nprofile = \"client\"\n"),
    );
    let ran = project.run("issue").ok();
    assert_snapshot!(ran.stderr, @"warning: pki/issued.jsonl: the last line did not end, as after a full disk; it was completed from server.crt");
    let log = project.read(LOG);
    assert!(log.starts_with(&whole), "{log}");
    assert_eq!(log.lines().count(), 3);
    assert_eq!(project.run("issue --force").ok().stderr, "");
}

#[test]
fn a_torn_line_that_lacks_its_end_alone_gets_it() {
    let (project, whole) = torn(1);
    let ran = project.run("issue --force").ok();
    assert_snapshot!(ran.stderr, @"warning: pki/issued.jsonl: the last line did not end, as after a full disk; only its end was missing, and was added");
    assert!(project.read(LOG).starts_with(&whole));
}

#[test]
fn a_torn_line_about_another_certificate_is_taken_away() {
    let (project, whole) = torn(1);
    project.run("issue --force").ok();
    let last = whole.lines().last().unwrap();
    // The line of the certificate that has been replaced meanwhile.
    project.write(LOG, format!("{whole}{}", &last[..200]));
    let ran = project.run("issue --force").ok();
    assert_snapshot!(ran.stderr, @"warning: pki/issued.jsonl: the last line did not end, as after a full disk; its 200 octets were taken away, as no certificate here begins like that");
    let log = project.read(LOG);
    assert!(log.starts_with(&whole));
    assert_eq!(log.lines().count(), 3);
}

#[test]
fn a_log_that_is_gone_begins_anew() {
    let project = Project::issued(SERVER);
    project.remove(LOG);
    project.run("issue --force").ok();
    assert_eq!(project.read(LOG).lines().count(), 1);
}

/// Serial numbers from a list, over and over.
struct Repeating(Mutex<Box<dyn Iterator<Item = u8> + Send>>);

impl Repeating {
    fn new(numbers: &'static [u8]) -> Self {
        Self(Mutex::new(Box::new(numbers.iter().copied().cycle())))
    }
}

impl KeySource for Repeating {
    fn key(&self, algorithm: KeyAlgorithm) -> Result<PrivateKey, KeyError> {
        SystemKeys.key(algorithm)
    }

    fn serial(&self) -> Result<SerialNumber, KeyError> {
        let number = self.0.lock().unwrap().next().unwrap();
        Ok(SerialNumber::from_random([number; 20]))
    }

    fn octets(&self) -> Result<[u8; 16], KeyError> {
        SystemKeys.octets()
    }
}

#[test]
fn a_serial_number_is_never_given_out_twice() {
    let project = Project::new(SERVER).with_keys(Repeating::new(&[1, 1, 2, 2, 3]));
    project.run("init").ok();
    project.run("issue").ok();
    project.run("issue --force").ok();
    let log = project.read(LOG);
    let serials: Vec<_> = log
        .lines()
        .map(|it| serde_json::from_str::<serde_json::Value>(it).unwrap()["serial"].to_string())
        .collect();
    assert_eq!(serials.len(), 3);
    assert!(serials[0] != serials[1] && serials[1] != serials[2]);
}

#[test]
fn a_source_that_repeats_itself_stops_the_run() {
    let project = Project::new(SERVER).with_keys(Repeating::new(&[1]));
    project.run("init").ok();
    let before = project.state_of("pki");
    assert_snapshot!(project.run("issue").exits(3), @"
    --- stderr
    error: no serial number could be made for `server` that was not given out before
    --- exit 3
    ");
    for (file, state) in project.state_of("pki") {
        if !file.starts_with(".grpc-pki") {
            assert_eq!(before.get(&file), Some(&state), "{}", file.display());
        }
    }
}
