//! Getting there: resolution, TCP or a Unix socket, and whether TLS is spoken at all.

use super::dial::socket;
use super::words::{alert, ended, sent};
use super::{Code, Finding, Fix, Judge, StageId, Status};
use crate::probe::{
    Address, Attempt, ConnectFailure, Destination, Failure, Protocol, ResolveFailure, Session,
};

/// Addresses that are told one by one.
const SHOWN: usize = 3;

impl Judge<'_> {
    pub(super) fn dns(&mut self) {
        let resolution = &self.observation.resolution;
        let Destination::Tcp(host, _) = &self.observation.target.dial else {
            return self.stage(StageId::Dns, Status::Skip, "a Unix socket needs none", None);
        };
        let by_hand = format!("or name it yourself: `echo '127.0.0.1 {host}' >> /etc/hosts`");
        let (code, headline, why, first) = match &resolution.result {
            Ok(addresses) => {
                let list = addresses.iter().take(SHOWN).map(ToString::to_string);
                let mut list = list.collect::<Vec<_>>().join(", ");
                if addresses.len() > SHOWN {
                    list.push_str(&format!(" and {} more", addresses.len() - SHOWN));
                }
                let host = host.to_string();
                let message = if list == host {
                    list
                } else {
                    format!("{host} → {list}")
                };
                return self.stage(StageId::Dns, Status::Ok, message, Some(resolution.elapsed));
            }
            Err(ResolveFailure::NotFound(words)) => (
                Code::DnsNotFound,
                format!("`{host}` does not resolve"),
                format!("The resolver of this machine gave no address for {host}: {words}."),
                "check the spelling; the service may have a longer name",
            ),
            Err(ResolveFailure::Timeout) => (
                Code::DnsTimeout,
                format!("the resolver does not answer for `{host}`"),
                "No name server answered in time.".to_owned(),
                "look at the name servers in /etc/resolv.conf, and at the network or VPN that leads to them",
            ),
        };
        let fix = Fix::steps([first.to_owned(), by_hand]);
        self.find(headline.clone(), Finding::new(code, headline, why, fix));
    }

    pub(super) fn tcp(&mut self) {
        let attempts = &self.observation.attempts;
        if attempts.is_empty() {
            return;
        }
        let mut list: Vec<String> = attempts.iter().take(SHOWN).map(shown).collect();
        if attempts.len() > SHOWN {
            list.push(format!("{} more", attempts.len() - SHOWN));
        }
        let list = list.join(", ");
        if let Some(session) = self.observation.primary() {
            let elapsed = attempts
                .iter()
                .find(|it| it.address == session.address)
                .map(|it| it.elapsed);
            let others: Vec<&Attempt> = attempts
                .iter()
                .filter(|it| it.address != session.address)
                .collect();
            let others = match others.as_slice() {
                [] => String::new(),
                others if others.len() <= SHOWN => {
                    let others: Vec<String> = others
                        .iter()
                        .map(|it| format!("{} {}", it.address.host(), state(it)))
                        .collect();
                    format!(" ({})", others.join(", "))
                }
                others => {
                    let connected = others.iter().filter(|it| it.result.is_ok()).count();
                    format!(" ({connected} of {} others connected)", others.len())
                }
            };
            return self.stage(
                StageId::Tcp,
                Status::Ok,
                format!("{}{others}", session.address),
                elapsed,
            );
        }
        if let [
            Attempt {
                address: Address::Unix(path),
                result: Err(failure),
                ..
            },
        ] = attempts.as_slice()
        {
            let (code, headline, why, fix) = socket(path, failure);
            return self.find(list, Finding::new(code, headline, why, fix));
        }
        if let Some(finding) = self.other_loopback() {
            let there = self
                .observation
                .loopbacks
                .iter()
                .filter(|it| it.result.is_ok());
            let there: Vec<String> = there.map(shown).collect();
            return self.find(format!("{list}; {}", there.join(", ")), finding);
        }
        let place = &self.observation.target.dial;
        let timed_out = attempts
            .iter()
            .any(|it| it.result == Err(ConnectFailure::Timeout));
        let refused = attempts
            .iter()
            .any(|it| it.result == Err(ConnectFailure::Refused));
        let (code, headline, why, fix) = if timed_out {
            (
                Code::TcpTimeout,
                format!("no answer from {place}"),
                format!("The connection was neither accepted nor refused: {list}."),
                Fix::steps([
                    "look for a firewall or security group that drops packets to this port, \
                             and check the address",
                ]),
            )
        } else if refused {
            (
                Code::TcpRefused,
                format!("nothing listens on {}", port(place)),
                format!("The machine is there and refuses the connection: {list}."),
                Fix::steps([
                    "start the server, or check the port and the address it listens on".to_owned(),
                    format!(
                        "to try these files out: `{}`",
                        self.knowledge.command(&format!("serve {place}"))
                    ),
                ]),
            )
        } else {
            (
                Code::TcpUnreachable,
                format!("{place} cannot be reached"),
                format!("There is no way to the address from here: {list}."),
                Fix::steps(["check the network, a VPN, and the address"]),
            )
        };
        self.find(list, Finding::new(code, headline, why, fix));
    }

    pub(super) fn tls(&mut self) {
        let Some(primary) = self.observation.primary() else {
            return;
        };
        let elapsed = Some(primary.elapsed);
        let through = self
            .observation
            .sessions
            .iter()
            .find_map(|it| it.handshake.as_ref().ok());
        match (through, &primary.handshake) {
            (Some(handshake), _) => {
                let mut parts = vec![handshake.version.to_owned(), suite(&handshake.cipher_suite)];
                parts.extend(handshake.group.clone());
                self.stage(StageId::Tls, Status::Ok, parts.join(", "), elapsed);
            }
            // A certificate that rustls cannot even use for the handshake is judged as a certificate.
            (None, Err(Failure::Certificate)) => {
                self.stage(
                    StageId::Tls,
                    Status::Ok,
                    "answered with its certificate",
                    elapsed,
                );
            }
            (None, Err(failure)) if primary.requested.is_some() || is_alpn(failure) => {
                let message = format!("answered, then {}", ended(failure));
                self.stage(StageId::Tls, Status::Ok, message, elapsed);
            }
            (None, Err(failure)) => self.no_tls(&failure.clone(), primary),
            (None, Ok(_)) => {}
        }
    }

    /// A handshake that did not come to its end is a failure, also where all that was seen until then is in order:
    /// whoever copied a certificate can show it, and only who has its key can go on.
    pub(super) fn unfinished(&mut self) {
        let Some(primary) = self.observation.primary() else {
            return;
        };
        if let Err(failure) = &primary.handshake
            && !self.findings.iter().any(Finding::is_failure)
        {
            self.no_tls(&failure.clone(), primary);
        }
    }

    fn no_tls(&mut self, failure: &Failure, session: &Session) {
        let target = &self.observation.target.dial;
        let start_with_tls = || {
            let mut fix = Fix::steps([
                "start the server with its certificate and key (server.crt, server.key)".to_owned(),
                "Python: `server.add_secure_port(address, grpc.ssl_server_credentials([(key, crt)]))`".to_owned(),
            ]);
            if let Destination::Tcp(..) = target {
                let serve = self.knowledge.command(&format!("serve {target}"));
                fix = fix.or(format!("to try these files out: `{serve}`"));
            }
            fix
        };
        let other = |what: &str| {
            (
                Code::TlsNotTls,
                format!("the port speaks {what}, not TLS"),
                format!("Asked for TLS, {target} answered in another protocol: {what}."),
                Fix::steps(["check the port: this is another service, or a server without TLS"]),
            )
        };
        if let Some(finding) = self.negotiation() {
            return self.find(finding.headline.clone(), finding);
        }
        let tried = self.tried();
        let answer = self.observation.plaintext();
        let (code, headline, why, fix) = match (failure, answer) {
            (_, Some(Protocol::Http2)) => (
                Code::TlsPlaintext,
                "the server speaks gRPC without TLS".to_owned(),
                format!("{target} answers HTTP/2 in clear text and does not understand TLS."),
                start_with_tls(),
            ),
            (_, Some(Protocol::Http1)) => other("HTTP/1 without TLS"),
            (_, Some(Protocol::Ssh)) => other("SSH"),
            (_, Some(Protocol::Named(name, octets))) => {
                other(&format!("{name} (it sent {})", sent(octets)))
            }
            (Failure::Certificate, _) => (
                Code::TlsIncompatible,
                "the server does not prove that it has the key of its certificate".to_owned(),
                "The certificate is in order, but what the server signed in the handshake was not signed with its \
                 key: the server has another one, or it only shows a certificate that it copied."
                    .to_owned(),
                Fix::steps([
                    "start the server with the key that belongs to its certificate (server.crt, server.key)",
                ]),
            ),
            (Failure::NotTls, _) if session.speaks_tls() => (
                Code::TlsIncompatible,
                "the server's TLS breaks off in the middle".to_owned(),
                "It answers in TLS, and then sends what no TLS message may be: more than 64 KiB of certificates, \
                 or a broken one."
                    .to_owned(),
                Fix::steps([
                    "let the server present its certificate and the intermediates alone, not a whole trust store",
                ]),
            ),
            (Failure::NotTls, _) => {
                let octets = sent(&session.peer_octets);
                other(&format!("something else (it sent {octets})"))
            }
            (_, Some(Protocol::Unknown(octets))) => {
                other(&format!("something else (it sent {})", sent(octets)))
            }
            (Failure::Alert(number), _) => (
                Code::TlsAlert,
                format!("the server ended the handshake with `{}`", alert(*number)),
                alert_reason(*number, &tried),
                Fix::steps([alert_fix(*number)]),
            ),
            (Failure::Incompatible(what), _) => (
                Code::TlsIncompatible,
                "server and client have no TLS in common".to_owned(),
                format!(
                    "This client speaks TLS 1.2 and 1.3 with today's algorithms; the server differs: {what}."
                ),
                Fix::steps([
                    "let the server speak TLS 1.2 or 1.3 with an AEAD cipher suite and X25519 or P-256",
                ]),
            ),
            (Failure::Timeout, _) if session.speaks_tls() => (
                Code::TlsSilent,
                "the server began the handshake and did not finish it in time".to_owned(),
                "It answers in TLS, only too slowly for `--timeout`, or it stopped half way.".to_owned(),
                Fix::steps(["look at the server's load, or give it more time: `--timeout 30s`"]),
            ),
            (Failure::Timeout, _) => (
                Code::TlsSilent,
                "the port accepts connections, but never answers".to_owned(),
                format!("Neither TLS nor HTTP/2 in clear text got an answer in time.{tried}"),
                Fix::steps([
                    "look at the server behind the port: it may hang, be overloaded, or be a \
                             proxy whose backend is gone",
                ]),
            ),
            (failure, _) => (
                Code::TlsClosed,
                "the connection ended during the handshake".to_owned(),
                format!(
                    "TCP works, but before the server said anything in TLS {}.{tried}",
                    ended(failure)
                ),
                Fix::steps([
                    "look at the server's log: it may lack its certificate or key, or a proxy in \
                             between has no backend",
                ]),
            ),
        };
        self.find(headline.clone(), Finding::new(code, headline, why, fix));
    }
}

