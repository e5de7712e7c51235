//! Mistakes in subjects, in the names of certificates, and in the constraints of a CA.

use insta::assert_snapshot;

use super::{fine, told};
use crate::support::SERVER;

#[test]
fn attributes_of_a_subject() {
    let told = |line: &str| told(format!("[dn]\n{line}\n"));
    assert_snapshot!(told("commonNam = \"x\""), @r#"
    error: certs.toml:2:1: unknown attribute `commonNam`
     2 | commonNam = "x"
       | ^^^^^^^^^
    hint: did you mean `commonName`?
    "#);
    assert_snapshot!(told("favouriteDrink = \"x\""), @r#"
    error: certs.toml:2:1: unknown attribute `favouriteDrink`
     2 | favouriteDrink = "x"
       | ^^^^^^^^^^^^^^
    hint: known are C, ST, L, O, OU, CN, street, postalCode, serialNumber, title, SN, GN, organizationIdentifier, emailAddress, DC, UID
    "#);
    assert_snapshot!(told("C = \"usa\""), @r#"
    error: certs.toml:2:5: `C` takes the two capital letters of a country, not `usa`
     2 | C = "usa"
       |     ^^^^^
    "#);
    assert_snapshot!(told("O = \"\""), @r#"
    error: certs.toml:2:5: `O` is empty
     2 | O = ""
       |     ^^
    "#);
    assert_snapshot!(told(&format!("CN = \"{}\"", "x".repeat(65))), @r#"
    error: certs.toml:2:6: `CN` has 65 characters, and RFC 5280 allows 64
     2 | CN = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
       |      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
    assert_snapshot!(told("O = \"a\\u0007b\""), @r#"
    error: certs.toml:2:5: `O` cannot hold the character '\u{7}'
     2 | O = "a\u0007b"
       |     ^^^^^^^^^^
    "#);
    assert_snapshot!(told("emailAddress = \"jürgen@example.com\""), @r#"
    error: certs.toml:2:16: `emailAddress` cannot hold the character 'ü'
     2 | emailAddress = "jürgen@example.com"
       |                ^^^^^^^^^^^^^^^^^^^^
    "#);
    assert_snapshot!(told("OU = { first = \"a\" }"), @r#"
    error: certs.toml:2:8: expected a number such as `1`, found `first`
     2 | OU = { first = "a" }
       |        ^^^^^
    "#);
    fine("[dn]\nC = \"US\"\nemailAddress = \"a@example.com\"\n");
}

#[test]
fn names_of_certificates() {
    let told = |name: &str| told(format!("[certs.{name}]\nprofile = \"client\"\n"));
    assert_snapshot!(told("\"\""), @r#"
    error: certs.toml:1:8: a certificate's name has 1 to 64 characters
     1 | [certs.""]
       |        ^^
    "#);
    assert_snapshot!(told("\"../evil\""), @r#"
    error: certs.toml:1:8: a certificate's name is a file name of letters, digits, `.`, `_` and `-`, not '/'
     1 | [certs."../evil"]
       |        ^^^^^^^^^
    "#);
    assert_snapshot!(told("\".hidden\""), @r#"
    error: certs.toml:1:8: a certificate's name starts with a letter, a digit or `_`
     1 | [certs.".hidden"]
       |        ^^^^^^^^^
    "#);
    assert_snapshot!(told("CA"), @r"
    error: certs.toml:1:8: `ca` is the name of the CA's own files
     1 | [certs.CA]
       |        ^^
    ");
    assert_snapshot!(told(&"x".repeat(65)), @r"
    error: certs.toml:1:8: a certificate's name has 1 to 64 characters
     1 | [certs.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx]
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
    fine("[certs.\"a.b_c-1\"]\nprofile = \"client\"\n");
}

#[test]
fn two_certificates_of_one_name() {
    assert_snapshot!(told(format!("{SERVER}[certs.server]\nprofile = \"server\"\nalt_names.DNS = \"a\"\n")), @r"
    error: certs.toml:3:8: the top-level `[alt_names]` already makes `server`
     3 | [certs.server]
       |        ^^^^^^
    hint: keep one of the two
    ");
    assert_snapshot!(told("[certs.a]\nprofile = \"client\"\n[certs.A]\nprofile = \"client\"\n"), @r"
    error: certs.toml:3:8: `A` and `a` are the same file where case does not count
     3 | [certs.A]
       |        ^
    ");
    fine("[certs.server]\nprofile = \"server\"\nalt_names.DNS = \"a\"\n");
}

#[test]
fn name_constraints() {
    assert_snapshot!(told("[ca]\npermitted = { URI = [\"example.internal\"] }\n"), @r#"
    error: certs.toml:2:15: a CA cannot be constrained by `URI`
     2 | permitted = { URI = ["example.internal"] }
       |               ^^^
    hint: only DNS and IP: rustls refuses every certificate under a CA with URI constraints
    "#);
    assert_snapshot!(told("[ca]\npermitted = { IP = [\"10.0.0.1/8\"] }\n"), @r#"
    error: certs.toml:2:21: `10.0.0.1/8` is not a network
     2 | permitted = { IP = ["10.0.0.1/8"] }
       |                     ^^^^^^^^^^^^
    hint: write an address or a network such as 10.0.0.0/8
    "#);
    assert_snapshot!(told("[ca]\nexcluded = { DNS = [\"a b\"] }\n"), @r#"
    error: certs.toml:2:21: `a b` is not a DNS name: it has the character ' '
     2 | excluded = { DNS = ["a b"] }
       |                     ^^^^^
    "#);
    fine("[ca]\nexcluded = { DNS = [\".a.test\"], IP = [\"::1\"] }\n");
}

#[test]
fn addresses() {
    assert_snapshot!(told(format!("address = \"localhost\"\n{SERVER}")), @r#"
    error: certs.toml:1:11: `localhost` names no port
     1 | address = "localhost"
       |           ^^^^^^^^^^^
    hint: write HOST:PORT as clients dial it, such as "localhost:50051"
    "#);
    assert_snapshot!(told(format!("address = \"http://localhost:1\"\n{SERVER}")), @r#"
    error: certs.toml:1:11: `http://localhost:1` is no TLS target
     1 | address = "http://localhost:1"
       |           ^^^^^^^^^^^^^^^^^^^^
    hint: write HOST:PORT as clients dial it, such as "localhost:50051"
    "#);
    assert_snapshot!(told(format!("address = 50051\n{SERVER}")), @r#"
    error: certs.toml:1:11: expected a string, found an integer
     1 | address = 50051
       |           ^^^^^
    hint: write HOST:PORT as clients dial it, such as "localhost:50051"
    "#);
    assert_snapshot!(told("address = \"localhost:1\"\n[certs.a]\nprofile = \"client\"\n"), @r#"
    error: certs.toml:1:1: `address` here is that of the certificate `server`, which [alt_names] makes
     1 | address = "localhost:1"
       | ^^^^^^^
    hint: add [dn] and [alt_names], or move it into the [certs.NAME] that it is about
    "#);
    assert_snapshot!(told("[certs.a]\nprofile = \"client\"\naddress = \"localhost:1\"\n"), @r#"
    error: certs.toml:3:1: a client serves nowhere, so it has no `address`
     3 | address = "localhost:1"
       | ^^^^^^^
    hint: leave it out, or write profile = "peer" for a service that also dials others
    "#);
    assert_snapshot!(told(format!("{SERVER}address = \"localhost:1\"\n")), @r#"
    error: certs.toml:3:1: unknown kind of name `address`
     3 | address = "localhost:1"
       | ^^^^^^^
    hint: the `address` of the certificate `server` stands at the top of the file, above the first [table]; those of others in their [certs.NAME]
    "#);
    assert_snapshot!(told(format!("{SERVER}[certs.a]\nprofile = \"peer\"\nadress = \"a:1\"\nalt_names.DNS = \"a\"\n")), @r#"
    error: certs.toml:5:1: unknown key `adress`
     5 | adress = "a:1"
       | ^^^^^^
    hint: did you mean `address`?
    "#);
    fine(format!("address = \"[::1]:50051\"\n{SERVER}"));
    fine(
        "[certs.a]\nprofile = \"peer\"\naddress = \"https://a.test:443\"\nalt_names.DNS = \"a.test\"\n",
    );
}
