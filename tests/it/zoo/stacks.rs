//! Rows: gRPC's C core, by way of Python, and Node.

use serde_json::{Value, json};

use super::client_auth::{RACES, shown};
use super::enforcement::{ANONYMOUS, OURS, SIX, THROWAWAY, TWO, VERDICT, WITH_CERT};
use super::pki::{Authority, Key, Pair, World, for_clients};
use super::row::{Row, Staged, row};
use super::tool::Tool;

/// A server with our certificate, told more by these keys; see grpc_c.py and server.js.
fn stack(tool: Tool, world: &World, more: Value) -> Staged {
    let pair = world.ours("server");
    let mut asked = json!({ "cert": pair.certificate, "key": pair.key });
    let more = more.as_object().unwrap().clone();
    asked.as_object_mut().unwrap().extend(more);
    let server = tool.serve(&asked);
    Staged::new(server.port, server)
}

fn stranger(world: &World) -> Pair {
    let other = Authority::new("other-ca", Key::P256, |_| ());
    world.leaf_of(&other, for_clients)
}

pub fn rows() -> Vec<Row> {
    let grpcio = grpcio().into_iter().map(|it| it.needs(Tool::Grpcio));
    let grpc_js = grpc_js().into_iter().map(|it| it.needs(Tool::GrpcJs));
    let node = node().into_iter().map(|it| it.needs(Tool::Node));
    grpcio.chain(grpc_js).chain(node).collect()
}

/// A server that refuses in TLS 1.3 ends the connection, without an alert and without naming its CAs.
fn grpcio() -> Vec<Row> {
    let demanding = |world: &World| {
        let ca = world.ours("ca").certificate;
        stack(
            Tool::Grpcio,
            world,
            json!({ "client_ca": ca, "require": true }),
        )
    };
    vec![
        row("grpcio, healthy", 0, "", &[], &["SERVING"], |world| {
            stack(Tool::Grpcio, world, json!({}))
        }),
        row(
            "grpcio, without a health service",
            0,
            "",
            &["grpc.health_unimplemented"],
            &["connection is fine", "grpcio-health-checking"],
            |world| stack(Tool::Grpcio, world, json!({ "health": false })),
        )
        .id("F5"),
        row(
            "grpcio, require_client_auth, none shown",
            15,
            "client_auth",
            &["client_auth.required"],
            &["closed the connection", "--client client"],
            demanding,
        )
        .id("E1")
        .tells(VERDICT, "required")
        .tells(ANONYMOUS, "refused_close")
        .connects(&["primary"])
        .times(RACES),
        row(
            "grpcio, require_client_auth, one of another CA",
            15,
            "client_auth",
            &["client_auth.refused"],
            &["closed the connection", "CN=other-ca"],
            move |world| shown(demanding(world), &stranger(world)),
        )
        .id("E2")
        .tells(WITH_CERT, "refused_close")
        .times(RACES),
        row(
            "grpcio, require_client_auth, ours shown",
            0,
            "",
            &[],
            &["required (proven)", "SERVING"],
            move |world| demanding(world).args(["--client", "client", "--require-mtls", "--deep"]),
        )
        .tells(VERDICT, "required")
        .tells(ANONYMOUS, "refused_close")
        .tells(THROWAWAY, "refused_close")
        .connects(SIX)
        .times(RACES),
        row(
            "grpcio, with a CA for clients, but require_client_auth=False",
            15,
            "client_auth",
            &["client_auth.not_enforced"],
            &["does not ask", "require_client_auth=True"],
            |world| {
                let ca = world.ours("ca").certificate;
                stack(Tool::Grpcio, world, json!({ "client_ca": ca }))
                    .args(OURS)
                    .args(["--require-mtls"])
            },
        )
        .id("E6")
        .tells(VERDICT, "ignored")
        .connects(&["primary"]),
    ]
}

fn grpc_js() -> Vec<Row> {
    let demanding = |world: &World, ca: Value| {
        let more = json!({ "mode": "grpc-js", "client_ca": ca, "request": true });
        stack(Tool::GrpcJs, world, more)
    };
    let ours = move |world: &World| demanding(world, json!(world.ours("ca").certificate));
    vec![
        row("grpc-js, healthy", 0, "", &[], &["SERVING"], |world| {
            stack(
                Tool::GrpcJs,
                world,
                json!({ "mode": "grpc-js", "request": false }),
            )
        }),
        row(
            "grpc-js, checkClientCertificate, none shown",
            15,
            "client_auth",
            &["client_auth.required"],
            &["--client client"],
            ours,
        )
        .id("E1")
        .tells(VERDICT, "required")
        .connects(&["primary"])
        .times(RACES),
        row(
            "grpc-js, checkClientCertificate, one of another CA",
            15,
            "client_auth",
            &["client_auth.refused"],
            &["CN=other-ca"],
            move |world| shown(ours(world), &stranger(world)),
        )
        .id("E2")
        .times(RACES),
        row(
            "grpc-js, checkClientCertificate, ours shown",
            0,
            "",
            &[],
            &["required (proven)", "SERVING"],
            move |world| ours(world).args(["--client", "client", "--require-mtls"]),
        )
        .tells(VERDICT, "required")
        .connects(TWO)
        .times(RACES),
        row(
            "grpc-js, checkClientCertificate with another CA, ours shown",
            15,
            "client_auth",
            &["client_auth.refused"],
            &["CN=other-ca", "CN=my-ca"],
            move |world| {
                let other = Authority::new("other-ca", Key::P256, |_| ());
                demanding(world, json!(world.file(&other.pem))).args(OURS)
            },
        )
        .id("E2")
        .times(RACES),
    ]
}

/// The http2 module, which can be told to ask and to let in whoever answers.
fn node() -> Vec<Row> {
    let asking = |reject: bool, args: &'static [&str]| {
        move |world: &World| {
            let ca = world.ours("ca").certificate;
            let more =
                json!({ "mode": "http2", "client_ca": ca, "request": true, "reject": reject });
            stack(Tool::Node, world, more).args(args)
        }
    };
    vec![
        row(
            "Node, requestCert and rejectUnauthorized, ours shown",
            0,
            "",
            &[],
            &["required (proven)", "SERVING"],
            asking(true, &["--client", "client", "--require-mtls", "--deep"]),
        )
        .tells(VERDICT, "required")
        .connects(SIX)
        .times(RACES),
        row(
            "Node, requestCert without rejectUnauthorized, ours shown",
            0,
            "",
            &["client_auth.optional"],
            &["requested (not enforced)", "createSsl(ca, pairs, true)"],
            asking(false, &OURS),
        )
        .id("E6")
        .tells(VERDICT, "requested")
        .connects(TWO)
        .times(RACES),
        row(
            "Node, requestCert without rejectUnauthorized, looked at closely",
            15,
            "client_auth",
            &["client_auth.accepts_any"],
            &["made up for this test"],
            asking(false, &["--client", "client", "--deep"]),
        )
        .id("E8")
        .times(RACES),
    ]
}
