//! Names of what TLS negotiates, and an answer to a ClientHello in a few words.

use super::words::{alert, ended};
use crate::pki::Certificate;
use crate::probe::{Answer, FollowUp, Protocol, Seen, ServerHello, Site};
use crate::text::printable;

/// `TLS 1.1`.
pub(super) fn version(number: u16) -> String {
    match number {
        0x0300 => "SSL 3.0".to_owned(),
        0x0301 => "TLS 1.0".to_owned(),
        0x0302 => "TLS 1.1".to_owned(),
        0x0303 => "TLS 1.2".to_owned(),
        0x0304 => "TLS 1.3".to_owned(),
        other => format!("version {other:#06x}"),
    }
}

/// A named group (RFC 8446, 4.2.7), as OpenSSL and Go write it.
pub(super) fn group(number: u16) -> String {
    let name = match number {
        0x0016 => "secp256k1",
        0x0017 => "P-256",
        0x0018 => "P-384",
        0x0019 => "P-521",
        0x001a | 0x001f => "brainpoolP256r1",
        0x001b | 0x0020 => "brainpoolP384r1",
        0x001c | 0x0021 => "brainpoolP512r1",
        0x001d => "X25519",
        0x001e => "X448",
        0x0100 => "ffdhe2048",
        0x0101 => "ffdhe3072",
        0x11ec => "X25519MLKEM768",
        other => return format!("group {other:#06x}"),
    };
    name.to_owned()
}

/// How a cipher suite agrees on keys and encrypts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// ECDHE with CBC.
    Cbc,
    /// Finite-field Diffie-Hellman.
    Dhe,
    /// Anything else.
    Other,
    /// The client encrypts the secret for the server's RSA key.
    Rsa,
}

/// The kind of a cipher suite that this program does not use.
pub(super) fn kind(suite: u16) -> Kind {
    match suite {
        0xc008..=0xc00a | 0xc012..=0xc014 | 0xc023 | 0xc024 | 0xc027 | 0xc028 => Kind::Cbc,
        0x0033 | 0x0039 | 0x0067 | 0x006b | 0x009e | 0x009f | 0xccaa => Kind::Dhe,
        0x000a | 0x002f | 0x0035 | 0x003c | 0x003d | 0x009c | 0x009d => Kind::Rsa,
        _ => Kind::Other,
    }
}

/// A cipher suite, as OpenSSL writes it.
pub(super) fn suite(number: u16) -> String {
    let name = match number {
        0x1301 => "AES-128-GCM",
        0x1302 => "AES-256-GCM",
        0x1303 => "CHACHA20-POLY1305",
        0x1304 => "AES-128-CCM",
        0x1305 => "AES-128-CCM-8",
        0xc008 => "ECDHE-ECDSA-DES-CBC3-SHA",
        0xc009 => "ECDHE-ECDSA-AES128-SHA",
        0xc00a => "ECDHE-ECDSA-AES256-SHA",
        0xc012 => "ECDHE-RSA-DES-CBC3-SHA",
        0xc013 => "ECDHE-RSA-AES128-SHA",
        0xc014 => "ECDHE-RSA-AES256-SHA",
        0xc023 => "ECDHE-ECDSA-AES128-SHA256",
        0xc024 => "ECDHE-ECDSA-AES256-SHA384",
        0xc027 => "ECDHE-RSA-AES128-SHA256",
        0xc028 => "ECDHE-RSA-AES256-SHA384",
        0xc02b => "ECDHE-ECDSA-AES128-GCM-SHA256",
        0xc02c => "ECDHE-ECDSA-AES256-GCM-SHA384",
        0xc02f => "ECDHE-RSA-AES128-GCM-SHA256",
        0xc030 => "ECDHE-RSA-AES256-GCM-SHA384",
        0xcca8 => "ECDHE-RSA-CHACHA20-POLY1305",
        0xcca9 => "ECDHE-ECDSA-CHACHA20-POLY1305",
        0xc0ac => "ECDHE-ECDSA-AES128-CCM",
        0xc0ad => "ECDHE-ECDSA-AES256-CCM",
        0xc0ae => "ECDHE-ECDSA-AES128-CCM8",
        0xc0af => "ECDHE-ECDSA-AES256-CCM8",
        0x0033 => "DHE-RSA-AES128-SHA",
        0x0039 => "DHE-RSA-AES256-SHA",
        0x0067 => "DHE-RSA-AES128-SHA256",
        0x006b => "DHE-RSA-AES256-SHA256",
        0x009e => "DHE-RSA-AES128-GCM-SHA256",
        0x009f => "DHE-RSA-AES256-GCM-SHA384",
        0xccaa => "DHE-RSA-CHACHA20-POLY1305",
        0x000a => "DES-CBC3-SHA",
        0x002f => "AES128-SHA",
        0x0035 => "AES256-SHA",
        0x003c => "AES128-SHA256",
        0x003d => "AES256-SHA256",
        0x009c => "AES128-GCM-SHA256",
        0x009d => "AES256-GCM-SHA384",
        other => return format!("cipher suite {other:#06x}"),
    };
    name.to_owned()
}

