//! Rows: whether a server insists on client certificates, and how many connections it takes to know.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpStream;

use rustls::DEFAULT_VERSIONS;

use super::client_auth::{Make, RACES, Version, ending, foreign_server, server};
use super::grpc::{Answer, Manner, Tonic, rustls};
use super::pki::World;
use super::process::{Ask, Process, Python, openssl, serve};
use super::row::{Row, Staged, finish, row, verify};

pub const VERDICT: &str = "/client_auth/verdict";
pub const ANONYMOUS: &str = "/client_auth/anonymous";
pub const WITH_CERT: &str = "/client_auth/with_cert";
pub const THROWAWAY: &str = "/client_auth/throwaway";
pub const OURS: [&str; 2] = ["--client", "client"];
pub const TWO: &[&str] = &["primary", "anonymous"];
/// An end without a word is looked at once more.
pub const TWICE: &[&str] = &["primary", "anonymous", "anonymous"];
pub const THREE: &[&str] = &["primary", "anonymous", "throwaway"];
/// With `--deep`, a server that is well is asked for what it accepts, too.
pub const SIX: &[&str] = &[
    "primary",
    "anonymous",
    "throwaway",
    "tls_old_versions",
    "tls_1_2",
    "split_hello",
];
pub const FIVE: &[&str] = &[
    "primary",
    "anonymous",
    "throwaway",
    "tls_old_versions",
    "split_hello",
];

/// All that is made with `--deep` where a client certificate is asked for.
fn deep(version: Version) -> &'static [&'static str] {
    match version {
        Version::Tls12 => FIVE,
        Version::Tls13 => SIX,
    }
}

pub fn rows() -> Vec<Row> {
    let mut rows = ours();
    rows.extend(above_tls());
    for version in [Version::Tls12, Version::Tls13] {
        for make in [Make::Python, Make::Rustls] {
            rows.extend(asking(make, version));
        }
        rows.extend(without_http2(version));
    }
    rows
}

/// Our own server.
fn ours() -> Vec<Row> {
    let with = |mtls: &'static [&str], args: &'static [&str]| {
        move |world: &World| {
            let server = serve(world, mtls);
            Staged::new(server.port, server).args(args)
        }
    };
    vec![
        row(
            "our own server with --mtls, looked at closely",
            0,
            "",
            &[],
            &["required (proven)"],
            with(
                &["--mtls"],
                &["--client", "client", "--require-mtls", "--deep"],
            ),
        )
        .tells(VERDICT, "required")
        .tells(ANONYMOUS, "refused_alert")
        .tells(WITH_CERT, "accepted")
        .tells(THROWAWAY, "refused_alert")
        .connects(SIX)
        .times(RACES),
        row(
            "our own server without --mtls, --require-mtls",
            15,
            "client_auth",
            &["client_auth.not_enforced"],
            &[
                "does not ask",
                "RequireAndVerifyClientCert",
                "client_ca_root",
                "require_client_auth=True",
                "ssl_verify_client on",
                "verify required",
            ],
            with(&[], &["--client", "client", "--require-mtls", "--deep"]),
        )
        .tells(VERDICT, "ignored")
        .tells("/client_auth/presented", false)
        .connects(&["primary", "tls_old_versions", "tls_1_2", "split_hello"]),
        row(
            "our own server without --mtls, our client held ready",
            0,
            "",
            &[],
            &["ignored (not asked for)"],
            with(&[], &OURS),
        )
        .tells(VERDICT, "ignored")
        .tells(ANONYMOUS, "accepted")
        .connects(&["primary"]),
        row(
            "--require-mtls without a certificate to show",
            15,
            "client_auth",
            &["client_auth.required"],
            &["--client client"],
            with(&["--mtls"], &["--require-mtls"]),
        )
        .tells(VERDICT, "required")
        .tells("/client_auth/proven", false),
    ]
}

