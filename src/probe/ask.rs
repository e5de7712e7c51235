//! One question at a time, each on a connection of its own that is closed in order.

use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::answer::Answer;
use super::hello::{self, Question};
use super::peek::{self, Protocol};
use super::tls::{self, Failure, Handshake, Manner};
use super::{Request, connect};
use crate::target::Address;
use crate::target::Host;

/// Time that a server gets to close its side.
const FAREWELL: Duration = Duration::from_millis(100);

/// One question and what came of it.
#[derive(Clone, Debug)]
pub struct FollowUp {
    /// Where it went.
    pub address: Address,
    /// What was asked, and answered.
    pub seen: Seen,
    /// Time that it took.
    pub elapsed: Duration,
}

/// A question and its answer.
#[derive(Clone, Debug)]
pub enum Seen {
    /// A ClientHello of another make.
    Hello(Question, Answer),
    /// A client without TLS.
    Plaintext(Protocol),
    /// Another name.
    Site(Site),
}

impl FollowUp {
    /// As JSON shows it.
    pub fn purpose(&self) -> String {
        match &self.seen {
            Seen::Hello(question, _) => question.as_str().to_owned(),
            Seen::Plaintext(_) => "plaintext".to_owned(),
            Seen::Site(Site { name: None, .. }) => "without_sni".to_owned(),
            Seen::Site(Site { name: Some(it), .. }) => format!("sni:{it}"),
        }
    }
}

/// What a server shows to who asks for a name.
#[derive(Clone, Debug)]
pub struct Site {
    /// The name; `None` where none was sent.
    pub name: Option<String>,
    /// What was presented, the end entity first.
    pub chain: Vec<CertificateDer<'static>>,
    /// Whether rustls-webpki accepts that for the name, or for the target's where none was sent.
    pub is_trusted: bool,
    /// What was negotiated, or why there is no session.
    pub handshake: Result<Handshake, Failure>,
}

impl FollowUp {
    pub(super) fn is_answered(&self) -> bool {
        matches!(&self.seen, Seen::Hello(_, Answer::Hello(_)))
    }

    /// Whether another name led to a session.
    pub(super) fn is_site(&self) -> bool {
        matches!(&self.seen, Seen::Site(site) if site.handshake.is_ok())
    }
}

/// Asks, as long as there are connections left.
pub(super) struct Asker<'a> {
    pub(super) request: &'a Request,
    pub(super) address: Address,
    /// Connections that may still be made.
    pub(super) left: usize,
    pub(super) deadline: Instant,
    pub(super) asked: Vec<FollowUp>,
}

impl Asker<'_> {
    pub(super) fn limit(&self) -> Duration {
        let left = self.deadline.saturating_duration_since(Instant::now());
        left.min(self.request.limit())
    }

    pub(super) fn is_asked(&self, question: Question) -> bool {
        self.asked
            .iter()
            .any(|it| matches!(&it.seen, Seen::Hello(it, _) if *it == question))
    }

    pub(super) fn is_answered(&self, question: Question) -> bool {
        self.asked
            .iter()
            .any(|it| matches!(&it.seen, Seen::Hello(it, Answer::Hello(_)) if *it == question))
    }

    pub(super) async fn ask(&mut self, question: Question) -> Option<Answer> {
        self.left = self.left.checked_sub(1)?;
        let asked = self.put(question, self.limit()).await?;
        let answer = match &asked.seen {
            Seen::Hello(_, answer) => Some(answer.clone()),
            _ => None,
        };
        self.asked.push(asked);
        answer
    }

    pub(super) async fn put(&self, question: Question, limit: Duration) -> Option<FollowUp> {
        let started = Instant::now();
        let stream = connect::dial(&self.address, limit).await.ok()?;
        let answer = hello::ask(stream, question, self.request.target.name(), limit).await;
        Some(self.done(started, Seen::Hello(question, answer)))
    }

    pub(super) async fn plaintext(&mut self) {
        if self.left > 0 {
            self.left -= 1;
            let asked = self.put_in_clear_text(self.limit()).await;
            self.asked.extend(asked);
        }
    }

    pub(super) async fn put_in_clear_text(&self, limit: Duration) -> Option<FollowUp> {
        let started = Instant::now();
        let stream = connect::dial(&self.address, limit).await.ok()?;
        let protocol = peek::peek(stream, limit).await;
        Some(self.done(started, Seen::Plaintext(protocol)))
    }

    pub(super) async fn site(&mut self, name: Option<String>) {
        let started = Instant::now();
        let limit = self.limit();
        if self.left == 0 || limit.is_zero() {
            return;
        }
        self.left -= 1;
        let Ok(stream) = connect::dial(&self.address, limit).await else {
            return;
        };
        let host = name.clone().map(Host::Dns);
        let manner = Manner {
            name: host.as_ref().unwrap_or(self.request.target.name()),
            sni: name.is_some(),
            alpn: true,
            limit,
        };
        let attempt = tls::connect_as(self.request, None, stream, &manner).await;
        let handshake = match attempt.result {
            Err(failure) => Err(failure),
            Ok((handshake, mut stream)) => {
                let _ = tokio::time::timeout(FAREWELL, async {
                    let _ = stream.shutdown().await;
                    let mut rest = [0; 4096];
                    while stream.read(&mut rest).await.is_ok_and(|it| it > 0) {}
                })
                .await;
                Ok(handshake)
            }
        };
        let site = Site {
            name,
            is_trusted: attempt.verified == Some(Ok(())),
            chain: attempt.chain,
            handshake,
        };
        let done = self.done(started, Seen::Site(site));
        self.asked.push(done);
    }

    fn done(&self, started: Instant, seen: Seen) -> FollowUp {
        FollowUp {
            address: self.address.clone(),
            seen,
            elapsed: started.elapsed(),
        }
    }
}
