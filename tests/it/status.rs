//! `status`: how everything stands, and nothing changes.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use insta::assert_snapshot;

use crate::support::{Project, SERVER};

const FLEET: &str = "[defaults]\nvalid_for = \"90d\"\n[alt_names]\nDNS.1 = \"localhost\"\n\
    [certs.orders]\nprofile = \"peer\"\nvalid_for = \"200d\"\nalt_names = { DNS = [\"orders\"] }\n\
    [certs.alice]\nprofile = \"client\"\n";

/// `status`, which must leave everything as it is.
fn status(project: &Project, args: &str) -> crate::support::Ran {
    let before = project.state();
    let ran = project.run(&format!("status {args}")).ok();
    assert_eq!(project.state(), before);
    ran
}

#[test]
fn all_is_current() {
    let project = Project::issued(FLEET);
    assert_snapshot!(status(&project, ""), @"
    CA CN=my-ca (pki/ca.crt), until 2036-01-01 (3 652 days left); its key is there
    name    profile  until       left      state
    server  server   2026-04-01  90 days   current
    orders  peer     2026-07-20  200 days  current
    alice   client   2026-04-01  90 days   current
    3 certificates are current
    --- exit 0
    ");
    assert_snapshot!(status(&project, "alice"), @"
    CA CN=my-ca (pki/ca.crt), until 2036-01-01 (3 652 days left); its key is there
    name   profile  until       left     state
    alice  client   2026-04-01  90 days  current
    1 certificate is current
    --- exit 0
    ");
}

#[test]
fn what_is_due_expired_missing_or_different() {
    let project = Project::issued(FLEET).later(100);
    project.remove("pki/alice.crt");
    project.write(
        "certs.toml",
        FLEET.replace("\"orders\"", "\"orders\", \"orders.internal\""),
    );
    assert_snapshot!(status(&project, ""), @"
    CA CN=my-ca (pki/ca.crt), until 2036-01-01 (3 552 days left); its key is there
    name    profile  until       left      state
    server  server   2026-04-01  none      it expired on 2026-04-01 (10 days ago)
    orders  peer     2026-07-20  100 days  certs.toml adds orders.internal
    alice   client   -           -         there is no certificate yet
    0 of 3 certificates current
    next: grpc-pki issue
    --- exit 0
    ");
}

#[test]
fn without_the_key_of_the_ca_there_is_no_issuing() {
    let project = Project::issued(SERVER);
    project.remove("pki/ca.key");
    assert_snapshot!(status(&project, ""), @"
    CA CN=my-ca (pki/ca.crt), until 2036-01-01 (3 652 days left); its key is missing
    name    profile  until       left      state
    server  server   2027-01-01  365 days  current
    1 certificate is current
    --- stderr
    warning: pki/ca.key is missing: nothing can be issued or renewed, though servers run on and `verify` works; restore it from a backup
    --- exit 0
    ");
    let json = status(&project, "--format json").json();
    assert_eq!(json["ca"]["key"], "missing");
    assert_eq!(json["can_issue"], false);
    let ran = project.run("issue --force").exits(2);
    assert!(
        ran.stderr
            .contains("pki/ca.crt is there, but pki/ca.key is missing"),
        "{ran}"
    );
    // Verifying does not need it: the port is what is wrong.
    project.run("verify localhost:1").exits(11);
}

#[test]
fn a_key_of_the_ca_that_is_of_no_use() {
    let project = Project::issued(SERVER);
    project.copy("pki/server.key", "pki/ca.key");
    assert_snapshot!(status(&project, ""), @"
    CA CN=my-ca (pki/ca.crt), until 2036-01-01 (3 652 days left); its key is there, but cannot be used
    name    profile  until       left      state
    server  server   2027-01-01  365 days  current
    1 certificate is current
    --- stderr
    warning: nothing can be issued or renewed: pki/ca.key is not the key of pki/ca.crt: restore the pair from a backup: pki/ca.crt and pki/ca.key were made at different times
    --- exit 0
    ");
    project.write("pki/ca.key", "nonsense");
    let ran = status(&project, "");
    assert!(
        ran.stderr
            .contains("nothing can be issued or renewed: pki/ca.key holds no private key"),
        "{ran}"
    );
    assert_eq!(status(&project, "--format json").json()["can_issue"], false);
}

#[test]
fn nobody_is_asked_for_a_passphrase() {
    let project = Project::new(SERVER);
    project.write("pass", "correct horse\n");
    let pass = project.path("pass");
    project
        .run(&format!(
            "init --encrypt --passphrase-file {}",
            pass.display()
        ))
        .ok();
    let ran = status(&project, "");
    assert!(
        ran.stdout.contains("; its key is under a passphrase\n"),
        "{ran}"
    );
    let project = Project::new(SERVER);
    project.run("init --ephemeral").ok();
    let ran = status(&project, "");
    assert!(
        ran.stdout.contains("; its key is not kept, on purpose\n"),
        "{ran}"
    );
    assert!(ran.stdout.ends_with("1 certificate is current\n"), "{ran}");
}

#[test]
fn what_is_wrong_with_files_is_a_warning() {
    let project = Project::issued(SERVER);
    let open = fs::Permissions::from_mode(0o640);
    fs::set_permissions(project.path("pki/server.key"), open).unwrap();
    let log = project.read("pki/issued.jsonl");
    let ca = log.lines().next().unwrap();
    project.write("pki/issued.jsonl", format!("{ca}\nnonsense\n{{\"na"));
    assert_snapshot!(status(&project, "").stderr, @"
    warning: others than its owner can read pki/server.key: chmod 600 pki/server.key
    warning: pki/issued.jsonl: the last line does not end; it is mended when the next certificate is issued
    warning: pki/issued.jsonl:2 is no record of a certificate
    warning: server.crt is not in pki/issued.jsonl: it was made elsewhere, or the list is not whole
    ");
}

#[test]
fn an_expired_ca_is_told() {
    let project = Project::issued(SERVER).later(3700);
    assert_snapshot!(status(&project, ""), @"
    CA CN=my-ca (pki/ca.crt), expired on 2036-01-01 (48 days ago); its key is there
    name    profile  until       left  state
    server  server   2027-01-01  none  it expired on 2027-01-01 (3 335 days ago)
    0 of 1 certificate current
    --- stderr
    warning: the CA pki/ca.crt expired on 2036-01-01
    --- exit 0
    ");
}

#[test]
fn without_a_ca_there_is_nothing_to_show() {
    assert_snapshot!(Project::new(SERVER).run("status").exits(2), @"
    --- stderr
    error: there is no CA in pki
    hint: run `grpc-pki init` first
    --- exit 2
    ");
    let ran = Project::issued(SERVER).run("status sevrer").exits(2);
    assert!(ran.stderr.contains("did you mean `server`?"), "{ran}");
}

#[test]
fn a_long_list_begins_with_what_is_to_do() {
    let clients: String = (0..30)
        .map(|it| format!("[certs.c{it:02}]\nprofile = \"client\"\n"))
        .collect();
    let project = Project::issued(&clients);
    project.remove("pki/c25.crt");
    let ran = status(&project, "");
    assert_eq!(ran.stdout.lines().count(), 1 + 1 + 20 + 3, "{ran}");
    assert!(
        ran.stdout.lines().nth(2).unwrap().starts_with("c25 "),
        "{ran}"
    );
    assert!(
        ran.stdout
            .contains("… and 10 more (-v lists them)\n29 of 30 certificates current\n"),
        "{ran}"
    );
    assert_eq!(
        status(&project, "-v").stdout.lines().count(),
        1 + 1 + 30 + 2
    );
}

#[test]
fn of_many_warnings_the_first_are_told_and_the_rest_is_counted() {
    let clients: String = (0..8)
        .map(|it| format!("[certs.c{it}]\nprofile = \"client\"\n"))
        .collect();
    let project = Project::issued(&clients);
    project.write("pki/issued.jsonl", "nonsense\n".repeat(1000));
    assert_snapshot!(status(&project, "").stderr, @"
    warning: pki/issued.jsonl:1 is no record of a certificate
    warning: pki/issued.jsonl:2 is no record of a certificate
    warning: pki/issued.jsonl:3 is no record of a certificate
    warning: pki/issued.jsonl:4 is no record of a certificate
    warning: pki/issued.jsonl:5 is no record of a certificate
    warning: 995 more such lines in pki/issued.jsonl
    warning: c0.crt is not in pki/issued.jsonl: it was made elsewhere, or the list is not whole
    warning: c1.crt is not in pki/issued.jsonl: it was made elsewhere, or the list is not whole
    warning: c2.crt is not in pki/issued.jsonl: it was made elsewhere, or the list is not whole
    warning: c3.crt is not in pki/issued.jsonl: it was made elsewhere, or the list is not whole
    warning: c4.crt is not in pki/issued.jsonl: it was made elsewhere, or the list is not whole
    warning: 3 more certificates that are not in pki/issued.jsonl
    ");
    project.write("pki/issued.jsonl", "nonsense\n".repeat(5));
    let ran = status(&project, "");
    assert!(ran.stderr.contains("issued.jsonl:5 is no"), "{ran}");
    assert!(!ran.stderr.contains("more such lines"), "{ran}");
}

#[test]
fn what_stands_in_the_place_of_a_key_is_no_key_that_others_read() {
    let project = Project::issued(SERVER);
    project.remove("pki/server.key");
    fs::create_dir(project.path("pki/server.key")).unwrap();
    let ran = status(&project, "");
    assert!(
        ran.stdout.contains("the key file is not a regular file"),
        "{ran}"
    );
    assert_eq!(ran.stderr, "");
}

#[test]
fn json_for_scripts() {
    let project = Project::foreseeable(SERVER);
    project.run("init").ok();
    project.run("issue").ok();
    let json = status(&project, "--format json").json();
    assert_snapshot!(serde_json::to_string_pretty(&json).unwrap(), @r#"
    {
      "ca": {
        "certificate": "pki/ca.crt",
        "days_left": 3652,
        "key": "plain",
        "not_after": "2036-01-01T00:00:00Z",
        "not_before": "2025-12-31T23:55:00Z",
        "serial": "4000000000000000000000000000000000000001",
        "subject": "CN=my-ca"
      },
      "can_issue": true,
      "certificates": [
        {
          "certificate": "pki/server.crt",
          "current": true,
          "days_left": 365,
          "key": "pki/server.key",
          "name": "server",
          "not_after": "2027-01-01T00:00:00Z",
          "not_before": "2025-12-31T23:55:00Z",
          "profile": "server",
          "reasons": [],
          "serial": "4000000000000000000000000000000000000002"
        }
      ],
      "command": "status",
      "exit_code": 0,
      "ok": true,
      "schema": 1,
      "to_issue": 0,
      "warnings": []
    }
    "#);
}
