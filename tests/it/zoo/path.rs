//! Rows: who issued the server's certificate, and what it is for.

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa};

use super::certificate::python;
use super::pki::{Authority, Key, for_clients};
use super::row::{Row, row};

pub fn rows() -> Vec<Row> {
    vec![
        row(
            "wrong CA",
            13,
            "path",
            &["path.unknown_issuer"],
            &["CN=other-ca", "CN=my-ca", "--ca FILE"],
            |world| {
                let other = Authority::new("other-ca", Key::P256, |_| ());
                python(&world.leaf_of(&other, |_| ()))
            },
        )
        .id("D1"),
        row(
            "wrong CA, with flags that the next run needs too",
            13,
            "path",
            &["path.unknown_issuer"],
            &[
                " --ca FILE --server-name localhost --pki ./pki`",
                "`grpc-pki issue --pki ./pki`",
            ],
            |world| {
                let other = Authority::new("other-ca", Key::P256, |_| ());
                let staged = python(&world.leaf_of(&other, |_| ()));
                staged.args(["--server-name", "localhost", "--pki", "./pki"])
            },
        ),
        row(
            "the CA made again, same kind of key",
            13,
            "path",
            &["path.ca_recreated"],
            &[
                "another CA of the same name",
                "CN=my-ca",
                "made again",
                "restart the server",
            ],
            |world| {
                let again = Authority::new("my-ca", Key::P256, |_| ());
                python(&world.leaf_of(&again, |_| ()))
            },
        )
        .id("D2"),
        row(
            "the CA made again, another kind of key",
            13,
            "path",
            &["path.ca_recreated"],
            &["another CA of the same name"],
            |world| {
                let again = Authority::new("my-ca", Key::Rsa2048, |_| ());
                python(&world.leaf_of(&again, |_| ()))
            },
        )
        .id("D2"),
        row(
            "the CA made again, and sent along",
            13,
            "path",
            &["path.ca_recreated"],
            &["another CA of the same name"],
            |world| {
                let again = Authority::new("my-ca", Key::P256, |_| ());
                python(&world.chain(&world.leaf_of(&again, |_| ()), &[&again.pem]))
            },
        ),
        row(
            "signed by itself, CA: TRUE, not trusted",
            13,
            "path",
            &["path.self_signed", "path.ca_as_server"],
            &["signed itself", "grpc-pki issue"],
            |world| python(&world.self_signed(ca_true)),
        )
        .id("D6"),
        row(
            "signed by itself, CA: FALSE, not trusted",
            13,
            "path",
            &["path.self_signed"],
            &["--ca FILE"],
            |world| python(&world.self_signed(|_| ())),
        )
        .id("D6"),
        row(
            "signed by itself, CA: FALSE, as its own CA file",
            0,
            "",
            &[],
            &["SERVING"],
            |world| {
                let pair = world.self_signed(|_| ());
                python(&pair).args(["--ca", pair.certificate.to_str().unwrap()])
            },
        ),
        row(
            "signed by itself, CA: TRUE, as its own CA file",
            13,
            "path",
            &["path.ca_as_server"],
            &[
                "CA: TRUE",
                "rustls refuses",
                "go accepts: a CA certificate may be a server's",
            ],
            |world| {
                let pair = world.self_signed(ca_true);
                python(&pair).args(["--ca", pair.certificate.to_str().unwrap()])
            },
        )
        .id("D5"),
        row(
            "CA: TRUE, issued by our CA",
            13,
            "path",
            &["path.ca_as_server"],
            &[
                "CA: TRUE",
                "grpc-pki issue",
                "Go, Python, C++, Node and Java would accept",
            ],
            |world| python(&world.leaf(ca_true)),
        )
        .id("D5"),
        row(
            "the CA itself as server",
            13,
            "path",
            &["path.ca_as_server", "name.no_san"],
            &["CN=my-ca"],
            |world| python(&world.ours("ca")),
        ),
        row(
            "a client's certificate",
            13,
            "path",
            &["path.purpose"],
            &[
                "for clients, not for servers",
                "serverAuth",
                "would do the same",
            ],
            |world| python(&world.leaf(for_clients)),
        )
        .id("D17"),
        row(
            "our client's certificate",
            13,
            "path",
            &["path.purpose", "name.no_san"],
            &["for clients", "profile `server` or `peer`"],
            |world| python(&world.ours("client")),
        ),
        row(
            "any purpose alone",
            13,
            "path",
            &["path.purpose"],
            &[
                "without serverAuth",
                "Go and Java would accept",
                "anyExtendedKeyUsage",
            ],
            |world| {
                python(
                    &world.leaf(|it| it.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any]),
                )
            },
        )
        .id("D18"),
        row(
            "the issuer is not sent along",
            13,
            "path",
            &["path.unknown_issuer"],
            &["CN=between", "or, where between is an intermediate CA"],
            |world| python(&world.leaf_of(&world.ca.below("between"), |_| ())),
        ),
    ]
}

fn ca_true(params: &mut CertificateParams) {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
}
