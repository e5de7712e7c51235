//! What a certificate is for, and what RFC 5280 makes of that: keyUsage, extendedKeyUsage, basicConstraints.
//!
//! | profile | basicConstraints | keyUsage | extendedKeyUsage |
//! |---|---|---|---|
//! | CA | CA, path length 1 | keyCertSign, cRLSign | none |
//! | server | not a CA | digitalSignature; keyEncipherment with RSA | serverAuth |
//! | client | not a CA | digitalSignature; keyEncipherment with RSA | clientAuth |
//! | peer | not a CA | digitalSignature; keyEncipherment with RSA | serverAuth, clientAuth |

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::name::{GeneralName, NameError};

/// Intermediates allowed below a CA of ours: one, the new root that the old one cross-signs at a rollover.
pub const CA_PATH_LENGTH: u8 = 1;

/// What an end entity's certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Dials others: extendedKeyUsage clientAuth.
    Client,
    /// Both, for a service that also dials others.
    Peer,
    /// Is dialled: extendedKeyUsage serverAuth.
    Server,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 3] = [Self::Server, Self::Client, Self::Peer];

    /// As certs.toml writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Peer => "peer",
            Self::Server => "server",
        }
    }

    /// Whether it may be used by a server.
    pub fn server_auth(self) -> bool {
        self != Self::Client
    }

    /// Whether it may be used by a client.
    pub fn client_auth(self) -> bool {
        self != Self::Server
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Profile {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|it| it.as_str() == text)
            .ok_or(())
    }
}

/// A range of IP addresses (RFC 4632), its bits beyond the prefix zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// First address.
    pub address: IpAddr,
    /// Length of the prefix, in bits.
    pub prefix: u8,
}

impl Network {
    /// Reads `10.0.0.0/8`; an address alone is a network of one.
    ///
    /// # Errors
    /// [`NameError::Ip`] where it is none, or has bits set beyond its prefix.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let wrong = || NameError::Ip(text.to_owned());
        let (address, prefix) = text
            .split_once('/')
            .map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(width), |p| p.parse::<u8>().map_err(|_| wrong()))?;
        let network = Self { address, prefix };
        if prefix > width || bits(address) & network.host_mask() != 0 {
            return Err(wrong());
        }
        Ok(network)
    }

    /// Whether the address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4()
            && (bits(address) ^ bits(self.address)) & !self.host_mask() == 0
    }

    /// The bits beyond the prefix.
    fn host_mask(&self) -> u128 {
        let width: u32 = if self.address.is_ipv4() { 32 } else { 128 };
        let free = width.saturating_sub(u32::from(self.prefix));
        u128::MAX.checked_shr(128 - free).unwrap_or(0)
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// nameConstraints of a CA (RFC 5280, 4.2.1.10): DNS names and IP addresses only, as webpki refuses URI constraints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameConstraints {
    /// DNS subtrees of which a DNS name must be part of one; none means that any is allowed.
    pub permitted_dns: Vec<String>,
    /// Networks of which an IP address must be part of one; none means that any is allowed.
    pub permitted_ip: Vec<Network>,
    /// DNS subtrees that no DNS name may be part of.
    pub excluded_dns: Vec<String>,
    /// Networks that no IP address may be part of.
    pub excluded_ip: Vec<Network>,
}

impl NameConstraints {
    /// Whether it constrains nothing.
    pub fn is_empty(&self) -> bool {
        self.permitted_dns.is_empty()
            && self.permitted_ip.is_empty()
            && self.excluded_dns.is_empty()
            && self.excluded_ip.is_empty()
    }

    /// Whether a certificate with this name may be issued.
    pub fn allow(&self, name: &GeneralName) -> bool {
        match name {
            GeneralName::Dns(host) => {
                let host = host.strip_prefix("*.").unwrap_or(host);
                (self.permitted_dns.is_empty()
                    || self.permitted_dns.iter().any(|it| is_below(host, it)))
                    && !self.excluded_dns.iter().any(|it| is_below(host, it))
            }
            GeneralName::Ip(address) => {
                (self.permitted_ip.is_empty()
                    || self.permitted_ip.iter().any(|it| it.contains(*address)))
                    && !self.excluded_ip.iter().any(|it| it.contains(*address))
            }
            GeneralName::Email(_) | GeneralName::Uri(_) => true,
        }
    }
}

/// RFC 5280, 4.2.1.10: zero or more labels added to the left of the constraint.
fn is_below(host: &str, constraint: &str) -> bool {
    let constraint = constraint.strip_prefix('.').unwrap_or(constraint);
    host.strip_suffix(constraint)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_its_addresses_alone() {
        let contains = |network: &str, address: &str| {
            Network::parse(network)
                .unwrap()
                .contains(address.parse().unwrap())
        };
        assert!(contains("10.0.0.0/8", "10.255.0.1") && !contains("10.0.0.0/8", "11.0.0.1"));
        assert!(contains("0.0.0.0/0", "1.2.3.4") && !contains("0.0.0.0/0", "::1"));
        assert!(
            contains("::/0", "::1")
                && contains("fd00::/8", "fd12::1")
                && !contains("fd00::/8", "fe80::1")
        );
        assert!(contains("127.0.0.1", "127.0.0.1") && !contains("127.0.0.1", "127.0.0.2"));
        for text in ["10.0.0.1/8", "10.0.0.0/33", "::1/64", "x/8", "10.0.0.0/"] {
            assert!(Network::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn constraints_decide_by_subtree_and_by_network() {
        let constraints = NameConstraints {
            permitted_dns: vec!["example.internal".into(), "localhost".into()],
            permitted_ip: vec![Network::parse("10.0.0.0/8").unwrap()],
            excluded_dns: vec!["secret.example.internal".into()],
            excluded_ip: vec![Network::parse("10.9.0.0/16").unwrap()],
        };
        let allow = |name: Result<GeneralName, _>| constraints.allow(&name.unwrap());
        assert!(
            allow(GeneralName::dns("a.example.internal")) && allow(GeneralName::dns("localhost"))
        );
        assert!(
            allow(GeneralName::dns("*.example.internal")) && allow(GeneralName::ip("10.1.2.3"))
        );
        assert!(
            !allow(GeneralName::dns("badexample.internal"))
                && !allow(GeneralName::dns("example.com"))
        );
        assert!(!allow(GeneralName::dns("a.secret.example.internal")));
        assert!(!allow(GeneralName::ip("10.9.1.1")) && !allow(GeneralName::ip("127.0.0.1")));
        assert!(allow(GeneralName::uri("spiffe://elsewhere/x")));
    }
}
