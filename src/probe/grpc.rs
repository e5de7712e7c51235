//! Calls through tonic, on the connection that is there: the health service, and where asked reflection.

use std::error::Error as StdError;
use std::io;
use std::time::{Duration, Instant};

use hyper_util::rt::TokioIo;
use tokio::time::timeout_at;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use super::frames::{Frames, GoAway};
use super::metadata::Metadata;
use super::recorder::{Http, Recorder, Tape};
use super::reflection::{self, Reflection};
use super::stream::{Shared, Watch};
use super::tls::{Failure, failure};
use super::{Purpose, health};
use crate::target::Target;

/// Longest list of header fields that is taken, in octets.
const MAX_HEADERS: u32 = 64 * 1024;

/// What to ask a server.
#[derive(Clone, Debug, Default)]
pub struct Questions {
    /// The service whose health is asked for; `None` for the server as a whole.
    pub service: Option<String>,
    /// What goes with the calls, to a server that is trusted.
    pub metadata: Metadata,
    /// Whether the services of the server are asked for.
    pub reflection: bool,
}

/// What came of the calls.
#[derive(Clone, Debug)]
pub struct Rpc {
    /// The service that was asked for by name.
    pub service: Option<String>,
    /// The answer of the health service.
    pub outcome: RpcOutcome,
    /// Its answer for the server as a whole, where it did not know the service.
    pub overall: Option<RpcOutcome>,
    /// The services of the server, where it was asked for them.
    pub reflection: Option<Reflection>,
    /// The names of the metadata that went to the server.
    pub sent: Vec<String>,
    /// Whether there was metadata that did not go to the server, as it is not trusted.
    pub withheld: bool,
    /// The HTTP response below the answer, where there was one.
    pub http: Option<Http>,
    /// The first octets that the peer sent in the session, before or after the call.
    pub octets: Vec<u8>,
    /// How the peer ended the connection, if it did.
    pub end: Option<Failure>,
    /// The peer's farewell in HTTP/2, if it sent one.
    pub goaway: Option<GoAway>,
    /// Why the peer ended a call, if it did (RFC 9113, 7).
    pub reset: Option<u32>,
    /// Time that the first answer took.
    pub elapsed: Duration,
}

impl Rpc {
    /// Whether the server answered the call, in whatever way.
    pub fn is_answered(&self) -> bool {
        !matches!(self.outcome, RpcOutcome::NoAnswer(_))
    }
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RpcOutcome {
    /// The health service answered.
    Health(Serving),
    /// There was no answer.
    NoAnswer(Failure),
    /// The HTTP response is not one of gRPC.
    NotGrpc,
    /// The server answered with a gRPC status: code and message.
    Status(i32, String),
    /// A response of gRPC ended without a status.
    TrailersMissing,
    /// A response of gRPC that cannot be decoded.
    Undecodable(Undecodable),
}

/// What the health service says (grpc.health.v1, HealthCheckResponse.ServingStatus).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    /// NOT_SERVING.
    NotServing,
    /// SERVING.
    Serving,
    /// SERVICE_UNKNOWN.
    ServiceUnknown,
    /// UNKNOWN, or a number that has no name.
    Unknown,
}

/// Why a response of gRPC cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undecodable {
    /// It is compressed, in this way if it says so, which nobody offered.
    Compressed(Option<String>),
    /// There is no message in it.
    Empty,
    /// The message claims to be so long, in octets.
    Length(u32),
    /// The message is not one of the health service.
    Message,
    /// It does not start as a message of gRPC does.
    Prefix,
    /// Its status is not a number.
    Status,
}

/// An HTTP/2 connection on which calls are made.
pub(super) struct Connection {
    channel: Channel,
    metadata: Metadata,
    end: Shared<Option<Failure>>,
    frames: Shared<Frames>,
}

impl Connection {
    /// A channel that records one call.
    pub(super) fn recorder(&self) -> (Recorder, Shared<Tape>) {
        let tape = Shared::default();
        let recorder = Recorder {
            channel: self.channel.clone(),
            tape: tape.clone(),
        };
        (recorder, tape)
    }

    /// A call with the metadata.
    pub(super) fn request<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        *request.metadata_mut() = self.metadata.fields().clone();
        request
    }

    /// How the connection ended, or else what the client says of it.
    pub(super) fn ended(&self, error: &(dyn StdError + 'static)) -> Failure {
        self.end.get().unwrap_or_else(|| deepest(error))
    }

    /// Whether the server ended a call.
    pub(super) fn is_reset(&self) -> bool {
        self.frames.get().reset.is_some()
    }
}

