//! The pki folder survives everything: system calls that fail, kills, crowds, full and read-only disks.
//!
//! What must hold is judged by `tests/faults/check.py`, with OpenSSL and none of our code: at once after the fault,
//! and after the next command. Every test says what it tried, for the numbers to be quoted.
//!
//! | variable | default | |
//! |---|---|---|
//! | `FAULT_KILLS` | 150 | kills at random times |
//! | `FAULT_SEED` | the time | where the random times come from |
//! | `FAULT_ROUNDS` | 50 | rounds of 16 processes |
//! | `FAULT_ONE_IN` | 13 | of the calls of 40 certificates that differ only in the certificate, one in so many |
//! | `FAULT_DIR` | `/dev/shm` | where the folders are: on a disk flushing takes its time |
//!
//! By hand, the whole of it: `FAULT_KILLS=1000 FAULT_ONE_IN=1 cargo test --test it faults`
//!
//! Needs Python, OpenSSL and strace. What cannot run is listed as not run; with CI=true that is a failure.

mod aftermath;
mod calls;
mod crowd;
mod disk;
mod judge;
mod kills;
mod middle;
mod power;
mod scene;
mod sweep;
mod twins;
mod workers;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use disk::Room;
use judge::{Judge, Watcher};
use kills::{Random, kill};
use scene::{Scene, Scratch, Task};
use sweep::{ERRORS, Sweep, sweep};
use workers::{Violations, each};

#[test]
fn a_fault_at_every_system_call() {
    if !runs("a fault at every system call", strace_too()) {
        return;
    }
    let (scratch, started) = (Scratch::new(), Instant::now());
    let mut watcher = Watcher::start(scratch.path());
    let mut judge = Judge::new();
    let one_in = variable("FAULT_ONE_IN", 13);
    let scenes = [
        (Scene::init(&scratch, &mut judge), 1),
        (Scene::new(&scratch, &mut judge, Task::Issue, 3), 1),
        (Scene::new(&scratch, &mut judge, Task::Renew, 3), 1),
        (Scene::recovery(&scratch, &mut judge, 3), 1),
        (Scene::new(&scratch, &mut judge, Task::Issue, 40), one_in),
    ];
    let mut all = Sweep::default();
    for (scene, one_in) in &scenes {
        let swept = sweep(&scratch, scene, program, *one_in);
        say(&format!(
            "faults: {}: {} system calls",
            scene.name, swept.calls
        ));
        all.extend(swept);
    }
    all.violations.extend(watched(&mut watcher));
    say(&format!(
        "faults: {} system calls x {} errors = {}, {} kills; {}; {} violations; {} s",
        all.calls,
        ERRORS.len(),
        all.errors,
        all.kills,
        counts(&all.did),
        all.violations.len(),
        started.elapsed().as_secs()
    ));
    all.violations.none();
}

#[test]
fn kills_at_random_times() {
    if !runs("kills at random times", checker_only()) {
        return;
    }
    let (scratch, started) = (Scratch::new(), Instant::now());
    let mut watcher = Watcher::start(scratch.path());
    let (count, seed) = (variable("FAULT_KILLS", 150), Random::seed());
    say(&format!(
        "faults: kills at random times with FAULT_SEED={seed}"
    ));
    let mut killed = kill(&scratch, count, seed);
    killed.violations.extend(watched(&mut watcher));
    say(&format!(
        "faults: {count} kills, {} before the end; {}; {} violations; {} s",
        killed.killed,
        counts(&killed.did),
        killed.violations.len(),
        started.elapsed().as_secs()
    ));
    killed.violations.none();
}

#[test]
fn sixteen_processes_at_once() {
    if !runs("16 processes at once", checker_only()) {
        return;
    }
    let (scratch, started) = (Scratch::new(), Instant::now());
    let mut watcher = Watcher::start(scratch.path());
    let (rounds, mut judge) = (variable("FAULT_ROUNDS", 50), Judge::new());
    let (mut made, mut violations) = (0, Violations::default());
    for round in 1..=rounds {
        let (count, problems) = crowd::round(&scratch, &mut judge);
        made += count;
        for problem in problems {
            violations.add(format!("round {round}: {problem}"));
        }
    }
    violations.extend(watched(&mut watcher));
    say(&format!(
        "faults: {rounds} rounds of 16 processes, {made} certificates; {} violations; {} s",
        violations.len(),
        started.elapsed().as_secs()
    ));
    violations.none();
}