/// Servers that ask for a certificate of our CA, and answer calls.
fn asking(make: Make, version: Version) -> Vec<Row> {
    let case = |what: &str| format!("{what} ({make:?}, {version:?})");
    let with = |ask: Ask, args: &'static [&str]| {
        move |world: &World| server(make, version, ask, world).args(args)
    };
    vec![
        row(
            case("required, proven"),
            0,
            "",
            &[],
            &["required (proven)"],
            with(Ask::Required, &["--client", "client", "--require-mtls"]),
        )
        .tells(VERDICT, "required")
        .tells("/client_auth/proven", true)
        .tells(ANONYMOUS, "refused_alert")
        .connects(TWO)
        .times(RACES),
        row(
            case("optional, ours shown"),
            0,
            "",
            &["client_auth.optional"],
            &["requested (not enforced)", "client_auth_optional"],
            with(Ask::Optional, &OURS),
        )
        .tells(VERDICT, "requested")
        .tells(ANONYMOUS, "accepted")
        .connects(TWO)
        .times(RACES),
        row(
            case("optional, ours shown, --require-mtls"),
            15,
            "client_auth",
            &["client_auth.not_enforced"],
            &["requested (not enforced)", "require_client_auth=True"],
            with(Ask::Optional, &["--client", "client", "--require-mtls"]),
        )
        .tells(VERDICT, "requested"),
        row(
            case("optional, none shown, --require-mtls"),
            15,
            "client_auth",
            &["client_auth.not_enforced"],
            &["anyone who reaches the port"],
            with(Ask::Optional, &["--require-mtls"]),
        )
        .tells(VERDICT, "requested")
        .connects(&["primary"]),
        row(
            case("optional, looked at closely"),
            0,
            "",
            &["client_auth.optional"],
            &[],
            with(Ask::Optional, &["--client", "client", "--deep"]),
        )
        .tells(VERDICT, "requested")
        .tells(THROWAWAY, "refused_alert")
        .connects(deep(version)),
    ]
}

/// `openssl s_server`, which never answers a call.
fn without_http2(version: Version) -> Vec<Row> {
    let flag = match version {
        Version::Tls12 => "-tls1_2",
        Version::Tls13 => "-tls1_3",
    };
    let silent = |what: &str, staged: fn(&World, &str) -> Staged| {
        row(
            format!("s_server, {what} ({version:?})"),
            14,
            "http2",
            &["http2.no_settings"],
            &[],
            move |world| staged(world, flag).quick(),
        )
    };
    fn staged(world: &World, flag: &str, more: &[&str]) -> Staged {
        let ca = world.ours("ca").certificate;
        let more = [
            &[flag, "-alpn", "h2", "-CAfile", ca.to_str().unwrap()],
            more,
        ]
        .concat();
        let server = openssl(world, &world.ours("server"), &more);
        Staged::new(server.port, server).args(["--require-mtls"])
    }
    vec![
        silent("nothing asked for", |world, flag| staged(world, flag, &[]))
            .tells(VERDICT, "ignored"),
        silent("-verify", |world, flag| {
            staged(world, flag, &["-verify", "1"])
        })
        .tells(VERDICT, "unknown")
        .tells(ANONYMOUS, "unknown"),
        silent("-Verify, ours shown", |world, flag| {
            staged(world, flag, &["-Verify", "1", "-verify_return_error"]).args(OURS)
        })
        .tells(VERDICT, "unknown")
        .tells(WITH_CERT, "unknown")
        .connects(&["primary"]),
    ]
}

