//! Every reason to make a certificate anew: provoked on real files, printed, and gone after one run.

use std::fs;

use insta::assert_snapshot;

use crate::support::{Project, SERVER};

/// What a dry run gives as reasons. It has to be carried out by one run, and to be gone then.
#[track_caller]
fn why(project: &Project) -> String {
    let before = project.state();
    let plan = project.run("issue --dry-run").ok().stdout;
    assert_eq!(project.state(), before);
    project.run("issue --check").exits(1);
    project.run("issue").ok();
    project.run("issue --check").ok();
    let reasons = plan.lines().filter_map(|line| line.strip_prefix("  why  "));
    reasons.collect::<Vec<_>>().join("\n")
}

/// A project with a server certificate, whose certs.toml then becomes another.
fn changed(config: &str) -> Project {
    let project = Project::issued(SERVER);
    project.write("certs.toml", config);
    project
}

#[test]
fn what_is_missing() {
    let project = Project::with_ca(SERVER);
    assert_snapshot!(why(&project), @"there is no certificate yet");
    project.remove("pki/server.crt");
    assert_snapshot!(why(&project), @"there is no certificate yet");
    project.remove("pki/server.key");
    assert_snapshot!(why(&project), @"its private key is missing");
}

#[test]
fn a_certificate_file_that_holds_something_else() {
    let project = Project::issued(SERVER);
    let pem = project.read("pki/server.crt");
    let damaged = pem.replace("MII", "MIA");
    let der = project.certificate("server");
    let reason = |content: &[u8]| {
        project.write("pki/server.crt", content);
        why(&project)
    };
    assert_snapshot!(reason(b""), @"the certificate file is empty");
    assert_snapshot!(reason(b"hello"), @"the certificate file holds no certificate in PEM form");
    assert_snapshot!(reason(damaged.as_bytes()), @"the certificate file holds a certificate that is damaged");
    assert_snapshot!(reason(&der), @"the certificate file is in DER form; gRPC programs load PEM");
    assert_snapshot!(reason(format!("\u{feff}{pem}").as_bytes()), @"the certificate file starts with a byte order mark, over which some gRPC programs stumble");
    assert_snapshot!(reason(project.read("pki/server.key").as_bytes()), @"the certificate file is a private key, not a certificate");
    assert_snapshot!(reason(pem.replace("CERTIFICATE", "CERTIFICATE REQUEST").as_bytes()), @"the certificate file is a certificate request, not a certificate");
    assert_snapshot!(reason(&vec![b'\n'; (1 << 20) + 1]), @"the certificate file is larger than 1 MiB");
}

#[test]
fn a_key_file_that_holds_something_else() {
    let project = Project::issued(SERVER);
    let key = project.read("pki/server.key");
    project
        .openssl("pkey -in pki/server.key -outform DER -out key.der")
        .ok();
    project
        .openssl("pkey -in pki/server.key -aes128 -passout pass:x -out encrypted")
        .ok();
    let reason = |content: &[u8]| {
        project.write("pki/server.key", content);
        why(&project)
    };
    assert_snapshot!(reason(b""), @"the key file is empty");
    assert_snapshot!(reason(b"hello"), @"the key file holds no private key in PEM form");
    assert_snapshot!(reason(key.replace("MIG", "MIA").as_bytes()), @"the key file holds no intact RSA, P-256, P-384 or Ed25519 private key");
    assert_snapshot!(reason(&fs::read(project.path("key.der")).unwrap()), @"the key file is in DER form; gRPC programs load PEM");
    assert_snapshot!(reason(format!("\u{feff}{key}").as_bytes()), @"the key file starts with a byte order mark, over which some gRPC programs stumble");
    assert_snapshot!(reason(project.read("encrypted").as_bytes()), @"the key file is encrypted with a passphrase");
    assert_snapshot!(reason(project.read("pki/server.crt").as_bytes()), @"the key file holds no private key in PEM form");
    assert_snapshot!(reason(&vec![b'\n'; (1 << 20) + 1]), @"the key file is larger than 1 MiB");
}

#[test]
fn a_key_of_another_certificate() {
    let project = Project::issued(SERVER);
    project.copy("pki/ca.key", "pki/server.key");
    assert_snapshot!(why(&project), @"its private key is another certificate's");
}

#[test]
fn what_stands_around_a_certificate_and_a_key_is_read_over() {
    let project = Project::issued(SERVER);
    for file in ["pki/server.key", "pki/server.crt"] {
        project.write(file, format!("what it is for\r\n{}", project.read(file)));
    }
    project.run("issue --check").ok();
}

