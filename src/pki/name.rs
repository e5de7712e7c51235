//! Subject alternative names (RFC 5280, 4.2.1.6), checked before anything is made from them.

use std::fmt;
use std::net::IpAddr;

use super::spiffe;

/// Longer lists are shown in part.
const SHOWN: usize = 8;

/// One name of a certificate, in the form in which it is encoded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GeneralName {
    /// dNSName: lower case, A-labels, perhaps with `*` as its leftmost label.
    Dns(String),
    /// rfc822Name.
    Email(String),
    /// iPAddress.
    Ip(IpAddr),
    /// uniformResourceIdentifier.
    Uri(String),
}

/// Why a text cannot be a name of that kind.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// A DNS label has a character that is not a letter, digit, hyphen or underscore, or is empty.
    #[error("`{0}` is not a DNS name: {1}")]
    Dns(String, DnsRule),
    /// Not an e-mail address.
    #[error("`{0}` is not an e-mail address")]
    Email(String),
    /// Not an IP address.
    #[error("`{0}` is not an IP address")]
    Ip(String),
    /// An address with a prefix length.
    #[error("`{0}` is a network; a certificate names single addresses")]
    IpNetwork(String),
    /// An IP address where a DNS name belongs.
    #[error("`{0}` is an IP address, and clients look for those under IP")]
    IpUnderDns(String),
    /// A `spiffe:` URI that the SPIFFE specification does not allow.
    #[error("`{0}` is not a SPIFFE id: {1}")]
    Spiffe(String, &'static str),
    /// Not a URI with a scheme.
    #[error("`{0}` is not an absolute URI")]
    Uri(String),
    /// `*` anywhere but as the whole leftmost label.
    #[error("`{0}`: `*` may only be the whole leftmost label, as in `*.example.com`")]
    Wildcard(String),
}

/// Which rule of RFC 1034 or of IDNA a DNS name breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsRule {
    /// A character other than a letter, digit, hyphen or underscore.
    Character(char),
    /// Two dots in a row, or one at the start.
    EmptyLabel,
    /// A label that starts or ends with a hyphen.
    Hyphen,
    /// Not encodable as A-labels (RFC 5891).
    Idna,
    /// A label of more than 63 octets.
    LongLabel,
    /// A last label of digits alone, as no top-level domain has.
    NumericTld,
    /// More than 253 octets.
    TooLong,
    /// A dot at the end, which certificates do not carry.
    TrailingDot,
}

impl fmt::Display for DnsRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character(c) => write!(f, "it has the character {c:?}"),
            Self::EmptyLabel => f.write_str("it has an empty label"),
            Self::Hyphen => f.write_str("a label starts or ends with `-`"),
            Self::Idna => f.write_str("it has no form in ASCII (IDNA)"),
            Self::LongLabel => f.write_str("a label has more than 63 characters"),
            Self::NumericTld => f.write_str("its last label is a number"),
            Self::TooLong => f.write_str("it has more than 253 characters"),
            Self::TrailingDot => f.write_str("certificates carry no dot at the end"),
        }
    }
}

impl GeneralName {
    /// A DNS name; an internationalised one becomes A-labels, and letters become lower case.
    ///
    /// # Errors
    /// [`NameError`] with the rule of RFC 1034, 5890 or 6125 that it breaks.
    pub fn dns(text: &str) -> Result<Self, NameError> {
        if text.parse::<IpAddr>().is_ok() {
            return Err(NameError::IpUnderDns(text.to_owned()));
        }
        let (wildcard, host) = text
            .strip_prefix("*.")
            .map_or(("", text), |host| ("*.", host));
        if host.contains('*') {
            return Err(NameError::Wildcard(text.to_owned()));
        }
        let broken = |rule| NameError::Dns(text.to_owned(), rule);
        let ascii = idna::domain_to_ascii(host).map_err(|_| broken(DnsRule::Idna))?;
        check_host(&ascii, wildcard.len()).map_err(broken)?;
        Ok(Self::Dns(format!("{wildcard}{ascii}")))
    }