/// Refusals that are no alert.
fn above_tls() -> Vec<Row> {
    let tonic = |answer: Answer, args: &'static [&str]| {
        move |world: &World| {
            let ask = Some((Ask::Optional, world.ca.pem.as_str()));
            let tls = rustls(&world.ours("server"), ask, DEFAULT_VERSIONS);
            let server = Tonic::start(Some(tls), answer.clone(), Manner::Prompt);
            Staged::new(server.port, server).args(args)
        }
    };
    let unauthenticated = Answer::Head(
        200,
        &[("content-type", "application/grpc"), ("grpc-status", "16")],
    );
    vec![
        row(
            "demanded by HTTP 400, as of nginx, ours shown",
            0,
            "",
            &[],
            &["required (proven)", "SERVING"],
            tonic(
                Answer::ServingOr400,
                &["--client", "client", "--require-mtls"],
            ),
        )
        .tells(VERDICT, "required")
        .tells(ANONYMOUS, "refused_http")
        .connects(TWO)
        .times(RACES),
        row(
            "demanded by HTTP 400, as of nginx, none shown",
            15,
            "client_auth",
            &["client_auth.required"],
            &["HTTP 400"],
            tonic(Answer::ServingOr400, &[]),
        )
        .tells(VERDICT, "required")
        .tells(ANONYMOUS, "refused_http"),
        row(
            "UNAUTHENTICATED to everybody, --require-mtls",
            15,
            "client_auth",
            &["client_auth.not_enforced", "grpc.authentication"],
            &["not proven", "UNAUTHENTICATED"],
            tonic(
                unauthenticated.clone(),
                &["--client", "client", "--require-mtls"],
            ),
        )
        .tells(VERDICT, "unknown"),
        row(
            "UNAUTHENTICATED to everybody",
            0,
            "",
            &["grpc.authentication"],
            &[],
            tonic(unauthenticated, &OURS),
        )
        .id("E10")
        .tells(VERDICT, "unknown"),
        row(
            "an end without an alert for want of a certificate",
            0,
            "",
            &[],
            &["required (proven)"],
            |world| {
                let server = ending("bare_end", world);
                server.args(["--client", "client", "--require-mtls"])
            },
        )
        .tells(VERDICT, "required")
        .tells(ANONYMOUS, "refused_close")
        .connects(TWICE)
        .times(RACES),
        row(
            "an end without an alert that does not come again",
            15,
            "client_auth",
            &["client_auth.not_enforced"],
            &["requested (not enforced)"],
            |world| {
                let server = ending("ends_once", world);
                server.args(["--client", "client", "--require-mtls"])
            },
        )
        .tells(VERDICT, "requested")
        .tells(ANONYMOUS, "accepted")
        .connects(TWICE)
        .times(RACES),
        row(
            "an end without an alert for everybody",
            15,
            "client_auth",
            &["client_auth.refused"],
            &["without a word", "perhaps it is not about certificates"],
            |world| {
                let ca = world.ours("ca").certificate;
                let server = Python::tls("close", &world.ours("server"));
                let server = server.asks(Ask::Optional, &ca).start();
                Staged::new(server.port, server).args(OURS).args(["--deep"])
            },
        )
        .tells(VERDICT, "unknown")
        .tells(ANONYMOUS, "refused_close")
        .tells(WITH_CERT, "refused_close")
        .connects(THREE)
        .times(RACES),
        row(
            "another CA's server that lets anybody in, --require-mtls",
            13,
            "path",
            &["path.unknown_issuer", "client_auth.not_enforced"],
            &[],
            |world| {
                let args = ["--client", "client", "--require-mtls", "--deep"];
                foreign_server(Version::Tls13, Ask::Optional, world)
                    .0
                    .args(args)
            },
        )
        .tells("/client_auth/presented", false)
        .connects(&["primary", "diagnosis"]),
    ]
}

/// Counted where it counts: at the server. And nothing of what is made up for it stays behind.
#[test]
fn a_healthy_server_sees_one_connection_and_mutual_tls_two() {
    let world = World::new();
    let files = || {
        let pki = fs::read_dir(world.path().join("pki")).unwrap();
        let here = fs::read_dir(world.path()).unwrap();
        here.chain(pki)
            .map(|it| it.unwrap().path())
            .collect::<BTreeSet<_>>()
    };
    let before = files();
    for (asks, args, connections) in [
        (false, &[][..], 1),
        (false, &["--client", "client", "--deep"], 4),
        (true, &["--client", "client"], 2),
        (true, &["--client", "client", "--require-mtls"], 2),
        (true, &["--client", "client", "--deep"], 6),
    ] {
        let mut server = Python::tls("grpc", &world.ours("server"));
        if asks {
            server = server.asks(Ask::Required, &world.ours("ca").certificate);
        }
        let server = server.start();
        let mut command = verify(&world);
        command.arg(format!("localhost:{}", server.port)).args(args);
        let output = finish(command);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let counted = accepted(&server);
        assert_eq!(
            counted,
            connections,
            "{args:?} {:#?} {output:#?}",
            server.lines()
        );
    }
    assert_eq!(files(), before);
}

/// The connections that a server has accepted until now: those before one more.
fn accepted(server: &Process) -> usize {
    let last = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let last = format!("accepted {}", last.local_addr().unwrap().port());
    server.wait_for(|line| (line == last).then_some(()));
    let lines = server.lines();
    let before = lines.iter().take_while(|line| **line != last);
    before.filter(|line| line.starts_with("accepted ")).count()
}
