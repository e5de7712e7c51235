//! Rows: Unix sockets, with a server behind them and with none.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::sync::Arc;

use grpc_pki::probe::SystemResolver;
use serde_json::Value;

use super::addresses::run;
use super::pki::World;
use super::process::{Ask, Python, serve};
use super::row::{Row, Staged, finish, row, verify};

pub fn rows() -> Vec<Row> {
    let mut rows = sockets();
    rows.extend(broken_sockets());
    rows
}

/// A path in the folder of the world for a socket; an earlier run of the row left its own there.
fn fresh(world: &World, name: &str) -> PathBuf {
    let path = world.path().join(name);
    let _ = std::fs::remove_file(&path);
    path
}

/// Python's server at a socket in the folder of the world, and `verify` at it.
pub fn at_socket(name: &str, server: Python) -> impl FnOnce(&World) -> Staged {
    let name = name.to_owned();
    move |world: &World| {
        let path = fresh(world, &name);
        let server = server.with("unix", path.to_str().unwrap()).start();
        Staged::new(0, server).dial(format!("unix:{name}"))
    }
}

fn sockets() -> Vec<Row> {
    let ours = |world: &World| Python::tls("grpc", &world.ours("server"));
    vec![
        row(
            "a Unix socket",
            0,
            "",
            &[],
            &[
                "SERVING",
                "unix:grpc.sock",
                "localhost",
                "a Unix socket needs none",
            ],
            move |world| at_socket("grpc.sock", ours(world))(world),
        )
        .id("B8")
        .tells("/addresses/0/result", "connected")
        .tells("/addresses/0/ip", Value::Null)
        .tells("/addresses/0/path", "grpc.sock"),
        row(
            "a Unix socket by an absolute path",
            0,
            "",
            &[],
            &["SERVING"],
            move |world| {
                let path = world.path().join("absolute.sock");
                at_socket("absolute.sock", ours(world))(world)
                    .dial(format!("unix://{}", path.display()))
            },
        ),
        row(
            "a Unix socket, and a name that its certificate has not",
            13,
            "name",
            &["name.dns_not_in_san"],
            &["wanted payments"],
            move |world| {
                at_socket("name.sock", ours(world))(world).args(["--server-name", "payments"])
            },
        ),
        row(
            "a Unix socket that demands a client certificate",
            15,
            "client_auth",
            &["client_auth.required"],
            &["verify unix:mtls.sock --client client"],
            move |world| {
                let ca = world.path().join("pki/ca.crt");
                at_socket("mtls.sock", ours(world).asks(Ask::Required, &ca))(world)
            },
        ),
        row(
            "a Unix socket that demands a client certificate, and gets it",
            0,
            "",
            &[],
            &["SERVING"],
            move |world| {
                let ca = world.path().join("pki/ca.crt");
                at_socket("mtls2.sock", ours(world).asks(Ask::Required, &ca))(world)
                    .args(["--client", "client"])
            },
        ),
        row(
            "a Unix socket without TLS",
            12,
            "tls",
            &["tls.plaintext"],
            &[
                "without TLS",
                "unix:plain.sock answers HTTP/2 in clear text",
            ],
            |world| at_socket("plain.sock", Python::new("settings"))(world),
        ),
        row(
            "a Unix socket, accepts and never answers",
            12,
            "tls",
            &["tls.silent"],
            &["never answers"],
            |world| at_socket("silent.sock", Python::new("hold"))(world).quick(),
        ),
    ]
}

fn broken_sockets() -> Vec<Row> {
    vec![
        row(
            "a Unix socket that is not there",
            11,
            "tcp",
            &["tcp.socket_missing"],
            &[
                "there is no socket `no.sock`",
                "the folder that this command runs in",
            ],
            |_| Staged::new(0, ()).dial("unix:no.sock"),
        )
        .tells("/addresses/0/result", "missing")
        .tells("/addresses/0/code", "tcp.socket_missing"),
        row(
            "a Unix socket in a folder that is none",
            11,
            "tcp",
            &["tcp.socket_missing"],
            &["there is no socket `certs.toml/sock`"],
            |_| Staged::new(0, ()).dial("unix:certs.toml/sock"),
        ),
        row(
            "a file that is no Unix socket",
            11,
            "tcp",
            &["tcp.not_a_socket"],
            &["`certs.toml` is not a socket"],
            |_| Staged::new(0, ()).dial("unix:certs.toml"),
        ),
        row(
            "a Unix socket that its server left behind",
            11,
            "tcp",
            &["tcp.refused"],
            &[
                "nothing listens on the socket",
                "start the server again",
                "rm 'left over.sock'",
            ],
            |world| {
                drop(UnixListener::bind(fresh(world, "left over.sock")).unwrap());
                Staged::new(0, ()).dial("unix:left over.sock")
            },
        ),
        row(
            "a Unix socket left behind, with a name like an option",
            11,
            "tcp",
            &["tcp.refused"],
            &["`rm ./-rf`"],
            |world| {
                drop(UnixListener::bind(fresh(world, "-rf")).unwrap());
                Staged::new(0, ()).dial("unix:-rf")
            },
        ),
        row(
            "a Unix socket whose queue is full",
            11,
            "tcp",
            &["tcp.timeout"],
            &[
                "no answer from the socket",
                "queue of waiting connections is full",
            ],
            |world| at_socket("full.sock", Python::new("full"))(world).quick(),
        ),
        row(
            "a path that no Unix socket can have",
            11,
            "tcp",
            &["tcp.unreachable"],
            &["the path is too long"],
            |_| Staged::new(0, ()).dial(format!("unix:{}", "a".repeat(120))),
        ),
    ]
}

#[test]
fn who_may_not_connect_to_a_socket_is_told_so() {
    let world = World::new();
    let path = world.path().join("denied.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    };
    mode(&path, 0o000);
    let mut command = verify(&world);
    command.args(["unix:denied.sock", "--format", "json"]);
    if rustix::process::geteuid().is_root() {
        // Root may connect to every socket.
        mode(world.path(), 0o777);
        mode(&world.path().join("pki"), 0o777);
        command.uid(65_534).gid(65_534);
    }
    let output = finish(command);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    super::output::shape_of(&document).unwrap();
    assert_eq!(document["code"], "tcp.socket_denied", "{document:#}");
    assert_eq!(document["addresses"][0]["result"], "denied");
    assert_eq!(output.status.code(), Some(11));
    let fix = document["findings"][0]["fix"]["text"].as_str().unwrap();
    assert!(fix.contains("namei -l denied.sock"), "{fix}");
}

#[test]
fn a_socket_has_a_word_for_users_of_tonic() {
    let world = World::new();
    let staged = Python::tls("grpc", &world.ours("server"))
        .with("unix", world.path().join("word.sock").to_str().unwrap())
        .start();
    let target = format!("unix:{}", world.path().join("word.sock").display());
    let says = |args: &str| {
        let ran = run(&world, Arc::new(SystemResolver), args);
        assert_eq!(ran.code, 0, "{}", ran.text);
        ran.text.contains("note  tonic refuses `ClientTlsConfig`")
    };
    assert!(says(&format!("{target} -v")));
    assert!(!says(&target), "it works, and not everybody uses tonic");
    drop(staged);
    let tcp = serve(&world, &[]);
    assert!(!says(&format!("localhost:{} -v", tcp.port)));
}
