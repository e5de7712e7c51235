//! tests/faults/check.py as it is used from here: the judge of folders, and the watcher of key files.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};

/// A folder, as the judge is to look at it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub dir: &'a Path,
    pub names: &'a [String],
    pub when: When,
    /// What the CA was, where it must be that one.
    pub ca: Option<&'a BTreeMap<String, String>>,
    /// Whether all of `names` must be there.
    pub complete: bool,
}

/// How strict the judge is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// The command has ended, however it did.
    AtOnce,
    /// The command said that it was done.
    Done,
    /// The next command has been there.
    After,
}

/// What the judge saw.
#[derive(Clone, Debug, Deserialize)]
pub struct Answer {
    pub problems: Vec<String>,
    pub record: bool,
    pub certificates: BTreeMap<String, String>,
    pub ca: BTreeMap<String, String>,
    pub lines: usize,
    pub state: String,
}

impl Answer {
    /// The CA, where it is whole.
    pub fn whole_ca(&self) -> Option<&BTreeMap<String, String>> {
        (self.ca.len() == 2).then_some(&self.ca)
    }

    /// The certificates without the CA's.
    pub fn issued(&self) -> BTreeMap<&str, &str> {
        let all = self.certificates.iter();
        all.filter(|(name, _)| *name != "ca")
            .map(|(name, digest)| (name.as_str(), digest.as_str()))
            .collect()
    }
}

/// A process that judges folders.
pub struct Judge(Checker);

impl Judge {
    pub fn new() -> Self {
        Self(Checker::start(&["judge"]))
    }

    pub fn ask(&mut self, request: Request<'_>) -> Answer {
        let when = match request.when {
            When::AtOnce => "at once",
            When::Done => "done",
            When::After => "after",
        };
        let question = json!({
            "dir": request.dir,
            "names": request.names,
            "when": when,
            "ca": request.ca,
            "complete": request.complete,
        });
        serde_json::from_value(self.0.ask(&question.to_string())).unwrap()
    }
}

/// A process that sees every file that appears below a folder.
pub struct Watcher(Checker);

/// What it saw.
#[derive(Debug, Deserialize)]
pub struct Watched {
    /// How often it looked at a key file.
    pub keys: usize,
    /// What the kernel could not tell it.
    pub overflows: usize,
    pub violations: Vec<String>,
}

impl Watcher {
    /// Follows everything below a folder from now on.
    pub fn start(root: &Path) -> Self {
        let mut checker = Checker::start(&["watch", root.to_str().unwrap()]);
        checker.answer();
        Self(checker)
    }

    pub fn seen(&mut self) -> Watched {
        serde_json::from_value(self.0.ask("seen?")).unwrap()
    }
}

/// check.py, which ends with its input.
struct Checker {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Checker {
    fn start(args: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/check.py");
        let mut child = Command::new("python3")
            .arg(script)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        Self {
            questions: child.stdin.take(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    fn ask(&mut self, question: &str) -> Value {
        let questions = self.questions.as_mut().unwrap();
        writeln!(questions, "{question}").expect("the checker listens");
        questions.flush().unwrap();
        self.answer()
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).expect("the checker answers")
    }
}

impl Drop for Checker {
    fn drop(&mut self) {
        self.questions = None;
        let _ = self.child.wait();
    }
}
