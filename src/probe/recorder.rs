//! Stands between the gRPC client and the channel, and remembers what the server said in its own words: the head
//! of the HTTP response, and the status behind its body. tonic mixes these with statuses that it makes itself.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tonic::transport::Channel;
use tonic::{Code, Status};
use tower::Service;

use super::stream::Shared;

/// What is kept of a header field, in characters.
const KEPT: usize = 256;
/// Octets of the body that are kept: the prefix of a message (length-prefixed, with a flag before it).
const PREFIX: usize = 5;
/// tonic takes this field for base64 and panics if it is not. Nobody here reads it.
const DETAILS: &str = "grpc-status-details-bin";

/// The head of an HTTP response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Http {
    /// Status code.
    pub status: u16,
    /// `content-type`.
    pub content_type: Option<String>,
    /// `server`.
    pub server: Option<String>,
    /// `via`: the proxies on the way.
    pub via: Option<String>,
    /// `location`: where it is said to be instead.
    pub location: Option<String>,
    /// `date`: the server's clock.
    pub date: Option<String>,
    /// `grpc-encoding`: how messages are compressed.
    pub encoding: Option<String>,
}

impl Http {
    fn of(response: &Response<Body>) -> Self {
        let field = |name: &str| {
            let value = response.headers().get(name)?;
            let text = String::from_utf8_lossy(value.as_bytes());
            Some(text.chars().take(KEPT).collect())
        };
        Self {
            status: response.status().as_u16(),
            content_type: field("content-type"),
            server: field("server"),
            via: field("via"),
            location: field("location"),
            date: field("date"),
            encoding: field("grpc-encoding"),
        }
    }

    /// Whether it is one of gRPC: 200 and `application/grpc`, perhaps with a format behind it. gRPC-Web is another
    /// protocol.
    pub fn is_grpc(&self) -> bool {
        let kind = self.content_type.as_deref().unwrap_or_default();
        let rest = kind.strip_prefix("application/grpc");
        let ends = |rest: &str| rest.is_empty() || rest.starts_with(['+', ';', ' ']);
        self.status == 200 && rest.is_some_and(ends)
    }
}

/// What was recorded of one call.
#[derive(Clone, Debug, Default)]
pub(super) struct Tape {
    pub(super) http: Option<Http>,
    /// `grpc-status` and `grpc-message`, from the head or from behind the body; the code is `None` where it is not
    /// a number.
    pub(super) status: Option<(Option<i32>, String)>,
    /// The first octets of the body.
    pub(super) prefix: Vec<u8>,
    /// Whether the body came to its end.
    pub(super) ended: bool,
}

impl Tape {
    /// Takes the status out of header fields, and out of tonic's way what it would stumble over.
    fn take(&mut self, fields: &mut HeaderMap) {
        fields.remove(DETAILS);
        let Some(code) = fields.get("grpc-status") else {
            return;
        };
        let code = code.to_str().ok().and_then(|it| it.parse().ok());
        let message = Status::from_header_map(fields).map_or_else(String::new, |it| {
            it.message().chars().take(4 * KEPT).collect()
        });
        self.status = Some((code, message));
    }

    /// The server's own status, unless it is OK.
    pub(super) fn refusal(&self) -> Option<(i32, &str)> {
        match &self.status {
            Some((Some(code), message)) if *code != Code::Ok as i32 => Some((*code, message)),
            _ => None,
        }
    }
}

/// A channel that records.
#[derive(Clone)]
pub(super) struct Recorder {
    pub(super) channel: Channel,
    pub(super) tape: Shared<Tape>,
}

impl Service<Request<Body>> for Recorder {
    type Response = Response<Recorded>;
    type Error = tonic::transport::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let answer = self.channel.call(request);
        let tape = self.tape.clone();
        Box::pin(async move {
            let mut response = answer.await?;
            let http = Http::of(&response);
            let ended = response.body().is_end_stream();
            tape.with(|tape| {
                tape.http = Some(http);
                tape.ended = ended;
                tape.take(response.headers_mut());
            });
            Ok(response.map(|body| Recorded { body, tape }))
        })
    }
}

/// The body of a response.
pub(super) struct Recorded {
    body: Body,
    tape: Shared<Tape>,
}

impl HttpBody for Recorded {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let mut polled = Pin::new(&mut self.body).poll_frame(cx);
        self.tape.with(|tape| match &mut polled {
            Poll::Ready(None) => tape.ended = true,
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(fields) = frame.trailers_mut() {
                    tape.ended = true;
                    tape.take(fields);
                } else if let Some(data) = frame.data_ref() {
                    let room = PREFIX.saturating_sub(tape.prefix.len());
                    tape.prefix.extend(data.iter().take(room));
                }
            }
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        });
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_is_told_by_status_and_type() {
        for (status, kind, grpc) in [
            (200, "application/grpc", true),
            (200, "application/grpc+proto", true),
            (200, "application/grpc;charset=utf-8", true),
            (200, "application/grpc-web+proto", false),
            (200, "text/html", false),
            (502, "application/grpc", false),
        ] {
            let http = Http {
                status,
                content_type: Some(kind.to_owned()),
                ..Http::default()
            };
            assert_eq!(http.is_grpc(), grpc, "{status} {kind}");
        }
    }

    #[test]
    fn details_that_are_not_base64_stop_nobody() {
        let mut fields = HeaderMap::new();
        fields.insert("grpc-status", "7".parse().unwrap());
        fields.insert("grpc-message", "no%20entry".parse().unwrap());
        fields.insert(DETAILS, "***".parse().unwrap());
        let mut tape = Tape::default();
        tape.take(&mut fields);
        assert_eq!(tape.refusal(), Some((7, "no entry")));
        assert!(Status::from_header_map(&fields).is_some());
    }
}
