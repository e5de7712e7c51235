//! Whom to verify: `HOST:PORT` or `unix:PATH`, as people write it.

mod destination;
mod misread;

use std::fmt;
use std::net::IpAddr;
use std::path::Path;

use rustls::pki_types::ServerName;

use crate::pki::GeneralName;
use crate::pki::name::NameError;
use crate::text::{printable, quoted};

pub(crate) use destination::LOOPBACKS;
pub use destination::{Address, Destination};
pub use misread::{Misread, MisreadTargets};

/// A server, and the name that its certificate is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// As it was written.
    pub text: String,
    /// What it is called: the name to check, unless there is another one, and what the server is told.
    pub host: Host,
    /// Its TCP port; a Unix socket has none.
    pub port: Option<u16>,
    /// Where to dial; its own host and port, unless there is another place.
    pub dial: Destination,
    /// The name to check, where it is not the host.
    pub server_name: Option<Host>,
    /// The SPIFFE id to check instead of any name.
    pub spiffe_id: Option<String>,
    /// The entry of certs.toml whose `address` it is.
    pub entry: Option<String>,
}

/// A DNS name or an IP address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A name.
    Dns(String),
    /// An address.
    Ip(IpAddr),
}

/// Why a text is no target.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Neither a DNS name nor an IP address.
    #[error("`{0}` is neither a DNS name nor an IP address")]
    Host(String),
    /// An address that stands for all of a machine's own.
    #[error("`{0}` is where a server listens, on every interface; a client dials one address")]
    Listening(String),
    /// No port.
    #[error("`{0}` names no port")]
    NoPort(String),
    /// A path after the port.
    #[error("`{0}` has a path; a server is HOST:PORT")]
    Path(String),
    /// Not a TCP port.
    #[error("`{0}` is not a port")]
    Port(String),
    /// Not a SPIFFE id.
    #[error("`{0}` is not a SPIFFE id{1}")]
    SpiffeId(String, String),
    /// Another scheme than https.
    #[error("`{0}` is no TLS target")]
    Scheme(String),
    /// `unix:` without a path, or with a host in it.
    #[error("`{0}` names no Unix socket")]
    Socket(String),
}

