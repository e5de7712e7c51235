//! What we write OpenSSL reads, and what it writes we read, or say why not and what to type.

use insta::assert_snapshot;

use super::{PASSPHRASE, encrypted};
use crate::support::{Project, SERVER};

/// How OpenSSL encrypts: what it is told, and whether we read it.
const READ: [&str; 8] = [
    "",
    "-v2 aes-256-cbc",
    "-v2 aes-128-cbc",
    "-v2 aes-192-cbc -v2prf hmacWithSHA512",
    "-v2 aes-256-cbc -v2prf hmacWithSHA384 -iter 1",
    "-v2 aes-256-cbc -v2prf hmacWithSHA1",
    "-scrypt",
    "-scrypt -scrypt_N 1024 -scrypt_r 4 -scrypt_p 2",
];

/// A plain CA whose key OpenSSL then encrypts.
fn by_openssl(args: &str) -> Project {
    let mut project = Project::with_ca(SERVER);
    project.shell(&format!(
        "openssl pkcs8 -topk8 {args} -in pki/ca.key -out new.key -passout pass:'{PASSPHRASE}' && mv new.key pki/ca.key"
    )).ok();
    project.passphrase = Some(PASSPHRASE);
    project
}

#[test]
fn openssl_opens_what_we_write() {
    for key in ["ecdsa-p256", "ecdsa-p384", "rsa-2048", "ed25519"] {
        let project = encrypted(&format!("[ca]\nkey = \"{key}\"\n{SERVER}"));
        let open = |passphrase: &str| {
            project.shell(&format!(
                "openssl pkey -in pki/ca.key -passin pass:'{passphrase}' -pubout"
            ))
        };
        let public = project.openssl("x509 -in pki/ca.crt -noout -pubkey").ok();
        assert_eq!(open(PASSPHRASE).ok().stdout, public.stdout, "{key}");
        assert_ne!(open("battery staple").code, 0, "{key}");
    }
    let text = encrypted(SERVER)
        .openssl("asn1parse -in pki/ca.key")
        .ok()
        .stdout;
    for part in [
        ":PBES2",
        ":PBKDF2",
        "INTEGER           :0927C0",
        ":hmacWithSHA256",
        ":aes-256-cbc",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn what_openssl_writes_is_opened() {
    for args in READ {
        let mut project = by_openssl(args);
        project.run("issue").ok();
        project
            .openssl("verify -no_check_time -CAfile pki/ca.crt pki/server.crt")
            .ok();
        project.passphrase = Some("battery staple");
        let ran = project.run("issue --force").exits(2);
        assert!(
            ran.stderr.contains("does not open pki/ca.key"),
            "{args}: {ran}"
        );
    }
}

/// What is not opened, with its message; the command that the hint names makes it a key that is.
#[test]
fn what_is_not_opened_is_told_and_the_hint_mends_it() {
    for (how, told) in [
        (
            "openssl ec -aes256 -in pki/ca.key -out new.key",
            "is encrypted as old versions of OpenSSL do (Proc-Type: 4,ENCRYPTED), which protects it badly",
        ),
        (
            "openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -in pki/ca.key -out new.key",
            "is encrypted with an old scheme (PBES1), which protects it badly",
        ),
        (
            "openssl pkcs8 -topk8 -v1 PBE-MD5-DES -provider default -provider legacy -in pki/ca.key -out new.key",
            "is encrypted with an old scheme (PBES1), which protects it badly",
        ),
        (
            "openssl pkcs8 -topk8 -v2 des3 -in pki/ca.key -out new.key",
            "is encrypted, and not with AES in CBC mode under PBKDF2 or scrypt",
        ),
        (
            "openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA224 -in pki/ca.key -out new.key",
            "is encrypted, and not with AES in CBC mode under PBKDF2 or scrypt",
        ),
    ] {
        let mut project = Project::with_ca(SERVER);
        project.passphrase = Some(PASSPHRASE);
        project
            .shell(&format!(
                "{how} -passout pass:'{PASSPHRASE}' && mv new.key pki/ca.key"
            ))
            .ok();
        let ran = project.run("issue --check").exits(2);
        assert!(
            ran.stderr
                .starts_with(&format!("error: pki/ca.key {told}\n")),
            "{how}: {ran}"
        );
        let (_, command) = ran
            .stderr
            .split_once("hint: encrypt it anew: `")
            .expect(&ran.stderr);
        let command = command.trim_end().trim_end_matches('`');
        let pass = format!(" -passin pass:'{PASSPHRASE}' -passout pass:'{PASSPHRASE}' && mv");
        project.shell(&command.replace(" && mv", &pass)).ok();
        project.run("issue").ok();
        assert!(project.tree().contains("pki/ca.key 0600"));
    }
}

#[test]
fn the_hint_reads_as_it_is_typed() {
    let project = Project::with_ca(SERVER);
    project.shell(&format!("openssl ec -aes256 -in pki/ca.key -out new.key -passout pass:'{PASSPHRASE}' && mv new.key pki/ca.key")).ok();
    assert_snapshot!(project.run("issue"), @r"
    --- stderr
    error: pki/ca.key is encrypted as old versions of OpenSSL do (Proc-Type: 4,ENCRYPTED), which protects it badly
    hint: encrypt it anew: `openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000 -in pki/ca.key -out pki/ca.new.key && mv pki/ca.new.key pki/ca.key`
    --- exit 2
    ");
}

#[test]
fn what_takes_too_much_memory_or_time_is_refused_at_once() {
    // scrypt: N, r and p; PBKDF2: iterations. Each in the place of one that OpenSSL wrote with as many octets.
    for (args, old, new) in [
        // N of 2^16 becomes 2^22: 1 GiB.
        (
            "-scrypt -scrypt_N 65536 -scrypt_r 2",
            &b"\x02\x03\x01\x00\x00\x02\x01\x02"[..],
            &b"\x02\x03\x40\x00\x00\x02\x01\x02"[..],
        ),
        // r of 8 becomes 127: 254 MiB.
        (
            "-scrypt -scrypt_N 16384 -scrypt_r 8",
            b"\x02\x02\x40\x00\x02\x01\x08",
            b"\x02\x02\x40\x00\x02\x01\x7f",
        ),
        (
            "-scrypt -scrypt_N 1024 -scrypt_r 1 -scrypt_p 17",
            b"\x02\x01\x11",
            b"\x02\x01\x7f",
        ),
        (
            "-v2 aes-256-cbc -iter 16777215",
            b"\x02\x04\x00\xff\xff\xff",
            b"\x02\x04\x04\x00\x00\x00",
        ),
    ] {
        let project = by_openssl(args);
        patch(&project, old, new);
        let ran = project.run("issue").exits(2);
        assert!(
            ran.stderr.contains(
                "is encrypted so that opening it takes more memory or time than is given"
            ),
            "{args}: {ran}"
        );
        assert!(
            ran.stderr
                .contains("hint: encrypt it anew with what made it"),
            "{args}: {ran}"
        );
    }
    // The same place, with a value that is within the bounds, is only a wrong passphrase.
    let project = by_openssl("-scrypt -scrypt_N 1024 -scrypt_r 1 -scrypt_p 2");
    patch(&project, b"\x02\x01\x02", b"\x02\x01\x03");
    assert!(
        project
            .run("issue")
            .exits(2)
            .stderr
            .contains("does not open")
    );
}

/// Replaces octets of the DER in ca.key.
fn patch(project: &Project, old: &[u8], new: &[u8]) {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let text = project.read("pki/ca.key");
    let base64: String = text.lines().filter(|it| !it.starts_with('-')).collect();
    let mut der = STANDARD.decode(base64).unwrap();
    let at = der
        .windows(old.len())
        .position(|it| it == old)
        .expect("what is replaced");
    der[at..at + old.len()].copy_from_slice(new);
    project.write(
        "pki/ca.key",
        grpc_pki::pki::pem::encode("ENCRYPTED PRIVATE KEY", &der).as_bytes(),
    );
}

#[test]
fn a_key_that_is_cut_or_changed_is_damaged_or_does_not_open() {
    let mut project = encrypted(SERVER);
    project.passphrase = Some(PASSPHRASE);
    let whole = project.read("pki/ca.key");
    let lines: Vec<&str> = whole.lines().collect();
    for cut in 1..lines.len() - 1 {
        let text = [&lines[..cut], &lines[lines.len() - 1..]]
            .concat()
            .join("\n");
        project.write("pki/ca.key", text);
        let ran = project.run("issue").exits(2);
        assert!(ran.stderr.starts_with("error: pki/ca.key "), "{cut}: {ran}");
    }
    project.write("pki/ca.key", &whole);
    project.run("issue").ok();
}
