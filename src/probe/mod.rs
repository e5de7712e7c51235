//! Talks to a live server as a gRPC client does, and concludes nothing: target → [`Observation`].
//!
//! The order is that of a client: resolve, TCP (or a Unix socket), TLS, HTTP/2, `grpc.health.v1`. After a refusal it goes on where
//! that can show more, for diagnosis only: a peer whose certificate was not accepted gets no client
//! certificate and no metadata.

mod answer;
mod ask;
mod basis;
mod connect;
mod follow;
mod frames;
mod grpc;
mod health;
mod hello;
mod metadata;
mod peek;
mod recorder;
mod reflection;
mod resolve;
mod session;
mod stream;
mod tls;
mod trust;
mod wire;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use tokio::task::JoinSet;

use crate::pki::GeneralName;

pub use crate::target::{Address, Destination, Host, Misread, MisreadTargets, Target, TargetError};
pub use answer::{Answer, ServerHello};
pub use ask::{FollowUp, Seen, Site};
pub use basis::{Basis, Credentials};
pub use connect::{Attempt, ConnectFailure};
pub use frames::{GoAway, reason_name};
pub use grpc::{Questions, Rpc, RpcOutcome, Serving, Undecodable};
pub use hello::{OUR_GROUPS, OUR_SIGNATURES, OUR_SUITES, Question, TLS10, TLS11, TLS12, TLS13};
pub use metadata::{Metadata, MetadataError};
pub use peek::Protocol;
pub use recorder::Http;
pub use reflection::{Reflection, Services};
pub use resolve::{Names, Resolution, Resolve, ResolveFailure, SystemResolver};
pub use session::{First, Purpose, Session};
pub use tls::{CertificateRequest, Failure, Handshake};

use wire::Wire;

/// Addresses of one name that are looked at at one time.
const PARALLEL: usize = 8;

/// What to look at, and with what.
#[derive(Clone)]
pub struct Request {
    /// Whom to dial.
    pub target: Target,
    /// Whom to trust, and how to speak TLS.
    pub basis: Arc<Basis>,
    /// What to show when the server asks for a certificate.
    pub identity: Option<Arc<Credentials>>,
    /// A certificate that no server has reason to accept, to be shown on a connection of its own.
    pub throwaway: Option<Arc<Credentials>>,
    /// Whether every address of the name is looked at, not the first alone that answers.
    pub all_addresses: bool,
    /// Where the addresses of names are known.
    pub names: Arc<Names>,
    /// The names of each server that is known here, to ask for where the one that is dialled leads elsewhere.
    pub known: Arc<[Vec<GeneralName>]>,
    /// Whether to ask a server that is well what it makes of other clients.
    pub survey: bool,
    /// What to ask it.
    pub questions: Questions,
    /// Limit for each step on its own.
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
    /// The same for this machine's other loopback addresses, where nobody listens at any of the above.
    pub loopbacks: Vec<Attempt>,
    /// The TLS connections that were made, the one that counts first.
    pub sessions: Vec<Session>,
    /// Further ones, made to see what the server makes of other clients; they say nothing of ours.
    pub others: Vec<Session>,
    /// The same for each further address of the name, where all were to be looked at.
    pub siblings: Vec<Observation>,
    /// What the server was asked besides, in order.
    pub follow_ups: Vec<FollowUp>,
    /// Time for all of it.
    pub elapsed: Duration,
}

impl Observation {
    /// Of a server to which not one packet was sent.
    pub fn none(target: Target) -> Self {
        Self {
            target,
            resolution: Resolution {
                result: Ok(Vec::new()),
                elapsed: Duration::ZERO,
            },
            attempts: Vec::new(),
            loopbacks: Vec::new(),
            siblings: Vec::new(),
            sessions: Vec::new(),
            others: Vec::new(),
            follow_ups: Vec::new(),
            elapsed: Duration::ZERO,
        }
    }

    /// The connection that counts.
    pub fn primary(&self) -> Option<&Session> {
        self.sessions.first()
    }

    /// Every TLS connection, in the order in which they were made.
    pub fn connections(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().chain(&self.others)
    }

    /// What answers to a client without TLS, where TLS failed.
    pub fn plaintext(&self) -> Option<&Protocol> {
        self.follow_ups.iter().find_map(|it| match &it.seen {
            Seen::Plaintext(protocol) => Some(protocol),
            _ => None,
        })
    }

    /// What the server answered to this question, where it was asked.
    pub fn answer(&self, question: Question) -> Option<&Answer> {
        // Where it was asked twice, the second answer counts.
        self.follow_ups.iter().rev().find_map(|it| match &it.seen {
            Seen::Hello(asked, answer) if *asked == question => Some(answer),
            _ => None,
        })
    }

    /// What it showed to a client that asked for another name, or for none.
    pub fn sites(&self) -> impl Iterator<Item = &Site> {
        self.follow_ups.iter().filter_map(|it| match &it.seen {
            Seen::Site(site) => Some(site),
            _ => None,
        })
    }

    /// Whether rustls refused what a server presented, at whichever address.
    pub fn is_distrusted(&self) -> bool {
        let refused = |it: &Session| it.verified.as_ref().is_some_and(Result::is_err);
        self.connections().any(refused) || self.siblings.iter().any(Self::is_distrusted)
    }

