//! Rows: the services of a server, as reflection tells them.

use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_reflection::pb::v1;
use tonic_reflection::server::Builder;

use super::pki::World;
use super::process::serve;
use super::reply::{GRPC, Reply, reflection, staged};
use super::row::{Row, Staged, finish, row};
use super::service::orders;

fn builder() -> Builder<'static> {
    Builder::configure().register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
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

pub fn rows() -> Vec<Row> {
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
