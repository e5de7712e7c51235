//! The stable names of causes. They are interface: scripts match them, so none is renamed.

use super::StageId;
use crate::config::nearest;
use crate::text::printable;

/// What a cause means for the connection, and with it for the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// ALPN or HTTP/2.
    Http2,
    /// The certificate.
    Certificate,
    /// Client authentication.
    ClientAuth,
    /// The name does not resolve.
    Dns,
    /// A certificate ends sooner than `--min-days` allows; all else is as it should be.
    Expires,
    /// gRPC.
    Grpc,
    /// A local file, or how it was named.
    Inputs,
    /// The server says NOT_SERVING.
    NotServing,
    /// Worth knowing; gRPC clients get through.
    Passes,
    /// No TCP connection.
    Tcp,
    /// No TLS session.
    Tls,
}

impl Outcome {
    /// What is told first: what fails, then what is only asked too much of, then what is worth knowing.
    pub(super) fn rank(self) -> u8 {
        match self {
            Self::Expires => 1,
            Self::Passes => 2,
            _ => 0,
        }
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal => $outcome:ident,)+) => {
        /// The stable name of a cause.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// As text and JSON show it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// What it means in one line: the documentation of the variant, without its full stop.
            pub fn title(self) -> &'static str {
                let text = match self { $(Self::$variant => concat!($($doc),+),)+ };
                let text = text.trim();
                text.strip_suffix('.').unwrap_or(text)
            }

            /// What it means for the connection.
            pub fn outcome(self) -> Outcome {
                match self { $(Self::$variant => Outcome::$outcome,)+ }
            }
        }
    };
}

/// There is no such code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no finding `{text}`")]
pub struct UnknownCode {
    /// What was asked for.
    pub text: String,
    /// What was probably meant.
    pub nearest: Option<Code>,
}

impl Code {
    /// Reads the stable name.
    ///
    /// # Errors
    /// [`UnknownCode`], with the code that is most like it.
    pub fn parse(text: &str) -> Result<Self, UnknownCode> {
        let all = || Self::ALL.iter().copied();
        if let Some(code) = all().find(|it| it.as_str() == text) {
            return Ok(code);
        }
        let close = |it: &Self| Some(it.as_str()) == nearest(text, all().map(Self::as_str));
        // The stage may have been left out.
        let same_end = |it: &Self| {
            it.as_str()
                .split_once('.')
                .is_some_and(|(_, end)| end == text)
        };
        Err(UnknownCode {
            text: printable(text),
            nearest: all().find(same_end).or_else(|| all().find(close)),
        })
    }

    /// The stage that it belongs to: the word before the dot.
    pub fn stage(self) -> StageId {
        let word = self.as_str().split('.').next();
        // A test holds that every code starts with the name of a stage.
        StageId::ALL
            .into_iter()
            .find(|it| Some(it.as_str()) == word)
            .unwrap_or(StageId::Inputs)
    }
}

