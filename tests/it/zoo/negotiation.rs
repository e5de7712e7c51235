//! Rows: what server and client do not agree on, and servers that want little and are well.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::{DEFAULT_VERSIONS, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::grpc::Tonic;
use super::hellos::behind;
use super::middlebox::{Else, Passes};
use super::pki::{Key, Pair, World};
use super::process::{Python, openssl};
use super::row::{Row, Staged, row};
use super::sites::sites;

/// Looks that a row with timing in it gets.
pub const RACES: usize = 20;
pub fn rows() -> Vec<Row> {
    let mut rows = algorithms();
    rows.extend(keys());
    rows.extend(healthy());
    rows
}

/// What `openssl s_server` is told to want.
fn wants(
    case: &str,
    code: &'static str,
    words: &[&str],
    key: Key,
    more: &'static [&'static str],
) -> Row {
    row(case, 12, "tls", &[code], words, move |world| {
        let pair = world.leaf_with(&world.ca, key, |_| ());
        let server = openssl(world, &pair, more);
        Staged::new(server.port, server)
    })
}

fn algorithms() -> Vec<Row> {
    vec![
        wants(
            "TLS 1.1 and nothing later",
            "tls.old_version",
            &[
                "nothing later than TLS 1.1",
                "ssl_protocols TLSv1.2 TLSv1.3;",
            ],
            Key::P256,
            &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        )
        .connects(&["primary", "tls_old_versions"])
        .times(RACES),
        wants(
            "TLS 1.0 and nothing later",
            "tls.old_version",
            &["nothing later than TLS 1.0"],
            Key::Rsa2048,
            &["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
        ),
        wants(
            "the group X448 and no other",
            "tls.no_common_group",
            &[
                "wants X448",
                "Node and Java",
                "ssl_ecdh_curve X25519:prime256v1;",
            ],
            Key::P256,
            &["-groups", "X448"],
        )
        .id("C9")
        .connects(&["primary", "wide_hello"])
        .times(RACES),
        wants(
            "the group P-521 and no other, TLS 1.2",
            "tls.no_common_group",
            &["wants P-521", "Go, Python, C++, Node and Java"],
            Key::P256,
            &["-groups", "P-521", "-tls1_2"],
        ),
        wants(
            "CBC alone",
            "tls.no_common_cipher",
            &[
                "ECDHE-ECDSA-AES128-SHA",
                "CBC",
                "Go, Node and Java get in",
                "ssl_ciphers",
            ],
            Key::P256,
            &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"],
        )
        .id("C9"),
        wants(
            "a secret under the RSA key alone",
            "tls.no_common_cipher",
            &["AES128-GCM-SHA256", "Go since 1.22"],
            Key::Rsa2048,
            &["-tls1_2", "-cipher", "AES128-GCM-SHA256"],
        ),
        wants(
            "finite-field Diffie-Hellman alone",
            "tls.no_common_cipher",
            &["DHE-RSA-AES128-GCM-SHA256", "finite-field"],
            Key::Rsa2048,
            &["-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"],
        ),
        wants(
            "signatures with SHA-1 alone",
            "tls.no_common_signature",
            &["RSA with SHA-1"],
            Key::Rsa2048,
            &[
                "-tls1_2",
                "-sigalgs",
                "RSA+SHA1",
                "-cipher",
                "DEFAULT@SECLEVEL=0",
            ],
        )
        .connects(&["primary", "wide_hello", "small_hello"]),
        wants(
            "a key that its cipher suites are not for",
            "tls.alert",
            &[
                "handshake failure",
                "do not fit each other",
                "no different with every algorithm",
            ],
            Key::P256,
            &["-tls1_2", "-cipher", "AES128-SHA"],
        )
        .connects(&["primary", "wide_hello", "tls_old_versions", "without_sni"]),
    ]
}

/// Keys that rcgen does not make.
fn keys() -> Vec<Row> {
    let with = |case: &str,
                code,
                words: &[&str],
                kind: &'static [&'static str],
                more: &'static [&'static str]| {
        row(case, 12, "tls", &[code], words, move |world| {
            let server = openssl(world, &odd_key(world, kind), more);
            Staged::new(server.port, server)
        })
    };
    let curve = &["EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"];
    vec![
        with(
            "an Ed448 key",
            "tls.key_type",
            &["Ed448", "ecdsa-p256"],
            &["ED448"],
            &[],
        ),
        with(
            "a key on a Brainpool curve",
            "tls.key_type",
            &["another curve"],
            curve,
            &[],
        ),
        with(
            "a key for RSASSA-PSS alone",
            "tls.key_type",
            &["RSASSA-PSS"],
            &["RSA-PSS"],
            &[],
        ),
        with(
            "an Ed448 key, TLS 1.3",
            "tls.no_common_signature",
            &["another kind than RSA"],
            &["ED448"],
            &["-tls1_3"],
        )
        .connects(&["primary", "wide_hello", "tls_1_2", "small_hello"]),
    ]
}

