//! One call of `grpc.health.v1.Health/Check` through tonic, on the connection that is there.

use std::error::Error as StdError;
use std::io;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper_util::rt::TokioIo;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tower::{Service, service_fn};

use super::stream::{Shared, Watch};
use super::target::Target;
use super::tls::{Failure, failure};

/// One call and what came of it.
#[derive(Clone, Debug)]
pub struct Rpc {
    /// The answer.
    pub outcome: RpcOutcome,
    /// The HTTP response below it, where there was one.
    pub http: Option<Http>,
    /// The first octets that the peer sent in the session, before or after the call.
    pub octets: Vec<u8>,
    /// How the peer ended the connection, if it did.
    pub end: Option<Failure>,
    /// Time that it took.
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
    /// The server answered with a gRPC status: code and message.
    Status(i32, String),
    /// There was no answer.
    NoAnswer(Failure),
}

/// What the health service says (grpc.health.v1, HealthCheckResponse.ServingStatus).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    /// NOT_SERVING.
    NotServing,
    /// SERVING.
    Serving,
    /// UNKNOWN, or a number that has no name.
    Unknown,
}

/// The head of an HTTP response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Status code.
    pub status: u16,
    /// `content-type`.
    pub content_type: Option<String>,
    /// `server`.
    pub server: Option<String>,
}

pub(super) async fn health(target: &Target, stream: Watch, limit: Duration) -> Rpc {
    let started = Instant::now();
    let (end, octets) = (stream.end(), stream.first());
    let seen = Shared::default();
    let outcome = match tokio::time::timeout(limit, call(target, stream, seen.clone())).await {
        Err(_) => RpcOutcome::NoAnswer(Failure::Timeout),
        Ok(Ok(status)) => RpcOutcome::Health(status),
        Ok(Err(Trouble::Status(status))) => status_outcome(&status, end.get()),
        Ok(Err(Trouble::Transport(error))) => {
            RpcOutcome::NoAnswer(end.get().unwrap_or_else(|| transport(&error)))
        }
    };
    Rpc {
        outcome,
        http: seen.get(),
        octets: octets.get(),
        end: end.get(),
        elapsed: started.elapsed(),
    }
}

enum Trouble {
    Status(Box<Status>),
    Transport(tonic::transport::Error),
}

async fn call(
    target: &Target,
    stream: Watch,
    seen: Shared<Option<Http>>,
) -> Result<Serving, Trouble> {
    // tonic is given a stream that is encrypted already: the scheme of the endpoint says how it is to connect,
    // and the origin what the server is told.
    let authority = target.authority();
    let mut stream = Some(TokioIo::new(stream));
    let connector = service_fn(move |_| {
        let stream = stream.take();
        // tonic connects once more after a failure; there is one connection, and it is the one to report on.
        async move { stream.ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected)) }
    });
    let mut endpoint =
        Endpoint::from_shared(format!("http://{authority}")).map_err(Trouble::Transport)?;
    if let Ok(origin) = format!("https://{authority}").parse() {
        endpoint = endpoint.origin(origin);
    }
    let channel = endpoint
        .connect_with_connector(connector)
        .await
        .map_err(Trouble::Transport)?;
    let mut client = HealthClient::new(Recorder { channel, seen });
    let request = HealthCheckRequest {
        service: String::new(),
    };
    let response = client
        .check(request)
        .await
        .map_err(|it| Trouble::Status(Box::new(it)))?;
    Ok(match response.into_inner().status() {
        ServingStatus::Serving => Serving::Serving,
        ServingStatus::NotServing => Serving::NotServing,
        ServingStatus::Unknown | ServingStatus::ServiceUnknown => Serving::Unknown,
    })
}

/// A status that the server sent, or one that tonic made because there was none.
fn status_outcome(status: &Status, end: Option<Failure>) -> RpcOutcome {
    let made_here = status.source().is_some();
    match (made_here, end) {
        (true, Some(end)) => RpcOutcome::NoAnswer(end),
        (true, None) => RpcOutcome::NoAnswer(deepest(status)),
        (false, Some(end)) if status.code() == Code::Unavailable => RpcOutcome::NoAnswer(end),
        (false, _) => RpcOutcome::Status(status.code() as i32, status.message().to_owned()),
    }
}

fn transport(error: &tonic::transport::Error) -> Failure {
    deepest(error)
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

/// A channel that remembers the head of the HTTP response.
#[derive(Clone)]
struct Recorder {
    channel: Channel,
    seen: Shared<Option<Http>>,
}

impl Service<Request<Body>> for Recorder {
    type Response = Response<Body>;
    type Error = tonic::transport::Error;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let answer = self.channel.call(request);
        let seen = self.seen.clone();
        Box::pin(async move {
            let response = answer.await?;
            let header = |name: &str| {
                let value = response.headers().get(name)?;
                Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
            };
            let head = Http {
                status: response.status().as_u16(),
                content_type: header("content-type"),
                server: header("server"),
            };
            seen.with(|seen| *seen = Some(head));
            Ok(response)
        })
    }
}
