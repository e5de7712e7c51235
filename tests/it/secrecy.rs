//! What must stay secret: nothing of a key or a passphrase is printed, or lies anywhere but in its file, and a process
//! that holds them leaves no core dump. That nothing is left of them in memory is in `tests/memory.rs`, which has a
//! process of its own.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::support::{Project, SERVER};

const PASSPHRASE: &str = "correct horse battery staple";
const PROGRAM: &str = env!("CARGO_BIN_EXE_grpc-pki");

/// A process that waits for somebody to write into a pipe, where core dumps are allowed.
pub struct Waiting {
    process: Child,
    pipe: File,
}

impl Waiting {
    pub fn start(project: &Project, program: &str, args: &str) -> Self {
        project.shell("rm -f pipe && mkfifo pipe").ok();
        let script = format!("ulimit -S -c \"$(ulimit -H -c)\" && exec \"$0\" {args}");
        let mut command = Command::new("sh");
        command
            .args(["-c", &script, program])
            .current_dir(project.path(""));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let process = command.spawn().unwrap();
        // Opens once the process has opened the other end.
        let pipe = OpenOptions::new()
            .write(true)
            .open(project.path("pipe"))
            .unwrap();
        Self { process, pipe }
    }

    fn proc(&self, file: &str) -> std::path::PathBuf {
        Path::new("/proc")
            .join(self.process.id().to_string())
            .join(file)
    }

    fn core_limit(&self) -> Vec<String> {
        let limits = fs::read_to_string(self.proc("limits")).unwrap();
        let line = limits
            .lines()
            .find_map(|it| it.strip_prefix("Max core file size"));
        line.unwrap()
            .split_whitespace()
            .take(2)
            .map(str::to_owned)
            .collect()
    }

    fn abort(mut self) -> ExitStatus {
        let pid = Pid::from_raw(self.process.id().cast_signed()).unwrap();
        kill_process(pid, Signal::ABORT).unwrap();
        self.process.wait().unwrap()
    }

    pub fn answer(mut self, text: &str) -> Output {
        self.pipe.write_all(text.as_bytes()).unwrap();
        drop(self.pipe);
        self.process.wait_with_output().unwrap()
    }
}

/// A project whose CA key has a passphrase.
fn encrypted() -> Project {
    let mut project = Project::new(SERVER).today();
    project.passphrase = Some(PASSPHRASE);
    project.run("init --encrypt").ok();
    project
}

#[test]
fn a_process_that_holds_keys_leaves_no_core_dump() {
    let project = encrypted();
    let issue = "issue --passphrase-file pipe";
    let ours = Waiting::start(&project, PROGRAM, issue);
    assert_eq!(ours.core_limit(), ["0", "0"]);
    let status = ours.abort();
    assert_eq!((status.signal(), status.core_dumped()), (Some(6), false));

    // Another program in its place leaves one.
    let other = Waiting::start(&project, "cat", "pipe");
    assert_ne!(
        other.core_limit(),
        ["0", "0"],
        "the hard limit of this machine allows no core dump to anybody"
    );
    assert!(other.abort().core_dumped());

    // And nothing of this keeps it from its work.
    let ours = Waiting::start(&project, PROGRAM, issue);
    assert!(ours.answer(&format!("{PASSPHRASE}\n")).status.success());
    project
        .openssl("verify -CAfile pki/ca.crt pki/server.crt")
        .ok();
}

/// Where core_pattern pipes a core dump to a program, the limit does not hold, but such a process is not dumped. The
/// kernel shows it by taking the process's files under /proc from whoever started it.
#[test]
fn a_process_that_holds_keys_is_not_dumped_into_a_pipe_either() {
    let project = Project::new(SERVER);
    project
        .shell(&format!(
            "chmod 711 . && cp '{PROGRAM}' program && chmod 755 program"
        ))
        .ok();
    let owner = |program: &str, args: &str| {
        let waiting = Waiting::start(&project, program, args);
        let owner = fs::metadata(waiting.proc("environ")).unwrap().uid();
        waiting.abort();
        owner
    };
    let init = "init --encrypt --passphrase-file pipe";
    // Of root, they are root's anyway.
    let (user, ours, other) = if geteuid().is_root() {
        let nobody = "--reuid 65534 --clear-groups";
        let ours = owner("setpriv", &format!("{nobody} ./program {init}"));
        (65534, ours, owner("setpriv", &format!("{nobody} cat pipe")))
    } else {
        (
            geteuid().as_raw(),
            owner("./program", init),
            owner("cat", "pipe"),
        )
    };
    assert_eq!((ours, other), (0, user));
}

