//! Rows: client certificates. In TLS 1.3 a refusal comes after the handshake, and how it comes is a race.

use super::grpc::{Answer, Manner, Tonic, rustls};
use super::pki::{Authority, Key, Pair, World, for_clients, period};
use super::process::{Ask, Process, Python, openssl, serve};
use super::row::{Row, Staged, finish, row, until, verify};

/// How often a race is run.
pub const RACES: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Make {
    Openssl,
    Python,
    Rustls,
}

#[derive(Clone, Copy, Debug)]
pub enum Version {
    Tls12,
    Tls13,
}

impl Version {
    pub fn python(self) -> &'static str {
        match self {
            Self::Tls12 => "TLSv1_2",
            Self::Tls13 => "TLSv1_3",
        }
    }
}

/// A server that asks for certificates of our CA.
pub fn server(make: Make, version: Version, ask: Ask, world: &World) -> Staged {
    let (pair, ca) = (world.ours("server"), world.ours("ca").certificate);
    match make {
        Make::Openssl => {
            let version = match version {
                Version::Tls12 => "-tls1_2",
                Version::Tls13 => "-tls1_3",
            };
            let verify = if ask == Ask::Required {
                "-Verify"
            } else {
                "-verify"
            };
            let ca = ca.to_str().unwrap();
            let more = [
                version,
                "-alpn",
                "h2",
                verify,
                "2",
                "-verify_return_error",
                "-CAfile",
                ca,
            ];
            let server = openssl(world, &pair, &more);
            Staged::new(server.port, server)
        }
        Make::Python => {
            let server = Python::tls("grpc", &pair)
                .asks(ask, &ca)
                .with("version", version.python());
            let server = server.start();
            Staged::new(server.port, server)
        }
        Make::Rustls => {
            let versions = match version {
                Version::Tls12 => [&rustls::version::TLS12],
                Version::Tls13 => [&rustls::version::TLS13],
            };
            let server = Tonic::tls(rustls(&pair, Some((ask, &world.ca.pem)), &versions));
            Staged::new(server.port, server)
        }
    }
}

pub fn rows() -> Vec<Row> {
    let mut rows = vec![
        row(
            "our own server with --mtls, nothing shown",
            15,
            "client_auth",
            &["client_auth.required"],
            &["--client client", "CN=my-ca"],
            |world| {
                let server = serve(world, &["--mtls"]);
                Staged::new(server.port, server)
            },
        )
        .times(RACES),
        row(
            "our own server with --mtls, our client",
            0,
            "",
            &[],
            &["required (proven)", "SERVING"],
            |world| {
                let server = serve(world, &["--mtls"]);
                Staged::new(server.port, server).args(["--client", "client"])
            },
        ),
        row(
            "an end without an alert, as of gRPC's C core",
            15,
            "client_auth",
            &["client_auth.required"],
            &["closed the connection", "--client client"],
            |world| ending("bare_end", world),
        )
        .times(RACES),
        row(
            "an end without an alert, our client",
            0,
            "",
            &[],
            &["required (proven)"],
            |world| ending("bare_end", world).args(["--client", "client"]),
        ),
        row(
            "another CA's server that requires a certificate",
            13,
            "path",
            &["path.unknown_issuer"],
            &["other-ca", "none was shown to a server that is not trusted"],
            |world| {
                foreign_server(Version::Tls13, Ask::Required, world)
                    .0
                    .args(["--client", "client"])
            },
        ),
    ];
    rows.push(row(
        "a certificate demanded by HTTP 400, as of nginx",
        15,
        "client_auth",
        &["client_auth.required"],
        &["HTTP 400", "--client client"],
        |world| {
            let tls = rustls(
                &world.ours("server"),
                Some((Ask::Optional, &world.ca.pem)),
                rustls::DEFAULT_VERSIONS,
            );
            let answer = Answer::Head(400, &[("content-type", "text/html"), ("server", "nginx")]);
            let server = Tonic::start(Some(tls), answer, Manner::Prompt);
            Staged::new(server.port, server)
        },
    ));
    for version in [Version::Tls12, Version::Tls13] {
        for make in [Make::Openssl, Make::Python, Make::Rustls] {
            rows.extend(refusals(make, version));
            rows.extend(chains(make, version));
        }
        for make in [Make::Python, Make::Rustls] {
            let case = |what: &str| format!("{what} ({make:?}, {version:?})");
            rows.push(row(
                case("required, and shown"),
                0,
                "",
                &[],
                &["required (proven)", "SERVING"],
                move |world| {
                    server(make, version, Ask::Required, world).args(["--client", "client"])
                },
            ));
            rows.push(row(
                case("asked for, but optional"),
                0,
                "",
                &[],
                &["requested (not enforced)", "SERVING"],
                move |world| server(make, version, Ask::Optional, world),
            ));
            rows.push(
                row(
                    case("expired, where none is required"),
                    15,
                    "client_auth",
                    &["client_auth.refused"],
                    &["expired on", "shows none gets in"],
                    move |world| {
                        let pair = world.leaf(|it| {
                            for_clients(it);
                            period(it, -30, -2);
                        });
                        shown(server(make, version, Ask::Optional, world), &pair).args(["--deep"])
                    },
                )
                .tells("/client_auth/verdict", "requested"),
            );
        }
    }
    rows
}

