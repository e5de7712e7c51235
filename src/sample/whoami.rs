//! `WhoAmI`: the caller as the server saw it.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use aws_lc_rs::digest;
use rustls::{ProtocolVersion, ServerConnection};
use rustls_pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::{Connected, TcpConnectInfo};
use tonic::{Extensions, Request, Response, Status};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::objects::{oid_registry, oid2abbrev};
use x509_parser::prelude::FromDer;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use super::v1::who_am_i_server::WhoAmI;
use super::v1::{WhoAmIRequest, WhoAmIResponse};

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
        Ok(Response::new(
            Caller::of_request(request.extensions()).answer(),
        ))
    }
}

/// A client, as it showed itself in the handshake.
#[derive(Clone, Default)]
pub(super) struct Caller {
    peer: Option<SocketAddr>,
    certificate: Option<CertificateDer<'static>>,
    tls_version: &'static str,
    cipher_suite: Arc<str>,
}

impl Caller {
    /// Reads a finished handshake.
    pub(super) fn of_session(session: &ServerConnection, peer: SocketAddr) -> Self {
        let suite = session
            .negotiated_cipher_suite()
            .and_then(|suite| suite.suite().as_str())
            .unwrap_or_default();
        Self {
            peer: Some(peer),
            certificate: session.peer_certificates().and_then(end_entity),
            tls_version: match session.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
                Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
                _ => "",
            },
            // rustls says `TLS13_AES_256_GCM_SHA384` where the registry has no `13`.
            cipher_suite: suite.replacen("TLS13_", "TLS_", 1).into(),
        }
    }

    /// Reads what the transport left with a request: ours, tonic's TLS, or no TLS.
    fn of_request(extensions: &Extensions) -> Self {
        if let Some(caller) = extensions.get::<Self>() {
            return caller.clone();
        }
        if let Some(tls) = extensions.get::<TonicTls>() {
            return Self {
                peer: tls.get_ref().remote_addr(),
                certificate: tls.peer_certs().and_then(|chain| end_entity(&chain)),
                ..Self::default()
            };
        }
        Self {
            peer: extensions.get().and_then(TcpConnectInfo::remote_addr),
            ..Self::default()
        }
    }

    /// The subject of the client certificate.
    pub(super) fn subject(&self) -> Option<String> {
        let (_, certificate) = X509Certificate::from_der(self.certificate.as_ref()?).ok()?;
        Some(rfc4514(certificate.subject()))
    }

    fn answer(&self) -> WhoAmIResponse {
        let mut answer = WhoAmIResponse {
            authenticated: self.certificate.is_some(),
            cipher_suite: self.cipher_suite.to_string(),
            peer_address: self.peer.map(|peer| peer.to_string()).unwrap_or_default(),
            tls_version: self.tls_version.to_owned(),
            ..WhoAmIResponse::default()
        };
        if let Some(der) = &self.certificate {
            answer.sha256_fingerprint = fingerprint(der);
            if let Ok((_, certificate)) = X509Certificate::from_der(der) {
                describe(&certificate, &mut answer);
            }
        }
        answer
    }
}

/// The SHA-256 of a certificate in lower-case hexadecimal.
pub(super) fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    hex(digest::digest(&digest::SHA256, certificate).as_ref())
}

fn end_entity(chain: &[CertificateDer<'static>]) -> Option<CertificateDer<'static>> {
    chain.first().cloned()
}

fn describe(certificate: &X509Certificate<'_>, answer: &mut WhoAmIResponse) {
    answer.subject = rfc4514(certificate.subject());
    answer.serial_number = hex(certificate.raw_serial());

    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return;
    };
    for name in &names.value.general_names {
        match name {
            GeneralName::DNSName(name) => answer.dns_names.push((*name).to_owned()),
            GeneralName::IPAddress(octets) => answer.ip_addresses.extend(ip_address(octets)),
            GeneralName::URI(uri) => answer.uris.push((*uri).to_owned()),
            _ => {}
        }
    }
}

fn ip_address(octets: &[u8]) -> Option<String> {
    let v4 = || <[u8; 4]>::try_from(octets).map(IpAddr::from);
    let v6 = || <[u8; 16]>::try_from(octets).map(IpAddr::from);
    v4().or_else(|_| v6()).ok().map(|ip| ip.to_string())
}

/// A name as in RFC 4514: the last attribute first, special characters escaped.
fn rfc4514(name: &X509Name<'_>) -> String {
    let mut sets: Vec<_> = name
        .iter()
        .map(|set| set.iter().map(attribute).collect::<Vec<_>>().join("+"))
        .collect();
    sets.reverse();
    sets.join(",")
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type();
    let kind = match oid2abbrev(oid, oid_registry()) {
        Ok(short) => short.to_owned(),
        Err(_) => oid.to_id_string(),
    };
    match attribute.as_str() {
        Ok(value) => format!("{kind}={}", escape(value)),
        Err(_) => format!("{kind}=#{}", hex(attribute.as_slice())),
    }
}

fn escape(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    let mut escaped = String::with_capacity(value.len());
    for (index, c) in value.chars().enumerate() {
        match c {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => escaped.extend(['\\', c]),
            '#' if index == 0 => escaped.push_str("\\#"),
            ' ' if index == 0 || index == last => escaped.push_str("\\ "),
            c if c.is_control() => {
                for octet in c.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(escaped, "\\{octet:02X}");
                }
            }
            c => escaped.push(c),
        }
    }
    escaped
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_are_escaped_as_in_rfc_4514() {
        assert_eq!(escape("Doe, Jane"), "Doe\\, Jane");
        assert_eq!(escape(" #a#b "), "\\ #a#b\\ ");
        assert_eq!(escape("#1"), "\\#1");
        assert_eq!(escape("a\nb\u{85}"), "a\\0Ab\\C2\\85");
        assert_eq!(escape("Müller"), "Müller");
        assert_eq!(escape(""), "");
    }

    #[test]
    fn ip_addresses_have_four_or_sixteen_octets() {
        assert_eq!(ip_address(&[127, 0, 0, 1]).as_deref(), Some("127.0.0.1"));
        let mut v6 = [0; 16];
        v6[15] = 1;
        assert_eq!(ip_address(&v6).as_deref(), Some("::1"));
        assert_eq!(ip_address(&[1, 2, 3]), None);
    }

    #[test]
    fn octets_are_lower_case_hexadecimal() {
        assert_eq!(hex(&[0x0a, 0xff]), "0aff");
        assert_eq!(hex(&[]), "");
    }
}
