//! Rows: where to dial, by `--connect`, and on the two loopbacks.

use super::grpc::closed_port;
use super::pki::World;
use super::process::{Process, Python, openssl, serve};
use super::row::{Row, Staged, finish, row, verify};
use super::sockets::{self, at_socket};

pub fn rows() -> Vec<Row> {
    let mut rows = connect();
    rows.extend(sockets::rows());
    rows.extend(loopbacks());
    rows
}

fn connect() -> Vec<Row> {
    fn at(target: &'static str, server: impl Fn(&World) -> Process) -> impl Fn(&World) -> Staged {
        move |world| {
            let server = server(world);
            let place = format!("127.0.0.1:{}", server.port);
            Staged::new(server.port, server)
                .dial(target)
                .args(["--connect".to_owned(), place])
        }
    }
    // It has the certificate of this name for this name alone, and takes no other.
    let orders = [
        "-servername",
        "orders.internal",
        "-servername_fatal",
        "-cert2",
        "pki/orders.crt",
        "-key2",
        "pki/orders.key",
    ];
    vec![
        row(
            "--connect: another place, the same name",
            0,
            "",
            &[],
            &["SERVING", "127.0.0.1:", "localhost"],
            at("localhost:1", |world| serve(world, &[])),
        )
        .tells("/target", "localhost:1"),
        row(
            "--connect: the name of the target is checked, not that of the place",
            13,
            "name",
            &["name.dns_not_in_san"],
            &["wanted payments.internal"],
            at("payments.internal:443", |world| serve(world, &[])),
        ),
        row(
            "--connect: the name of the target is sent as SNI",
            14,
            "alpn",
            &["alpn.none"],
            &["orders ← my-ca", "orders.internal"],
            move |world| {
                at("orders.internal:443", |world| {
                    openssl(world, &world.ours("server"), &orders)
                })(world)
                .quick()
            },
        ),
        row(
            "--connect: a port that is closed",
            11,
            "tcp",
            &["tcp.refused"],
            &["127.0.0.1:", "serve 127.0.0.1:"],
            |_| {
                let place = format!("127.0.0.1:{}", closed_port());
                Staged::new(0, ())
                    .dial("localhost:443")
                    .args(["--connect", &place])
            },
        ),
        row(
            "--connect: a name that does not resolve, before one that does",
            10,
            "dns",
            &["dns.not_found"],
            &["does-not-exist.invalid"],
            |_| {
                Staged::new(0, ())
                    .dial("localhost:443")
                    .args(["--connect", "does-not-exist.invalid:443"])
            },
        ),
        row(
            "--connect: the command to type next goes there too",
            15,
            "client_auth",
            &["client_auth.required"],
            &[
                "verify localhost:1 --connect 127.0.0.1:",
                " --client client",
            ],
            at("localhost:1", |world| serve(world, &["--mtls"])),
        ),
        row(
            "--connect: a Unix socket",
            0,
            "",
            &[],
            &["SERVING", "unix:there.sock"],
            |world| {
                at_socket("there.sock", Python::tls("grpc", &world.ours("server")))(world)
                    .dial("localhost:443")
                    .args(["--connect", "unix:there.sock"])
            },
        ),
    ]
}

/// B3: `localhost` is one of two addresses, and the server listens on the other.
fn loopbacks() -> Vec<Row> {
    fn on(host: &'static str) -> impl Fn(&World) -> Process {
        move |world| {
            Python::tls("grpc", &world.ours("server"))
                .with("host", host)
                .start()
        }
    }
    vec![
        row(
            "the server listens on ::1 alone, and IPv4 is dialled",
            11,
            "tcp",
            &["tcp.other_loopback"],
            &[
                "the server listens on [::1] only",
                "You dial 127.0.0.1",
                "--connect '[::1]:",
                "verify 127.0.0.1:",
            ],
            |world| {
                let server = on("::1")(world);
                Staged::new(server.port, server).at("127.0.0.1")
            },
        )
        .id("B3"),
        row(
            "the server listens on 127.0.0.1 alone, and IPv6 is dialled",
            11,
            "tcp",
            &["tcp.other_loopback"],
            &[
                "the server listens on 127.0.0.1 only",
                "or on ::1 as well",
                "--connect '127.0.0.1:",
            ],
            |world| {
                let server = on("127.0.0.1")(world);
                Staged::new(server.port, server).at("[::1]")
            },
        ),
        row(
            "the server listens on ::1 alone, and is dialled there",
            0,
            "",
            &[],
            &["SERVING", "[::1]:"],
            |world| {
                let server = on("::1")(world);
                let place = format!("[::1]:{}", server.port);
                Staged::new(server.port, server).args(["--connect", &place])
            },
        ),
        row(
            "the server listens on another address of this machine",
            11,
            "tcp",
            &["tcp.refused"],
            &["nothing listens on port"],
            |world| {
                let server = on("127.0.0.2")(world);
                Staged::new(server.port, server)
            },
        ),
    ]
}

#[test]
fn what_is_no_place_to_dial_says_why() {
    let world = World::new();
    for (args, says) in [
        (
            ["localhost:1", "--connect", "localhost"],
            "`localhost` names no port",
        ),
        (
            ["localhost:1", "--connect", ""],
            "neither a DNS name nor an IP address",
        ),
        (
            ["localhost:1", "--connect", "https://a:1"],
            "`https://a:1` is no TLS target",
        ),
        (
            ["unix:", "--connect", "a:1"],
            "`unix:` names no Unix socket",
        ),
        (
            ["unix://run/a", "--connect", "a:1"],
            "`unix://run/a` names no Unix socket",
        ),
    ] {
        let mut command = verify(&world);
        command.args(args);
        let output = finish(command);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            stderr.starts_with("error: ") && stderr.contains(says),
            "{stderr}"
        );
        assert!(stderr.contains("\nhint: "), "{stderr}");
    }
}
