//! `init --ephemeral`: a CA that signs once.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use insta::assert_snapshot;

use crate::support::{Project, SERVER};

#[test]
fn all_is_made_at_once_and_the_key_is_nowhere() {
    let project = Project::new(&format!("{SERVER}[certs.client]\nprofile = \"client\"\n"));
    assert_snapshot!(project.run("init --ephemeral"), @r"
    made the CA CN=my-ca, valid until 2036-01-01; its key was not kept, so it signs nothing more
      pki/ca.crt what clients trust; give it to everyone
    issued server (server): pki/server.crt, pki/server.key, until 2027-01-01
      for  localhost
      why  there is no certificate yet
    issued client (client): pki/client.crt, pki/client.key, until 2027-01-01
      why  there is no certificate yet
    the server loads pki/server.crt and pki/server.key; clients trust pki/ca.crt
    next: grpc-pki serve, and in another terminal: grpc-pki verify localhost:50051
    --- exit 0
    ");
    assert_snapshot!(project.tree(), @r"
    pki/.gitignore 0644
    pki/.grpc-pki/lock 0600
    pki/ca.crt 0644
    pki/client.crt 0644
    pki/client.key 0600
    pki/issued.jsonl 0644
    pki/server.crt 0644
    pki/server.key 0600
    ");
    for name in ["server", "client"] {
        project
            .openssl(&format!(
                "verify -no_check_time -CAfile pki/ca.crt pki/{name}.crt"
            ))
            .ok();
    }
    let log = project.read("pki/issued.jsonl");
    let ephemeral = log.lines().filter(|it| it.contains("\"ephemeral\":true"));
    assert_eq!((log.lines().count(), ephemeral.count()), (3, 1));
}

#[test]
fn what_is_current_stays_and_what_is_not_is_told() {
    let project = Project::new(SERVER);
    project.run("init --ephemeral").ok();
    let before = project.state();
    assert_snapshot!(project.run("issue"), @r"
    nothing to do: 1 certificate is current, it expires in 365 days
    --- exit 0
    ");
    assert_snapshot!(project.run("init"), @r"
    nothing to do: pki/ca.crt is the CA CN=my-ca, valid until 2036-01-01 (3 652 days left)
    its key was not kept, so it signs nothing more
    --- exit 0
    ");
    project.run("issue --check").ok();
    assert_snapshot!(project.run("issue --force"), @r"
    --- stderr
    error: the key of the CA in pki was not kept (`init --ephemeral`), so it can sign nothing more
    hint: make another CA with new certificates, and give clients the new ca.crt: remove or move away pki, and run `grpc-pki init --ephemeral` again
    --- exit 2
    ");
    project.run("issue --force --check").exits(1);
    assert_eq!(project.state(), before);
    // Where the key is missing although it was kept, that is another matter.
    let project = Project::issued(SERVER);
    project.remove("pki/ca.key");
    let ran = project.run("issue").exits(2);
    assert!(
        ran.stderr
            .starts_with("error: pki/ca.crt is there, but pki/ca.key is missing\n"),
        "{ran}"
    );
}

#[test]
fn a_ca_that_is_there_is_not_replaced() {
    let with_key = Project::issued(SERVER);
    let without = Project::new(SERVER);
    without.run("init --ephemeral").ok();
    for project in [with_key, without] {
        let before = project.state();
        let ran = project.run("init --ephemeral").exits(2);
        assert_eq!(
            ran.stderr,
            "error: there is a CA in pki already, and a CA is never replaced\n\
             hint: name a new folder with --pki; `grpc-pki issue` makes certificates under the CA that is there\n"
        );
        assert_eq!(project.state(), before);
    }
}

#[test]
fn without_anything_to_sign_nothing_is_made() {
    let project = Project::new("[ca]\nvalid_for = \"1d\"\n");
    assert_snapshot!(project.run("init --ephemeral"), @r"
    --- stderr
    error: certs.toml asks for no certificate, and a CA whose key is not kept can sign none later
    hint: add [alt_names] or a [certs.NAME] to certs.toml
    --- exit 2
    ");
    // A name that the CA may not certify is refused before the CA is made.
    project.write(
        "certs.toml",
        format!("[ca]\npermitted = {{ DNS = [\"internal\"] }}\n{SERVER}"),
    );
    project.run("init --ephemeral").exits(2);
    assert!(!project.path("pki/ca.crt").exists() && !project.path("pki/issued.jsonl").exists());
    // Nothing is to be encrypted, whatever [ca] says: nobody is asked for a passphrase.
    project.write("certs.toml", format!("[ca]\nencrypt = true\n{SERVER}"));
    let ran = project.run("init --ephemeral").ok();
    assert_eq!(ran.stderr, "");
    for flags in ["--encrypt", "--passphrase-file x"] {
        project.run(&format!("init --ephemeral {flags}")).exits(2);
    }
}

#[test]
fn without_a_certs_toml_the_starter_is_what_is_made() {
    let project = Project::empty();
    let ran = project.start("022", "init --ephemeral").ok();
    assert!(
        ran.stdout.contains("certs.toml   a starter")
            && ran.stdout.contains("issued server (server)"),
        "{ran}"
    );
    project.start("022", "issue --check").ok();
}

#[test]
fn certificates_of_an_earlier_ca_are_made_anew() {
    let project = Project::issued(SERVER);
    project.remove("pki/ca.crt");
    project.remove("pki/ca.key");
    let ran = project.run("init --ephemeral").ok();
    assert!(
        ran.stdout
            .contains("why  it was issued by another key of the CA CN=my-ca"),
        "{ran}"
    );
    project
        .openssl("verify -no_check_time -CAfile pki/ca.crt pki/server.crt")
        .ok();
    project.run("issue --check").ok();
}

#[test]
fn the_report_for_scripts_has_both() {
    let project = Project::new(SERVER);
    let json = project.run("init --ephemeral --format json").ok().json();
    assert_eq!(json["ca"]["ephemeral"], true);
    assert!(json["ca"]["key"].is_null() && json["ca"]["created"] == true);
    assert_eq!(json["steps"][0]["name"], "server");
    assert_eq!(json["steps"][0]["action"], "issue");
    let kept = project.run("init --format json").ok().json();
    assert!(kept["ca"]["ephemeral"] == true && kept["steps"].is_null());
    let usual = Project::new(SERVER).run("init --format json").ok().json();
    assert!(usual["ca"]["ephemeral"] == false && usual["steps"].is_null());
}

#[test]
fn the_server_runs_on_it_and_verify_trusts_it() {
    let project = Project::new(SERVER);
    project.start("022", "init --ephemeral").ok();
    let mut server = Command::new(env!("CARGO_BIN_EXE_grpc-pki"));
    server
        .args(["serve", "localhost:0"])
        .current_dir(project.path(""));
    let mut server = server.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let stdout = server.stdout.as_mut().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let address = line
        .strip_prefix("listening on ")
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    let trusted = project.start("022", &format!("verify {address}"));
    // Another one of the same name is another CA.
    project.start("022", "init --ephemeral --pki other").ok();
    let refused = project.start("022", &format!("verify {address} --ca other/ca.crt"));
    server.kill().unwrap();
    server.wait().unwrap();
    trusted.ok();
    refused.exits(13);
}

#[test]
fn an_open_key_of_before_is_closed_and_told() {
    let project = Project::issued(SERVER);
    for file in ["pki/ca.crt", "pki/ca.key"] {
        project.remove(file);
    }
    let open = Permissions::from_mode(0o644);
    fs::set_permissions(project.path("pki/server.key"), open).unwrap();
    let ran = project.run("init --ephemeral").ok();
    assert!(
        ran.stderr
            .contains("could read pki/server.key (mode 0644), which is mended"),
        "{ran}"
    );
    assert!(project.tree().contains("pki/server.key 0600"));
}
