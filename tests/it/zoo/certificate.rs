//! Rows: the dates of the server's certificate, and certificates that are fine.

use rcgen::{DistinguishedName, DnType};

use super::grpc::{Tonic, rustls};
use super::pki::{Authority, Key, Pair, World, dns, ip, period};
use super::process::Python;
use super::row::{Row, Staged, row};

pub fn rows() -> Vec<Row> {
    let mut rows = time();
    rows.extend(healthy());
    rows.extend(several_of_one_key());
    rows.extend(elsewhere());
    rows
}

fn time() -> Vec<Row> {
    vec![
        row(
            "expired",
            13,
            "time",
            &["time.expired"],
            &[
                "expired on",
                "2 days ago",
                "restart the server, or have it load its files again: on disk server.crt is a newer one",
            ],
            |world| python(&world.leaf(|it| period(it, -30, -2))),
        )
        .id("D13"),
        row(
            "expired, and there is none on disk that is not",
            13,
            "time",
            &["time.expired"],
            &["have the server's certificate issued anew"],
            |world| {
                python(&world.leaf(|it| {
                    it.distinguished_name = DistinguishedName::new();
                    it.subject_alt_names.push(dns("elsewhere.internal"));
                    period(it, -30, -2);
                }))
            },
        ),
        row(
            "not yet valid",
            13,
            "time",
            &["time.not_yet_valid"],
            &["valid only from", "5 days", "clock"],
            |world| python(&world.leaf(|it| period(it, 5, 30))),
        )
        .id("D13"),
        row(
            "not valid for another hour",
            13,
            "time",
            &["time.not_yet_valid"],
            &["compare the clocks", "minutes"],
            |world| {
                python(&world.leaf(|it| {
                    it.not_before = time::OffsetDateTime::now_utc() + time::Duration::minutes(63)
                }))
            },
        )
        .id("D16"),
        row(
            "expired, wrong name, no h2",
            13,
            "name",
            &["name.dns_not_in_san", "time.expired", "alpn.none"],
            &["orders.internal", "expired on", "would do the same"],
            |world| {
                let pair = world.leaf(|it| {
                    period(it, -30, -2);
                    it.subject_alt_names = vec![dns("orders.internal")];
                });
                let server = Python::tls("grpc", &pair).with("alpn", false).start();
                Staged::new(server.port, server)
            },
        ),
        row(
            "the CA expired",
            13,
            "time",
            &["time.anchor_expired"],
            &[
                "expired on",
                "Java and Rust would accept",
                "dates of a trusted CA",
            ],
            |world| {
                let old = Authority::new("old-ca", Key::P256, |it| period(it, -300, -1));
                let pair = world.leaf_of(&old, |_| ());
                let ca = world.file(&old.pem);
                python(&pair).args(["--ca", ca.to_str().unwrap()])
            },
        )
        .id("D15"),
    ]
}

/// A CA may have several certificates for one key: the path is the one that is good.
fn several_of_one_key() -> Vec<Row> {
    let old = |world: &World, others: &dyn Fn(&Authority) -> Vec<String>| {
        let between = world.ca.below("between");
        let old = world
            .ca
            .certifies(&between, "between", |it| period(it, -30, -2));
        let others = [vec![old], others(&between)].concat();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        tonic(&world.chain(&world.leaf_of(&between, |_| ()), &others))
    };
    vec![
        row(
            "two CAs certified the issuer, and the one that is not trusted comes first",
            0,
            "",
            &[],
            &["my-server ← between ← my-ca", "SERVING"],
            |world| {
                let between = world.ca.below("between");
                let other = Authority::new("other", Key::P256, |_| ());
                let cross = other.certifies(&between, "between", |_| ());
                let pair = world.leaf_of(&between, |_| ());
                tonic(&world.chain(&pair, &[&cross, &other.pem, &between.pem]))
            },
        )
        .id("D4"),
        row(
            "the issuer was renewed, and the old one comes first",
            0,
            "",
            &[],
            &["my-server ← between ← my-ca", "SERVING"],
            move |world| old(world, &|between| vec![between.pem.clone()]),
        )
        .id("D4"),
        row(
            "the issuer was renewed, and the old one comes alone",
            13,
            "time",
            &["time.issuer"],
            &["CN=between", "2 days ago"],
            move |world| old(world, &|_| Vec::new()),
        ),
        row(
            "the trusted CA was renewed with its key, and its file has both",
            0,
            "",
            &[],
            &["SERVING"],
            |world| {
                let old = world.ca.again("my-ca", |it| period(it, -30, -2));
                let ca = world.file(&(old + &world.ca.pem));
                python(&world.ours("server")).file("--ca", &ca)
            },
        ),
    ]
}

