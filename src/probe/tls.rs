//! The handshake, with a verifier and a certificate resolver that record what they are asked.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{DigitallySignedStruct, Error as TlsError, ProtocolVersion, SignatureScheme};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::basis::Credentials;
use super::stream::{Shared, Tap};
use super::trust::{Served, Strict, Trust};
use super::wire::Wire;
use super::{Purpose, Request};
use crate::target::Host;

/// Alert 120 (RFC 7301, 3.2).
pub(super) const NO_APPLICATION_PROTOCOL: u8 = 120;

/// What was negotiated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// `TLS 1.3` or `TLS 1.2`.
    pub version: &'static str,
    /// Name of the cipher suite (RFC 8446, B.4).
    pub cipher_suite: String,
    /// Name of the key exchange group.
    pub group: Option<String>,
    /// Protocol that was agreed by ALPN.
    pub alpn: Option<String>,
}

/// Why a connection came to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The peer sent this alert (RFC 8446, B.2).
    Alert(u8),
    /// The peer's certificate was not accepted, so no client certificate was shown.
    Certificate,
    /// The peer closed the connection.
    Closed,
    /// The peer offers nothing that this client speaks; what, in words.
    Incompatible(String),
    /// What the peer sent is not TLS.
    NotTls,
    /// Anything else, in words.
    Other(String),
    /// The peer reset the connection.
    Reset,
    /// No answer in time.
    Timeout,
}

/// A server's wish for a client certificate (RFC 8446, 4.3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRequest {
    /// DER names of the CAs that it accepts; empty where it does not say.
    pub authorities: Vec<Vec<u8>>,
}

/// What one handshake showed.
pub(super) struct Attempt {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) verified: Option<Result<(), String>>,
    pub(super) requested: Option<CertificateRequest>,
    /// Whether the server may learn who we are: it is verified, and its trust anchor is within its dates.
    pub(super) trusted: bool,
    pub(super) peer_octets: Vec<u8>,
    pub(super) result: Result<(Handshake, TlsStream<Tap>), Failure>,
}

/// How the server is spoken to.
pub(super) struct Manner<'a> {
    /// The name to ask for and to check.
    pub(super) name: &'a Host,
    /// Whether the server is told the name.
    pub(super) sni: bool,
    pub(super) alpn: bool,
    pub(super) limit: Duration,
}

pub(super) async fn connect(
    request: &Request,
    identity: Option<&Arc<Credentials>>,
    stream: Wire,
    purpose: Purpose,
) -> Attempt {
    let manner = Manner {
        name: request.target.name(),
        sni: true,
        alpn: purpose != Purpose::NoAlpn,
        limit: request.limit(),
    };
    connect_as(request, identity, stream, &manner).await
}

pub(super) async fn connect_as(
    request: &Request,
    identity: Option<&Arc<Credentials>>,
    stream: Wire,
    manner: &Manner<'_>,
) -> Attempt {
    let verifier = Arc::new(Recorder::new(request, identity.is_some()));
    let resolver = Arc::new(Requests::new(identity));
    let octets = Shared::default();
    let result = async {
        let name = manner.name.as_server_name();
        let name = name.ok_or_else(|| Failure::Other("rustls cannot ask for this name".into()))?;
        let config = request.basis.config.as_ref();
        let mut config = config.map_err(classify)?.clone();
        config.time_provider = Arc::new(Fixed(request.now.unix_timestamp()));
        config.client_auth_cert_resolver = resolver.clone();
        config.enable_sni = manner.sni;
        if manner.alpn {
            config.alpn_protocols = vec![b"h2".to_vec()];
        }
        let mut dangerous = config.dangerous();
        dangerous.set_certificate_verifier(verifier.clone());
        let tap = Tap::new(stream, octets.clone());
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, tap);
        match timeout(manner.limit, connecting).await {
            Err(_) => Err(Failure::Timeout),
            Ok(Err(error)) => Err(failure(&error)),
            Ok(Ok(stream)) => Ok((negotiated(&stream), stream)),
        }
    }
    .await;
    Attempt {
        chain: verifier.chain.get(),
        verified: verifier.verdict.get(),
        requested: resolver.asked.get(),
        trusted: verifier.trusted.get(),
        peer_octets: octets.get(),
        result,
    }
}

fn negotiated(stream: &TlsStream<Tap>) -> Handshake {
    let session = stream.get_ref().1;
    let cipher_suite = session
        .negotiated_cipher_suite()
        .map(|it| format!("{:?}", it.suite()));
    Handshake {
        version: match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
            _ => "TLS 1.2",
        },
        cipher_suite: cipher_suite.unwrap_or_default(),
        group: session
            .negotiated_key_exchange_group()
            .map(|it| format!("{:?}", it.name())),
        alpn: session
            .alpn_protocol()
            .map(|it| String::from_utf8_lossy(it).into_owned()),
    }
}

