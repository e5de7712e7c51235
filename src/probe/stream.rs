//! Streams that remember: the first octets of a peer, how it ended the connection, and what was read ahead.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

use super::First;
use super::frames::Frames;
use super::tls::{Failure, failure};
use super::wire::Wire;

/// How many octets of a peer are kept.
const KEPT: usize = 64;
/// How long a server may keep silent after the handshake before the client writes: some proxies wait for the
/// client, and one that refuses a certificate answers by then.
const PATIENCE: Duration = Duration::from_millis(300);

/// Octets that several parts of a connection see.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared<T>(Arc<Mutex<T>>);

impl<T: Clone> Shared<T> {
    pub(super) fn get(&self) -> T {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn with(&self, f: impl FnOnce(&mut T)) {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// A connection whose first received octets are kept.
#[derive(Debug)]
pub(super) struct Tap {
    inner: Wire,
    first: Shared<Vec<u8>>,
}

impl Tap {
    pub(super) fn new(inner: Wire, first: Shared<Vec<u8>>) -> Self {
        Self { inner, first }
    }
}

impl AsyncRead for Tap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(cx, buffer);
        keep(&self.first, &buffer.filled()[before..]);
        result
    }
}

/// Adds to the octets that are kept of a peer, as long as there is room.
fn keep(kept: &Shared<Vec<u8>>, new: &[u8]) {
    kept.with(|kept| {
        let room = KEPT.saturating_sub(kept.len());
        kept.extend_from_slice(&new[..new.len().min(room)]);
    });
}

/// A peer that turns us away says why and closes, while we may still be writing: the write fails, and its words
/// wait to be read. So a write to a lost connection passes, and the next read tells what became of it.
impl AsyncWrite for Tap {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.inner).poll_write(cx, octets) {
            Poll::Ready(Err(error)) if is_lost(&error) => Poll::Ready(Ok(octets.len())),
            other => other,
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.inner).poll_write_vectored(cx, octets) {
            Poll::Ready(Err(error)) if is_lost(&error) => {
                Poll::Ready(Ok(octets.iter().map(|it| it.len()).sum()))
            }
            other => other,
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

fn is_lost(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}

impl AsyncWrite for Watch {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, octets)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, octets)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// A TLS session that gives out first what was read ahead, and remembers what the peer sent first and how it
/// ended the session. An HTTP/2 library keeps neither.
#[derive(Debug)]
pub(super) struct Watch {
    inner: TlsStream<Tap>,
    ahead: Vec<u8>,
    first: Shared<Vec<u8>>,
    frames: Shared<Frames>,
    end: Shared<Option<Failure>>,
}

impl Watch {
    /// How the peer ended the session, once it has.
    pub(super) fn end(&self) -> Shared<Option<Failure>> {
        self.end.clone()
    }

    /// The first octets that the peer sent in the session.
    pub(super) fn first(&self) -> Shared<Vec<u8>> {
        self.first.clone()
    }

    /// The HTTP/2 frames that the peer sent in the session.
    pub(super) fn frames(&self) -> Shared<Frames> {
        self.frames.clone()
    }

    fn look(&self, octets: &[u8]) {
        keep(&self.first, octets);
        self.frames.with(|frames| frames.pass(octets));
    }
}

impl AsyncRead for Watch {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            let count = self.ahead.len().min(buffer.remaining());
            buffer.put_slice(&self.ahead[..count]);
            self.ahead.drain(..count);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(cx, buffer);
        self.look(&buffer.filled()[before..]);
        let ended = match &result {
            Poll::Ready(Err(error)) => Some(failure(error)),
            Poll::Ready(Ok(())) if buffer.filled().len() == before => Some(Failure::Closed),
            _ => None,
        };
        if ended.is_some() {
            self.end.with(|end| *end = end.take().or(ended));
        }
        result
    }
}

/// Waits a moment for what the server sends on its own: a gRPC server its SETTINGS, one that refuses the client
/// certificate (or its absence) an alert or the end, which a write would turn into a bare reset.
pub(super) async fn read_first(
    mut stream: TlsStream<Tap>,
    limit: Duration,
) -> (First, Option<Watch>) {
    let mut buffer = vec![0; 4096];
    let patience = PATIENCE.min(limit);
    let first = match tokio::time::timeout(patience, stream.read(&mut buffer)).await {
        Err(_) => First::Silent,
        Ok(Ok(0)) => First::Ended(Failure::Closed),
        Ok(Ok(count)) => {
            buffer.truncate(count);
            First::Octets(buffer)
        }
        Ok(Err(error)) if error.kind() == ErrorKind::UnexpectedEof => First::Ended(Failure::Closed),
        Ok(Err(error)) => First::Ended(failure(&error)),
    };
    let ahead = match &first {
        First::Octets(octets) => octets.clone(),
        First::Silent => Vec::new(),
        First::Ended(_) => return (first, None),
    };
    let watch = Watch {
        inner: stream,
        first: Shared::default(),
        frames: Shared::default(),
        end: Shared::default(),
        ahead,
    };
    watch.look(&watch.ahead);
    (first, Some(watch))
}
