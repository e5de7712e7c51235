//! Resolution and connection: every address is tried, and each is reported.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::wire::Wire;
use crate::store;
use crate::target::Host;
use crate::target::{Address, Destination, LOOPBACKS};

/// More addresses than this are not tried.
const MAX_ADDRESSES: usize = 32;
/// How long a client of a Unix socket waits before it tries again.
const AGAIN: Duration = Duration::from_millis(20);

/// Who knows the addresses of names.
pub trait Resolve: Send + Sync {
    /// The addresses of a name; may take its time.
    ///
    /// # Errors
    /// The name is not known, or nobody could be asked.
    fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of this machine.
#[derive(Debug)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok((name, 0).to_socket_addrs()?.map(|it| it.ip()).collect())
    }
}

/// What a name resolved to.
#[derive(Clone, Debug)]
pub struct Resolution {
    /// The addresses, or why there are none. A Unix socket needs none.
    pub result: Result<Vec<IpAddr>, ResolveFailure>,
    /// Time that it took.
    pub elapsed: Duration,
}

/// Why a name has no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolveFailure {
    /// The resolver knows no such name, or could not be asked.
    NotFound(String),
    /// The resolver did not answer in time.
    Timeout,
}

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

pub(super) async fn resolve(
    place: &Destination,
    resolver: &Arc<dyn Resolve>,
    limit: Duration,
) -> Resolution {
    let started = Instant::now();
    let result = match place {
        Destination::Unix(_) => Ok(Vec::new()),
        Destination::Tcp(Host::Ip(address), _) => Ok(vec![*address]),
        Destination::Tcp(Host::Dns(name), _) => {
            let (name, resolver) = (name.clone(), resolver.clone());
            let asking = tokio::task::spawn_blocking(move || resolver.addresses(&name));
            match timeout(limit, asking).await {
                Err(_) => Err(ResolveFailure::Timeout),
                Ok(Err(_)) => Err(ResolveFailure::NotFound("nobody could be asked".to_owned())),
                Ok(Ok(Err(error))) => Err(ResolveFailure::NotFound(crate::text::io_text(&error))),
                Ok(Ok(Ok(found))) => distinct(found),
            }
        }
    };
    Resolution {
        result,
        elapsed: started.elapsed(),
    }
}

fn distinct(found: Vec<IpAddr>) -> Result<Vec<IpAddr>, ResolveFailure> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in found {
        if !addresses.contains(&address) && addresses.len() < MAX_ADDRESSES {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(ResolveFailure::NotFound("it has no address".to_owned()));
    }
    Ok(addresses)
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
    let mut tasks = JoinSet::new();
    for (index, address) in addresses.into_iter().enumerate() {
        tasks.spawn(async move {
            let started = Instant::now();
            let result = dial(&address, limit).await;
            (index, address, result, started.elapsed())
        });
    }
    let mut dialled = Vec::new();
    while let Some(done) = tasks.join_next().await {
        // One that was cancelled, as its run ended early, has nothing to tell.
        dialled.extend(done);
    }
    dialled.sort_by_key(|(index, ..)| *index);
    let mut kept = None;
    let attempts = dialled
        .into_iter()
        .map(|(_, address, result, elapsed)| {
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
