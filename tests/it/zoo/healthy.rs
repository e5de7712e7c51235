//! Rows: what looks odd and is fine. Each of them once made some tool cry wolf.

use std::time::Duration;

use rcgen::IsCa;

use super::certificate::python;
use super::grpc::{Answer, Manner, Tonic, rustls};
use super::pki::period;
use super::process::Python;
use super::row::{Row, Staged, row};

/// SSL_OP_NO_EXTENDED_MASTER_SECRET of OpenSSL.
const NO_EXTENDED_MASTER_SECRET: u32 = 1;

pub fn rows() -> Vec<Row> {
    let healthy = |case: &str, words: &[&str], staged: fn(&super::World) -> Staged| {
        row(case, 0, "", &[], words, staged)
    };
    vec![
        healthy("no extended key usage", &["would do the same"], |world| {
            python(&world.leaf(|it| it.extended_key_usages.clear()))
        }),
        healthy("no basic constraints", &["would do the same"], |world| {
            python(&world.leaf(|it| it.is_ca = IsCa::NoCa))
        }),
        healthy(
            "ten years, and no authority key identifier",
            &[
                "would do the same",
                "Apple's platforms refuse it: it lasts 3 651 days",
                "Python's own ssl module refuses it",
            ],
            |world| {
                python(&world.leaf(|it| {
                    it.use_authority_key_identifier_extension = false;
                    period(it, -1, 3650);
                }))
            },
        )
        .id("D26"),
        healthy(
            "TLS 1.2 without extended master secret",
            &["TLS 1.2", "SERVING"],
            |world| {
                let server = Python::tls("grpc", &world.ours("server"))
                    .with("version", "TLSv1_2")
                    .with("options", NO_EXTENDED_MASTER_SECRET)
                    .start();
                Staged::new(server.port, server)
            },
        )
        .id("C10"),
        healthy("a handshake of three seconds", &["SERVING"], |world| {
            let tls = rustls(&world.ours("server"), None, rustls::DEFAULT_VERSIONS);
            let manner = Manner::Slow(Duration::from_secs(3));
            let server = Tonic::start(Some(tls), Answer::Serving, manner);
            Staged::new(server.port, server)
        })
        .id("C15"),
    ]
}
