//! One client: its handshake, and the stream that tonic then serves.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use super::HandshakeError;
use super::whoami::{self, Caller};

/// A client on the slowest of lines needs two seconds; one that needs more has gone away.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a refused client has to read why.
const LINGER: Duration = Duration::from_secs(1);

/// A client that got in.
pub(super) struct Connection {
    stream: TlsStream<TcpStream>,
    caller: Caller,
    cut: Pin<Box<dyn Future<Output = ()> + Send>>,
    is_cut: bool,
}

impl Connection {
    /// Makes the handshake. Once the sender of `cut` is gone the connection ends, whatever it is doing.
    pub(super) async fn accept(
        stream: TcpStream,
        peer: SocketAddr,
        config: Arc<ServerConfig>,
        mut cut: watch::Receiver<()>,
    ) -> Result<Self, HandshakeError> {
        // gRPC writes small frames and waits for the answer.
        stream.set_nodelay(true).map_err(HandshakeError::Io)?;

        let handshake = TlsAcceptor::from(config).accept(stream).into_fallible();
        match timeout(HANDSHAKE, handshake).await {
            Ok(Ok(stream)) => Ok(Self {
                caller: whoami::of_session(stream.get_ref().1, peer),
                stream,
                // Nothing is ever sent.
                cut: Box::pin(async move {
                    let _ = cut.changed().await;
                }),
                is_cut: false,
            }),
            Ok(Err((error, stream))) => {
                hang_up(stream).await;
                Err(error.into())
            }
            Err(_) => Err(HandshakeError::TimedOut),
        }
    }

    /// The client, as it showed itself in the handshake.
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Fails once the connection is cut; until then `cx` is woken for it.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if !self.is_cut {
            self.is_cut = self.cut.as_mut().poll(cx).is_ready();
        }
        match self.is_cut {
            true => Err(io::ErrorKind::ConnectionAborted.into()),
            false => Ok(()),
        }
    }
}

/// Closes a connection so that the peer gets to read the alert on it.
///
/// A client of TLS 1.3 has sent its first request by the time it is refused. Closing a socket with
/// unread bytes resets the connection, and a reset discards the alert.
async fn hang_up(mut stream: TcpStream) {
    let drain = async {
        stream.shutdown().await?;
        let mut rest = [0; 1024];
        while stream.read(&mut rest).await? > 0 {}
        io::Result::Ok(())
    };
    // Nobody is left to tell.
    let _ = timeout(LINGER, drain).await;
}

impl Connected for Connection {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        self.caller.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