fn port(place: &Destination) -> String {
    match place {
        Destination::Tcp(_, port) => format!("port {port}"),
        Destination::Unix(_) => place.to_string(),
    }
}

fn shown(attempt: &Attempt) -> String {
    format!("{} {}", attempt.address, state(attempt))
}

fn state(attempt: &Attempt) -> &str {
    match &attempt.result {
        Ok(()) => "connected",
        Err(ConnectFailure::Denied) => "not permitted",
        Err(ConnectFailure::Missing) => "not there",
        Err(ConnectFailure::NotSocket) => "no socket",
        Err(ConnectFailure::Other(words)) => words,
        Err(ConnectFailure::Refused) => "refused",
        Err(ConnectFailure::Timeout) => "no answer",
        Err(ConnectFailure::Unreachable) => "unreachable",
    }
}

fn is_alpn(failure: &Failure) -> bool {
    *failure == Failure::Alert(120)
}

/// `AES-256-GCM` of `TLS13_AES_256_GCM_SHA384`.
fn suite(name: &str) -> String {
    let name = name.trim_start_matches("TLS13_").trim_start_matches("TLS_");
    let name = name.rsplit("WITH_").next().unwrap_or(name);
    let name = name
        .strip_suffix("_SHA256")
        .or_else(|| name.strip_suffix("_SHA384"))
        .unwrap_or(name);
    name.replace('_', "-")
}

