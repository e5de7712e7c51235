//! One row of the table, and how it is checked.

use std::any::Any;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::grpc::Tonic;
use super::pki::World;
use super::process::Process;
use super::tool::Tool;

/// What the words of the libraries below look like; none belongs in front of a user.
const JARGON: &[&str] = &[
    "AlertReceived",
    "BadSignature",
    "CaUsedAsEndEntity",
    "InvalidCertificate",
    "InvalidContentType",
    "NotValidForName",
    "UnknownIssuer",
    "h2 protocol",
    "os error",
    "rustls::",
    "transport error",
];

/// Lines of a terminal as it comes.
const SCREEN: usize = 24;

/// For what a loaded machine adds to every process.
const SLACK: Duration = Duration::from_secs(5);

/// One case and what `verify` must make of it.
pub struct Row {
    pub case: String,
    exit: u8,
    stage: &'static str,
    pub codes: Vec<&'static str>,
    words: Vec<String>,
    unsaid: Vec<&'static str>,
    staged: Box<dyn Fn(&World) -> Staged + Send + Sync>,
    times: usize,
    told: Vec<(&'static str, Value)>,
    connections: Option<&'static [&'static str]>,
    /// What it is in the catalogue of failures.
    ids: Vec<&'static str>,
    pub tools: Vec<Tool>,
}

/// A row: case, exit code, first failed stage (or none), findings, words, server.
pub fn row(
    case: impl Into<String>,
    exit: u8,
    stage: &'static str,
    codes: &[&'static str],
    words: &[&str],
    staged: impl Fn(&World) -> Staged + Send + Sync + 'static,
) -> Row {
    Row {
        case: case.into(),
        exit,
        stage,
        codes: codes.to_vec(),
        words: words.iter().map(ToString::to_string).collect(),
        unsaid: Vec::new(),
        staged: Box::new(staged),
        times: 1,
        told: Vec::new(),
        connections: None,
        ids: Vec::new(),
        tools: Vec::new(),
    }
}

/// A server at work, and how it is looked at.
pub struct Staged {
    target: String,
    args: Vec<String>,
    system: Option<String>,
    timeout: &'static str,
    /// A command that runs `verify` for us.
    through: Vec<String>,
    /// Ends the server when it is dropped.
    server: Box<dyn Any>,
}

impl Staged {
    /// At `localhost`, trusting `pki/ca.crt`.
    pub fn new(port: u16, server: impl Any) -> Self {
        Self {
            target: format!("localhost:{port}"),
            args: Vec::new(),
            system: None,
            timeout: "5s",
            through: Vec::new(),
            server: Box::new(server),
        }
    }

    pub fn at(mut self, host: &str) -> Self {
        let (_, port) = self.target.rsplit_once(':').unwrap();
        self.target = format!("{host}:{port}");
        self
    }

    /// At a target that is written in another way.
    pub fn dial(mut self, target: impl Into<String>) -> Self {
        self.target = target.into();
        self
    }

    pub fn args<S: ToString>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|it| it.to_string()));
        self
    }

    pub fn file(self, flag: &str, file: &Path) -> Self {
        self.args([flag, file.to_str().unwrap()])
    }

    /// With this revocation list.
    pub fn list(self, world: &World, pem: &str) -> Self {
        self.file("--crl", &world.file(pem))
    }

    /// On a system that trusts the CAs of this file.
    pub fn on_a_system_with(mut self, file: &Path) -> Self {
        self.system = Some(file.display().to_string());
        self.args(["--ca", "system"])
    }

    /// For a server that keeps the client waiting: all the time that there is.
    pub fn quick(mut self) -> Self {
        self.timeout = "700ms";
        self
    }

    /// Runs `verify` by way of this command, which gets it as its last arguments.
    pub fn through<S: ToString>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.through = words.into_iter().map(|it| it.to_string()).collect();
        self
    }

    /// What the server said, for a row that went wrong.
    fn said(&self) -> Option<String> {
        let alone = self.server.downcast_ref::<Process>();
        let with_backend = || Some(&self.server.downcast_ref::<(Process, Tonic)>()?.0);
        let server = alone.or_else(with_backend)?;
        Some(format!("the server: {}", server.lines().join("\n  ")))
    }

    pub fn command(&self, world: &World, more: &[&str]) -> Command {
        let mut command = verify(world);
        if let Some((program, words)) = self.through.split_first() {
            let verify = command;
            command = Command::new(program);
            command
                .args(words)
                .arg(verify.get_program())
                .args(verify.get_args())
                .current_dir(world.path())
                .stdin(Stdio::null());
        }
        command
            .args([&self.target, "--timeout", self.timeout])
            .args(&self.args)
            .args(more);
        if let Some(file) = &self.system {
            command.env("SSL_CERT_FILE", file).env("SSL_CERT_DIR", "");
        }
        command
    }
}

