//! When a certificate is renewed, and how it ends with its CA.

use insta::assert_snapshot;

use crate::support::{Project, SERVER};

/// Reasons of a dry run, so many days after the certificates were issued.
fn why_after(config: &str, days: i64) -> String {
    let plan = Project::issued(config)
        .later(days)
        .run("issue --dry-run")
        .ok();
    let reasons = plan
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("  why  "));
    reasons.collect::<Vec<_>>().join("\n")
}

fn lasting(settings: &str) -> String {
    format!("[defaults]\n{settings}\n{SERVER}")
}

#[test]
fn renewal_is_due_30_days_before_the_end() {
    assert_eq!(why_after(SERVER, 334), "");
    assert_snapshot!(why_after(SERVER, 335), @"it is due for renewal: 30 days left, until 2027-01-01");
}

#[test]
fn renew_before_decides() {
    let config = lasting("valid_for = \"100d\"\nrenew_before = \"10d\"");
    assert_eq!(why_after(&config, 89), "");
    assert_snapshot!(why_after(&config, 90), @"it is due for renewal: 10 days left, until 2026-04-11");
}

#[test]
fn a_short_life_is_renewed_in_its_last_third() {
    let config = lasting("valid_for = \"30d\"");
    assert_eq!(why_after(&config, 19), "");
    assert_snapshot!(why_after(&config, 20), @"it is due for renewal: 10 days left, until 2026-01-31");
}

#[test]
fn what_has_expired_is_made_anew() {
    assert_eq!(
        why_after(SERVER, 364),
        "it is due for renewal: 24 hours left, until 2027-01-01"
    );
    assert_snapshot!(why_after(SERVER, 400), @"it expired on 2027-01-01 (35 days ago)");
}

#[test]
fn what_is_not_yet_valid_is_made_anew() {
    // A clock that ran ahead when the certificate was issued.
    let project = Project::with_ca(SERVER).later(10);
    project.run("issue").ok();
    let plan = project.later(-10).run("issue --dry-run").ok().stdout;
    assert_snapshot!(plan.lines().nth(2).unwrap(), @"  why  it is valid only from 2026-01-10");
}

#[test]
fn a_renewed_certificate_is_current() {
    let project = Project::issued(SERVER).later(340);
    assert_snapshot!(project.run("issue"), @r"
    issued server (server): pki/server.crt, pki/server.key, until 2027-12-07
      for  localhost
      why  it is due for renewal: 25 days left, until 2027-01-01
    the server loads pki/server.crt and pki/server.key; clients trust pki/ca.crt
    next: grpc-pki serve, and in another terminal: grpc-pki verify localhost:50051
    --- exit 0
    ");
    let before = project.state();
    project.run("issue").ok();
    assert_eq!(project.state(), before);
}

#[test]
fn no_certificate_outlives_its_ca() {
    let project = Project::with_ca(&format!("[ca]\nvalid_for = \"90d\"\n{SERVER}"));
    assert_snapshot!(project.run("issue"), @r"
    issued server (server): pki/server.crt, pki/server.key, until 2026-04-01
      for  localhost
      why  there is no certificate yet
    the server loads pki/server.crt and pki/server.key; clients trust pki/ca.crt
    next: grpc-pki serve, and in another terminal: grpc-pki verify localhost:50051
    --- stderr
    warning: `server` ends with its CA on 2026-04-01, sooner than `valid_for` asks for
    --- exit 0
    ");
    let ends = |name: &str| {
        let file = format!("x509 -noout -enddate -in pki/{name}.crt");
        project.openssl(&file).ok().stdout
    };
    assert_eq!(ends("server"), ends("ca"));
    assert_eq!(project.run("issue").ok().stderr, "");
}

#[test]
fn a_certificate_that_ends_with_its_ca_is_not_renewed_forever() {
    let project = Project::issued(&format!("[ca]\nvalid_for = \"90d\"\n{SERVER}")).later(80);
    let before = project.state();
    assert_snapshot!(project.run("issue"), @r"
    nothing to do: 1 certificate is current, it expires in 10 days
    --- stderr
    warning: `server` is due, but the CA itself ends on 2026-04-01, and a new certificate could not last longer
    --- exit 0
    ");
    assert_snapshot!(project.run("issue --check"), @r"
    nothing to do: 1 certificate is current, it expires in 10 days
    --- stderr
    warning: `server` is due, but the CA itself ends on 2026-04-01, and a new certificate could not last longer
    --- exit 0
    ");
    assert_eq!(project.state(), before);
}

#[test]
fn a_damaged_certificate_is_replaced_even_in_the_last_days_of_its_ca() {
    let project = Project::issued(&format!("[ca]\nvalid_for = \"90d\"\n{SERVER}")).later(80);
    project.remove("pki/server.key");
    assert_snapshot!(project.run("issue"), @r"
    issued server (server): pki/server.crt, pki/server.key, until 2026-04-01
      for  localhost
      why  its private key is missing
      why  it is due for renewal: 10 days left, until 2026-04-01
    the server loads pki/server.crt and pki/server.key; clients trust pki/ca.crt
    next: grpc-pki serve, and in another terminal: grpc-pki verify localhost:50051
    --- stderr
    warning: `server` ends with its CA on 2026-04-01, sooner than `valid_for` asks for
    --- exit 0
    ");
    project.run("issue --check").ok();
}