impl Host {
    /// Reads a name or an address, the latter with or without brackets.
    ///
    /// # Errors
    /// [`TargetError::Host`].
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let wrong = || TargetError::Host(text.to_owned());
        let bare = text
            .strip_prefix('[')
            .and_then(|it| it.strip_suffix(']'))
            .unwrap_or(text);
        if let Ok(address) = bare.parse() {
            return Ok(Self::Ip(address));
        }
        match GeneralName::dns(bare.strip_suffix('.').unwrap_or(bare)) {
            Ok(GeneralName::Dns(name)) if !name.starts_with('*') => Ok(Self::Dns(name)),
            _ => Err(wrong()),
        }
    }

    /// As a name that a certificate may have.
    pub fn as_name(&self) -> GeneralName {
        match self {
            Self::Dns(name) => GeneralName::Dns(name.clone()),
            Self::Ip(address) => GeneralName::Ip(*address),
        }
    }

    /// As rustls takes it; `None` for a name that rustls does not ask for.
    pub(crate) fn as_server_name(&self) -> Option<ServerName<'static>> {
        match self {
            Self::Dns(name) => ServerName::try_from(name.clone()).ok(),
            Self::Ip(address) => Some(ServerName::IpAddress((*address).into())),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

impl Target {
    /// Reads `HOST:PORT`, `[IPV6]:PORT`, or either behind `https://`; or a Unix socket, `unix:PATH`. The name of
    /// what is behind a socket is `localhost` for every gRPC client.
    ///
    /// # Errors
    /// [`TargetError`].
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let rest = match text.strip_prefix("https://") {
            Some(rest) => rest.strip_suffix('/').unwrap_or(rest),
            None => text,
        };
        let dial = Destination::read(rest, text)?;
        let (host, port) = match &dial {
            Destination::Tcp(host, port) => (host.clone(), Some(*port)),
            // `https://unix:PATH` is no target of any gRPC client.
            Destination::Unix(_) if rest != text => {
                return Err(TargetError::Scheme(text.to_owned()));
            }
            Destination::Unix(_) => (Host::Dns("localhost".to_owned()), None),
        };
        Ok(Self {
            text: text.to_owned(),
            host,
            port,
            dial,
            server_name: None,
            spiffe_id: None,
            entry: None,
        })
    }

    /// What the server is told that it is called (RFC 9113, 8.3.1, `:authority`).
    pub(crate) fn authority(&self) -> String {
        let name = match self.name() {
            Host::Ip(address @ IpAddr::V6(_)) => format!("[{address}]"),
            name => name.to_string(),
        };
        match self.port {
            Some(port) => format!("{name}:{port}"),
            None => name,
        }
    }

    /// As it is typed in a shell.
    pub fn typed(&self) -> String {
        quoted(Path::new(&self.to_string()))
    }

    /// Reads the SPIFFE id of a server.
    ///
    /// # Errors
    /// [`TargetError::SpiffeId`].
    pub fn parse_spiffe_id(text: &str) -> Result<String, TargetError> {
        let wrong = |rule| TargetError::SpiffeId(text.to_owned(), rule);
        match GeneralName::uri(text) {
            Ok(name) if name.is_spiffe() => Ok(text.to_owned()),
            Ok(_) | Err(NameError::Uri(_)) => Err(wrong(String::new())),
            Err(NameError::Spiffe(_, rule)) => Err(wrong(format!(": {rule}"))),
            Err(other) => Err(wrong(format!(": {other}"))),
        }
    }

    /// The name that the certificate is to have.
    pub fn name(&self) -> &Host {
        self.server_name.as_ref().unwrap_or(&self.host)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => Destination::Tcp(self.host.clone(), port).fmt(f),
            None => f.write_str(&printable(&self.text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_as_people_write_them() {
        for (text, shown) in [
            ("localhost:50051", "localhost:50051"),
            ("LOCALHOST:50051", "localhost:50051"),
            ("https://example.com.:443/", "example.com:443"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("[::1]:50051", "[::1]:50051"),
            ("::1:50051", "[::1]:50051"),
            ("unix:grpc.sock", "unix:grpc.sock"),
            ("unix:///run/grpc.sock", "unix:///run/grpc.sock"),
        ] {
            match Target::parse(text) {
                Ok(target) => assert_eq!(target.to_string(), shown),
                // A colon before digits may belong to the address: brackets are needed.
                Err(error) => assert_eq!(
                    (text, error),
                    ("::1:50051", TargetError::NoPort(text.into()))
                ),
            }
        }
    }

    #[test]
    fn what_is_no_spiffe_id_says_why() {
        let read = |text: &str| Target::parse_spiffe_id(text).map_err(|it| it.to_string());
        assert_eq!(read("spiffe://a/b"), Ok("spiffe://a/b".to_owned()));
        for (text, rule) in [
            ("orders", ""),
            ("https://a/b", ""),
            ("spiffe://A/b", ": its trust domain may hold only"),
            ("SPIFFE://a/b", ": it must start with"),
        ] {
            let told = read(text).unwrap_err();
            let start = format!("`{text}` is not a SPIFFE id{rule}");
            assert!(told.starts_with(&start), "{told}");
        }
    }

    #[test]
    fn what_is_no_target_says_why() {
        let error = |text: &str| Target::parse(text).unwrap_err();
        assert_eq!(error("localhost"), TargetError::NoPort("localhost".into()));
        assert_eq!(error("[::1]"), TargetError::NoPort("[::1]".into()));
        assert_eq!(error("::1"), TargetError::NoPort("::1".into()));
        assert_eq!(error("localhost:0"), TargetError::Port("0".into()));
        assert_eq!(error("localhost:70000"), TargetError::Port("70000".into()));
        assert_eq!(
            error("http://localhost:1"),
            TargetError::Scheme("http://localhost:1".into())
        );
        assert_eq!(
            error("https://a:1/x"),
            TargetError::Path("https://a:1/x".into())
        );
        assert_eq!(
            error("https://unix:/run/grpc.sock"),
            TargetError::Scheme("https://unix:/run/grpc.sock".into())
        );
        assert_eq!(error("a b:1"), TargetError::Host("a b".into()));
        assert_eq!(error("*.a:1"), TargetError::Host("*.a".into()));
    }

    #[test]
    fn what_the_server_is_told_is_the_name_not_the_place() {
        let authority = |text: &str, name: Option<&str>, dial: Option<&str>| {
            let mut target = Target::parse(text).unwrap();
            target.server_name = name.map(|it| Host::parse(it).unwrap());
            if let Some(dial) = dial {
                target.dial = Destination::parse(dial).unwrap();
            }
            target.authority()
        };
        assert_eq!(authority("a:1", None, None), "a:1");
        assert_eq!(authority("a:1", None, Some("10.0.0.7:2")), "a:1");
        assert_eq!(authority("a:1", Some("b"), Some("unix:/s")), "b:1");
        assert_eq!(authority("[::1]:1", None, None), "[::1]:1");
        assert_eq!(authority("unix:/s", None, None), "localhost");
        assert_eq!(authority("unix:/s", Some("b"), None), "b");
    }
}
