//! What time alone can mend, for `verify --wait`: a server that starts, a network that comes up, a date that is near.
//!
//! A new code has to decide here. In doubt it is [`Heals::Never`]: to wait for what stays is to lose time, and a
//! cause that is told late is found late.

use ::time::{Duration, OffsetDateTime};

use super::{Code, Finding, Outcome, Verdict};
use crate::pki::validity::Moment;
use crate::probe::{Observation, RpcOutcome, Session};

/// A certificate that starts within this time is waited for: clocks differ by so much, and machines issue at boot.
const SOON: Duration = Duration::seconds(60);
/// gRPC status 14.
const UNAVAILABLE: i32 = 14;

/// When time mends a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heals {
    /// Somebody has to change something.
    Never,
    /// As a server starts and the network comes up.
    Always,
    /// Where a proxy says that its backend is not there: HTTP 502, 503, 504.
    Gateway,
    /// Where every certificate that is not yet valid soon is.
    Start,
    /// Where the server says UNAVAILABLE.
    Unavailable,
}

impl Code {
    fn heals(self) -> Heals {
        match self {
            Self::DnsNotFound
            | Self::DnsTimeout
            | Self::GrpcNoAnswer
            | Self::GrpcNotServing
            | Self::GrpcUnknown
            | Self::Http2Closed
            | Self::Http2Silent
            | Self::TcpRefused
            | Self::TcpSocketMissing
            | Self::TcpTimeout
            | Self::TcpUnreachable
            | Self::TlsClosed
            | Self::TlsSilent => Heals::Always,
            Self::GrpcBackendDown | Self::GrpcNotGrpc => Heals::Gateway,
            Self::GrpcStatus => Heals::Unavailable,
            Self::TimeAnchor | Self::TimeIssuer | Self::TimeNotYetValid => Heals::Start,
            Self::AlpnNone
            | Self::AlpnRefused
            | Self::ClientAuthAcceptsAny
            | Self::ClientAuthNotEnforced
            | Self::ClientAuthOptional
            | Self::ClientAuthRefused
            | Self::ClientAuthRequired
            | Self::GrpcAuthentication
            | Self::GrpcNoHealth
            | Self::GrpcNotARoute
            | Self::GrpcServiceUnchecked
            | Self::GrpcServiceUnknown
            | Self::GrpcTrailersMissing
            | Self::GrpcUndecodable
            | Self::Http2GoAway
            | Self::Http2NotSpoken
            | Self::InputsCaBom
            | Self::InputsCaDer
            | Self::InputsCaEmpty
            | Self::InputsCaIsKey
            | Self::InputsCaIsLeaf
            | Self::InputsCaKeyAsClient
            | Self::InputsCaPartly
            | Self::InputsCaUnreadable
            | Self::InputsCaWithKey
            | Self::InputsCertEmpty
            | Self::InputsChainOrder
            | Self::InputsClientDamaged
            | Self::InputsClientEncoding
            | Self::InputsIdentityUnusable
            | Self::InputsKeyEmpty
            | Self::InputsKeyEncrypted
            | Self::InputsKeyMismatch
            | Self::InputsKeyReadable
            | Self::InputsSwapped
            | Self::NameDns
            | Self::NameIp
            | Self::NameNoSan
            | Self::NameOtherSite
            | Self::NameSpiffeMismatch
            | Self::NameSpiffeMissing
            | Self::NameSpiffeSeveral
            | Self::OpinionsRefusedElsewhere
            | Self::PathCaAsServer
            | Self::PathCaRecreated
            | Self::PathCriticalExtension
            | Self::PathCrlExpired
            | Self::PathCrlNotForThisChain
            | Self::PathCrlUnusable
            | Self::PathIntercepted
            | Self::PathIssuerNotCa
            | Self::PathIssuerPurpose
            | Self::PathLength
            | Self::PathMissingIntermediate
            | Self::PathNameConstraints
            | Self::PathOtherEntry
            | Self::PathPurpose
            | Self::PathRefused
            | Self::PathRevoked
            | Self::PathSelfSigned
            | Self::PathUnknownIssuer
            | Self::PathUnreadable
            | Self::PathWeak
            | Self::TcpNotSocket
            | Self::TcpOtherLoopback
            | Self::TcpSocketDenied
            | Self::TimeBelowMinDays
            | Self::TimeClockSkew
            | Self::TimeExpired
            | Self::TimeRenewedOnDisk
            | Self::TlsAcceptsOldVersions
            | Self::TlsAlert
            | Self::TlsHelloInOnePiece
            | Self::TlsIncompatible
            | Self::TlsKeyType
            | Self::TlsLargeHello
            | Self::TlsNoCipher
            | Self::TlsNoGroup
            | Self::TlsNoSignature
            | Self::TlsNotTls
            | Self::TlsOldVersion
            | Self::TlsPlaintext
            | Self::TlsServerName
            | Self::TlsSplitHello => Heals::Never,
        }
    }
}

impl Verdict {
    /// Whether all that failed may be over at another look. Where nothing failed but warnings are denied, it is the
    /// warnings that count.
    pub fn may_heal(&self, observation: &Observation, now: OffsetDateTime) -> bool {
        let failed = |it: &&Finding| it.code.outcome() != Outcome::Passes;
        let trusted = self.is_trusted();
        let mut causes = self.findings.iter().filter(|it| trusted || failed(it));
        causes.all(|it| match it.code.heals() {
            Heals::Never => false,
            Heals::Always => true,
            Heals::Gateway => http_status(observation).is_some_and(|it| matches!(it, 502..=504)),
            Heals::Start => self.starts_soon(now),
            Heals::Unavailable => grpc_status(observation) == Some(UNAVAILABLE),
        })
    }

    /// Whether what is not yet valid soon is, and nothing has ended.
    fn starts_soon(&self, now: OffsetDateTime) -> bool {
        let mut certificates = self.chain.iter().chain(&self.anchor);
        certificates.all(|it| match it.validity.at(now) {
            Moment::After => false,
            Moment::Before => it.validity.not_before - now < SOON,
            Moment::Within => true,
        })
    }
}

fn http_status(observation: &Observation) -> Option<u16> {
    let rpc = observation.sessions.iter().find_map(answer)?;
    rpc.http.as_ref().map(|it| it.status)
}

fn grpc_status(observation: &Observation) -> Option<i32> {
    match observation.sessions.iter().find_map(answer)?.outcome {
        RpcOutcome::Status(code, _) => Some(code),
        _ => None,
    }
}

fn answer(session: &Session) -> Option<&crate::probe::Rpc> {
    session.rpc.as_ref()
}