/// Asks the questions that fit the purpose. Metadata goes along only if `trusted`.
pub(super) async fn converse(
    target: &Target,
    stream: Watch,
    questions: &Questions,
    (purpose, trusted): (Purpose, bool),
    limit: Duration,
) -> Rpc {
    let started = Instant::now();
    let deadline = || tokio::time::Instant::now() + limit;
    let (end, octets, frames) = (stream.end(), stream.first(), stream.frames());
    let metadata = match purpose {
        Purpose::Anonymous | Purpose::Primary | Purpose::Throwaway if trusted => {
            questions.metadata.clone()
        }
        _ => Metadata::default(),
    };
    let sent = metadata.names().to_vec();
    let withheld = sent.is_empty() && !questions.metadata.names().is_empty();
    let first = deadline();
    let opened = timeout_at(first, open(target, stream)).await;
    let connection = opened.map(|it| {
        it.map(|channel| Connection {
            channel,
            metadata,
            end: end.clone(),
            frames: frames.clone(),
        })
    });
    let service = questions.service.as_deref().unwrap_or_default();
    let (mut overall, mut list) = (None, None);
    let (outcome, http, elapsed) = match connection {
        Err(_) => no_answer(Failure::Timeout, started),
        Ok(Err(error)) => no_answer(end.get().unwrap_or_else(|| deepest(&error)), started),
        Ok(Ok(connection)) => {
            let (outcome, http) = health::check(&connection, service, first).await;
            let elapsed = started.elapsed();
            let unknown = questions.service.is_some() && is_unknown(&outcome);
            // Other connections are there for one question.
            let asks = matches!(purpose, Purpose::Primary | Purpose::Diagnosis);
            let rest = deadline();
            if asks && unknown {
                overall = Some(health::check(&connection, "", rest).await.0);
            }
            if asks && (unknown || questions.reflection) {
                list = Some(match outcome {
                    RpcOutcome::NoAnswer(_) => Reflection::NoAnswer,
                    _ => reflection::list(&connection, rest).await,
                });
            }
            (outcome, http, elapsed)
        }
    };
    let frames = frames.get();
    Rpc {
        service: questions.service.clone(),
        outcome,
        overall,
        reflection: list,
        sent,
        withheld,
        http,
        octets: octets.get(),
        end: end.get(),
        goaway: frames.goaway,
        reset: frames.reset,
        elapsed,
    }
}

fn no_answer(failure: Failure, started: Instant) -> (RpcOutcome, Option<Http>, Duration) {
    (RpcOutcome::NoAnswer(failure), None, started.elapsed())
}

/// Whether the health service has nothing to say about the service that was asked for.
fn is_unknown(outcome: &RpcOutcome) -> bool {
    const NOT_FOUND: i32 = tonic::Code::NotFound as i32;
    matches!(
        outcome,
        RpcOutcome::Health(Serving::ServiceUnknown | Serving::Unknown)
            | RpcOutcome::Status(NOT_FOUND, _)
    )
}

async fn open(target: &Target, stream: Watch) -> Result<Channel, tonic::transport::Error> {
    // tonic is given a stream that is encrypted already: the scheme of the endpoint says how it is to connect,
    // and the origin what the server is told.
    let authority = target.authority();
    let mut stream = Some(TokioIo::new(stream));
    let connector = service_fn(move |_| {
        let stream = stream.take();
        // tonic connects once more after a failure; there is one connection, and it is the one to report on.
        async move { stream.ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected)) }
    });
    let endpoint = Endpoint::from_shared(format!("http://{authority}"))?;
    let mut endpoint = endpoint.http2_max_header_list_size(MAX_HEADERS);
    if let Ok(origin) = format!("https://{authority}").parse() {
        endpoint = endpoint.origin(origin);
    }
    endpoint.connect_with_connector(connector).await
}

/// The innermost cause, where the socket or TLS speaks.
fn deepest(error: &(dyn StdError + 'static)) -> Failure {
    let mut next = Some(error);
    let mut words = String::new();
    while let Some(current) = next {
        if let Some(error) = current.downcast_ref::<io::Error>() {
            return failure(error);
        }
        words = current.to_string();
        next = current.source();
    }
    Failure::Other(words)
}
