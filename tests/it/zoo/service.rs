//! Rows: a service that is asked for by name, and headers.

use std::sync::{Arc, Mutex};

use tonic::service::Routes;
use tonic_health::ServingStatus;

use super::grpc::{Answer, Manner, Tonic, closed_port, rustls};
use super::pki::{Authority, Key, Pair, World, period};
use super::process::{Ask, serve};
use super::reply::{Fields, GRPC, Reply, health, staged, staged_as};
use super::row::{Row, Staged, finish, row, verify};

const SECRET: &str = "s3cret-t0ken";

pub fn rows() -> Vec<Row> {
    let mut rows = services();
    rows.extend(headers());
    rows
}

/// tonic's own health service, where `shop.v1.Orders` has this status.
pub fn orders(status: ServingStatus) -> Routes {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (reporter, health) = tonic_health::server::health_reporter();
    runtime.block_on(reporter.set_service_status("shop.v1.Orders", status));
    Routes::new(health)
}

fn services() -> Vec<Row> {
    let asked = |status, service: &'static str| {
        move |world: &World| staged(world, orders(status)).args(["--service", service])
    };
    let says = |fields: Fields| {
        move |world: &World| {
            let routes = health(move |_| Reply::head(200, fields));
            staged(world, routes).args(["--service", "shop.v1.Orders"])
        }
    };
    vec![
        row(
            "F6: the service is SERVING",
            0,
            "",
            &[],
            &["SERVING (shop.v1.Orders)"],
            asked(ServingStatus::Serving, "shop.v1.Orders"),
        )
        .tells("/grpc/health/service", "shop.v1.Orders"),
        row(
            "F6: the service is NOT_SERVING, the server is",
            17,
            "grpc",
            &["grpc.not_serving"],
            &["`shop.v1.Orders` is not serving"],
            asked(ServingStatus::NotServing, "shop.v1.Orders"),
        ),
        row(
            "F6: the service is unknown",
            16,
            "grpc",
            &["grpc.service_unknown"],
            &["does not know `shop.v1.Order`", "as a whole is SERVING"],
            asked(ServingStatus::Serving, "shop.v1.Order"),
        )
        .tells("/grpc/health/overall", "SERVING"),
        row(
            "F6: the service is unknown, and reflection has one like it",
            16,
            "grpc",
            &["grpc.service_unknown"],
            &[
                "`grpc_pki.sample.v1.WhoAmI`",
                "did you mean `--service grpc_pki.sample.v1.WhoAmI`?",
            ],
            |world| {
                let server = serve(world, &[]);
                let args = ["--service", "grpc_pki.sample.v1.WhoAmi"];
                Staged::new(server.port, server).args(args)
            },
        ),
        row(
            "F6: the service is UNKNOWN",
            16,
            "grpc",
            &["grpc.service_unknown"],
            &["UNKNOWN for `shop.v1.Orders`"],
            asked(ServingStatus::Unknown, "shop.v1.Orders"),
        ),
        row(
            "F6, twin: the empty name is the server as a whole",
            0,
            "",
            &[],
            &["SERVING"],
            asked(ServingStatus::NotServing, ""),
        ),
        row(
            "F5: a service is asked for, and there is no health service",
            16,
            "grpc",
            &["grpc.service_unchecked"],
            &["`shop.v1.Orders` cannot be checked"],
            says(&[GRPC, ("grpc-status", "12")]),
        ),
        row(
            "F7: a service is asked for, and its health is behind credentials",
            16,
            "grpc",
            &["grpc.service_unchecked"],
            &["PERMISSION_DENIED", "--header"],
            says(&[GRPC, ("grpc-status", "7")]),
        ),
        row(
            "F6: a name that steers a terminal",
            16,
            "grpc",
            &["grpc.service_unknown"],
            &["`a'\\u{1b}[2J`"],
            asked(ServingStatus::Serving, "a`\u{1b}[2J"),
        ),
    ]
}

/// Lets in callers with the token.
fn guarded() -> Routes {
    health(|request| {
        let token = request.headers().get("authorization");
        let expected = format!("Bearer {SECRET}");
        match token {
            Some(token) if token == expected.as_str() => Reply::serving(),
            Some(_) => Reply::head(200, &[GRPC, ("grpc-status", "7")]),
            None => Reply::head(200, &[GRPC, ("grpc-status", "16")]),
        }
    })
}

fn bearer() -> String {
    format!("Authorization: Bearer {SECRET}")
}

