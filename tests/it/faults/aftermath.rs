//! What must hold after a run, however it ended, and after the next command.

use std::fmt;
use std::fs;
use std::path::Path;

use super::judge::{Answer, Judge, Request, When};
use super::scene::{Ended, Project, Scene, Task};

/// What a run did, as the files tell it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Did {
    /// Nothing that anyone could see.
    Nothing,
    /// It is decided, and the next command completes it.
    Decided,
    /// All that it was asked for.
    All,
}

/// How a run ended.
#[derive(Debug)]
pub enum End {
    /// By itself; it had this errors's words to tell where there was an error.
    Itself {
        ended: Ended,
        reason: Option<&'static str>,
    },
    /// Its words went nowhere: nobody could read them.
    Unheard(Ended),
    /// By a signal.
    Killed,
}

/// What is said of one run, and what was wrong with it.
#[derive(Debug, Default)]
pub struct Aftermath {
    pub did: Option<Did>,
    pub problems: Vec<String>,
}

/// Looks at a project after a run, runs the next command, and looks again.
pub fn look(scene: &Scene, project: &Project, judge: &mut Judge, end: &End) -> Aftermath {
    let mut problems = Problems::default();
    let code = match end {
        End::Itself { ended, .. } | End::Unheard(ended) => ended.code,
        End::Killed => None,
    };
    let pki = project.pki();
    let at_once = judge.ask(Request {
        dir: &pki,
        names: &scene.names,
        when: if code == Some(0) {
            When::Done
        } else {
            When::AtOnce
        },
        ca: scene.before.whole_ca(),
        complete: false,
    });
    problems.take("at once", &at_once.problems);
    let did = scene.did(&at_once);
    if did.is_none() {
        problems.add("at once: neither all was done, nor nothing, nor is it decided");
    }
    match end {
        End::Itself { ended, reason } => {
            problems.told(
                ended,
                *reason,
                &scene.may_tell(did, &at_once),
                project.root(),
            );
            problems.starter_told(ended, scene, project);
        }
        End::Unheard(ended) => {
            if !matches!(ended.code, Some(0 | 3)) || did != Some(Did::All) {
                problems.add(format!("unheard: {did:?} {}", ended.said()));
            }
        }
        End::Killed => {}
    }

    let next: &[&str] = match scene.task {
        Task::Init => &["init", "issue"],
        _ => &["issue"],
    };
    for command in next {
        let ended = project.run(command);
        if ended.code != Some(0) {
            problems.add(format!("the next command, {command}: {}", ended.said()));
        }
    }
    let after = judge.ask(Request {
        dir: &pki,
        names: &scene.names,
        when: When::After,
        ca: scene.before.whole_ca().or(at_once.whole_ca()),
        complete: true,
    });
    problems.take("after the next command", &after.problems);
    problems.take(
        "after the next command",
        &scene.ends_well(did, &at_once, &after),
    );
    Aftermath {
        did,
        problems: problems.0,
    }
}

impl Scene {
    /// What a run of the task did; `None` where it is neither whole nor nothing.
    fn did(&self, at_once: &Answer) -> Option<Did> {
        let old = self.before.issued();
        let now = at_once.issued();
        let all = match self.task {
            Task::Init => at_once.whole_ca().is_some(),
            Task::Issue => now.len() == self.names.len(),
            Task::Renew => {
                now.len() == self.names.len()
                    && now.iter().all(|(name, it)| old.get(name) != Some(it))
            }
            Task::Recover => self.expected.as_ref().is_some_and(|it| it.issued() == now),
        };
        if at_once.record {
            Some(Did::Decided)
        } else if all {
            Some(Did::All)
        } else {
            (at_once.state == self.before.state).then_some(Did::Nothing)
        }
    }

    /// What a message may say was done. A recovery that went no further than it had come has changed nothing, too.
    fn may_tell(&self, did: Option<Did>, at_once: &Answer) -> Vec<Did> {
        let idle = self.task == Task::Recover && at_once.state == self.before.state;
        did.into_iter()
            .chain(idle.then_some(Did::Nothing))
            .collect()
    }

