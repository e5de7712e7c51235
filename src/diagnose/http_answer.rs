//! Answers that are no gRPC, or no whole one: from a web server, from a proxy, or through one that spoils them.

use super::words::quoted;
use super::{Code, Fix};
use crate::probe::{Http, Rpc, Undecodable};

/// Code, headline, why, fix.
pub(super) type Told = (Code, String, String, Fix);

/// Who answers in the place of a server, as far as the answer says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proxy {
    Alb,
    Envoy,
    Haproxy,
    Nginx,
}

impl Proxy {
    /// By `server`, which the proxies that answer themselves fill in; the ones on the way by `via`.
    fn of(http: &Http) -> Option<Self> {
        let named = |field: &Option<String>| {
            let field = field.as_deref()?.to_ascii_lowercase();
            let known = [
                ("awselb", Self::Alb),
                ("envoy", Self::Envoy),
                ("haproxy", Self::Haproxy),
                ("nginx", Self::Nginx),
                ("openresty", Self::Nginx),
            ];
            let known = known.into_iter().find(|(name, _)| field.contains(name));
            known.map(|(_, proxy)| proxy)
        };
        named(&http.server).or_else(|| named(&http.via))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Alb => "the load balancer of AWS",
            Self::Envoy => "envoy",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
        }
    }

    /// How it is told to speak HTTP/2 to the server behind it.
    fn backend(self) -> &'static str {
        match self {
            Self::Alb => {
                "AWS: give the target group the protocol version `GRPC`, and healthy targets"
            }
            Self::Envoy => {
                "envoy: `http2_protocol_options: {}` in the cluster, and `transport_socket` where the backend has TLS"
            }
            Self::Haproxy => {
                "haproxy: `server NAME HOST:PORT proto h2`, or `ssl alpn h2` where the backend has TLS"
            }
            Self::Nginx => {
                "nginx: `grpc_pass grpc://HOST:PORT;`, or `grpcs://` where the backend has TLS"
            }
        }
    }
}

/// The lines of the proxy that it is, or of the usual ones.
fn backends(proxy: Option<Proxy>) -> Vec<&'static str> {
    match proxy {
        Some(proxy) => vec![proxy.backend()],
        None => vec![Proxy::Nginx.backend(), Proxy::Haproxy.backend()],
    }
}

/// The call got no answer, which is how a proxy may look that does not reach its backend.
pub(super) fn no_answer(how: &str) -> Told {
    let first = "look at the server's log; a proxy in between may not reach its backend:";
    (
        Code::GrpcNoAnswer,
        "the call got no answer".to_owned(),
        format!("TLS and HTTP/2 work; {how}."),
        Fix::steps(std::iter::once(first).chain(backends(None))),
    )
}

/// The answer is HTTP, and not gRPC.
pub(super) fn not_grpc(rpc: &Rpc, http: &Http) -> Told {
    let status = http.status;
    let proxy = Proxy::of(http);
    match status {
        502..=504 => backend_down(&format!("HTTP {status}"), proxy, &seen(http)),
        200 | 404 | 405 | 415 | 426 | 464 => not_a_route(http, proxy),
        _ => other(rpc, http),
    }
}

/// Which words a proxy of its own puts into a status of gRPC, where there is nobody behind it.
pub(super) fn is_proxys(http: Option<&Http>, message: &str) -> bool {
    const ENVOY: [&str; 3] = [
        "upstream connect error",
        "no healthy upstream",
        "upstream request timeout",
    ];
    match http.and_then(Proxy::of) {
        // envoy puts its name on every answer that passes through, so its words have to tell.
        Some(Proxy::Envoy) => ENVOY.iter().any(|it| message.starts_with(it)),
        Some(Proxy::Alb) => true,
        _ => false,
    }
}

/// The answer is gRPC's UNAVAILABLE, and a proxy's.
pub(super) fn unavailable(http: Option<&Http>, message: &str) -> Told {
    let says = format!("its words are {}", quoted(message));
    backend_down("UNAVAILABLE", http.and_then(Proxy::of), &says)
}

fn backend_down(answer: &str, proxy: Option<Proxy>, seen: &str) -> Told {
    let who = proxy.map_or("a proxy", Proxy::name);
    let first =
        "look whether the server behind the proxy runs, and what the proxy's log says of it";
    (
        Code::GrpcBackendDown,
        format!("{who} answered {answer}: it does not reach its backend"),
        format!(
            "TLS and HTTP/2 work as far as the proxy; {seen}. The server behind it is down, or it wants TLS or \
             HTTP/2 in another way than the proxy speaks them."
        ),
        Fix::steps(std::iter::once(first).chain(backends(proxy))),
    )
}

fn not_a_route(http: &Http, proxy: Option<Proxy>) -> Told {
    let status = http.status;
    let kind = http.content_type.as_deref().unwrap_or_default();
    let (headline, what) = match status {
        200 if kind.starts_with("application/grpc-web") => (
            "gRPC-Web came instead of gRPC".to_owned(),
            "It speaks the gRPC of browsers here, which is another protocol.",
        ),
        200 => (
            "a web page came instead of a gRPC answer".to_owned(),
            "A web server answered, or the sign-in page of a gateway.",
        ),
        464 => (
            "HTTP 464: the load balancer speaks another protocol to its targets".to_owned(),
            "A load balancer of AWS answers so where a target group is not set to gRPC.",
        ),
        _ => (
            format!("HTTP {status}: there is no gRPC at this host and port"),
            "A web server answered, or a proxy that passes on other paths than the health service's.",
        ),
    };
    let proxy = proxy.or((status == 464).then_some(Proxy::Alb));
    let steps = ["check host and port: are they those of the gRPC server?"]
        .into_iter()
        .chain(backends(proxy))
        .chain(["a proxy with routes needs one for `/grpc.health.v1.Health/` too"]);
    (
        Code::GrpcNotARoute,
        headline,
        format!("TLS and HTTP/2 work; {}. {what}", seen(http)),
        Fix::steps(steps),
    )
}

