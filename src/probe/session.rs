//! One connection: why it was made, and what was seen on it.

use std::time::Duration;

use rustls::pki_types::CertificateDer;

use super::{CertificateRequest, Failure, Handshake, Rpc, RpcOutcome};
use crate::target::Address;

/// One connection, from its handshake to the answer of the health service.
#[derive(Debug)]
pub struct Session {
    /// Why it was made.
    pub purpose: Purpose,
    /// Where it went.
    pub address: Address,
    /// Whether our client certificate was held ready.
    pub identity: bool,
    /// What the server presented, the end entity first.
    pub chain: Vec<CertificateDer<'static>>,
    /// Whether rustls-webpki accepts the chain for the name or the SPIFFE id, and its words if not; `None` before it
    /// was asked.
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

    /// Whether the peer ended the connection before it answered, and sent no alert to say why.
    pub fn is_ended_silently(&self) -> bool {
        let is_silent = |it: &Failure| matches!(it, Failure::Closed | Failure::Reset);
        let called = || match self.rpc.as_ref().map(|it| &it.outcome) {
            Some(RpcOutcome::NoAnswer(failure)) => is_silent(failure),
            _ => false,
        };
        match (&self.handshake, &self.first) {
            (Err(failure), _) | (Ok(_), Some(First::Ended(failure))) => is_silent(failure),
            _ => called(),
        }
    }

    /// Whether what the peer sent is framed as TLS records (RFC 8446, 5.1).
    pub fn speaks_tls(&self) -> bool {
        matches!(self.peer_octets.as_slice(), [20..=23, 3, ..])
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

impl Purpose {
    /// As text and JSON show it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Diagnosis => "diagnosis",
            Self::NoAlpn => "without_alpn",
            Self::Primary => "primary",
            Self::Throwaway => "throwaway",
        }
    }
}