#[test]
fn in_the_middle_of_a_change() {
    if !runs("commands in the middle of a change", strace_too()) {
        return;
    }
    let (scratch, started) = (Scratch::new(), Instant::now());
    let mut judge = Judge::new();
    let scenes = [
        (Scene::init(&scratch, &mut judge), &["ca.crt"] as &[&str]),
        (
            Scene::new(&scratch, &mut judge, Task::Renew, 3),
            &["n001.crt", "n003.crt"],
        ),
    ];
    let cases: Vec<_> = scenes
        .iter()
        .flat_map(|(scene, files)| files.iter().map(move |file| (scene, file)))
        .collect();
    let mut violations = each(&cases, |judge, (scene, file)| {
        middle::come(&scratch, judge, scene, file)
    });
    // Scene, command, and what it reads while the scene changes it.
    let overtaken = [
        (&scenes[0].0, "init", "ca"),
        (&scenes[1].0, "issue --check", "n002"),
        (&scenes[1].0, "issue --dry-run", "n002"),
    ];
    violations.extend(each(&overtaken, |_, (scene, command, name)| {
        middle::overtake(&scratch, scene, command, name)
    }));
    say(&format!(
        "faults: {} changes that stand still in the middle, {} commands that are overtaken; {} violations; {} s",
        cases.len(),
        overtaken.len(),
        violations.len(),
        started.elapsed().as_secs()
    ));
    violations.none();
}

#[test]
fn power_that_fails() {
    if !runs("flushes in their order", strace_too()) {
        return;
    }
    let scratch = Scratch::new();
    let mut judge = Judge::new();
    let scenes = [
        Scene::new(&scratch, &mut judge, Task::Issue, 3),
        Scene::new(&scratch, &mut judge, Task::Renew, 3),
        Scene::new(&scratch, &mut judge, Task::Issue, 40),
    ];
    for scene in &scenes {
        let project = scratch.project(Some(&scene.template));
        let (calls, _) = calls::record(&project, &project.command(scene.task.command()));
        assert_eq!(power::too_early(&calls), [""; 0], "{}", scene.name);
        assert_eq!(power::unseen(&calls), [""; 0], "{}", scene.name);
    }
}

#[test]
fn disks_that_are_full_or_read_only() {
    let scratch = Scratch::new();
    let what = "full and read-only disks, for which the errors of system calls stand in";
    if !runs(what, checker_only()) || !runs(what, disk::missing(&scratch)) {
        return;
    }
    let started = Instant::now();
    let mut judge = Judge::new();
    let scenes = [
        Scene::init(&scratch, &mut judge),
        Scene::new(&scratch, &mut judge, Task::Issue, 3),
        Scene::new(&scratch, &mut judge, Task::Renew, 3),
    ];
    let cases: Vec<_> = scenes
        .iter()
        .flat_map(|scene| [Some(Room::Pages), Some(Room::Files), None].map(|it| (scene, it)))
        .collect();
    let full = std::sync::atomic::AtomicUsize::new(0);
    let violations = each(&cases, |judge, (scene, room)| match room {
        Some(room) => {
            let (count, problems) = disk::fill(&scratch, judge, scene, *room);
            full.fetch_add(count, std::sync::atomic::Ordering::Relaxed);
            problems
        }
        None => disk::forbid(&scratch, judge, scene),
    });
    say(&format!(
        "faults: {} full and {} read-only disks; {} violations; {} s",
        full.into_inner(),
        scenes.len(),
        violations.len(),
        started.elapsed().as_secs()
    ));
    violations.none();
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_grpc-pki"))
}

/// What the watcher of key files saw, at any instant.
fn watched(watcher: &mut Watcher) -> Violations {
    let seen = watcher.seen();
    let mut violations = Violations::default();
    for violation in seen.violations {
        violations.add(violation);
    }
    if seen.overflows > 0 || seen.keys == 0 {
        violations.add(format!(
            "the watcher saw {} keys, and missed some {} times",
            seen.keys, seen.overflows
        ));
    }
    violations
}

fn counts(did: &BTreeMap<String, usize>) -> String {
    let counts: Vec<_> = did
        .iter()
        .map(|(did, count)| format!("{did} {count} times"))
        .collect();
    counts.join(", ")
}

/// Says it although the test passes.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn variable(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |it| it.parse().expect(name))
}

/// Whether it can run; where it cannot, that is said, and on the gate it is a failure.
fn runs(what: &str, missing: Option<String>) -> bool {
    let Some(missing) = missing else {
        return true;
    };
    say(&format!("not run: {what}: {missing}"));
    let gate = std::env::var("CI").is_ok_and(|it| it == "true");
    assert!(!gate, "not run: {what}: {missing}");
    false
}

/// What the judge needs and is not here.
fn checker_only() -> Option<String> {
    absent("python3", "--version").or_else(|| absent("openssl", "version"))
}

/// The same with strace, and with the right to trace.
fn strace_too() -> Option<String> {
    let traces = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .status();
    checker_only().or_else(|| match traces {
        Ok(status) if status.success() => None,
        Ok(_) => Some("strace may not trace".to_owned()),
        Err(_) => Some("strace is not installed".to_owned()),
    })
}

fn absent(program: &str, argument: &str) -> Option<String> {
    let mut command = Command::new(program);
    command
        .arg(argument)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let runs = command.status().is_ok_and(|it| it.success());
    (!runs).then(|| format!("{program} is not installed"))
}