/// What an error on a TLS connection means.
pub(super) fn failure(error: &io::Error) -> Failure {
    if let Some(error) = error.get_ref().and_then(|it| it.downcast_ref::<TlsError>()) {
        return classify(error);
    }
    match error.kind() {
        ErrorKind::UnexpectedEof => Failure::Closed,
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted => {
            Failure::Reset
        }
        ErrorKind::TimedOut => Failure::Timeout,
        _ => Failure::Other(crate::text::io_text(error)),
    }
}

fn classify(error: &TlsError) -> Failure {
    match error {
        TlsError::AlertReceived(alert) => Failure::Alert(u8::from(*alert)),
        TlsError::InvalidCertificate(_) => Failure::Certificate,
        TlsError::InvalidMessage(_) => Failure::NotTls,
        TlsError::PeerIncompatible(what) => Failure::Incompatible(incompatible(what)),
        other => Failure::Other(other.to_string()),
    }
}

fn incompatible(what: &rustls::PeerIncompatible) -> String {
    use rustls::PeerIncompatible as P;
    match what {
        P::ServerDoesNotSupportTls12Or13 | P::ServerTlsVersionIsDisabledByOurConfig => {
            "it speaks neither TLS 1.2 nor TLS 1.3".to_owned()
        }
        P::NoCipherSuitesInCommon => "it has no cipher suite in common".to_owned(),
        P::NoKxGroupsInCommon => "it has no key exchange group in common".to_owned(),
        P::NoSignatureSchemesInCommon => "it has no signature scheme in common".to_owned(),
        P::ExtendedMasterSecretExtensionRequired => "it lacks extended master secret".to_owned(),
        _ => "its handshake lacks what TLS 1.2 or 1.3 demands".to_owned(),
    }
}

/// The time of the run.
#[derive(Debug)]
struct Fixed(i64);

impl TimeProvider for Fixed {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(
            u64::try_from(self.0).ok()?,
        )))
    }
}

/// Keeps the chain and webpki's verdict. Without an identity to protect the handshake goes on after a refusal,
/// so that the rest can be seen; the refusal stays on record, and keeps metadata back.
#[derive(Debug)]
struct Recorder {
    trust: Trust,
    strict: Option<Strict>,
    refuses: bool,
    provider: Arc<CryptoProvider>,
    chain: Shared<Vec<CertificateDer<'static>>>,
    verdict: Shared<Option<Result<(), String>>>,
    trusted: Shared<bool>,
}

impl Recorder {
    fn new(request: &Request, refuses: bool) -> Self {
        let strict = refuses || !request.questions.metadata.names().is_empty();
        Self {
            refuses,
            trust: Trust::new(request),
            strict: strict.then(|| Strict::new(request)),
            provider: request.basis.provider.clone(),
            chain: Shared::default(),
            verdict: Shared::default(),
            trusted: Shared::default(),
        }
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let chain = std::iter::once(end_entity).chain(intermediates);
        self.chain
            .with(|kept| *kept = chain.map(|it| it.clone().into_owned()).collect());
        let served = Served {
            end_entity,
            intermediates,
            server_name,
            now,
        };
        let verdict = self.trust.verify(&served);
        let told = verdict.as_ref().map(|_| ()).map_err(ToString::to_string);
        self.verdict.with(|kept| *kept = Some(told));
        let strict = match &self.strict {
            Some(strict) => verdict.and_then(|()| strict.verify(&served)),
            None => verdict,
        };
        self.trusted.with(|kept| *kept = strict.is_ok());
        if self.refuses {
            strict?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Is asked exactly when the server sent a CertificateRequest.
#[derive(Debug)]
struct Requests {
    identity: Option<Arc<CertifiedKey>>,
    asked: Shared<Option<CertificateRequest>>,
}

impl Requests {
    fn new(identity: Option<&Arc<Credentials>>) -> Self {
        Self {
            identity: identity.and_then(|it| it.certified.clone()),
            asked: Shared::default(),
        }
    }
}

impl ResolvesClientCert for Requests {
    fn resolve(&self, hints: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let authorities = hints.iter().map(|hint| hint.to_vec()).collect();
        self.asked
            .with(|asked| *asked = Some(CertificateRequest { authorities }));
        self.identity.clone()
    }

    fn has_certs(&self) -> bool {
        true
    }
}
