//! Rows: Go's crypto/tls and net/http.

use serde_json::{Value, json};

use super::client_auth::{RACES, shown};
use super::enforcement::{ANONYMOUS, FIVE, OURS, SIX, THROWAWAY, TWO, VERDICT};
use super::pki::{Authority, Key, Pair, World, for_clients, period};
use super::row::{Row, Staged, row};
use super::tool::Tool;

const TLS11: u16 = 0x0302;
const TLS12: u16 = 0x0303;
const TLS13: u16 = 0x0304;

/// A Go server, told more by these keys; see server.go.
fn go(world: &World, more: Value) -> Staged {
    let (pair, ca) = (world.ours("server"), world.ours("ca"));
    let mut asked = json!({
        "mode": "grpc", "cert": pair.certificate, "key": pair.key, "clientCA": ca.certificate, "alpn": ["h2"],
    });
    let more = more.as_object().unwrap().clone();
    asked.as_object_mut().unwrap().extend(more);
    let server = Tool::Go.serve(&asked);
    Staged::new(server.port, server)
}

pub fn rows() -> Vec<Row> {
    let mut rows = protocols();
    for (name, max) in [("TLS 1.2", TLS12), ("TLS 1.3", TLS13)] {
        rows.extend(demanded(name, max));
        rows.extend(asked(name, max));
    }
    rows.into_iter().map(|it| it.needs(Tool::Go)).collect()
}

fn protocols() -> Vec<Row> {
    let with = |more: fn() -> Value| move |world: &World| go(world, more());
    vec![
        row(
            "Go, healthy",
            0,
            "",
            &[],
            &["SERVING", "TLS 1.3"],
            with(|| json!({})),
        ),
        row(
            "Go, MinVersion TLS 1.3",
            0,
            "",
            &[],
            &["SERVING", "TLS 1.3"],
            with(|| json!({ "min": TLS13 })),
        ),
        row(
            "Go, MaxVersion TLS 1.2",
            0,
            "",
            &[],
            &["SERVING", "TLS 1.2"],
            with(|| json!({ "max": TLS12 })),
        )
        .id("C10"),
        row(
            "Go, MaxVersion TLS 1.1",
            12,
            "tls",
            &["tls.old_version"],
            &["nothing later than TLS 1.1", "raise its highest version"],
            with(|| json!({ "min": TLS11, "max": TLS11 })),
        )
        .id("C8"),
        row(
            "Go, gRPC behind tls.NewListener without NextProtos",
            14,
            "alpn",
            &["alpn.none"],
            &[
                "does speak HTTP/2",
                "grpc.Creds(credentials.NewTLS(config))",
            ],
            with(|| json!({ "alpn": [] })),
        )
        .id("C5")
        .times(RACES),
        row(
            "Go, net/http behind tls.NewListener without NextProtos",
            14,
            "alpn",
            &["alpn.none"],
            &["NextProtos"],
            with(|| json!({ "mode": "http", "alpn": [] })),
        )
        .id("C6")
        .times(RACES),
        row(
            "Go, NextProtos http/1.1 alone",
            14,
            "alpn",
            &["alpn.refused"],
            &["does not offer HTTP/2"],
            with(|| json!({ "mode": "http", "alpn": ["http/1.1"] })),
        )
        .id("C4"),
    ]
}