fn alert_reason(number: u8, tried: &str) -> String {
    let reason = match number {
        40 if !tried.is_empty() => {
            "Its own settings do not fit each other, such as its key and its cipher suites, or it has no certificate."
        }
        40 => {
            "It found no cipher suite, group or signature algorithm in common, or cannot use its own key."
        }
        70 => "It speaks only versions of TLS older than 1.2.",
        112 => "It knows no site by the name that was asked for.",
        49 => {
            "It understood the request and declined it: servers in Rust do so where they serve no site by that name."
        }
        _ => "It understood the request and declined it; its log says why.",
    };
    format!("{reason}{tried}")
}

fn alert_fix(number: u8) -> &'static str {
    match number {
        40 => {
            "give the server an ecdsa-p256 key (`grpc-pki issue` makes one), and let it use TLS 1.3"
        }
        70 => "raise the server's lowest TLS version to 1.2 or 1.3",
        49 | 112 => "dial a name that the server knows, or pass it: `--server-name NAME`",
        _ => "look at the server's log",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cipher_suites_are_shown_without_their_frame() {
        assert_eq!(suite("TLS13_AES_256_GCM_SHA384"), "AES-256-GCM");
        assert_eq!(suite("TLS13_CHACHA20_POLY1305_SHA256"), "CHACHA20-POLY1305");
        assert_eq!(
            suite("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
            "AES-128-GCM"
        );
    }
}
