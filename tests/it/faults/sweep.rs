//! A fault at every system call that changes a file: each error, and a kill.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;

use super::aftermath::{self, Did, End};
use super::calls::{self, Call, Fault};
use super::judge::Judge;
use super::scene::{Scene, Scratch};
use super::workers::{Violations, each};

/// The errors, and how a message tells them.
pub const ERRORS: [(&str, &str); 4] = [
    ("ENOSPC", "no space left on device"),
    ("EIO", "input/output error"),
    ("EACCES", "permission denied"),
    ("EMFILE", "too many open files"),
];

/// What was tried, and what came of it.
#[derive(Debug, Default)]
pub struct Sweep {
    pub calls: usize,
    pub errors: usize,
    pub kills: usize,
    /// How often a run did nothing, left it to the next command, or did it all.
    pub did: BTreeMap<String, usize>,
    pub violations: Violations,
}

/// Runs a task again and again, each time with another call that fails or kills. Of calls that differ only in the
/// certificate, one in so many.
pub fn sweep(scratch: &Scratch, scene: &Scene, program: fn() -> Command, one_in: usize) -> Sweep {
    let project = scratch.project(Some(&scene.template));
    let command = project.prepare(program(), scene.task.command());
    let (calls, open) = calls::record(&project, &command);
    let calls = thin_out(calls, scene, one_in);
    assert!(calls.len() > 5, "{calls:#?}");
    drop(project);
    let faults = || {
        let errors = ERRORS.iter().map(|(error, _)| Fault::Error(error));
        errors.chain([Fault::Kill])
    };
    let cases: Vec<(&Call, Fault)> = calls
        .iter()
        .flat_map(|call| faults().map(move |fault| (call, fault)))
        .collect();
    let did = Mutex::new(BTreeMap::new());
    let mut violations = each(&cases, |judge, (call, fault)| {
        let (came, problems) = try_one(scratch, scene, program, judge, call, *fault);
        if let Some(came) = came {
            *did.lock().unwrap().entry(came.to_string()).or_default() += 1;
        }
        let what = format!("{}, {}", scene.name, call.with(*fault));
        problems
            .into_iter()
            .map(|it| format!("{what}: {it}"))
            .collect()
    });
    for line in open {
        violations.add(format!("{}: {line}", scene.name));
    }
    Sweep {
        calls: calls.len(),
        errors: calls.len() * ERRORS.len(),
        kills: calls.len(),
        did: did.into_inner().unwrap(),
        violations,
    }
}

/// Keeps the first and the last of calls that differ only in the certificate, and one in so many between them.
fn thin_out(calls: Vec<Call>, scene: &Scene, one_in: usize) -> Vec<Call> {
    let kind = |call: &Call| {
        let name = scene.names.iter().find(|it| call.path.contains(*it));
        name.map(|it| {
            (
                call.name.clone(),
                call.path.replace(it, "NAME"),
                call.number,
            )
        })
    };
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    for kind in calls.iter().filter_map(kind) {
        *counts.entry(kind).or_default() += 1;
    }
    let mut seen: BTreeMap<_, usize> = BTreeMap::new();
    let mut calls = calls;
    calls.retain(|call| {
        let Some(kind) = kind(call) else {
            return true;
        };
        let last = counts[&kind];
        let number = seen.entry(kind).or_default();
        *number += 1;
        *number == 1 || *number == last || number.is_multiple_of(one_in)
    });
    calls
}

fn try_one(
    scratch: &Scratch,
    scene: &Scene,
    program: fn() -> Command,
    judge: &mut Judge,
    call: &Call,
    fault: Fault,
) -> (Option<Did>, Vec<String>) {
    let project = scratch.project(Some(&scene.template));
    let command = project.prepare(program(), scene.task.command());
    let (status, hit) = call.inject(&project, fault, &command);
    let ended = project.ended(status);
    let end = match fault {
        Fault::Kill => End::Killed,
        Fault::Error(_) if call.is_printing() => End::Unheard(ended),
        Fault::Error(error) => {
            let reason = ERRORS.iter().find(|(it, _)| *it == error);
            let reason = reason.map(|(_, words)| *words);
            End::Itself { ended, reason }
        }
    };
    let aftermath = aftermath::look(scene, &project, judge, &end);
    let mut problems = aftermath.problems;
    if !hit {
        problems.push(format!("it did not come to this call: {end:?}"));
    }
    (aftermath.did, problems)
}

impl Sweep {
    /// Adds what another one tried.
    pub fn extend(&mut self, more: Self) {
        self.calls += more.calls;
        self.errors += more.errors;
        self.kills += more.kills;
        for (did, count) in more.did {
            *self.did.entry(did).or_default() += count;
        }
        self.violations.extend(more.violations);
    }
}
