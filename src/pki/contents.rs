//! What the octets of a file hold where certificates or a private key are wanted, as gRPC clients will read them:
//! facts alone, for whoever judges them. No private key is kept here.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use rustls_pki_types::pem::{Error as PemError, PemObject, SectionKind};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::certificate::Certificate;
use super::der;
use super::key::{PrivateKey, SecretKey};
use super::pem::{self, KeyBlock};

/// Labels that are told; a bundle may have hundreds.
const MAX_LABELS: usize = 4;
/// Longer labels are cut, in characters.
const MAX_LABEL: usize = 40;
/// id-signedData (RFC 5652, 5.1), as a DER value.
const SIGNED_DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
/// id-PBES2 (RFC 8018, A.4), as a DER value.
const PBES2: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d";

/// What a file holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// How it is written.
    pub form: Form,
    /// The certificates that can be read, in order.
    pub certificates: Vec<Certificate>,
    /// The private keys, in order.
    pub keys: Vec<Key>,
    /// PEM blocks that cannot be decoded.
    pub damaged: Vec<Block>,
    /// Intact PEM blocks labelled as certificates whose content is none.
    pub strange: Vec<Block>,
    /// PEM blocks of other kinds, such as `CERTIFICATE REQUEST`; the first few.
    pub others: Vec<Block>,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Base64 of a PEM text, as the manifest of a Kubernetes Secret holds it.
    Base64,
    /// A PEM text behind a UTF-8 byte order mark, which hides the first block.
    ByteOrderMark,
    /// DER without PEM around it.
    Der(Der),
    /// Nothing, or white space.
    #[default]
    Empty,
    /// PEM in which each line break is the two characters `\n`.
    Escaped,
    /// PEM whose lines are indented, so that its first line is not found.
    Indented,
    /// PEM, with whatever stands around the blocks.
    Pem,
    /// A text without PEM, or octets.
    Unknown,
    /// A text in UTF-16.
    Utf16,
}

/// What kind of DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Der {
    /// A certificate.
    Certificate,
    /// A private key under a passphrase, PKCS #8.
    EncryptedKey,
    /// None of these.
    Other,
    /// PKCS #12, as `.p12` and `.pfx`.
    Pkcs12,
    /// PKCS #7, as `.p7b`.
    Pkcs7,
    /// A private key.
    PrivateKey,
}

/// A private key, without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// It is under a passphrase.
    Encrypted,
    /// DER of its SubjectPublicKeyInfo.
    Usable(Vec<u8>),
    /// Its octets are damaged, or of a kind that rustls does not sign with.
    Unusable,
}

/// A PEM block and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What stands behind `BEGIN`.
    pub label: String,
    /// Counted from 1.
    pub line: usize,
}

impl Contents {
    /// Reads a file; the first private key that can be used is returned beside it, as PKCS #8.
    pub fn read(text: &[u8]) -> (Self, Option<SecretKey>) {
        let mut contents = Self {
            form: form(text),
            ..Self::default()
        };
        let mut private = None;
        if contents.form == Form::Pem {
            for (block, text) in blocks(text) {
                contents.take(block, text, &mut private);
            }
        }
        (contents, private)
    }

    fn take(&mut self, block: Block, text: &[u8], private: &mut Option<SecretKey>) {
        match pem::private_key(text) {
            Some(KeyBlock::Encrypted(_) | KeyBlock::LegacyEncrypted) => {
                return self.keys.push(Key::Encrypted);
            }
            Some(KeyBlock::Damaged) => return self.damaged.push(block),
            Some(KeyBlock::Plain(key)) => {
                return match usable(&key) {
                    Some((public, key)) => {
                        self.keys.push(Key::Usable(public));
                        private.get_or_insert(key);
                    }
                    None => self.keys.push(Key::Unusable),
                };
            }
            None => {}
        }
        match <(SectionKind, Vec<u8>)>::from_pem_slice(text) {
            Ok((SectionKind::Certificate, der)) => {
                match Certificate::from_der(CertificateDer::from(der)) {
                    Ok(certificate) => self.certificates.push(certificate),
                    Err(_) => self.strange.push(block),
                }
            }
            Ok(_) | Err(PemError::NoItemsFound) => self.other(block),
            Err(_) => self.damaged.push(block),
        }
    }

    fn other(&mut self, block: Block) {
        if self.others.len() < MAX_LABELS {
            self.others.push(block);
        }
    }