/// `grpc-pki verify` in the folder of the world.
pub fn verify(world: &World) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grpc-pki"));
    command
        .arg("verify")
        .current_dir(world.path())
        .stdin(Stdio::null());
    command
}

/// Runs a command that must end in time.
pub fn finish(mut command: Command) -> Output {
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let id = child.id().to_string();
    let (sender, ended) = std::sync::mpsc::channel();
    thread::spawn(move || sender.send(child.wait_with_output().unwrap()));
    ended
        .recv_timeout(Duration::from_secs(60))
        .unwrap_or_else(|_| {
            let _ = Command::new("kill").args(["-9", &id]).status();
            panic!("verify hangs: {command:?}")
        })
}

impl Row {
    /// Looks so many times: what depends on the order of packets must come out the same.
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// What the text must not have.
    pub fn unsaid(mut self, words: &'static str) -> Self {
        self.unsaid.push(words);
        self
    }

    /// Its numbers: those that were given, and those that its case begins with.
    pub fn ids(&self) -> Vec<&str> {
        let words = self.case.split([' ', ':', ',']);
        let is_id = |it: &&str| {
            let number = it.strip_prefix(['A', 'B', 'C', 'D', 'E', 'F']);
            number.is_some_and(|it| it.parse::<u8>().is_ok())
        };
        let first = words.take_while(is_id);
        first.chain(self.ids.iter().copied()).collect()
    }

    /// What it is in the catalogue of failures.
    pub fn id(mut self, id: &'static str) -> Self {
        self.ids.push(id);
        self
    }

    /// What it cannot do without.
    pub fn needs(mut self, tool: Tool) -> Self {
        self.tools.push(tool);
        self
    }

    /// What stands in the JSON at this pointer.
    pub fn tells(mut self, pointer: &'static str, value: impl Into<Value>) -> Self {
        self.told.push((pointer, value.into()));
        self
    }

