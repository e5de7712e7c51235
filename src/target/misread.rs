//! What was probably meant by a text that is no target: host, port, and the target to type.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use super::destination::Destination;
use super::{Host, TargetError};

/// The port of the examples, where none was given.
const USUAL_PORT: u16 = 50051;

/// A text that is no target, and what it looks like.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Misread {
    /// As it was written.
    pub text: String,
    /// Why it is none.
    pub error: TargetError,
    /// The host in it.
    pub host: Option<Host>,
    /// The port in it.
    pub port: Option<u16>,
    /// The target to type instead.
    pub meant: Option<String>,
}

/// Every text that is no target, and what to type instead.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", told(misread))]
pub struct MisreadTargets {
    /// One for each, in the order of the command line.
    pub misread: Vec<Misread>,
    /// The name to check where it is not the host.
    pub server_name: Option<Host>,
    /// The whole command line, corrected.
    pub command: Option<String>,
}

fn told(misread: &[Misread]) -> String {
    let all: Vec<String> = misread.iter().map(ToString::to_string).collect();
    all.join("; ")
}

impl Misread {
    /// Reads what can be read of it.
    pub fn new(text: &str, error: TargetError) -> Self {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme, rest),
            // The schemes of gRPC's own names do without slashes.
            None => match text.split_once(':') {
                Some((scheme @ ("dns" | "ipv4" | "ipv6" | "passthrough" | "unix"), rest)) => {
                    (scheme, rest)
                }
                _ => ("", text),
            },
        };
        let rest = rest.trim_start_matches('/');
        let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let rest = rest.rsplit('@').next().unwrap_or_default();
        let (host, port) = split(rest);
        let host = Host::parse(host).ok().filter(|_| scheme != "unix");
        let port = port.and_then(|it| it.parse().ok()).filter(|it| *it != 0);
        let meant = host.as_ref().map(|host| {
            let usual = if scheme == "https" { 443 } else { USUAL_PORT };
            let host = if is_unspecified(host) {
                Host::Dns("localhost".to_owned())
            } else {
                host.clone()
            };
            Destination::Tcp(host, port.unwrap_or(usual)).to_string()
        });
        Self {
            text: text.to_owned(),
            error,
            host,
            port,
            meant,
        }
    }

    /// What was understood: `host a, port 1, name to check b`.
    pub fn understood(&self, server_name: Option<&Host>) -> String {
        let or_none = |it: Option<&dyn fmt::Display>| {
            it.map_or_else(|| "none".to_owned(), ToString::to_string)
        };
        let name = server_name.or(self.host.as_ref());
        format!(
            "host {}, port {}, name to check {}",
            or_none(self.host.as_ref().map(|it| it as _)),
            or_none(self.port.as_ref().map(|it| it as _)),
            or_none(name.map(|it| it as _)),
        )
    }
}

/// `0.0.0.0` and `::`: for servers to listen on.
pub(super) fn is_unspecified(host: &Host) -> bool {
    matches!(host, Host::Ip(address) if address.is_unspecified())
}

fn split(text: &str) -> (&str, Option<&str>) {
    if let Some((host, port)) = text.rsplit_once(':') {
        // An IPv6 address without brackets ends in a group of hexadecimal digits, which may be a port.
        let whole = text.parse::<IpAddr>().is_ok();
        let is_port = port.len() > 2 && port.bytes().all(|it| it.is_ascii_digit());
        if !whole || (is_port && host.parse::<Ipv6Addr>().is_ok()) {
            return if text.ends_with(']') {
                (text, None)
            } else {
                (host, Some(port))
            };
        }
    }
    (text, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Target;

    #[test]
    fn what_was_meant_is_said() {
        for (text, meant) in [
            ("localhost", "localhost:50051"),
            ("localhost:50051/", "localhost:50051"),
            ("http://localhost:8080", "localhost:8080"),
            ("grpc://localhost", "localhost:50051"),
            ("https://example.com/v1/x?y", "example.com:443"),
            ("https://me@example.com:8443/x", "example.com:8443"),
            ("dns:///orders:443", "orders:443"),
            ("ipv4:10.0.0.7:1", "10.0.0.7:1"),
            ("0.0.0.0:50051", "localhost:50051"),
            ("[::]:8443", "localhost:8443"),
            ("::1", "[::1]:50051"),
            ("[::1]", "[::1]:50051"),
            ("::1:8443", "[::1]:8443"),
            ("localhost:70000", "localhost:50051"),
            ("localhost:http", "localhost:50051"),
            ("unix:", ""),
            ("a b:1", ""),
            ("", ""),
            ("://", ""),
            ("[", ""),
        ] {
            let error = Target::parse(text).expect_err(text);
            let told = Misread::new(text, error).meant;
            assert_eq!(told.as_deref().unwrap_or_default(), meant, "{text}");
            assert!(meant.is_empty() || Target::parse(meant).is_ok(), "{meant}");
        }
    }
}
