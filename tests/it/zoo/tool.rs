//! What a row needs that is not on every machine. Where it is missing the row is listed as not run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::process::Process;
use super::resolver::silent_name_server;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tool {
    Go,
    Grpcio,
    GrpcJs,
    Haproxy,
    Nginx,
    Node,
    /// The right to put another /etc/resolv.conf in front of one process, and to listen on port 53.
    Resolver,
}

impl Tool {
    pub const ALL: [Self; 7] = [
        Self::Go,
        Self::Grpcio,
        Self::GrpcJs,
        Self::Haproxy,
        Self::Nginx,
        Self::Node,
        Self::Resolver,
    ];

    /// Why it cannot be used; `None` where it can.
    pub fn missing(self) -> Option<String> {
        let not_installed = |program: &str| {
            find(program)
                .is_none()
                .then(|| format!("{program} is not installed"))
        };
        let not_set_up = |what: &str, file: &str| {
            (!kept().join(file).exists())
                .then(|| format!("{what} is not set up, which `tests/interop/run --setup` does"))
        };
        match self {
            Self::Go => not_installed("go"),
            Self::Grpcio => not_set_up("grpcio", "venv/.made-from"),
            Self::GrpcJs => not_installed("node")
                .or_else(|| not_set_up("grpc-js", "node/node_modules/@grpc/grpc-js")),
            Self::Haproxy => not_installed("haproxy"),
            Self::Nginx => not_installed("nginx"),
            Self::Node => not_installed("node"),
            Self::Resolver => {
                let mounts = Command::new("unshare")
                    .args(["--mount", "true"])
                    .stderr(Stdio::null())
                    .status();
                let may = mounts.is_ok_and(|it| it.success())
                    && silent_name_server().is_some()
                    && Path::new("/etc/resolv.conf").exists();
                (!may).then(|| "this user may not replace /etc/resolv.conf for one process".into())
            }
        }
    }

    /// Whether the gate can be expected to have it: what can be installed it has, a right it may lack.
    pub fn is_installable(self) -> bool {
        self != Self::Resolver
    }

    /// The program.
    pub fn command(self) -> Command {
        let named = |name: &str| Command::new(find(name).unwrap());
        match self {
            Self::Go => Command::new(go_server()),
            Self::Grpcio => {
                let mut command = Command::new(kept().join("venv/bin/python"));
                command.arg(source("grpc_c.py"));
                command
            }
            Self::GrpcJs | Self::Node => {
                let mut command = named("node");
                command
                    .arg(source("server.js"))
                    .env("NODE_PATH", kept().join("node/node_modules"));
                command
            }
            Self::Haproxy => named("haproxy"),
            Self::Nginx => named("nginx"),
            Self::Resolver => named("unshare"),
        }
    }

    /// A server that is told by JSON what to do, and says its port.
    pub fn serve(self, asked: &serde_json::Value) -> Process {
        let mut command = self.command();
        command.arg(asked.to_string());
        Process::start(command, |line| line.strip_prefix("port ")?.parse().ok())
    }
}

/// Where `tests/interop/run` keeps what it sets up.
fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/interop")
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/zoo/servers")
        .join(name)
}

/// On PATH, or where Debian keeps what only root is expected to run.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(more)
        .map(|it| it.join(program))
        .find(|it| it.is_file())
}

/// server.go, built once with the standard library alone.
fn go_server() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let program = kept().join("go/zoo");
        let done = Command::new("go")
            .args(["build", "-o"])
            .arg(&program)
            .arg(source("server.go"))
            .env("GO111MODULE", "off")
            .env("GOCACHE", kept().join("go/cache"))
            .env("GOFLAGS", "")
            .env("GOTOOLCHAIN", "local")
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
        program
    })
}
