//! Files and folders that are not what they should be: each its own sentence and exit code, and nothing
//! changed. The twin of each is the session in `issue` in which nothing is wrong.

use std::fs;

use insta::assert_snapshot;

use crate::support::{Project, SERVER};

/// What `issue` says after `spoil` had its way with a project that is in order, and what stays as it is.
#[track_caller]
fn refused(code: i32, spoil: impl FnOnce(&Project)) -> String {
    refused_to("issue", code, spoil)
}

#[track_caller]
fn refused_to(command: &str, code: i32, spoil: impl FnOnce(&Project)) -> String {
    let project = Project::issued(SERVER);
    // Even where there is work to do.
    project.remove("pki/server.crt");
    spoil(&project);
    let before = project.state();
    let ran = project.run(command).exits(code);
    assert_eq!(project.state(), before);
    assert_eq!(ran.stdout, "");
    ran.stderr
}

fn pipe(project: &Project, file: &str) {
    let _ = fs::remove_file(project.path(file));
    rustix::fs::mknodat(
        rustix::fs::CWD,
        project.path(file),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
}

fn folder(project: &Project, file: &str) {
    let _ = fs::remove_file(project.path(file));
    fs::create_dir(project.path(file)).unwrap();
}

#[test]
fn the_key_of_another_ca() {
    let other = Project::with_ca(SERVER);
    let swap = |project: &Project| project.write("pki/ca.key", other.read("pki/ca.key"));
    assert_snapshot!(refused(2, swap), @r"
    error: pki/ca.key is not the key of pki/ca.crt
    hint: restore the pair from a backup: pki/ca.crt and pki/ca.key were made at different times
    ");
    assert_snapshot!(refused_to("init", 2, swap), @r"
    error: pki/ca.key is not the key of pki/ca.crt
    hint: restore the pair from a backup: pki/ca.crt and pki/ca.key were made at different times
    ");
}

#[test]
fn a_ca_out_of_its_time() {
    let expired = Project::issued(SERVER).later(3653);
    let before = expired.state();
    assert_snapshot!(expired.run("issue").exits(2), @r"
    --- stderr
    error: the CA pki/ca.crt expired on 2036-01-01
    hint: certificates under an expired CA are refused; move the folder away, run `grpc-pki init` and `grpc-pki issue`, and give clients the new ca.crt
    --- exit 2
    ");
    assert_eq!(expired.state(), before);

    let early = Project::issued(SERVER).later(-1);
    let before = early.state();
    assert_snapshot!(early.run("issue").exits(2), @r"
    --- stderr
    error: the CA pki/ca.crt is valid only from 2025-12-31
    hint: check the clock of this machine
    --- exit 2
    ");
    assert_eq!(early.state(), before);
    early.later(1).run("issue").ok();
}

#[test]
fn half_a_ca() {
    assert_snapshot!(refused(2, |project| project.remove("pki/ca.key")), @r"
    error: pki/ca.crt is there, but pki/ca.key is missing
    hint: restore pki/ca.key from a backup; a CA is never replaced, and a new one needs another folder (`--pki`)
    ");
    assert_snapshot!(refused(2, |project| project.remove("pki/ca.crt")), @r"
    error: pki/ca.key is there, but pki/ca.crt is missing
    hint: restore pki/ca.crt from a backup; a CA is never replaced, and a new one needs another folder (`--pki`)
    ");
}

#[test]
fn a_ca_certificate_file_that_holds_something_else() {
    let with = |content: fn(&Project) -> Vec<u8>| {
        refused(2, |project| project.write("pki/ca.crt", content(project)))
    };
    assert_snapshot!(with(|_| Vec::new()), @r"
    error: pki/ca.crt is empty
    hint: restore pki/ca.crt from a backup
    ");
    assert_snapshot!(with(|_| b"hello".to_vec()), @"error: pki/ca.crt holds no certificate in PEM form");
    assert_snapshot!(with(|project| project.certificate("ca").to_vec()), @r"
    error: pki/ca.crt is in DER form; gRPC programs load PEM
    hint: openssl x509 -inform DER -in pki/ca.crt -out pki/ca.new.crt && mv pki/ca.new.crt pki/ca.crt
    ");
    assert_snapshot!(with(|project| project.read("pki/ca.key").into()), @r"
    error: pki/ca.crt is a private key, not a certificate
    hint: pki/ca.crt must be the certificate; never hand a private key to clients
    ");
    assert_snapshot!(with(|project| format!("\u{feff}{}", project.read("pki/ca.crt")).into()), @r"
    error: pki/ca.crt starts with a byte order mark, over which some gRPC programs stumble
    hint: sed -i '1s/^\xEF\xBB\xBF//' pki/ca.crt
    ");
    assert_snapshot!(with(|project| project.read("pki/ca.crt").replace("MII", "MIA").into()), @r"
    error: pki/ca.crt holds a certificate that is damaged
    hint: restore pki/ca.crt from a backup
    ");
    assert_snapshot!(with(|project| project.read("pki/ca.crt")[..300].into()), @r"
    error: pki/ca.crt holds a certificate that is damaged
    hint: restore pki/ca.crt from a backup
    ");
    assert_snapshot!(with(|_| vec![b'\n'; (1 << 20) + 1]), @"error: pki/ca.crt is larger than 1 MiB");
}

#[test]
fn a_ca_key_file_that_holds_something_else() {
    let with = |content: fn(&Project) -> Vec<u8>| {
        refused(2, |project| project.write("pki/ca.key", content(project)))
    };
    assert_snapshot!(with(|_| Vec::new()), @r"
    error: pki/ca.key is empty
    hint: restore pki/ca.key from a backup
    ");
    assert_snapshot!(with(|project| project.read("pki/ca.crt").into()), @"error: pki/ca.key holds no private key in PEM form");
    assert_snapshot!(with(|project| format!("\u{feff}{}", project.read("pki/ca.key")).into()), @r"
    error: pki/ca.key starts with a byte order mark, over which some gRPC programs stumble
    hint: sed -i '1s/^\xEF\xBB\xBF//' pki/ca.key
    ");
    assert_snapshot!(with(|project| project.read("pki/ca.key").replace("MIG", "MIA").into()), @r"
    error: pki/ca.key holds no intact RSA, P-256, P-384 or Ed25519 private key
    hint: restore pki/ca.key from a backup, or use a key of one of these types
    ");
    assert_snapshot!(with(|project| converted(project, "-outform DER")), @r"
    error: pki/ca.key is in DER form; gRPC programs load PEM
    hint: openssl pkey -inform DER -in pki/ca.key -out pki/ca.new.key && mv pki/ca.new.key pki/ca.key
    ");
    assert_snapshot!(with(|project| converted(project, "-aes128 -passout pass:x")), @r"
    error: pki/ca.key needs a passphrase, and there is no terminal to ask for it
    hint: name a file that holds it with --passphrase-file FILE, or set GRPC_PKI_PASSPHRASE
    ");
    assert_snapshot!(with(|project| converted(project, "-traditional -aes128 -passout pass:x")), @r"
    error: pki/ca.key is encrypted as old versions of OpenSSL do (Proc-Type: 4,ENCRYPTED), which protects it badly
    hint: encrypt it anew: `openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000 -in pki/ca.key -out pki/ca.new.key && mv pki/ca.new.key pki/ca.key`
    ");
    assert_snapshot!(with(p521), @r"
    error: pki/ca.key holds no intact RSA, P-256, P-384 or Ed25519 private key
    hint: restore pki/ca.key from a backup, or use a key of one of these types
    ");
}

fn converted(project: &Project, options: &str) -> Vec<u8> {
    let convert = format!("pkey -in pki/ca.key {options} -out converted");
    project.openssl(&convert).ok();
    fs::read(project.path("converted")).unwrap()
}

fn p521(project: &Project) -> Vec<u8> {
    let make = "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out p521";
    project.openssl(make).ok();
    project.read("p521").into()
}

#[test]
fn a_certificate_that_is_no_ca_s() {
    let leaf = Project::issued(SERVER);
    assert_snapshot!(refused(2, |project| {
        project.write("pki/ca.crt", leaf.read("pki/server.crt"));
        project.write("pki/ca.key", leaf.read("pki/server.key"));
    }), @r"
    error: pki/ca.crt cannot sign certificates: its basicConstraints do not say CA
    hint: put the CA's own certificate there; one of a server or a client cannot sign
    ");
    let request = "req -x509 -key pki/ca.key -subj /CN=x -addext keyUsage=critical,cRLSign";
    let project = Project::with_ca(SERVER);
    project.openssl(&format!("{request} -out pki/ca.crt")).ok();
    assert_snapshot!(project.today().run("issue").exits(2), @r"
    --- stderr
    error: pki/ca.crt cannot sign certificates: its keyUsage lacks keyCertSign
    hint: put the CA's own certificate there; one of a server or a client cannot sign
    --- exit 2
    ");
}

#[test]
fn a_folder_in_place_of_a_file() {
    assert_snapshot!(refused(2, |project| folder(project, "pki/ca.crt")), @r"
    error: pki/ca.crt is not a regular file
    hint: move pki/ca.crt away
    ");
    assert_snapshot!(refused(2, |project| folder(project, "pki/ca.key")), @r"
    error: pki/ca.key is not a regular file
    hint: move pki/ca.key away
    ");
    assert_snapshot!(refused(2, |project| folder(project, "pki/server.crt")), @r"
    error: pki/server.crt is not a regular file
    hint: move pki/server.crt away
    ");
    assert_snapshot!(refused(2, |project| folder(project, "pki/server.key")), @r"
    error: pki/server.key is not a regular file
    hint: move pki/server.key away
    ");
    assert_snapshot!(refused(2, |project| folder(project, "certs.toml")), @"error: certs.toml is not a regular file");
}

#[test]
fn a_pipe_in_place_of_a_file_is_not_waited_for() {
    assert_snapshot!(refused(2, |project| pipe(project, "pki/ca.crt")), @r"
    error: pki/ca.crt is not a regular file
    hint: move pki/ca.crt away
    ");
    assert_snapshot!(refused(2, |project| pipe(project, "pki/server.key")), @r"
    error: pki/server.key is not a regular file
    hint: move pki/server.key away
    ");
    assert_snapshot!(refused(2, |project| pipe(project, "certs.toml")), @"error: certs.toml is not a regular file");
}

#[test]
fn a_log_that_is_no_file_stops_everything_before_it_begins() {
    for spoil in [folder, pipe] {
        let project = Project::issued(SERVER);
        project.remove("pki/server.crt");
        spoil(&project, "pki/issued.jsonl");
        let before = project.tree();
        let ran = project.run("issue").exits(2);
        let told = ran.stderr.starts_with("error: pki/issued.jsonl is a ")
            && ran.stderr.contains(", where a file belongs\n");
        assert!(told, "{ran}");
        assert_eq!(project.tree(), before);
        project.run("issue --check").exits(1);
    }
}

#[test]
fn a_folder_that_cannot_be_made() {
    let project = Project::new(SERVER);
    project.write("pki", "a file");
    assert_snapshot!(project.run("init").exits(3), @r"
    --- stderr
    error: pki/ca.crt cannot be read
      cause: not a directory
    hint: pki is no folder; name one with --pki
    --- exit 3
    ");
    assert_snapshot!(project.run("issue").exits(3), @r"
    --- stderr
    error: pki/ca.crt cannot be read
      cause: not a directory
    hint: pki is no folder; name one with --pki
    --- exit 3
    ");
    assert_eq!(project.read("pki"), "a file");

    project.remove("pki");
    project.run("init").ok();
}

#[test]
fn a_folder_that_cannot_be_written() {
    let project = Project::issued(SERVER);
    project.remove("pki/server.crt");
    fs::remove_dir_all(project.path("pki/.grpc-pki")).unwrap();
    project.write("pki/.grpc-pki", "a file where the lock belongs");
    let before = project.state();
    assert_snapshot!(project.run("issue").exits(2), @r"
    --- stderr
    error: pki/.grpc-pki is a file, where a folder belongs
    hint: move pki/.grpc-pki away, or name another folder with --pki
    --- exit 2
    ");
    assert_eq!(project.state(), before);
    project.remove("pki/.grpc-pki");
    project.run("issue").ok();
}

#[test]
fn a_damaged_record_of_an_interrupted_change() {
    let spoil = |project: &Project| project.write("pki/.grpc-pki/commit.json", "{");
    let project = Project::with_ca(SERVER);
    spoil(&project);
    let ran = project.run("issue").exits(3);
    assert_snapshot!(ran, @r"
    --- stderr
    error: pki/.grpc-pki/commit.json is damaged, so an interrupted change cannot be completed
    hint: look at pki/.grpc-pki/commit.json and remove it; then `grpc-pki issue` makes what is missing
    --- exit 3
    ");
    assert!(!project.path("pki/server.crt").exists());
    project.remove("pki/.grpc-pki/commit.json");
    project.run("issue").ok();
}

#[test]
fn scripts_get_one_document() {
    let project = Project::new(SERVER);
    let document = project.run("issue --format json").exits(2).json();
    assert_snapshot!(serde_json::to_string_pretty(&document).unwrap(), @r#"
    {
      "command": "issue",
      "error": {
        "causes": [],
        "hint": "run `grpc-pki init` first",
        "message": "there is no CA in pki",
        "problems": []
      },
      "exit_code": 2,
      "ok": false,
      "schema": 1
    }
    "#);
}

#[test]
fn usage_is_told_with_exit_code_2() {
    let project = Project::with_ca(SERVER);
    assert_snapshot!(project.start("022", "issue --check --dry-run"), @r"
    --- stderr
    error: the argument '--check' cannot be used with '--dry-run'

    Usage: grpc-pki issue --check [NAME]...

    For more information, try '--help'.
    --- exit 2
    ");
    assert_snapshot!(project.start("022", "isue"), @r"
    --- stderr
    error: unrecognized subcommand 'isue'

      tip: a similar subcommand exists: 'issue'

    Usage: grpc-pki [OPTIONS] <COMMAND>

    For more information, try '--help'.
    --- exit 2
    ");
    project.run("issue --help").ok();
}

#[test]
fn a_key_beside_a_certificate_is_seen() {
    let project = Project::issued(SERVER);
    let key = project.read("pki/server.key");
    let certificate = project.read("pki/server.crt");
    project.write("pki/server.crt", format!("{certificate}{key}"));
    let ran = project.run("issue").ok();
    assert!(
        ran.stdout.contains("holds a private key beside"),
        "{}",
        ran.stdout
    );
    assert_ne!(project.read("pki/server.key"), key);
    let ca = project.read("pki/ca.crt") + &project.read("pki/ca.key");
    project.write("pki/ca.crt", ca);
    let ran = project.run("issue").exits(2);
    assert!(
        ran.stderr.contains("holds a private key beside"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_certificate_of_a_server_is_no_ca_for_init() {
    let project = Project::issued(SERVER);
    project.copy("pki/server.crt", "pki/ca.crt");
    project.copy("pki/server.key", "pki/ca.key");
    let ran = project.run("init").exits(2);
    assert!(
        ran.stderr.contains("cannot sign certificates"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_cannot_be_printed_is_told_elsewhere() {
    let project = Project::new(SERVER);
    assert_snapshot!(project.start("022", "init >/dev/full").exits(3), @"
    --- stderr
    error: the result could not be printed
      cause: no space left on device
    --- exit 3
    ");
    // It is done all the same; and whoever has seen enough is told nothing.
    project.run("init").ok();
    assert_eq!(project.start("022", "status | true").ok().stderr, "");
}
