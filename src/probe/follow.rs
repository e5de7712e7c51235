//! What a server is asked after the first connection, and how often: at most [`MOST`] times, whatever was seen.
//!
//! | the first handshake | then |
//! |---|---|
//! | alert | an older version, or everything there is, and other names |
//! | closed, reset | clear text; a small ClientHello; then as after an alert |
//! | no answer | clear text and a small ClientHello at one time |
//! | answered, where it was not | a small ClientHello was: in two packets, large, and post-quantum |
//! | a certificate for other names | other names, and none |
//! | all well, and a survey asked for | TLS 1.1, 1.2, and a ClientHello in two packets |

use std::time::Instant;

use super::answer::Answer;
use super::ask::{Asker, FollowUp, Seen};
use super::hello::{Question, TLS13};
use super::peek::Protocol;
use super::tls::{self, Failure};
use super::{Observation, Request, Rpc, Session};
use crate::pki::{Certificate, GeneralName};
use crate::target::Address;
use crate::target::Host;

/// Connections after the first one.
const MOST: usize = 6;
/// Names to ask for.
const NAMES: usize = 2;

/// Asks what can tell more after what was seen.
pub(super) async fn follow(request: &Request, address: Address, seen: &mut Observation) {
    let made = seen.sessions.len() + seen.others.len();
    let Some(primary) = seen.sessions.first() else {
        return;
    };
    let mut asker = Asker {
        request,
        address,
        left: (MOST + 1).saturating_sub(made),
        deadline: Instant::now() + 2 * request.limit(),
        asked: Vec::new(),
    };
    match &primary.handshake {
        Err(Failure::Certificate) | Ok(_) => {
            let shown = seen.seen().and_then(|it| it.chain.first());
            let shown = shown.and_then(|it| Certificate::from_der(it.clone()).ok());
            match shown {
                Some(shown)
                    if request.target.spiffe_id.is_none()
                        && !covers(&shown.names, request.target.name()) =>
                {
                    asker.other_names(&shown).await;
                }
                Some(_) if request.survey && is_well(primary) => asker.survey(primary).await,
                _ => {}
            }
        }
        Err(_) if primary.requested.is_some() => {}
        Err(Failure::Alert(tls::NO_APPLICATION_PROTOCOL)) => {}
        Err(Failure::Alert(number)) => asker.after_alert(*number).await,
        Err(Failure::Incompatible(_)) => asker.older().await,
        Err(Failure::Timeout) if primary.speaks_tls() => {}
        Err(Failure::Timeout) => asker.after_silence().await,
        Err(Failure::Closed | Failure::Reset) if !primary.speaks_tls() => {
            asker.after_an_end().await;
        }
        Err(_) => asker.plaintext().await,
    }
    seen.follow_ups = asker.asked;
}

fn is_well(primary: &Session) -> bool {
    primary.verified == Some(Ok(())) && primary.rpc.as_ref().is_some_and(Rpc::is_answered)
}

fn covers(names: &[GeneralName], host: &Host) -> bool {
    let wanted = host.as_name();
    names.iter().any(|it| it.covers(&wanted))
}