/// A client certificate of an intermediate CA, without and with that CA's own.
fn chains(make: Make, version: Version) -> Vec<Row> {
    let case = |what: &str| format!("{what} ({make:?}, {version:?})");
    let staged = move |world: &World, known: bool, sent: bool| {
        let issuing = world.ca.below("issuing-ca");
        let mut pair = world.leaf_of(&issuing, for_clients);
        if sent {
            pair = world.chain(&pair, &[&issuing.pem]);
        }
        let bundle = [world.ca.pem.as_str(), if known { &issuing.pem } else { "" }].concat();
        let bundle = world.file(&bundle);
        let server = server(make, version, Ask::Required, world);
        shown(server, &pair).args(["--ca", bundle.to_str().unwrap()])
    };
    let refused = |what: &str, words: &[&str], known: bool| {
        let mut words = words.to_vec();
        // Python does not name the CAs that it accepts, so nothing is kept back.
        words.extend((make != Make::Python).then_some("A Go client would keep it back"));
        row(
            case(what),
            15,
            "client_auth",
            &["client_auth.refused"],
            &words,
            move |world| staged(world, known, false),
        )
    };
    let mut rows = vec![
        refused(
            "the client's chain is incomplete",
            &["an intermediate CA under CN=my-ca", "cat client.crt"],
            true,
        ),
        refused(
            "the client's issuer is not known",
            &["holds nothing that leads on", "add its certificate"],
            false,
        ),
    ];
    if make != Make::Openssl {
        rows.push(row(
            case("the client's chain is complete"),
            0,
            "",
            &[],
            &["required (proven)"],
            move |world| staged(world, true, true),
        ));
    }
    rows
}

fn refusals(make: Make, version: Version) -> Vec<Row> {
    let case = |what: &str| format!("{what} ({make:?}, {version:?})");
    let refused = |what: &str, words: &[&str], pair: fn(&World) -> Pair| {
        row(
            case(what),
            15,
            "client_auth",
            &["client_auth.refused"],
            words,
            move |world| shown(server(make, version, Ask::Required, world), &pair(world)),
        )
    };
    vec![
        row(
            case("required, and none shown"),
            15,
            "client_auth",
            &["client_auth.required"],
            &[
                "demands a client certificate",
                "grpc-pki verify localhost:",
                "--client client",
            ],
            move |world| server(make, version, Ask::Required, world),
        )
        .tells("/client_auth/verdict", "required")
        .tells("/client_auth/proven", false)
        .tells("/client_auth/anonymous", "refused_alert")
        .connects(&["primary"])
        .times(RACES),
        refused(
            "of another CA",
            &["unknown ca", "CN=other-ca", "intermediate"],
            |world| {
                let other = Authority::new("other-ca", Key::P256, |_| ());
                world.leaf_of(&other, for_clients)
            },
        )
        .times(RACES),
        refused("expired", &["expired on", "grpc-pki issue"], |world| {
            world.leaf(|it| {
                for_clients(it);
                period(it, -30, -2);
            })
        }),
        refused(
            "for servers alone",
            &["lacks clientAuth", " --client client`", "profile"],
            |world| world.leaf(|_| ()),
        ),
    ]
}

