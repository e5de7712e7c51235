//! Proxies between client and server: those that open TLS, and those that verify does not go by way of.

use super::words::short;
use super::{Code, Finding, Fix, Judge};
use crate::pki::path::Path;
use crate::pki::profile::Network;
use crate::probe::{Destination, Host};
use crate::text::printable;

/// What the CAs of products that open TLS are called; a certificate of theirs is nobody's own.
const PRODUCTS: [&str; 26] = [
    "Avast Web",
    "Barracuda",
    "Bitdefender",
    "Blue Coat",
    "BlueCoat",
    "Charles Proxy",
    "Check Point",
    "Cisco Umbrella",
    "Cloudflare Managed",
    "ESET SSL Filter",
    "Fiddler",
    "Forcepoint",
    "FortiGate",
    "Fortinet",
    "Kaspersky",
    "McAfee Web Gateway",
    "Netskope",
    "PortSwigger",
    "SSL Inspection",
    "SSL Interception",
    "SSL Proxy",
    "Skyhigh",
    "Sophos",
    "WatchGuard",
    "Zscaler",
    "mitmproxy",
];

/// The proxy that the environment sets for TLS, of which verify makes no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// The variable.
    pub variable: String,
    /// Its value, without a password.
    pub place: String,
    /// Who is exempt: the value of NO_PROXY or no_proxy.
    pub exempt: String,
}

/// Go's name for it, which gRPC's C core and grpc-js do not read: they know the one in lower case.
const GO_ALONE: &str = "HTTPS_PROXY";

impl Proxy {
    /// The variables that set one for TLS, the one that most clients heed first.
    pub const VARIABLES: [&str; 4] = ["https_proxy", GO_ALONE, "grpc_proxy", "http_proxy"];

    /// Who heeds the variable.
    fn clients(&self) -> &'static str {
        match self.variable.as_str() {
            GO_ALONE => "Go",
            "https_proxy" => "Go, Python, C++ and Node",
            _ => "Python, C++ and Node",
        }
    }

    /// The variable in which they look who is exempt.
    fn exemption(&self) -> &'static str {
        match self.variable.as_str() {
            GO_ALONE => "NO_PROXY",
            _ => "no_proxy",
        }
    }

    /// Whether clients that heed the environment dial this place by way of it.
    fn takes(&self, host: &Host, port: u16) -> bool {
        let name = match host {
            Host::Ip(address) if address.is_loopback() => return false,
            Host::Ip(address) => address.to_string(),
            Host::Dns(name) => name.to_lowercase(),
        };
        let covers = |rule: &str| {
            let rule = rule.trim().to_lowercase();
            let rule = match rule.rsplit_once(':') {
                Some((rule, only)) if !rule.contains(':') => {
                    if only != port.to_string() {
                        return false;
                    }
                    rule
                }
                _ => &rule,
            };
            let domain = rule.trim_start_matches("*.").trim_start_matches('.');
            let named = name == domain || name.ends_with(&format!(".{domain}"));
            rule == "*" || !domain.is_empty() && named || is_within(host, rule)
        };
        name != "localhost" && !self.exempt.split(',').any(covers)
    }
}

/// Whether an address is of a network that is written as `10.0.0.0/8`.
fn is_within(host: &Host, text: &str) -> bool {
    let (Host::Ip(it), Some((address, prefix))) = (host, text.split_once('/')) else {
        return false;
    };
    match (address.parse(), prefix.parse()) {
        (Ok(address), Ok(prefix)) => Network { address, prefix }.contains(*it),
        _ => false,
    }
}

