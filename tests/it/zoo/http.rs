//! Rows: what answers in the place of a gRPC server, what spoils its answers on the way, and how it says farewell.

use super::pki::World;
use super::process::Python;
use super::reply::{Fields, GRPC, Reply, SERVING, health, staged};
use super::row::{Row, Staged, row};

const HTML: (&str, &str) = ("content-type", "text/html");

pub fn rows() -> Vec<Row> {
    let mut rows = proxies();
    rows.extend(gateways());
    rows.extend(broken());
    rows.extend(statuses());
    rows.extend(farewells());
    rows
}

fn says(reply: Reply) -> impl Fn(&World) -> Staged + Send + Sync {
    move |world| {
        let reply = reply.clone();
        staged(world, health(move |_| reply.clone()))
    }
}

/// A row of stage grpc that fails.
fn fails(case: &str, code: &'static str, words: &[&str], reply: Reply) -> Row {
    row(case, 16, "grpc", &[code], words, says(reply))
}

fn proxies() -> Vec<Row> {
    let head = Reply::head;
    let down = "grpc.backend_down";
    let unavailable = |server: &'static str, message: &'static str| {
        let fields: Fields = Box::leak(Box::new([
            GRPC,
            ("server", server),
            ("grpc-status", "14"),
            ("grpc-message", message),
        ]));
        head(200, fields)
    };
    vec![
        fails(
            "F3: 502 of nginx",
            down,
            &["nginx answered HTTP 502", "`nginx/1.22.1`", "grpc_pass"],
            head(502, &[HTML, ("server", "nginx/1.22.1")]),
        ),
        fails(
            "F3: 503 of envoy",
            down,
            &["envoy answered HTTP 503", "http2_protocol_options"],
            head(503, &[("server", "envoy")]),
        ),
        fails(
            "F3: 504 by way of haproxy",
            down,
            &["haproxy answered HTTP 504", "proto h2", "`2 haproxy`"],
            head(504, &[HTML, ("via", "2 haproxy")]),
        )
        .tells("/grpc/via", "2 haproxy"),
        fails(
            "F3: 503 of nobody in particular",
            down,
            &["a proxy answered HTTP 503", "nginx:", "haproxy:"],
            head(503, &[]),
        ),
        fails(
            "F3: envoy says UNAVAILABLE for the server behind it",
            down,
            &[
                "envoy answered UNAVAILABLE",
                "`upstream connect error or disconnect",
            ],
            unavailable(
                "envoy",
                "upstream connect error or disconnect/reset before headers",
            ),
        ),
        fails(
            "F3, twin: a server behind envoy says UNAVAILABLE itself",
            "grpc.status",
            &["UNAVAILABLE", "`database gone`"],
            unavailable("envoy", "database gone"),
        ),
        fails(
            "F4: 464 of AWS",
            "grpc.not_a_route",
            &["HTTP 464", "protocol version `GRPC`"],
            head(464, &[("server", "awselb/2.0")]),
        ),
        fails(
            "F4: 415, without a type",
            "grpc.not_a_route",
            &["HTTP 415", "no content-type", "/grpc.health.v1.Health/"],
            head(415, &[("server", "Kestrel")]),
        ),
        fails(
            "F4: gRPC-Web",
            "grpc.not_a_route",
            &["gRPC-Web", "browsers"],
            head(200, &[("content-type", "application/grpc-web+proto")]),
        ),
        row(
            "F4, twin: a type with a format behind it",
            0,
            "",
            &[],
            &["SERVING"],
            says(Reply {
                fields: &[
                    ("content-type", "application/grpc+proto"),
                    ("server", "nginx"),
                ],
                ..Reply::serving()
            }),
        ),
    ]
}

fn gateways() -> Vec<Row> {
    let http = |case, words: &[&str], status, fields| {
        fails(case, "grpc.http_status", words, Reply::head(status, fields))
    };
    vec![
        http(
            "F4: 401 of a gateway",
            &[
                "HTTP 401",
                "wants credentials",
                "--header 'authorization: Bearer",
            ],
            401,
            &[HTML],
        ),
        http(
            "F4: 403 of a gateway",
            &["HTTP 403", "credentials"],
            403,
            &[],
        ),
        http(
            "F4: a redirect with words that steer",
            &["elsewhere", "`https://login/?'\\u{9b}x", "do not follow"],
            302,
            &[("location", "https://login/?`\u{9b}x")],
        ),
        http("F4: a redirect to nowhere", &["not say where to"], 301, &[]),
        http("F4: 431", &["HTTP 431", "shorter headers"], 431, &[]),
        http("F4: 429", &["HTTP 429", "too many calls"], 429, &[]),
        http(
            "F4: 500",
            &["HTTP 500", "`tiny`"],
            500,
            &[("server", "tiny")],
        ),
    ]
}