    /// The private key that a client would load: the first that is not under a passphrase, else the first.
    pub fn key(&self) -> Option<&Key> {
        let mut keys = self.keys.iter();
        keys.find(|it| **it != Key::Encrypted).or(self.keys.first())
    }

    /// Whether it is nothing but a private key; the key itself, where it is in PEM form.
    pub fn lone_key(&self) -> Option<Option<&Key>> {
        match self.form {
            Form::Der(Der::PrivateKey | Der::EncryptedKey) => Some(None),
            _ if self.certificates.is_empty() && self.strange.is_empty() => self.key().map(Some),
            _ => None,
        }
    }

    /// Whether it has a certificate request.
    pub fn is_request(&self) -> bool {
        let mut labels = self.others.iter().map(|it| it.label.as_str());
        labels.any(|it| it.ends_with("CERTIFICATE REQUEST"))
    }

    /// Whether its first certificate is that of this SubjectPublicKeyInfo.
    pub fn has_certificate_of(&self, public: &[u8]) -> bool {
        let first = self.certificates.first();
        first.is_some_and(|it| it.public_key_info == public)
    }

    /// Whether it is the private key of this SubjectPublicKeyInfo.
    pub fn has_key_of(&self, public: &[u8]) -> bool {
        matches!(self.key(), Some(Key::Usable(it)) if it == public)
    }
}

fn form(text: &[u8]) -> Form {
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        return Form::Utf16;
    }
    if pem::has_byte_order_mark(text) && text[3..].starts_with(b"-----BEGIN ") {
        return Form::ByteOrderMark;
    }
    match pem::sniff(text) {
        pem::Content::Der => return Form::Der(kind(text)),
        pem::Content::Empty => return Form::Empty,
        _ => {}
    }
    if let Some((_, block)) = blocks(text).next() {
        let first = block.split(|it| *it == b'\n').next().unwrap_or_default();
        let escaped = first.windows(7).any(|it| it == b"-----\\n");
        return if escaped { Form::Escaped } else { Form::Pem };
    }
    // Base64 of `-----BEGIN `.
    if text.trim_ascii_start().starts_with(b"LS0tLS1CRUdJTi") {
        return Form::Base64;
    }
    let lines = || text.split(|it| *it == b'\n');
    if lines().any(|it| it.trim_ascii_start().starts_with(b"-----BEGIN ")) {
        return Form::Indented;
    }
    Form::Unknown
}

fn kind(text: &[u8]) -> Der {
    if Certificate::from_der(CertificateDer::from(text.to_vec())).is_ok() {
        return Der::Certificate;
    }
    let Some((outer, _)) = der::take(text) else {
        return Der::Other;
    };
    let inner = der::take(outer.content).map(|(first, _)| first.content);
    match outer.content {
        [0x02, 0x01, 0x03, ..] => Der::Pkcs12,
        // PKCS #8 and PKCS #1 begin with the version 0, SEC 1 and PKCS #8 version 2 with 1.
        [0x02, 0x01, 0x00 | 0x01, 0x02 | 0x04 | 0x30, ..] => Der::PrivateKey,
        content if content.starts_with(SIGNED_DATA) => Der::Pkcs7,
        _ if inner.is_some_and(|it| it.starts_with(PBES2)) => Der::EncryptedKey,
        _ => Der::Other,
    }
}

/// The PEM blocks of a text: each with its octets, and with what stands before the next.
fn blocks(text: &[u8]) -> impl Iterator<Item = (Block, &[u8])> {
    let mut starts: Vec<(Block, usize)> = Vec::new();
    let (mut offset, mut number) = (0, 1);
    // A lone carriage return ends a line as well, for those who write files so.
    for line in text.split_inclusive(|it| matches!(it, b'\n' | b'\r')) {
        if let Some(label) = line.strip_prefix(b"-----BEGIN ") {
            let label = String::from_utf8_lossy(label);
            let label = label.trim_end().trim_end_matches('-');
            let block = Block {
                label: label.chars().take(MAX_LABEL).collect(),
                line: number,
            };
            starts.push((block, offset));
        }
        offset += line.len();
        number += usize::from(line.ends_with(b"\n"));
    }
    let ends: Vec<usize> = starts.iter().skip(1).map(|(_, start)| *start).collect();
    let ends = ends.into_iter().chain([text.len()]);
    starts
        .into_iter()
        .zip(ends)
        .map(move |((block, start), end)| (block, &text[start..end]))
}

