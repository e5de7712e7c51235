//! Rows: from the name to TLS.

use super::grpc::{Answer, Manner, Raw, Tonic, close, closed_port, greet, hold, reset};
use super::process::{Python, python_http, serve};
use super::row::{Row, Staged, row};

pub fn rows() -> Vec<Row> {
    vec![
        row(
            "our own server",
            0,
            "",
            &[],
            &["SERVING", "h2", "not asked for", "my-ca"],
            |world| {
                let server = serve(world, &[]);
                Staged::new(server.port, server)
            },
        ),
        row(
            "a name that does not resolve",
            10,
            "dns",
            &["dns.not_found"],
            &["does-not-exist.invalid", "spelling"],
            |_| Staged::new(50051, ()).at("does-not-exist.invalid"),
        )
        .id("B1"),
        row(
            "closed port",
            11,
            "tcp",
            &["tcp.refused"],
            &["nothing listens on port", "127.0.0.1", "start the server"],
            |_| Staged::new(closed_port(), ()),
        )
        .id("B2"),
        row(
            "a full queue, where packets are dropped",
            11,
            "tcp",
            &["tcp.timeout"],
            &["neither accepted nor refused", "firewall"],
            |_| {
                let server = Python::new("full").start();
                Staged::new(server.port, server).quick()
            },
        )
        .id("B4"),
        row(
            "an address of many machines, to which there is no way",
            11,
            "tcp",
            &["tcp.unreachable"],
            &["cannot be reached", "check the network"],
            |_| Staged::new(50051, ()).at("224.0.0.1"),
        ),
        row(
            "accepts, and never answers",
            12,
            "tls",
            &["tls.silent"],
            &["never answers", "hang"],
            |_| raw(hold).quick(),
        )
        .id("B6"),
        row(
            "accepts, and closes at once",
            12,
            "tls",
            &["tls.closed"],
            &["ended during the handshake"],
            |_| raw(drop),
        )
        .id("B5"),
        row(
            "closes after the ClientHello",
            12,
            "tls",
            &["tls.closed"],
            &["closed the connection", "log"],
            |_| raw(close),
        )
        .id("B5"),
        row(
            "accepts, and resets",
            12,
            "tls",
            &["tls.closed"],
            &["reset the connection", "log"],
            |_| raw(reset),
        )
        .id("B5"),
        row(
            "gRPC without TLS (tonic)",
            12,
            "tls",
            &["tls.plaintext"],
            &["without TLS", "add_secure_port", "grpc-pki serve"],
            |_| {
                let server = Tonic::start(None, Answer::Serving, Manner::Prompt);
                Staged::new(server.port, server)
            },
        )
        .id("C1"),
        row(
            "gRPC without TLS (SETTINGS by hand)",
            12,
            "tls",
            &["tls.plaintext"],
            &["clear text"],
            |_| {
                let server = Python::new("settings").start();
                Staged::new(server.port, server)
            },
        ),
        row(
            "a web server without TLS",
            12,
            "tls",
            &["tls.not_tls"],
            &["HTTP/1 without TLS", "check the port"],
            |world| {
                let server = python_http(world);
                Staged::new(server.port, server)
            },
        )
        .id("C1"),
        row(
            "SSH",
            12,
            "tls",
            &["tls.not_tls"],
            &["SSH", "check the port"],
            |_| raw(|it| greet(it, b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")),
        ),
        row(
            "a mail server",
            12,
            "tls",
            &["tls.not_tls"],
            &["220 mail.example.com ESMTP", "check the port"],
            |_| raw(|it| greet(it, b"220 mail.example.com ESMTP\r\n")),
        ),
        row(
            "garbage",
            12,
            "tls",
            &["tls.not_tls"],
            &["something else"],
            |_| raw(|it| greet(it, &[0xa7; 200])),
        ),
        row(
            "garbage of a few octets",
            12,
            "tls",
            &["tls.not_tls"],
            &["something else"],
            |_| raw(|it| greet(it, b"?\n")).quick(),
        ),
        row(
            "garbage that steers a terminal",
            12,
            "tls",
            &["tls.not_tls"],
            &["\\u{1b}[2J"],
            |_| raw(|it| greet(it, b"\x1b[2J\x07\r\xc2\x9b31m\xe2\x80\xae\x7f hello\n")),
        ),
        row(
            "a broken TLS record",
            12,
            "tls",
            &["tls.incompatible"],
            &["breaks off in the middle"],
            |_| raw(|it| greet(it, b"\x16\x03\x03\x00\x04\x02\xff\xff\xff")),
        ),
        row(
            "chooses TLS 1.1, although it was not offered",
            12,
            "tls",
            &["tls.old_version"],
            &["nothing later than TLS 1.1"],
            |_| raw(|it| greet(it, &server_hello(0x0302))),
        ),
    ]
}

/// A ServerHello that chooses this version and TLS_RSA_WITH_AES_128_CBC_SHA (RFC 5246, 7.4.1.3).
fn server_hello(version: u16) -> Vec<u8> {
    let version = version.to_be_bytes();
    let mut hello = [&[0x16][..], &version, &[0, 42, 2, 0, 0, 38], &version].concat();
    hello.extend([0x5a; 32]);
    hello.extend([0, 0x00, 0x2f, 0]);
    hello
}

fn raw(each: fn(std::net::TcpStream)) -> Staged {
    let server = Raw::start(each);
    Staged::new(server.address.port(), server)
}
