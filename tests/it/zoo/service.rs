//! Rows: a service that is asked for by name, headers, and reflection.

use std::sync::{Arc, Mutex};

use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_reflection::pb::v1;
use tonic_reflection::server::Builder;

use super::grpc::closed_port;
use super::pki::{Authority, Key, Pair, World, period};
use super::process::serve;
use super::reply::{Fields, GRPC, Reply, health, reflection, staged, staged_as};
use super::row::{Row, Staged, finish, row, verify};

const SECRET: &str = "s3cret-t0ken";

pub fn rows() -> Vec<Row> {
    let mut rows = services();
    rows.extend(headers());
    rows.extend(reflections());
    rows
}

/// tonic's own health service, where `shop.v1.Orders` has this status.
fn orders(status: ServingStatus) -> Routes {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (reporter, health) = tonic_health::server::health_reporter();
    runtime.block_on(reporter.set_service_status("shop.v1.Orders", status));
    Routes::new(health)
}

fn builder() -> Builder<'static> {
    Builder::configure().register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
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

/// An answer of reflection, with its flag and length.
fn listed(names: impl Iterator<Item = String>) -> Reply {
    use prost::Message;
    use v1::server_reflection_response::MessageResponse;
    let service = names.map(|name| v1::ServiceResponse { name }).collect();
    let list = v1::ListServiceResponse { service };
    let answer = v1::ServerReflectionResponse {
        message_response: Some(MessageResponse::ListServicesResponse(list)),
        ..Default::default()
    };
    let message = answer.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let data = [&[0], &length[..], &message].concat();
    Reply {
        ends: false,
        ..Reply::grpc(&data, None)
    }
}

fn reflections() -> Vec<Row> {
    let asked = |routes: fn() -> Routes| {
        move |world: &World| staged(world, routes()).args(["--reflection"])
    };
    let seen = |case: &str, routes: fn() -> Routes, version: Option<&str>, count: u64| {
        row(case, 0, "", &[], &["SERVING"], asked(routes))
            .tells("/grpc/reflection/version", version)
            .tells("/grpc/reflection/count", count)
    };
    vec![
        seen(
            "F8: reflection v1",
            || orders(ServingStatus::Serving).add_service(builder().build_v1().unwrap()),
            Some("v1"),
            2,
        ),
        seen(
            "F8: reflection v1alpha alone",
            || orders(ServingStatus::Serving).add_service(builder().build_v1alpha().unwrap()),
            Some("v1alpha"),
            2,
        ),
        seen(
            "F8: no reflection",
            || orders(ServingStatus::Serving),
            None,
            0,
        ),
        seen(
            "F8: reflection with 10 000 services, and no end",
            || reflection(listed((0..10_000).map(|it| format!("shop.v1.Orders{it}")))),
            Some("v1"),
            10_000,
        ),
        seen(
            "F8: reflection with names of a mebibyte that steer a terminal",
            || reflection(listed((0..3).map(|_| "\u{1b}[2J`".repeat(200_000)))),
            Some("v1"),
            3,
        ),
        seen(
            "F8: reflection with more than a message may have",
            || reflection(listed((0..6).map(|_| "x".repeat(1 << 20)))),
            None,
            0,
        ),
        seen(
            "F8: reflection that is a page",
            || reflection(Reply::head(404, &[("content-type", "text/html")])),
            None,
            0,
        ),
        row(
            "F8: reflection that never answers",
            0,
            "",
            &[],
            &["SERVING"],
            |world| {
                let silent = Reply {
                    ends: false,
                    ..Reply::head(200, &[GRPC])
                };
                staged(world, reflection(silent))
                    .args(["--reflection"])
                    .quick()
            },
        )
        .tells("/grpc/reflection/count", 0),
    ]
}

#[test]
fn services_are_listed_below_the_stage() {
    let world = World::new();
    let human = |staged: &Staged, more: &[&str]| {
        let mut command = staged.command(&world, &["--reflection"]);
        command.args(more);
        String::from_utf8(finish(command).stdout).unwrap()
    };
    let lines = |lines: &[&str]| {
        let line = |it: &&str| format!("\n{:21}{it}", "");
        lines.iter().map(line).collect::<String>() + "\n  ok    opinions"
    };
    let server = serve(&world, &[]);
    let sample = human(&Staged::new(server.port, server), &[]);
    let all = [
        "reflection v1: 3 services",
        "grpc_pki.sample.v1.WhoAmI",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
    ];
    assert!(sample.contains(&lines(&all)), "{sample}");
    let names = (0..1200).map(|it| format!("shop.v{it:04}{}", "x".repeat(100)));
    let many = staged(&world, reflection(listed(names)));
    let short = human(&many, &[]);
    let cut = |version| format!("shop.v{version}{}…", "x".repeat(46));
    let some = [
        "reflection v1: 1 200 services",
        &cut("0000"),
        &cut("0001"),
        &cut("0002"),
        "and 1 197 others (-v shows more)",
    ];
    assert!(short.contains(&lines(&some)), "{short}");
    assert!(short.lines().count() <= 24, "{short}");
    let long = human(&many, &["-v"]);
    let last = format!("shop.v0999{}", "x".repeat(100));
    assert!(long.contains(&lines(&[&last, "and 200 others"])), "{long}");
    let off = human(&staged(&world, orders(ServingStatus::Serving)), &[]);
    assert!(off.contains(&lines(&["reflection: not offered"])), "{off}");
}
