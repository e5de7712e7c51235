//! Rows: ClientHellos that are lost on the way or at the server, and what a closer look at a healthy one tells.

use rustls::version::{TLS12, TLS13};
use rustls::{DEFAULT_VERSIONS, SupportedProtocolVersion};
use serde_json::Value;

use super::grpc::{Raw, Tonic, close, greet, hold, reset, rustls};
use super::middlebox::{Else, Middlebox, Passes};
use super::negotiation::RACES;
use super::pki::World;
use super::process::{Python, serve};
use super::row::{Row, Staged, row};

/// What a healthy server with TLS 1.3 is asked with `--deep`.
const SURVEYED: &[&str] = &["primary", "tls_old_versions", "tls_1_2", "split_hello"];
/// The key share X25519MLKEM768: the group, and its length of 1216 octets.
const POST_QUANTUM: &[u8] = &[0x11, 0xec, 0x04, 0xc0];
/// `status_request`, which our own ClientHellos have and those made by hand do not.
const STATUS_REQUEST: &[u8] = &[0, 5, 0, 5, 1, 0, 0, 0, 0];

pub fn rows() -> Vec<Row> {
    let mut rows = between();
    rows.extend(surveys());
    rows.extend(silence());
    rows.extend(greetings());
    rows
}

/// A healthy server behind something.
pub fn behind(world: &World, passes: Passes, otherwise: Else) -> Staged {
    let server = Tonic::tls(rustls(&world.ours("server"), None, DEFAULT_VERSIONS));
    let between = Middlebox::before(server.port, passes, otherwise);
    Staged::new(between.port, (between, server))
}

fn between() -> Vec<Row> {
    let lost = |case: &str, code, words: &[&str], passes, otherwise| {
        let row = row(case, 12, "tls", &[code], words, move |world| {
            let staged = behind(world, passes, otherwise);
            match otherwise {
                Else::Hold => staged.quick(),
                _ => staged,
            }
        });
        match otherwise {
            // Each of its looks takes as long as there is time.
            Else::Hold => row.times(3),
            _ => row.times(RACES),
        }
    };
    let size = &["for its size", "GODEBUG=tlsmlkem=0", "what lies between"];
    let split = &["in two packets", "GODEBUG=tlsmlkem=0"];
    let large = "tls.large_hello";
    vec![
        lost(
            "resets at a large ClientHello",
            large,
            size,
            Passes::Small(1200),
            Else::Reset,
        )
        .connects(&[
            "primary",
            "plaintext",
            "small_hello",
            "split_hello",
            "large_hello",
            "post_quantum_hello",
        ]),
        lost(
            "closes at a large ClientHello",
            large,
            size,
            Passes::Small(1200),
            Else::Close,
        ),
        lost(
            "drops a large ClientHello",
            large,
            size,
            Passes::Small(1200),
            Else::Hold,
        )
        .id("C12"),
        lost(
            "resets at a post-quantum key share",
            large,
            &["post-quantum key exchange gets no answer", "X25519MLKEM768"],
            Passes::Without(POST_QUANTUM),
            Else::Reset,
        ),
        lost(
            "closes at half a ClientHello",
            "tls.split_hello",
            split,
            Passes::OneRead(1200),
            Else::Close,
        ),
        lost(
            "waits at half a ClientHello",
            "tls.split_hello",
            split,
            Passes::OneRead(1200),
            Else::Hold,
        ),
        lost(
            "loses the first connection, and takes the others",
            "tls.closed",
            &["Tried again, it did answer"],
            Passes::Without(STATUS_REQUEST),
            Else::Close,
        ),
    ]
}

