//! A server that says what it was told to, on one connection after the other.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::frames;
use super::noise::Noise;

/// What a server does with one connection.
#[derive(Clone)]
pub struct Turn {
    pub speech: Speech,
    pub end: End,
    /// After how many octets there is a pause, so that what follows is a packet of its own.
    pub cut: usize,
}

#[derive(Clone)]
pub enum Speech {
    /// These octets, without TLS.
    Clear(Vec<u8>),
    /// What a server says to the ClientHello that came, changed by the noise of this seed.
    Flight(Arc<ServerConfig>, u64),
    /// A whole handshake, and this in the session.
    Session(Arc<ServerConfig>, Session),
    /// The same, with these octets below TLS in place of the end.
    Broken(Arc<ServerConfig>, Session, Vec<u8>),
}

/// What is said inside TLS.
#[derive(Clone, Default)]
pub struct Session {
    /// Before anything was read.
    pub greeting: Vec<u8>,
    /// The answer to each call; the last one to all that follow.
    pub answers: Vec<Vec<u8>>,
}

/// How a connection ends.
#[derive(Clone, Copy)]
pub enum End {
    Close,
    /// With the client's octets unread, which resets the connection where it is TCP.
    Drop,
    Silence,
}

/// Where a server listens, until it is dropped.
pub struct Peer {
    pub target: String,
    task: JoinHandle<()>,
}

impl Peer {
    pub async fn on_tcp(turns: Vec<Turn>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let mut running = JoinSet::new();
            for turn in turns.into_iter().cycle() {
                let (stream, _) = listener.accept().await.unwrap();
                running.spawn(take(turn, stream));
            }
        });
        let target = format!("127.0.0.1:{port}");
        Self { target, task }
    }

    pub fn on_unix(path: &Path, turns: Vec<Turn>) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let task = tokio::spawn(async move {
            let mut running = JoinSet::new();
            for turn in turns.into_iter().cycle() {
                let (stream, _) = listener.accept().await.unwrap();
                running.spawn(take(turn, stream));
            }
        });
        let target = format!("unix:{}", path.display());
        Self { target, task }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The client may go at any time.
async fn take(turn: Turn, stream: impl AsyncRead + AsyncWrite + Unpin) {
    let _ = perform(turn, stream).await;
}

async fn perform(turn: Turn, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let Turn { speech, end, cut } = turn;
    match speech {
        Speech::Clear(octets) => {
            say(&mut stream, &octets, cut).await?;
            finish(stream, end).await
        }
        Speech::Flight(config, seed) => {
            let mut octets = flight(config, &mut stream).await?;
            Noise::new(seed).change(&mut octets);
            say(&mut stream, &octets, cut).await?;
            finish(stream, end).await
        }
        Speech::Session(config, session) => {
            let mut stream = TlsAcceptor::from(config).accept(stream).await?;
            converse(&mut stream, &session, cut, end).await?;
            finish(stream, end).await
        }
        Speech::Broken(config, session, octets) => {
            let mut stream = TlsAcceptor::from(config).accept(stream).await?;
            say(&mut stream, &session.greeting, cut).await?;
            let (stream, _) = stream.get_mut();
            stream.write_all(&octets).await?;
            finish(stream, end).await
        }
    }
}

/// What rustls says to the client's first message.
async fn flight(
    config: Arc<ServerConfig>,
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<Vec<u8>> {
    let mut server = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut buffer = [0; 4096];
    let mut out = Vec::new();
    while out.is_empty() {
        let count = stream.read(&mut buffer).await?;
        let mut read = &buffer[..count];
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        while !read.is_empty() {
            server.read_tls(&mut read)?;
            // A refusal is an alert, which is to be sent as well.
            let _ = server.process_new_packets();
        }
        while server.wants_write() {
            server.write_tls(&mut out)?;
        }
    }
    Ok(out)
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), octets: &[u8], cut: usize) -> io::Result<()> {
    let (first, second) = octets.split_at(cut.min(octets.len()));
    for part in [first, second] {
        stream.write_all(part).await?;
        stream.flush().await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Greets, answers each call, and comes to an end after the last answer, unless it is to be silent.
async fn converse(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    session: &Session,
    cut: usize,
    end: End,
) -> io::Result<()> {
    say(stream, &session.greeting, cut).await?;
    let mut calls = frames::Calls::default();
    let mut answered = 0;
    let mut buffer = [0; 4096];
    while answered < session.answers.len() || matches!(end, End::Silence) {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        for call in calls.read(&buffer[..count]) {
            match call {
                frames::Call::Settings => say(stream, &frames::acknowledged(), 0).await?,
                frames::Call::Stream(id) => {
                    let last = session.answers.len().saturating_sub(1);
                    if let Some(answer) = session.answers.get(answered.min(last)) {
                        say(stream, &frames::on_stream(answer, id), cut).await?;
                    }
                    answered += 1;
                }
            }
        }
    }
    Ok(())
}

async fn finish(mut stream: impl AsyncRead + AsyncWrite + Unpin, end: End) -> io::Result<()> {
    match end {
        End::Close => stream.shutdown().await?,
        End::Drop => return Ok(()),
        End::Silence => {}
    }
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(())
}
