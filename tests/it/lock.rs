//! One command at a time changes the folder; those that only read do not wait for it.

use std::fs::{self, File};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use grpc_pki::store::{Holder, Patience, Store, StoreError};
use insta::assert_snapshot;

use crate::support::{Project, SERVER};

const LOCK: &str = "pki/.grpc-pki/lock";
const RECORD: &str = "pki/.grpc-pki/commit.json";

/// The lock as another command holds it.
fn held(project: &Project) -> File {
    project.write(LOCK, "4711 grpc-pki issue\n");
    let lock = File::options()
        .write(true)
        .open(project.path(LOCK))
        .unwrap();
    lock.lock().unwrap();
    lock
}

#[test]
fn who_waits_in_vain_is_told_for_whom() {
    let project = Project::issued(SERVER);
    let lock = held(&project);
    let started = Instant::now();
    assert_snapshot!(project.run("issue --force --lock-timeout 200ms").exits(3), @"
    --- stderr
    error: pki is being changed by `grpc-pki issue` (pid 4711), and still was after 0.2 s
    hint: wait for it or end it; --lock-timeout is how long to wait
    --- exit 3
    ");
    assert!(started.elapsed() >= Duration::from_millis(200));
    assert_snapshot!(project.run("issue --force --lock-timeout 0s").exits(3).stderr, @"
    error: pki is being changed by `grpc-pki issue` (pid 4711)
    hint: wait for it or end it; --lock-timeout is how long to wait
    ");
    drop(lock);
    project.run("issue --force --lock-timeout 0s").ok();
}

#[test]
fn who_waits_long_is_told_meanwhile() {
    let project = Project::issued(SERVER);
    let lock = held(&project);
    let (sender, told) = channel();
    let ran = thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let ran = project.run("issue --force");
            sender.send(()).unwrap();
            ran
        });
        // It says so after a second, and goes on as soon as it can.
        told.recv_timeout(Duration::from_millis(1500)).unwrap_err();
        drop(lock);
        waiting.join().unwrap()
    });
    assert_snapshot!(ran.ok().stderr, @"waiting: pki is being changed by `grpc-pki issue` (pid 4711)");
}

#[test]
fn a_lock_whose_file_was_taken_away_counts_no_more() {
    for taken_away in [false, true] {
        let project = Project::issued(SERVER);
        let store = Store::new(project.path("pki"));
        let mut first = Some(held(&project));
        let mut second = None;
        let mut waiting = |_: &Holder| {
            if taken_away && second.is_none() {
                fs::remove_file(project.path(LOCK)).unwrap();
                second = Some(held(&project));
            }
            drop(first.take());
        };
        let locked = store.lock(&mut Patience {
            timeout: Duration::from_millis(1200),
            command: "test",
            waiting: &mut waiting,
        });
        let is_refused = matches!(locked, Err(StoreError::Locked { .. }));
        assert_eq!(is_refused, taken_away, "{locked:?}");
    }
}

#[test]
fn nothing_to_do_needs_no_lock() {
    let project = Project::issued(SERVER);
    let _lock = held(&project);
    project.run("issue --lock-timeout 0s").ok();
    project.run("init --lock-timeout 0s").ok();
    project.run("issue --check --force").exits(1);
}

/// Half of a change that is in place, by someone who still holds the lock.
fn half_done(project: &Project) -> File {
    let lock = held(project);
    project.write(RECORD, r#"{"files":["server.key"],"append":null}"#);
    lock
}

#[test]
fn who_reads_half_of_a_change_says_so() {
    let project = Project::issued(SERVER);
    let lock = half_done(&project);
    let ran = project.run("verify localhost:1");
    let words = "note  pki is being changed by `grpc-pki issue` (pid 4711), and";
    assert!(ran.stdout.contains(words), "{ran}");
    let json = project.run("verify localhost:1 --format json").json();
    assert!(
        json["notes"][0]
            .as_str()
            .unwrap()
            .contains("is being changed"),
        "{json}"
    );
    drop(lock);
    // Nobody is at it any more: the reader completes it.
    let ran = project.run("verify localhost:1");
    assert!(!ran.stdout.contains("changed"), "{ran}");
    assert!(!project.path(RECORD).exists());
}

#[test]
fn half_of_a_ca_is_no_ca_to_restore() {
    let project = Project::issued(SERVER);
    let lock = half_done(&project);
    fs::rename(project.path("pki/ca.crt"), project.path("ca.crt")).unwrap();
    assert_snapshot!(project.run("status").exits(3), @"
    --- stderr
    error: pki is being changed by `grpc-pki issue` (pid 4711), and what was read of it may be half of that change
      cause: pki/ca.key is there, but pki/ca.crt is missing
    hint: run it again when that is done
    --- exit 3
    ");
    assert_snapshot!(project.run("verify localhost:1").exits(3), @"
    --- stderr
    error: pki is being changed by `grpc-pki issue` (pid 4711), and what was read of it may be half of that change
      cause: pki/ca.crt does not exist
    hint: run it again when that is done
    --- exit 3
    ");
    let json = project.run("status --format json").exits(3).json();
    assert_eq!(
        json["error"]["causes"][0],
        "pki/ca.key is there, but pki/ca.crt is missing"
    );
    // Nobody is at it any more: what is missing is missing.
    drop(lock);
    let ran = project.run("status").exits(2);
    assert!(
        ran.stderr.contains("restore pki/ca.crt from a backup"),
        "{ran}"
    );
    fs::rename(project.path("ca.crt"), project.path("pki/ca.crt")).unwrap();
    project.run("status").ok();
}

#[test]
fn who_cannot_complete_a_change_says_so() {
    let project = Project::issued(SERVER);
    project.write(RECORD, "{");
    let ran = project.run("verify localhost:1");
    assert!(
        ran.stdout.contains("was interrupted and is half in place"),
        "{ran}"
    );
    assert_snapshot!(project.run("status").ok().stderr, @"warning: a change of pki was interrupted and is half in place, and its record pki/.grpc-pki/commit.json is damaged");
    fs::rename(project.path("pki/ca.crt"), project.path("ca.crt")).unwrap();
    assert_snapshot!(project.run("status").exits(3), @"
    --- stderr
    error: a change of pki was interrupted and is half in place, and its record pki/.grpc-pki/commit.json is damaged
      cause: pki/ca.key is there, but pki/ca.crt is missing
    hint: look at pki/.grpc-pki/commit.json and remove it; then `grpc-pki issue` makes what is missing
    --- exit 3
    ");
    fs::rename(project.path("ca.crt"), project.path("pki/ca.crt")).unwrap();
    fs::remove_file(project.path(RECORD)).unwrap();
    assert!(
        !project
            .run("verify localhost:1")
            .stdout
            .contains("interrupted")
    );
}
