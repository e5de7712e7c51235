//! `grpc-pki issue`: the plan, and that exactly the plan is carried out.

use insta::assert_snapshot;

use crate::support::{Project, SERVER};

mod reason;
mod renewal;

/// One certificate of each profile.
const THREE: &str = r#"
[dn]
C = "US"
O = "MyOrganization"
CN = "my-server"

[alt_names]
DNS.1 = "my-server"
DNS.2 = "localhost"

[certs.orders]
profile = "peer"
alt_names = { DNS = ["orders"], IP = ["10.0.0.7"], URI = ["spiffe://example.internal/orders"] }

[certs.alice]
profile = "client"
"#;

#[test]
fn every_profile_is_issued() {
    let project = Project::with_ca(THREE);
    assert_snapshot!(project.run("issue"), @r"
    issued server (server): pki/server.crt, pki/server.key, until 2027-01-01
      for  my-server, localhost
      why  there is no certificate yet
    issued orders (peer): pki/orders.crt, pki/orders.key, until 2027-01-01
      for  orders, 10.0.0.7, spiffe://example.internal/orders
      why  there is no certificate yet
    issued alice (client): pki/alice.crt, pki/alice.key, until 2027-01-01
      why  there is no certificate yet
    the server loads pki/server.crt and pki/server.key; clients trust pki/ca.crt
    next: grpc-pki serve, and in another terminal: grpc-pki verify localhost:50051
    --- exit 0
    ");
    assert_snapshot!(project.tree(), @r"
    pki/.gitignore 0644
    pki/.grpc-pki/lock 0600
    pki/alice.crt 0644
    pki/alice.key 0600
    pki/ca.crt 0644
    pki/ca.key 0600
    pki/issued.jsonl 0644
    pki/orders.crt 0644
    pki/orders.key 0600
    pki/server.crt 0644
    pki/server.key 0600
    ");
}

#[test]
fn a_second_run_writes_nothing_and_says_so() {
    let project = Project::issued(THREE);
    let before = project.state();
    assert_snapshot!(project.run("issue"), @r"
    nothing to do: 3 certificates are current, the next expires in 365 days
    --- exit 0
    ");
    assert_snapshot!(project.run("issue server"), @r"
    nothing to do: 1 certificate is current, it expires in 365 days
    --- exit 0
    ");
    assert_snapshot!(project.run("issue --check"), @r"
    nothing to do: 3 certificates are current, the next expires in 365 days
    --- exit 0
    ");
    assert_eq!(project.state(), before);

    project.write("certs.toml", THREE.replace("localhost", "elsewhere"));
    project.run("issue").ok();
    assert_ne!(project.state_of("pki"), before);
}

#[test]
fn a_dry_run_writes_nothing() {
    let project = Project::with_ca(THREE);
    let before = project.state();
    assert_snapshot!(project.run("issue server --dry-run"), @r"
    would issue server (server): pki/server.crt, pki/server.key, until 2027-01-01
      for  my-server, localhost
      why  there is no certificate yet
    1 certificate to issue; nothing was written
    --- exit 0
    ");
    assert_eq!(project.state(), before);
}

#[test]
fn check_answers_with_its_exit_code_and_writes_nothing() {
    let project = Project::with_ca(SERVER);
    let before = project.state();
    assert_snapshot!(project.run("issue --check"), @r"
    would issue server (server): pki/server.crt, pki/server.key, until 2027-01-01
      for  localhost
      why  there is no certificate yet
    1 certificate to issue; nothing was written
    --- exit 1
    ");
    assert_eq!(project.state(), before);
    assert_snapshot!(project.run("issue --check --quiet"), @"--- exit 1");

    project.run("issue").ok();
    assert_snapshot!(project.run("issue --check"), @r"
    nothing to do: 1 certificate is current, it expires in 365 days
    --- exit 0
    ");
}

#[test]
fn a_plan_is_no_reason_to_make_a_folder() {
    let project = Project::new(SERVER);
    project.run("issue --dry-run").exits(2);
    project.run("issue --check").exits(2);
    assert_eq!(project.state().len(), 1);
}

#[test]
fn the_numbered_form_and_lists_are_the_same() {
    let lists = "[alt_names]\nDNS = [\"a.test\", \"b.test\"]\nIP = \"10.0.0.1\"\n";
    let project = Project::issued(lists);
    let numbered = "[alt_names]\nDNS.1 = \"a.test\"\nDNS.2 = \"b.test\"\nIP.1 = \"10.0.0.1\"\n";
    project.write("certs.toml", numbered);
    project.run("issue --check").ok();

    project.write("certs.toml", numbered.replace("b.test", "c.test"));
    project.run("issue --check").exits(1);
}

#[test]
fn only_what_is_named_is_made() {
    let project = Project::with_ca(THREE);
    let ran = project.run("issue alice").ok();
    assert_snapshot!(ran, @r"
    issued alice (client): pki/alice.crt, pki/alice.key, until 2027-01-01
      why  there is no certificate yet
    --- exit 0
    ");
    assert!(project.path("pki/alice.crt").exists());
    assert!(!project.path("pki/server.crt").exists());

    let server = project.run("issue server").ok();
    assert!(server.stdout.starts_with("issued server"), "{server}");
}

#[test]
fn an_unknown_name_is_told_with_the_nearest() {
    let project = Project::with_ca(THREE);
    let before = project.state();
    assert_snapshot!(project.run("issue server order"), @r"
    --- stderr
    error: certs.toml has no certificate `order`
    hint: did you mean `orders`?
    --- exit 2
    ");
    assert_snapshot!(project.run("issue payments"), @r"
    --- stderr
    error: certs.toml has no certificate `payments`
    hint: add [certs.payments] to certs.toml
    --- exit 2
    ");
    assert_eq!(project.state(), before);
}

#[test]
fn force_makes_a_new_key_although_the_old_is_good() {
    let project = Project::issued(THREE);
    let (key, other) = (
        project.read("pki/alice.key"),
        project.read("pki/orders.key"),
    );
    assert_snapshot!(project.run("issue alice --force"), @r"
    issued alice (client): pki/alice.crt, pki/alice.key, until 2027-01-01
      why  asked for with --force
    --- exit 0
    ");
    assert_ne!(project.read("pki/alice.key"), key);
    assert_eq!(project.read("pki/orders.key"), other);
    project.run("issue --check").ok();
}

#[test]
fn without_a_ca_it_says_init() {
    let project = Project::new(SERVER);
    assert_snapshot!(project.run("issue"), @r"
    --- stderr
    error: there is no CA in pki
    hint: run `grpc-pki init` first
    --- exit 2
    ");
    assert_eq!(project.state().len(), 1);
}

#[test]
fn without_certificates_there_is_nothing_to_do() {
    let project = Project::with_ca("[dn]\nCN = \"no names, no certificate\"\n");
    assert_snapshot!(project.run("issue"), @r"
    nothing to do: certs.toml names no certificate
    --- exit 0
    ");
}

#[test]
fn what_c_core_clients_refuse_is_told_each_time() {
    let project = Project::with_ca(&format!("[defaults]\nkey = \"ed25519\"\n{SERVER}"));
    assert_snapshot!(project.run("issue").stderr, @"warning: `server` has a key of type ed25519: Python, C++, Ruby and PHP clients refuse it (use ecdsa-p256 for them)");
    assert!(project.run("issue").ok().stderr.contains("ed25519"));

    let project = Project::issued(SERVER);
    assert_eq!(project.run("issue").stderr, "");
}

#[test]
fn what_was_signed_is_written_down() {
    let project = Project::foreseeable(THREE);
    project.run("init").ok();
    project.run("issue").ok();
    assert_snapshot!(project.read("pki/issued.jsonl").lines().nth(2).unwrap(), @r#"{"name":"orders","serial":"4000000000000000000000000000000000000003","subject":"C=US, O=MyOrganization, CN=orders","issuer":"CN=my-ca","profile":"peer","names":["DNS:orders","IP:10.0.0.7","URI:spiffe://example.internal/orders"],"not_before":"2025-12-31T23:55:00Z","not_after":"2027-01-01T00:00:00Z","sha256":"6b61e9bd82087b637fef165868c60cf44aeb6651d5dc4fa2203d4b7f6e38e483"}"#);
    project.run("issue alice --force").ok();
    let log = project.read("pki/issued.jsonl");
    let names = log.lines().map(|line| line.split('"').nth(3).unwrap());
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["ca", "server", "orders", "alice", "alice"]
    );
}

#[test]
fn a_long_list_is_cut_unless_asked_for() {
    let entry = |number| format!("[certs.c{number}]\nprofile = \"client\"\n");
    let project = Project::with_ca(&(0..25).map(entry).collect::<String>());
    let plan = project.run("issue --dry-run").ok().stdout;
    assert_eq!(plan.lines().nth(40), Some("… and 5 more (-v lists them)"));
    let plan = project.run("issue --dry-run -v").ok().stdout;
    assert_eq!(
        plan.lines().last(),
        Some("25 certificates to issue; nothing was written")
    );
    assert!(plan.contains("would issue c24"));
}

#[test]
fn scripts_get_one_document() {
    let project = Project::foreseeable(SERVER);
    project.run("init").ok();
    let plan = project.run("issue --check --format json").exits(1).json();
    assert_snapshot!(serde_json::to_string_pretty(&plan).unwrap(), @r#"
    {
      "changed": false,
      "command": "issue",
      "exit_code": 1,
      "ok": false,
      "schema": 1,
      "steps": [
        {
          "action": "issue",
          "certificate": "pki/server.crt",
          "key": "pki/server.key",
          "name": "server",
          "names": [
            "DNS:localhost"
          ],
          "not_after": "2027-01-01T00:00:00Z",
          "profile": "server",
          "reasons": [
            {
              "code": "certificate_missing",
              "message": "there is no certificate yet"
            }
          ]
        }
      ],
      "to_issue": 1,
      "warnings": [
        "`server` has a key of type ed25519: Python, C++, Ruby and PHP clients refuse it (use ecdsa-p256 for them)"
      ]
    }
    "#);
    let done = project.run("issue --format json").ok().json();
    assert_eq!(done["changed"], true);
    assert_eq!(done["to_issue"], 0);
    assert_eq!(
        done["steps"][0]["serial"],
        "4000000000000000000000000000000000000002"
    );
    let current = project.run("issue --format json").ok().json();
    assert_eq!(current["changed"], false);
    assert_eq!(current["steps"][0]["action"], "keep");
}

#[test]
fn no_private_key_is_ever_printed() {
    let project = Project::issued(THREE);
    let secrets = project.secrets();
    assert_eq!(secrets.len(), 4 * 3);
    for args in [
        "issue --force -v",
        "issue --format json",
        "init --format json",
        "issue",
    ] {
        // `run` looks for every key in both streams.
        project.run(args).ok();
    }
    for secret in secrets.into_iter().chain(project.secrets()) {
        assert!(!project.read("pki/issued.jsonl").contains(&secret));
    }
    let key = project.read("pki/server.key");
    assert!(project.secrets().iter().any(|secret| key.contains(secret)));
}
