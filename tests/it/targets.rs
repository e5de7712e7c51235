//! Targets that are none: all of them are told, with what was understood, and the command line to type instead.

use insta::assert_snapshot;

use crate::support::Project;

/// The name of the folder is that of a test run.
fn told(args: &str) -> String {
    let project = Project::empty();
    let ran = project.start("022", &format!("verify {args}")).exits(2);
    assert_eq!(ran.stdout, "");
    ran.stderr
}

#[test]
fn a_target_without_a_port() {
    assert_snapshot!(told("localhost"), @r"
    error: `localhost` names no port
      understood: host localhost, port none, name to check localhost
    hint: `grpc-pki verify localhost:50051`
    ");
    assert_snapshot!(told("::1 --client client"), @r"
    error: `::1` names no port
      understood: host ::1, port none, name to check ::1
    hint: `grpc-pki verify [::1]:50051 --client client`
    ");
}

#[test]
fn a_target_as_an_address_of_the_web() {
    assert_snapshot!(told("http://localhost:50051/health --ca ca.pem"), @r"
    error: `http://localhost:50051/health` is no TLS target
      understood: host localhost, port 50051, name to check localhost
    hint: `grpc-pki verify localhost:50051 --ca ca.pem`
    ");
    assert_snapshot!(told("https://example.com --server-name orders"), @r"
    error: `https://example.com` names no port
      understood: host example.com, port none, name to check orders
    hint: `grpc-pki verify example.com:443 --server-name orders`
    ");
    assert_snapshot!(told("grpc://orders"), @r"
    error: `grpc://orders` is no TLS target
      understood: host orders, port none, name to check orders
    hint: `grpc-pki verify orders:50051`
    ");
}

#[test]
fn an_address_to_listen_on() {
    assert_snapshot!(told("0.0.0.0:50051 --cert c.crt --key 'c d.key' --deep"), @r"
    error: `0.0.0.0:50051` is where a server listens, on every interface; a client dials one address
      understood: host 0.0.0.0, port 50051, name to check 0.0.0.0
    hint: `grpc-pki verify localhost:50051 --cert c.crt --key 'c d.key' --deep`
    ");
}

#[test]
fn several_are_all_told_and_those_that_are_right_stay() {
    assert_snapshot!(told("localhost a:50051 dns:///b:443 --pki other"), @r"
    error: `localhost` names no port
      understood: host localhost, port none, name to check localhost
    error: `dns:///b:443` is no TLS target
      understood: host b, port 443, name to check b
    hint: `grpc-pki verify localhost:50051 a:50051 b:443 --pki other`
    ");
}

#[test]
fn what_nobody_can_guess_has_no_command() {
    assert_snapshot!(told("localhost 'a b:1'"), @r"
    error: `localhost` names no port
      understood: host localhost, port none, name to check localhost
    error: `a b` is neither a DNS name nor an IP address
    hint: write HOST:PORT, such as localhost:50051 or [::1]:50051
    ");
    assert_snapshot!(told("unix:"), @r"
    error: `unix:` names no Unix socket
    hint: write unix:/path/to/socket, or unix:socket in this folder
    ");
}

#[test]
fn scripts_get_one_document() {
    let ran = Project::empty().start("022", "verify a b:1/x --format json");
    let document = ran.exits(2).json();
    assert_snapshot!(serde_json::to_string_pretty(&document["error"]).unwrap(), @r#"
    {
      "causes": [],
      "hint": "`grpc-pki verify a:50051 b:1`",
      "message": "`a` names no port; `b:1/x` has a path; a server is HOST:PORT",
      "problems": []
    }
    "#);
}