    /// The connection that saw the certificate chain.
    pub fn seen(&self) -> Option<&Session> {
        self.sessions
            .iter()
            .find(|session| !session.chain.is_empty())
    }
}

/// Looks at one server. Ends within a few times `request.timeout`, whatever the server does; where every address is
/// looked at, for each round of them.
pub async fn observe(request: &Request) -> Observation {
    let started = Instant::now();
    let place = &request.target.dial;
    let resolution = request.names.resolve(place, request.limit()).await;
    let addresses = connect::addresses(place, &resolution);
    let mut observation = if request.all_addresses && addresses.len() > 1 {
        each(request, &resolution, addresses).await
    } else {
        observe_at(request, resolution, addresses).await
    };
    observation.elapsed = started.elapsed();
    observation
}

/// Looks at every address on its own, a bounded number at a time: at the first, and at its siblings.
async fn each(request: &Request, resolution: &Resolution, addresses: Vec<Address>) -> Observation {
    let mut waiting = addresses.into_iter().enumerate();
    let (mut running, mut seen) = (JoinSet::new(), Vec::new());
    loop {
        while running.len() < PARALLEL
            && let Some((index, address)) = waiting.next()
        {
            let (request, resolution) = (request.clone(), resolution.clone());
            running.spawn(async move {
                let observation = observe_at(&request, resolution, vec![address]).await;
                (index, observation)
            });
        }
        match running.join_next().await {
            Some(Ok(done)) => seen.push(done),
            Some(Err(_)) => {}
            None => break,
        }
    }
    seen.sort_by_key(|(index, _)| *index);
    let mut seen = seen.into_iter().map(|(_, observation)| observation);
    match seen.next() {
        Some(first) => Observation {
            siblings: seen.collect(),
            ..first
        },
        None => observe_at(request, resolution.clone(), Vec::new()).await,
    }
}

/// Looks at the first of these addresses that answers.
async fn observe_at(
    request: &Request,
    resolution: Resolution,
    addresses: Vec<Address>,
) -> Observation {
    let started = Instant::now();
    let (attempts, stream) = connect::connect(addresses, request.limit()).await;
    let loopbacks = connect::other_loopbacks(&request.target.dial, &attempts);
    let (loopbacks, _) = connect::connect(loopbacks, request.limit()).await;
    let mut observation = Observation {
        target: request.target.clone(),
        resolution,
        attempts,
        loopbacks,
        sessions: Vec::new(),
        others: Vec::new(),
        siblings: Vec::new(),
        follow_ups: Vec::new(),
        elapsed: Duration::ZERO,
    };
    if let Some((address, stream)) = stream {
        look(request, &address, stream, &mut observation).await;
        let mut others = others(request, &observation);
        while let Some(purpose) = others.pop_front() {
            if let Ok(stream) = connect::dial(&address, request.limit()).await {
                let other = session(request, &address, stream, purpose).await;
                // An end without a word has many causes: that it is the lack of a certificate shows where it comes again.
                if purpose == Purpose::Anonymous && others.is_empty() && other.is_ended_silently() {
                    let told_twice = observation.others.iter().any(|it| it.purpose == purpose);
                    others.extend((!told_twice).then_some(purpose));
                }
                observation.others.push(other);
            }
        }
        follow::follow(request, address, &mut observation).await;
    }
    observation.elapsed = started.elapsed();
    observation
}

async fn look(request: &Request, address: &Address, stream: Wire, observation: &mut Observation) {
    let primary = session(request, address, stream, Purpose::Primary).await;
    let again = again(&primary);
    observation.sessions.push(primary);
    if let Some(purpose) = again
        && let Ok(stream) = connect::dial(address, request.limit()).await
    {
        let session = session(request, address, stream, purpose).await;
        observation.sessions.push(session);
    }
}

/// Whether to look once more after the first connection, and why.
fn again(primary: &Session) -> Option<Purpose> {
    match &primary.handshake {
        Err(Failure::Certificate) => Some(Purpose::Diagnosis),
        Err(Failure::Alert(tls::NO_APPLICATION_PROTOCOL)) => Some(Purpose::NoAlpn),
        _ => None,
    }
}

/// Whom else to be, where the server asked for a client certificate: one who has none and, for a closer look, one
/// whose certificate is worth nothing. A server that is not trusted is left alone.
fn others(request: &Request, observation: &Observation) -> VecDeque<Purpose> {
    let asked = observation
        .primary()
        .filter(|it| it.requested.is_some() && it.verified == Some(Ok(())));
    let Some(primary) = asked else {
        return VecDeque::new();
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

async fn session(request: &Request, address: &Address, stream: Wire, purpose: Purpose) -> Session {
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
        address: address.clone(),
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
            let (first, stream) = stream::read_first(stream, request.timeout).await;
            if let (First::Octets(_) | First::Silent, Some(stream)) = (&first, stream) {
                let (questions, limit) = (&request.questions, request.limit());
                let whom = (purpose, attempt.trusted);
                let rpc = grpc::converse(&request.target, stream, questions, whom, limit);
                session.rpc = Some(rpc.await);
            }
            session.first = Some(first);
        }
    }
    session
}
