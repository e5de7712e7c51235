//! What a server says in the place of a gRPC service: status, fields, octets and trailers, each as a row wants them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http_body::Frame;
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::codegen::http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tonic::server::NamedService;
use tonic::service::Routes;
use tower::Service;

use super::grpc::{Answer, Manner, Tonic, rustls};
use super::pki::{Pair, World};
use super::row::Staged;

pub type Fields = &'static [(&'static str, &'static str)];

/// The message SERVING, with its flag and length.
pub const SERVING: &[u8] = &[0, 0, 0, 0, 2, 8, 1];
pub const GRPC: (&str, &str) = ("content-type", "application/grpc");

/// A whole response.
#[derive(Clone)]
pub struct Reply {
    pub status: u16,
    pub fields: Fields,
    pub data: Vec<u8>,
    pub trailers: Option<Fields>,
    /// Whether it ends.
    pub ends: bool,
}

impl Reply {
    /// A response of gRPC, with trailers.
    pub fn grpc(data: &[u8], trailers: Option<Fields>) -> Self {
        Self {
            status: 200,
            fields: &[GRPC],
            data: data.to_vec(),
            trailers,
            ends: true,
        }
    }

    /// A head, and no more.
    pub fn head(status: u16, fields: Fields) -> Self {
        Self {
            status,
            fields,
            ..Self::grpc(&[], None)
        }
    }

    pub fn serving() -> Self {
        Self::grpc(SERVING, Some(&[("grpc-status", "0")]))
    }

    fn response(&self) -> Response<Body> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.fields {
            response = response.header(*name, *value);
        }
        let mut frames = VecDeque::new();
        if !self.data.is_empty() {
            frames.push_back(Frame::data(Bytes::from(self.data.clone())));
        }
        if let Some(trailers) = self.trailers {
            let field = |(name, value): &(&'static str, &'static str)| {
                let name = HeaderName::from_static(name);
                (name, HeaderValue::from_static(value))
            };
            let trailers: HeaderMap = trailers.iter().map(field).collect();
            frames.push_back(Frame::trailers(trailers));
        }
        let body = match frames.is_empty() && self.ends {
            true => Body::empty(),
            false => Body::new(Frames(frames, self.ends)),
        };
        response.body(body).unwrap()
    }
}

struct Frames(VecDeque<Frame<Bytes>>, bool);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.pop_front() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None if self.1 => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

type Say = Arc<dyn Fn(&Request<Body>) -> Reply + Send + Sync>;

/// Stands where the health service would.
#[derive(Clone)]
struct Health(Say);

impl NamedService for Health {
    const NAME: &'static str = "grpc.health.v1.Health";
}

/// Stands where reflection would.
#[derive(Clone)]
struct Reflection(Say);

impl NamedService for Reflection {
    const NAME: &'static str = "grpc.reflection.v1.ServerReflection";
}

macro_rules! says {
    ($service:ident) => {
        impl Service<Request<Body>> for $service {
            type Response = Response<Body>;
            type Error = Infallible;
            type Future = Ready<Result<Response<Body>, Infallible>>;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: Request<Body>) -> Self::Future {
                ready(Ok((self.0)(&request).response()))
            }
        }
    };
}

says!(Health);
says!(Reflection);

/// A server that says this to a health check.
pub fn health(say: impl Fn(&Request<Body>) -> Reply + Send + Sync + 'static) -> Routes {
    Routes::new(Health(Arc::new(say)))
}

/// SERVING, and this where reflection would be.
pub fn reflection(reply: Reply) -> Routes {
    let says = Reflection(Arc::new(move |_| reply.clone()));
    health(|_| Reply::serving()).add_service(says)
}

/// Behind our certificate.
pub fn staged(world: &World, routes: Routes) -> Staged {
    staged_as(&world.ours("server"), routes)
}

/// Behind this certificate.
pub fn staged_as(pair: &Pair, routes: Routes) -> Staged {
    let tls = rustls(pair, None, rustls::DEFAULT_VERSIONS);
    let server = Tonic::start(Some(tls), Answer::Routes(routes), Manner::Prompt);
    Staged::new(server.port, server)
}
