//! Who comes in the middle of a change, when some of its files are in place and others are not.

use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::calls;
use super::judge::{Judge, Request, When};
use super::scene::{Project, Scene, Scratch, Task};

/// How long the change stands still: others look at it meanwhile, or wait for it.
const STILL: Duration = Duration::from_secs(1);
/// A busy machine gets more than it takes.
const DEADLINE: Duration = Duration::from_secs(30);
/// All of them at once.
const COMMANDS: [&str; 5] = [
    "init",
    "issue",
    "issue --check",
    "issue --dry-run",
    "status",
];

/// Holds a task up before it puts this file into place, and runs commands meanwhile: each sees what was before or
/// what comes after, or says that the folder is being changed.
pub fn come(scratch: &Scratch, judge: &mut Judge, scene: &Scene, file: &str) -> Vec<String> {
    let project = scratch.project(Some(&scene.template));
    let (calls, _) = calls::record(&project, &project.command(scene.task.command()));
    let placed = format!("/project/pki/{file}\"");
    let is_it = |it: &&calls::Call| it.name.starts_with("rename") && it.text.contains(&placed);
    let call = calls.iter().find(is_it).expect("it is put into place");
    let project = scratch.project(Some(&scene.template));
    let mut slow = call.delay(&project, STILL, &project.command(scene.task.command()));
    wait_for_keys(scene, &project, &mut slow);
    let others: Vec<(&str, Child)> = COMMANDS.map(|it| (it, start(&project, it))).into();
    let mut problems = Vec::new();
    for (command, child) in others {
        let output = child.wait_with_output().unwrap();
        if !is_sound(scene.task, command, &output) {
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said).replace('\n', " / ");
            problems.push(format!("{command}: {}: {said}", output.status));
        }
    }
    if !slow.wait().unwrap().success() {
        problems.push("the change was not completed".to_owned());
    }
    // Who found no CA has issued nothing.
    let last = project.run("issue");
    if last.code != Some(0) {
        problems.push(last.said());
    }
    let after = judge.ask(Request {
        dir: &project.pki(),
        names: &scene.names,
        when: When::After,
        ca: scene.before.whole_ca(),
        complete: true,
    });
    let lines = match scene.task {
        Task::Init => 1 + scene.names.len(),
        _ => scene.before.lines + scene.names.len(),
    };
    if after.lines != lines {
        problems.push(format!(
            "issued.jsonl has {} lines, not {lines}",
            after.lines
        ));
    }
    problems.extend(after.problems);
    let what = format!("{} before {file}", scene.name);
    problems
        .into_iter()
        .map(|it| format!("{what}: {it}"))
        .collect()
}

/// Holds a command up that has looked for a certificate and not yet for its key, and carries out a whole change
/// meanwhile: the command sees what was before or what came after, and no half of each.
pub fn overtake(scratch: &Scratch, scene: &Scene, command: &str, name: &str) -> Vec<String> {
    let project = scratch.project(Some(&scene.template));
    let files = [format!("{name}.crt"), format!("{name}.key")];
    let [certificate, key] = files.each_ref().map(String::as_str);
    let mut slow = calls::hold(
        &project,
        [certificate, key],
        STILL,
        &project.command(command),
    );
    let deadline = Instant::now() + DEADLINE;
    while !calls::held(&project).contains(certificate) && Instant::now() < deadline {
        // Between two looks at the log, never instead of one.
        thread::sleep(Duration::from_millis(1));
    }
    let change = start(&project, scene.task.command());
    let change = change.wait_with_output().unwrap();
    let ended = project.ended(slow.wait().unwrap());
    let what = format!("{command} overtaken by {} at {name}", scene.name);
    let log = calls::held(&project);
    let held = log.lines().find(|it| it.contains("(DELAYED)"));
    if !held.is_some_and(|it| it.contains(key)) || !change.status.success() {
        return vec![format!("{what}: it was not held, or {change:?}: {log}")];
    }
    // Neither before it nor afterwards is there anything to do for `issue`.
    let said = ended.said();
    match ended.code {
        Some(0) if !ended.stdout.contains("would issue") => Vec::new(),
        Some(3) if said.contains("is being changed") => Vec::new(),
        Some(2) if scene.task == Task::Init && said.contains("there is no CA") => Vec::new(),
        _ => vec![format!(
            "{what}: {said} {}",
            ended.stdout.replace('\n', " / ")
        )],
    }
}

/// Waits until the keys are in place, which come before the certificates.
fn wait_for_keys(scene: &Scene, project: &Project, slow: &mut Child) {
    let last = match scene.task {
        Task::Init => "ca.key".to_owned(),
        _ => format!("{}.key", scene.names.last().unwrap()),
    };
    let old = fs::read(scene.template.pki().join(&last)).ok();
    let deadline = Instant::now() + DEADLINE;
    while fs::read(project.pki().join(&last)).ok() == old && Instant::now() < deadline {
        if slow.try_wait().unwrap().is_some() {
            return;
        }
        // Between two looks at the folder, never instead of one.
        thread::sleep(Duration::from_millis(1));
    }
}

fn start(project: &Project, command: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_grpc-pki"))
        .args(command.split(' '))
        .current_dir(project.root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn is_sound(task: Task, command: &str, output: &Output) -> bool {
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => true,
        // There was no CA yet, or it has issued nothing yet.
        Some(2) => task == Task::Init && command != "init" && said.contains("there is no CA"),
        Some(1) => task == Task::Init && command == "issue --check",
        Some(3) => said.contains("is being changed"),
        _ => false,
    }
}
