//! Rows: haproxy.

use std::fs;
use std::net::TcpListener;

use super::client_auth::{RACES, shown};
use super::enforcement::{ANONYMOUS, OURS, TWO, VERDICT};
use super::grpc::{Answer, Manner, Tonic, closed_port};
use super::pki::{Authority, Key, World, for_clients};
use super::process::Process;
use super::row::{Row, Staged, row};
use super::tool::Tool;

/// haproxy in this mode, with this behind `bind … ssl crt FILE` and in front of this server. The socket is its
/// standard input, so that no port is looked for and lost.
fn haproxy(world: &World, mode: &str, bind: &str, backend: &str) -> Process {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let pair = world.ours("server");
    let both = [&pair.certificate, &pair.key].map(|it| fs::read_to_string(it).unwrap());
    let both = world.file(&both.concat());
    let both = both.display();
    let config = world.file(&format!(
        "defaults
 mode {mode}
 timeout connect 5s
 timeout client 60s
 timeout server 60s
frontend grpc
 bind fd@0 ssl crt {both} {bind}
 default_backend servers
backend servers
 {backend}
"
    ));
    let mut command = Tool::Haproxy.command();
    command.arg("-db").arg("-f").arg(config);
    Process::handed(listener, command)
}

/// In front of a healthy gRPC server.
fn before_grpc(world: &World, mode: &str, bind: &str) -> Staged {
    let backend = Tonic::start(None, Answer::Serving, Manner::Prompt);
    let proto = if mode == "http" { "proto h2" } else { "" };
    let server = format!("server one 127.0.0.1:{} {proto}", backend.port);
    let haproxy = haproxy(world, mode, bind, &server);
    Staged::new(haproxy.port, (haproxy, backend))
}

/// In front of a healthy gRPC server, and with this after `verify`.
fn verifying(world: &World, how: &str) -> Staged {
    let ca = world.ours("ca").certificate;
    let bind = format!("alpn h2 ca-file {} verify {how}", ca.display());
    before_grpc(world, "http", &bind)
}

/// In front of nothing.
fn alone(world: &World, more: &str) -> Staged {
    let backend = format!("{more}\n server one 127.0.0.1:{} proto h2", closed_port());
    let haproxy = haproxy(world, "http", "alpn h2", &backend);
    Staged::new(haproxy.port, haproxy)
}

pub fn rows() -> Vec<Row> {
    let mut rows = ways();
    rows.extend(clients());
    rows.into_iter().map(|it| it.needs(Tool::Haproxy)).collect()
}

fn ways() -> Vec<Row> {
    let with = |mode: &'static str, bind: &'static str| {
        move |world: &World| before_grpc(world, mode, bind)
    };
    vec![
        row(
            "haproxy, mode http, which waits for the client's preface",
            0,
            "",
            &[],
            &["SERVING", "after the client's preface"],
            with("http", "alpn h2"),
        )
        .times(RACES),
        row(
            "haproxy, mode tcp",
            0,
            "",
            &[],
            &["SERVING", "SETTINGS received"],
            with("tcp", "alpn h2"),
        ),
        row(
            "haproxy, mode tcp, without alpn",
            14,
            "alpn",
            &["alpn.none"],
            &["does speak HTTP/2", "bind … alpn h2"],
            with("tcp", ""),
        )
        .id("C5")
        .times(RACES),
        row(
            "haproxy, mode http, with alpn http/1.1",
            14,
            "alpn",
            &["alpn.none"],
            &["bind … alpn h2"],
            with("http", "alpn http/1.1"),
        )
        .id("C5"),
        row(
            "haproxy, whose backend is gone",
            16,
            "grpc",
            &["grpc.backend_down"],
            &["HTTP 503", "text/html", "backend"],
            |world| alone(world, "retries 0"),
        )
        .id("F3"),
        row(
            "haproxy, which still looks for its backend",
            16,
            "grpc",
            &["grpc.no_answer"],
            &["it did not answer in time"],
            |world| alone(world, "retries 60").quick(),
        )
        .id("F3"),
    ]
}

fn clients() -> Vec<Row> {
    let with = |how: &'static str, args: &'static [&str]| {
        move |world: &World| verifying(world, how).args(args)
    };
    vec![
        row(
            "haproxy, verify required, none shown",
            15,
            "client_auth",
            &["client_auth.required"],
            &["--client client", "CN=my-ca"],
            with("required", &[]),
        )
        .id("E1")
        .tells(VERDICT, "required")
        .tells(ANONYMOUS, "refused_alert")
        .times(RACES),
        row(
            "haproxy, verify required, one of another CA",
            15,
            "client_auth",
            &["client_auth.refused"],
            &["unknown ca", "CN=other-ca"],
            |world| {
                let other = Authority::new("other-ca", Key::P256, |_| ());
                let pair = world.leaf_of(&other, for_clients);
                shown(verifying(world, "required"), &pair)
            },
        )
        .id("E2")
        .times(RACES),
        row(
            "haproxy, verify required, ours shown",
            0,
            "",
            &[],
            &["required (proven)", "SERVING"],
            with("required", &["--client", "client", "--require-mtls"]),
        )
        .tells(VERDICT, "required")
        .connects(TWO)
        .times(RACES),
        row(
            "haproxy, verify optional, ours shown",
            0,
            "",
            &["client_auth.optional"],
            &["verify required"],
            with("optional", &OURS),
        )
        .id("E6")
        .tells(VERDICT, "requested")
        .connects(TWO)
        .times(RACES),
        row(
            "haproxy, verify required that overlooks every error, looked at closely",
            15,
            "client_auth",
            &["client_auth.accepts_any"],
            &["made up for this test"],
            with(
                "required crt-ignore-err all ca-ignore-err all",
                &["--client", "client", "--deep"],
            ),
        )
        .id("E8")
        .tells(VERDICT, "accepts_any")
        .times(RACES),
    ]
}
