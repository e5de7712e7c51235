//! Many cases, two at a time, and what went wrong with them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use regex_lite::Regex;

use super::judge::Judge;

/// Cases that run at one time.
const PARALLEL: usize = 2;
/// More kinds of violation than this are not told.
const TOLD: usize = 60;

/// What must not be, a sentence each.
#[derive(Debug, Default)]
pub struct Violations(Vec<String>);

impl Violations {
    pub fn add(&mut self, violation: String) {
        self.0.push(violation);
    }

    pub fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &String> {
        self.0.iter()
    }

    /// Demands that there is none.
    #[track_caller]
    pub fn none(&self) {
        let mut kinds: BTreeMap<String, (usize, &str)> = BTreeMap::new();
        for violation in &self.0 {
            kinds.entry(kind(violation)).or_insert((0, violation)).0 += 1;
        }
        let lines = kinds.values().take(TOLD);
        let lines: Vec<_> = lines
            .map(|(count, first)| format!("{count} times: {first}"))
            .collect();
        assert!(
            self.0.is_empty(),
            "{} violations of {} kinds:\n{}",
            self.0.len(),
            kinds.len(),
            lines.join("\n")
        );
    }
}

/// A violation without what differs between cases that are alike: the error and its words, the place, the numbers.
fn kind(violation: &str) -> String {
    let told = violation.split(" / cause").next().unwrap_or(violation);
    let differs = Regex::new(r"error=[A-Z]+|/\S+/project/|\d+").unwrap();
    differs.replace_all(told, "…").into_owned()
}

/// Tries every case with a judge at hand.
pub fn each<T: Sync>(
    cases: &[T],
    attempt: impl Fn(&mut Judge, &T) -> Vec<String> + Sync,
) -> Violations {
    let (next, violations) = (AtomicUsize::new(0), Mutex::new(Violations::default()));
    thread::scope(|scope| {
        for _ in 0..PARALLEL {
            scope.spawn(|| {
                yield_to_others();
                let mut judge = Judge::new();
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let done = catch_unwind(AssertUnwindSafe(|| attempt(&mut judge, case)));
                    let problems = done.unwrap_or_else(|_| vec!["the case panicked".to_owned()]);
                    for problem in problems {
                        violations.lock().unwrap().add(problem);
                    }
                }
            });
        }
    });
    violations.into_inner().unwrap()
}

/// Lets this thread and what it starts wait for tests that measure time.
pub fn yield_to_others() {
    let _ = rustix::process::nice(10);
}
