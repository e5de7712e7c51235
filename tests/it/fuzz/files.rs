//! Files of a folder, changed: what reads them refuses or accepts, and comes to an end. `PROPTEST_CASES=100000` makes
//! so many of each; the targets in `fuzz/` go on from there.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use grpc_pki::config::{Config, ConfigError, STARTER};
use grpc_pki::error::Error;
use grpc_pki::pki::contents::Contents;
use grpc_pki::pki::{Certificate, RevocationList};
use grpc_pki::report::{Failure, Style};
use grpc_pki::store::fuzzing::{self, MAX_SIZE};
use proptest::prelude::*;
use rustls::pki_types::CertificateDer;

use super::noise::Noise;
use super::steers;
use crate::support::Project;

/// For the largest file, in a build without optimisation on a loaded machine. What takes a time that grows with the
/// square of the size takes minutes.
const LIMIT: Duration = Duration::from_secs(60);

/// Real files: certs.toml, a certificate, its key, what was issued.
static FILES: LazyLock<[Vec<u8>; 4]> = LazyLock::new(|| {
    let reference = include_str!("../../../certs.toml");
    let project = Project::issued(reference);
    let read = |file| fs::read(project.path(file)).unwrap();
    [
        reference.as_bytes().to_vec(),
        read("pki/server.crt"),
        read("pki/server.key"),
        read("pki/issued.jsonl"),
    ]
});

fn changed(seed: u64, octets: &[u8]) -> Vec<u8> {
    let mut octets = octets.to_vec();
    Noise::new(seed).change(&mut octets);
    octets
}

fn config(text: &[u8]) {
    let Err(error) = Config::parse(Path::new("certs.toml"), text) else {
        return;
    };
    let failure = Failure {
        error: &Error::from(error),
        command: "issue",
        exit_code: 2,
    };
    let human = failure.human(Style::default());
    // Tabs of the file stay, so that the caret stands where the eye looks.
    assert!(!human.contains(|c| c != '\t' && steers(c)), "{human:?}");
    let json = failure.json().to_string();
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
}

fn key(text: &[u8]) {
    let _ = Contents::read(text);
    if let Ok(read) = fuzzing::key(text) {
        let again = fuzzing::key(read.to_pem().unwrap().as_bytes()).unwrap();
        assert_eq!(again.public_key_info(), read.public_key_info());
    }
}

fn record(text: &[u8]) {
    for file in fuzzing::commit_record(text).into_iter().flatten() {
        let inside = Path::new("pki").join(&file);
        assert_eq!(inside.parent(), Some(Path::new("pki")), "{file:?}");
    }
}

proptest! {
    #[test]
    fn no_certs_toml_is_too_odd(seed in any::<u64>()) {
        config(&changed(seed, &FILES[0]));
        config(&changed(seed, STARTER.as_bytes()));
        config(&Noise::new(seed).text());
    }

    #[test]
    fn no_certificate_is_too_odd(seed in any::<u64>()) {
        let _ = fuzzing::certificates(&changed(seed, &FILES[1]));
        let der = fuzzing::certificates(&FILES[1]).unwrap().swap_remove(0);
        let changed = Noise::new(seed).change_der(der.der());
        let _ = RevocationList::from_der(&changed);
        if let Ok(read) = Certificate::from_der(CertificateDer::from(changed)) {
            let _ = (read.is_issued_by(&read), read.fingerprint(), read.serial_hex());
        }
    }

    #[test]
    fn no_key_is_too_odd(seed in any::<u64>()) {
        key(&changed(seed, &FILES[2]));
        key(&Noise::new(seed).text());
    }

    #[test]
    fn no_line_of_what_was_issued_is_too_odd(seed in any::<u64>()) {
        let torn = changed(seed, &FILES[3]);
        let (log, mended) = fuzzing::issued(&torn);
        prop_assert!(mended.is_empty() || mended.ends_with(b"\n"));
        let (again, same) = fuzzing::issued(&mended);
        prop_assert!(!again.is_torn() && same == mended);
        prop_assert!(again.serials.is_superset(&log.serials));
        prop_assert_eq!(again.damaged, log.damaged);
    }

    #[test]
    fn no_commit_record_is_too_odd(seed in any::<u64>()) {
        let lines = String::from_utf8(FILES[3].clone()).unwrap();
        let whole = serde_json::json!({
            "files": ["a.key", "a.crt", ".gitignore"],
            "append": { "offset": 7, "lines": lines },
        });
        let whole = whole.to_string();
        prop_assert!(fuzzing::commit_record(whole.as_bytes()).is_some());
        record(&changed(seed, whole.as_bytes()));
    }
}

/// As often as it fits into the largest file, with another number each time.
fn filled(head: &str, part: impl Fn(usize) -> String, tail: &str) -> String {
    let mut text = String::with_capacity(MAX_SIZE as usize);
    text.push_str(head);
    for number in 0.. {
        let part = part(number);
        if text.len() + part.len() + tail.len() > MAX_SIZE as usize {
            break;
        }
        text.push_str(&part);
    }
    text + tail
}

