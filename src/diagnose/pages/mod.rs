//! What `explain` tells about each code: the meaning, how it looks in the clients, what to do on the servers.
//!
//! The title of a page is the documentation of its [`Code`]. What stands in backticks is quoted or to be typed.

mod answer;
mod dns_tcp_tls;
mod fleet;
mod name_time;
mod path;
mod verdicts;

use super::Code;

/// What there is to know about a code.
#[derive(Debug)]
pub struct Page {
    /// What it means, in a few sentences.
    pub meaning: &'static str,
    /// How it looks from a client.
    pub seen: &'static [(Who, &'static str)],
    /// What to do, and where.
    pub fix: &'static [(Who, &'static str)],
}

/// Whom a line of a page is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Every client alike.
    All,
    /// Whoever dials.
    Client,
    /// grpc-go.
    Go,
    /// This program.
    GrpcPki,
    /// haproxy.
    Haproxy,
    /// grpc-java.
    Java,
    /// What lies between client and server.
    Network,
    /// nginx.
    Nginx,
    /// grpc-js.
    Node,
    /// grpcio, and with it all that is built on the same core: C++, Ruby, PHP.
    Python,
    /// Whatever the server is written in.
    Server,
    /// tonic, with rustls.
    Tonic,
}

impl Who {
    /// As text and JSON show it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Client => "client",
            Self::Go => "Go",
            Self::GrpcPki => "grpc-pki",
            Self::Haproxy => "haproxy",
            Self::Java => "Java",
            Self::Network => "network",
            Self::Nginx => "nginx",
            Self::Node => "Node",
            Self::Python => "Python",
            Self::Server => "server",
            Self::Tonic => "tonic",
        }
    }
}

impl Code {
    /// Its page.
    pub fn page(self) -> &'static Page {
        match self {
            Self::AlpnNone => &answer::ALPN_NONE,
            Self::AlpnRefused => &answer::ALPN_REFUSED,
            Self::ClientAuthAcceptsAny => &verdicts::CLIENT_AUTH_ACCEPTS_ANY,
            Self::ClientAuthNotEnforced => &verdicts::CLIENT_AUTH_NOT_ENFORCED,
            Self::ClientAuthOptional => &verdicts::CLIENT_AUTH_OPTIONAL,
            Self::OpinionsRefusedElsewhere => &verdicts::OPINIONS_REFUSED_ELSEWHERE,
            Self::ClientAuthRefused => &answer::CLIENT_AUTH_REFUSED,
            Self::ClientAuthRequired => &answer::CLIENT_AUTH_REQUIRED,
            Self::DnsNotFound => &dns_tcp_tls::DNS_NOT_FOUND,
            Self::DnsTimeout => &dns_tcp_tls::DNS_TIMEOUT,
            Self::GrpcAuthentication => &answer::GRPC_AUTHENTICATION,
            Self::GrpcNoAnswer => &answer::GRPC_NO_ANSWER,
            Self::GrpcNoHealth => &answer::GRPC_NO_HEALTH,
            Self::GrpcNotGrpc => &answer::GRPC_NOT_GRPC,
            Self::GrpcNotServing => &answer::GRPC_NOT_SERVING,
            Self::GrpcUnknown => &answer::GRPC_UNKNOWN,
            Self::GrpcStatus => &answer::GRPC_STATUS,
            Self::Http2Closed => &answer::HTTP2_CLOSED,
            Self::Http2NotSpoken => &answer::HTTP2_NOT_SPOKEN,
            Self::Http2Silent => &answer::HTTP2_SILENT,
            Self::NameDns => &name_time::NAME_DNS,
            Self::NameIp => &name_time::NAME_IP,
            Self::NameNoSan => &name_time::NAME_NO_SAN,
            Self::PathCaAsServer => &path::CA_AS_SERVER,
            Self::PathCaRecreated => &path::CA_RECREATED,
            Self::PathCriticalExtension => &path::CRITICAL_EXTENSION,
            Self::PathIssuerNotCa => &path::ISSUER_NOT_CA,
            Self::PathIssuerPurpose => &path::ISSUER_PURPOSE,
            Self::PathLength => &path::LENGTH,
            Self::PathNameConstraints => &path::NAME_CONSTRAINTS,
            Self::PathOtherEntry => &fleet::OTHER_ENTRY,
            Self::PathPurpose => &path::PURPOSE,
            Self::PathRefused => &path::REFUSED,
            Self::PathSelfSigned => &path::SELF_SIGNED,
            Self::PathUnknownIssuer => &path::UNKNOWN_ISSUER,
            Self::PathUnreadable => &path::UNREADABLE,
            Self::PathWeak => &path::WEAK,
            Self::TcpRefused => &dns_tcp_tls::TCP_REFUSED,
            Self::TcpTimeout => &dns_tcp_tls::TCP_TIMEOUT,
            Self::TcpUnreachable => &dns_tcp_tls::TCP_UNREACHABLE,
            Self::TimeAnchor => &name_time::TIME_ANCHOR,
            Self::TimeBelowMinDays => &fleet::TIME_BELOW_MIN_DAYS,
            Self::TimeExpired => &name_time::TIME_EXPIRED,
            Self::TimeIssuer => &name_time::TIME_ISSUER,
            Self::TimeNotYetValid => &name_time::TIME_NOT_YET_VALID,
            Self::TlsAlert => &dns_tcp_tls::TLS_ALERT,
            Self::TlsClosed => &dns_tcp_tls::TLS_CLOSED,
            Self::TlsIncompatible => &dns_tcp_tls::TLS_INCOMPATIBLE,
            Self::TlsNotTls => &dns_tcp_tls::TLS_NOT_TLS,
            Self::TlsPlaintext => &dns_tcp_tls::TLS_PLAINTEXT,
            Self::TlsSilent => &dns_tcp_tls::TLS_SILENT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_all_parts() {
        let clients = [
            Who::Tonic,
            Who::Go,
            Who::Python,
            Who::Node,
            Who::Java,
            Who::All,
        ];
        for code in Code::ALL {
            let (page, name) = (code.page(), code.as_str());
            assert!(!code.title().is_empty(), "{name}");
            assert!(page.meaning.ends_with('.'), "{name}");
            assert!(!page.seen.is_empty() && !page.fix.is_empty(), "{name}");
            let place = |who: &Who| clients.iter().position(|it| it == who);
            let order: Vec<_> = page.seen.iter().map(|(who, _)| place(who)).collect();
            assert!(order.iter().all(Option::is_some), "{name}: no client");
            assert!(order.is_sorted(), "{name}: clients stand in one order");
            assert!(
                page.fix.iter().all(|(who, _)| *who != Who::All),
                "{name}: a fix has a place"
            );
            for (_, text) in page.seen.iter().chain(page.fix) {
                let quotes = text.matches('`').count();
                assert!(
                    !text.is_empty() && quotes.is_multiple_of(2),
                    "{name}: {text}"
                );
                assert!(
                    !text.ends_with('.') && !text.contains("  "),
                    "{name}: {text}"
                );
            }
        }
    }

    #[test]
    fn no_page_is_another_ones() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.page().meaning), "{}", code.as_str());
            assert!(seen.insert(code.title()), "{}", code.as_str());
        }
    }
}
