//! Rows: the trust store of the system in place of a CA file. Also: files that are no revocation lists.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use rustls::pki_types::pem::{PemObject, SectionKind};

use super::certificate::python;
use super::pki::{Authority, Key, World, period};
use super::row::{Row, finish, row, verify};

pub fn rows() -> Vec<Row> {
    vec![
        row(
            "the system trusts our CA",
            0,
            "",
            &[],
            &["my-ca (the system's trust store), ecdsa-p256"],
            |world| python(&world.ours("server")).on_a_system_with(&world.ours("ca").certificate),
        ),
        row(
            "the system trusts another CA, and the server is ours",
            13,
            "path",
            &["path.unknown_issuer"],
            &[
                "a CA that the system's trust store does not contain",
                "has 1 CA, but not this one",
                "without `--ca system`",
            ],
            |world| {
                let other = world.file(&Authority::new("other", Key::P256, |_| ()).pem);
                python(&world.ours("server")).on_a_system_with(&other)
            },
        ),
        row(
            "the system trusts many CAs, and none is the server's",
            13,
            "path",
            &["path.unknown_issuer"],
            &[
                "has 40 CAs, but not this one",
                "`grpc-pki verify localhost:",
                "a public CA",
            ],
            |world| {
                let pem =
                    |index| Authority::new(&format!("public {index}"), Key::Ed25519, |_| ()).pem;
                let store = world.file(&(0..40).map(pem).collect::<String>());
                let theirs = Authority::new("theirs", Key::P256, |_| ());
                python(&world.leaf_of(&theirs, |_| ())).on_a_system_with(&store)
            },
        ),
        row(
            "a CA of the system that was made again",
            13,
            "path",
            &["path.ca_recreated"],
            &[
                "the key in the system's trust store",
                "pki/ca.crt has the CA that issued it",
            ],
            |world| {
                let again = world.file(&Authority::new("my-ca", Key::P256, |_| ()).pem);
                python(&world.ours("server")).on_a_system_with(&again)
            },
        ),
        row(
            "a CA of the system that expired",
            13,
            "time",
            &["time.anchor_expired"],
            &[
                "the CA in the system's trust store expired on",
                "bring the trust store up to date",
            ],
            |world| {
                let old = Authority::new("old", Key::P256, |it| period(it, -90, -2));
                let store = world.file(&old.pem);
                python(&world.leaf_of(&old, |_| ())).on_a_system_with(&store)
            },
        ),
    ]
}

fn told(world: &World, args: &[&str], trusted: &str) -> Output {
    let mut command = verify(world);
    command
        .arg("localhost:1")
        .args(args)
        .env("SSL_CERT_FILE", trusted)
        .env("SSL_CERT_DIR", "");
    finish(command)
}

#[test]
fn a_file_that_is_no_list_is_an_error_in_a_sentence() {
    let world = World::new();
    let der = |name: &str, label: &str, file: PathBuf| {
        let text = fs::read(file).unwrap();
        let (_, der) = <(SectionKind, Vec<u8>)>::pem_slice_iter(&text)
            .next()
            .unwrap_or_else(|| panic!("no {label}"))
            .unwrap();
        fs::write(world.path().join(name), der).unwrap();
    };
    der("ca.der", "certificate", world.ours("ca").certificate);
    der("key.der", "key", world.ours("server").key);
    let list = world.ca.revokes(&[], |_| ());
    der("list.der", "list", world.file(&list));
    let mut damaged = fs::read(world.path().join("list.der")).unwrap();
    damaged.truncate(damaged.len() - 9);
    fs::write(world.path().join("damaged.der"), damaged).unwrap();
    fs::write(
        world.path().join("damaged.pem"),
        list.replacen("MI", "AA", 1),
    )
    .unwrap();
    fs::write(world.path().join("empty.pem"), "\n").unwrap();
    for (file, sentence) in [
        (
            "pki/ca.crt",
            "is a certificate, not a revocation list (CRL)",
        ),
        ("ca.der", "is a certificate, not a revocation list (CRL)"),
        (
            "pki/server.key",
            "is a private key, not a revocation list (CRL)",
        ),
        ("key.der", "is a private key, not a revocation list (CRL)"),
        (
            "certs.toml",
            "holds no revocation list (CRL), neither in PEM nor in DER form",
        ),
        (
            "damaged.der",
            "holds a revocation list (CRL) that is damaged",
        ),
        (
            "damaged.pem",
            "holds a revocation list (CRL) that is damaged",
        ),
        ("empty.pem", "is empty"),
        ("nowhere.pem", "does not exist"),
        ("pki", "is not a regular file"),
    ] {
        let output = told(&world, &["--crl", file], "");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{file}: {said}");
        assert_eq!(
            said.lines().next(),
            Some(format!("error: {file} {sentence}").as_str())
        );
    }
    // Nothing listens on that port: the file was read.
    for file in ["list.der", "ca.pem"] {
        fs::write(
            world.path().join("ca.pem"),
            format!("{list}{}", world.ca.pem),
        )
        .unwrap();
        assert_eq!(
            told(&world, &["--crl", file], "").status.code(),
            Some(11),
            "{file}"
        );
    }
}

#[test]
fn a_damaged_list_in_the_folder_is_not_passed_over() {
    let world = World::new();
    fs::write(
        world.path().join("pki/crl.pem"),
        "-----BEGIN X509 CRL-----\nAAAA\n",
    )
    .unwrap();
    let output = told(&world, &[], "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.starts_with("error: pki/crl.pem holds"), "{said}");
}

#[test]
fn a_system_without_a_ca_is_an_error_and_a_file_may_be_called_system() {
    let world = World::new();
    let output = told(&world, &["--ca", "system"], "/nowhere.pem");
    insta::assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @r"
    error: the system's trust store has no CA certificate in /nowhere.pem (SSL_CERT_FILE)
      cause: no such file or directory
    hint: set SSL_CERT_FILE right, or unset what is not needed
    ");
    assert_eq!(output.status.code(), Some(2));
    fs::write(world.path().join("system"), &world.ca.pem).unwrap();
    // Nothing listens on that port: the file was read.
    let output = told(&world, &["--ca", "./system"], "/nowhere.pem");
    assert_eq!(output.status.code(), Some(11), "{output:?}");
}
