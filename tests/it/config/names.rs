//! Mistakes in `alt_names`.

use insta::assert_snapshot;

use super::{fine, told};

/// What is said about this line of `[alt_names]`.
#[track_caller]
fn line(line: &str) -> String {
    told(format!("[alt_names]\n{line}\n"))
}

#[test]
fn kinds_and_forms() {
    assert_snapshot!(line("dns = \"a\""), @r#"
    error: certs.toml:2:1: unknown kind of name `dns`
     2 | dns = "a"
       | ^^^
    hint: did you mean `DNS`?
    "#);
    assert_snapshot!(line("host = \"a\""), @r#"
    error: certs.toml:2:1: unknown kind of name `host`
     2 | host = "a"
       | ^^^^
    hint: known are DNS, IP, URI, email
    "#);
    assert_snapshot!(line("DNS.first = \"a\""), @r#"
    error: certs.toml:2:5: expected a number such as `1`, found `first`
     2 | DNS.first = "a"
       |     ^^^^^
    "#);
    assert_snapshot!(line("DNS = 1"), @r"
    error: certs.toml:2:7: expected a string, found an integer
     2 | DNS = 1
       |       ^
    hint: write one string, a list of strings, or the numbered form of certificate.conf
    ");
    assert_snapshot!(line("DNS = [\"a\", \"b\", \"A\"]"), @r#"
    error: certs.toml:2:18: `a` is listed twice
     2 | DNS = ["a", "b", "A"]
       |                  ^^^
    "#);
    assert_snapshot!(told("alt_names = \"localhost\"\n"), @r#"
    error: certs.toml:1:13: expected a table, found a string
     1 | alt_names = "localhost"
       |             ^^^^^^^^^^^
    "#);
}

#[test]
fn a_server_without_a_name() {
    assert_snapshot!(told("[alt_names]\n"), @r#"
    error: certs.toml:1:2: a server needs at least one name
     1 | [alt_names]
       |  ^^^^^^^^^
    hint: clients match these names and nothing else: add those that they dial, such as DNS = ["localhost"]
    "#);
    assert_snapshot!(told("[certs.a]\nprofile = \"peer\"\n"), @r#"
    error: certs.toml:1:8: a peer needs at least one name
     1 | [certs.a]
       |        ^
    hint: clients match alt_names and nothing else: add alt_names = { DNS = ["localhost"] } with the names that they dial
    "#);
    assert_snapshot!(told("[certs.a]\nprofile = \"server\"\nalt_names = { DNS = [] }\n"), @r#"
    error: certs.toml:3:1: a server needs at least one name
     3 | alt_names = { DNS = [] }
       | ^^^^^^^^^
    hint: clients match these names and nothing else: add those that they dial, such as DNS = ["localhost"]
    "#);
    fine("[certs.a]\nprofile = \"client\"\n");
}

#[test]
fn dns_names() {
    let dns = |name: &str| line(&format!("DNS = \"{name}\""));
    assert_snapshot!(dns("127.0.0.1"), @r#"
    error: certs.toml:2:7: `127.0.0.1` is an IP address, and clients look for those under IP
     2 | DNS = "127.0.0.1"
       |       ^^^^^^^^^^^
    hint: write IP = ["127.0.0.1"]
    "#);
    assert_snapshot!(dns("https://example.com"), @r#"
    error: certs.toml:2:7: `https://example.com` is not a DNS name: it has the character ':'
     2 | DNS = "https://example.com"
       |       ^^^^^^^^^^^^^^^^^^^^^
    hint: a name alone: no scheme, no port
    "#);
    assert_snapshot!(dns("localhost:50051"), @r#"
    error: certs.toml:2:7: `localhost:50051` is not a DNS name: it has the character ':'
     2 | DNS = "localhost:50051"
       |       ^^^^^^^^^^^^^^^^^
    hint: a name alone: no scheme, no port
    "#);
    assert_snapshot!(dns("a b.test"), @r#"
    error: certs.toml:2:7: `a b.test` is not a DNS name: it has the character ' '
     2 | DNS = "a b.test"
       |       ^^^^^^^^^^
    "#);
    assert_snapshot!(dns("a/b"), @r#"
    error: certs.toml:2:7: `a/b` is not a DNS name: it has the character '/'
     2 | DNS = "a/b"
       |       ^^^^^
    "#);
    assert_snapshot!(dns("a..test"), @r#"
    error: certs.toml:2:7: `a..test` is not a DNS name: it has an empty label
     2 | DNS = "a..test"
       |       ^^^^^^^^^
    "#);
    assert_snapshot!(dns(""), @r#"
    error: certs.toml:2:7: `` is not a DNS name: it has an empty label
     2 | DNS = ""
       |       ^^
    "#);
    assert_snapshot!(dns("-a.test"), @r#"
    error: certs.toml:2:7: `-a.test` is not a DNS name: a label starts or ends with `-`
     2 | DNS = "-a.test"
       |       ^^^^^^^^^
    "#);
    assert_snapshot!(dns("a.test."), @r#"
    error: certs.toml:2:7: `a.test.` is not a DNS name: certificates carry no dot at the end
     2 | DNS = "a.test."
       |       ^^^^^^^^^
    "#);
    assert_snapshot!(dns("1.2.3"), @r#"
    error: certs.toml:2:7: `1.2.3` is not a DNS name: its last label is a number
     2 | DNS = "1.2.3"
       |       ^^^^^^^
    "#);
    assert_snapshot!(dns(&"a".repeat(64)), @r#"
    error: certs.toml:2:7: `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` is not a DNS name: a label has more than 63 characters
     2 | DNS = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
       |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
    assert_snapshot!(dns(&["a".repeat(63).as_str(); 4].join(".")), @r#"
    error: certs.toml:2:7: `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` is not a DNS name: it has more than 253 characters
     2 | DNS = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaa
       |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
    fine("[alt_names]\nDNS = [\"localhost\", \"a_b.test\", \"bücher.example\"]\n");
}

#[test]
fn wildcards() {
    let dns = |name: &str| line(&format!("DNS = \"{name}\""));
    assert_snapshot!(dns("*"), @r#"
    error: certs.toml:2:7: `*`: `*` may only be the whole leftmost label, as in `*.example.com`
     2 | DNS = "*"
       |       ^^^
    "#);
    assert_snapshot!(dns("a.*.test"), @r#"
    error: certs.toml:2:7: `a.*.test`: `*` may only be the whole leftmost label, as in `*.example.com`
     2 | DNS = "a.*.test"
       |       ^^^^^^^^^^
    "#);
    assert_snapshot!(dns("*a.test"), @r#"
    error: certs.toml:2:7: `*a.test`: `*` may only be the whole leftmost label, as in `*.example.com`
     2 | DNS = "*a.test"
       |       ^^^^^^^^^
    "#);
    assert_snapshot!(dns("*.*.test"), @r#"
    error: certs.toml:2:7: `*.*.test`: `*` may only be the whole leftmost label, as in `*.example.com`
     2 | DNS = "*.*.test"
       |       ^^^^^^^^^^
    "#);
    fine("[alt_names]\nDNS = \"*.example.com\"\n");
}

#[test]
fn addresses() {
    let ip = |name: &str| line(&format!("IP = \"{name}\""));
    assert_snapshot!(ip("localhost"), @r#"
    error: certs.toml:2:6: `localhost` is not an IP address
     2 | IP = "localhost"
       |      ^^^^^^^^^^^
    hint: write DNS = ["localhost"]
    "#);
    assert_snapshot!(ip("10.0.0.0/8"), @r#"
    error: certs.toml:2:6: `10.0.0.0/8` is a network; a certificate names single addresses
     2 | IP = "10.0.0.0/8"
       |      ^^^^^^^^^^^^
    "#);
    assert_snapshot!(ip("10.0.0.300"), @r#"
    error: certs.toml:2:6: `10.0.0.300` is not an IP address
     2 | IP = "10.0.0.300"
       |      ^^^^^^^^^^^^
    "#);
    fine("[alt_names]\nIP = [\"10.0.0.1\", \"[::1]\"]\n");
}

#[test]
fn uris_and_mail() {
    assert_snapshot!(line("URI = \"orders\""), @r#"
    error: certs.toml:2:7: `orders` is not an absolute URI
     2 | URI = "orders"
       |       ^^^^^^^^
    "#);
    assert_snapshot!(line("email = \"ops\""), @r#"
    error: certs.toml:2:9: `ops` is not an e-mail address
     2 | email = "ops"
       |         ^^^^^
    "#);
    fine("[alt_names]\nURI = \"https://example.com/x\"\nemail = \"ops@example.com\"\n");
}

#[test]
fn spiffe_ids() {
    let uri = |name: &str| line(&format!("URI = \"{name}\""));
    assert_snapshot!(uri("SPIFFE://a/b"), @r#"
    error: certs.toml:2:7: `SPIFFE://a/b` is not a SPIFFE id: it must start with `spiffe://`, in lower case
     2 | URI = "SPIFFE://a/b"
       |       ^^^^^^^^^^^^^^
    "#);
    assert_snapshot!(uri("spiffe:///b"), @r#"
    error: certs.toml:2:7: `spiffe:///b` is not a SPIFFE id: its trust domain must have 1 to 255 characters
     2 | URI = "spiffe:///b"
       |       ^^^^^^^^^^^^^
    "#);
    assert_snapshot!(uri("spiffe://A/b"), @r#"
    error: certs.toml:2:7: `spiffe://A/b` is not a SPIFFE id: its trust domain may hold only lower-case letters, digits, `-`, `.` and `_`
     2 | URI = "spiffe://A/b"
       |       ^^^^^^^^^^^^^^
    "#);
    assert_snapshot!(uri("spiffe://a/b/"), @r#"
    error: certs.toml:2:7: `spiffe://a/b/` is not a SPIFFE id: its path may have no empty, `.` or `..` segment, and only letters, digits, `-`, `.` and `_`
     2 | URI = "spiffe://a/b/"
       |       ^^^^^^^^^^^^^^^
    "#);
    assert_snapshot!(uri("spiffe://a/b?c"), @r#"
    error: certs.toml:2:7: `spiffe://a/b?c` is not a SPIFFE id: it may have no query and no fragment
     2 | URI = "spiffe://a/b?c"
       |       ^^^^^^^^^^^^^^^^
    "#);
    assert_snapshot!(line("URI = [\"spiffe://a/b\", \"spiffe://a/c\"]"), @r"
    error: certs.toml:1:2: more than one SPIFFE id
     1 | [alt_names]
       |  ^^^^^^^^^
    hint: the SPIFFE X.509-SVID specification (section 2) allows exactly one
    ");
    fine("[alt_names]\nURI = [\"spiffe://a/b\", \"https://a/c\"]\n");
}