pub fn shown(staged: Staged, pair: &Pair) -> Staged {
    let files = [&pair.certificate, &pair.key].map(|it| it.to_str().unwrap());
    staged.args(["--cert", files[0], "--key", files[1]])
}

/// A server by the name of its manner, to which a client certificate is worth something.
pub fn ending(mode: &str, world: &World) -> Staged {
    let ca = world.ours("ca").certificate;
    let server = Python::tls(mode, &world.ours("server"))
        .asks(Ask::Optional, &ca)
        .start();
    Staged::new(server.port, server)
}

/// A server of another CA that would like to see our client.
pub fn foreign_server(version: Version, ask: Ask, world: &World) -> (Staged, u16) {
    let server = foreign(version, ask, world);
    let port = server.port;
    (Staged::new(port, server), port)
}

fn foreign(version: Version, ask: Ask, world: &World) -> Process {
    let other = Authority::new("other-ca", Key::P256, |_| ());
    let pair = world.leaf_of(&other, |_| ());
    let ours = world.ours("ca").certificate;
    Python::tls("grpc", &pair)
        .asks(ask, &ours)
        .with("version", version.python())
        .start()
}

/// Asserted where it counts: at the server.
#[test]
fn a_server_that_is_not_trusted_never_sees_the_client_certificate() {
    let world = World::new();
    for version in [Version::Tls12, Version::Tls13] {
        let untrusted = foreign(version, Ask::Optional, &world);
        let wrong_name = python_for(&world, &world.ours("orders"), version);
        let expired = python_for(&world, &world.leaf(|it| period(it, -30, -2)), version);
        let old = Authority::new("old-ca", Key::P256, |it| period(it, -300, -1));
        let (old_ca, ca) = (world.file(&old.pem), world.ours("ca").certificate);
        let expired_ca = python_for(&world, &world.leaf_of(&old, |_| ()), version);
        for (server, ca) in [
            (untrusted, &ca),
            (wrong_name, &ca),
            (expired, &ca),
            (expired_ca, &old_ca),
        ] {
            let mut command = verify(&world);
            command.args([&format!("localhost:{}", server.port), "--client", "client"]);
            command.arg("--ca").arg(ca);
            let output = finish(command);
            assert_eq!(output.status.code(), Some(13), "{output:?}");
            let connections = || {
                let lines = server.lines();
                lines
                    .into_iter()
                    .filter(|it| it.starts_with("connection: "))
                    .collect::<Vec<_>>()
            };
            // The first connection breaks off at the certificate, the second looks on without ours.
            until("two connections", || connections().len() >= 2);
            assert!(
                !connections().iter().any(|it| it.ends_with("yes")),
                "{version:?}: {:?}",
                connections()
            );
        }
        let trusted = python_for(&world, &world.ours("server"), version);
        let mut command = verify(&world);
        command.args([&format!("localhost:{}", trusted.port), "--client", "client"]);
        assert_eq!(finish(command).status.code(), Some(0));
        trusted.wait_for(|line| line.ends_with("certificate yes").then_some(()));
    }
}

fn python_for(world: &World, pair: &Pair, version: Version) -> Process {
    let ca = world.ours("ca").certificate;
    Python::tls("grpc", pair)
        .asks(Ask::Optional, &ca)
        .with("version", version.python())
        .start()
}