fn headers() -> Vec<Row> {
    vec![
        row(
            "F7: health behind credentials",
            0,
            "",
            &["grpc.authentication"],
            &["UNAUTHENTICATED", "--header 'authorization: Bearer TOKEN'"],
            |world| staged(world, guarded()),
        ),
        row(
            "F7: the wrong credentials",
            0,
            "",
            &["grpc.authentication"],
            &["PERMISSION_DENIED", "what was sent in `authorization`"],
            |world| staged(world, guarded()).args(["--header", "authorization: Bearer x"]),
        ),
        row(
            "F7, twin: the right credentials",
            0,
            "",
            &[],
            &["SERVING"],
            |world| staged(world, guarded()).args(["--header".to_owned(), bearer()]),
        )
        .tells("/grpc/headers_sent", serde_json::json!(["authorization"])),
        // Without the token on the second connection, its refusal would pass for one of the certificate.
        row(
            "F7: a token lets in, and the client certificate does not matter",
            0,
            "",
            &["client_auth.optional"],
            &["requested (not enforced)", "SERVING"],
            |world| {
                let ca = world.ca.pem.clone();
                let ask = Some((Ask::Optional, ca.as_str()));
                let tls = rustls(&world.ours("server"), ask, rustls::DEFAULT_VERSIONS);
                let server = Tonic::start(Some(tls), Answer::Routes(guarded()), Manner::Prompt);
                let client = ["--client", "client"].map(str::to_owned);
                Staged::new(server.port, server)
                    .args(["--header".to_owned(), bearer()])
                    .args(client)
            },
        )
        .connects(&["primary", "anonymous"]),
        row(
            "F7: the right credentials, and a server that is not trusted",
            13,
            "name",
            &["name.dns_not_in_san", "grpc.authentication"],
            &["headers do not go to one that is not"],
            |world| {
                let staged = staged(world, guarded());
                let name = ["--server-name", "other.example"].map(str::to_owned);
                staged.args(["--header".to_owned(), bearer()]).args(name)
            },
        )
        .tells("/grpc/headers_sent", serde_json::json!([])),
    ]
}

/// Everything that a server is sent with `authorization`, by a client with these arguments.
fn sent(world: &World, pair: &Pair, args: &[&str]) -> (usize, Vec<String>) {
    let seen = Arc::new(Mutex::new((0, Vec::new())));
    let keep = seen.clone();
    let routes = health(move |request| {
        let mut seen = keep.lock().unwrap();
        seen.0 += 1;
        let token = request.headers().get("authorization");
        seen.1
            .extend(token.map(|it| it.to_str().unwrap().to_owned()));
        Reply::serving()
    });
    let staged = staged_as(pair, routes);
    for format in ["json", "human"] {
        let mut command = staged.command(world, args);
        command.args(["-v", "--format", format, "--header", &bearer()]);
        let output = finish(command);
        let said = format!("{output:?}");
        assert!(!said.contains(SECRET), "{said}");
    }
    let seen = seen.lock().unwrap();
    seen.clone()
}

#[test]
fn headers_go_to_a_server_that_is_trusted_and_to_no_other() {
    let world = World::new();
    let token = format!("Bearer {SECRET}");
    let ours = world.ours("server");
    assert_eq!(sent(&world, &ours, &[]), (2, vec![token.clone(), token]));
    let other = Authority::new("other-ca", Key::P256, |_| ());
    let other = world.file(&other.pem);
    let other = other.to_str().unwrap();
    // rustls does not look at the dates of a CA, so it would trust this one.
    let old = Authority::new("old-ca", Key::P256, |it| period(it, -30, -2));
    let old_file = world.file(&old.pem);
    for (pair, untrusted) in [
        (&ours, &["--server-name", "other.example"][..]),
        (&ours, &["--ca", other]),
        (&ours, &["--ca", other, "--client", "client"]),
        (&world.leaf(|it| period(it, -30, -2)), &[]),
        (
            &world.leaf_of(&old, |_| ()),
            &["--ca", old_file.to_str().unwrap()],
        ),
    ] {
        let (calls, tokens) = sent(&world, pair, untrusted);
        assert!(calls > 0, "{untrusted:?}: it is looked at for diagnosis");
        assert!(tokens.is_empty(), "{untrusted:?}");
    }
}

#[test]
fn a_header_that_grpc_does_not_allow_is_refused_and_not_repeated() {
    let world = World::new();
    let target = format!("localhost:{}", closed_port());
    for (header, says) in [
        (SECRET, "header number 1 has no name"),
        (
            "grpc-timeout: s3cret-t0ken",
            "`grpc-timeout` is set by gRPC",
        ),
        (":path: s3cret-t0ken", "`:path` is set by gRPC"),
        ("authorization: s3cret-t0ken\u{1}", "other characters"),
        ("authorization:", "has no value"),
        ("x-bin: s3cret-t0ken", "is not base64"),
    ] {
        for format in ["human", "json"] {
            let mut command = verify(&world);
            command.args([&target, "--format", format, "--header", header]);
            let output = finish(command);
            assert_eq!(output.status.code(), Some(2), "{header}");
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8(said).unwrap();
            assert!(said.contains(says), "{said}");
            assert!(!said.contains(SECRET), "{said}");
        }
    }
}
