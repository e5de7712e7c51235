//! Subjects and subject alternative names as they are encoded.

use insta::assert_snapshot;

use super::parse;
use crate::support::{Project, SERVER};

/// The subject of the server certificate that this certs.toml makes, in order.
fn subject(config: &str) -> String {
    let project = Project::issued(&format!("{config}\n{SERVER}"));
    let by_openssl = project
        .openssl("x509 -in pki/server.crt -noout -subject")
        .ok()
        .stdout;
    let der = project.certificate("server");
    let subject = parse(&der).subject().to_string();
    assert_eq!(
        by_openssl.trim_end(),
        format!("subject={}", subject.replace('=', " = "))
    );
    subject
}

#[test]
fn attributes_keep_their_order() {
    assert_snapshot!(subject("[dn]\nC = \"US\"\nCN = \"x\"\nO = \"Org\"\n"), @"C=US, CN=x, O=Org");
    assert_snapshot!(subject("[dn]\nO = \"Org\"\ncountryName = \"US\"\ncommonName = \"x\"\n"), @"O=Org, C=US, CN=x");
}

#[test]
fn repeated_attributes_are_all_there() {
    assert_snapshot!(subject("[dn]\nOU = [\"a\", \"b\"]\nO = \"Org\"\n"), @"OU=a, OU=b, O=Org, CN=server");
    assert_snapshot!(subject("[dn]\n0.OU = \"a\"\n1.OU = \"b\"\nDC.1 = \"corp\"\nDC.2 = \"test\"\n"), @"OU=a, OU=b, DC=corp, DC=test, CN=server");
}

#[test]
fn a_subject_without_a_common_name_gets_that_of_the_entry() {
    assert_snapshot!(subject("[dn]\nO = \"Org\"\n"), @"O=Org, CN=server");
    assert_snapshot!(subject(""), @"CN=server");
}

#[test]
fn an_entry_inherits_all_but_the_common_name_and_overrides_in_place() {
    let config =
        "[dn]\nC = \"US\"\nOU = [\"a\", \"b\"]\nCN = \"top\"\n[certs.x]\nprofile = \"client\"\n";
    let subject = |config: &str| {
        let der = Project::issued(config).certificate("x");
        parse(&der).subject().to_string()
    };
    assert_snapshot!(subject(config), @"C=US, OU=a, OU=b, CN=x");
    assert_snapshot!(subject(&format!("{config}dn = {{ OU = \"c\", CN = \"me\" }}\n")), @"C=US, OU=c, CN=me");
}

#[test]
fn a_name_of_characters_beyond_ascii_is_utf_8() {
    let project = Project::issued(&format!(
        "[dn]\nO = \"Bücher & Söhne, \\\"GmbH\\\"\"\n{SERVER}"
    ));
    let ran =
        project.openssl("x509 -in pki/server.crt -noout -subject -nameopt utf8,sep_comma_plus");
    assert_snapshot!(ran.ok().stdout, @r#"subject=O=Bücher & Söhne, "GmbH",CN=server"#);
    project.run("issue --check").ok();
}

#[test]
fn every_kind_of_name_is_encoded() {
    let names = "DNS = [\"*.Example.com\", \"bücher.example\"]\nIP = [\"::1\", \"10.0.0.1\"]\n\
                 URI = \"spiffe://example.internal/orders\"\nemail = \"ops@example.com\"\n";
    let project = Project::issued(&format!("[alt_names]\n{names}"));
    let text = project
        .openssl("x509 -in pki/server.crt -noout -ext subjectAltName")
        .ok();
    assert_snapshot!(text.stdout.lines().nth(1).unwrap().trim(), @"DNS:*.example.com, DNS:xn--bcher-kva.example, IP Address:0:0:0:0:0:0:0:1, IP Address:10.0.0.1, URI:spiffe://example.internal/orders, email:ops@example.com");
    project.run("issue --check").ok();
}