impl Judge<'_> {
    /// A certificate that a product between us and the server made.
    pub(super) fn intercepted(&self, path: &Path<'_>) -> Option<Finding> {
        let last = path.certificates[path.certificates.len() - 1];
        // One of our own CA may be called anything.
        if self.knowledge.owner(path.certificates[0]).is_some() {
            return None;
        }
        let names = [last.issuer.to_string(), last.subject.to_string()];
        let names = names.map(|it| it.to_lowercase());
        let known = |it: &&&str| names.iter().any(|name| name.contains(&it.to_lowercase()));
        let product = PRODUCTS.iter().find(known)?;
        let issuer = printable(&last.issuer.to_string());
        let target = &self.observation.target;
        let headline = format!("a proxy in between opens TLS ({product})");
        let why = format!(
            "The certificate is not the server's own: {issuer} made it on the way, as products do that read what goes \
             through them, and {} does not have that CA.",
            self.knowledge.anchors_path
        );
        let fix = Fix::steps([
            format!("have {target} exempt from TLS inspection in {product}, or dial by a way around it"),
            "or, where it is to read along, trust its CA: `--ca FILE` with the certificate that its operator gives out"
                .to_owned(),
        ]);
        Some(Finding::new(Code::PathIntercepted, headline, why, fix))
    }

    /// That a proxy is set which clients take, and we do not.
    pub(super) fn proxy_note(&self) -> Option<String> {
        // Where a local file is wrong, nobody was dialled.
        let proxy = self.knowledge.proxy.as_ref();
        let proxy = proxy.filter(|_| !self.knowledge.inputs.is_failed())?;
        let target = &self.observation.target;
        let Destination::Tcp(host, port) = &target.dial else {
            return None;
        };
        proxy.takes(host, *port).then(|| {
            format!(
                "{} is set to {}: clients in {} go by way of it, and verify dials the server itself; {}={host} \
                 exempts them",
                proxy.variable,
                printable(&proxy.place),
                proxy.clients(),
                proxy.exemption(),
            )
        })
    }

    /// The same for a certificate of an unknown CA.
    pub(super) fn perhaps_proxy(&self, path: &Path<'_>) -> String {
        let last = path.certificates[path.certificates.len() - 1];
        match &self.knowledge.proxy {
            Some(proxy) => format!(
                " {} is set here: where {} is the CA of a proxy that opens TLS, the server's own was not seen.",
                proxy.variable,
                short(&last.issuer)
            ),
            None => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(exempt: &str, host: &str) -> bool {
        let proxy = Proxy {
            variable: "HTTPS_PROXY".into(),
            place: "proxy:3128".into(),
            exempt: exempt.into(),
        };
        proxy.takes(&Host::parse(host).unwrap(), 443)
    }

    #[test]
    fn who_is_exempt_does_not_go_by_way_of_it() {
        for exempt in [
            "orders.internal",
            "a, .internal",
            "*.internal",
            "*",
            "INTERNAL",
            "orders.internal:443",
        ] {
            assert!(!takes(exempt, "orders.internal"), "{exempt}");
        }
        for exempt in [
            "",
            "ders.internal",
            "orders",
            "orders.internal.example",
            "orders.internal:8443",
            ",",
            "0.0.0.0/0",
        ] {
            assert!(takes(exempt, "orders.internal"), "{exempt}");
        }
        assert!(!takes("", "localhost") && !takes("", "127.0.0.1") && !takes("", "::1"));
        assert!(takes("", "10.0.0.7") && !takes("10.0.0.7", "10.0.0.7"));
        assert!(!takes("10.0.0.0/8", "10.0.0.7") && !takes("fd00::/8", "fd00::7"));
        for network in ["10.1.0.0/16", "::/0", "10.0.0.0/x", "x/8"] {
            assert!(takes(network, "10.0.0.7"), "{network}");
        }
    }

    #[test]
    fn only_those_are_named_who_read_the_variable() {
        let told = Proxy::VARIABLES.map(|variable| {
            let proxy = Proxy {
                variable: variable.into(),
                place: "proxy:3128".into(),
                exempt: String::new(),
            };
            (proxy.clients(), proxy.exemption())
        });
        let others = ("Python, C++ and Node", "no_proxy");
        let all = ("Go, Python, C++ and Node", "no_proxy");
        assert_eq!(told, [all, ("Go", "NO_PROXY"), others, others]);
    }
}