fn healthy() -> Vec<Row> {
    let mut rows = vec![
        row(
            "the issuer is sent along",
            0,
            "",
            &[],
            &["between", "SERVING"],
            |world| {
                let between = world.ca.below("between");
                python(&world.chain(&world.leaf_of(&between, |_| ()), &[&between.pem]))
            },
        ),
        row(
            "root first, then the issuer",
            0,
            "",
            &[],
            &["SERVING"],
            |world| {
                let between = world.ca.below("between");
                tonic(&world.chain(
                    &world.leaf_of(&between, |_| ()),
                    &[&world.ca.pem, &between.pem],
                ))
            },
        )
        .id("D4"),
        row(
            "the root is sent along",
            0,
            "",
            &[],
            &["SERVING", "would do the same"],
            |world| python(&world.chain(&world.ours("server"), &[&world.ca.pem])),
        )
        .id("D4"),
        row("others are sent along", 0, "", &[], &["SERVING"], |world| {
            let (one, two) = (
                Authority::new("one", Key::P384, |_| ()),
                Authority::new("two", Key::Rsa2048, |_| ()),
            );
            tonic(&world.chain(&world.ours("server"), &[&one.pem, &two.pem]))
        })
        .id("D4"),
        row(
            "several CAs are trusted",
            0,
            "",
            &[],
            &["SERVING"],
            |world| {
                let other = Authority::new("other", Key::P384, |_| ());
                let ca = world.file(&(other.pem + &world.ca.pem));
                python(&world.ours("server")).args(["--ca", ca.to_str().unwrap()])
            },
        ),
    ];
    for (name, key) in [("ecdsa-p384", Key::P384), ("rsa-2048", Key::Rsa2048)] {
        rows.push(row(
            format!("{name}, OpenSSL"),
            0,
            "",
            &[],
            &["SERVING", name],
            move |world| python(&world.leaf_with(&world.ca, key, |_| ())),
        ));
        rows.push(row(
            format!("a CA with {name}"),
            0,
            "",
            &[],
            &["SERVING"],
            move |world| {
                let ca = Authority::new("ca", key, |_| ());
                let pair = world.leaf_with(&ca, key, |it| it.subject_alt_names.push(ip("::1")));
                tonic(&pair).args(["--ca", world.file(&ca.pem).to_str().unwrap()])
            },
        ));
    }
    rows
}

/// Trusted here, and refused by others.
fn elsewhere() -> Vec<Row> {
    let mut rows = vec![row(
        "a CA with ed25519, and a server with ecdsa-p256",
        0,
        "",
        &[],
        &["SERVING", "would do the same"],
        |world| {
            let ca = Authority::new("ca", Key::Ed25519, |_| ());
            let ca_file = world.file(&ca.pem);
            python(&world.leaf_of(&ca, |_| ())).args(["--ca", ca_file.to_str().unwrap()])
        },
    )];
    for (name, key) in [("ed25519", Key::Ed25519), ("ecdsa-p521", Key::P521)] {
        let refused = format!("Python and C++ would refuse: the certificate has an {name} key");
        rows.push(
            row(
                format!("{name}, OpenSSL"),
                0,
                "",
                &["opinions.refused_elsewhere"],
                &[
                    "SERVING",
                    name,
                    &refused,
                    "Go, Node and Java would accept",
                    "ecdsa-p256",
                ],
                move |world| python(&world.leaf_with(&world.ca, key, |_| ())),
            )
            .id("C11"),
        );
    }
    rows.push(row(
        "a CA and a server with ed25519, rustls",
        0,
        "",
        &["opinions.refused_elsewhere"],
        &["SERVING"],
        |world| {
            let ca = Authority::new("ca", Key::Ed25519, |_| ());
            let pair = world.leaf_with(&ca, Key::Ed25519, |_| ());
            tonic(&pair).args(["--ca", world.file(&ca.pem).to_str().unwrap()])
        },
    ));
    rows.push(row(
        "ed25519 without subjectAltName",
        13,
        "name",
        &["name.no_san"],
        &["Node and Java would accept"],
        |world| {
            python(&world.leaf_with(&world.ca, Key::Ed25519, |it| {
                it.subject_alt_names.clear();
                it.distinguished_name.push(DnType::CommonName, "localhost");
            }))
        },
    ));
    rows
}

/// A healthy server on OpenSSL.
pub fn python(pair: &Pair) -> Staged {
    let server = Python::tls("grpc", pair).start();
    Staged::new(server.port, server)
}

/// A healthy server on rustls.
fn tonic(pair: &Pair) -> Staged {
    let server = Tonic::tls(rustls(pair, None, rustls::DEFAULT_VERSIONS));
    Staged::new(server.port, server)
}
