//! The answer of the health service, or what came instead of it.

use super::http2::speaks_http2;
use super::words::ended;
use super::{Code, Finding, Fix, Judge, StageId, Status};
use crate::probe::{Failure, Rpc, RpcOutcome, Serving};
use crate::text::printable;

const UNIMPLEMENTED: i32 = 12;
const NOT_FOUND: i32 = 5;
const PERMISSION_DENIED: i32 = 7;
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
                // Most servers refuse before they speak; one that asks its own questions may do so later.
                let asked = session.requested.is_some() && !session.is_identity_shown();
                let perhaps = if asked && *failure != Failure::Timeout {
                    " It had asked for a client certificate and got none: perhaps that is why."
                } else {
                    ""
                };
                (
                    Code::GrpcNoAnswer,
                    "the call got no answer".to_owned(),
                    format!(
                        "TLS and HTTP/2 work; on the first call {}.{perhaps}",
                        ended(failure)
                    ),
                    Fix::steps(["look at the server's log, and at a proxy in between"]),
                )
            }
        };
        self.find(headline.clone(), Finding::new(code, headline, why, fix));
        if let Some(stage) = self.stages.last_mut() {
            stage.elapsed = elapsed;
        }
    }
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
