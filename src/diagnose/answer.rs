//! What comes after the handshake: ALPN, HTTP/2, client authentication, gRPC.
//!
//! In TLS 1.3 a finished handshake proves nothing about client certificates: the refusal comes after it, as an
//! alert, as a bare end of the connection, or as an HTTP status. Only an answered call proves acceptance.

use super::words::{alert, ended, short};
use super::{Code, Finding, Fix, Judge, StageId, Status};
use crate::pki::certificate::Name;
use crate::pki::validity::Moment;
use crate::probe::{Failure, First, Purpose, Rpc, RpcOutcome, Serving, Session};
use crate::text::{date, printable};

const NO_APPLICATION_PROTOCOL: u8 = 120;
const UNIMPLEMENTED: i32 = 12;
const NOT_FOUND: i32 = 5;
const PERMISSION_DENIED: i32 = 7;
const UNAUTHENTICATED: i32 = 16;
/// Frame type of SETTINGS (RFC 9113, 6.5).
const SETTINGS: u8 = 4;

impl Judge<'_> {
    /// The connection whose answers count: the first one that got through its handshake.
    fn answering(&self) -> Option<&Session> {
        let sessions = &self.observation.sessions;
        let through = sessions.iter().filter(|it| it.purpose != Purpose::NoAlpn);
        through
            .into_iter()
            .find(|it| it.handshake.is_ok())
            .or_else(|| self.observation.primary())
    }

    pub(super) fn alpn(&mut self) {
        let Some(primary) = self.observation.primary() else {
            return;
        };
        if primary.handshake == Err(Failure::Alert(NO_APPLICATION_PROTOCOL)) {
            let headline = "the server does not offer HTTP/2".to_owned();
            let why = "It speaks TLS, but refuses `h2`, the protocol of gRPC, in ALPN: an HTTP/1 server or a \
                       proxy that is not set up for gRPC.";
            let fix = Fix::steps([
                "check the port: is it the one for gRPC?",
                "nginx: listen … ssl http2; with grpc_pass · haproxy: bind … alpn h2",
            ]);
            let code = Code::AlpnRefused;
            let finding = Finding {
                code,
                stage: StageId::Alpn,
                headline,
                why: why.to_owned(),
                fix,
            };
            return self.find(StageId::Alpn, "h2 refused", finding);
        }
        let Some(Ok(handshake)) = self.answering().map(|it| it.handshake.clone()) else {
            return;
        };
        if handshake.alpn.as_deref() == Some("h2") {
            return self.stage(StageId::Alpn, Status::Ok, "h2", None);
        }
        let speaks = self.answering().is_some_and(speaks_http2);
        let state = if speaks {
            "It does speak HTTP/2, but"
        } else {
            "It"
        };
        let headline = "the server chose no protocol by ALPN".to_owned();
        let why = format!(
            "{state} did not say so in the handshake: Go (since 1.67), Python, C++ and Rust clients refuse that, \
             Node alone accepts it."
        );
        let fix = Fix::steps([
            "let the server offer `h2` in ALPN",
            "Go: grpc.Creds(credentials.NewTLS(config)), or NextProtos: []string{\"h2\"} · \
             Python ssl: context.set_alpn_protocols([\"h2\"]) · haproxy: bind … alpn h2",
        ]);
        let finding = Finding {
            code: Code::AlpnNone,
            stage: StageId::Alpn,
            headline,
            why,
            fix,
        };
        self.find(StageId::Alpn, "none chosen", finding);
    }

    pub(super) fn http2(&mut self) {
        let Some(session) = self.answering() else {
            return;
        };
        let (Ok(_), Some(first)) = (&session.handshake, &session.first) else {
            return;
        };
        if self.refused(session).is_some() {
            return;
        }
        let elapsed = session.rpc.as_ref().map(|it| it.elapsed);
        let answered = session.rpc.as_ref().is_some_and(is_answered);
        let closed = |failure: &Failure| {
            (
                Code::Http2Closed,
                "the connection ended after the handshake".to_owned(),
                format!("TLS was agreed, then {}.", ended(failure)),
                Fix::steps([
                    "look at the server's log: what it did after the handshake stands there",
                ]),
            )
        };
        let silent = || {
            (
                Code::Http2Silent,
                "HTTP/2 was agreed, but the server never speaks it".to_owned(),
                "The handshake is done, and then no SETTINGS frame comes.".to_owned(),
                Fix::steps([
                    "look at the server behind this port: it hangs, or a proxy has lost its backend",
                ]),
            )
        };
        let (code, headline, why, fix) = match first {
            _ if answered => {
                let settings = speaks_http2(session);
                let message = if settings {
                    "SETTINGS received"
                } else {
                    "answers after the client's preface"
                };
                return self.stage(StageId::Http2, Status::Ok, message, elapsed);
            }
            First::Octets(_) if speaks_http2(session) => {
                return self.stage(StageId::Http2, Status::Ok, "SETTINGS received", None);
            }
            First::Octets(octets) => {
                let octets: String = printable(&String::from_utf8_lossy(octets))
                    .chars()
                    .take(40)
                    .collect();
                (
                    Code::Http2NotSpoken,
                    "behind TLS there is no HTTP/2".to_owned(),
                    format!("After the handshake the server sent `{octets}`."),
                    Fix::steps(["check the port: is it the one for gRPC, or a web server's?"]),
                )
            }
            First::Ended(failure) => closed(failure),
            First::Silent => match session.rpc.as_ref().map(|it| &it.outcome) {
                Some(RpcOutcome::NoAnswer(Failure::Timeout)) | None => silent(),
                Some(RpcOutcome::NoAnswer(failure)) => closed(failure),
                Some(_) => return,
            },
        };
        self.find(
            StageId::Http2,
            headline.clone(),
            Finding {
                code,
                stage: StageId::Http2,
                headline,
                why,
                fix,
            },
        );
    }

    /// How the server turned us away for want of a certificate that it likes; `None` where it did not.
    fn refused<'s>(&self, session: &'s Session) -> Option<Refusal<'s>> {
        session.requested.as_ref()?;
        if let Err(failure) = &session.handshake {
            return (*failure != Failure::Certificate && *failure != Failure::Timeout)
                .then_some(Refusal::Ended(failure));
        }
        if let Some(First::Ended(failure)) = &session.first {
            return Some(Refusal::Ended(failure));
        }
        let rpc = session.rpc.as_ref()?;
        if let Some(http) = &rpc.http
            && matches!(http.status, 400 | 401 | 403 | 495 | 496)
        {
            return Some(Refusal::Http(http.status));
        }
        match &rpc.outcome {
            RpcOutcome::NoAnswer(Failure::Timeout) => None,
            RpcOutcome::NoAnswer(failure) => Some(Refusal::Ended(failure)),
            _ => None,
        }
    }

    pub(super) fn client_auth(&mut self) {
        let Some(session) = self.answering() else {
            return;
        };
        let Some(request) = &session.requested else {
            if session.handshake.is_ok() {
                self.stage(StageId::ClientAuth, Status::Ok, "not asked for", None);
            }
            return;
        };
        let Some(refusal) = self.refused(session) else {
            if session.rpc.as_ref().is_some_and(is_answered) {
                let message = if session.identity {
                    "certificate accepted"
                } else {
                    "asked for, but not required"
                };
                self.stage(StageId::ClientAuth, Status::Ok, message, None);
            }
            return;
        };
        let how = refusal.words();
        let names = request
            .authorities
            .iter()
            .filter_map(|der| Name::from_der(der).ok());
        let names: Vec<String> = names
            .take(4)
            .map(|name| printable(&name.to_string()))
            .collect();
        let accepts = if names.is_empty() {
            String::new()
        } else {
            format!(" It accepts certificates of {}.", names.join("; "))
        };
        if session.identity {
            let reason = self.own_fault(&names);
            let headline = "the server refused the client certificate".to_owned();
            let why = format!("Shown the certificate, {how}.{accepts}{}", reason.0);
            let code = Code::ClientAuthRefused;
            let finding = Finding {
                code,
                stage: StageId::ClientAuth,
                headline,
                why,
                fix: reason.1,
            };
            return self.find(StageId::ClientAuth, "certificate refused", finding);
        }
        if self.knowledge.identity.is_some() {
            let message = "required; none was shown to a server that is not trusted";
            return self.stage(StageId::ClientAuth, Status::Skip, message, None);
        }
        let headline = "the server demands a client certificate".to_owned();
        let why = format!("It asked for one and got none: {how}.{accepts}");
        let fix = self.show_a_certificate();
        let code = Code::ClientAuthRequired;
        let finding = Finding {
            code,
            stage: StageId::ClientAuth,
            headline,
            why,
            fix,
        };
        self.find(StageId::ClientAuth, "required, and none was shown", finding);
    }

    fn show_a_certificate(&self) -> Fix {
        let target = &self.observation.target;
        let client = self
            .knowledge
            .entries
            .iter()
            .find(|it| it.client_auth && it.certificate.is_some());
        match client {
            Some(client) => Fix::command(format!("grpc-pki verify {target} --client {}", client.name), ""),
            None => Fix::steps([
                "show one: --cert FILE --key FILE".to_owned(),
                "or make one: add [certs.client] with profile = \"client\" to certs.toml, run grpc-pki issue, \
                 then --client client"
                    .to_owned(),
            ]),
        }
    }

    /// What is wrong with our own certificate as far as we can see, and what to do.
    fn own_fault(&self, accepted: &[String]) -> (String, Fix) {
        let Some(own) = &self.knowledge.identity else {
            return (String::new(), Fix::steps(["look at the server's log"]));
        };
        let name = printable(&own.subject.to_string());
        let issuer = printable(&own.issuer.to_string());
        match own.validity.at(self.now) {
            Moment::After => {
                let why = format!(
                    " Ours ({name}) expired on {}.",
                    date(own.validity.not_after)
                );
                return (why, Fix::command("grpc-pki issue", "and try again"));
            }
            Moment::Before => {
                let why = format!(
                    " Ours ({name}) is valid only from {}.",
                    date(own.validity.not_before)
                );
                return (
                    why,
                    Fix::steps(["check the clock of this machine and of the server"]),
                );
            }
            Moment::Within => {}
        }
        if !own.allows_client_auth() {
            let why = format!(
                " Ours ({name}) is not for clients: its extendedKeyUsage lacks clientAuth."
            );
            let fix = Fix::steps([
                "use a certificate of profile `client` or `peer`: in certs.toml profile = \"peer\", then grpc-pki issue",
            ]);
            return (why, fix);
        }
        if !accepted.is_empty() && !accepted.contains(&issuer) {
            let why = format!(" Ours is from {issuer}.");
            let fix = Fix::steps([
                "use a certificate of a CA that the server accepts, or let it load this CA's ca.crt",
            ]);
            return (why, fix);
        }
        let why = format!(
            " Ours ({name}, from {}) looks right from here.",
            short(&own.issuer)
        );
        (
            why,
            Fix::steps([
                "compare the CA file that the server loads for clients with pki/ca.crt; its log says more",
            ]),
        )
    }

    pub(super) fn grpc(&mut self) {
        let Some(session) = self.answering() else {
            return;
        };
        let Some(rpc) = session
            .rpc
            .as_ref()
            .filter(|_| self.refused(session).is_none())
        else {
            return;
        };
        let elapsed = Some(rpc.elapsed);
        let trusted = self.is_verified();
        let (code, headline, why, fix) = match &rpc.outcome {
            RpcOutcome::Health(Serving::Serving) if trusted => {
                return self.stage(StageId::Grpc, Status::Ok, "SERVING", elapsed);
            }
            RpcOutcome::Health(Serving::Serving) => {
                return self.stage(
                    StageId::Grpc,
                    Status::Skip,
                    "SERVING (looked at without trust)",
                    elapsed,
                );
            }
            RpcOutcome::Health(Serving::NotServing) => (
                Code::GrpcNotServing,
                "the server says that it is not serving".to_owned(),
                "The connection is fine; its health service answers NOT_SERVING.".to_owned(),
                Fix::steps([
                    "look at the server: it is starting, shutting down, or lacks something it depends on",
                ]),
            ),
            RpcOutcome::Health(Serving::Unknown) => (
                Code::GrpcUnknown,
                "the health service answers UNKNOWN".to_owned(),
                "The connection is fine; the server does not say whether it serves.".to_owned(),
                Fix::steps([
                    "set the overall status (service name \"\") in the server's health service",
                ]),
            ),
            RpcOutcome::Status(..) | RpcOutcome::NoAnswer(_) if !is_grpc(rpc) => not_grpc(rpc),
            RpcOutcome::Status(UNIMPLEMENTED, _) => (
                Code::GrpcNoHealth,
                "the server has no health service".to_owned(),
                "The connection is fine: gRPC answered, only grpc.health.v1 is not there."
                    .to_owned(),
                Fix::steps([
                    "to let probes see its state, add one: tonic-health, grpcio-health-checking, or grpc-go's health",
                ]),
            ),
            RpcOutcome::Status(NOT_FOUND, _) => (
                Code::GrpcUnknown,
                "the health service does not know the server as a whole".to_owned(),
                "The connection is fine; nothing is registered for the service name \"\"."
                    .to_owned(),
                Fix::steps([
                    "set the overall status (service name \"\") in the server's health service",
                ]),
            ),
            RpcOutcome::Status(code @ (UNAUTHENTICATED | PERMISSION_DENIED), message) => (
                Code::GrpcAuthentication,
                "the health service wants credentials".to_owned(),
                format!(
                    "The connection is fine; gRPC answered {} {}.",
                    status_name(*code),
                    quoted(message)
                ),
                Fix::steps(["let the health service answer without credentials, as probes expect"]),
            ),
            RpcOutcome::Status(code, message) => (
                Code::GrpcStatus,
                format!("the health service answered {}", status_name(*code)),
                format!(
                    "TLS and HTTP/2 work; the server's words are {}.",
                    quoted(message)
                ),
                Fix::steps(["look at the server's log"]),
            ),
            RpcOutcome::NoAnswer(failure) => {
                if !speaks_http2(session) {
                    return;
                }
                (
                    Code::GrpcNoAnswer,
                    "the call got no answer".to_owned(),
                    format!("TLS and HTTP/2 work; to the first call {}.", ended(failure)),
                    Fix::steps(["look at the server's log, and at a proxy in between"]),
                )
            }
        };
        self.find(
            StageId::Grpc,
            headline.clone(),
            Finding {
                code,
                stage: StageId::Grpc,
                headline,
                why,
                fix,
            },
        );
        if let Some(stage) = self.stages.last_mut() {
            stage.elapsed = elapsed;
        }
    }
}

