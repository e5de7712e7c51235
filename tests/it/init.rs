//! `grpc-pki init`: the CA that it makes, and what it leaves alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use grpc_pki::config::STARTER;
use insta::assert_snapshot;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::support::{Project, SERVER};

#[test]
fn an_empty_folder_becomes_a_project() {
    let project = Project::empty();
    assert_snapshot!(project.start("022", "init"), @r"
    made the CA CN=my-ca, valid until DATE
      pki/ca.crt   what clients trust; give it to everyone
      pki/ca.key   signs certificates; keep it secret, and keep a backup
      certs.toml   a starter; put in the names that clients dial
    next: grpc-pki issue
    --- exit 0
    ");
    assert_snapshot!(project.tree(), @r"
    pki/.gitignore 0644
    pki/.grpc-pki/lock 0600
    pki/ca.crt 0644
    pki/ca.key 0600
    pki/issued.jsonl 0644
    ");
    assert_eq!(project.read("pki/.gitignore"), "*.key\n.grpc-pki/\n");
}

#[test]
fn the_starter_is_what_issue_reads_next() {
    let project = Project::empty();
    project.start("022", "init").ok();
    assert_eq!(project.read("certs.toml"), STARTER);
    assert_snapshot!(project.start("022", "issue"), @r"
    issued server (server): pki/server.crt, pki/server.key, until DATE
      for  my-server, localhost, 127.0.0.1, ::1
      why  there is no certificate yet
    issued client (client): pki/client.crt, pki/client.key, until DATE
      why  there is no certificate yet
    the server loads pki/server.crt and pki/server.key; clients trust pki/ca.crt
    next: grpc-pki serve, and in another terminal: grpc-pki verify localhost:50051
    --- exit 0
    ");
}

#[test]
fn a_starter_is_written_beside_a_ca_that_has_none() {
    let project = Project::with_ca(SERVER);
    project.remove("certs.toml");
    let before = project.state_of("pki");
    let ran = project.start("022", "init").ok();
    assert_eq!(
        ran.stdout.lines().last(),
        Some("wrote certs.toml, a starter")
    );
    assert_eq!(project.read("certs.toml"), STARTER);
    assert_eq!(project.state_of("pki"), before);
}

#[test]
fn a_named_file_that_is_missing_is_written_where_it_was_named() {
    let project = Project::empty();
    let ran = project.start("022", "init --config fleet.toml").ok();
    assert!(ran.stdout.contains("fleet.toml   a starter"));
    assert_eq!(project.read("fleet.toml"), STARTER);
    assert!(!project.path("certs.toml").exists());
}

#[test]
fn the_section_ca_says_what_is_made() {
    let project = Project::with_ca(
        "[ca]\ndn = { O = \"Org\", CN = \"orders CA\" }\nvalid_for = \"20y\"\n\
         permitted = { DNS = [\"internal\"], IP = [\"10.0.0.0/8\"] }\n",
    );
    let der = project.certificate("ca");
    let (_, ca) = X509Certificate::from_der(&der).unwrap();
    assert_eq!(ca.subject().to_string(), "O=Org, CN=orders CA");
    assert_eq!(
        ca.validity().not_after.to_datetime().to_string(),
        "2046-01-01 0:00:00.0 +00:00:00"
    );
    let constraints = ca.name_constraints().unwrap().unwrap();
    assert!(constraints.critical);
    assert_eq!(
        constraints.value.permitted_subtrees.as_ref().unwrap().len(),
        2
    );
    assert!(constraints.value.excluded_subtrees.is_none());
}

#[test]
fn without_a_section_ca_the_defaults_hold() {
    let project = Project::with_ca(SERVER);
    let der = project.certificate("ca");
    let (_, ca) = X509Certificate::from_der(&der).unwrap();
    assert_eq!(ca.subject().to_string(), "CN=my-ca");
    assert_eq!(
        ca.validity().not_after.to_datetime().to_string(),
        "2036-01-01 0:00:00.0 +00:00:00"
    );
    assert!(ca.name_constraints().unwrap().is_none());
}

#[test]
fn a_ca_is_made_with_each_type_of_key() {
    for (key, openssl) in [
        ("ecdsa-p256", "NIST CURVE: P-256"),
        ("ecdsa-p384", "NIST CURVE: P-384"),
        ("rsa-2048", "Public-Key: (2048 bit)"),
        ("rsa-3072", "Public-Key: (3072 bit)"),
        ("rsa-4096", "Public-Key: (4096 bit)"),
        ("ed25519", "ED25519 Public-Key"),
    ] {
        let project = Project::with_ca(&format!("[ca]\nkey = \"{key}\"\n{SERVER}"));
        let text = project.openssl("x509 -in pki/ca.crt -noout -text").ok();
        assert!(text.stdout.contains(openssl), "{key}: {text}");
        project.openssl("pkey -in pki/ca.key -check -noout").ok();
    }
}

#[test]
fn a_second_run_changes_nothing() {
    let project = Project::with_ca(SERVER);
    let before = project.state();
    assert_snapshot!(project.run("init"), @r"
    nothing to do: pki/ca.crt is the CA CN=my-ca, valid until 2036-01-01 (3 652 days left)
    --- exit 0
    ");
    assert_snapshot!(project.run("init --quiet"), @"--- exit 0");
    assert_eq!(
        project.run("init --format json").ok().json()["changed"],
        false
    );
    assert_eq!(project.state(), before);
}

#[test]
fn a_ca_is_never_replaced_by_another_wish() {
    for wish in [
        "dn = { CN = \"another\" }",
        "key = \"ecdsa-p384\"",
        "permitted = { DNS = [\"internal\"] }",
    ] {
        let project = Project::with_ca("[ca]\ndn = { CN = \"my-ca\" }\n");
        project.write("certs.toml", format!("[ca]\n{wish}\n"));
        let before = project.state();
        let ran = project.run("init").ok();
        assert!(
            ran.stdout
                .starts_with("nothing to do: pki/ca.crt is the CA CN=my-ca"),
            "{ran}"
        );
        assert_eq!(
            ran.stderr,
            "warning: [ca] in certs.toml asks for another CA than this one; a CA is never replaced, and a new one needs another folder (`--pki`)\n"
        );
        assert_eq!(project.state(), before);
    }
}

#[test]
fn without_a_section_ca_no_ca_differs() {
    let project = Project::with_ca("[ca]\ndn = { CN = \"made elsewhere\" }\n");
    project.write("certs.toml", SERVER);
    assert_eq!(project.run("init").ok().stderr, "");
}

#[test]
fn half_a_ca_is_completed_by_nobody() {
    let project = Project::with_ca(SERVER);
    fs::rename(project.path("pki/ca.key"), project.path("ca.key")).unwrap();
    let before = project.state();
    assert_snapshot!(project.run("init"), @r"
    --- stderr
    error: pki/ca.crt is there, but pki/ca.key is missing
    hint: restore pki/ca.key from a backup; a CA is never replaced, and a new one needs another folder (`--pki`)
    --- exit 2
    ");
    assert_eq!(project.state(), before);

    fs::rename(project.path("ca.key"), project.path("pki/ca.key")).unwrap();
    project.remove("pki/ca.crt");
    assert_snapshot!(project.run("init"), @r"
    --- stderr
    error: pki/ca.key is there, but pki/ca.crt is missing
    hint: restore pki/ca.crt from a backup; a CA is never replaced, and a new one needs another folder (`--pki`)
    --- exit 2
    ");
}

#[test]
fn an_expired_ca_is_told_and_kept() {
    let project = Project::with_ca(SERVER).later(3700);
    let before = project.state();
    assert_snapshot!(project.run("init"), @r"
    pki/ca.crt is the CA CN=my-ca, which expired on 2036-01-01 (48 days ago)
    --- stderr
    warning: certificates under an expired CA are refused; move the folder away, run `grpc-pki init` and `grpc-pki issue`, and give clients the new ca.crt
    --- exit 0
    ");
    assert_eq!(project.state(), before);
}

#[test]
fn an_open_key_file_is_closed_and_told() {
    let project = Project::with_ca(SERVER);
    let open = fs::Permissions::from_mode(0o644);
    fs::set_permissions(project.path("pki/ca.key"), open).unwrap();
    assert_snapshot!(project.run("init").ok().stderr, @"warning: others than its owner could read pki/ca.key (mode 0644), which is mended; make a new CA if others have had a look");
    assert!(project.tree().contains("pki/ca.key 0600"));
    assert_eq!(project.run("init").ok().stderr, "");
}

#[test]
fn modes_do_not_depend_on_the_umask() {
    let trees = ["077", "022", "000"].map(|umask| {
        let project = Project::empty();
        project.start(umask, "init").ok();
        project.start(umask, "issue server").ok();
        project.tree()
    });
    assert_snapshot!(trees[0], @r"
    pki/.gitignore 0644
    pki/.grpc-pki/lock 0600
    pki/ca.crt 0644
    pki/ca.key 0600
    pki/issued.jsonl 0644
    pki/server.crt 0644
    pki/server.key 0600
    ");
    assert_eq!(trees[0], trees[1]);
    assert_eq!(trees[1], trees[2]);
}

#[test]
fn files_of_the_user_stay() {
    let project = Project::new(SERVER);
    fs::create_dir(project.path("pki")).unwrap();
    project.write("pki/.gitignore", "*\n");
    project.run("init").ok();
    assert_eq!(project.read("certs.toml"), SERVER);
    assert_eq!(project.read("pki/.gitignore"), "*\n");
}

#[test]
fn what_was_signed_is_written_down() {
    let project = Project::foreseeable(SERVER);
    project.run("init").ok();
    assert_snapshot!(project.read("pki/issued.jsonl"), @r#"{"name":"ca","serial":"4000000000000000000000000000000000000001","subject":"CN=my-ca","issuer":"CN=my-ca","profile":"ca","names":[],"not_before":"2025-12-31T23:55:00Z","not_after":"2036-01-01T00:00:00Z","sha256":"3b47da71301d02b01167c207b50c61407c11b33e21435991af7c5d22060a10c6"}"#);
}

#[test]
fn scripts_get_one_document() {
    let project = Project::foreseeable(SERVER);
    let document = project.run("init --format json").ok().json();
    assert_snapshot!(serde_json::to_string_pretty(&document).unwrap(), @r#"
    {
      "ca": {
        "certificate": "pki/ca.crt",
        "created": true,
        "encrypted": false,
        "ephemeral": false,
        "key": "pki/ca.key",
        "not_after": "2036-01-01T00:00:00Z",
        "not_before": "2025-12-31T23:55:00Z",
        "serial": "4000000000000000000000000000000000000001",
        "sha256": "3b47da71301d02b01167c207b50c61407c11b33e21435991af7c5d22060a10c6",
        "subject": "CN=my-ca"
      },
      "changed": true,
      "command": "init",
      "exit_code": 0,
      "ok": true,
      "schema": 1,
      "starter": null,
      "warnings": []
    }
    "#);

    project.remove("pki/ca.key");
    let document = project.run("init --format json").exits(2).json();
    assert_snapshot!(serde_json::to_string_pretty(&document).unwrap(), @r#"
    {
      "command": "init",
      "error": {
        "causes": [],
        "hint": "restore pki/ca.key from a backup; a CA is never replaced, and a new one needs another folder (`--pki`)",
        "message": "pki/ca.crt is there, but pki/ca.key is missing",
        "problems": []
      },
      "exit_code": 2,
      "ok": false,
      "schema": 1
    }
    "#);
}
