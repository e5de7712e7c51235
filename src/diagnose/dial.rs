//! Where the connection was to go and did not come to: Unix sockets, and the other loopback address.

use std::path::Path;

use super::{Code, Finding, Fix, Judge};
use crate::probe::{Address, ConnectFailure, Destination};
use crate::text::{printable, quoted};

/// What a user of tonic is to know about a server behind a Unix socket, trusted or not.
pub(super) const TONIC_AND_SOCKETS: &str = "tonic refuses `ClientTlsConfig` for Unix sockets (`cannot apply TLS config \
     for unix domain socket`): there TLS takes a connector of its own, as `connect_with_connector` does";

/// Code, headline, why and fix.
pub(super) type Trouble = (Code, String, String, Fix);

/// Why there was no connection to a Unix socket.
pub(super) fn socket(path: &Path, failure: &ConnectFailure) -> Trouble {
    let shown = printable(&path.display().to_string());
    // A name that begins with a dash would be an option.
    let is_option = path.as_os_str().as_encoded_bytes().starts_with(b"-");
    let file = match is_option {
        true => quoted(&Path::new(".").join(path)),
        false => quoted(path),
    };
    let file = printable(&file);
    match failure {
        ConnectFailure::Missing => {
            let from_here = if path.is_absolute() {
                ""
            } else {
                " The path is taken from the folder that this command runs in."
            };
            (
                Code::TcpSocketMissing,
                format!("there is no socket `{shown}`"),
                format!(
                    "A server makes its socket when it starts; no file of that name is there.{from_here}"
                ),
                Fix::steps(["start the server, and compare the path with the one that it is given"]),
            )
        }
        ConnectFailure::NotSocket => (
            Code::TcpNotSocket,
            format!("`{shown}` is not a socket"),
            "The file is there, but it is of another kind, so that no program can listen on it.".to_owned(),
            Fix::steps(["give the path of the socket itself, as the server is given it"]),
        ),
        ConnectFailure::Denied => (
            Code::TcpSocketDenied,
            format!("this user may not connect to `{shown}`"),
            "To connect takes permission to write to the socket, and to enter every folder above it.".to_owned(),
            Fix::steps([
                format!("see who may: `namei -l {file}`"),
                "run this as the server's user or in its group, or let the server open its socket to more users"
                    .to_owned(),
            ]),
        ),
        ConnectFailure::Refused => (
            Code::TcpRefused,
            format!("nothing listens on the socket `{shown}`"),
            "The socket is there, and the program that made it has ended or has stopped listening.".to_owned(),
            Fix::steps([
                "start the server again".to_owned(),
                format!("where it says that the address is in use, remove what is left over first: `rm {file}`"),
            ]),
        ),
        ConnectFailure::Timeout => (
            Code::TcpTimeout,
            format!("no answer from the socket `{shown}`"),
            "A program listens there and takes in nobody: its queue of waiting connections is full.".to_owned(),
            Fix::steps(["look at the server: it may hang, or be overloaded"]),
        ),
        ConnectFailure::Other(words) => no_way(&shown, &printable(words)),
        ConnectFailure::Unreachable => no_way(&shown, "unreachable"),
    }
}

fn no_way(shown: &str, words: &str) -> Trouble {
    (
        Code::TcpUnreachable,
        format!("the socket `{shown}` cannot be reached"),
        format!("The system made no connection to it: {words}."),
        Fix::steps(["check the path; a short one in `/run` or `/tmp` is the safest"]),
    )
}

impl Judge<'_> {
    /// A server that listens on the one loopback address, where the other was dialled.
    pub(super) fn other_loopback(&self) -> Option<Finding> {
        let there = self
            .observation
            .loopbacks
            .iter()
            .find(|it| it.result.is_ok())?;
        let Address::Tcp(found) = &there.address else {
            return None;
        };
        let target = &self.observation.target;
        let dialled: Vec<String> = self
            .observation
            .attempts
            .iter()
            .map(|it| it.address.host())
            .collect();
        let dialled = dialled.join(" and ");
        let Destination::Tcp(host, port) = &target.dial else {
            return None;
        };
        let is = if host.to_string() == dialled {
            format!("You dial {dialled}")
        } else {
            format!("`{host}` is {dialled} here")
        };
        let both = if found.is_ipv6() {
            format!("`[::]:{port}`, which is IPv6 and IPv4")
        } else {
            format!("`[::]:{port}`, or on {dialled} as well")
        };
        let dial = format!("--connect '{found}'");
        let here =
            Destination::Tcp(target.host.clone(), target.port.unwrap_or(*port)) == target.dial;
        let dial = if here && target.port.is_some() {
            let command = format!(
                "verify {}{} {dial}",
                target.typed(),
                self.knowledge.own_flags
            );
            format!("`{}`", self.knowledge.command(&command))
        } else {
            format!("`{dial}`")
        };
        Some(Finding::new(
            Code::TcpOtherLoopback,
            format!("the server listens on {} only", bracketed(found)),
            format!("{is}, and nothing listens there; something does at {found}."),
            Fix::steps([
                format!("let the server listen on {both}"),
                format!("or dial {}: {dial}", bracketed(found)),
            ]),
        ))
    }
}

fn bracketed(address: &std::net::SocketAddr) -> String {
    match address.ip() {
        std::net::IpAddr::V4(ip) => ip.to_string(),
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
    }
}