    /// Why connections are made, in order: these and no others.
    pub fn connects(mut self, purposes: &'static [&'static str]) -> Self {
        self.connections = Some(purposes);
        self
    }

    /// Stages the server and returns what `verify` got wrong.
    pub fn run(&self, world: &World) -> Vec<String> {
        let staged = (self.staged)(world);
        let mut wrong = self.human(&staged, world);
        for _ in 0..self.times {
            if !wrong.is_empty() {
                break;
            }
            wrong = self.json(&staged, world);
        }
        if !wrong.is_empty() {
            wrong.extend(staged.said());
        }
        wrong
    }

    fn human(&self, staged: &Staged, world: &World) -> Vec<String> {
        let output = finish(staged.command(world, &[]));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut wrong = self.common(&output, &text);
        let first = text.lines().next().unwrap_or_default();
        let verdict = match self.stage {
            "" => format!("{}  OK — ", staged.target),
            stage => format!("{}  FAILED at {stage} — ", staged.target),
        };
        if !first.starts_with(&verdict) {
            wrong.push(format!("the first line is not {verdict:?}"));
        }
        for label in ["why   ", "fix   ", "code  "] {
            if text.lines().any(|it| it.starts_with(label)) == self.codes.is_empty() {
                wrong.push(format!(
                    "{label:?} is there without a finding, or not there with one"
                ));
            }
        }
        if text.lines().count() > SCREEN {
            wrong.push(format!("{} lines", text.lines().count()));
        }
        if let Some(line) = text.lines().find(|it| it.trim_end() != *it) {
            wrong.push(format!("space at the end of {line:?}"));
        }
        if !wrong.is_empty() {
            wrong.push(text);
        }
        wrong
    }

    fn json(&self, staged: &Staged, world: &World) -> Vec<String> {
        let output = finish(staged.command(world, &["--format", "json"]));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut wrong = self.common(&output, &text);
        let Ok(document) = serde_json::from_str::<Value>(&text) else {
            wrong.push(format!("not one JSON document: {text}"));
            return wrong;
        };
        if text.lines().count() != 1 {
            wrong.push("more than one line".to_owned());
        }
        let stage = Some(self.stage).filter(|it| !it.is_empty());
        if document["failed_stage"].as_str() != stage {
            wrong.push(format!("failed at {}", document["failed_stage"]));
        }
        if document["exit_code"] != self.exit || document["ok"] != (self.exit == 0) {
            wrong.push(format!(
                "exit_code {}, ok {}",
                document["exit_code"], document["ok"]
            ));
        }
        let findings = document["findings"].as_array().unwrap();
        let codes: Vec<_> = findings
            .iter()
            .filter_map(|it| it["code"].as_str())
            .collect();
        if codes != self.codes {
            wrong.push(format!("found {codes:?}, not {:?}", self.codes));
        }
        let mut told = String::new();
        for finding in findings {
            for text in [
                &finding["message"],
                &finding["why"],
                &finding["fix"]["text"],
            ] {
                let text = text.as_str().unwrap_or_default();
                if text.is_empty() {
                    wrong.push(format!("nothing said: {finding}"));
                }
                told.push_str(text);
                told.push('\n');
            }
        }
        for opinion in document["opinions"].as_array().unwrap() {
            told.push_str(opinion["client"].as_str().unwrap_or_default());
            told.push_str(if opinion["accepts"] == true {
                " accepts: "
            } else {
                " refuses: "
            });
            told.push_str(opinion["reason"].as_str().unwrap_or_default());
            told.push('\n');
        }
        for note in document["notes"].as_array().unwrap() {
            told.push_str(note.as_str().unwrap_or_default());
            told.push('\n');
        }
        for stage in document["stages"].as_array().unwrap() {
            told.push_str(stage["message"].as_str().unwrap_or_default());
            told.push('\n');
        }
        let missing = self.words.iter().filter(|it| !told.contains(it.as_str()));
        wrong.extend(missing.map(|it| format!("does not say {it:?}")));
        let unsaid = JARGON.iter().chain(&self.unsaid);
        let jargon = unsaid.filter(|it| told.contains(**it));
        wrong.extend(jargon.map(|it| format!("says {it:?}")));
        wrong.extend(super::output::shape_of(&document).err());
        for (pointer, value) in &self.told {
            let found = document.pointer(pointer);
            if found != Some(value) {
                wrong.push(format!("{pointer} is {found:?}, not {value}"));
            }
        }
        let made = document["connections"].as_array().unwrap();
        let made: Vec<_> = made
            .iter()
            .filter_map(|it| it["purpose"].as_str())
            .collect();
        if self.connections.is_some_and(|it| it != made) {
            wrong.push(format!("connections: {made:?}"));
        }
        let limit = match staged.timeout {
            "700ms" => Duration::from_millis(700),
            _ => Duration::from_secs(5),
        };
        let elapsed = document["elapsed_ms"].as_f64().unwrap_or(f64::MAX) / 1000.0;
        if elapsed > (4 * limit + SLACK).as_secs_f64() {
            wrong.push(format!("took {elapsed} s"));
        }
        if !wrong.is_empty() {
            wrong.push(told);
            wrong.push(format!("raw: {}", document["raw"]));
            wrong.push(format!("client_auth: {}", document["client_auth"]));
        }
        wrong
    }

    fn common(&self, output: &Output, text: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        if output.status.code() != Some(self.exit.into()) {
            wrong.push(format!("{}, not {}", output.status, self.exit));
        }
        if !output.stderr.is_empty() {
            wrong.push(format!(
                "stderr: {}",
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        wrong.extend(super::output::steers(text));
        wrong
    }
}

/// Waits for what comes about within seconds.
pub fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        thread::yield_now();
    }
}