/// A signature algorithm (RFC 8446, 4.2.3).
pub(super) fn signature(number: u16) -> String {
    let name = match number {
        0x0201 => "RSA with SHA-1",
        0x0202 => "DSA with SHA-1",
        0x0203 => "ECDSA with SHA-1",
        0x0301 => "RSA with SHA-224",
        0x0303 => "ECDSA with SHA-224",
        0x0807 => "Ed25519",
        0x0808 => "Ed448",
        0x0809..=0x080b => "RSASSA-PSS with a key that is for it alone",
        0x081a..=0x081c => "ECDSA on a Brainpool curve",
        other => return format!("algorithm {other:#06x}"),
    };
    name.to_owned()
}

impl FollowUp {
    /// What the server answered, in a few words.
    pub fn answer(&self) -> String {
        match &self.seen {
            Seen::Hello(_, answer) => answered(answer),
            Seen::Plaintext(protocol) => protocol_name(protocol),
            Seen::Site(site) => shown(site),
        }
    }
}

fn answered(answer: &Answer) -> String {
    match answer {
        Answer::Alert(number) => format!("alert `{}`", alert(*number)),
        Answer::Closed => "closed".to_owned(),
        Answer::Hello(hello) => chosen(hello),
        Answer::Other(_) => "something that is no ServerHello".to_owned(),
        Answer::Reset => "reset".to_owned(),
        Answer::Timeout => "no answer in time".to_owned(),
    }
}

fn chosen(hello: &ServerHello) -> String {
    let mut text = format!("{}, {}", version(hello.version), suite(hello.suite));
    if let Some(number) = hello.group {
        text.push_str(&format!(", {}", group(number)));
    }
    text
}

fn protocol_name(protocol: &Protocol) -> String {
    let name = match protocol {
        Protocol::Closed => "closed",
        Protocol::Http1 => "HTTP/1",
        Protocol::Http2 => "HTTP/2",
        Protocol::Named(name, _) => name,
        Protocol::Silent => "no answer in time",
        Protocol::Ssh => "SSH",
        Protocol::Tls => "a TLS record",
        Protocol::Unknown(_) => "something else",
    };
    name.to_owned()
}

fn shown(site: &Site) -> String {
    match (&site.handshake, names(site)) {
        (Ok(_), Some(names)) => format!("a certificate for {names}"),
        (Ok(handshake), None) => handshake.version.to_owned(),
        (Err(failure), _) => ended(failure),
    }
}

/// The names of the certificate that was shown, where it has any.
pub(super) fn names(site: &Site) -> Option<String> {
    let certificate = Certificate::from_der(site.chain.first()?.clone()).ok()?;
    let names = crate::pki::name::join(&certificate.names);
    (!certificate.names.is_empty()).then(|| printable(&names))
}
