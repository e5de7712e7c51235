//! What it costs that nothing is lost: 1,000 certificates in one transaction against the same certificates in plain
//! writes that nobody flushes, in memory (/dev/shm, where there is one) and on the disk of the build folder; run it
//! with `cargo bench --bench durable`.
//!
//! The two sides take turns in the same run, and the median of each counts. Both make the keys and sign.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use grpc_pki::apply;
use grpc_pki::config::Config;
use grpc_pki::keys::SystemKeys;
use grpc_pki::pki::{Issuer, KeySource, Template, pem};
use grpc_pki::plan::{self, Action, InitPlan, Plan};
use grpc_pki::store::{IssuedRecord, Patience, Store};
use rayon::prelude::*;
use time::OffsetDateTime;

const ROUNDS: usize = 15;
const CERTIFICATES: usize = 1000;

fn main() {
    for (place, folder) in [
        ("memory", Path::new("/dev/shm")),
        ("the disk", Path::new(env!("CARGO_TARGET_TMPDIR"))),
    ] {
        if !folder.is_dir() {
            println!("not run: there is no {}", folder.display());
            continue;
        }
        let folder = tempfile::tempdir_in(folder).unwrap();
        let (mut ours, mut plain) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(in_a_transaction(&folder.path().join("pki")));
            plain.push(in_plain_writes(&folder.path().join("plain")));
        }
        let (ours, plain) = (median(ours), median(plain));
        println!(
            "{CERTIFICATES} certificates in {place}: {ours:.1} ms in a transaction, {plain:.1} ms in plain writes, \
             ratio {:.2}",
            ours / plain
        );
    }
}

/// The milliseconds of `issue` from a plan to files that are in place and durable.
fn in_a_transaction(pki: &Path) -> f64 {
    let store = Store::new(pki);
    with_plan(&store, |plan, issuer| {
        let guard = store.lock(&mut patience(&mut |_| {})).unwrap();
        let start = Instant::now();
        let outcome = apply::issue(plan, issuer, &guard, &SystemKeys, &|| {}).unwrap();
        let took = start.elapsed();
        assert_eq!(outcome.issued.len(), CERTIFICATES);
        took.as_secs_f64() * 1e3
    })
}

/// The same certificates, each file written over in its place.
fn in_plain_writes(pki: &Path) -> f64 {
    let store = Store::new(pki);
    with_plan(&store, |plan, issuer| {
        let start = Instant::now();
        let make = |step: &plan::Step<'_>| {
            let Action::Issue { validity, .. } = step.action else {
                panic!("it is forced");
            };
            let entry = step.entry;
            let key = SystemKeys.key(entry.key).unwrap();
            let template = Template {
                subject: &entry.subject,
                names: &entry.names,
                validity,
                serial: SystemKeys.serial().unwrap(),
            };
            let certificate = issuer.issue(&template, entry.profile, &key).unwrap();
            write(&store.key_path(&entry.name), 0o600, &key.to_pem().unwrap());
            let text = pem::encode("CERTIFICATE", certificate.der());
            write(&store.certificate_path(&entry.name), 0o644, &text);
            serde_json::to_string(&IssuedRecord::new(&entry.name, &certificate)).unwrap() + "\n"
        };
        let lines: Vec<String> = plan.steps.par_iter().map(make).collect();
        let mut log = OpenOptions::new()
            .append(true)
            .open(store.issued_path())
            .unwrap();
        log.write_all(lines.concat().as_bytes()).unwrap();
        start.elapsed().as_secs_f64() * 1e3
    })
}

fn write(path: &Path, mode: u32, text: &str) {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(mode);
    let mut file = options.open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// A folder with a CA, and the plan to make every certificate, new or anew.
fn with_plan<T>(store: &Store, measure: impl FnOnce(&Plan<'_>, &Issuer) -> T) -> T {
    let text: String = (0..CERTIFICATES)
        .map(|it| format!("[certs.c{it}]\nprofile = \"client\"\n"))
        .collect();
    let config = Config::parse(Path::new("certs.toml"), text.as_bytes()).unwrap();
    let now = OffsetDateTime::now_utc();
    if !store.key_path("ca").exists() {
        let guard = store.lock(&mut patience(&mut |_| {})).unwrap();
        let files = store.ca_files().unwrap();
        let planned = plan::init(&config.ca, files, store.dir(), now).unwrap();
        let InitPlan::Create { ca, validity } = planned else {
            panic!("there is no CA yet");
        };
        apply::init(ca, validity, None, &guard, &SystemKeys).unwrap();
    }
    let entries = plan::select(&config, &[]).unwrap();
    let names: Vec<&str> = entries.iter().map(|it| it.name.as_str()).collect();
    let inventory = store.inventory(&names).unwrap();
    let plan = plan::issue(&entries, inventory, store.dir(), now, true).unwrap();
    let issuer = plan.issuer(store.dir()).unwrap();
    // What the round before left to be flushed is not this one's.
    fs::File::open(store.dir()).unwrap().sync_all().unwrap();
    measure(&plan, issuer)
}

fn patience<'p>(waiting: &'p mut dyn FnMut(&grpc_pki::store::Holder)) -> Patience<'p> {
    Patience {
        timeout: Duration::from_secs(1),
        command: "bench",
        waiting,
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