impl Asker<'_> {
    async fn after_alert(&mut self, number: u8) {
        match number {
            // protocol_version
            70 => self.older().await,
            // unrecognized_name, and what rustls says instead of it: access_denied
            112 | 49 => self.names().await,
            // About certificates (RFC 8446, 6.2): what is offered has nothing to do with it.
            41..=46 | 48 | 116 => {}
            _ => self.wider().await,
        }
    }

    async fn after_an_end(&mut self) {
        self.plaintext().await;
        let silent = [Protocol::Closed, Protocol::Silent, Protocol::Tls];
        if !self
            .asked
            .iter()
            .all(|it| matches!(&it.seen, Seen::Plaintext(it) if silent.contains(it)))
        {
            return;
        }
        match self.ask(Question::Small).await {
            Some(Answer::Hello(_)) => self.sizes().await,
            Some(Answer::Timeout) | None => {}
            Some(_) => self.wider().await,
        }
    }

    async fn after_silence(&mut self) {
        // The one that is dialled first is served first, where one is served at a time.
        let limit = self.limit();
        let (small, plaintext) = tokio::join!(
            self.put(Question::Small, limit),
            self.put_in_clear_text(limit)
        );
        self.left = self.left.saturating_sub(2);
        self.asked.extend(small.into_iter().chain(plaintext));
        if self.is_answered(Question::Small) {
            self.sizes().await;
        }
    }

    /// A small ClientHello is answered: is it the packets, the size, or what post-quantum key exchange adds?
    async fn sizes(&mut self) {
        if self.left < 3 {
            return;
        }
        // Time enough for three at once, whatever went before.
        let limit = self.request.limit();
        let (split, large, post_quantum) = tokio::join!(
            self.put(Question::Split, limit),
            self.put(Question::Large, limit),
            self.put(Question::PostQuantum, limit)
        );
        self.left -= 3;
        let all: Vec<_> = split.into_iter().chain(large).chain(post_quantum).collect();
        let mut lost = all.iter().filter(|it| !it.is_answered());
        let odd = match (lost.next().map(|it| &it.seen), lost.next()) {
            (Some(Seen::Hello(question, _)), None) => Some(*question),
            _ => None,
        };
        self.asked.extend(all);
        // One alone may be chance.
        if let Some(question) = odd {
            self.deadline = Instant::now() + limit;
            self.ask(question).await;
        }
    }

    async fn older(&mut self) {
        self.ask(Question::Tls11).await;
    }

    /// What does it want, if not what we offer?
    async fn wider(&mut self) {
        let Some(answer) = self.ask(Question::Wide).await else {
            return;
        };
        if answer == Answer::Timeout {
            return;
        }
        if let Some(hello) = answer.hello() {
            if !hello.is_ours() {
                return;
            }
            // What it chose we have offered, so it is what the choice does not show.
            if hello.version == TLS13 {
                self.ask(Question::Tls12).await;
            }
            if !self.is_asked(Question::Small)
                && let Some(Answer::Hello(_)) = self.ask(Question::Small).await
            {
                self.sizes().await;
            }
            return;
        }
        self.older().await;
        if !self.is_answered(Question::Tls11) {
            self.names().await;
        }
    }

    /// Does it want another name, or none?
    async fn names(&mut self) {
        if let Host::Dns(_) = self.request.target.name() {
            self.site(None).await;
        }
        for name in self.known(&[]) {
            if self.asked.iter().any(FollowUp::is_site) {
                return;
            }
            self.site(Some(name)).await;
        }
    }

    /// It shows a certificate for other names: has it one for ours behind another?
    async fn other_names(&mut self, shown: &Certificate) {
        let names = self.known(&shown.names);
        let wanted = self.request.target.name();
        let is_known = self.request.known.iter().any(|it| covers(it, wanted));
        if let Host::Dns(_) = wanted
            && is_known
        {
            self.site(None).await;
        }
        for name in names {
            self.site(Some(name)).await;
        }
    }

    /// DNS names of certs.toml that are worth asking for: for an address any, since none was sent; for a name those
    /// beside it.
    fn known(&self, shown: &[GeneralName]) -> Vec<String> {
        let wanted = self.request.target.name();
        let mut known: Vec<_> = self.request.known.iter().collect();
        known.sort_by_key(|names| !covers(names, wanted));
        if let Host::Dns(_) = wanted {
            known.retain(|names| covers(names, wanted));
        }
        let names = known.into_iter().flatten().filter_map(|name| match name {
            GeneralName::Dns(text)
                if !text.starts_with("*.")
                    && *name != wanted.as_name()
                    && !shown.iter().any(|it| it.covers(name)) =>
            {
                Some(text.clone())
            }
            _ => None,
        });
        names.take(NAMES).collect()
    }

    async fn survey(&mut self, primary: &Session) {
        if let Some(Answer::Hello(_)) = self.ask(Question::Tls11).await {
            self.ask(Question::Tls10).await;
        }
        let version = primary.handshake.as_ref().map(|it| it.version);
        if version == Ok("TLS 1.3") {
            self.ask(Question::Tls12).await;
        }
        let split = self.ask(Question::Split).await;
        if split.is_some_and(|it| it.is_nothing()) {
            self.ask(Question::Split).await;
        }
    }
}
