//! The answer of the health service, or what came instead of it.

use super::http_answer::{self, Told, credentials};
use super::http2::speaks_http2;
use super::words::{ended, quoted};
use super::{Code, Finding, Fix, Judge, StageId, Status, service};
use crate::probe::{Failure, Rpc, RpcOutcome, Serving, reason_name};

const NOT_FOUND: i32 = 5;
const PERMISSION_DENIED: i32 = 7;
const RESOURCE_EXHAUSTED: i32 = 8;
const UNIMPLEMENTED: i32 = 12;
const UNAVAILABLE: i32 = 14;
const UNAUTHENTICATED: i32 = 16;

impl Judge<'_> {
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
        let of = match &rpc.service {
            Some(service) => format!(" ({})", quoted(service).trim_matches('`')),
            None => String::new(),
        };
        let (code, headline, mut why, fix) = match &rpc.outcome {
            RpcOutcome::Health(Serving::Serving) => {
                let (status, message) = if self.is_verified() {
                    (Status::Ok, format!("SERVING{of}"))
                } else {
                    (Status::Skip, "SERVING (looked at without trust)".to_owned())
                };
                return self.stage(StageId::Grpc, status, message, elapsed);
            }
            RpcOutcome::Health(serving) => not_serving(*serving, rpc),
            RpcOutcome::NoAnswer(_) if rpc.goaway.is_some() || !speaks_http2(session) => {
                return; // the cause stands under HTTP/2
            }
            outcome => match &rpc.http {
                Some(http) if !http.is_grpc() => http_answer::not_grpc(rpc, http),
                _ => told(outcome, rpc),
            },
        };
        // Most servers refuse before they speak; one that asks its own questions may do so later.
        let asked = session.requested.is_some() && !session.is_identity_shown();
        if let RpcOutcome::NoAnswer(failure) = &rpc.outcome
            && asked
            && *failure != Failure::Timeout
        {
            why.push_str(
                " It had asked for a client certificate and got none: perhaps that is why.",
            );
        }
        let message = match (code, &rpc.http) {
            (Code::GrpcServiceUnchecked, _) => "cannot be checked".to_owned(),
            (Code::GrpcServiceUnknown, _) => "service unknown".to_owned(),
            (_, Some(http)) if !http.is_grpc() => {
                format!("HTTP {} instead of a gRPC answer", http.status)
            }
            _ => headline.clone(),
        };
        self.find(message, Finding::new(code, headline, why, fix));
        if let Some(stage) = self.stages.last_mut() {
            stage.elapsed = elapsed;
        }
    }
}

/// The health service answers, and not with SERVING.
fn not_serving(serving: Serving, rpc: &Rpc) -> Told {
    let name = rpc.service.as_deref();
    match (serving, name) {
        (Serving::NotServing, _) => (
            Code::GrpcNotServing,
            match name {
                Some(name) => format!("the server says that {} is not serving", quoted(name)),
                None => "the server says that it is not serving".to_owned(),
            },
            "The connection is fine; its health service answers NOT_SERVING.".to_owned(),
            Fix::steps([
                "look at the server: it is starting, shutting down, or lacks something it depends on",
            ]),
        ),
        (_, Some(name)) => service::unknown(name, rpc),
        (_, None) => (
            Code::GrpcUnknown,
            "the health service answers UNKNOWN".to_owned(),
            "The connection is fine; the server does not say whether it serves.".to_owned(),
            Fix::steps([
                "set the overall status (service name \"\") in the server's health service",
            ]),
        ),
    }
}

/// What came of a call to which gRPC answered, if anything did.
fn told(outcome: &RpcOutcome, rpc: &Rpc) -> Told {
    match outcome {
        RpcOutcome::Health(serving) => not_serving(*serving, rpc),
        RpcOutcome::NoAnswer(failure) => no_answer(failure, rpc),
        // Nothing else has no HTTP response of gRPC below it.
        RpcOutcome::NotGrpc | RpcOutcome::TrailersMissing => {
            http_answer::trailers_missing(rpc.http.as_ref())
        }
        RpcOutcome::Status(code, message) => status(*code, message, rpc),
        RpcOutcome::Undecodable(why) => http_answer::undecodable(why),
    }
}

fn no_answer(failure: &Failure, rpc: &Rpc) -> Told {
    let how = match (rpc.reset, failure) {
        (Some(reason), _) => format!(
            "the server ended the first call with {}",
            reason_name(reason)
        ),
        (None, Failure::Other(words)) => format!(
            "what came on the first call is not right as HTTP/2 ({})",
            quoted(words)
        ),
        (None, failure) => format!("on the first call {}", ended(failure)),
    };
    http_answer::no_answer(&how)
}

/// The server answered with a status of its own.
fn status(code: i32, message: &str, rpc: &Rpc) -> Told {
    let said = if message.is_empty() {
        "(no message)".to_owned()
    } else {
        quoted(message)
    };
    let name = status_name(code);
    match (code, rpc.service.as_deref()) {
        (UNIMPLEMENTED, _) if is_about_encoding(message) => (
            Code::GrpcStatus,
            "the server cannot read how the call is compressed".to_owned(),
            format!(
                "TLS and HTTP/2 work; it answered {name} {said}. The call went out uncompressed."
            ),
            Fix::steps(["look for a proxy in between that compresses calls"]),
        ),
        (UNIMPLEMENTED, Some(service)) => service::unimplemented(service),
        (UNIMPLEMENTED, None) => (
            Code::GrpcNoHealth,
            "the server has no health service".to_owned(),
            "The connection is fine: gRPC answered, only grpc.health.v1 is not there.".to_owned(),
            Fix::steps([
                "to let probes see its state, add one: tonic-health, grpcio-health-checking, or grpc-go's health",
            ]),
        ),
        (NOT_FOUND, Some(service)) => service::unknown(service, rpc),
        (NOT_FOUND, None) => (
            Code::GrpcUnknown,
            "the health service does not know the server as a whole".to_owned(),
            "The connection is fine; nothing is registered for the service name \"\".".to_owned(),
            Fix::steps([
                "set the overall status (service name \"\") in the server's health service",
            ]),
        ),
        (UNAUTHENTICATED | PERMISSION_DENIED, Some(service)) => {
            service::behind_credentials(service, name, &said, rpc)
        }
        (UNAUTHENTICATED | PERMISSION_DENIED, None) => (
            Code::GrpcAuthentication,
            "the health service wants credentials".to_owned(),
            format!("The connection is fine; gRPC answered {name} {said}."),
            Fix::steps(credentials(rpc)),
        ),
        (UNAVAILABLE, _) if http_answer::is_proxys(rpc.http.as_ref(), message) => {
            http_answer::unavailable(rpc.http.as_ref(), message)
        }
        _ => (
            Code::GrpcStatus,
            format!("the health service answered {name}"),
            format!("TLS and HTTP/2 work; the server's words are {said}."),
            Fix::steps([match code {
                RESOURCE_EXHAUSTED => {
                    "look for a limit of calls, connections or memory in the server, and in a proxy before it"
                }
                _ => "look at the server's log",
            }]),
        ),
    }
}

/// Whether UNIMPLEMENTED is about the encoding of messages, not about the method.
fn is_about_encoding(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["compress", "grpc-encoding", "encoding \""]
        .iter()
        .any(|it| message.contains(it))
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
