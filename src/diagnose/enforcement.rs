//! What a server makes of client certificates: concluded from whom it let in, never from a finished handshake.
//!
//! | asked for one | without one | with ours | with a worthless one | verdict |
//! |---|---|---|---|---|
//! | no | | | | ignored |
//! | yes | | | gets in | accepts any |
//! | yes | gets in | | | requested, not enforced |
//! | yes | refused | gets further | | required, proven |
//! | yes | refused | not shown | | required, likely |
//! | yes | anything else | | | unknown |
//!
//! A server that ends every connection the same way has said nothing about certificates.

use super::Judge;
use super::words::{alert, ended};
use crate::pki::certificate::Name;
use crate::probe::{Failure, First, Purpose, Rpc, RpcOutcome, Session};

/// gRPC status 16.
const UNAUTHENTICATED: i32 = 16;

/// What a server makes of client certificates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Enforcement {
    /// It lets in any certificate, whoever signed it.
    AcceptsAny,
    /// It asks for none.
    Ignored,
    /// It asks for one and lets in clients without.
    Requested,
    /// It turns away clients without one.
    Required,
    /// What was seen does not tell.
    #[default]
    Unknown,
}

impl Enforcement {
    /// As text and JSON show it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AcceptsAny => "accepts_any",
            Self::Ignored => "ignored",
            Self::Requested => "requested",
            Self::Required => "required",
            Self::Unknown => "unknown",
        }
    }
}

/// What one client got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The call was answered.
    Accepted,
    /// An alert.
    RefusedAlert,
    /// The end of the connection before the first octet.
    RefusedClose,
    /// An HTTP status, or gRPC's UNAUTHENTICATED.
    RefusedHttp,
    /// Neither: no answer in time, or another server.
    Unknown,
}

impl Answer {
    /// As JSON shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::RefusedAlert => "refused_alert",
            Self::RefusedClose => "refused_close",
            Self::RefusedHttp => "refused_http",
            Self::Unknown => "unknown",
        }
    }

    /// How far the client got: a server that refuses at HTTP has let it through TLS.
    fn depth(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::RefusedAlert | Self::RefusedClose => 1,
            Self::RefusedHttp => 2,
            Self::Accepted => 3,
        }
    }

    fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::RefusedAlert | Self::RefusedClose | Self::RefusedHttp
        )
    }
}

/// The verdict and what it rests on.
#[derive(Clone, Debug, Default)]
pub struct ClientAuth {
    /// The verdict.
    pub enforcement: Enforcement,
    /// Whether clients with a certificate were seen to get further than those without.
    pub proven: bool,
    /// Whether the server asked for a certificate.
    pub requested: bool,
    /// The CAs that it said it accepts.
    pub hints: Vec<Name>,
    /// Whether ours was shown.
    pub presented: bool,
    /// What a client without a certificate got.
    pub anonymous: Option<Answer>,
    /// What we got with ours.
    pub with_certificate: Option<Answer>,
    /// What a client with a certificate of no worth got.
    pub throwaway: Option<Answer>,
    /// All of it in words; `None` where there was no TLS session to look at.
    pub evidence: Option<String>,
}

impl ClientAuth {
    fn conclude(&mut self) {
        (self.enforcement, self.proven) = match (self.anonymous, self.with_certificate) {
            _ if !self.requested => (Enforcement::Ignored, false),
            _ if self.throwaway == Some(Answer::Accepted) => (Enforcement::AcceptsAny, true),
            (Some(Answer::Accepted), _) => (Enforcement::Requested, true),
            (Some(none), Some(ours)) if none.is_refusal() && ours.depth() > none.depth() => {
                (Enforcement::Required, true)
            }
            (Some(none), None) if none.is_refusal() => (Enforcement::Required, false),
            _ => (Enforcement::Unknown, false),
        };
    }
}

impl Judge<'_> {
    /// What the server makes of client certificates, as far as it was seen.
    pub(super) fn enforcement(&self) -> ClientAuth {
        let Some(main) = self.answering() else {
            return ClientAuth::default();
        };
        let connections = || self.observation.connections();
        let request = connections().find_map(|it| it.requested.as_ref());
        let hints = request.map_or(&[][..], |it| &it.authorities);
        let mut this = ClientAuth {
            requested: request.is_some(),
            hints: hints.iter().filter_map(|it| Name::from_der(it)).collect(),
            presented: main.is_identity_shown(),
            ..ClientAuth::default()
        };
        if request.is_none() && main.handshake.is_err() {
            return this;
        }
        // Of several connections for one purpose, the one that got furthest counts, and one without an answer most.
        let other = |purpose| {
            let all = connections().filter(move |it| it.purpose == purpose);
            all.max_by_key(|it| (answer(it) == Answer::Unknown, answer(it).depth()))
        };
        let (ours, none) = if this.presented {
            (Some(main), other(Purpose::Anonymous))
        } else {
            (None, Some(main))
        };
        let worthless = other(Purpose::Throwaway);
        this.with_certificate = ours.map(answer);
        this.anonymous = none.map(answer);
        this.throwaway = worthless.map(answer);
        let told = [
            ("with ours", ours),
            ("without one", none),
            ("with one that was made up for this test", worthless),
        ];
        let told = told
            .into_iter()
            .filter_map(|(who, session)| Some(format!("{who} {}", words(session?))));
        let asks = if this.requested {
            "it asks for a certificate"
        } else {
            "it asks for no certificate"
        };
        this.evidence = Some(
            std::iter::once(asks.to_owned())
                .chain(told)
                .collect::<Vec<_>>()
                .join("; "),
        );
        this.conclude();
        this
    }
}