    /// All or nothing, and a line for each certificate that was ever made.
    fn ends_well(&self, did: Option<Did>, at_once: &Answer, after: &Answer) -> Vec<String> {
        let mut problems = Problems::default();
        let count = self.names.len();
        let changed = did != Some(Did::Nothing);
        let lines = match self.task {
            Task::Init => 1 + count,
            Task::Renew if !changed => self.before.lines,
            Task::Issue | Task::Renew => self.before.lines + count,
            Task::Recover => self.expected.as_ref().map_or(0, |it| it.lines),
        };
        if after.lines != lines {
            problems.add(format!(
                "issued.jsonl has {} lines, not {lines}",
                after.lines
            ));
        }
        if did == Some(Did::All) && self.task != Task::Init && at_once.issued() != after.issued() {
            problems.add("what was done was done again");
        }
        let (old, now) = (self.before.issued(), after.issued());
        if self.task == Task::Renew {
            let kept = now
                .iter()
                .filter(|(name, it)| old.get(*name) == Some(it))
                .count();
            if kept != if changed { 0 } else { count } {
                problems.add(format!(
                    "{kept} of {count} are the old ones, and {did:?} was done"
                ));
            }
        }
        if let Some(expected) = &self.expected
            && expected.issued() != now
        {
            problems.add("it was completed to something else");
        }
        problems.0
    }
}

#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn add(&mut self, problem: impl Into<String>) {
        self.0.push(problem.into());
    }

    fn take(&mut self, when: &str, problems: &[String]) {
        self.0
            .extend(problems.iter().map(|it| format!("{when}: {it}")));
    }

    /// Exit code 0 where all was done; else 3, and a message with the path, the reason, and what was done.
    fn told(&mut self, ended: &Ended, reason: Option<&str>, did: &[Did], root: &Path) {
        let said = ended.said();
        match ended.code {
            Some(0) if did == [Did::All] => {}
            Some(0) => self.add(format!("it says that it is done, and did {did:?}: {said}")),
            Some(3) => {
                let text = ended.stderr.to_lowercase();
                if !text.lines().any(|it| it.starts_with("error: ")) {
                    self.add(format!("no error is told: {said}"));
                }
                if !ended.stderr.contains(&format!("{}/", root.display())) {
                    self.add(format!("no path is told: {said}"));
                }
                if !reason.is_some_and(|it| text.contains(it)) {
                    self.add(format!("the reason is not told: {said}"));
                }
                let told = Did::told(&text);
                if told.is_empty() {
                    self.add(format!("{did:?} was done, and it is not told: {said}"));
                } else if !did.iter().any(|it| told == [*it]) {
                    self.add(format!("{told:?} is told, and {did:?} was done: {said}"));
                }
            }
            _ => self.add(said),
        }
    }

    /// A certs.toml that was not there before is no secret, whatever became of the rest.
    fn starter_told(&mut self, ended: &Ended, scene: &Scene, project: &Project) {
        let is_new =
            scene.task == Task::Init && fs::metadata(project.config()).is_ok_and(|it| it.len() > 0);
        if is_new && !(ended.stdout.contains("certs.toml") || ended.stderr.contains("certs.toml")) {
            self.add(format!(
                "certs.toml was written, and it is not told: {}",
                ended.said()
            ));
        }
    }
}

impl Did {
    /// What a message says was done.
    pub fn told(text: &str) -> Vec<Self> {
        let says = |words: &[&str]| words.iter().any(|it| text.contains(it));
        let told = [
            (Self::Nothing, says(NOTHING)),
            (Self::Decided, says(DECIDED)),
            (Self::All, says(ALL) && !says(DECIDED)),
        ];
        told.into_iter()
            .filter(|(_, it)| *it)
            .map(|(it, _)| it)
            .collect()
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "nothing was changed",
            Self::Decided => "left to the next command",
            Self::All => "all was done",
        })
    }
}

/// The words of the messages, in lower case.
const NOTHING: &[&str] = &["nothing was changed", "nothing has been changed"];
const DECIDED: &[&str] = &["but not all of it is in place"];
const ALL: &[&str] = &[
    "all of it is in place",
    "was made",
    "were made",
    "was issued",
    "were issued",
];

#[test]
fn what_is_told_is_understood() {
    for (text, did) in [
        ("nothing was changed", &[Did::Nothing] as &[Did]),
        (
            "the change is made, but not all of it is in place",
            &[Did::Decided],
        ),
        ("3 certificates were issued", &[Did::All]),
        ("pki/a.key cannot be written", &[]),
        (
            "nothing was changed, and 3 were issued",
            &[Did::Nothing, Did::All],
        ),
    ] {
        assert_eq!(Did::told(text), did, "{text}");
    }
}
