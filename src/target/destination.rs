//! Where a connection goes: a host and port or a Unix socket, and the addresses that this comes to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use super::misread::is_unspecified;
use super::{Host, TargetError};
use crate::text::printable;

/// What a Unix socket is written with, as in gRPC's own targets.
const UNIX: &str = "unix:";

/// Where to dial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A host, whose name is resolved first, and a port.
    Tcp(Host, u16),
    /// A Unix socket.
    Unix(PathBuf),
}

/// Where a connection went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Address and port.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl Destination {
    /// Reads `HOST:PORT`, `[IPV6]:PORT`, `unix:PATH` or `unix:///PATH`.
    ///
    /// # Errors
    /// [`TargetError`].
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        Self::read(text, text)
    }

    /// The same, where errors are to quote a longer text.
    pub(super) fn read(text: &str, written: &str) -> Result<Self, TargetError> {
        if let Some(path) = text.strip_prefix(UNIX) {
            return socket(path).ok_or_else(|| TargetError::Socket(written.to_owned()));
        }
        if text.is_empty() {
            return Err(TargetError::Host(written.to_owned()));
        }
        if text.contains("://") {
            return Err(TargetError::Scheme(written.to_owned()));
        }
        if text.contains('/') {
            return Err(TargetError::Path(written.to_owned()));
        }
        let no_port = || TargetError::NoPort(written.to_owned());
        if text.parse::<IpAddr>().is_ok() || text.ends_with(']') {
            return Err(no_port());
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(no_port)?;
        let number = port.parse().ok().filter(|port| *port != 0);
        let host = Host::parse(host)?;
        if is_unspecified(&host) {
            return Err(TargetError::Listening(written.to_owned()));
        }
        let number = number.ok_or_else(|| TargetError::Port(port.to_owned()))?;
        Ok(Self::Tcp(host, number))
    }

    /// Whether it is this machine's own: `localhost`, or an address of either loopback.
    pub(crate) fn is_loopback(&self) -> bool {
        match self {
            Self::Tcp(Host::Dns(name), _) => name == "localhost" || name.ends_with(".localhost"),
            Self::Tcp(Host::Ip(address), _) => LOOPBACKS.contains(address),
            Self::Unix(_) => false,
        }
    }
}

/// The address of this machine to itself, in either family.
pub(crate) const LOOPBACKS: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
];

/// `unix:PATH`, or `unix://` and an absolute path: between the second and the third slash there is no host.
fn socket(path: &str) -> Option<Destination> {
    let path = match path.strip_prefix("//") {
        Some(rest) => Some(rest).filter(|it| it.starts_with('/'))?,
        None => path,
    };
    let is_file = !path.is_empty() && !path.ends_with('/');
    is_file.then(|| Destination::Unix(path.into()))
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(Host::Ip(IpAddr::V6(address)), port) => write!(f, "[{address}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{UNIX}{}", printable(&path.display().to_string())),
        }
    }
}

impl Address {
    /// Without the port, where there is one.
    pub fn host(&self) -> String {
        match self {
            Self::Tcp(address) => address.ip().to_string(),
            Self::Unix(_) => self.to_string(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => Destination::Unix(path.clone()).fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_written_as_grpc_writes_them() {
        for (text, path) in [
            ("unix:/run/grpc.sock", "/run/grpc.sock"),
            ("unix:///run/grpc.sock", "/run/grpc.sock"),
            ("unix:grpc.sock", "grpc.sock"),
            ("unix:./a b/grpc.sock", "./a b/grpc.sock"),
            ("unix:50051", "50051"),
        ] {
            assert_eq!(
                Destination::parse(text).unwrap(),
                Destination::Unix(path.into()),
                "{text}"
            );
        }
        for text in ["unix:", "unix://", "unix://run/grpc.sock", "unix:/run/"] {
            let error = Destination::parse(text).unwrap_err();
            assert_eq!(error, TargetError::Socket(text.to_owned()));
        }
    }

    #[test]
    fn a_path_does_not_steer_the_terminal() {
        let place = Destination::Unix("/tmp/\u{1b}[2J".into());
        assert_eq!(place.to_string(), "unix:/tmp/\\u{1b}[2J");
    }

    #[test]
    fn the_loopback_is_not_every_address_of_its_network() {
        for (text, is) in [
            ("localhost:1", true),
            ("a.localhost:1", true),
            ("127.0.0.1:1", true),
            ("[::1]:1", true),
            ("127.0.0.2:1", false),
            ("localhost.example.com:1", false),
            ("unix:localhost", false),
        ] {
            assert_eq!(
                Destination::parse(text).unwrap().is_loopback(),
                is,
                "{text}"
            );
        }
    }
}
