//! Connection: every address is tried, and each is reported.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::resolve::Resolution;
use super::wire::Wire;
use crate::store;
use crate::target::{Address, Destination, LOOPBACKS};

/// How long a client of a Unix socket waits before it tries again.
const AGAIN: Duration = Duration::from_millis(20);

/// One address that was dialled.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Where to.
    pub address: Address,
    /// Whether there was a connection.
    pub result: Result<(), ConnectFailure>,
    /// Time that it took.
    pub elapsed: Duration,
}

/// Why there was no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectFailure {
    /// There is a Unix socket, and this user may not write to it.
    Denied,
    /// There is no such Unix socket.
    Missing,
    /// The path is that of another kind of file.
    NotSocket,
    /// Any other reason, in the system's words.
    Other(String),
    /// Nothing listens there.
    Refused,
    /// No answer.
    Timeout,
    /// There is no route.
    Unreachable,
}

/// The addresses of a place, with what its name resolved to.
pub(super) fn addresses(place: &Destination, resolution: &Resolution) -> Vec<Address> {
    match place {
        Destination::Unix(path) => vec![Address::Unix(path.clone())],
        Destination::Tcp(_, port) => {
            let found = resolution.result.iter().flatten();
            found
                .map(|it| Address::Tcp(SocketAddr::new(*it, *port)))
                .collect()
        }
    }
}

/// The loopback addresses of this machine that were not tried, where those that were have nobody listening.
pub(super) fn other_loopbacks(place: &Destination, attempts: &[Attempt]) -> Vec<Address> {
    let nobody = |it: &Attempt| {
        matches!(
            it.result,
            Err(ConnectFailure::Refused | ConnectFailure::Unreachable)
        )
    };
    let Destination::Tcp(_, port) = place else {
        return Vec::new();
    };
    if !place.is_loopback() || attempts.is_empty() || !attempts.iter().all(nobody) {
        return Vec::new();
    }
    let all = LOOPBACKS.map(|it| Address::Tcp(SocketAddr::new(it, *port)));
    let new = |it: &Address| attempts.iter().all(|attempt| attempt.address != *it);
    all.into_iter().filter(new).collect()
}

/// Dials every address at once and keeps the connection to the first, in order, that answers.
pub(super) async fn connect(
    addresses: Vec<Address>,
    limit: Duration,
) -> (Vec<Attempt>, Option<(Address, Wire)>) {
    let mut kept = None;
    let attempts = dial_all(addresses, limit)
        .await
        .into_iter()
        .map(|(address, result, elapsed)| {
            let result = result.map(|stream| {
                if kept.is_none() {
                    kept = Some((address.clone(), stream));
                }
            });
            Attempt {
                address,
                result,
                elapsed,
            }
        })
        .collect();
    (attempts, kept)
}

type Dialled = (Address, Result<Wire, ConnectFailure>, Duration);

async fn dial_all(mut addresses: Vec<Address>, limit: Duration) -> Vec<Dialled> {
    let dial = async move |address: Address| {
        let started = Instant::now();
        let result = dial(&address, limit).await;
        (address, result, started.elapsed())
    };
    // One alone needs no task of its own.
    if addresses.len() < 2 {
        return match addresses.pop() {
            Some(address) => vec![dial(address).await],
            None => Vec::new(),
        };
    }
    let mut tasks = JoinSet::new();
    for (index, address) in addresses.into_iter().enumerate() {
        tasks.spawn(async move { (index, dial(address).await) });
    }
    let mut dialled = Vec::new();
    while let Some(done) = tasks.join_next().await {
        // One that was cancelled, as its run ended early, has nothing to tell.
        dialled.extend(done);
    }
    dialled.sort_by_key(|(index, _)| *index);
    dialled.into_iter().map(|(_, it)| it).collect()
}

/// Dials one address.
pub(super) async fn dial(address: &Address, limit: Duration) -> Result<Wire, ConnectFailure> {
    let connecting = async {
        match address {
            Address::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                // Without it the small writes of a handshake wait for acknowledgements; it is no reason to give up.
                let _ = stream.set_nodelay(true);
                Ok(Wire::Tcp(stream))
            }
            Address::Unix(path) => unix(path).await.map(Wire::Unix),
        }
    };
    match timeout(limit, connecting).await {
        Err(_) => Err(ConnectFailure::Timeout),
        Ok(Err(error)) => Err(failure(&error, address)),
        Ok(Ok(wire)) => Ok(wire),
    }
}

/// Linux does not let a client of a Unix socket wait in line: it is told to come again.
async fn unix(path: &Path) -> io::Result<UnixStream> {
    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == ErrorKind::WouldBlock => sleep(AGAIN).await,
            done => return done,
        }
    }
}

fn failure(error: &io::Error, address: &Address) -> ConnectFailure {
    match (error.kind(), address) {
        // A file that is no socket refuses connections too.
        (ErrorKind::ConnectionRefused, Address::Unix(path)) if !store::is_socket(path) => {
            ConnectFailure::NotSocket
        }
        (ErrorKind::ConnectionRefused, _) => ConnectFailure::Refused,
        (ErrorKind::TimedOut, _) => ConnectFailure::Timeout,
        (ErrorKind::NotFound | ErrorKind::NotADirectory, Address::Unix(_)) => {
            ConnectFailure::Missing
        }
        (ErrorKind::PermissionDenied, Address::Unix(_)) => ConnectFailure::Denied,
        (ErrorKind::InvalidInput, Address::Unix(_)) => {
            ConnectFailure::Other("the path is too long for a Unix socket".to_owned())
        }
        (
            ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::AddrNotAvailable,
            _,
        ) => ConnectFailure::Unreachable,
        _ => ConnectFailure::Other(crate::text::io_text(error)),
    }
}
