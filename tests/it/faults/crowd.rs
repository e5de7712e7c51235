//! Many processes on one folder.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};
use std::sync::Barrier;
use std::thread;

use serde_json::Value;

use super::judge::{Judge, Request, When};
use super::scene::{Project, Scratch, config};
use super::workers::yield_to_others;

/// Processes at one time.
const CROWD: usize = 16;
/// What certs.toml asks for.
const CERTIFICATES: usize = 6;

/// One round in a new folder: each member of the crowd makes the CA, some have tried to issue before it, and then
/// issues, some of them anew whatever is there. What was wrong, and how many certificates were made.
pub fn round(scratch: &Scratch, judge: &mut Judge) -> (usize, Vec<String>) {
    let names: Vec<String> = (1..=CERTIFICATES).map(|it| format!("n{it:03}")).collect();
    let project = scratch.project(None);
    fs::write(project.config(), config(&names)).unwrap();
    let start = Barrier::new(CROWD);
    let (mut problems, mut made, mut cas) = (Vec::new(), Vec::new(), 0);
    let members: Vec<Vec<(String, Output)>> = thread::scope(|scope| {
        let member = |number: usize| {
            let (start, names, project) = (&start, &names, &project);
            scope.spawn(move || {
                yield_to_others();
                start.wait();
                member(project, number, names)
            })
        };
        let members: Vec<_> = (0..CROWD).map(member).collect();
        members.into_iter().map(|it| it.join().unwrap()).collect()
    });
    for (command, output) in members.into_iter().flatten() {
        let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        match output.status.code() {
            Some(0) if command == "init" => cas += usize::from(document["changed"] == true),
            Some(0) => made.extend(issued(&document)),
            // Who comes before the CA is told so.
            Some(2)
                if command == "issue"
                    && output.stdout.windows(13).any(|it| it == b"grpc-pki init") => {}
            code => problems.push(format!("{command}: exit {code:?}, {document}")),
        }
    }
    if cas != 1 {
        problems.push(format!("{cas} processes made a CA"));
    }
    let count = made.len();
    let made: BTreeSet<String> = made.into_iter().collect();
    let logged: Vec<String> = fs::read_to_string(project.pki().join("issued.jsonl"))
        .unwrap_or_default()
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|it| it["name"] != "ca")
        .map(|it| it["serial"].as_str().unwrap_or_default().to_owned())
        .collect();
    if made.len() != count || logged.len() != count || logged.iter().any(|it| !made.contains(it)) {
        problems.push(format!(
            "{count} certificates were made, and issued.jsonl has {}",
            logged.len()
        ));
    }
    let judged = judge.ask(Request {
        dir: &project.pki(),
        names: &names,
        when: When::After,
        ca: None,
        complete: true,
    });
    problems.extend(judged.problems);
    (count, problems)
}

/// The commands of one member, each with what came of it.
fn member(project: &Project, number: usize, names: &[String]) -> Vec<(String, Output)> {
    let anew = format!(
        "issue --force {} {}",
        names[number % CERTIFICATES],
        names[(number + 1) % CERTIFICATES]
    );
    let commands: &[&str] = match number % 4 {
        0 => &["issue", "init", "issue"],
        1 => &["init", "issue"],
        _ => &["init", &anew],
    };
    let run = |command: &&str| {
        let mut process = Command::new(env!("CARGO_BIN_EXE_grpc-pki"));
        process
            .args(command.split_whitespace())
            .args(["--format", "json"]);
        process.current_dir(project.root());
        let name = command.split(' ').next().unwrap().to_owned();
        (name, process.output().unwrap())
    };
    commands.iter().map(run).collect()
}

/// The serial numbers of what an `issue` made.
fn issued(document: &Value) -> Vec<String> {
    let steps = document["steps"].as_array().into_iter().flatten();
    let made = steps.filter(|it| it["action"] == "issue");
    made.map(|it| it["serial"].as_str().expect("a serial number").to_owned())
        .collect()
}
