//! What `explain` tells about each code: the meaning, how it looks in the clients, what to do on the servers.
//!
//! The title of a page is the documentation of its [`Code`]. What stands in backticks is quoted or to be typed.

mod answer;
mod between;
mod dial;
mod dns_tcp_tls;
mod fleet;
mod http;
mod inputs_ca;
mod inputs_client;
mod name_time;
mod negotiation;
mod path;
mod trust;
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
            Self::GrpcBackendDown => &http::GRPC_BACKEND_DOWN,
            Self::GrpcNoAnswer => &answer::GRPC_NO_ANSWER,
            Self::GrpcNoHealth => &answer::GRPC_NO_HEALTH,
            Self::GrpcNotARoute => &http::GRPC_NOT_A_ROUTE,
            Self::GrpcNotGrpc => &answer::GRPC_NOT_GRPC,
            Self::GrpcNotServing => &answer::GRPC_NOT_SERVING,
            Self::GrpcServiceUnchecked => &http::GRPC_SERVICE_UNCHECKED,
            Self::GrpcServiceUnknown => &http::GRPC_SERVICE_UNKNOWN,
            Self::GrpcUnknown => &answer::GRPC_UNKNOWN,
            Self::GrpcStatus => &answer::GRPC_STATUS,
            Self::GrpcTrailersMissing => &http::GRPC_TRAILERS_MISSING,
            Self::GrpcUndecodable => &http::GRPC_UNDECODABLE,
            Self::Http2Closed => &answer::HTTP2_CLOSED,
            Self::Http2GoAway => &http::HTTP2_GOAWAY,
            Self::Http2NotSpoken => &answer::HTTP2_NOT_SPOKEN,
            Self::Http2Silent => &answer::HTTP2_SILENT,
            Self::InputsCaBom => &inputs_ca::CA_BOM,
            Self::InputsCaDer => &inputs_ca::CA_DER,
            Self::InputsCaEmpty => &inputs_ca::CA_EMPTY,
            Self::InputsCaIsLeaf => &inputs_ca::CA_IS_LEAF,
            Self::InputsCaIsKey => &inputs_ca::CA_IS_KEY,
            Self::InputsCaKeyAsClient => &inputs_client::CA_KEY_AS_CLIENT,
            Self::InputsCaPartly => &inputs_ca::CA_PARTLY,
            Self::InputsCaUnreadable => &inputs_ca::CA_UNREADABLE,
            Self::InputsCaWithKey => &inputs_ca::CA_WITH_KEY,
            Self::InputsCertEmpty => &inputs_client::CERT_EMPTY,
            Self::InputsChainOrder => &inputs_client::CHAIN_ORDER,
            Self::InputsClientDamaged => &inputs_client::CLIENT_DAMAGED,
            Self::InputsClientEncoding => &inputs_client::CLIENT_ENCODING,
            Self::InputsIdentityUnusable => &inputs_client::IDENTITY_UNUSABLE,
            Self::InputsKeyEmpty => &inputs_client::KEY_EMPTY,
            Self::InputsKeyEncrypted => &inputs_client::KEY_ENCRYPTED,
            Self::InputsKeyMismatch => &inputs_client::KEY_MISMATCH,
            Self::InputsKeyReadable => &inputs_client::KEY_READABLE,
            Self::InputsSwapped => &inputs_client::SWAPPED,
            Self::NameDns => &name_time::NAME_DNS,
            Self::NameIp => &name_time::NAME_IP,
            Self::NameNoSan => &name_time::NAME_NO_SAN,
            Self::NameSpiffeMismatch => &trust::SPIFFE_MISMATCH,
            Self::NameSpiffeMissing => &trust::SPIFFE_MISSING,
            Self::NameSpiffeSeveral => &trust::SPIFFE_SEVERAL,
            Self::NameOtherSite => &negotiation::NAME_OTHER_SITE,
            Self::PathCaAsServer => &path::CA_AS_SERVER,
            Self::PathCaRecreated => &path::CA_RECREATED,
            Self::PathCriticalExtension => &path::CRITICAL_EXTENSION,
            Self::PathCrlExpired => &trust::CRL_EXPIRED,
            Self::PathCrlNotForThisChain => &trust::CRL_NOT_FOR_THIS_CHAIN,
            Self::PathCrlUnusable => &trust::CRL_UNUSABLE,
            Self::PathIntercepted => &between::INTERCEPTED,
            Self::PathIssuerNotCa => &path::ISSUER_NOT_CA,
            Self::PathIssuerPurpose => &path::ISSUER_PURPOSE,
            Self::PathLength => &path::LENGTH,
            Self::PathMissingIntermediate => &between::MISSING_INTERMEDIATE,
            Self::PathNameConstraints => &path::NAME_CONSTRAINTS,
            Self::PathOtherEntry => &fleet::OTHER_ENTRY,
            Self::PathPurpose => &path::PURPOSE,
            Self::PathRefused => &path::REFUSED,
            Self::PathRevoked => &trust::REVOKED,
            Self::PathSelfSigned => &path::SELF_SIGNED,
            Self::PathUnknownIssuer => &path::UNKNOWN_ISSUER,
            Self::PathUnreadable => &path::UNREADABLE,
            Self::PathWeak => &path::WEAK,
            Self::TcpNotSocket => &dial::TCP_NOT_SOCKET,
            Self::TcpOtherLoopback => &dial::TCP_OTHER_LOOPBACK,
            Self::TcpRefused => &dns_tcp_tls::TCP_REFUSED,
            Self::TcpSocketDenied => &dial::TCP_SOCKET_DENIED,
            Self::TcpSocketMissing => &dial::TCP_SOCKET_MISSING,
            Self::TcpTimeout => &dns_tcp_tls::TCP_TIMEOUT,
            Self::TcpUnreachable => &dns_tcp_tls::TCP_UNREACHABLE,
            Self::TimeAnchor => &name_time::TIME_ANCHOR,
            Self::TimeBelowMinDays => &fleet::TIME_BELOW_MIN_DAYS,
            Self::TimeClockSkew => &between::CLOCK_SKEW,
            Self::TimeExpired => &name_time::TIME_EXPIRED,
            Self::TimeIssuer => &name_time::TIME_ISSUER,
            Self::TimeNotYetValid => &name_time::TIME_NOT_YET_VALID,
            Self::TimeRenewedOnDisk => &fleet::RENEWED_ON_DISK,
            Self::TlsAcceptsOldVersions => &negotiation::ACCEPTS_OLD_VERSIONS,
            Self::TlsAlert => &dns_tcp_tls::TLS_ALERT,
            Self::TlsClosed => &dns_tcp_tls::TLS_CLOSED,
            Self::TlsHelloInOnePiece => &negotiation::HELLO_IN_ONE_PIECE,
            Self::TlsIncompatible => &dns_tcp_tls::TLS_INCOMPATIBLE,
            Self::TlsKeyType => &negotiation::KEY_TYPE,
            Self::TlsLargeHello => &negotiation::LARGE_HELLO,
            Self::TlsNoCipher => &negotiation::NO_COMMON_CIPHER,
            Self::TlsNoGroup => &negotiation::NO_COMMON_GROUP,
            Self::TlsNoSignature => &negotiation::NO_COMMON_SIGNATURE,
            Self::TlsNotTls => &dns_tcp_tls::TLS_NOT_TLS,
            Self::TlsOldVersion => &negotiation::OLD_VERSION,
            Self::TlsPlaintext => &dns_tcp_tls::TLS_PLAINTEXT,
            Self::TlsServerName => &negotiation::SERVER_NAME,
            Self::TlsSilent => &dns_tcp_tls::TLS_SILENT,
            Self::TlsSplitHello => &negotiation::SPLIT_HELLO,
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
