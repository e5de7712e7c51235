//! Servers in this process: bare TCP, and tonic behind rustls, each set up to misbehave in one way.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::transport::server::Connected;
use tonic_health::ServingStatus;
use tower::Service;

use super::pki::Pair;
use super::process::Ask;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// Listens, does one thing with each connection, and stops when it is dropped.
pub struct Raw {
    pub address: SocketAddr,
    ended: Arc<AtomicBool>,
}

impl Raw {
    pub fn start(each: fn(TcpStream)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let end = ended.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                thread::spawn(move || each(stream));
            }
        });
        Self { address, ended }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// Reads until the client has gone.
pub fn hold(mut stream: TcpStream) {
    let _ = io::copy(&mut stream, &mut io::sink());
}

/// Says one thing on its own, and stays.
pub fn greet(mut stream: TcpStream, greeting: &[u8]) {
    let _ = stream.write_all(greeting);
    hold(stream);
}

/// Closes with the client's octets unread, which resets the connection.
pub fn reset(stream: TcpStream) {
    let mut first = [0];
    let _ = stream.peek(&mut first);
}

/// Closes once the client has said its piece.
pub fn close(mut stream: TcpStream) {
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.read(&mut [0; 4096]);
}

/// A port on which nothing listens.
pub fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// What the health check gets.
#[derive(Clone)]
pub enum Answer {
    NoHealth,
    NotServing,
    Serving,
    /// SERVING to clients that showed a certificate, HTTP 400 to others, as nginx does.
    ServingOr400,
    /// What is in here at the time.
    Reported(watch::Receiver<ServingStatus>),
    /// This HTTP response, without a body.
    Head(u16, &'static [(&'static str, &'static str)]),
    /// Whatever these say.
    Routes(Routes),
}

/// How the server deals with a new connection.
#[derive(Clone, Copy)]
pub enum Manner {
    Prompt,
    /// Takes its time before the handshake.
    Slow(Duration),
    /// Says nothing in HTTP/2 before the client has.
    Waiting,
}

/// tonic, stopped when it is dropped.
pub struct Tonic {
    pub port: u16,
    tasks: [JoinHandle<()>; 2],
}

impl Tonic {
    pub fn start(tls: Option<ServerConfig>, answer: Answer, manner: Manner) -> Self {
        Self::start_at(0, tls, answer, manner)
    }

    pub fn start_at(port: u16, tls: Option<ServerConfig>, answer: Answer, manner: Manner) -> Self {
        let listener = RUNTIME
            .block_on(tokio::net::TcpListener::bind(("127.0.0.1", port)))
            .unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = tls.map(|it| TlsAcceptor::from(Arc::new(it)));
        let (sender, incoming) = mpsc::unbounded_channel();
        let accept = RUNTIME.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                tokio::spawn(async move {
                    // A client that does not get in is the business of the row.
                    if let Ok(stream) = let_in(stream, acceptor, manner).await {
                        let _ = sender.send(io::Result::Ok(stream));
                    }
                });
            }
        });
        let serve = RUNTIME.spawn(async move {
            let routes = routes(answer).await;
            let mut server = tonic::transport::Server::builder();
            let incoming = UnboundedReceiverStream::new(incoming);
            let _ = server
                .add_routes(routes)
                .serve_with_incoming(incoming)
                .await;
        });
        Self {
            port,
            tasks: [accept, serve],
        }
    }

    /// Healthy but for what `tls` says.
    pub fn tls(tls: ServerConfig) -> Self {
        Self::start(Some(tls), Answer::Serving, Manner::Prompt)
    }
}

