//! PEM texts (RFC 7468): what a file holds, said before anything is made of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::pem::{PemObject, SectionKind};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};
use zeroize::Zeroizing;

use super::der;

/// Octets of DER on one line of 64 characters.
const LINE: usize = 48;
/// The header of a block that is encrypted as in RFC 1421, 4.6.1.1.
const LEGACY_ENCRYPTION: &[u8] = b"Proc-Type: 4,ENCRYPTED";

/// What the text of a file turns out to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// One certificate or more.
    Certificates,
    /// A certificate request.
    CertificateRequest,
    /// A private key under a passphrase.
    EncryptedKey,
    /// Nothing, or white space.
    Empty,
    /// DER instead of PEM.
    Der,
    /// A private key.
    PrivateKey,
    /// Anything else.
    Unknown,
}

/// Looks at the labels of a file's PEM blocks; the first that says something decides.
pub fn sniff(text: &[u8]) -> Content {
    if text.iter().all(u8::is_ascii_whitespace) {
        return Content::Empty;
    }
    let long = text[0] == 0x30 && text.get(1).is_some_and(|length| *length >= 0x80);
    let whole = text[0] == 0x30 && der::take(text).is_some_and(|(_, rest)| rest.is_empty());
    if long || whole {
        return Content::Der;
    }
    // Line by line: what is no UTF-8 would be copied whole, and that may be a key.
    let lines = || text.split(|it| *it == b'\n').map(<[u8]>::trim_ascii);
    let mut labels = lines().filter_map(|line| {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let label = line.strip_prefix(b"-----BEGIN ")?.strip_suffix(b"-----")?;
        std::str::from_utf8(label).ok()
    });
    let encrypted = lines().any(|line| line.starts_with(LEGACY_ENCRYPTION));
    labels
        .find_map(|label| match label {
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
                Some(Content::Certificates)
            }
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Some(Content::CertificateRequest),
            "ENCRYPTED PRIVATE KEY" => Some(Content::EncryptedKey),
            _ if label.ends_with("PRIVATE KEY") && encrypted => Some(Content::EncryptedKey),
            _ if label.ends_with("PRIVATE KEY") => Some(Content::PrivateKey),
            _ => None,
        })
        .unwrap_or(Content::Unknown)
}

/// A block whose label is that of a private key.
pub enum KeyBlock {
    /// Its base64 or its end is broken.
    Damaged,
    /// `ENCRYPTED PRIVATE KEY` (RFC 7468, 11): DER of an EncryptedPrivateKeyInfo.
    Encrypted(Vec<u8>),
    /// With the header `Proc-Type: 4,ENCRYPTED`.
    LegacyEncrypted,
    /// As it is; wiped when dropped.
    Plain(Zeroizing<PrivateKeyDer<'static>>),
}

/// The first private key of a PEM text, decoded in memory that is wiped; `None` where there is none. Whether the
/// octets are a key of a kind that is known is not looked at.
pub fn private_key(text: &[u8]) -> Option<KeyBlock> {
    let mut lines = text.split(|it| matches!(it, b'\n' | b'\r'));
    loop {
        let label = lines.find_map(|it| it.strip_prefix(b"-----BEGIN "))?;
        let label = label
            .trim_ascii_end()
            .strip_suffix(b"-----")
            .unwrap_or(label);
        if !label.ends_with(b"PRIVATE KEY") {
            continue;
        }
        let mut body = lines.clone().take_while(|it| !it.starts_with(b"-----"));
        if body.any(|it| it.trim_ascii().starts_with(LEGACY_ENCRYPTION)) {
            return Some(KeyBlock::LegacyEncrypted);
        }
        let make: fn(Vec<u8>) -> KeyBlock = match label {
            b"ENCRYPTED PRIVATE KEY" => KeyBlock::Encrypted,
            b"PRIVATE KEY" => |der| plain(PrivatePkcs8KeyDer::from(der)),
            b"RSA PRIVATE KEY" => |der| plain(PrivatePkcs1KeyDer::from(der)),
            b"EC PRIVATE KEY" => |der| plain(PrivateSec1KeyDer::from(der)),
            // Of DSA, or of OpenSSH.
            _ => continue,
        };
        return Some(decode(label, &mut lines).map_or(KeyBlock::Damaged, make));
    }
}

fn plain(key: impl Into<PrivateKeyDer<'static>>) -> KeyBlock {
    KeyBlock::Plain(Zeroizing::new(key.into()))
}

/// What stands between here and the end of the block of this label.
fn decode<'t>(
    label: &[u8],
    lines: &mut (impl Iterator<Item = &'t [u8]> + Clone),
) -> Option<Vec<u8>> {
    let length = lines.clone().map(<[u8]>::len).sum();
    let mut base64 = Zeroizing::new(Vec::with_capacity(length));
    for line in lines {
        if let Some(end) = line.strip_prefix(b"-----END ") {
            if end.trim_ascii_end().strip_suffix(b"-----") != Some(label) {
                return None;
            }
            let mut der = Zeroizing::new(vec![0; base64.len() / 4 * 3 + 3]);
            let length = STANDARD.decode_slice(&*base64, &mut der).ok()?;
            der.truncate(length);
            return Some(std::mem::take(&mut *der));
        }
        base64.extend(line.iter().filter(|it| !it.is_ascii_whitespace()));
    }
    None
}

/// Whether the text starts with a UTF-8 byte order mark, which some gRPC stacks do not step over.
pub fn has_byte_order_mark(text: &[u8]) -> bool {
    text.starts_with(b"\xef\xbb\xbf")
}

/// The certificates of a PEM text, in order; `None` where one cannot be decoded.
pub fn certificates(text: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    CertificateDer::pem_slice_iter(text)
        .collect::<Result<_, _>>()
        .ok()
}

/// Whether a label of the text is that of a private key, encrypted or not.
pub fn mentions_private_key(text: &[u8]) -> bool {
    let label = b"PRIVATE KEY-----";
    text.windows(label.len()).any(|it| it == label)
}

/// How many PEM blocks of each kind a text has: certificates, private keys, others.
pub fn count(text: &[u8]) -> (usize, usize, usize) {
    let mut counts = (0, 0, 0);
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text).flatten() {
        match section.0 {
            SectionKind::Certificate => counts.0 += 1,
            SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey => {
                counts.1 += 1;
            }
            _ => counts.2 += 1,
        }
    }
    counts
}

