//! What can go wrong in the sample server: at the start, on a reload, with one client.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use rustls::{AlertDescription, CertificateError};

/// Why the server could not start, or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address is not `HOST:PORT`, or nothing is known under that host name.
    #[error("cannot resolve `{address}` to an address to listen on")]
    Address {
        /// The address as given.
        address: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The address cannot be listened on: in use, reserved, or not of this machine.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address, after name resolution.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// There is nothing to present.
    #[error(transparent)]
    Material(#[from] MaterialError),
    /// The descriptors for reflection do not fit together.
    #[error("cannot describe the services for reflection")]
    Reflection {
        /// What does not fit.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server stopped unasked.
    #[error("the server stopped unasked")]
    Stopped,
}

/// Why certificates, key and trust anchors cannot be used together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MaterialError {
    /// A trust anchor is not a certificate.
    #[error("trust anchor {number} for client certificates is not a certificate")]
    Anchor {
        /// Which, counted from 1.
        number: usize,
    },
    /// The server certificate is not one.
    #[error("the server certificate cannot be parsed")]
    Certificate,
    /// The private key is damaged, or of a kind that TLS has no use for.
    #[error("the private key of the server certificate is not one that TLS can use")]
    Key,
    /// Key and certificate are not a pair, as between the two writes of a careless renewal.
    #[error("the private key does not belong to the server certificate")]
    KeyMismatch,
    /// No client could ever get in.
    #[error("client certificates are required, but there is no trust anchor to verify them")]
    NoAnchors,
    /// The chain is empty.
    #[error("there is no server certificate")]
    NoCertificate,
    /// The source could not read it.
    #[error(transparent)]
    Source(Box<dyn std::error::Error + Send + Sync>),
}

/// Why a client did not get in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The client broke off with an alert.
    #[error("the client {}", Alert(*.0))]
    Alert(AlertDescription),
    /// The client presented a certificate that the server does not accept.
    #[error("the client certificate {}", Refusal(.0))]
    ClientCertificate(CertificateError),
    /// The client presented no certificate, and has to.
    #[error("the client presented no certificate")]
    ClientCertificateMissing,
    /// The client left before the end.
    #[error("the client closed the connection during the handshake")]
    Closed,
    /// The connection broke.
    #[error("the connection broke during the handshake")]
    Io(#[source] io::Error),
    /// The client offered other protocols only.
    #[error("the client does not offer HTTP/2 (`h2`) by ALPN")]
    NoHttp2,
    /// What the client sent is not TLS.
    #[error("the client does not speak TLS")]
    Plaintext,
    /// The client took too long.
    #[error("the client did not finish the handshake in time")]
    TimedOut,
    /// Any other breach of the protocol, or no version and cipher in common.
    #[error("client and server found no way to talk TLS")]
    Tls(#[source] rustls::Error),
}

impl From<io::Error> for HandshakeError {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};

        let tls = error
            .get_ref()
            .and_then(|e| e.downcast_ref::<rustls::Error>());
        match (tls, error.kind()) {
            (Some(tls), _) => Self::from(tls.clone()),
            (None, BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof) => {
                Self::Closed
            }
            (None, _) => Self::Io(error),
        }
    }
}

impl From<rustls::Error> for HandshakeError {
    fn from(error: rustls::Error) -> Self {
        match error {
            rustls::Error::AlertReceived(alert) => Self::Alert(alert),
            rustls::Error::InvalidCertificate(why) => Self::ClientCertificate(why),
            rustls::Error::InvalidMessage(_) => Self::Plaintext,
            rustls::Error::NoApplicationProtocol => Self::NoHttp2,
            rustls::Error::NoCertificatesPresented => Self::ClientCertificateMissing,
            other => Self::Tls(other),
        }
    }
}

/// What an alert of the client says of the server.
struct Alert(AlertDescription);

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            AlertDescription::BadCertificate => {
                "refused the server certificate (alert bad_certificate)"
            }
            AlertDescription::CertificateExpired => {
                "refused the server certificate: expired, or not valid yet"
            }
            AlertDescription::CertificateRevoked => "refused the server certificate: revoked",
            AlertDescription::CertificateUnknown => {
                "refused the server certificate (alert certificate_unknown)"
            }
            AlertDescription::DecryptError => {
                "could not verify a signature of the server or its certificate"
            }
            AlertDescription::UnknownCA => {
                "does not trust the CA that issued the server certificate"
            }
            AlertDescription::UnsupportedCertificate => {
                "refused the server certificate (alert unsupported_certificate)"
            }
            other => return write!(f, "broke off the handshake (TLS alert {})", u8::from(other)),
        })
    }
}

/// What is wrong with a client certificate.
struct Refusal<'a>(&'a CertificateError);

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use CertificateError as E;

        f.write_str(match self.0 {
            E::BadSignature => "is signed by another key than the trust anchor of that name has",
            E::Expired | E::ExpiredContext { .. } => "has expired",
            E::InvalidPurpose | E::InvalidPurposeContext { .. } => {
                "is not for client authentication"
            }
            E::NotValidYet | E::NotValidYetContext { .. } => "is not valid yet",
            E::UnknownIssuer => "is not issued by a trust anchor of this server",
            _ => "cannot be verified",
        })
    }
}
