//! README.md: its sessions are run, its commands are those of the gate, its tables are those of the program.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use grpc_pki::cli::exit;
use grpc_pki::config::Config;
use regex_lite::Regex;
use tempfile::TempDir;

use super::{blocks, read, root};

/// The port in the README; here every server takes a free one.
const PORT: &str = "50051";

/// All of them in one folder, where a server runs on until the last.
#[test]
fn sessions_print_what_they_show() {
    let mut session = Session::new();
    for block in blocks("console") {
        let shown = Step::parse(&block);
        let printed: Vec<Step> = shown
            .iter()
            .map(|step| Step {
                command: step.command.clone(),
                output: session.run(&step.command),
            })
            .collect();
        for (shown, printed) in shown.iter().zip(&printed) {
            assert!(
                matches(&shown.output, &printed.output),
                "$ {}\n--- README shows\n{}\n--- it printed\n{}",
                shown.command,
                shown.output.join("\n"),
                printed.output.join("\n")
            );
        }
    }
}

/// One command of a session and the lines that it prints.
struct Step {
    command: String,
    output: Vec<String>,
}

impl Step {
    fn parse(block: &str) -> Vec<Self> {
        let mut steps: Vec<Self> = Vec::new();
        for line in block.lines() {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Self {
                    command: command.to_owned(),
                    output: Vec::new(),
                }),
                (None, Some(step)) => step.output.push(redact(line)),
                (None, None) => panic!("a session starts with a command, not with {line:?}"),
            }
        }
        steps
    }
}

/// Whether `…` on a line of its own stands for what is left out, and all else is the same.
fn matches(shown: &[String], printed: &[String]) -> bool {
    match (shown, printed) {
        ([], []) => true,
        ([dots, rest @ ..], _) if dots == "…" => {
            (0..=printed.len()).any(|skip| matches(rest, &printed[skip..]))
        }
        ([one, shown @ ..], [other, printed @ ..]) => one == other && matches(shown, printed),
        _ => false,
    }
}

/// Takes out what differs from run to run: dates, days that are left, times, ports.
fn redact(line: &str) -> String {
    let mut line = line.to_owned();
    for (pattern, to) in [
        (r"\d{4}-\d{2}-\d{2}", "DATE"),
        (r"\d[\d ]* days", "N days"),
        (r"\d+\.\d ms", "TIME"),
        (r"127\.0\.0\.1, ::1 +", "127.0.0.1 "),
    ] {
        line = Regex::new(pattern)
            .unwrap()
            .replace_all(&line, to)
            .into_owned();
    }
    line
}

/// A folder, the programs on the PATH, and the servers that run in it.
struct Session {
    folder: TempDir,
    programs: PathBuf,
    port: String,
    last_code: i32,
    servers: Vec<Child>,
}

impl Session {
    fn new() -> Self {
        let programs = Path::new(env!("CARGO_BIN_EXE_grpc-pki")).parent();
        Self {
            folder: TempDir::new().unwrap(),
            programs: programs.unwrap().to_owned(),
            port: PORT.to_owned(),
            last_code: 0,
            servers: Vec::new(),
        }
    }

    fn run(&mut self, command: &str) -> Vec<String> {
        if let Some(command) = command.strip_suffix(" &") {
            return self.start(command);
        }
        // `$?` is that of the command before.
        let script = format!("(exit {}); {}", self.last_code, self.here(command));
        let output = self.shell(&script).output().unwrap();
        self.last_code = output.status.code().unwrap();
        let text =
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        text.lines().map(|line| self.shown(line)).collect()
    }

    /// Starts a server on a free port, and waits for the line that says which.
    fn start(&mut self, command: &str) -> Vec<String> {
        let mut script = format!("exec {}", self.here(command));
        if command == "grpc-pki serve" {
            script += " localhost:0";
        }
        let mut child = self.shell(&script).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let stdout = child.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        self.servers.push(child);
        let port = Regex::new(r":(\d+)").unwrap().captures(&line);
        self.port = port.expect("a server says its port")[1].to_owned();
        vec![self.shown(line.trim_end())]
    }