fn surveys() -> Vec<Row> {
    let versions = |lowest: &'static str| {
        move |world: &World| {
            let server = Python::tls("grpc", &world.ours("server"))
                .with("lowest", lowest)
                .with("ciphers", "ALL:@SECLEVEL=0")
                .start();
            Staged::new(server.port, server).args(["--deep"])
        }
    };
    let only = |version: &'static SupportedProtocolVersion| {
        move |world: &World| {
            let server = Tonic::tls(rustls(&world.ours("server"), None, &[version]));
            Staged::new(server.port, server).args(["--deep"])
        }
    };
    vec![
        row(
            "our own server, surveyed",
            0,
            "",
            &[],
            &["SERVING"],
            |world| {
                let server = serve(world, &[]);
                Staged::new(server.port, server).args(["--deep"])
            },
        )
        .tells("/tls/survey/lowest_version", "TLS 1.2")
        .tells("/tls/survey/tls_1_2", true)
        .tells("/tls/survey/post_quantum", true)
        .tells("/tls/survey/split_hello", true)
        .connects(SURVEYED)
        .times(RACES),
        row("TLS 1.3 alone, surveyed", 0, "", &[], &[], only(&TLS13))
            .tells("/tls/survey/lowest_version", "TLS 1.3")
            .tells("/tls/survey/tls_1_2", false),
        row("TLS 1.2 alone, surveyed", 0, "", &[], &[], only(&TLS12))
            .tells("/tls/survey/lowest_version", "TLS 1.2")
            .tells("/tls/survey/post_quantum", false)
            .connects(&["primary", "tls_old_versions", "split_hello"]),
        row(
            "TLS 1.0 as well, surveyed",
            0,
            "",
            &["tls.accepts_old_versions"],
            &["still accepts TLS 1.0", "ssl_protocols"],
            versions("TLSv1"),
        )
        .tells("/tls/survey/lowest_version", "TLS 1.0")
        .connects(&[
            "primary",
            "tls_old_versions",
            "tls_1_0",
            "tls_1_2",
            "split_hello",
        ]),
        row(
            "TLS 1.1 as well, surveyed",
            0,
            "",
            &["tls.accepts_old_versions"],
            &["still accepts TLS 1.1"],
            versions("TLSv1_1"),
        )
        .tells("/tls/survey/lowest_version", "TLS 1.1"),
        row(
            "TLS 1.0 as well, at a glance",
            0,
            "",
            &[],
            &["SERVING"],
            |world| {
                let server = Python::tls("grpc", &world.ours("server"))
                    .with("lowest", "TLSv1")
                    .with("ciphers", "ALL:@SECLEVEL=0")
                    .start();
                Staged::new(server.port, server)
            },
        )
        .tells("/tls/survey", Value::Null)
        .connects(&["primary"]),
        row(
            "takes a ClientHello in one piece only, surveyed",
            0,
            "",
            &["tls.hello_in_one_piece"],
            &["in two packets"],
            |world| behind(world, Passes::OneRead(64 * 1024), Else::Close).args(["--deep"]),
        )
        .tells("/tls/survey/split_hello", false)
        .times(RACES),
    ]
}

/// Servers with which nothing helps: they are not asked more than that.
fn silence() -> Vec<Row> {
    let ended =
        |case: &str, code, staged: fn(std::net::TcpStream), more: &'static [&'static str]| {
            row(case, 12, "tls", &[code], &[], move |_| {
                let server = Raw::start(staged);
                let staged = Staged::new(server.address.port(), server);
                match code {
                    "tls.silent" => staged.quick(),
                    _ => staged,
                }
            })
            .connects(more)
        };
    const ENDS: &[&str] = &[
        "primary",
        "plaintext",
        "small_hello",
        "wide_hello",
        "tls_old_versions",
        "without_sni",
    ];
    vec![
        ended(
            "silent to everything",
            "tls.silent",
            hold,
            &["primary", "small_hello", "plaintext"],
        )
        .times(3),
        ended("closes at everything", "tls.closed", close, ENDS).times(RACES),
        ended("resets at everything", "tls.closed", reset, ENDS).times(RACES),
    ]
}

/// Other protocols, which speak first or complain.
fn greetings() -> Vec<Row> {
    let says = |name: &'static str, staged: fn(std::net::TcpStream)| {
        let words = [&format!("the port speaks {name}")[..], "check the port"];
        row(
            format!("{name} where gRPC was meant"),
            12,
            "tls",
            &["tls.not_tls"],
            &words,
            move |_| {
                let server = Raw::start(staged);
                Staged::new(server.address.port(), server)
            },
        )
    };
    vec![
        says("SMTP", |it| greet(it, b"220 mail.example.com ESMTP\r\n")),
        says("FTP", |it| greet(it, b"220 (vsFTPd 3.0.3)\r\n")),
        says("MySQL", |it| greet(it, b"J\0\0\0\x0a8.0.36\0\x08\0\0\0")),
        says("Redis", |it| greet(it, b"-ERR unknown command\r\n")),
        says("PostgreSQL", |it| {
            greet(it, b"E\0\0\0\x53SFATAL\0VFATAL\0C0A000\0")
        }),
    ]
}