fn broken() -> Vec<Row> {
    let ok: Option<Fields> = Some(&[("grpc-status", "0")]);
    let missing = |case, reply| {
        let words = ["without a gRPC status", "HTTP/2 on both sides"];
        fails(case, "grpc.trailers_missing", &words, reply)
    };
    let undecodable = |case, word: &str, reply| {
        fails(
            case,
            "grpc.undecodable",
            &["cannot be decoded", word],
            reply,
        )
    };
    let body = |data: &[u8]| Reply::grpc(data, ok);
    let mut compressed = body(&[1, 0, 0, 0, 2, 8, 1]);
    compressed.fields = &[GRPC, ("grpc-encoding", "gzip")];
    vec![
        missing("F9: trailers are lost", Reply::grpc(SERVING, None)),
        missing(
            "F9: trailers without a status",
            Reply::grpc(SERVING, Some(&[("x-time", "1")])),
        ),
        missing("F9: a head without a status", Reply::head(200, &[GRPC])),
        row(
            "F9, twin: with trailers",
            0,
            "",
            &[],
            &["SERVING"],
            says(Reply::serving()),
        ),
        undecodable(
            "F10: a page as a message",
            "does not start",
            body(b"<html></html>"),
        ),
        undecodable("F10: compressed", "compressed with `gzip`", compressed),
        undecodable(
            "F10: compressed, nobody knows how",
            "does not say how",
            body(&[1, 0, 0, 0, 2, 8, 1]),
        ),
        undecodable(
            "F10: a message of 2 GiB",
            "2147483647 octets",
            body(&[0, 0x7f, 0xff, 0xff, 0xff, 8]),
        ),
        undecodable(
            "F10: another message",
            "not one of the health service",
            body(&[0, 0, 0, 0, 2, 0xff, 0xff]),
        ),
        undecodable("F10: no message", "no message", body(&[])),
        undecodable(
            "F10: a status that is no number",
            "not a number",
            Reply::grpc(SERVING, Some(&[("grpc-status", "fine")])),
        ),
        row(
            "F10: a head of 200 KiB",
            16,
            "grpc",
            &["grpc.no_answer"],
            &["not right as HTTP/2"],
            |world| {
                let value = &*"x".repeat(200 * 1024).leak();
                let fields: Fields = Box::leak(Box::new([GRPC, ("x-long", value)]));
                says(Reply::head(200, fields))(world)
            },
        ),
        row(
            "F10: an answer that never ends",
            16,
            "grpc",
            &["grpc.no_answer"],
            &["did not answer in time"],
            |world| {
                let reply = Reply {
                    ends: false,
                    ..Reply::grpc(SERVING, None)
                };
                says(reply)(world).quick()
            },
        ),
    ]
}

fn statuses() -> Vec<Row> {
    let status = |code: &'static str, message: String| {
        let fields: Fields = Box::leak(Box::new([
            GRPC,
            ("grpc-status", code),
            ("grpc-message", &*message.leak()),
        ]));
        Reply::head(200, fields)
    };
    vec![
        fails(
            "F10: RESOURCE_EXHAUSTED",
            "grpc.status",
            &["RESOURCE_EXHAUSTED", "look for a limit"],
            status("8", "message too large".to_owned()),
        ),
        fails(
            "F10: UNIMPLEMENTED, but it is the encoding",
            "grpc.status",
            &["compressed", "Decompressor"],
            status("12", "grpc: Decompressor is not installed".to_owned()),
        ),
        row(
            "F10, twin: UNIMPLEMENTED, and it is the method",
            0,
            "",
            &["grpc.health_unimplemented"],
            &["no health service"],
            says(status("12", "unknown service".to_owned())),
        ),
        fails(
            "a message that is long and full of quotes",
            "grpc.status",
            &["`'''", "'…`"],
            status("13", "`".repeat(5000)),
        ),
        fails(
            "details that are not base64, in the head",
            "grpc.status",
            &["INTERNAL"],
            Reply::head(
                200,
                &[
                    GRPC,
                    ("grpc-status", "13"),
                    ("grpc-status-details-bin", "***"),
                ],
            ),
        ),
        fails(
            "details that are not base64, in the trailers",
            "grpc.status",
            &["INTERNAL"],
            Reply::grpc(
                &[],
                Some(&[("grpc-status", "13"), ("grpc-status-details-bin", "***")]),
            ),
        ),
    ]
}

fn farewells() -> Vec<Row> {
    let goaway = |case: &str, reason: u32, debug: &'static str, words: &[&str]| {
        row(case, 14, "http2", &["http2.goaway"], words, move |world| {
            let server = Python::tls("goaway", &world.ours("server"));
            let server = server.with("reason", reason).with("debug", debug).start();
            Staged::new(server.port, server)
        })
    };
    vec![
        goaway(
            "F2: too many pings",
            11,
            "too_many_pings",
            &["too many pings", "5 minutes", "MinTime"],
        )
        .tells("/grpc/goaway", "ENHANCE_YOUR_CALM"),
        goaway(
            "F2: too much load",
            11,
            "",
            &["too much load", "ENHANCE_YOUR_CALM"],
        ),
        goaway(
            "F2: it shuts down, in words that steer",
            0,
            "\u{1b}[2J`bye`\u{202e}",
            &["NO_ERROR", "shutting down", "`\\u{1b}[2J'bye'\\u{202e}`"],
        ),
        goaway("F2: it failed", 2, "", &["INTERNAL_ERROR", "log"]),
        goaway("F2: inadequate security", 12, "", &["TLS 1.3"]),
        goaway(
            "F2: it wants HTTP/1.1",
            13,
            "",
            &["HTTP_1_1_REQUIRED", "check the port"],
        ),
        goaway("F2: another reason", 1, "", &["PROTOCOL_ERROR", "log"]),
        row(
            "F2: the call is reset",
            16,
            "grpc",
            &["grpc.no_answer"],
            &["ended the first call with REFUSED_STREAM"],
            |world| {
                let server = Python::tls("reset", &world.ours("server")).start();
                Staged::new(server.port, server)
            },
        ),
        row(
            "F2: the call is reset without an error",
            16,
            "grpc",
            &["grpc.no_answer"],
            &["ended the first call with NO_ERROR"],
            |world| {
                let server = Python::tls("reset", &world.ours("server"));
                let server = server.with("reason", 0).start();
                Staged::new(server.port, server)
            },
        ),
    ]
}