fn other(rpc: &Rpc, http: &Http) -> Told {
    let status = http.status;
    let instead = || format!("HTTP {status} came instead of a gRPC answer");
    let (headline, what, fix) = match status {
        300..=399 => {
            let place = match &http.location {
                Some(location) => format!("to {}", quoted(location)),
                None => "and does not say where to".to_owned(),
            };
            (
                format!("HTTP {status}: the server sends clients elsewhere"),
                format!("It redirects {place}; gRPC clients do not follow"),
                Fix::steps([
                    "dial the gRPC server itself; this is a web server, or a gateway with a sign-in page",
                ]),
            )
        }
        401 | 403 | 407 => {
            let fix = credentials(rpc);
            (
                format!("HTTP {status}: a gateway wants credentials"),
                "Something before the gRPC server does not let the call through".to_owned(),
                Fix::steps(fix),
            )
        }
        413 | 431 => (
            format!("HTTP {status}: too much for the server"),
            "The call has a few octets, and what goes with it are the headers".to_owned(),
            Fix::steps([
                "send fewer or shorter headers, or raise the limit (nginx: `large_client_header_buffers`)",
            ]),
        ),
        429 => (
            format!("HTTP {status}: too many calls"),
            "A limit of calls in the server, or in a gateway before it, is reached".to_owned(),
            Fix::steps(["wait, or raise the limit for health checks"]),
        ),
        _ => (
            instead(),
            "A web server or a proxy answered by itself".to_owned(),
            Fix::steps(["check host and port, and look at the log of the server that answered"]),
        ),
    };
    let why = format!("TLS and HTTP/2 work; {}. {what}.", seen(http));
    (Code::GrpcNotGrpc, headline, why, fix)
}

/// What to do where credentials are wanted.
pub(super) fn credentials(rpc: &Rpc) -> Vec<String> {
    let without = "or let the health service answer without credentials, as probes expect";
    let show = match &rpc.sent[..] {
        _ if rpc.withheld => {
            "first have the server trusted: headers do not go to one that is not".to_owned()
        }
        [] => "show them: `--header 'authorization: Bearer TOKEN'`".to_owned(),
        names => format!(
            "check what was sent in `{}`: is it meant for this server, is it still good?",
            names.join("`, `")
        ),
    };
    vec![show, without.to_owned()]
}

/// A response of gRPC that has no status.
pub(super) fn trailers_missing(http: Option<&Http>) -> Told {
    let proxy = http.and_then(Proxy::of);
    let first = "a proxy on the way has to speak HTTP/2 on both sides, and must not buffer answers";
    (
        Code::GrpcTrailersMissing,
        "the answer ended without a gRPC status".to_owned(),
        "TLS and HTTP/2 work, and a gRPC answer came, but the trailers that end one are missing. A proxy that \
         speaks HTTP/1 to its backend, or that buffers, loses them."
            .to_owned(),
        Fix::steps(std::iter::once(first).chain(backends(proxy))),
    )
}

/// A response of gRPC that makes no sense.
pub(super) fn undecodable(why: &Undecodable) -> Told {
    let log = "look at what answers the health check: the server's own code, or a proxy that changes answers";
    let (what, fix) = match why {
        Undecodable::Compressed(how) => (
            match how {
                Some(how) => format!(
                    "it is compressed with {}, which nobody offered",
                    quoted(how)
                ),
                None => "it is compressed, and does not say how".to_owned(),
            },
            "let the server and the proxies compress only what the client accepts (`grpc-accept-encoding`)",
        ),
        Undecodable::Empty => ("it has no message in it".to_owned(), log),
        Undecodable::Length(length) => (
            format!("its message claims to be {length} octets long, and two are enough"),
            log,
        ),
        Undecodable::Message => (
            "its message is not one of the health service".to_owned(),
            log,
        ),
        Undecodable::Prefix => (
            "it does not start as a message of gRPC does".to_owned(),
            log,
        ),
        Undecodable::Status => ("its `grpc-status` is not a number".to_owned(), log),
    };
    (
        Code::GrpcUndecodable,
        "the answer says that it is gRPC, but cannot be decoded".to_owned(),
        format!("TLS and HTTP/2 work, and an answer came; {what}."),
        Fix::steps([fix]),
    )
}

/// Type and origin of an answer, as it says.
fn seen(http: &Http) -> String {
    let kind = match &http.content_type {
        Some(kind) => format!("the answer has the content-type {}", quoted(kind)),
        None => "the answer has no content-type".to_owned(),
    };
    match (&http.server, &http.via) {
        (Some(server), _) => format!("{kind} and is from the server {}", quoted(server)),
        (None, Some(via)) => format!("{kind} and came by way of {}", quoted(via)),
        (None, None) => kind,
    }
}
