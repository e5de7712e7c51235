//! Under a CA that another program made, and during a rollover.

use x509_parser::prelude::X509Certificate;

use super::acceptance::as_server;
use super::{identifiers, parse};
use crate::support::{Project, Ran, SERVER};

const CA_USAGE: &str = "-addext keyUsage=critical,keyCertSign,cRLSign";

/// A project whose CA OpenSSL makes with this key and these options.
fn made_by_openssl(key: &str, options: &str) -> Project {
    let project = Project::new(SERVER);
    std::fs::create_dir(project.path("pki")).unwrap();
    let (command, kind) = key.split_once(' ').unwrap();
    let make = format!("{command} -out pki/ca.key {kind}");
    project.openssl(&make).ok();
    let make = format!("req -x509 -key pki/ca.key -out pki/ca.crt -days 3650 {CA_USAGE} {options}");
    project.openssl(&make).ok();
    project.today()
}

fn verify(project: &Project, options: &str) -> Ran {
    let purpose = "-x509_strict -purpose sslserver -verify_hostname localhost";
    project.openssl(&format!("verify {purpose} {options} pki/server.crt"))
}

/// Issues, and holds the chain together: by name, by identifier, by OpenSSL.
fn issue_and_verify(project: &Project) {
    project.run("init").ok();
    project.run("issue").ok();
    let (ca, server) = (project.certificate("ca"), project.certificate("server"));
    let (ca, server): (X509Certificate<'_>, _) = (parse(&ca), parse(&server));
    assert_eq!(server.issuer().as_raw(), ca.subject().as_raw());
    assert_eq!(identifiers(&server).1, identifiers(&ca).0);
    verify(project, "-CAfile pki/ca.crt").ok();
    project.run("issue --check").ok();
}

const P256: &str = "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256";

#[test]
fn a_ca_with_repeated_attributes() {
    issue_and_verify(&made_by_openssl(
        P256,
        "-subj /DC=test/DC=corp/OU=a/OU=b/CN=ca",
    ));
}

#[test]
fn a_ca_with_several_attributes_in_one_part_of_its_name() {
    let project = made_by_openssl(P256, "-multivalue-rdn -subj /DC=test/DC=corp/OU=a+CN=b");
    issue_and_verify(&project);
    let ca = project.certificate("ca");
    assert_eq!(parse(&ca).subject().iter_rdn().count(), 3);
}

#[test]
fn a_ca_with_other_types_of_string_in_its_name() {
    let project = made_by_openssl(P256, "-utf8 -subj /C=DE/O=Bücher/CN=ca");
    issue_and_verify(&project);
}

#[test]
fn a_ca_with_a_key_identifier_of_its_own_making() {
    let project = made_by_openssl(P256, "-subj /CN=ca");
    project.write(
        "conf",
        "[req]\ndistinguished_name=dn\n[dn]\n[v3]\nbasicConstraints=critical,CA:TRUE\n\
         keyUsage=critical,keyCertSign\nsubjectKeyIdentifier=01:02:03\n",
    );
    let make = "req -x509 -key pki/ca.key -out pki/ca.crt -config conf -extensions v3 -subj /CN=ca";
    project.openssl(make).ok();
    let project = project.today();
    issue_and_verify(&project);
    let der = project.certificate("server");
    assert_eq!(identifiers(&parse(&der)).1, [1, 2, 3]);
}

#[test]
fn an_rsa_key_in_pkcs1() {
    let project = made_by_openssl("genrsa -traditional 2048", "-subj /CN=ca");
    assert!(
        project
            .read("pki/ca.key")
            .starts_with("-----BEGIN RSA PRIVATE KEY-----")
    );
    issue_and_verify(&project);
}

#[test]
fn an_ec_key_in_sec1() {
    for curve in ["prime256v1", "secp384r1"] {
        let project = made_by_openssl(&format!("ecparam -genkey -name {curve}"), "-subj /CN=ca");
        let key = project.read("pki/ca.key");
        // With the parameters before it, as `openssl ecparam` writes them.
        assert!(key.starts_with("-----BEGIN EC PARAMETERS-----"), "{curve}");
        assert!(key.contains("-----BEGIN EC PRIVATE KEY-----"));
        issue_and_verify(&project);
    }
}

#[test]
fn a_certificate_of_another_ca_is_no_use_to_it() {
    let project = made_by_openssl(P256, "-subj /CN=ca");
    issue_and_verify(&project);
    let other = made_by_openssl(P256, "-subj /CN=ca");
    project.write("other.crt", other.read("pki/ca.crt"));
    verify(&project, "-CAfile other.crt").exits(2);
}

#[test]
fn an_old_ca_can_sign_the_new_one_that_follows_it() {
    // A rollover: who trusts the old root accepts what the new root signs, through the cross certificate.
    let (old, new) = (Project::new(SERVER).today(), Project::new(SERVER).today());
    for (project, command) in [(&old, "init"), (&new, "init"), (&new, "issue")] {
        project.run(command).ok();
    }
    for (from, to) in [("pki/ca.crt", "old.crt"), ("pki/ca.key", "old.key")] {
        new.write(to, old.read(from));
    }
    new.write(
        "ext",
        "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n\
                      subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
    );
    let identifier = identifiers(&parse(&new.certificate("ca"))).0;
    let hex: String = identifier.iter().map(|it| format!("{it:02x}")).collect();
    new.write("ext", new.read("ext").replace("hash", &hex));
    new.openssl("req -new -key pki/ca.key -subj /CN=my-ca -out csr")
        .ok();
    new.openssl(
        "x509 -req -in csr -CA old.crt -CAkey old.key -days 99 -extfile ext -out cross.crt",
    )
    .ok();
    new.copy("cross.crt", "pki/cross.crt");
    let new = new.today();
    let (server, cross) = (new.certificate("server"), [new.certificate("cross")]);
    let anchor = old.certificate("ca");
    let by_rustls = |through| as_server(&anchor, &server, through, "localhost", new.now);
    assert_eq!(by_rustls(&cross), Ok(()));
    assert!(by_rustls(&[]).is_err());
    verify(&new, "-CAfile old.crt -untrusted cross.crt").ok();
    verify(&new, "-CAfile old.crt").exits(2);
}