    /// An e-mail address (the ASCII mailbox of RFC 5280, 4.2.1.6).
    ///
    /// # Errors
    /// [`NameError::Email`].
    pub fn email(text: &str) -> Result<Self, NameError> {
        let fine = text.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty()
                && local.chars().all(|c| c.is_ascii_graphic() && c != '@')
                && check_host(host, 0).is_ok()
        });
        if fine {
            Ok(Self::Email(text.to_owned()))
        } else {
            Err(NameError::Email(text.to_owned()))
        }
    }

    /// An IPv4 or IPv6 address.
    ///
    /// # Errors
    /// [`NameError::Ip`], or [`NameError::IpNetwork`] for an address with a prefix length.
    pub fn ip(text: &str) -> Result<Self, NameError> {
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(text);
        if let Ok(address) = bare.parse() {
            return Ok(Self::Ip(address));
        }
        let network = text
            .split_once('/')
            .is_some_and(|(address, _)| address.parse::<IpAddr>().is_ok());
        Err(if network {
            NameError::IpNetwork(text.to_owned())
        } else {
            NameError::Ip(text.to_owned())
        })
    }

    /// An absolute URI; one of the scheme `spiffe` is held to the SPIFFE id specification.
    ///
    /// # Errors
    /// [`NameError::Uri`] or [`NameError::Spiffe`].
    pub fn uri(text: &str) -> Result<Self, NameError> {
        let no_uri = || NameError::Uri(text.to_owned());
        let (scheme, rest) = text.split_once(':').ok_or_else(no_uri)?;
        let scheme_fine = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        if !scheme_fine || rest.is_empty() || !text.chars().all(|c| c.is_ascii_graphic()) {
            return Err(no_uri());
        }
        if scheme.eq_ignore_ascii_case("spiffe") {
            spiffe::check(text).map_err(|rule| NameError::Spiffe(text.to_owned(), rule))?;
        }
        Ok(Self::Uri(text.to_owned()))
    }

    /// Whether it is a SPIFFE id.
    pub fn is_spiffe(&self) -> bool {
        matches!(self, Self::Uri(uri) if uri.starts_with("spiffe:"))
    }

    /// The kind as certificate.conf writes it: `DNS`, `email`, `IP` or `URI`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dns(_) => "DNS",
            Self::Email(_) => "email",
            Self::Ip(_) => "IP",
            Self::Uri(_) => "URI",
        }
    }

    /// Whether a certificate with this name may be used for `host`, by the rules of RFC 9525, 6.3: `*` stands for one label.
    pub fn covers(&self, host: &Self) -> bool {
        match (self, host) {
            (Self::Dns(presented), Self::Dns(wanted)) => match presented.strip_prefix("*.") {
                Some(parent) => wanted.split_once('.').is_some_and(|(label, rest)| {
                    !label.is_empty() && label != "*" && rest.eq_ignore_ascii_case(parent)
                }),
                None => presented.eq_ignore_ascii_case(wanted),
            },
            _ => self == host,
        }
    }
}

impl fmt::Display for GeneralName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(text) | Self::Email(text) | Self::Uri(text) => f.write_str(text),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

/// Names one after another, as messages show them: the first eight, and how many there are besides.
pub fn join(names: &[GeneralName]) -> String {
    let shown: Vec<String> = names.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = names.len().saturating_sub(SHOWN);
    let rest = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    format!("{}{rest}", shown.join(", "))
}