/// A server certificate of our CA for a key of this kind.
fn odd_key(world: &World, kind: &[&str]) -> Pair {
    let (key, request, certificate) = (world.file(""), world.file(""), world.file(""));
    let extensions = world.file("subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n");
    let openssl = |args: &[&str]| {
        let mut command = Command::new("openssl");
        let done = command
            .current_dir(world.path())
            .args(args)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    let path = |it: &std::path::PathBuf| it.to_str().unwrap().to_owned();
    let (key, request, certificate) = (path(&key), path(&request), path(&certificate));
    openssl(&[&["genpkey", "-out", &key, "-algorithm"], kind].concat());
    openssl(&[
        "req",
        "-new",
        "-key",
        &key,
        "-subj",
        "/CN=my-server",
        "-out",
        &request,
    ]);
    openssl(&[
        "x509",
        "-req",
        "-in",
        &request,
        "-CA",
        "pki/ca.crt",
        "-CAkey",
        "pki/ca.key",
        "-days",
        "30",
        "-extfile",
        &path(&extensions),
        "-out",
        &certificate,
    ]);
    Pair {
        certificate: certificate.into(),
        key: key.into(),
    }
}

/// Servers that want little, and have something in common with us.
fn healthy() -> Vec<Row> {
    let well = |case: &str, words: &[&str], staged: fn(&World) -> Staged| {
        row(case, 0, "", &[], words, staged).connects(&["primary"])
    };
    vec![
        well(
            "a key and a group of P-384",
            &["secp384r1", "SERVING"],
            |world| {
                let pair = world.leaf_with(&world.ca, Key::P384, |_| ());
                let mut provider = default_provider();
                provider.kx_groups = vec![kx_group::SECP384R1];
                let tls = config(&pair, provider);
                let server = Tonic::tls(tls);
                Staged::new(server.port, server)
            },
        ),
        well(
            "TLS 1.2 with ECDHE and GCM alone",
            &["TLS 1.2", "AES-256-GCM"],
            |world| {
                let server = Python::tls("grpc", &world.ours("server"))
                    .with("version", "TLSv1_2")
                    .with("ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384")
                    .start();
                Staged::new(server.port, server)
            },
        ),
        well("a handshake that takes its time", &["SERVING"], |world| {
            behind(world, Passes::Late(Duration::from_secs(2)), Else::Close)
        }),
        well(
            "something between that passes everything",
            &["SERVING"],
            |world| behind(world, Passes::All, Else::Close),
        ),
        well("a server of names, by its name", &["SERVING"], |world| {
            sites(&[("localhost", world.ours("server"))], None)
        }),
    ]
}

fn config(pair: &Pair, provider: rustls::crypto::CryptoProvider) -> ServerConfig {
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(DEFAULT_VERSIONS)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_file(&pair.certificate).unwrap()],
            PrivateKeyDer::from_pem_file(&pair.key).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}
