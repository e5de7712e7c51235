//! Mistakes in certs.toml: every message with its place, all at once, and nothing on disk changed.

use std::fs;

use insta::assert_snapshot;

use crate::support::{Project, SERVER};

mod entries;
mod names;

/// What `issue` says about this certs.toml; the twin of each is a run on which it says nothing.
#[track_caller]
fn told(config: impl AsRef<[u8]>) -> String {
    let project = Project::issued(SERVER);
    fs::write(project.path("certs.toml"), config).unwrap();
    let before = project.state();
    let ran = project.run("issue").exits(2);
    project.run("init").exits(2);
    project.run("issue --check").exits(2);
    assert_eq!(project.state(), before);
    assert_eq!(ran.stdout, "");
    let end = "\n1 problem in certs.toml; nothing was changed\n";
    ran.stderr
        .strip_suffix(end)
        .unwrap_or(&ran.stderr)
        .to_owned()
}

/// Demands that nothing is wrong with it.
#[track_caller]
fn fine(config: impl AsRef<[u8]>) {
    let project = Project::with_ca("");
    fs::write(project.path("certs.toml"), config).unwrap();
    project.run("issue --dry-run").ok();
}

#[test]
fn what_is_no_toml() {
    assert_snapshot!(told("[ca\n"), @r"
    error: certs.toml:1:4: unclosed table, expected `]`
     1 | [ca
       |    ^
    ");
    assert_snapshot!(told("[dn]\nO = Org\n"), @r"
    error: certs.toml:2:5: string values must be quoted, expected literal string
     2 | O = Org
       |     ^^^
    ");
    assert_snapshot!(told("[dn]\nO = \"a\"\nO = \"b\"\n"), @r#"
    error: certs.toml:3:1: duplicate key
     3 | O = "b"
       | ^
    "#);
    assert_snapshot!(told("[dn]\nO = \"a\n"), @r#"
    error: certs.toml:2:7: invalid basic string, expected `"`
     2 | O = "a
       |       ^
    "#);
}

#[test]
fn unknown_keys() {
    assert_snapshot!(told("[altnames]\nDNS = \"a\"\n"), @r"
    error: certs.toml:1:2: unknown key `altnames`
     1 | [altnames]
       |  ^^^^^^^^
    hint: did you mean `alt_names`?
    ");
    assert_snapshot!(told("[something]\n"), @r"
    error: certs.toml:1:2: unknown key `something`
     1 | [something]
       |  ^^^^^^^^^
    hint: the keys here are address, ca, defaults, dn, alt_names, certs
    ");
    assert_snapshot!(told("[ca]\nvalidfor = \"1y\"\n"), @r#"
    error: certs.toml:2:1: unknown key `validfor`
     2 | validfor = "1y"
       | ^^^^^^^^
    hint: did you mean `valid_for`?
    "#);
    assert_snapshot!(told("[defaults]\nprofile = \"server\"\n"), @r#"
    error: certs.toml:2:1: unknown key `profile`
     2 | profile = "server"
       | ^^^^^^^
    hint: the keys here are key, valid_for, renew_before
    "#);
    assert_snapshot!(told("[certs.a]\nprofile = \"client\"\nsan = \"a\"\n"), @r#"
    error: certs.toml:3:1: unknown key `san`
     3 | san = "a"
       | ^^^
    hint: the keys here are profile, address, dn, alt_names, key, valid_for, renew_before
    "#);
}

#[test]
fn values_of_another_type() {
    assert_snapshot!(told("ca = 1\n"), @r"
    error: certs.toml:1:6: expected a table, found an integer
     1 | ca = 1
       |      ^
    ");
    assert_snapshot!(told("certs = [\"a\"]\n"), @r#"
    error: certs.toml:1:9: expected a table, found a list
     1 | certs = ["a"]
       |         ^^^^^
    "#);
    assert_snapshot!(told("[certs]\na = \"client\"\n"), @r#"
    error: certs.toml:2:5: expected a table, found a string
     2 | a = "client"
       |     ^^^^^^^^
    "#);
    assert_snapshot!(told("[certs.a]\nprofile = true\n"), @r"
    error: certs.toml:2:11: expected a string, found a boolean
     2 | profile = true
       |           ^^^^
    hint: it is one of server, client, peer
    ");
    assert_snapshot!(told("[defaults]\nvalid_for = 365\n"), @r"
    error: certs.toml:2:13: expected a string, found an integer
     2 | valid_for = 365
       |             ^^^
    hint: write a length of time as `90d`, `12h`, `6mo` or `1y`
    ");
    assert_snapshot!(told("[dn]\nO = 1.5\n"), @r"
    error: certs.toml:2:5: expected a string, found a float
     2 | O = 1.5
       |     ^^^
    hint: write one string, a list of strings, or the numbered form of certificate.conf
    ");
    assert_snapshot!(told("[dn]\nO = [\"a\", 1979-05-27]\n"), @r#"
    error: certs.toml:2:11: expected a string, found a date
     2 | O = ["a", 1979-05-27]
       |           ^^^^^^^^^^
    hint: write one string, a list of strings, or the numbered form of certificate.conf
    "#);
}

#[test]
fn keys_and_profiles_that_do_not_exist() {
    assert_snapshot!(told("[defaults]\nkey = \"ecdsa-p265\"\n"), @r#"
    error: certs.toml:2:7: unknown key type `ecdsa-p265`
     2 | key = "ecdsa-p265"
       |       ^^^^^^^^^^^^
    hint: did you mean `ecdsa-p256`?
    "#);
    assert_snapshot!(told("[ca]\nkey = \"dsa\"\n"), @r#"
    error: certs.toml:2:7: unknown key type `dsa`
     2 | key = "dsa"
       |       ^^^^^
    hint: it is one of ecdsa-p256, ecdsa-p384, rsa-2048, rsa-3072, rsa-4096, ed25519
    "#);
    assert_snapshot!(told("[certs.a]\nprofile = \"sever\"\nalt_names.DNS = \"a\"\n"), @r#"
    error: certs.toml:2:11: unknown profile `sever`
     2 | profile = "sever"
       |           ^^^^^^^
    hint: did you mean `server`?
    "#);
    assert_snapshot!(told("[certs.a]\nalt_names.DNS = \"a\"\n"), @r#"
    error: certs.toml:1:8: `profile` is missing
     1 | [certs.a]
       |        ^
    hint: add profile = "server", "client", or "peer" for a service that also dials others
    "#);
}

#[test]
fn lengths_of_time() {
    assert_snapshot!(told("[ca]\nvalid_for = \"1 fortnight\"\n"), @r#"
    error: certs.toml:2:13: `1 fortnight` is not a length of time
     2 | valid_for = "1 fortnight"
       |             ^^^^^^^^^^^^^
    hint: write a length of time as `90d`, `12h`, `6mo` or `1y`
    "#);
    assert_snapshot!(told("[defaults]\nvalid_for = \"0d\"\n"), @r#"
    error: certs.toml:2:13: `0d` is not a length of time above zero
     2 | valid_for = "0d"
       |             ^^^^
    hint: write a length of time as `90d`, `12h`, `6mo` or `1y`
    "#);
    assert_snapshot!(told("[defaults]\nvalid_for = \"9000y\"\n"), @r#"
    error: certs.toml:2:13: `9000y` reaches beyond the year 9999
     2 | valid_for = "9000y"
       |             ^^^^^^^
    hint: write a length of time as `90d`, `12h`, `6mo` or `1y`
    "#);
    assert_snapshot!(told("[defaults]\nvalid_for = \"30d\"\nrenew_before = \"30d\"\n"), @r#"
    error: certs.toml:3:1: renew_before (30d) is not shorter than valid_for (30d), so every run would renew
     3 | renew_before = "30d"
       | ^^^^^^^^^^^^
    "#);
    assert_snapshot!(told("[defaults]\nrenew_before = \"60d\"\n[certs.a]\nprofile = \"client\"\nvalid_for = \"20d\"\n"), @r#"
    error: certs.toml:5:1: renew_before (60d) is not shorter than valid_for (20d), so every run would renew
     5 | valid_for = "20d"
       | ^^^^^^^^^
    "#);
    fine("[defaults]\nvalid_for = \"30d\"\nrenew_before = \"29d\"\n");
}

#[test]
fn all_problems_are_told_at_once_in_file_order() {
    let config = "[ca]\nkye = \"rsa-2048\"\n\n[dn]\nC = \"usa\"\n\n[alt_names]\nDNS.1 = \"a b\"\n\
                  \tIP.1 = \"10.0.0.1\"\n\tIP.2 = \"10.0.0.300\"\n\n[certs.orders]\nprofile = \"per\"\n";
    assert_snapshot!(told(config), @r#"
    error: certs.toml:2:1: unknown key `kye`
     2 | kye = "rsa-2048"
       | ^^^
    hint: did you mean `key`?

    error: certs.toml:5:5: `C` takes the two capital letters of a country, not `usa`
     5 | C = "usa"
       |     ^^^^^

    error: certs.toml:8:9: `a b` is not a DNS name: it has the character ' '
     8 | DNS.1 = "a b"
       |         ^^^^^

    error: certs.toml:10:9: `10.0.0.300` is not an IP address
     10 | 	IP.2 = "10.0.0.300"
        | 	       ^^^^^^^^^^^^

    error: certs.toml:13:11: unknown profile `per`
     13 | profile = "per"
        |           ^^^^^
    hint: did you mean `peer`?

    5 problems in certs.toml; nothing was changed
    "#);
}

#[test]
fn a_problem_is_told_once_although_every_certificate_inherits_it() {
    let certs = "[certs.a]\nprofile = \"client\"\n[certs.b]\nprofile = \"client\"\n";
    assert_snapshot!(told(format!("[dn]\nC = \"usa\"\n{certs}")), @r#"
    error: certs.toml:2:5: `C` takes the two capital letters of a country, not `usa`
     2 | C = "usa"
       |     ^^^^^
    "#);
}

#[test]
fn lines_are_counted_as_an_editor_does() {
    assert_snapshot!(told("\u{feff}[dn]\r\nO = \"ü\"\r\nC = \"usa\"\r\n"), @r#"
    error: certs.toml:3:5: `C` takes the two capital letters of a country, not `usa`
     3 | C = "usa"
       |     ^^^^^
    "#);
    assert_snapshot!(told("[dn]\nO = \"ü\"\n\tC = \"usa\" # tab\n"), @r#"
    error: certs.toml:3:6: `C` takes the two capital letters of a country, not `usa`
     3 | 	C = "usa" # tab
       | 	    ^^^^^
    "#);
    assert_snapshot!(told("\u{feff}C = 1\n"), @r"
    error: certs.toml:1:1: unknown key `C`
     1 | C = 1
       | ^
    hint: did you mean `ca`?
    ");
    fine(format!("\u{feff}{}", SERVER.replace('\n', "\r\n")));
}

#[test]
fn what_is_not_utf_8() {
    assert_snapshot!(told(b"[dn]\nO = \"M\xfcller\"\n"), @r#"
    error: certs.toml:2:7: the file is not UTF-8 from here on
     2 | O = "M�
       |       ^
    hint: save it as UTF-8
    "#);
    assert_snapshot!(told(b"\xff\xfe[\0d\0n\0]\0"), @r"
    error: certs.toml:1:1: the file is not UTF-8 from here on
     1 | �
       | ^
    hint: save it as UTF-8
    ");
}

#[test]
fn a_file_that_is_too_large_or_missing() {
    assert_snapshot!(told("#".repeat((1 << 20) + 1)), @"error: certs.toml is larger than 1 MiB");
    fine("#".repeat(1 << 20));

    let project = Project::empty();
    assert_snapshot!(project.start("022", "issue"), @r"
    --- stderr
    error: certs.toml does not exist
    hint: `grpc-pki init` writes a commented one to start from
    --- exit 2
    ");
    assert_snapshot!(project.start("022", "issue --config other.toml"), @r"
    --- stderr
    error: other.toml does not exist
    hint: `grpc-pki init --config other.toml` writes a commented one to start from
    --- exit 2
    ");
    assert!(project.state().is_empty());
}

#[test]
fn scripts_get_the_problems_with_their_places() {
    let project = Project::new("[dn]\nC = \"usa\"\n");
    let document = project.run("issue --format json").exits(2).json();
    assert_snapshot!(serde_json::to_string_pretty(&document["error"]).unwrap(), @r#"
    {
      "causes": [],
      "hint": null,
      "message": "certs.toml has 1 problem",
      "problems": [
        {
          "column": 5,
          "length": 5,
          "line": 2,
          "message": "`C` takes the two capital letters of a country, not `usa`",
          "source": "C = \"usa\""
        }
      ]
    }
    "#);
}
