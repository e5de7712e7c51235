//! The system calls with which a run changes files, told apart so that one of them can be made to fail.
//!
//! strace counts calls for each thread on its own, and with `-P` only those that touch one path: a call is known by
//! its name, the path, and its number among those of its thread.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use regex_lite::Regex;

use super::scene::Project;

/// Calls that make, fill, move or remove files; those with `?` are not known on every processor.
const CHANGING: [&str; 32] = [
    "?open",
    "openat",
    "?creat",
    "write",
    "pwrite64",
    "writev",
    "pwritev",
    "fsync",
    "fdatasync",
    "syncfs",
    "sync_file_range",
    "?rename",
    "?renameat",
    "renameat2",
    "?link",
    "linkat",
    "?unlink",
    "unlinkat",
    "?rmdir",
    "?mkdir",
    "mkdirat",
    "ftruncate",
    "truncate",
    "fallocate",
    "?chmod",
    "fchmod",
    "fchmodat",
    "?chown",
    "fchown",
    "fchownat",
    "?symlink",
    "symlinkat",
];

/// Those whose first argument is an open file.
const OF_FILES: [&str; 12] = [
    "write",
    "pwrite64",
    "writev",
    "pwritev",
    "fsync",
    "fdatasync",
    "syncfs",
    "sync_file_range",
    "ftruncate",
    "fallocate",
    "fchmod",
    "fchown",
];

/// One call of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub name: String,
    /// What it touches, below the place of the project.
    pub path: String,
    /// Which of the calls of this name and path it is, from 1.
    pub number: usize,
    /// Its arguments.
    pub text: String,
}

/// What is to happen in place of a call.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// It fails with this error.
    Error(&'static str),
    /// The process is killed before it.
    Kill,
}

impl Call {
    /// Whether it writes to what the program prints to.
    pub fn is_printing(&self) -> bool {
        self.path == "out" || self.path == "err"
    }

    /// How the fault is told when it was a violation.
    pub fn with(&self, fault: Fault) -> String {
        let fault = match fault {
            Fault::Error(error) => format!("error={error}"),
            Fault::Kill => "signal=KILL".to_owned(),
        };
        format!(
            "-P …/{} -e inject={}:{fault}:when={}",
            self.path, self.name, self.number
        )
    }

    /// Runs a command with the fault at this call; whether it came to it.
    pub fn inject(&self, project: &Project, fault: Fault, command: &Command) -> (ExitStatus, bool) {
        let mut strace = match fault {
            // With the filter of the kernel the other calls cost nothing; signals it does not deliver.
            Fault::Error(error) => {
                let mut strace = self.strace(project, &format!("error={error}"));
                strace.arg("--seccomp-bpf");
                strace
            }
            Fault::Kill => self.strace(project, "signal=KILL"),
        };
        let status = trace(project, &mut strace, command)
            .status()
            .expect("strace");
        let log = log(project);
        let hit = match fault {
            Fault::Error(_) => log.contains("(INJECTED)"),
            Fault::Kill => log.contains("killed by SIGKILL"),
        };
        (status, hit)
    }

    /// Starts a command that comes to this call and waits before it for so long.
    pub fn delay(&self, project: &Project, by: Duration, command: &Command) -> Child {
        let mut strace = self.strace(project, &format!("delay_enter={}", by.as_micros()));
        trace(project, &mut strace, command)
            .spawn()
            .expect("strace")
    }

    fn strace(&self, project: &Project, fault: &str) -> Command {
        let mut strace = Command::new("strace");
        strace.arg("-P").arg(project.place().join(&self.path));
        strace.args(["-e", &format!("trace={}", self.name)]);
        let inject = format!("inject={}:{fault}:when={}", self.name, self.number);
        strace.args(["-e", &inject]);
        strace
    }
}

/// Starts a command that has looked for one file and waits for so long before it looks for another.
pub fn hold(project: &Project, files: [&str; 2], by: Duration, command: &Command) -> Child {
    let mut strace = Command::new("strace");
    for file in files {
        strace.arg("-P").arg(project.pki().join(file));
    }
    let delay = format!("inject=statx:delay_enter={}:when=2", by.as_micros());
    strace.args(["-e", "trace=statx", "-e", &delay]);
    trace(project, &mut strace, command)
        .spawn()
        .expect("strace")
}

/// The log of a command that is held, so far.
pub fn held(project: &Project) -> String {
    fs::read_to_string(project.place().join("log")).unwrap_or_default()
}

/// All calls of a run that change files in the place of the project or print, in order; and whether no key is more
/// open than it may be at any of them.
pub fn record(project: &Project, command: &Command) -> (Vec<Call>, Vec<String>) {
    let mut strace = Command::new("strace");
    strace.args(["-s", "4096", "-e", &format!("trace={}", CHANGING.join(","))]);
    let status = trace(project, &mut strace, command)
        .status()
        .expect("strace");
    let log = log(project);
    assert!(status.success(), "{status}\n{log}");
    (calls(&log, project.place()), open_keys(&log))
}

/// A command under strace, which writes a log beside the project.
fn trace<'s>(project: &Project, strace: &'s mut Command, command: &Command) -> &'s mut Command {
    strace
        .args(["-f", "-y", "-qqq", "-o"])
        .arg(project.place().join("log"));
    strace.arg(command.get_program()).args(command.get_args());
    strace.current_dir(command.get_current_dir().unwrap());
    // One thread for the certificates, so that every run makes the same calls.
    strace.env("RAYON_NUM_THREADS", "1");
    project.redirect(strace);
    strace
}

