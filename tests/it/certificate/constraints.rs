//! Name constraints of a CA: critical, and held at issue time, not first by the peers.

use insta::assert_snapshot;

use super::acceptance::as_server;
use super::parse;
use crate::support::{NOW, Project};

const CA: &str = "[ca]\n\
    permitted = { DNS = [\"internal\", \"localhost\"], IP = [\"10.0.0.0/8\"] }\n\
    excluded = { DNS = [\"secret.internal\"], IP = [\"10.9.0.0/16\"] }\n";

fn server(names: &str) -> Project {
    Project::with_ca(&format!("{CA}[alt_names]\n{names}\n"))
}

#[test]
fn they_are_critical_and_as_asked_for() {
    let project = server("DNS = \"a.internal\"");
    let der = project.certificate("ca");
    assert!(parse(&der).name_constraints().unwrap().unwrap().critical);
    let text = project
        .openssl("x509 -in pki/ca.crt -noout -ext nameConstraints")
        .ok();
    assert_snapshot!(text.stdout, @r"
    X509v3 Name Constraints: critical
        Permitted:
          DNS:internal
          DNS:localhost
          IP:10.0.0.0/255.0.0.0
        Excluded:
          DNS:secret.internal
          IP:10.9.0.0/255.255.0.0
    ");
}

#[test]
fn names_within_are_issued_and_accepted() {
    let project = server("DNS = [\"a.internal\", \"localhost\"]\nIP = \"10.1.2.3\"");
    project.run("issue").ok();
    let (ca, server) = (project.certificate("ca"), project.certificate("server"));
    for host in ["a.internal", "localhost", "10.1.2.3"] {
        assert_eq!(as_server(&ca, &server, &[], host, NOW), Ok(()), "{host}");
    }
    let time = NOW.unix_timestamp();
    let verify = "verify -x509_strict -purpose sslserver -verify_hostname localhost";
    project
        .openssl(&format!(
            "{verify} -attime {time} -CAfile pki/ca.crt pki/server.crt"
        ))
        .ok();
}

#[test]
fn names_outside_are_refused_and_nothing_is_written() {
    for names in [
        "DNS = \"example.com\"",
        "DNS = \"notinternal\"",
        "DNS = \"a.secret.internal\"",
        "IP = \"127.0.0.1\"",
        "IP = \"10.9.1.1\"",
    ] {
        let project = server(names);
        let before = project.state();
        let ran = project.run("issue").exits(2);
        let name = names.split('"').nth(1).unwrap();
        let expected = format!("error: the CA may not certify `{name}` (certificate `server`)\n");
        assert!(ran.stderr.starts_with(&expected), "{ran}");
        assert_eq!(project.state(), before);
    }
}

#[test]
fn all_names_outside_are_told() {
    let project = server("DNS = [\"a.internal\", \"b.test\", \"c.test\"]\nIP = \"::1\"");
    assert_snapshot!(project.run("issue"), @r"
    --- stderr
    error: the CA may not certify `b.test`, `c.test`, `::1` (certificate `server`)
    hint: the CA's name constraints (`permitted` and `excluded` of [ca] at `init`) leave these names out, and every peer would refuse them
    --- exit 2
    ");
}

#[test]
fn a_common_name_that_openssl_takes_for_a_host_is_held_too() {
    let project = Project::with_ca(&format!(
        "{CA}[certs.a]\nprofile = \"client\"\ndn.CN = \"a.test\"\n"
    ));
    assert_snapshot!(project.run("issue").exits(2).stderr, @r"
    error: the CA may not certify `a.test` (certificate `a`)
    hint: the CA's name constraints (`permitted` and `excluded` of [ca] at `init`) leave these names out, and every peer would refuse them
    ");
    let plain = Project::with_ca(&format!("{CA}[certs.a]\nprofile = \"client\"\n"));
    plain.run("issue").ok();
}

/// A peer may send a network of any length; one that is none is left aside.
#[test]
fn networks_that_are_none_are_read_as_none() {
    let networks = |octets: &[u8]| {
        let length = |more: usize| u8::try_from(octets.len() + more).unwrap();
        let head = [0x30, length(6), 0xa0, length(4), 0x30, length(2)];
        let content = [&head[..], &[0x87, length(0)], octets].concat();
        let mut params = rcgen::CertificateParams::default();
        let extension = rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 30], content);
        params.custom_extensions = vec![extension];
        let key = rcgen::KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().clone();
        let read = grpc_pki::pki::Certificate::from_der(der).unwrap();
        let networks = read.name_constraints.unwrap().permitted_ip;
        networks.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(networks(&[10, 0, 0, 0, 255, 0, 0, 0]), ["10.0.0.0/8"]);
    for length in [0, 7, 9, 64, 100] {
        assert_eq!(networks(&vec![255; length]), [""; 0], "{length}");
    }
}