#[test]
fn names_that_differ() {
    let with = |names: &str| why(&changed(&format!("[alt_names]\n{names}\n")));
    assert_snapshot!(with("DNS = [\"localhost\", \"a\"]\nIP = \"::1\""), @"certs.toml adds a, ::1");
    assert_snapshot!(with("DNS = \"a\""), @"certs.toml adds a and drops localhost");
    let two = Project::issued("[alt_names]\nDNS = [\"a\", \"b\"]\n");
    two.write("certs.toml", "[alt_names]\nDNS = [\"b\"]\n");
    assert_snapshot!(why(&two), @"certs.toml drops a");
}

#[test]
fn names_in_another_order_do_not_differ() {
    let project = Project::issued("[alt_names]\nDNS = [\"a\", \"b\"]\n");
    project.write("certs.toml", "[alt_names]\nDNS = [\"b\", \"A\"]\n");
    project.run("issue --check").ok();
}

#[test]
fn a_subject_that_differs() {
    let project = changed(&format!("[dn]\nO = \"Org\"\n{SERVER}"));
    assert_snapshot!(why(&project), @"its subject is CN=server, and certs.toml asks for O=Org, CN=server");
    let ordered = |first, second| format!("[dn]\nOU = [\"{first}\", \"{second}\"]\n{SERVER}");
    let project = changed(&ordered("a", "b"));
    project.run("issue").ok();
    project.write("certs.toml", ordered("b", "a"));
    assert_snapshot!(why(&project), @"its subject is OU=a, OU=b, CN=server, and certs.toml asks for OU=b, OU=a, CN=server");
}

#[test]
fn a_profile_that_differs() {
    let config = |profile| format!("[certs.a]\nprofile = \"{profile}\"\nalt_names.DNS = \"a\"\n");
    let project = Project::issued(&config("server"));
    for (profile, reason) in [
        (
            "peer",
            "it is for serverAuth, and certs.toml asks for a peer",
        ),
        (
            "client",
            "it is for serverAuth and clientAuth, and certs.toml asks for a client",
        ),
        (
            "server",
            "it is for clientAuth, and certs.toml asks for a server",
        ),
    ] {
        project.write("certs.toml", config(profile));
        assert_eq!(why(&project), reason);
    }
}

#[test]
fn a_certificate_of_the_ca_itself_in_its_place() {
    let project = Project::issued("[dn]\nCN = \"my-ca\"\n[alt_names]\nDNS = \"a\"\n");
    project.copy("pki/ca.crt", "pki/server.crt");
    project.copy("pki/ca.key", "pki/server.key");
    assert_snapshot!(why(&project), @r"
    certs.toml adds a
    it is for signing certificates, and certs.toml asks for a server
    ");
}

#[test]
fn a_certificate_for_any_purpose() {
    let project = Project::issued(SERVER);
    project.write("ext", "subjectAltName=DNS:localhost\n");
    project
        .openssl("req -new -key pki/server.key -subj /CN=server -out csr")
        .ok();
    let sign = "x509 -req -in csr -CA pki/ca.crt -CAkey pki/ca.key -days 300 -extfile ext";
    project.openssl(&format!("{sign} -out pki/server.crt")).ok();
    assert_snapshot!(why(&project.today()), @"it is for any purpose, and certs.toml asks for a server");
}

#[test]
fn a_type_of_key_that_differs() {
    let project = changed(&format!("[defaults]\nkey = \"rsa-2048\"\n{SERVER}"));
    assert_snapshot!(why(&project), @"its key is ecdsa-p256, and certs.toml asks for rsa-2048");
    project.write("certs.toml", SERVER);
    assert_snapshot!(why(&project), @"its key is rsa-2048, and certs.toml asks for ecdsa-p256");
}

#[test]
fn another_ca() {
    let project = Project::issued(&format!("[ca]\ndn.CN = \"first\"\n{SERVER}"));
    for (ca, reason) in [
        ("second", "it was issued by another CA (CN=first)"),
        ("second", "it was issued by another key of the CA CN=second"),
    ] {
        project.write("certs.toml", format!("[ca]\ndn.CN = \"{ca}\"\n{SERVER}"));
        project.remove("pki/ca.crt");
        project.remove("pki/ca.key");
        project.run("init").ok();
        assert_eq!(why(&project), reason);
    }
}

#[test]
fn several_reasons_are_all_told() {
    let project =
        changed("[defaults]\nkey = \"ecdsa-p384\"\n[dn]\nCN = \"x\"\n[alt_names]\nDNS = \"x\"\n");
    project.copy("pki/ca.key", "pki/server.key");
    assert_snapshot!(why(&project), @r"
    its private key is another certificate's
    its subject is CN=server, and certs.toml asks for CN=x
    certs.toml adds x and drops localhost
    its key is ecdsa-p256, and certs.toml asks for ecdsa-p384
    ");
}
