//! Whom to verify: `HOST:PORT`, as people write it.

use std::fmt;
use std::net::IpAddr;

use rustls_pki_types::ServerName;

use crate::pki::GeneralName;

/// A server, and the name that its certificate is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// As it was written.
    pub text: String,
    /// Where to dial.
    pub host: Host,
    /// TCP port.
    pub port: u16,
    /// The name to check, where it is not the host.
    pub server_name: Option<Host>,
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
    /// No port.
    #[error("`{0}` names no port")]
    NoPort(String),
    /// A path after the port.
    #[error("`{0}` has a path; a server is HOST:PORT")]
    Path(String),
    /// Not a TCP port.
    #[error("`{0}` is not a port")]
    Port(String),
    /// Another scheme than https.
    #[error("`{0}` is no TLS target")]
    Scheme(String),
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
    pub fn as_server_name(&self) -> Option<ServerName<'static>> {
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
    /// Reads `HOST:PORT`, `[IPV6]:PORT`, or either behind `https://`.
    ///
    /// # Errors
    /// [`TargetError`].
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let rest = match text.split_once("://") {
            Some(("https", rest)) => rest.strip_suffix('/').unwrap_or(rest),
            Some(_) => return Err(TargetError::Scheme(text.to_owned())),
            None => text,
        };
        if rest.contains('/') {
            return Err(TargetError::Path(text.to_owned()));
        }
        let no_port = || TargetError::NoPort(text.to_owned());
        if rest.parse::<IpAddr>().is_ok() || rest.ends_with(']') {
            return Err(no_port());
        }
        let (host, port) = rest.rsplit_once(':').ok_or_else(no_port)?;
        let port_number = port.parse().ok().filter(|port| *port != 0);
        Ok(Self {
            text: text.to_owned(),
            host: Host::parse(host)?,
            port: port_number.ok_or_else(|| TargetError::Port(port.to_owned()))?,
            server_name: None,
            entry: None,
        })
    }

    /// The name that the certificate is to have.
    pub fn name(&self) -> &Host {
        self.server_name.as_ref().unwrap_or(&self.host)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            host => write!(f, "{host}:{}", self.port),
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
        assert_eq!(error("a b:1"), TargetError::Host("a b".into()));
        assert_eq!(error("*.a:1"), TargetError::Host("*.a".into()));
    }
}
