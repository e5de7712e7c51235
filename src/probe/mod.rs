//! Talks to a live server as a gRPC client does, and concludes nothing: target → [`Observation`].
//!
//! The order is that of a client: resolve, TCP, TLS, HTTP/2, `grpc.health.v1`. After a refusal it goes on where
//! that can show more, for diagnosis only: a peer whose certificate was not accepted gets no client
//! certificate.

mod connect;
mod grpc;
mod peek;
mod stream;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use time::OffsetDateTime;
use tokio::net::TcpStream;

use crate::pki::target;
use crate::store::Identity;

pub use connect::{Attempt, ConnectFailure, Resolution, ResolveFailure};
pub use grpc::{Http, Rpc, RpcOutcome, Serving};
pub use peek::Protocol;
pub use target::{Host, Target, TargetError};
pub use tls::{CertificateRequest, Failure, Handshake};

/// What to look at, and with what.
pub struct Request {
    /// Whom to dial.
    pub target: Target,
    /// Whom to trust.
    pub anchors: Vec<CertificateDer<'static>>,
    /// What to show when the server asks for a certificate.
    pub identity: Option<Arc<Identity>>,
    /// A certificate that no server has reason to accept, to be shown on a connection of its own.
    pub throwaway: Option<Arc<Identity>>,
    /// Limit for each step.
    pub timeout: Duration,
    /// When a step that is under way is cut short, but for [`Request::LEAST`].
    pub deadline: Option<Instant>,
    /// The time at which certificates are judged.
    pub now: OffsetDateTime,
}

impl Request {
    /// What a step has in any case, so that a server that is there is still seen.
    pub const LEAST: Duration = Duration::from_millis(100);

    /// The limit for a step that starts now.
    fn limit(&self) -> Duration {
        let left = |it: Instant| it.saturating_duration_since(Instant::now());
        self.deadline.map_or(self.timeout, |it| {
            self.timeout.min(left(it).max(Self::LEAST))
        })
    }
}

/// Everything that was seen of one server.
#[derive(Debug)]
pub struct Observation {
    /// Whom it is about.
    pub target: Target,
    /// The addresses of its name.
    pub resolution: Resolution,
    /// One for each address, in order.
    pub attempts: Vec<Attempt>,
    /// The TLS connections that were made, the one that counts first.
    pub sessions: Vec<Session>,
    /// Further ones, made to see what the server makes of other clients; they say nothing of ours.
    pub others: Vec<Session>,
    /// What answers to a client without TLS, where TLS failed.
    pub plaintext: Option<Protocol>,
    /// Time for all of it.
    pub elapsed: Duration,
}

/// One connection, from its handshake to the answer of the health service.
#[derive(Debug)]
pub struct Session {
    /// Why it was made.
    pub purpose: Purpose,
    /// Where it went.
    pub address: SocketAddr,
    /// Whether our client certificate was held ready.
    pub identity: bool,
    /// What the server presented, the end entity first.
    pub chain: Vec<CertificateDer<'static>>,
    /// Whether rustls-webpki accepts the chain for the name, and its words if not; `None` before it was asked.
    pub verified: Option<Result<(), String>>,
    /// Whether the server asked for a client certificate, and from whom.
    pub requested: Option<CertificateRequest>,
    /// What was negotiated, or why there is no session.
    pub handshake: Result<Handshake, Failure>,
    /// What came first after the handshake, before anything was written.
    pub first: Option<First>,
    /// The health service's answer.
    pub rpc: Option<Rpc>,
    /// The first octets that the peer sent on the connection, before decryption.
    pub peer_octets: Vec<u8>,
    /// Time for the handshake.
    pub elapsed: Duration,
}

/// Why a connection was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To see whether the server insists on a client certificate, without showing one.
    Anonymous,
    /// To look beyond a refusal, without showing a client certificate.
    Diagnosis,
    /// To see the certificate of a server that refused ALPN `h2`.
    NoAlpn,
    /// As a gRPC client would.
    Primary,
    /// To see whether the server looks at client certificates, with one that nobody has reason to accept.
    Throwaway,
}

/// What a server did after the handshake while nothing was written to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum First {
    /// It sent these octets.
    Octets(Vec<u8>),
    /// It ended the connection.
    Ended(Failure),
    /// It waits for the client, as some proxies do.
    Silent,
}

impl Session {
    /// Whether our client certificate went to the server: it asked for one, and was trusted by then.
    pub fn is_identity_shown(&self) -> bool {
        self.identity && self.requested.is_some() && self.handshake != Err(Failure::Certificate)
    }

    /// What the server sent first after the handshake, whether or not it waited for the client.
    pub fn greeting(&self) -> &[u8] {
        match (&self.rpc, &self.first) {
            (Some(rpc), _) => &rpc.octets,
            (None, Some(First::Octets(octets))) => octets,
            _ => &[],
        }
    }
}

impl Observation {
    /// The connection that counts.
    pub fn primary(&self) -> Option<&Session> {
        self.sessions.first()
    }