/// RequireAndVerifyClientCert.
fn demanded(version: &str, max: u16) -> Vec<Row> {
    let case = |what: &str| format!("Go, RequireAndVerifyClientCert, {what} ({version})");
    let server = move |world: &World| {
        let auth = "RequireAndVerifyClientCert";
        go(world, json!({ "auth": auth, "max": max }))
    };
    let refused = |what: &str, words: &[&str], pair: fn(&World) -> Pair| {
        row(
            case(what),
            15,
            "client_auth",
            &["client_auth.refused"],
            words,
            move |world| shown(server(world), &pair(world)),
        )
        .tells("/client_auth/with_cert", "refused_alert")
        .times(RACES)
    };
    vec![
        row(
            case("none shown"),
            15,
            "client_auth",
            &["client_auth.required"],
            &["CN=my-ca", "--client client"],
            server,
        )
        .id("E1")
        .tells(VERDICT, "required")
        .tells(ANONYMOUS, "refused_alert")
        .connects(&["primary"])
        .times(RACES),
        refused("of another CA", &["CN=other-ca", "A Go client"], |world| {
            let other = Authority::new("other-ca", Key::P256, |_| ());
            world.leaf_of(&other, for_clients)
        })
        .id("E2"),
        refused("expired", &["expired on"], |world| {
            world.leaf(|it| {
                for_clients(it);
                period(it, -30, -2);
            })
        })
        .id("E3"),
        refused("for servers alone", &["lacks clientAuth"], |world| {
            world.leaf(|_| ())
        })
        .id("E4"),
        refused("without its intermediate", &["CN=issuing-ca"], |world| {
            world.leaf_of(&world.ca.below("issuing-ca"), for_clients)
        })
        .id("E5"),
        row(
            case("ours shown"),
            0,
            "",
            &[],
            &["required (proven)", "SERVING"],
            move |world| server(world).args(["--client", "client", "--require-mtls", "--deep"]),
        )
        .tells(VERDICT, "required")
        .tells(THROWAWAY, "refused_alert")
        .connects(if max == TLS12 { FIVE } else { SIX })
        .times(RACES),
    ]
}

/// What asks for less.
fn asked(version: &str, max: u16) -> Vec<Row> {
    let case = |what: &str| format!("Go, {what} ({version})");
    let with = move |auth: &'static str, args: &'static [&str]| {
        move |world: &World| go(world, json!({ "auth": auth, "max": max })).args(args)
    };
    let deep = &["--client", "client", "--deep"];
    vec![
        row(
            case("VerifyClientCertIfGiven, none shown"),
            0,
            "",
            &[],
            &["requested (not enforced)"],
            with("VerifyClientCertIfGiven", &[]),
        )
        .tells(VERDICT, "requested")
        .times(RACES),
        row(
            case("VerifyClientCertIfGiven, ours shown"),
            0,
            "",
            &["client_auth.optional"],
            &["RequireAndVerifyClientCert"],
            with("VerifyClientCertIfGiven", &OURS),
        )
        .id("E6")
        .tells(VERDICT, "requested")
        .connects(TWO)
        .times(RACES),
        row(
            case("VerifyClientCertIfGiven, looked at closely"),
            0,
            "",
            &["client_auth.optional"],
            &[],
            with("VerifyClientCertIfGiven", deep),
        )
        .tells(THROWAWAY, "refused_alert"),
        row(
            case("RequestClientCert, looked at closely"),
            15,
            "client_auth",
            &["client_auth.accepts_any"],
            &["RequireAndVerifyClientCert"],
            with("RequestClientCert", deep),
        )
        .id("E8")
        .tells(ANONYMOUS, "accepted")
        .times(RACES),
        row(
            case("RequireAnyClientCert, looked at closely"),
            15,
            "client_auth",
            &["client_auth.accepts_any"],
            &["made up for this test", "RequireAndVerifyClientCert"],
            with("RequireAnyClientCert", deep),
        )
        .id("E8")
        .tells(VERDICT, "accepts_any")
        .tells(ANONYMOUS, "refused_alert")
        .connects(if max == TLS12 { FIVE } else { SIX })
        .times(RACES),
        row(
            case("greets, and then leaves clients without a certificate"),
            16,
            "grpc",
            &["grpc.no_answer"],
            &[
                "closed the connection",
                "asked for a client certificate and got none",
            ],
            move |world| {
                let asked = json!({ "mode": "greet", "auth": "RequestClientCert", "max": max });
                go(world, asked)
            },
        )
        .times(RACES),
    ]
}