#[test]
fn the_largest_certs_toml_takes_its_time_and_no_more() {
    let deep = 400_000;
    for (case, text) in [
        ("unknown keys", filled("", |it| format!("a{it}=1\n"), "")),
        (
            "unknown keys on one line",
            filled("ca={", |it| format!("a{it}=1,"), "a=1}"),
        ),
        ("one key", format!("{} = 1", "a".repeat(1 << 20))),
        (
            "entries",
            filled("", |it| format!("[certs.a{it}]\nprofile=\"client\"\n"), ""),
        ),
        (
            "entries on one line",
            filled(
                "certs={",
                |it| format!("a{it}={{profile=\"peer\",alt_names={{DNS=[\"a.b\"]}}}},"),
                "z={profile=\"client\"}}",
            ),
        ),
        (
            "names",
            filled("[alt_names]\nDNS=[", |it| format!("\"a{it}\","), "]\n"),
        ),
        (
            "numbered names",
            filled("[alt_names]\n", |it| format!("DNS.{it}=\"a{it}\"\n"), ""),
        ),
        (
            "attributes",
            filled("[dn]\nOU=[", |it| format!("\"{it}\","), "]\n"),
        ),
        ("attributes and entries", {
            let half = (0..40_000).fold(String::new(), |mut text, it| {
                let _ = write!(text, "\"{it}\",");
                text
            });
            let head = format!("[dn]\nOU=[{half}]\n");
            filled(
                &head,
                |it| format!("[certs.a{it}]\nprofile=\"client\"\n"),
                "",
            )
        }),
        ("a deep key", format!("{}a = 1", "a.".repeat(deep))),
        ("a deep header", format!("[{}a]", "a.".repeat(deep))),
        ("deep lists", format!("a = {}", "[".repeat(deep))),
        ("deep tables", format!("a = {}", "{a=".repeat(deep / 2))),
        ("broken lines", filled("", |_| "= \n".to_owned(), "")),
        ("quotes", "\"".repeat(1 << 20)),
        ("control characters", "\u{1}".repeat(1 << 20)),
        ("not UTF-8", "a\n".repeat(1 << 19)),
    ] {
        assert!(text.len() as u64 <= MAX_SIZE + 8, "{case}");
        let mut octets = text.into_bytes();
        if case == "not UTF-8" {
            octets.pop();
            octets.push(0xff);
        }
        let started = Instant::now();
        config(&octets);
        let elapsed = started.elapsed();
        assert!(elapsed < LIMIT, "{case}: {elapsed:?}");
        eprintln!("{case}: {elapsed:?}");
    }
}

#[test]
fn the_largest_pem_file_takes_its_time_and_no_more() {
    let certificate = String::from_utf8(FILES[1].clone()).unwrap();
    let private = String::from_utf8(FILES[2].clone()).unwrap();
    for (case, text) in [
        ("certificates", filled("", |_| certificate.clone(), "")),
        ("keys", filled("", |_| private.clone(), "")),
        (
            "labels",
            filled("", |_| "-----BEGIN X-----\n".to_owned(), ""),
        ),
        (
            "key labels",
            filled("", |_| "-----BEGIN PRIVATE KEY-----\n".to_owned(), ""),
        ),
        (
            "empty blocks",
            filled(
                "",
                |_| "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".to_owned(),
                "",
            ),
        ),
        (
            "one block",
            filled(
                "-----BEGIN CERTIFICATE-----\n",
                |_| "MIIB".to_owned(),
                "\n-----END CERTIFICATE-----\n",
            ),
        ),
        ("dashes", "-".repeat(1 << 20)),
        ("DER", "\u{30}".repeat(1 << 20)),
        ("lines", "\n".repeat(1 << 20)),
    ] {
        let started = Instant::now();
        key(text.as_bytes());
        let _ = fuzzing::certificates(text.as_bytes());
        let elapsed = started.elapsed();
        assert!(elapsed < LIMIT, "{case}: {elapsed:?}");
        eprintln!("{case}: {elapsed:?}");
    }
}

#[test]
fn what_is_larger_than_a_mebibyte_is_refused_by_its_size() {
    let project = Project::empty();
    let text = "#".repeat(MAX_SIZE as usize);
    project.write("certs.toml", &text);
    assert!(Config::load(&project.path("certs.toml")).is_ok());
    project.write("certs.toml", text + "#");
    let refused = Config::load(&project.path("certs.toml"));
    assert!(matches!(refused, Err(ConfigError::TooLarge { .. })));
}

fn problems(text: &str) -> Vec<grpc_pki::config::Problem> {
    match Config::parse(Path::new("certs.toml"), text.as_bytes()) {
        Err(ConfigError::Invalid { problems, .. }) => problems,
        other => panic!("{other:?}"),
    }
}

/// Each mistake keeps its line, so that a file has room for few.
#[test]
fn a_thousand_mistakes_are_told_and_that_there_are_more() {
    let keys = |count: usize| (0..count).map(|it| format!("a{it}=1,")).collect::<String>();
    let told = problems(&format!("ca={{{}}}\n", keys(1000)));
    assert_eq!(told.len(), 1000);
    let told = problems(&format!("ca={{{}}}\n", keys(5000)));
    assert_eq!(told.len(), 1001);
    let last = &told[1000].message;
    assert_eq!(last, "there is more; 1000 mistakes are told at a time");
    assert!(told.iter().all(|it| it.source.chars().count() <= 400));
}

#[test]
fn a_name_has_a_hundred_attributes_at_most() {
    let text = |count| format!("[dn]\nOU = [{}]\n", "\"a\",".repeat(count));
    assert!(Config::parse(Path::new("certs.toml"), text(100).as_bytes()).is_ok());
    let told = problems(&text(101));
    assert_eq!(told[0].message, "a name has at most 100 attributes");
}

#[test]
fn a_line_that_is_too_long_to_type_is_no_fix() {
    let line = |more: &str| {
        let text = format!("alt_names = {{ DNS = [\"a.internal\"] }} #{more}\n");
        let config = Config::parse(Path::new("certs.toml"), text.as_bytes()).unwrap();
        config.certificates[0].place.add("DNS", "b.internal")
    };
    assert!(line("short").unwrap().text.contains("\"b.internal\""));
    assert_eq!(line(&"x".repeat(5000)), None);
}
