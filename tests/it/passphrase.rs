//! The CA key under a passphrase: made and opened, where the passphrase comes from, and what goes wrong.

mod openssl;
mod terminal;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use insta::assert_snapshot;

use crate::secrecy::Waiting;
use crate::support::{Project, SERVER};

const PASSPHRASE: &str = "correct horse";

/// A project with an encrypted CA key; the passphrase is then known to nobody.
fn encrypted(config: &str) -> Project {
    let mut project = Project::new(config);
    project.passphrase = Some(PASSPHRASE);
    project.run("init --encrypt").ok();
    project.passphrase = None;
    project
}

/// A file that only its owner reads.
fn private(project: &Project, file: &str, content: &str) {
    project.write(file, content);
    fs::set_permissions(project.path(file), fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn init_writes_an_encrypted_key_where_it_is_asked_to() {
    let mut project = Project::new(SERVER);
    project.passphrase = Some(PASSPHRASE);
    assert_snapshot!(project.run("init --encrypt"), @"
    made the CA CN=my-ca, valid until 2036-01-01
      pki/ca.crt what clients trust; give it to everyone
      pki/ca.key signs certificates, with its passphrase
    back up pki/ca.key, pki/ca.crt and pki/issued.jsonl, and the passphrase elsewhere: without the key
    nothing can be renewed, and every client has to be given another CA
    next: grpc-pki issue
    --- exit 0
    ");
    assert_eq!(
        project.tree().lines().find(|it| it.contains("ca.key")),
        Some("pki/ca.key 0600")
    );
    project.run("issue").ok();
    project
        .openssl("verify -no_check_time -CAfile pki/ca.crt pki/server.crt")
        .ok();
    for (config, encrypted) in [
        ("encrypt = true", true),
        ("encrypt = false", false),
        ("", false),
    ] {
        let mut project = Project::new(&format!("[ca]\n{config}\n{SERVER}"));
        project.passphrase = Some(PASSPHRASE);
        let ran = project.run("init --format json").ok();
        assert_eq!(ran.json()["ca"]["encrypted"], encrypted);
        let label = project.read("pki/ca.key").lines().next().map(str::to_owned);
        let expected = if encrypted {
            "-----BEGIN ENCRYPTED PRIVATE KEY-----"
        } else {
            "-----BEGIN PRIVATE KEY-----"
        };
        assert_eq!(label.as_deref(), Some(expected));
    }
}

#[test]
fn two_keys_share_no_salt_and_no_first_block() {
    let lines = |project: Project| {
        let text = project.openssl("asn1parse -in pki/ca.key").ok().stdout;
        let octets = text.lines().filter(|it| it.contains("HEX DUMP"));
        octets
            .map(|it| it.split(':').next_back().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let (one, two) = (lines(encrypted(SERVER)), lines(encrypted(SERVER)));
    assert_eq!((one.len(), one[0].len(), one[1].len()), (3, 32, 32));
    assert!(one.iter().zip(&two).all(|(one, two)| one != two) && one[0] != one[1]);
}

#[test]
fn only_what_signs_asks_for_the_passphrase() {
    let mut project = encrypted(SERVER);
    // Nobody knows it, and nobody is there to ask.
    project.run("issue --dry-run").ok();
    project.run("issue --check").exits(1);
    project.run("init").ok();
    assert_snapshot!(project.run("issue"), @r"
    --- stderr
    error: pki/ca.key needs a passphrase, and there is no terminal to ask for it
    hint: name a file that holds it with --passphrase-file FILE, or set GRPC_PKI_PASSPHRASE
    --- exit 2
    ");
    assert!(!project.path("pki/server.crt").exists());
    project.passphrase = Some(PASSPHRASE);
    project.run("issue").ok();
    project.passphrase = None;
    project.run("issue").ok();
    project.run("issue --check").ok();
}

#[test]
fn a_passphrase_file_goes_before_the_variable() {
    let mut project = encrypted(SERVER);
    private(
        &project,
        "right",
        "correct horse\nthe second line is a remark\n",
    );
    private(&project, "windows", "correct horse\r\n");
    private(&project, "bare", "correct horse");
    private(&project, "wrong", "battery staple\n");
    project.passphrase = Some("battery staple");
    let file = |name: &str| {
        format!(
            "issue --force --passphrase-file {}",
            project.path(name).display()
        )
    };
    for name in ["right", "windows", "bare"] {
        assert_eq!(project.run(&file(name)).ok().stderr, "");
    }
    project.run("issue --force").exits(2);
    project.passphrase = Some(PASSPHRASE);
    project.run("issue --force").ok();
    let file = format!(
        "issue --force --passphrase-file {}",
        project.path("wrong").display()
    );
    assert_snapshot!(project.run(&file), @r"
    --- stderr
    error: the passphrase in wrong does not open pki/ca.key
    hint: nothing was changed; `openssl pkey -in pki/ca.key -noout` tries a passphrase, too
    --- exit 2
    ");
}

#[test]
fn a_passphrase_that_is_wrong_or_missing_changes_nothing() {
    let mut project = encrypted(SERVER);
    project.passphrase = Some(PASSPHRASE);
    project.run("issue").ok();
    let before = project.state();
    project.passphrase = Some("");
    assert_snapshot!(project.run("issue --force"), @r"
    --- stderr
    error: the passphrase in GRPC_PKI_PASSPHRASE is empty
    hint: set GRPC_PKI_PASSPHRASE to the passphrase, or unset it: then it is asked for on the terminal
    --- exit 2
    ");
    project.passphrase = Some("correct horse ");
    assert_snapshot!(project.run("issue --force"), @r"
    --- stderr
    error: the passphrase in GRPC_PKI_PASSPHRASE does not open pki/ca.key
    hint: nothing was changed; `openssl pkey -in pki/ca.key -noout` tries a passphrase, too
    --- exit 2
    ");
    assert_eq!(project.state(), before);
    private(&project, "empty", "\nthe second line\n");
    let empty = format!(
        "issue --force --passphrase-file {}",
        project.path("empty").display()
    );
    assert_snapshot!(project.run(&empty).stderr, @r"
    error: the passphrase in empty is empty
    hint: the passphrase is the first line of empty
    ");
    let missing = format!(
        "issue --force --passphrase-file {}",
        project.path("none").display()
    );
    assert_snapshot!(project.run(&missing), @r"
    --- stderr
    error: none does not exist
    --- exit 2
    ");
}

#[test]
fn nothing_is_made_where_a_new_passphrase_is_missing() {
    let mut project = Project::new(SERVER);
    assert_snapshot!(project.run("init --encrypt"), @r"
    --- stderr
    error: pki/ca.key needs a passphrase, and there is no terminal to ask for it
    hint: name a file that holds it with --passphrase-file FILE, or set GRPC_PKI_PASSPHRASE
    --- exit 2
    ");
    project.passphrase = Some("");
    project.run("init --encrypt").exits(2);
    private(&project, "pass", "x\n");
    let unused = format!("init --passphrase-file {}", project.path("pass").display());
    assert_snapshot!(project.run(&unused), @r"
    --- stderr
    error: --passphrase-file is given, and nothing asks for pki/ca.key to be encrypted
    hint: add --encrypt, or write `encrypt = true` below [ca] in certs.toml
    --- exit 2
    ");
    assert!(!project.path("pki/ca.key").exists());
    let used = format!(
        "init --encrypt --passphrase-file {}",
        project.path("pass").display()
    );
    project.run(&used).ok();
}

#[test]
fn a_passphrase_that_others_can_read_is_told() {
    let project = encrypted(SERVER);
    private(&project, "pass", "correct horse\n");
    let issue = format!("issue --passphrase-file {}", project.path("pass").display());
    assert_eq!(project.run(&issue).ok().stderr, "");
    fs::set_permissions(project.path("pass"), fs::Permissions::from_mode(0o644)).unwrap();
    let ran = project.run(&format!("{issue} --force")).ok();
    assert!(
        ran.stderr
            .contains("others than its owner can read the passphrase in pass: chmod 600"),
        "{ran}"
    );
}

#[test]
fn a_passphrase_comes_through_a_pipe_too() {
    let project = encrypted(SERVER);
    let program = env!("CARGO_BIN_EXE_grpc-pki");
    let pipe = "<(printf 'correct horse\\n')";
    project
        .shell(&format!("'{program}' issue --passphrase-file {pipe}"))
        .ok();
    let forced = format!("'{program}' issue --force --passphrase-file /dev/stdin");
    project
        .shell(&format!("echo correct horse | {forced}"))
        .ok();
    project
        .shell(&format!("echo battery staple | {forced}"))
        .exits(2);
    let folder = project.start("022", "issue --force --passphrase-file pki");
    assert_eq!(
        folder.exits(2).stderr,
        "error: pki is not a regular file\nhint: move pki away\n"
    );
}

/// Starts the real program, which waits for its passphrase.
fn waiting(project: &Project, args: &str) -> Waiting {
    let args = format!("{args} --passphrase-file pipe");
    Waiting::start(project, env!("CARGO_BIN_EXE_grpc-pki"), &args)
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

#[test]
fn nobody_waits_for_the_lock_while_somebody_types() {
    let project = encrypted(SERVER).today();
    private(&project, "pass", "correct horse\n");
    let first = waiting(&project, "issue");
    project.start("022", "issue --passphrase-file pass").ok();
    let before = project.read("pki/server.crt");
    // What was to be done is done, and is not done twice.
    let ran = first.answer("correct horse\n");
    assert!(
        ran.status.success() && text(&ran.stdout).starts_with("nothing to do"),
        "{ran:?}"
    );
    assert_eq!(project.read("pki/server.crt"), before);

    let project = Project::new(SERVER).today();
    private(&project, "pass", "correct horse\n");
    let first = waiting(&project, "init --encrypt");
    project.start("022", "init").ok();
    let ran = first.answer("correct horse\n");
    assert!(
        ran.status.success() && text(&ran.stdout).starts_with("nothing to do"),
        "{ran:?}"
    );
    // The CA of the faster one is not encrypted, and that is told.
    assert!(
        text(&ran.stderr).starts_with("warning: pki/ca.key has no passphrase"),
        "{ran:?}"
    );
}

#[test]
fn a_key_that_is_replaced_while_somebody_types_is_not_used() {
    let project = encrypted(SERVER);
    let first = waiting(&project, "issue");
    let again = "-passin pass:'correct horse' -passout pass:'battery staple'";
    project
        .shell(&format!(
            "openssl pkcs8 -topk8 {again} -in pki/ca.key -out new.key && mv new.key pki/ca.key"
        ))
        .ok();
    let ran = first.answer("correct horse\n");
    assert_eq!(ran.status.code(), Some(2));
    assert_eq!(
        text(&ran.stderr),
        "error: pki/ca.key changed while this command ran\nhint: nothing was made; run it again\n"
    );
    assert!(!project.path("pki/server.crt").exists());
    let second = waiting(&project, "issue").answer("battery staple\n");
    assert!(second.status.success(), "{second:?}");
}

#[test]
fn there_is_no_flag_that_takes_a_passphrase_as_it_is() {
    let project = encrypted(SERVER);
    for args in [
        "issue --passphrase secret-word",
        "init --passphrase=secret-word",
    ] {
        let ran = project.run(args).exits(2);
        assert!(ran.stderr.contains("--passphrase-file"), "{ran}");
        assert!(!ran.stderr.contains("secret-word"), "{ran}");
    }
}

#[test]
fn a_plain_key_is_told_where_a_passphrase_was_asked_for() {
    let mut project = Project::with_ca(SERVER);
    let warning = |project: &Project, args: &str| project.run(args).ok().stderr;
    assert_eq!(warning(&project, "init"), "");
    let told = warning(&project, "init --encrypt");
    assert!(
        told.starts_with(
            "warning: pki/ca.key has no passphrase, and one was asked for; `openssl pkcs8"
        ),
        "{told}"
    );
    project.write("certs.toml", format!("[ca]\nencrypt = true\n{SERVER}"));
    assert_eq!(warning(&project, "init"), told);
    // The advice can be typed, and does what it says.
    let command = told.split('`').nth(1).unwrap();
    let command = command.replace(" && mv", " -passout pass:'correct horse' && mv");
    project.shell(&command).ok();
    assert_eq!(warning(&project, "init"), "");
    project.passphrase = Some(PASSPHRASE);
    project.run("issue").ok();
    assert!(project.tree().contains("pki/ca.key 0600"));
}

#[test]
fn the_ca_of_a_rollover_is_found_with_the_key_and_without() {
    let mut project = encrypted(SERVER);
    project.passphrase = Some(PASSPHRASE);
    project.run("issue").ok();
    // Trusted besides, and older than the CA of the folder: no reason to issue anything.
    let mut other = Project::new("[ca]\ndn = { CN = \"old\" }\n");
    other.now -= time::Duration::days(400);
    other.run("init").ok();
    let both = other.read("pki/ca.crt") + &project.read("pki/ca.crt");
    project.write("pki/ca.crt", both);
    project.passphrase = None;
    project.run("issue --check").ok();
    project.passphrase = Some(PASSPHRASE);
    project.run("issue --force").ok();
    project.run("issue --check").ok();
    // A newer one is taken for the key's, until the key is opened.
    let mut other = Project::new("[ca]\ndn = { CN = \"new\" }\n");
    other.now += time::Duration::days(30);
    other.run("init").ok();
    project.now += time::Duration::days(31);
    project.write(
        "pki/ca.crt",
        project.read("pki/ca.crt") + &other.read("pki/ca.crt"),
    );
    project.run("issue --check").exits(1);
    let before = project.read("pki/server.crt");
    let ran = project.run("issue").ok();
    assert!(ran.stdout.starts_with("nothing to do"), "{ran}");
    assert_eq!(project.read("pki/server.crt"), before);
    // A key that belongs to none of them is refused.
    project.write("pki/ca.crt", other.read("pki/ca.crt"));
    project.run("issue").exits(2);
}