/// The public half and the key as PKCS #8, where rustls can sign with it: the kinds that this program makes, and
/// P-521.
fn usable(key: &PrivateKeyDer<'_>) -> Option<(Vec<u8>, SecretKey)> {
    if let Ok(key) = PrivateKey::from_der(key) {
        let public = key.public_key_info().to_vec();
        return Some((public, key.to_secret().ok()?));
    }
    let algorithm = &ECDSA_P521_SHA512_ASN1_SIGNING;
    let pair = EcdsaKeyPair::from_private_key_der(algorithm, key.secret_der()).ok()?;
    let public: PublicKeyX509Der<'static> = pair.public_key().as_der().ok()?;
    let der = pair.to_pkcs8v1().ok()?.as_ref().to_vec();
    let key = Zeroizing::new(PrivateKeyDer::Pkcs8(der.into()));
    Some((public.as_ref().to_vec(), key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JUNK: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    #[test]
    fn a_file_is_known_by_how_it_is_written() {
        let utf16: Vec<u8> = JUNK.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (text, form) in [
            (b"".to_vec(), Form::Empty),
            (b"hello".to_vec(), Form::Unknown),
            (JUNK.into(), Form::Pem),
            (JUNK.replace('\n', "\r\n").into(), Form::Pem),
            (format!("subject=CN = x\n{JUNK}\nbye").into(), Form::Pem),
            (format!("\u{feff}{JUNK}").into(), Form::ByteOrderMark),
            // The mark hides a line that says nothing.
            (format!("\u{feff}subject\n{JUNK}").into(), Form::Pem),
            (JUNK.replace('\n', "\n  ").into(), Form::Pem),
            (
                format!("  {}", JUNK.replace('\n', "\n  ")).into(),
                Form::Indented,
            ),
            (JUNK.replace('\n', "\\n").into(), Form::Escaped),
            (b"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0".to_vec(), Form::Base64),
            ([&b"\xff\xfe"[..], &utf16].concat(), Form::Utf16),
            (vec![0x30, 0x03, 2, 1, 9], Form::Der(Der::Other)),
            (vec![0x30, 0x05, 2, 1, 3, 0x30, 0], Form::Der(Der::Pkcs12)),
            (
                vec![0x30, 0x05, 2, 1, 0, 0x30, 0],
                Form::Der(Der::PrivateKey),
            ),
        ] {
            let told = String::from_utf8_lossy(&text).into_owned();
            assert_eq!(Contents::read(&text).0.form, form, "{told:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_line() {
        let broken = JUNK.replace("AAAA", "A!AA");
        let cut = &JUNK[..34];
        let other = JUNK.replace("CERTIFICATE", "CERTIFICATE REQUEST");
        let text = format!("x\n{JUNK}{broken}{other}{cut}");
        let (contents, key) = Contents::read(text.as_bytes());
        let lines = |blocks: &[Block]| blocks.iter().map(|it| it.line).collect::<Vec<_>>();
        assert_eq!(lines(&contents.strange), [2]);
        assert_eq!(lines(&contents.damaged), [5, 11]);
        assert_eq!(contents.others[0].label, "CERTIFICATE REQUEST");
        assert!(contents.certificates.is_empty() && key.is_none());
    }

    #[test]
    fn a_key_under_a_passphrase_is_passed_over_where_there_is_another() {
        let encrypted = JUNK.replace("CERTIFICATE", "ENCRYPTED PRIVATE KEY");
        let legacy = JUNK
            .replace("CERTIFICATE", "RSA PRIVATE KEY")
            .replace("AAAA", "Proc-Type: 4,ENCRYPTED\nDEK-Info: x\n\nAAAA");
        let unusable = JUNK.replace("CERTIFICATE", "PRIVATE KEY");
        let key = |text: &str| Contents::read(text.as_bytes()).0.key().cloned();
        assert_eq!(key(&encrypted), Some(Key::Encrypted));
        assert_eq!(key(&legacy), Some(Key::Encrypted));
        assert_eq!(key(&(encrypted + &unusable)), Some(Key::Unusable));
        assert_eq!(key(JUNK), None);
    }

    #[test]
    fn hostile_octets_are_no_panic() {
        for text in [
            &b"-----BEGIN "[..],
            b"-----BEGIN -----",
            b"\x30",
            b"\x30\x80",
            b"\x30\x84\xff\xff\xff\xff",
            b"\xef\xbb\xbf",
            b"\xff\xfe",
            b"\x30\x02\x30\x00",
        ] {
            let _ = Contents::read(text);
        }
    }
}