    fn shell(&self, script: &str) -> Command {
        let path = std::env::var("PATH").unwrap();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", script])
            .current_dir(self.folder.path())
            .env("PATH", format!("{}:{path}", self.programs.display()))
            .env("ADDR", "127.0.0.1:0")
            .env("SERVER", format!("https://localhost:{}", self.port));
        shell
    }

    /// The command with the port of the running server; examples are those that this build made.
    fn here(&self, command: &str) -> String {
        let examples = self.programs.join("examples").display().to_string() + "/";
        if let Some(name) = command.strip_prefix("cargo run --example ") {
            let built = Path::new(&examples).join(name).exists();
            assert!(
                built,
                "`cargo build --examples` first; `cargo test` does so"
            );
        }
        command
            .replace(PORT, &self.port)
            .replace("cargo run --example ", &examples)
    }

    fn shown(&self, line: &str) -> String {
        redact(&line.replace(&self.port, PORT))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for child in &mut self.servers {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn commands_are_run_by_the_gate_or_by_the_interop_runner() {
    // What is not in .ci/run as it stands: what runs it, and what shows that.
    let elsewhere = [
        (".ci/run", ".ci/run", ""),
        (
            "pip install -r examples/python/requirements.txt",
            "tests/interop/toolchain.py",
            "EXAMPLES / \"requirements.txt\"",
        ),
        (
            "python examples/python/run_grpc.py server",
            "tests/interop/python_grpc.py",
            "run_grpc.py",
        ),
        (
            "python examples/python/run_grpc.py client",
            "tests/interop/python_grpc.py",
            "run_grpc.py",
        ),
    ];
    let gate = read(".ci/run");
    for command in blocks("bash").iter().flat_map(|block| block.lines()) {
        let known = elsewhere.iter().find(|(it, ..)| *it == command);
        match known {
            Some((_, file, shows)) => assert!(read(file).contains(shows), "{command}: see {file}"),
            None => assert!(
                gate.lines()
                    .any(|line| line.trim_start().ends_with(command)),
                "`{command}` is in README.md but not in .ci/run"
            ),
        }
    }
}

#[test]
fn configurations_are_valid() {
    for block in blocks("toml") {
        if let Err(error) = Config::parse(Path::new("README.md"), block.as_bytes()) {
            panic!("{error:?} in\n{block}");
        }
    }
}

#[test]
fn rust_is_that_of_an_example() {
    let example = read("examples/in_memory.rs");
    let example: BTreeSet<&str> = example.lines().map(str::trim).collect();
    for line in blocks("rust").iter().flat_map(|block| block.lines()) {
        assert!(example.contains(line.trim()), "{line}");
    }
}

#[test]
fn the_example_in_memory_serves() {
    let mut session = Session::new();
    assert_eq!(session.run("cargo run --example in_memory"), ["SERVING"]);
}

#[test]
fn exit_codes_are_those_of_the_program() {
    let rows: Vec<(u8, String)> = read("README.md")
        .lines()
        .filter_map(|line| {
            let (code, meaning) = line
                .strip_prefix("| ")?
                .strip_suffix(" |")?
                .split_once(" | ")?;
            Some((code.parse().ok()?, meaning.to_owned()))
        })
        .collect();
    let table = exit::TABLE.map(|(code, meaning)| (code, meaning.to_owned()));
    assert_eq!(rows, table);
}

#[test]
fn commands_are_those_of_the_program() {
    let rows: Vec<String> = read("README.md")
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| `grpc-pki ")?
                .split(['`', ' '])
                .next()
                .map(Into::into)
        })
        .collect();
    let command = grpc_pki::cli::command();
    let names: Vec<&str> = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    assert_eq!(rows, names);
}

#[test]
fn links_lead_somewhere() {
    let link = Regex::new(r"\]\(([^)#]+)\)").unwrap();
    for found in link.captures_iter(&read("README.md")) {
        assert!(root().join(&found[1]).exists(), "{}", &found[1]);
    }
}