#[test]
fn init_leaves_no_core_dump_either() {
    let project = Project::new(SERVER);
    let ours = Waiting::start(&project, PROGRAM, "init --encrypt --passphrase-file pipe");
    assert_eq!(ours.core_limit(), ["0", "0"]);
    assert!(!ours.abort().core_dumped());
    assert!(!project.path("pki/ca.key").exists());
}

/// Which of the secrets are in a text.
fn told<'s>(text: &str, secrets: &'s BTreeSet<String>) -> Vec<&'s String> {
    secrets.iter().filter(|it| text.contains(*it)).collect()
}

#[test]
fn nothing_secret_is_printed_or_left_elsewhere() {
    let config = "[alt_names]\nDNS.1 = \"localhost\"\n[certs.client]\nprofile = \"client\"\nkey = \"rsa-2048\"\n";
    let project = Project::new(config);
    let mut secrets = BTreeSet::from([PASSPHRASE.to_owned()]);
    let mut output = String::new();
    fs::create_dir(project.path("tmp")).unwrap();
    project.write("pass", format!("{PASSPHRASE}\n"));
    project.write("wrong", "battery staple correct horse\n");
    secrets.insert("battery staple correct horse".to_owned());
    let mut run = |secrets: &mut BTreeSet<String>, args: &str| {
        let ran = project.shell(&format!(
            "TMPDIR=\"$PWD/tmp\" HOME=\"$PWD/tmp\" '{PROGRAM}' {args}"
        ));
        output.push_str(&format!("$ {args}\n{}{}", ran.stdout, ran.stderr));
        secrets.extend(project.secrets());
        ran.code
    };
    for (code, args) in [
        (2, "init --encrypt"),
        (0, "init --encrypt --passphrase-file pass -v"),
        (2, "issue -v"),
        (2, "issue --passphrase-file wrong"),
        (2, "issue --passphrase-file wrong --format json"),
        (0, "issue --passphrase-file pass -v"),
        (0, "issue --force --passphrase-file pass --format json"),
        (1, "issue --force --check -v"),
        (0, "init --format json"),
        (2, "issue --passphrase \"$(cat pass)\""),
        (0, "init --ephemeral --pki once -v"),
        (2, "init --ephemeral --pki once --format json"),
        (2, "issue --force --pki once --format json"),
        (
            12,
            "verify localhost:1 -v --client client || test $? = 11 && exit 12",
        ),
    ] {
        assert_eq!(run(&mut secrets, args), code, "{args}");
    }
    // The passphrase that a file holds in the wrong place, and keys that are damaged.
    let key = project.read("pki/ca.key");
    for damaged in [
        PASSPHRASE.to_owned(),
        key.replace("ENCRYPTED ", ""),
        key.replace("A", "!"),
        format!("{key}{PASSPHRASE}"),
    ] {
        project.write("pki/ca.key", damaged);
        run(&mut secrets, "issue --force --passphrase-file pass -v");
        run(
            &mut secrets,
            "issue --force --passphrase-file pass --format json",
        );
        run(&mut secrets, "init");
    }
    project.write("pki/ca.key", &key);
    project.write("certs.toml", PASSPHRASE);
    run(&mut secrets, "serve --name ../pass localhost:0");
    let plain = project
        .shell(&format!(
            "openssl pkey -in pki/ca.key -passin pass:'{PASSPHRASE}'"
        ))
        .ok();
    let lines = plain
        .stdout
        .lines()
        .filter(|it| it.len() >= 20 && !it.starts_with('-'));
    secrets.extend(lines.map(str::to_owned));

    assert!(secrets.len() > 40, "{}", secrets.len());
    assert_eq!(told(&output, &secrets), [""; 0]);
    // What is printed would be seen.
    assert!(!told(&project.read("pki/server.key"), &secrets).is_empty());
    let elsewhere = project.shell("find tmp -mindepth 1").ok();
    assert_eq!(elsewhere.stdout, "");
    // Each file of the folders holds no secret but its own; the plain CA key is in none.
    let ca_lines = plain.stdout.lines().filter(|it| it.len() == 64);
    let found: Vec<_> = ca_lines
        .filter(|line| project.shell(&format!("grep -rqF -- '{line}' .")).code == 0)
        .collect();
    assert_eq!(found, [""; 0]);
    let public = project.shell("cat pki/*.crt pki/issued.jsonl pki/.gitignore pki/.grpc-pki/* once/*.crt once/issued.jsonl").ok();
    assert_eq!(told(&public.stdout, &secrets), [""; 0]);
}