fn check_host(host: &str, prefix: usize) -> Result<(), DnsRule> {
    if host.len() > 1 && host.ends_with('.') {
        return Err(DnsRule::TrailingDot);
    }
    if host.len() + prefix > 253 {
        return Err(DnsRule::TooLong);
    }
    for label in host.split('.') {
        if label.is_empty() {
            return Err(DnsRule::EmptyLabel);
        }
        if let Some(c) = label
            .chars()
            .find(|c| !c.is_ascii_alphanumeric() && !"-_".contains(*c))
        {
            return Err(DnsRule::Character(c));
        }
        if label.len() > 63 {
            return Err(DnsRule::LongLabel);
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(DnsRule::Hyphen);
        }
    }
    let last = host.rsplit('.').next().unwrap_or(host);
    if last.chars().all(|c| c.is_ascii_digit()) {
        return Err(DnsRule::NumericTld);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rustls_pki_types::ServerName;

    use super::*;

    #[test]
    fn dns_names_are_lower_case_a_labels() {
        for (text, encoded) in [
            ("localhost", "localhost"),
            ("My-Server", "my-server"),
            ("*.Example.com", "*.example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("_grpc.svc", "_grpc.svc"),
        ] {
            assert_eq!(GeneralName::dns(text), Ok(GeneralName::Dns(encoded.into())));
        }
    }

    #[test]
    fn what_is_no_dns_name_says_which_rule_it_breaks() {
        let rule = |text: &str| match GeneralName::dns(text) {
            Err(NameError::Dns(_, rule)) => rule,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(rule(""), DnsRule::EmptyLabel);
        assert_eq!(rule("a..b"), DnsRule::EmptyLabel);
        assert_eq!(rule("-x"), DnsRule::Hyphen);
        assert_eq!(rule("x."), DnsRule::TrailingDot);
        assert_eq!(rule("1.2.3"), DnsRule::NumericTld);
        assert_eq!(rule(&"a".repeat(64)), DnsRule::LongLabel);
        assert_eq!(
            rule(&"a.".repeat(130).replace("a.a", "a.b")[..255]),
            DnsRule::TooLong
        );
        assert!(matches!(
            GeneralName::dns("a b.test"),
            Err(NameError::Dns(..))
        ));
        assert!(matches!(
            GeneralName::dns("foo/bar"),
            Err(NameError::Dns(..))
        ));
        assert!(matches!(GeneralName::dns("a:443"), Err(NameError::Dns(..))));
        assert!(matches!(
            GeneralName::dns("10.0.0.1"),
            Err(NameError::IpUnderDns(_))
        ));
        assert!(matches!(
            GeneralName::dns("::1"),
            Err(NameError::IpUnderDns(_))
        ));
        for text in ["*", "*.*.x", "a*.x", "x.*.y"] {
            assert!(
                matches!(GeneralName::dns(text), Err(NameError::Wildcard(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn every_accepted_dns_name_is_one_that_rustls_can_ask_for() {
        for text in ["localhost", "a.b", "bücher.example", "_x.y", "A1-b"] {
            let Ok(GeneralName::Dns(name)) = GeneralName::dns(text) else {
                panic!("{text}")
            };
            assert!(ServerName::try_from(name.clone()).is_ok(), "{name}");
        }
    }

    #[test]
    fn addresses_are_single_ones() {
        assert_eq!(
            GeneralName::ip("[::1]"),
            Ok(GeneralName::Ip("::1".parse().unwrap()))
        );
        assert!(matches!(
            GeneralName::ip("10.0.0.1/24"),
            Err(NameError::IpNetwork(_))
        ));
        assert!(matches!(
            GeneralName::ip("localhost"),
            Err(NameError::Ip(_))
        ));
    }

    #[test]
    fn a_wildcard_stands_for_exactly_one_label() {
        let covers = |presented, wanted| {
            GeneralName::dns(presented)
                .unwrap()
                .covers(&GeneralName::dns(wanted).unwrap())
        };
        assert!(covers("*.example.com", "a.example.com") && covers("localhost", "LOCALHOST"));
        assert!(
            !covers("*.example.com", "a.b.example.com") && !covers("*.example.com", "example.com")
        );
        assert!(!covers("a", "b"));
    }
}