/// What the client of this connection got.
fn answer(session: &Session) -> Answer {
    if is_elsewhere(session) {
        return Answer::Unknown;
    }
    match refusal(session) {
        Some(Refusal::Ended(Failure::Alert(_))) => return Answer::RefusedAlert,
        Some(Refusal::Ended(Failure::Closed | Failure::Reset)) => return Answer::RefusedClose,
        Some(Refusal::Http(_)) => return Answer::RefusedHttp,
        Some(Refusal::Ended(_)) => return Answer::Unknown,
        None => {}
    }
    match &session.rpc {
        Some(rpc) if is_unauthenticated(rpc) => Answer::RefusedHttp,
        Some(rpc) if rpc.is_answered() => Answer::Accepted,
        _ => Answer::Unknown,
    }
}

/// Whether another server than the trusted one answered to a later connection: what it does proves nothing.
fn is_elsewhere(session: &Session) -> bool {
    matches!(session.purpose, Purpose::Anonymous | Purpose::Throwaway)
        && !matches!(session.verified, Some(Ok(())))
}

fn is_unauthenticated(rpc: &Rpc) -> bool {
    matches!(rpc.outcome, RpcOutcome::Status(UNAUTHENTICATED, _))
}

fn words(session: &Session) -> String {
    if is_elsewhere(session) {
        return "a server with another certificate answered".to_owned();
    }
    if let Some(refusal) = refusal(session) {
        return refusal.words();
    }
    match &session.rpc {
        Some(rpc) if is_unauthenticated(rpc) => "it answered UNAUTHENTICATED".to_owned(),
        Some(rpc) if rpc.is_answered() => "it answered the call".to_owned(),
        _ => "it gave no answer to the call".to_owned(),
    }
}

/// How a server turned a client away.
pub(super) enum Refusal {
    Ended(Failure),
    Http(u16),
}

impl Refusal {
    pub(super) fn words(&self) -> String {
        match self {
            Self::Ended(Failure::Alert(number)) => {
                format!("it ended the connection with `{}`", alert(*number))
            }
            Self::Ended(failure) => ended(failure),
            Self::Http(status) => format!("it answered HTTP {status}"),
        }
    }
}

/// How a server that asked for a certificate turned the client away for want of one that it likes; `None` where
/// it did not.
pub(super) fn refusal(session: &Session) -> Option<Refusal> {
    session.requested.as_ref()?;
    if let Err(failure) = &session.handshake {
        return (*failure != Failure::Certificate && *failure != Failure::Timeout)
            .then(|| Refusal::Ended(failure.clone()));
    }
    if let Some(First::Ended(failure)) = &session.first {
        return Some(Refusal::Ended(failure.clone()));
    }
    let rpc = session.rpc.as_ref()?;
    if let Some(http) = &rpc.http
        && matches!(http.status, 400 | 401 | 403 | 495 | 496)
    {
        return Some(Refusal::Http(http.status));
    }
    match &rpc.outcome {
        RpcOutcome::NoAnswer(Failure::Timeout) => None,
        RpcOutcome::NoAnswer(failure @ Failure::Alert(_)) => Some(Refusal::Ended(failure.clone())),
        // A server that has begun to speak HTTP/2 has let the client in.
        RpcOutcome::NoAnswer(failure) if session.greeting().is_empty() => {
            Some(Refusal::Ended(failure.clone()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_follows_from_who_got_in() {
        use Answer::{Accepted, RefusedAlert, RefusedClose, RefusedHttp, Unknown};
        let verdict = |anonymous, with_certificate, throwaway| {
            let mut seen = ClientAuth {
                requested: true,
                anonymous,
                with_certificate,
                throwaway,
                ..ClientAuth::default()
            };
            seen.conclude();
            (seen.enforcement, seen.proven)
        };
        for refused in [RefusedAlert, RefusedClose, RefusedHttp] {
            let (proven, likely) = (
                (Enforcement::Required, true),
                (Enforcement::Required, false),
            );
            assert_eq!(verdict(Some(refused), Some(Accepted), None), proven);
            assert_eq!(
                verdict(Some(refused), Some(Accepted), Some(refused)),
                proven
            );
            assert_eq!(verdict(Some(refused), None, None), likely);
            // The same end for both says nothing about certificates.
            let unknown = (Enforcement::Unknown, false);
            assert_eq!(verdict(Some(refused), Some(refused), None), unknown);
            assert_eq!(verdict(Some(refused), Some(Unknown), None), unknown);
            assert_eq!(verdict(None, Some(refused), None), unknown);
        }
        let further = verdict(Some(RefusedAlert), Some(RefusedHttp), None);
        assert_eq!(further, (Enforcement::Required, true));
        let requested = (Enforcement::Requested, true);
        for ours in [None, Some(Accepted), Some(RefusedAlert), Some(Unknown)] {
            assert_eq!(verdict(Some(Accepted), ours, None), requested);
            assert_eq!(verdict(Some(Accepted), ours, Some(RefusedAlert)), requested);
        }
        for none in [Accepted, RefusedAlert, RefusedClose, RefusedHttp, Unknown] {
            let any = verdict(Some(none), Some(Accepted), Some(Accepted));
            assert_eq!(any.0, Enforcement::AcceptsAny);
        }
        for none in [None, Some(Unknown)] {
            let unknown = verdict(none, Some(Accepted), None);
            assert_eq!(unknown, (Enforcement::Unknown, false));
        }
    }

    #[test]
    fn a_server_that_asks_for_nothing_ignores_certificates() {
        let mut seen = ClientAuth {
            anonymous: Some(Answer::Accepted),
            ..ClientAuth::default()
        };
        seen.conclude();
        assert_eq!(seen.enforcement, Enforcement::Ignored);
    }
}
