//! `grpc.health.v1.Health/Check`, and what may come instead of its answer.

use tokio::time::{Instant, timeout_at};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::grpc::{Connection, RpcOutcome, Serving, Undecodable};
use super::recorder::{Http, Tape};
use super::tls::Failure;

/// Longest message that is taken, in octets; an answer of the health service has two.
const MAX_MESSAGE: usize = 64 * 1024;

/// One check; an empty name stands for the server as a whole.
pub(super) async fn check(
    connection: &Connection,
    service: &str,
    deadline: Instant,
) -> (RpcOutcome, Option<Http>) {
    let (recorder, tape) = connection.recorder();
    let mut client = HealthClient::new(recorder).max_decoding_message_size(MAX_MESSAGE);
    let request = connection.request(HealthCheckRequest {
        service: service.to_owned(),
    });
    let answer = timeout_at(deadline, client.check(request)).await;
    let tape = tape.get();
    let outcome = match answer {
        Err(_) => RpcOutcome::NoAnswer(Failure::Timeout),
        Ok(Ok(response)) => RpcOutcome::Health(match response.into_inner().status() {
            ServingStatus::Serving => Serving::Serving,
            ServingStatus::NotServing => Serving::NotServing,
            ServingStatus::ServiceUnknown => Serving::ServiceUnknown,
            ServingStatus::Unknown => Serving::Unknown,
        }),
        Ok(Err(status)) => outcome(connection, &tape, &status),
    };
    (outcome, tape.http)
}

/// What an error means: tonic makes one status of what the server said and of what went wrong here.
fn outcome(connection: &Connection, tape: &Tape, status: &tonic::Status) -> RpcOutcome {
    if let Some((code, message)) = tape.refusal() {
        return RpcOutcome::Status(code, message.to_owned());
    }
    let Some(http) = &tape.http else {
        return RpcOutcome::NoAnswer(connection.ended(status));
    };
    if !http.is_grpc() {
        return RpcOutcome::NotGrpc;
    }
    // The HTTP/2 library makes a quiet end of some resets.
    let lost = std::error::Error::source(status).is_some() || connection.is_reset();
    match (&tape.status, tape.ended) {
        _ if lost => RpcOutcome::NoAnswer(connection.ended(status)),
        (None, true) => RpcOutcome::TrailersMissing,
        _ => RpcOutcome::Undecodable(why(tape, http)),
    }
}

/// Why an answer cannot be decoded, from its first octets: a flag, and the length of the message.
fn why(tape: &Tape, http: &Http) -> Undecodable {
    let encoding = || {
        let encoding = http.encoding.clone();
        encoding.filter(|it| it != "identity")
    };
    match (&tape.status, &tape.prefix[..]) {
        (Some((None, _)), _) => Undecodable::Status,
        (_, []) if encoding().is_some() => Undecodable::Compressed(encoding()),
        (_, []) => Undecodable::Empty,
        (_, [1, ..]) => Undecodable::Compressed(encoding()),
        (_, [flag, ..]) if *flag > 1 => Undecodable::Prefix,
        (_, [0, a, b, c, d]) => match u32::from_be_bytes([*a, *b, *c, *d]) {
            length if length as usize > MAX_MESSAGE => Undecodable::Length(length),
            _ => Undecodable::Message,
        },
        _ => Undecodable::Message,
    }
}
