//! Resolution and TCP: every address is tried, and each is reported.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::target::{Host, Target};

/// More addresses than this are not tried.
const MAX_ADDRESSES: usize = 32;

/// What a name resolved to.
#[derive(Debug)]
pub struct Resolution {
    /// The addresses, or why there are none.
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
    /// Address and port.
    pub address: SocketAddr,
    /// Whether there was a connection.
    pub result: Result<(), ConnectFailure>,
    /// Time that it took.
    pub elapsed: Duration,
}

/// Why there was no TCP connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectFailure {
    /// Any other reason, in the system's words.
    Other(String),
    /// Nothing listens there.
    Refused,
    /// No answer.
    Timeout,
    /// There is no route.
    Unreachable,
}

pub(super) async fn resolve(target: &Target, limit: Duration) -> Resolution {
    let started = Instant::now();
    let result = match &target.host {
        Host::Ip(address) => Ok(vec![*address]),
        Host::Dns(name) => {
            match timeout(limit, tokio::net::lookup_host((name.as_str(), 0))).await {
                Err(_) => Err(ResolveFailure::Timeout),
                Ok(Err(error)) => Err(ResolveFailure::NotFound(crate::text::io_text(&error))),
                Ok(Ok(found)) => {
                    let mut addresses: Vec<IpAddr> = Vec::new();
                    for address in found.map(|it| it.ip()) {
                        if !addresses.contains(&address) && addresses.len() < MAX_ADDRESSES {
                            addresses.push(address);
                        }
                    }
                    if addresses.is_empty() {
                        Err(ResolveFailure::NotFound("it has no address".to_owned()))
                    } else {
                        Ok(addresses)
                    }
                }
            }
        }
    };
    Resolution {
        result,
        elapsed: started.elapsed(),
    }
}

/// Dials every address at once and keeps the connection to the first, in order, that answers.
pub(super) async fn connect(
    addresses: &[IpAddr],
    port: u16,
    limit: Duration,
) -> (Vec<Attempt>, Option<(SocketAddr, TcpStream)>) {
    let mut tasks = JoinSet::new();
    for (index, address) in addresses.iter().enumerate() {
        let address = SocketAddr::new(*address, port);
        tasks.spawn(async move {
            let started = Instant::now();
            let result = dial(address, limit).await;
            (index, address, result, started.elapsed())
        });
    }
    let mut dialled = tasks.join_all().await;
    dialled.sort_by_key(|(index, ..)| *index);
    let mut kept = None;
    let attempts = dialled
        .into_iter()
        .map(|(_, address, result, elapsed)| {
            let result = result.map(|stream| {
                if kept.is_none() {
                    kept = Some((address, stream));
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

/// Dials an address once more.
pub(super) async fn again(
    address: SocketAddr,
    limit: Duration,
) -> Result<TcpStream, ConnectFailure> {
    dial(address, limit).await
}

async fn dial(address: SocketAddr, limit: Duration) -> Result<TcpStream, ConnectFailure> {
    let stream = match timeout(limit, TcpStream::connect(address)).await {
        Err(_) => return Err(ConnectFailure::Timeout),
        Ok(Err(error)) => return Err(failure(&error)),
        Ok(Ok(stream)) => stream,
    };
    // Without it the small writes of a handshake wait for acknowledgements; it is no reason to give up.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

fn failure(error: &io::Error) -> ConnectFailure {
    match error.kind() {
        ErrorKind::ConnectionRefused => ConnectFailure::Refused,
        ErrorKind::TimedOut => ConnectFailure::Timeout,
        ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::AddrNotAvailable => ConnectFailure::Unreachable,
        _ => ConnectFailure::Other(crate::text::io_text(error)),
    }
}