impl Drop for Tonic {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// rustls for one certificate, and perhaps for clients of a CA.
pub fn rustls(
    pair: &Pair,
    client: Option<(Ask, &str)>,
    versions: &[&'static SupportedProtocolVersion],
) -> ServerConfig {
    let chain = CertificateDer::pem_file_iter(&pair.certificate).unwrap();
    let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(&pair.key).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone());
    let builder = builder.with_protocol_versions(versions).unwrap();
    let builder = match client {
        None => builder.with_no_client_auth(),
        Some((ask, ca)) => {
            let mut roots = RootCertStore::empty();
            let anchor = CertificateDer::from_pem_slice(ca.as_bytes()).unwrap();
            roots.add(anchor).unwrap();
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
            let verifier = match ask {
                Ask::Required => verifier,
                Ask::Optional => verifier.allow_unauthenticated(),
            };
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let mut config = builder.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

async fn let_in(
    stream: tokio::net::TcpStream,
    acceptor: Option<TlsAcceptor>,
    manner: Manner,
) -> io::Result<Io> {
    if let Manner::Slow(time) = manner {
        tokio::time::sleep(time).await;
    }
    let mut shown = Shown(false);
    let mut inner: Box<dyn Duplex> = match acceptor {
        Some(acceptor) => {
            let stream = acceptor.accept(stream).await?;
            shown.0 = stream.get_ref().1.peer_certificates().is_some();
            Box::new(stream)
        }
        None => Box::new(stream),
    };
    let mut ahead = Vec::new();
    if let Manner::Waiting = manner {
        inner.read_buf(&mut ahead).await?;
    }
    Ok(Io {
        inner,
        ahead,
        shown,
    })
}

async fn routes(answer: Answer) -> Routes {
    match answer {
        Answer::NoHealth => Routes::default(),
        Answer::NotServing | Answer::Serving => {
            let (reporter, health) = tonic_health::server::health_reporter();
            if let Answer::NotServing = answer {
                reporter
                    .set_service_status("", ServingStatus::NotServing)
                    .await;
            }
            Routes::new(health)
        }
        Answer::Reported(mut status) => {
            let (reporter, health) = tonic_health::server::health_reporter();
            let first = *status.borrow_and_update();
            reporter.set_service_status("", first).await;
            tokio::spawn(async move {
                while status.changed().await.is_ok() {
                    let next = *status.borrow_and_update();
                    reporter.set_service_status("", next).await;
                }
            });
            Routes::new(health)
        }
        Answer::ServingOr400 => Routes::new(Or400(tonic_health::server::health_reporter().1)),
        Answer::Head(status, fields) => Routes::new(Head(status, fields)),
        Answer::Routes(routes) => routes,
    }
}

/// Stands where the health service would.
#[derive(Clone)]
struct Head(u16, &'static [(&'static str, &'static str)]);

impl NamedService for Head {
    const NAME: &'static str = "grpc.health.v1.Health";
}

impl Service<Request<Body>> for Head {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        let mut response = Response::builder().status(self.0);
        for (name, value) in self.1 {
            response = response.header(*name, *value);
        }
        ready(Ok(response.body(Body::empty()).unwrap()))
    }
}

/// A service for clients that showed a certificate.
#[derive(Clone)]
struct Or400<S>(S);

impl<S> NamedService for Or400<S> {
    const NAME: &'static str = "grpc.health.v1.Health";
}

type Answering<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

impl<S> Service<Request<Body>> for Or400<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Answering<S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if request.extensions().get() == Some(&Shown(true)) {
            return Box::pin(self.0.call(request));
        }
        Box::pin(async {
            let response = Response::builder().status(400);
            let response = response.header("content-type", "text/html");
            Ok(response.body(Body::empty()).unwrap())
        })
    }
}

/// Whether the client showed a certificate.
#[derive(Clone, Copy, PartialEq)]
struct Shown(bool);

trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// A connection, with what was read of it ahead.
struct Io {
    inner: Box<dyn Duplex>,
    ahead: Vec<u8>,
    shown: Shown,
}

impl Connected for Io {
    type ConnectInfo = Shown;

    fn connect_info(&self) -> Shown {
        self.shown
    }
}

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return Pin::new(&mut self.inner).poll_read(cx, buffer);
        }
        let count = self.ahead.len().min(buffer.remaining());
        buffer.put_slice(&self.ahead[..count]);
        self.ahead.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
