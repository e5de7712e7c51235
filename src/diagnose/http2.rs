//! After the handshake: ALPN and HTTP/2.

use super::words::{ended, sent};
use super::{Code, Finding, Fix, Judge, StageId, Status};
use crate::probe::{Failure, First, Purpose, Rpc, RpcOutcome, Session, reason_name};

const NO_APPLICATION_PROTOCOL: u8 = 120;
/// Frame type of SETTINGS (RFC 9113, 6.5).
const SETTINGS: u8 = 4;

impl Judge<'_> {
    /// The connection whose answers count: the first one that got through its handshake.
    pub(super) fn answering(&self) -> Option<&Session> {
        let sessions = &self.observation.sessions;
        let through = sessions.iter().filter(|it| it.purpose != Purpose::NoAlpn);
        through
            .into_iter()
            .find(|it| it.handshake.is_ok())
            .or_else(|| self.observation.primary())
    }

    pub(super) fn alpn(&mut self) {
        let Some(primary) = self.observation.primary() else {
            return;
        };
        if primary.handshake == Err(Failure::Alert(NO_APPLICATION_PROTOCOL)) {
            let headline = "the server does not offer HTTP/2".to_owned();
            let why = "It speaks TLS, but refuses `h2`, the protocol of gRPC, in ALPN: an HTTP/1 server or a \
                       proxy that is not set up for gRPC.";
            let fix = Fix::steps([
                "check the port: is it the one for gRPC?",
                "nginx: `listen … ssl http2;` with `grpc_pass` · haproxy: `bind … alpn h2`",
            ]);
            let code = Code::AlpnRefused;
            let finding = Finding::new(code, headline, why.to_owned(), fix);
            return self.find("h2 refused", finding);
        }
        let Some(Ok(handshake)) = self.answering().map(|it| it.handshake.clone()) else {
            return;
        };
        if handshake.alpn.as_deref() == Some("h2") {
            return self.stage(StageId::Alpn, Status::Ok, "h2", None);
        }
        let session = self.answering();
        let headline = "the server chose no protocol by ALPN".to_owned();
        let greeting = session.map_or(&[][..], Session::greeting);
        let why = if session.is_some_and(speaks_http2) {
            "It does speak HTTP/2, but did not say so in the handshake, and gRPC clients insist on that."
                .to_owned()
        } else if greeting.is_empty() {
            "Asked for `h2` in the handshake, it did not answer that, and it did not send HTTP/2 either: is it a \
             server of another kind, or a proxy that is not set up for gRPC?"
                .to_owned()
        } else {
            format!(
                "Behind the handshake there is no HTTP/2 either: it sent {}.",
                seen(greeting)
            )
        };
        let fix = Fix::steps([
            "check the port: is it the one for gRPC? If it is, let the server offer `h2` in ALPN",
            "Go: `grpc.Creds(credentials.NewTLS(config))`, or `NextProtos: []string{\"h2\"}` · \
             Python ssl: `context.set_alpn_protocols([\"h2\"])` · haproxy: `bind … alpn h2`",
        ]);
        let finding = Finding::new(Code::AlpnNone, headline, why, fix);
        self.find("none chosen", finding);
    }

    pub(super) fn http2(&mut self) {
        let Some(session) = self.answering() else {
            return;
        };
        let (Ok(_), Some(first)) = (&session.handshake, &session.first) else {
            return;
        };
        if self.refused(session).is_some() {
            return;
        }
        let agreed = session
            .handshake
            .as_ref()
            .is_ok_and(|it| it.alpn.as_deref() == Some("h2"));
        if !agreed && !speaks_http2(session) {
            // Nobody said that it would: the cause stands under ALPN.
            return self.stage(StageId::Http2, Status::Skip, "not agreed, not spoken", None);
        }
        let elapsed = session.rpc.as_ref().map(|it| it.elapsed);
        let answered = session.rpc.as_ref().is_some_and(Rpc::is_answered);
        if let Some(rpc) = &session.rpc
            && let (false, Some(goaway)) = (answered, &rpc.goaway)
        {
            let finding = super::goaway::finding(goaway);
            let message = format!("GOAWAY with {}", reason_name(goaway.reason));
            return self.find(message, finding);
        }
        let spoken = match first {
            First::Silent => "SETTINGS received after the client's preface",
            _ => "SETTINGS received",
        };
        let closed = |failure: &Failure| {
            (
                Code::Http2Closed,
                "the connection ended after the handshake".to_owned(),
                format!("TLS was agreed, then {}.", ended(failure)),
                Fix::steps([
                    "look at the server's log: what it did after the handshake stands there",
                ]),
            )
        };
        let silent = || {
            (
                Code::Http2Silent,
                "HTTP/2 was agreed, but the server never speaks it".to_owned(),
                "The handshake is done, and then no SETTINGS frame comes.".to_owned(),
                Fix::steps([
                    "look at the server behind this port: it hangs, or a proxy has lost its backend",
                ]),
            )
        };
        let (code, headline, why, fix) = match first {
            _ if answered => {
                return self.stage(StageId::Http2, Status::Ok, spoken, elapsed);
            }
            _ if speaks_http2(session) => {
                return self.stage(StageId::Http2, Status::Ok, spoken, None);
            }
            _ if !session.greeting().is_empty() => (
                Code::Http2NotSpoken,
                "behind TLS there is no HTTP/2".to_owned(),
                format!(
                    "HTTP/2 was agreed in the handshake, and then the server sent {}.",
                    seen(session.greeting())
                ),
                Fix::steps(["check the port: is it the one for gRPC, or a web server's?"]),
            ),
            First::Ended(failure) => closed(failure),
            First::Octets(_) | First::Silent => match session.rpc.as_ref().map(|it| &it.outcome) {
                Some(RpcOutcome::NoAnswer(Failure::Timeout)) | None => silent(),
                Some(RpcOutcome::NoAnswer(failure)) => closed(failure),
                Some(_) => return,
            },
        };
        self.find(headline.clone(), Finding::new(code, headline, why, fix));
    }
}

/// Whether the server opened with SETTINGS, as HTTP/2 servers do (RFC 9113, 3.4).
pub(super) fn speaks_http2(session: &Session) -> bool {
    session.greeting().get(3) == Some(&SETTINGS)
}

/// What a server sent where HTTP/2 was expected.
fn seen(octets: &[u8]) -> String {
    let kind = if octets.starts_with(b"HTTP/") {
        "HTTP/1: "
    } else {
        ""
    };
    format!("{kind}{}", sent(octets))
}
