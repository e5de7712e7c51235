//! GOAWAY: a server that ends an HTTP/2 connection and says why (RFC 9113, 6.8 and 7).

use super::words::quoted;
use super::{Code, Finding, Fix};
use crate::probe::{GoAway, reason_name};

const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const ENHANCE_YOUR_CALM: u32 = 11;
const INADEQUATE_SECURITY: u32 = 12;
const HTTP_1_1_REQUIRED: u32 = 13;

pub(super) fn finding(goaway: &GoAway) -> Finding {
    let name = reason_name(goaway.reason);
    let debug = String::from_utf8_lossy(&goaway.debug);
    let debug = debug.trim();
    let with = if debug.is_empty() {
        String::new()
    } else {
        format!(" and the words {}", quoted(debug))
    };
    let (headline, cause, fix) = told(goaway.reason, debug);
    let why = format!("TLS and HTTP/2 work; then it sent GOAWAY with {name}{with}: {cause}.");
    Finding::new(Code::Http2GoAway, headline, why, fix)
}

fn told(reason: u32, debug: &str) -> (&'static str, &'static str, Fix) {
    match reason {
        NO_ERROR => (
            "the server takes no more calls (GOAWAY)",
            "it is shutting down, or closes connections to spread its clients",
            Fix::steps([
                "try again; if it stays so, look why the server, or the proxy before it, is stopping",
            ]),
        ),
        INTERNAL_ERROR => (
            "the server failed and ended the connection (GOAWAY)",
            "something went wrong within it",
            Fix::steps(["look at the log of the server, and of a proxy before it"]),
        ),
        ENHANCE_YOUR_CALM if debug.contains("too_many_pings") => (
            "the server ended the connection: too many pings (GOAWAY)",
            "clients, or a proxy, send keepalive pings more often than it allows",
            Fix::steps([
                "in the clients: a keepalive time of 5 minutes or more, which servers allow unless told otherwise",
                "or on the server, Go: `MinTime` in `keepalive.EnforcementPolicy` · Python, C++: \
                 `grpc.http2.min_ping_interval_without_data_ms`",
            ]),
        ),
        ENHANCE_YOUR_CALM => (
            "the server ended the connection: too much load (GOAWAY)",
            "clients do more than it allows, such as calls, resets or pings",
            Fix::steps(["look for a limit of calls or connections in the server, and in a proxy"]),
        ),
        INADEQUATE_SECURITY => (
            "the server does not find this TLS good enough for HTTP/2 (GOAWAY)",
            "HTTP/2 forbids many cipher suites of TLS 1.2",
            Fix::steps([
                "let the server offer TLS 1.3, or in TLS 1.2 a cipher suite with ECDHE and AES-GCM",
            ]),
        ),
        HTTP_1_1_REQUIRED => (
            "the server wants HTTP/1.1 here (GOAWAY)",
            "what is behind it does not do HTTP/2, or it asks for client certificates in the way of HTTP/1.1",
            Fix::steps([
                "check the port: is it the one for gRPC? If it is, let it demand client certificates in the handshake",
            ]),
        ),
        _ => (
            "the server ended the connection (GOAWAY)",
            "it says that something on the connection was not right",
            Fix::steps(["look at the server's log, and at a proxy in between"]),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_words_and_the_peer_s_are_quoted() {
        for reason in (0..16).chain([u32::MAX]) {
            let goaway = GoAway {
                reason,
                debug: b"\x1b[2J`rm -rf`\xff".to_vec(),
            };
            let finding = finding(&goaway);
            assert!(finding.why.contains("`\\u{1b}[2J'rm -rf'\u{fffd}`"));
            assert!(finding.why.contains(reason_name(reason)));
            assert!(!finding.fix.steps.is_empty());
        }
    }
}