/// How a server turned a client away.
enum Refusal<'s> {
    Ended(&'s Failure),
    Http(u16),
}

impl Refusal<'_> {
    fn words(&self) -> String {
        match self {
            Self::Ended(Failure::Alert(number)) => {
                format!("it ended the connection with `{}`", alert(*number))
            }
            Self::Ended(failure) => ended(failure),
            Self::Http(status) => format!("it answered HTTP {status}"),
        }
    }
}

fn is_answered(rpc: &Rpc) -> bool {
    !matches!(rpc.outcome, RpcOutcome::NoAnswer(_))
}

fn speaks_http2(session: &Session) -> bool {
    matches!(&session.first, Some(First::Octets(octets)) if octets.get(3) == Some(&SETTINGS))
}

/// Whether the response below the call was one of gRPC: 200 and `application/grpc`.
fn is_grpc(rpc: &Rpc) -> bool {
    rpc.http.as_ref().is_none_or(|http| {
        let grpc = http
            .content_type
            .as_deref()
            .is_some_and(|it| it.starts_with("application/grpc"));
        http.status == 200 && grpc
    })
}

fn not_grpc(rpc: &Rpc) -> (Code, String, String, Fix) {
    let http = rpc.http.as_ref();
    let status = http.map_or(0, |it| it.status);
    let field =
        |value: Option<&String>| value.map_or_else(|| "none".to_owned(), |it| printable(it));
    let kind = field(http.and_then(|it| it.content_type.as_ref()));
    let server = field(http.and_then(|it| it.server.as_ref()));
    (
        Code::GrpcNotGrpc,
        format!("HTTP {status} came instead of a gRPC answer"),
        format!(
            "TLS and HTTP/2 work; the answer has content-type {kind} and is from the server {server}."
        ),
        Fix::steps([
            "check the route: a web server or a proxy answered, and for 502 to 504 its backend is gone",
        ]),
    )
}

fn quoted(message: &str) -> String {
    if message.is_empty() {
        return "(no message)".to_owned();
    }
    format!(
        "`{}`",
        printable(message).chars().take(120).collect::<String>()
    )
}

fn status_name(code: i32) -> &'static str {
    const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    usize::try_from(code)
        .ok()
        .and_then(|it| NAMES.get(it))
        .copied()
        .unwrap_or("UNKNOWN")
}
