//! `verify` against staged servers, most of them of other make: one table of what it must conclude.
//!
//! A row is: the case, the exit code, the stage that fails first, the codes of all findings in order, words that
//! the text must have, and the server. Rows run a few at a time; the failures of all are reported together.
//!
//! A row whose program is not on this machine is listed as not run; with CI=true that is a failure.
//!
//! `ZOO_ONLY=words` runs the rows whose case has these words, `ZOO_RUNS=20` all of them that many times.

use std::collections::BTreeSet;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use grpc_pki::diagnose::Code;
use pki::World;
use row::Row;
use tool::Tool;

mod addresses;
mod any_client;
mod between;
mod beyond;
mod catalogue;
mod certificate;
mod client_auth;
mod dial;
mod enforcement;
mod go;
mod grpc;
mod haproxy;
mod healthy;
mod hellos;
mod http;
mod inputs;
mod issuer;
mod limits;
mod lists;
mod many;
mod middlebox;
mod name;
mod negotiation;
mod nginx;
mod output;
mod path;
mod pki;
mod process;
mod reach;
mod reflection;
mod reply;
mod resolver;
mod resumption;
mod revocation;
mod row;
mod service;
mod sites;
mod sockets;
mod spiffe;
mod stacks;
mod tool;
mod trust;
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
    let rows = runnable(rows);
    let world = World::new();
    for run in 1..=runs {
        let started = Instant::now();
        check(&world, &rows);
        let took = started.elapsed().as_secs_f64();
        say(&format!(
            "run {run} of {runs}: {} rows as they should be, {took:.0} s",
            rows.len()
        ));
    }
}

/// The rows whose programs are here; the others are listed. On the gate, which installs them, none may be missing.
fn runnable(rows: Vec<Row>) -> Vec<Row> {
    let reasons: Vec<(Tool, String)> = Tool::ALL
        .into_iter()
        .filter_map(|it| Some((it, it.missing()?)))
        .collect();
    let (mut here, mut missing) = (Vec::new(), Vec::new());
    for row in rows {
        match reasons.iter().find(|(it, _)| row.tools.contains(it)) {
            None => here.push(row),
            Some((tool, reason)) => {
                say(&format!("not run: {}: {reason}", row.case));
                missing.extend(tool.is_installable().then_some(row.case));
            }
        }
    }
    let gate = std::env::var("CI").is_ok_and(|it| it == "true");
    assert!(!gate || missing.is_empty(), "not run: {missing:#?}");
    here
}

/// Says it although the test passes.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn table() -> Vec<Row> {
    let mut rows = inputs::rows();
    rows.extend(reach::rows());
    rows.extend(dial::rows());
    rows.extend(negotiation::rows());
    rows.extend(sites::rows());
    rows.extend(hellos::rows());
    rows.extend(path::rows());
    rows.extend(between::rows());
    rows.extend(issuer::rows());
    rows.extend(name::rows());
    rows.extend(revocation::rows());
    rows.extend(lists::rows());
    rows.extend(trust::rows());
    rows.extend(spiffe::rows());
    rows.extend(certificate::rows());
    rows.extend(beyond::rows());
    rows.extend(http::rows());
    rows.extend(service::rows());
    rows.extend(reflection::rows());
    rows.extend(client_auth::rows());
    rows.extend(enforcement::rows());
    rows.extend(any_client::rows());
    rows.extend(healthy::rows());
    rows.extend(resolver::rows());
    rows.extend(nginx::rows());
    rows.extend(haproxy::rows());
    rows.extend(go::rows());
    rows.extend(stacks::rows());
    rows.extend(many::rows());
    rows
}

/// Codes that no row has, and why.
const NOT_STAGED: [(Code, &str); 2] = [
    (
        Code::PathOtherEntry,
        "only `--all` finds it, with a certs.toml of its own: a test in `many` does",
    ),
    (
        Code::TcpSocketDenied,
        "to root everything is permitted; another user is turned away in a session",
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
