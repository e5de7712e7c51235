//! The passphrase asked for on a terminal, which shows nothing of it.

use std::process::Command;

use crate::support::{Project, SERVER};

/// Runs a command on a terminal of its own, answers each prompt once it is there and nothing is echoed any more, and
/// prints what the terminal showed. The exit code is that of the command.
const TERMINAL: &str = r#"
import os, pty, sys, termios
answers = sys.argv[1].split("|")[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
shown = b""
def read():
    global shown
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        piece = b""
    shown += piece
    return piece
for number, answer in enumerate(answers, 1):
    while shown.count(b": ") < number and read():
        pass
    while termios.tcgetattr(terminal)[3] & termios.ECHO:
        pass
    os.write(terminal, answer.encode() + b"\n")
while read():
    pass
sys.stdout.write(shown.decode().replace("\r", ""))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

/// What the terminal showed, and the exit code.
fn on_terminal(project: &Project, answers: &str, args: &str) -> (String, i32) {
    let mut command = Command::new("python3");
    command.args(["-c", TERMINAL, answers, env!("CARGO_BIN_EXE_grpc-pki")]);
    command.args(["--color", "never"]);
    command.args(args.split(' ')).current_dir(project.path(""));
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    (
        String::from_utf8(output.stdout).unwrap(),
        output.status.code().unwrap(),
    )
}

#[test]
fn init_asks_twice_and_issue_once() {
    let project = Project::new(SERVER);
    let (shown, code) = on_terminal(&project, "|correct horse|correct horse", "init --encrypt");
    assert_eq!(code, 0, "{shown}");
    let mut lines = shown.lines();
    let asked = (lines.next(), lines.next());
    assert_eq!(
        asked,
        (
            Some("New passphrase of pki/ca.key: "),
            Some("The same again: ")
        )
    );
    assert!(
        lines.next().is_some_and(|it| it.starts_with("made the CA")),
        "{shown}"
    );
    assert!(!shown.contains("horse"));

    let (shown, code) = on_terminal(&project, "|correct horse", "issue");
    assert_eq!(code, 0, "{shown}");
    assert!(
        shown.starts_with("Passphrase of pki/ca.key: \nissued server (server)"),
        "{shown}"
    );
    // With nothing to sign nobody is asked.
    let (shown, code) = on_terminal(&project, "", "issue");
    assert!(code == 0 && shown.starts_with("nothing to do"), "{shown}");
    let (shown, code) = on_terminal(&project, "", "issue --force --dry-run");
    assert!(code == 0 && shown.starts_with("would issue"), "{shown}");
}

#[test]
fn a_wrong_an_empty_and_two_different_entries_are_told() {
    let project = Project::new(SERVER);
    let (shown, code) = on_terminal(&project, "|one|two", "init --encrypt");
    assert!(shown.ends_with("error: the two entries of the passphrase differ\nhint: nothing was made; run it again\n"), "{shown}");
    assert_eq!(code, 2);
    let (shown, code) = on_terminal(&project, "", "init --encrypt --passphrase-file /dev/null");
    assert!(
        code == 2 && shown.starts_with("error: the passphrase in /dev/null is empty\n"),
        "{shown}"
    );
    // An empty entry is not asked for again.
    let (shown, code) = on_terminal(&project, "|", "init --encrypt");
    assert_eq!(code, 2, "{shown}");
    assert!(
        shown.contains(
            "\nerror: the passphrase is empty\nhint: nothing was changed; run it again\n"
        ),
        "{shown}"
    );
    assert!(!project.path("pki/ca.key").exists());

    on_terminal(&project, "|right|right", "init --encrypt");
    let (shown, code) = on_terminal(&project, "|wrong", "issue");
    assert!(
        shown.contains("\nerror: the passphrase does not open pki/ca.key\n"),
        "{shown}"
    );
    assert_eq!(code, 2);
    assert!(!project.path("pki/server.crt").exists());
}
