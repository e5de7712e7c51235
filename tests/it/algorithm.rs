//! Signatures that OpenSSL made, verified by us: every algorithm, and a key that did not sign.

use std::path::Path;
use std::process::Command;

use grpc_pki::pki::{Certificate, pem};

fn openssl(dir: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn certificate(path: &Path) -> Certificate {
    let text = std::fs::read(path).unwrap();
    Certificate::from_der(pem::certificates(&text).unwrap().remove(0)).unwrap()
}

/// A CA with this key, and a certificate that it signed with this digest.
fn signed(dir: &Path, key: &str, digest: &str) -> (Certificate, Certificate) {
    openssl(
        dir,
        &format!("req -x509 {key} -nodes -subj /CN=ca -keyout ca.key -out ca.crt"),
    );
    openssl(
        dir,
        "req -new -newkey ed25519 -nodes -subj /CN=x -keyout x.key -out x.csr",
    );
    openssl(
        dir,
        &format!("x509 -req -in x.csr -CA ca.crt -CAkey ca.key {digest} -out x.crt"),
    );
    (
        certificate(&dir.join("ca.crt")),
        certificate(&dir.join("x.crt")),
    )
}

const EC: &str = "-newkey ec -pkeyopt ec_paramgen_curve:";

#[test]
fn every_algorithm_is_verified_and_another_key_is_not_taken_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut cases = vec![
        ("-newkey ed25519".to_owned(), "-set_serial 1", "ed25519"),
        (
            "-newkey rsa:1024".to_owned(),
            "-sha256",
            "sha256WithRSAEncryption",
        ),
        (
            "-newkey rsa:2048".to_owned(),
            "-sha1",
            "sha1WithRSAEncryption",
        ),
        (
            "-newkey rsa:2048".to_owned(),
            "-sha256",
            "sha256WithRSAEncryption",
        ),
        (
            "-newkey rsa:2048".to_owned(),
            "-sha384",
            "sha384WithRSAEncryption",
        ),
        (
            "-newkey rsa:2048".to_owned(),
            "-sha512",
            "sha512WithRSAEncryption",
        ),
        (
            "-newkey rsa:2048".to_owned(),
            "-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:-1",
            "rsassaPss",
        ),
    ];
    for curve in ["P-256", "P-384", "P-521"] {
        cases.push((format!("{EC}{curve}"), "-sha256", "ecdsa-with-SHA256"));
        cases.push((format!("{EC}{curve}"), "-sha384", "ecdsa-with-SHA384"));
        cases.push((format!("{EC}{curve}"), "-sha512", "ecdsa-with-SHA512"));
    }
    for (key, digest, name) in cases {
        let (ca, leaf) = signed(dir.path(), &key, digest);
        assert_eq!(leaf.signature.name, name, "{key} {digest}");
        assert!(leaf.is_issued_by(&ca), "{key} {digest}");
        assert!(!ca.is_signed_by(&leaf), "{key} {digest}: the wrong key");
        let (other, _) = signed(dir.path(), &key, digest);
        assert!(
            !leaf.is_issued_by(&other),
            "{key} {digest}: a CA of the same name"
        );
    }
}
