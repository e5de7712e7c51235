//! Rows: ALPN, HTTP/2 and gRPC.

use std::time::Duration;

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

use super::grpc::{Answer, Manner, Tonic, rustls};
use super::pki::{World, dns, period};
use super::process::{Python, openssl};
use super::row::{Row, Staged, row};

const GRPC: (&str, &str) = ("content-type", "application/grpc");

pub fn rows() -> Vec<Row> {
    let mut rows = http2();
    rows.extend(answers());
    rows.extend(manners());
    rows
}

fn http2() -> Vec<Row> {
    let python = |mode: &'static str, alpn: bool| {
        move |world: &World| {
            let server = Python::tls(mode, &world.ours("server"))
                .with("alpn", alpn)
                .start();
            Staged::new(server.port, server)
        }
    };
    fn behind(stage: impl Fn(&World) -> Staged) -> impl Fn(&World) -> Staged {
        move |world| stage(world).quick()
    }
    vec![
        row(
            "h2 refused (alert 120)",
            14,
            "alpn",
            &["alpn.refused"],
            &["does not offer HTTP/2", "nginx"],
            |world| {
                let server = openssl(world, &world.ours("server"), &["-alpn", "http/1.1"]);
                Staged::new(server.port, server).quick()
            },
        )
        .id("C4"),
        row(
            "h2 refused (alert 120), wrong name, expired",
            13,
            "name",
            &["name.dns_not_in_san", "time.expired", "alpn.refused"],
            &["does not offer HTTP/2"],
            |world| {
                let pair = world.leaf(|it| {
                    period(it, -30, -2);
                    it.subject_alt_names = vec![dns("orders.internal")];
                });
                let server = openssl(world, &pair, &["-alpn", "http/1.1", "-tls1_2"]);
                Staged::new(server.port, server).quick()
            },
        ),
        row(
            "nothing chosen, HTTP/2 behind it",
            14,
            "alpn",
            &["alpn.none"],
            &[
                "does speak HTTP/2",
                "set_alpn_protocols",
                "Node would accept",
            ],
            python("grpc", false),
        )
        .id("C5"),
        row(
            "nothing chosen, HTTP/1 behind it",
            14,
            "alpn",
            &["alpn.none"],
            &["HTTP/1", "would do the same"],
            python("http1", false),
        )
        .id("C6"),
        row(
            "nothing chosen, silence behind it",
            14,
            "alpn",
            &["alpn.none"],
            &["NextProtos"],
            behind(|world| {
                let server = openssl(world, &world.ours("server"), &[]);
                Staged::new(server.port, server)
            }),
        ),
        row(
            "h2 agreed, HTTP/1 behind it",
            14,
            "http2",
            &["http2.not_http2"],
            &["HTTP/1", "check the port"],
            python("http1", true),
        )
        .id("C7"),
        row(
            "h2 agreed, silent for ever",
            14,
            "http2",
            &["http2.no_settings"],
            &["never speaks it", "hangs"],
            behind(|world| {
                let server = Python::tls("hold", &world.ours("server")).start();
                Staged::new(server.port, server)
            }),
        )
        .id("F1"),
        row(
            "h2 agreed, silent for ever (openssl)",
            14,
            "http2",
            &["http2.no_settings"],
            &["never speaks it"],
            behind(|world| {
                let server = openssl(world, &world.ours("server"), &["-alpn", "h2"]);
                Staged::new(server.port, server)
            }),
        ),
        row(
            "SETTINGS, and no answer to the call",
            16,
            "grpc",
            &["grpc.no_answer"],
            &["it did not answer in time", "SETTINGS received"],
            behind(python("settings", true)),
        ),
        row(
            "SETTINGS after the client's preface, and no answer to the call",
            16,
            "grpc",
            &["grpc.no_answer"],
            &["it did not answer in time", "after the client's preface"],
            behind(python("late", true)),
        ),
        row(
            "GOAWAY",
            14,
            "http2",
            &["http2.goaway"],
            &["ENHANCE_YOUR_CALM", "`too_many_pings`", "MinTime"],
            python("goaway", true),
        )
        .id("F2"),
        row(
            "h2 agreed, then closes",
            14,
            "http2",
            &["http2.closed"],
            &["ended after the handshake", "log"],
            python("close", true),
        ),
    ]
}