    /// Every TLS connection, in the order in which they were made.
    pub fn connections(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().chain(&self.others)
    }

    /// The connection that saw the certificate chain.
    pub fn seen(&self) -> Option<&Session> {
        self.sessions
            .iter()
            .find(|session| !session.chain.is_empty())
    }
}

/// Looks at one server. Ends within a few times `request.timeout`, whatever the server does.
pub async fn observe(request: &Request) -> Observation {
    let started = Instant::now();
    let resolution = connect::resolve(&request.target, request.limit()).await;
    let addresses: Vec<IpAddr> = resolution.result.clone().unwrap_or_default();
    let (attempts, stream) =
        connect::connect(&addresses, request.target.port, request.limit()).await;
    let mut observation = Observation {
        target: request.target.clone(),
        resolution,
        attempts,
        sessions: Vec::new(),
        others: Vec::new(),
        plaintext: None,
        elapsed: Duration::ZERO,
    };
    if let Some((address, stream)) = stream {
        look(request, address, stream, &mut observation).await;
        for purpose in others(request, &observation) {
            if let Ok(stream) = connect::again(address, request.limit()).await {
                let other = session(request, address, stream, purpose).await;
                observation.others.push(other);
            }
        }
    }
    observation.elapsed = started.elapsed();
    observation
}

async fn look(
    request: &Request,
    address: SocketAddr,
    stream: TcpStream,
    observation: &mut Observation,
) {
    let primary = session(request, address, stream, Purpose::Primary).await;
    let next = next(&primary);
    observation.sessions.push(primary);
    match next {
        Next::Done => {}
        Next::Again(purpose) => {
            if let Ok(stream) = connect::again(address, request.limit()).await {
                observation
                    .sessions
                    .push(session(request, address, stream, purpose).await);
            }
        }
        Next::Plaintext => {
            if let Ok(stream) = connect::again(address, request.limit()).await {
                observation.plaintext = Some(peek::peek(stream, request.limit()).await);
            }
        }
    }
}

/// What to look at after the first connection.
enum Next {
    Done,
    Again(Purpose),
    Plaintext,
}

fn next(primary: &Session) -> Next {
    match &primary.handshake {
        Ok(_) => Next::Done,
        Err(Failure::Certificate) => Next::Again(Purpose::Diagnosis),
        Err(Failure::Alert(tls::NO_APPLICATION_PROTOCOL)) => Next::Again(Purpose::NoAlpn),
        // An alert, or a request for a certificate, proves that it speaks TLS.
        Err(Failure::Alert(_) | Failure::Incompatible(_)) => Next::Done,
        Err(_) if primary.requested.is_some() => Next::Done,
        Err(_) => Next::Plaintext,
    }
}

/// Whom else to be, where the server asked for a client certificate: one who has none and, for a closer look, one
/// whose certificate is worth nothing. A server that is not trusted is left alone.
fn others(request: &Request, observation: &Observation) -> Vec<Purpose> {
    let asked = observation
        .primary()
        .filter(|it| it.requested.is_some() && it.verified == Some(Ok(())));
    let Some(primary) = asked else {
        return Vec::new();
    };
    let answered = primary.rpc.as_ref().is_some_and(Rpc::is_answered);
    let closer = request.throwaway.is_some();
    // Where ours is not let in either, the answer to none at all says little.
    let anonymous = primary.is_identity_shown() && (answered || closer);
    let others = [
        anonymous.then_some(Purpose::Anonymous),
        closer.then_some(Purpose::Throwaway),
    ];
    others.into_iter().flatten().collect()
}

async fn session(
    request: &Request,
    address: SocketAddr,
    stream: TcpStream,
    purpose: Purpose,
) -> Session {
    let started = Instant::now();
    let identity = match purpose {
        Purpose::Primary => request.identity.as_ref(),
        Purpose::Throwaway => request.throwaway.as_ref(),
        Purpose::Anonymous | Purpose::Diagnosis | Purpose::NoAlpn => None,
    };
    let attempt = tls::connect(request, identity, stream, purpose).await;
    let elapsed = started.elapsed();
    let mut session = Session {
        purpose,
        address,
        identity: identity.is_some() && purpose == Purpose::Primary,
        chain: attempt.chain,
        verified: attempt.verified,
        requested: attempt.requested,
        handshake: Err(Failure::Closed),
        first: None,
        rpc: None,
        peer_octets: attempt.peer_octets,
        elapsed,
    };
    match attempt.result {
        Err(failure) => session.handshake = Err(failure),
        Ok((handshake, stream)) => {
            session.handshake = Ok(handshake);
            let (first, stream) = stream::read_first(stream).await;
            if let (First::Octets(_) | First::Silent, Some(stream)) = (&first, stream) {
                session.rpc = Some(grpc::health(&request.target, stream, request.limit()).await);
            }
            session.first = Some(first);
        }
    }
    session
}