fn log(project: &Project) -> String {
    let log = fs::read(project.place().join("log")).unwrap();
    String::from_utf8_lossy(&log).into_owned()
}

fn calls(log: &str, place: &Path) -> Vec<Call> {
    let line = Regex::new(r"^(\d+) +(\w+)\((.*)$").unwrap();
    let mut counts: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    let mut found = Vec::new();
    for read in log.lines().filter_map(|it| line.captures(it)) {
        let (thread, name, rest) = (&read[1], &read[2], &read[3]);
        // What comes back, and what is written, are no paths that it touches.
        let arguments = rest
            .rsplit_once(" = ")
            .map_or(rest, |(arguments, _)| arguments);
        let touched = paths(name, arguments);
        for path in &touched {
            *counts
                .entry((thread.to_owned(), name.to_owned(), path.clone()))
                .or_default() += 1;
        }
        let Some(path) = touched.into_iter().next() else {
            continue;
        };
        let opens = ["open", "openat", "creat"].contains(&name);
        let changes = !opens
            || name == "creat"
            || arguments.contains("O_CREAT")
            || arguments.contains("O_TRUNC");
        let Ok(inside) = Path::new(&path).strip_prefix(place) else {
            continue;
        };
        if changes {
            found.push(Call {
                name: name.to_owned(),
                path: inside.to_str().unwrap().to_owned(),
                number: counts[&(thread.to_owned(), name.to_owned(), path)],
                text: arguments.to_owned(),
            });
        }
    }
    found
}

/// The whole paths that a call touches as strace sees it, the one to know it by first.
fn paths(name: &str, arguments: &str) -> Vec<String> {
    let of_file = Regex::new(r"(?:^|, )\d+<(/[^>]*)>").unwrap();
    let files = of_file.captures_iter(arguments).map(|it| it[1].to_owned());
    if OF_FILES.contains(&name) {
        return files.take(1).collect();
    }
    let quoted = Regex::new(r#""(/[^"]*)""#).unwrap();
    let named = quoted.captures_iter(arguments).map(|it| it[1].to_owned());
    named.chain(files).collect()
}

/// Key files that are made with more rights than the owner's, or given others later.
fn open_keys(log: &str) -> Vec<String> {
    let made = Regex::new(r#"\.key", [A-Z_|]*O_CREAT[A-Z_|]*, (0\d+)\)"#).unwrap();
    let given = Regex::new(r#"chmod(?:at)?\(.*\.key[">], (0\d+)"#).unwrap();
    let is_open = |line: &&str| {
        let mode = made.captures(line).or_else(|| given.captures(line));
        mode.is_some_and(|it| u32::from_str_radix(&it[1], 8).unwrap() & !0o600 != 0)
    };
    log.lines().filter(is_open).map(str::to_owned).collect()
}

#[test]
fn calls_are_told_apart() {
    let log = r#"
1 openat(AT_FDCWD</s/1/project>, "/s/1/project/pki/ca.crt", O_RDONLY|O_CLOEXEC) = 3</s/1/project/pki/ca.crt>
1 mkdir("/s/1/project/pki/.grpc-pki/stage", 0777) = 0
2 openat(AT_FDCWD</s/1/project>, "/s/1/project/pki/a.key", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0640 <unfinished ...>
1 write(4</s/1/project/pki/x>, "\"/s/1/a\" = 5</s/1/b>", 20) = 20
1 write(4</s/1/project/pki/x>, "abc", 3) = -1 EIO (Input/output error) (INJECTED)
2 write(4</s/1/project/pki/x>, "abc", 3) = 3
1 rename("/s/1/project/pki/y", "/s/1/project/pki/x") = 0
1 unlinkat(5</s/1/project/pki/stage>, "a.key", 0) = 0
1 unlinkat(AT_FDCWD</s/1/project>, "/s/1/project/pki/stage", AT_REMOVEDIR) = 0
1 write(1</s/1/out>, "done", 4) = 4
1 write(1<pipe:[7]>, "done", 4) = 4
1 --- SIGCHLD ---
"#;
    let found = calls(log, Path::new("/s/1"));
    let told: Vec<_> = found
        .iter()
        .map(|it| format!("{} {} {}", it.name, it.path, it.number))
        .collect();
    let expected = [
        "mkdir project/pki/.grpc-pki/stage 1",
        "openat project/pki/a.key 1",
        "write project/pki/x 1",
        "write project/pki/x 2",
        "write project/pki/x 1",
        "rename project/pki/y 1",
        "unlinkat project/pki/stage 1",
        "unlinkat project/pki/stage 2",
        "write out 1",
    ];
    assert_eq!(told, expected);
}

#[test]
fn keys_that_are_open_for_an_instant_are_seen() {
    let made = r#"1 openat(AT_FDCWD</s>, "/s/a.key", O_WRONLY|O_CREAT|O_EXCL, 0640) = 4"#;
    let given = "1 fchmod(4</s/a.key>, 0644) = 0";
    assert_eq!(open_keys(&format!("{made}\n{given}")), [made, given]);
    assert!(open_keys(&made.replace("0640", "0600")).is_empty());
    assert!(open_keys(&made.replace(".key", ".crt")).is_empty());
    assert!(open_keys(&given.replace("0644", "0400")).is_empty());
}
