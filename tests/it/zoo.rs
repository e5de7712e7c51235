//! `verify` against staged servers, most of them of other make: one table of what it must conclude.
//!
//! A row is: the case, the exit code, the stage that fails first, the codes of all findings in order, words that
//! the text must have, and the server. Rows run a few at a time; the failures of all are reported together.
//!
//! `ZOO_ONLY=words` runs the rows whose case has these words, `ZOO_RUNS=20` all of them that many times.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use grpc_pki::diagnose::Code;
use pki::World;
use row::Row;

mod any_client;
mod beyond;
mod certificate;
mod client_auth;
mod enforcement;
mod grpc;
mod issuer;
mod many;
mod name;
mod output;
mod path;
mod pki;
mod process;
mod reach;
mod row;
mod wait;

/// Rows that run at one time: most of them wait.
const PARALLEL: usize = 4;

#[test]
fn every_staged_server_gets_its_diagnosis() {
    let only = std::env::var("ZOO_ONLY").unwrap_or_default();
    let runs = std::env::var("ZOO_RUNS").map_or(1, |it| it.parse().expect("ZOO_RUNS is a number"));
    let mut rows = table();
    rows.retain(|it| it.case.contains(&only));
    assert!(!rows.is_empty(), "no row has {only:?}");
    let world = World::new();
    for run in 1..=runs {
        check(&world, &rows);
        println!("run {run} of {runs}: {} rows as they should be", rows.len());
    }
}

fn table() -> Vec<Row> {
    let mut rows = reach::rows();
    rows.extend(path::rows());
    rows.extend(issuer::rows());
    rows.extend(name::rows());
    rows.extend(certificate::rows());
    rows.extend(beyond::rows());
    rows.extend(client_auth::rows());
    rows.extend(enforcement::rows());
    rows.extend(any_client::rows());
    rows.extend(many::rows());
    rows
}

/// Codes that no row has, and why.
const NOT_STAGED: [(Code, &str); 2] = [
    (
        Code::DnsTimeout,
        "the name servers are those of the machine, and none of them can be made silent for one process",
    ),
    (
        Code::PathOtherEntry,
        "only `--all` finds it, with a certs.toml of its own: a test in `many` does",
    ),
];

#[test]
fn every_code_to_explain_is_staged() {
    let rows = table();
    let staged: BTreeSet<&str> = rows.iter().flat_map(|it| it.codes.clone()).collect();
    let listed: BTreeSet<&str> = NOT_STAGED.iter().map(|(code, _)| code.as_str()).collect();
    let all: BTreeSet<&str> = Code::ALL.iter().map(|it| it.as_str()).collect();
    let missing: Vec<_> = all.difference(&staged).collect();
    assert_eq!(missing, listed.iter().collect::<Vec<_>>());
    let unknown: Vec<_> = staged.difference(&all).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

fn check(world: &World, rows: &[Row]) {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..PARALLEL {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let done = catch_unwind(AssertUnwindSafe(|| row.run(world)));
                    let problems = done.unwrap_or_else(|_| vec!["the row panicked".to_owned()]);
                    if !problems.is_empty() {
                        let problems = format!("{}:\n  {}", row.case, problems.join("\n  "));
                        let mut wrong = wrong.lock().unwrap_or_else(PoisonError::into_inner);
                        wrong.push(problems);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{} of {} rows\n\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n\n")
    );
}
