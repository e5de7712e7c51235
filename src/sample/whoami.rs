//! `WhoAmI`: the caller as the server saw it.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::{ProtocolVersion, ServerConnection};
use rustls_pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::{Connected, TcpConnectInfo};
use tonic::{Extensions, Request, Response, Status};

use super::v1::who_am_i_server::WhoAmI;
use super::v1::{WhoAmIRequest, WhoAmIResponse};
use crate::pki::{Certificate, GeneralName};

/// A client as it showed itself in the handshake: the answer to all it asks on that connection.
pub(super) type Caller = Arc<WhoAmIResponse>;

/// What tonic leaves with a request on its own TLS; without that feature it does not name the type.
type TonicTls = <TlsStream<TcpStream> as Connected>::ConnectInfo;

/// The service itself, for [`Server`](super::Server) and for any other tonic server.
///
/// Behind tonic's own TLS it knows everything but the TLS version and the cipher suite.
#[derive(Clone, Copy, Debug, Default)]
pub struct WhoAmIService;

#[tonic::async_trait]
impl WhoAmI for WhoAmIService {
    async fn who_am_i(
        &self,
        request: Request<WhoAmIRequest>,
    ) -> Result<Response<WhoAmIResponse>, Status> {
        Ok(Response::new(of_request(request.extensions())))
    }
}

/// Reads a finished handshake.
pub(super) fn of_session(session: &ServerConnection, peer: SocketAddr) -> Caller {
    let suite = session
        .negotiated_cipher_suite()
        .and_then(|suite| suite.suite().as_str())
        .unwrap_or_default();
    let tls_version = match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        _ => "",
    };
    Arc::new(WhoAmIResponse {
        tls_version: tls_version.to_owned(),
        // rustls says `TLS13_AES_256_GCM_SHA384` where the registry has no `13`.
        cipher_suite: suite.replacen("TLS13_", "TLS_", 1),
        ..describe(Some(peer), session.peer_certificates())
    })
}

/// Reads what the transport left with a request: ours, tonic's TLS, or no TLS.
fn of_request(extensions: &Extensions) -> WhoAmIResponse {
    if let Some(caller) = extensions.get::<Caller>() {
        return WhoAmIResponse::clone(caller);
    }
    if let Some(tls) = extensions.get::<TonicTls>() {
        let chain = tls.peer_certs();
        return describe(
            tls.get_ref().remote_addr(),
            chain.as_deref().map(Vec::as_slice),
        );
    }
    describe(extensions.get().and_then(TcpConnectInfo::remote_addr), None)
}

/// A caller by its address and by the chain that it presented and the server verified.
fn describe(peer: Option<SocketAddr>, chain: Option<&[CertificateDer<'static>]>) -> WhoAmIResponse {
    let presented = chain.and_then(<[_]>::first);
    let mut answer = WhoAmIResponse {
        authenticated: presented.is_some(),
        peer_address: peer.map(|peer| peer.to_string()).unwrap_or_default(),
        ..WhoAmIResponse::default()
    };
    // What rustls verified is a certificate; should it be none to us, the caller stays nameless.
    let read = presented.map(|der| Certificate::from_der(der.clone()));
    let Some(Ok(certificate)) = read else {
        return answer;
    };

    answer.subject = certificate.subject.to_string();
    answer.sha256_fingerprint = certificate.fingerprint();
    answer.serial_number = certificate.serial_hex();
    for name in certificate.names {
        let of_its_kind = match name {
            GeneralName::Dns(_) => &mut answer.dns_names,
            GeneralName::Ip(_) => &mut answer.ip_addresses,
            GeneralName::Uri(_) => &mut answer.uris,
            GeneralName::Email(_) => continue,
        };
        of_its_kind.push(name.to_string());
    }
    answer
}