fn answers() -> Vec<Row> {
    let health = |answer: Answer| {
        move |world: &World| {
            let tls = rustls(&world.ours("server"), None, rustls::DEFAULT_VERSIONS);
            let server = Tonic::start(Some(tls), answer.clone(), Manner::Prompt);
            Staged::new(server.port, server)
        }
    };
    let status = |fields| health(Answer::Head(200, fields));
    vec![
        row(
            "NOT_SERVING",
            17,
            "grpc",
            &["grpc.not_serving"],
            &["not serving", "connection is fine"],
            health(Answer::NotServing),
        )
        .id("F6"),
        row(
            "no health service",
            0,
            "",
            &["grpc.health_unimplemented"],
            &["connection is fine", "tonic-health"],
            health(Answer::NoHealth),
        )
        .id("F5"),
        row(
            "NOT_FOUND",
            0,
            "",
            &["grpc.health_unknown"],
            &["connection is fine"],
            status(&[GRPC, ("grpc-status", "5")]),
        )
        .id("F6"),
        row(
            "UNAUTHENTICATED",
            0,
            "",
            &["grpc.authentication"],
            &["UNAUTHENTICATED", "no token"],
            status(&[GRPC, ("grpc-status", "16"), ("grpc-message", "no token")]),
        )
        .id("F7"),
        row(
            "PERMISSION_DENIED",
            0,
            "",
            &["grpc.authentication"],
            &["PERMISSION_DENIED"],
            status(&[GRPC, ("grpc-status", "7")]),
        )
        .id("E10"),
        row(
            "INTERNAL",
            16,
            "grpc",
            &["grpc.status"],
            &["INTERNAL", "out of luck"],
            status(&[GRPC, ("grpc-status", "13"), ("grpc-message", "out of luck")]),
        ),
        row(
            "UNAVAILABLE",
            16,
            "grpc",
            &["grpc.status"],
            &["UNAVAILABLE"],
            status(&[GRPC, ("grpc-status", "14")]),
        ),
        row(
            "a message that steers a terminal",
            16,
            "grpc",
            &["grpc.status"],
            &["\\u{1b}[2J", "\\u{9b}"],
            status(&[
                GRPC,
                ("grpc-status", "13"),
                ("grpc-message", "%1B[2J%C2%9B31m%0A%E2%80%AE"),
            ]),
        ),
        row(
            "502 of a proxy",
            16,
            "grpc",
            &["grpc.backend_down"],
            &["HTTP 502", "text/html", "nginx", "backend"],
            health(Answer::Head(
                502,
                &[("content-type", "text/html"), ("server", "nginx")],
            )),
        )
        .id("F3"),
        row(
            "404 of a web server",
            16,
            "grpc",
            &["grpc.not_a_route"],
            &["HTTP 404"],
            health(Answer::Head(404, &[])),
        )
        .id("F4"),
        row(
            "a page instead of gRPC",
            16,
            "grpc",
            &["grpc.not_a_route"],
            &["text/html"],
            status(&[("content-type", "text/html")]),
        )
        .id("F4"),
    ]
}

fn manners() -> Vec<Row> {
    let versions = |version: &'static SupportedProtocolVersion| {
        move |world: &World| {
            let server = Tonic::tls(rustls(&world.ours("server"), None, &[version]));
            Staged::new(server.port, server)
        }
    };
    let python = |version: &'static str| {
        move |world: &World| {
            let server = Python::tls("grpc", &world.ours("server"))
                .with("version", version)
                .start();
            Staged::new(server.port, server)
        }
    };
    let manner = |manner: Manner| {
        move |world: &World| {
            let tls = rustls(&world.ours("server"), None, rustls::DEFAULT_VERSIONS);
            let server = Tonic::start(Some(tls), Answer::Serving, manner);
            Staged::new(server.port, server)
        }
    };
    vec![
        row(
            "TLS 1.3 alone (rustls)",
            0,
            "",
            &[],
            &["TLS 1.3", "SERVING"],
            versions(&TLS13),
        ),
        row(
            "TLS 1.2 alone (rustls)",
            0,
            "",
            &[],
            &["TLS 1.2", "SERVING"],
            versions(&TLS12),
        ),
        row(
            "TLS 1.3 alone (OpenSSL)",
            0,
            "",
            &[],
            &["TLS 1.3", "SERVING"],
            python("TLSv1_3"),
        ),
        row(
            "TLS 1.2 alone (OpenSSL)",
            0,
            "",
            &[],
            &["TLS 1.2", "SERVING"],
            python("TLSv1_2"),
        ),
        row(
            "waits for the client's preface",
            0,
            "",
            &[],
            &["SERVING", "after the client's preface"],
            manner(Manner::Waiting),
        ),
        row(
            "a slow handshake",
            0,
            "",
            &[],
            &["SERVING"],
            manner(Manner::Slow(Duration::from_secs(2))),
        )
        .id("C15"),
    ]
}
