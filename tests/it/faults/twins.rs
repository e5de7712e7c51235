//! The judge and the watcher object: every rule is broken once.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use super::judge::{Answer, Judge, Request, Watcher, When};
use super::scene::{Project, Scene, Scratch, Task};
use super::sweep::sweep;
use super::{checker_only, runs};

/// A rule, and what breaks it in a folder; the second folder is that of another CA.
type Twin = (&'static str, fn(&Path, &Path));

const TWINS: &[Twin] = &[
    ("ca-changed", |pki, other| {
        copy(&other.join("ca.crt"), &pki.join("ca.crt"))
    }),
    ("ca-changed", |pki, _| remove(&pki.join("ca.key"))),
    ("damaged", |pki, _| {
        fs::write(pki.join("n001.crt"), "-----BEGIN").unwrap()
    }),
    ("half", |pki, _| remove(&pki.join("n001.key"))),
    ("half", |pki, _| remove(&pki.join("n001.crt"))),
    ("key-elsewhere", |pki, _| {
        copy(&pki.join("n001.key"), &pki.join(".grpc-pki/draft"));
        give(&pki.join(".grpc-pki/draft"), 0o644);
    }),
    ("key-mode", |pki, _| give(&pki.join("n001.key"), 0o640)),
    ("key-mode", |pki, _| {
        fs::create_dir(pki.join(".grpc-pki/stage")).unwrap();
        fs::write(pki.join(".grpc-pki/stage/n001.key"), "").unwrap();
    }),
    ("kind", |pki, other| {
        remove(&pki.join("n001.crt"));
        symlink(other.join("n001.crt"), pki.join("n001.crt")).unwrap();
    }),
    ("leftover", |pki, _| {
        fs::create_dir(pki.join(".grpc-pki/stage")).unwrap()
    }),
    ("leftover", |pki, _| {
        fs::write(pki.join(".grpc-pki/commit.json"), "{}").unwrap()
    }),
    ("log-damaged", |pki, _| edit(pki, |it| format!("x{it}"))),
    ("log-missing", |pki, _| {
        edit(pki, |it| {
            it.lines().take(2).map(|it| format!("{it}\n")).collect()
        })
    }),
    ("log-torn", |pki, _| {
        edit(pki, |it| it.trim_end().to_owned())
    }),
    ("log-twice", |pki, _| {
        edit(pki, |it| format!("{it}{}\n", it.lines().last().unwrap()))
    }),
    ("mismatch", |pki, _| {
        copy(&pki.join("n002.key"), &pki.join("n001.key"))
    }),
    ("missing", |pki, _| {
        remove(&pki.join("n001.crt"));
        remove(&pki.join("n001.key"));
    }),
    ("path", |pki, other| {
        copy(&other.join("n001.crt"), &pki.join("n001.crt"));
        copy(&other.join("n001.key"), &pki.join("n001.key"));
    }),
    ("path", |pki, _| remove(&pki.join("ca.crt"))),
    ("public-mode", |pki, _| give(&pki.join("n001.crt"), 0o600)),
    ("serial-twice", |pki, _| {
        copy(&pki.join("n001.crt"), &pki.join("n002.crt"));
        copy(&pki.join("n001.key"), &pki.join("n002.key"));
    }),
    ("stray", |pki, _| {
        fs::write(pki.join("n001.crt.tmp"), "").unwrap()
    }),
];

/// Rules that hold even where a commit record stands.
const NEVER_FORGIVEN: [&str; 10] = [
    "ca-changed",
    "damaged",
    "key-elsewhere",
    "key-mode",
    "kind",
    "log-twice",
    "path",
    "public-mode",
    "serial-twice",
    "stray",
];

/// A folder with two certificates, broken.
fn broken(scratch: &Scratch, scene: &Scene, other: &Scene, twin: &Twin) -> Project {
    let project = scratch.project(Some(&scene.template));
    twin.1(&project.pki(), &other.template.pki());
    project
}

fn judged(judge: &mut Judge, scene: &Scene, project: &Project, when: When) -> Answer {
    judge.ask(Request {
        dir: &project.pki(),
        names: &scene.names,
        when,
        ca: scene.before.whole_ca(),
        complete: true,
    })
}

fn objects(answer: &Answer, rule: &str) -> bool {
    let begins = format!("{rule}: ");
    answer.problems.iter().any(|it| it.starts_with(&begins))
}

#[test]
fn every_rule_of_the_judge_can_be_broken() {
    if !runs("the judge of pki folders", checker_only()) {
        return;
    }
    let (scratch, mut judge) = (Scratch::new(), Judge::new());
    let scene = Scene::new(&scratch, &mut judge, Task::Renew, 2);
    let other = Scene::new(&scratch, &mut judge, Task::Renew, 2);
    for twin in TWINS {
        let project = broken(&scratch, &scene, &other, twin);
        let answer = judged(&mut judge, &scene, &project, When::After);
        assert!(
            objects(&answer, twin.0),
            "{}: {:?}",
            twin.0,
            answer.problems
        );
        // What is left to tidy up is forgiven before the next command, and nothing else is.
        let answer = judged(&mut judge, &scene, &project, When::Done);
        assert_eq!(
            objects(&answer, twin.0),
            twin.0 != "leftover",
            "{}: {:?}",
            twin.0,
            answer.problems
        );
        // Where a commit record stands, what is half done is.
        fs::write(project.pki().join(".grpc-pki/commit.json"), "{}").unwrap();
        let answer = judged(&mut judge, &scene, &project, When::AtOnce);
        let forgiven = [
            "half",
            "leftover",
            "log-damaged",
            "log-missing",
            "log-torn",
            "mismatch",
        ];
        let expected = NEVER_FORGIVEN.contains(&twin.0) || twin.0 == "missing";
        if twin.0 != "log-damaged" {
            assert_eq!(
                objects(&answer, twin.0),
                expected,
                "{}: {:?}",
                twin.0,
                answer.problems
            );
            assert_ne!(forgiven.contains(&twin.0), expected, "{}", twin.0);
        }
    }
    let project = scratch.project(Some(&scene.template));
    remove(&project.pki().join("ca.key"));
    let request = Request {
        dir: &project.pki(),
        names: &scene.names,
        when: When::After,
        ca: None,
        complete: true,
    };
    assert!(objects(&judge.ask(request), "ca-half"));
    let script = include_str!("../../faults/check.py");
    let rules = script.split("self.object(\"").skip(1);
    let rules: BTreeSet<&str> = rules.map(|it| it.split('"').next().unwrap()).collect();
    let broken: BTreeSet<&str> = TWINS.iter().map(|it| it.0).chain(["ca-half"]).collect();
    assert_eq!(rules, broken);
}

#[test]
fn a_key_that_is_open_for_an_instant_is_seen() {
    if !runs("the watcher of key files", checker_only()) {
        return;
    }
    let scratch = Scratch::new();
    let mut watcher = Watcher::start(scratch.path());
    let folder = scratch.path().join("a/b");
    fs::create_dir_all(&folder).unwrap();
    let make = |name: &str, mode| {
        fs::write(folder.join("draft"), "").unwrap();
        give(&folder.join("draft"), mode);
        fs::rename(folder.join("draft"), folder.join(name)).unwrap();
    };
    make("good.key", 0o600);
    let seen = watcher.seen();
    assert!(seen.keys > 0 && seen.violations.is_empty(), "{seen:?}");
    make("open.key", 0o640);
    assert_eq!(watcher.seen().violations.len(), 1);
    // Too late: it was seen.
    give(&folder.join("open.key"), 0o600);
    remove(&folder.join("open.key"));
    let seen = watcher.seen();
    assert_eq!(seen.violations.len(), 2, "{seen:?}");
    assert!(
        seen.violations[0].ends_with("open.key had mode 0640"),
        "{seen:?}"
    );
    assert!(
        seen.violations[1].contains("open.key was given other rights"),
        "{seen:?}"
    );
}

/// A program as there are many: it makes new files, and then writes them over the old.
fn in_place() -> Command {
    let script = r#"
    draft=$(mktemp -d) && cp -a "$4/." "$draft" || exit 3
    "$0" issue --force --pki "$draft" --config "$6"
    for file in n001.key n001.crt issued.jsonl; do cat "$draft/$file" >"$4/$file" || exit 3; done
    rm -r "$draft""#;
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_grpc-pki")]);
    command
}

#[test]
fn a_program_that_writes_in_place_is_caught() {
    if !runs("the twin of the faults", super::strace_too()) {
        return;
    }
    let (scratch, mut judge) = (Scratch::new(), Judge::new());
    let scene = Scene::new(&scratch, &mut judge, Task::Renew, 1);
    let swept = sweep(&scratch, &scene, in_place, 1);
    for (fault, rule) in [
        ("n001.crt -e inject=write:signal=KILL", "at once: damaged"),
        (
            "n001.crt -e inject=openat:error=ENOSPC",
            "at once: mismatch",
        ),
        ("n001.key -e inject=write:error=ENOSPC", "at once: mismatch"),
        ("n001.key -e inject=write:error=EIO", "neither all was done"),
        (
            "issued.jsonl -e inject=openat:error=EIO",
            "at once: log-missing",
        ),
        (
            "issued.jsonl -e inject=write:signal=KILL",
            "after the next command: log-missing",
        ),
    ] {
        let caught = |it: &String| it.contains(fault) && it.contains(rule);
        assert!(
            swept.violations.iter().any(caught),
            "{fault} {rule}: {swept:#?}"
        );
    }
}

fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
}

fn remove(path: &Path) {
    fs::remove_file(path).unwrap();
}

fn give(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Rewrites issued.jsonl.
fn edit(pki: &Path, change: impl Fn(&str) -> String) {
    let path = pki.join("issued.jsonl");
    let text = change(&fs::read_to_string(&path).unwrap());
    let mut file = OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}