/// One PEM block, in lines of 64 characters. The text is wiped when dropped, as it may be a key.
pub fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    let lines = der.len().div_ceil(LINE);
    // Room for all of it at once: a String that grows leaves copies of a key behind.
    let room = 2 * ("-----BEGIN -----\n".len() + label.len()) + lines * 65 + 4;
    let mut text = Zeroizing::new(String::with_capacity(room));
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    // The library's own way to append to a String leaves a piece of it on the stack.
    let mut encoded = Zeroizing::new([0; LINE / 3 * 4]);
    for line in der.chunks(LINE) {
        if let Ok(length) = STANDARD.encode_slice(line, &mut *encoded) {
            text.extend(encoded[..length].iter().map(|it| char::from(*it)));
        }
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_and_never_outgrows_its_room() {
        for length in [0, 1, 47, 48, 49, 500] {
            let text = encode("CERTIFICATE", &vec![5; length]);
            let bound = 2 * ("-----BEGIN -----\n".len() + 11) + length.div_ceil(LINE) * 65 + 4;
            assert!(text.len() <= bound);
            assert!(text.lines().all(|line| line.len() <= 64));
            assert_eq!(certificates(text.as_bytes()).unwrap()[0].len(), length);
        }
    }

    #[test]
    fn the_first_private_key_is_found_whatever_stands_around_it() {
        let key = encode("PRIVATE KEY", &[7; 100]);
        let other = encode("CERTIFICATE", &[8; 100]);
        let kind = |text: &str| match private_key(text.as_bytes()) {
            None => "none",
            Some(KeyBlock::Damaged) => "damaged",
            Some(KeyBlock::Encrypted(_)) => "encrypted",
            Some(KeyBlock::LegacyEncrypted) => "legacy",
            Some(KeyBlock::Plain(der)) if der.secret_der() == [7; 100] => "plain",
            Some(KeyBlock::Plain(_)) => "another",
        };
        let legacy = key.replace("KEY-----\nB", "KEY-----\nProc-Type: 4,ENCRYPTED\n\nB");
        for (text, expected) in [
            (String::new(), "none"),
            (other.to_string(), "none"),
            (key.to_string(), "plain"),
            (key.replace('\n', "\r\n"), "plain"),
            (key.replace('\n', "\r"), "plain"),
            (format!("junk\n{}{}{}", *other, *key, *other), "plain"),
            (key.replace("PRIVATE", "DSA PRIVATE") + &key, "plain"),
            (
                key.replace("PRIVATE", "ENCRYPTED PRIVATE") + &key,
                "encrypted",
            ),
            (legacy.clone() + &key, "legacy"),
            // A header that is another block's is none of its.
            (format!("{}{legacy}", *key), "plain"),
            (key.replace("END PRIVATE", "END EC PRIVATE"), "damaged"),
            (key.replace("-----END", "----END"), "damaged"),
            (key.replace("Bwc", "B!c"), "damaged"),
            (key[..60].to_owned(), "damaged"),
        ] {
            assert_eq!(kind(&text), expected, "{text}");
        }
    }

    #[test]
    fn a_file_is_known_by_its_labels() {
        let block =
            |label: &str| format!("junk\n-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        for (text, content) in [
            (String::new(), Content::Empty),
            (" \n\t".into(), Content::Empty),
            (block("CERTIFICATE"), Content::Certificates),
            (
                format!("\u{feff}{}", &block("CERTIFICATE")[5..]),
                Content::Certificates,
            ),
            (block("EC PRIVATE KEY"), Content::PrivateKey),
            (
                block("EC PARAMETERS") + &block("EC PRIVATE KEY"),
                Content::PrivateKey,
            ),
            (block("ENCRYPTED PRIVATE KEY"), Content::EncryptedKey),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n".into(),
                Content::EncryptedKey,
            ),
            (block("CERTIFICATE REQUEST"), Content::CertificateRequest),
            ("hello".into(), Content::Unknown),
        ] {
            assert_eq!(sniff(text.as_bytes()), content, "{text}");
        }
        assert_eq!(sniff(&[0x30, 0x82, 1, 2]), Content::Der);
        assert_eq!(sniff(&[0x30, 2, 5, 0]), Content::Der);
        assert_eq!(sniff(b"0 is no DER"), Content::Unknown);
    }
}