codes! {
    /// The server chose no protocol by ALPN.
    AlpnNone = "alpn.none" => Http2,
    /// The server refused HTTP/2 in ALPN.
    AlpnRefused = "alpn.refused" => Http2,
    /// Any client certificate gets in.
    ClientAuthAcceptsAny = "client_auth.accepts_any" => ClientAuth,
    /// Clients without a certificate may get in.
    ClientAuthNotEnforced = "client_auth.not_enforced" => ClientAuth,
    /// Clients without a certificate get in too.
    ClientAuthOptional = "client_auth.optional" => Passes,
    /// The server refused our client certificate.
    ClientAuthRefused = "client_auth.refused" => ClientAuth,
    /// The server demands a client certificate.
    ClientAuthRequired = "client_auth.required" => ClientAuth,
    /// The name does not resolve.
    DnsNotFound = "dns.not_found" => Dns,
    /// The resolver does not answer.
    DnsTimeout = "dns.timeout" => Dns,
    /// The health service wants credentials.
    GrpcAuthentication = "grpc.authentication" => Passes,
    /// A proxy does not reach the server behind it.
    GrpcBackendDown = "grpc.backend_down" => Grpc,
    /// The call got no answer.
    GrpcNoAnswer = "grpc.no_answer" => Grpc,
    /// There is no health service; the connection is fine.
    GrpcNoHealth = "grpc.health_unimplemented" => Passes,
    /// There is no gRPC at this host and port.
    GrpcNotARoute = "grpc.not_a_route" => Grpc,
    /// The answer is not gRPC.
    GrpcNotGrpc = "grpc.http_status" => Grpc,
    /// The health service says NOT_SERVING.
    GrpcNotServing = "grpc.not_serving" => NotServing,
    /// The health of a service cannot be learned.
    GrpcServiceUnchecked = "grpc.service_unchecked" => Grpc,
    /// The health service does not know this service.
    GrpcServiceUnknown = "grpc.service_unknown" => Grpc,
    /// The health service does not say if it works.
    GrpcUnknown = "grpc.health_unknown" => Passes,
    /// The server answered with an error.
    GrpcStatus = "grpc.status" => Grpc,
    /// The answer has no gRPC status: trailers are lost.
    GrpcTrailersMissing = "grpc.trailers_missing" => Grpc,
    /// The answer says gRPC, but cannot be decoded.
    GrpcUndecodable = "grpc.undecodable" => Grpc,
    /// The connection ended after the handshake.
    Http2Closed = "http2.closed" => Http2,
    /// The server ended the HTTP/2 connection with GOAWAY.
    Http2GoAway = "http2.goaway" => Http2,
    /// Behind TLS there is no HTTP/2.
    Http2NotSpoken = "http2.not_http2" => Http2,
    /// HTTP/2 was agreed, but the server never speaks.
    Http2Silent = "http2.no_settings" => Http2,
    /// The CA file has a byte order mark, or is UTF-16.
    InputsCaBom = "inputs.ca_bom" => Inputs,
    /// The CA file is DER or PKCS, not PEM.
    InputsCaDer = "inputs.ca_der" => Inputs,
    /// The CA file holds no certificate.
    InputsCaEmpty = "inputs.ca_empty" => Inputs,
    /// The CA file is an end entity's certificate.
    InputsCaIsLeaf = "inputs.ca_is_leaf" => Inputs,
    /// The CA file is a private key.
    InputsCaIsKey = "inputs.ca_is_key" => Inputs,
    /// The private key is the CA's own.
    InputsCaKeyAsClient = "inputs.ca_key_as_client" => Inputs,
    /// A certificate of the CA file cannot be read.
    InputsCaPartly = "inputs.ca_partly_damaged" => Passes,
    /// The CA file is damaged.
    InputsCaUnreadable = "inputs.ca_unreadable" => Inputs,
    /// The CA file has a private key in it.
    InputsCaWithKey = "inputs.ca_with_key" => Passes,
    /// The file of --cert holds no certificate.
    InputsCertEmpty = "inputs.cert_empty" => Inputs,
    /// The client certificate does not come first.
    InputsChainOrder = "inputs.chain_order" => Inputs,
    /// The client certificate or its key is damaged.
    InputsClientDamaged = "inputs.client_damaged" => Inputs,
    /// The client certificate or its key is not plain PEM.
    InputsClientEncoding = "inputs.client_encoding" => Inputs,
    /// A private key that rustls does not sign with.
    InputsIdentityUnusable = "inputs.identity_unusable" => Inputs,
    /// The file of --key holds no private key.
    InputsKeyEmpty = "inputs.key_empty" => Inputs,
    /// The private key is encrypted with a passphrase.
    InputsKeyEncrypted = "inputs.key_encrypted" => Inputs,
    /// The private key is another certificate's.
    InputsKeyMismatch = "inputs.key_mismatch" => Inputs,
    /// Others may read the private key.
    InputsKeyReadable = "inputs.key_readable" => Passes,
    /// --cert and --key are the wrong way round.
    InputsSwapped = "inputs.swapped" => Inputs,
    /// The certificate does not have the DNS name.
    NameDns = "name.dns_not_in_san" => Certificate,
    /// The certificate does not have the IP address.
    NameIp = "name.ip_not_in_san" => Certificate,
    /// The certificate has no subjectAltName.
    NameNoSan = "name.no_san" => Certificate,
    /// The certificate has another SPIFFE id.
    NameSpiffeMismatch = "name.spiffe_mismatch" => Certificate,
    /// The certificate has no SPIFFE id.
    NameSpiffeMissing = "name.spiffe_missing" => Certificate,
    /// The certificate has more than one URI.
    NameSpiffeSeveral = "name.spiffe_several" => Certificate,
    /// The server showed another site's certificate.
    NameOtherSite = "name.other_site" => Certificate,
    /// Trusted, but other clients refuse it.
    OpinionsRefusedElsewhere = "opinions.refused_elsewhere" => Passes,
    /// A CA's certificate is used as a server's.
    PathCaAsServer = "path.ca_as_server" => Certificate,
    /// A CA of the same name, but with another key.
    PathCaRecreated = "path.ca_recreated" => Certificate,
    /// A critical extension that is not understood.
    PathCriticalExtension = "path.critical_extension" => Certificate,
    /// A revocation list that is not of today.
    PathCrlExpired = "path.crl_expired" => Passes,
    /// A revocation list of another CA.
    PathCrlNotForThisChain = "path.crl_not_for_chain" => Passes,
    /// A revocation list that cannot be used.
    PathCrlUnusable = "path.crl_unusable" => Passes,
    /// A proxy in between opens TLS.
    PathIntercepted = "path.intercepted" => Certificate,
    /// A certificate that is no CA issued another.
    PathIssuerNotCa = "path.issuer_not_ca" => Certificate,
    /// An intermediate CA that is not for servers.
    PathIssuerPurpose = "path.issuer_purpose" => Certificate,
    /// More intermediates than a CA allows.
    PathLength = "path.length" => Certificate,
    /// The server does not send an intermediate CA.
    PathMissingIntermediate = "path.missing_intermediate" => Certificate,
    /// A name that a CA of the chain may not certify.
    PathNameConstraints = "path.name_constraints" => Certificate,
    /// The address serves another entry's certificate.
    PathOtherEntry = "path.other_entry" => Passes,
    /// The certificate is not for servers.
    PathPurpose = "path.purpose" => Certificate,
    /// rustls refuses the certificate for another reason.
    PathRefused = "path.refused" => Certificate,
    /// The certificate was revoked by its CA.
    PathRevoked = "path.revoked" => Certificate,
    /// The certificate signed itself and is not trusted.
    PathSelfSigned = "path.self_signed" => Certificate,
    /// The certificate is from a CA that is not trusted.
    PathUnknownIssuer = "path.unknown_issuer" => Certificate,
    /// Not an X.509 certificate that can be read.
    PathUnreadable = "path.unreadable" => Certificate,
    /// A key or a signature that is too weak.
    PathWeak = "path.weak" => Certificate,
    /// The file is not a Unix socket.
    TcpNotSocket = "tcp.not_a_socket" => Tcp,
    /// The server listens on the other loopback address.
    TcpOtherLoopback = "tcp.other_loopback" => Tcp,
    /// Nothing listens on the port.
    TcpRefused = "tcp.refused" => Tcp,
    /// This user may not connect to the Unix socket.
    TcpSocketDenied = "tcp.socket_denied" => Tcp,
    /// There is no such Unix socket.
    TcpSocketMissing = "tcp.socket_missing" => Tcp,
    /// The address does not answer.
    TcpTimeout = "tcp.timeout" => Tcp,
    /// There is no way to the address.
    TcpUnreachable = "tcp.unreachable" => Tcp,
    /// A trusted CA expired, or is not yet valid.
    TimeAnchor = "time.anchor_expired" => Certificate,
    /// Fewer days are left than --min-days asks for.
    TimeBelowMinDays = "time.below_min_days" => Expires,
    /// The clocks of server and client differ.
    TimeClockSkew = "time.clock_skew" => Passes,
    /// The certificate expired.
    TimeExpired = "time.expired" => Certificate,
    /// A CA of the chain expired, or is not yet valid.
    TimeIssuer = "time.issuer" => Certificate,
    /// The certificate is not yet valid.
    TimeNotYetValid = "time.not_yet_valid" => Certificate,
    /// Renewed on disk; the server has the old one.
    TimeRenewedOnDisk = "time.renewed_on_disk" => Passes,
    /// The server still accepts TLS 1.1 or 1.0.
    TlsAcceptsOldVersions = "tls.accepts_old_versions" => Passes,
    /// The server ended the handshake with an alert.
    TlsAlert = "tls.alert" => Tls,
    /// The connection ended during the handshake.
    TlsClosed = "tls.closed" => Tls,
    /// A ClientHello must come in one packet.
    TlsHelloInOnePiece = "tls.hello_in_one_piece" => Passes,
    /// Server and client have no TLS in common.
    TlsIncompatible = "tls.incompatible" => Tls,
    /// The server's key is of a kind that clients refuse.
    TlsKeyType = "tls.key_type" => Tls,
    /// A large ClientHello gets no answer.
    TlsLargeHello = "tls.large_hello" => Tls,
    /// Server and client share no cipher suite.
    TlsNoCipher = "tls.no_common_cipher" => Tls,
    /// Server and client share no group.
    TlsNoGroup = "tls.no_common_group" => Tls,
    /// Server and client share no signature algorithm.
    TlsNoSignature = "tls.no_common_signature" => Tls,
    /// The port speaks another protocol than TLS.
    TlsNotTls = "tls.not_tls" => Tls,
    /// The server speaks nothing later than TLS 1.1.
    TlsOldVersion = "tls.old_version" => Tls,
    /// The server speaks gRPC without TLS.
    TlsPlaintext = "tls.plaintext" => Tls,
    /// The server does not take the name asked for.
    TlsServerName = "tls.server_name" => Tls,
    /// The port accepts connections, but never answers.
    TlsSilent = "tls.silent" => Tls,
    /// A ClientHello in two packets gets no answer.
    TlsSplitHello = "tls.split_hello" => Tls,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_name_their_stage() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()), "{} twice", code.as_str());
            let stage = code.as_str().split_once('.').unwrap().0;
            assert!(
                super::super::StageId::ALL
                    .iter()
                    .any(|it| it.as_str() == stage),
                "{stage}"
            );
        }
    }
}
