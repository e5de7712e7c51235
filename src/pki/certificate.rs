//! What a certificate says (RFC 5280, 4.1 and 4.2): read from its DER, judged elsewhere.

use std::fmt;
use std::net::IpAddr;

use aws_lc_rs::digest::{SHA256, digest};
use rustls_pki_types::CertificateDer;
use x509_parser::asn1_rs::Oid;
use x509_parser::extensions::{GeneralName as Parsed, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate, X509Extension, X509Name};
use x509_parser::public_key::PublicKey as ParsedKey;

use super::dn::AttributeType;
use super::name::GeneralName;
use super::profile::{NameConstraints, Network};
use super::validity::Validity;

const EKU_SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
const EKU_CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";
const EKU_ANY: &str = "2.5.29.37.0";

/// The octets are no X.509 certificate.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not an intact X.509 certificate")]
pub struct CertificateError;

/// A certificate and the facts in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: CertificateDer<'static>,
    /// Whom it is about.
    pub subject: Name,
    /// Who signed it.
    pub issuer: Name,
    /// Serial number, most significant octet first.
    pub serial: Vec<u8>,
    /// When it may be used.
    pub validity: Validity,
    /// DER of the SubjectPublicKeyInfo.
    pub public_key_info: Vec<u8>,
    /// What kind of key it certifies.
    pub public_key: PublicKey,
    /// What it was signed with.
    pub signature: Signature,
    /// subjectAltName, in order; kinds that this program does not know are left out.
    pub names: Vec<GeneralName>,
    /// basicConstraints; `None` where the extension is absent.
    pub basic_constraints: Option<BasicConstraints>,
    /// keyUsage; `None` where the extension is absent.
    pub key_usage: Option<KeyUsage>,
    /// extendedKeyUsage, as dotted object identifiers; `None` where the extension is absent.
    pub extended_key_usage: Option<Vec<String>>,
    /// subjectKeyIdentifier.
    pub subject_key_identifier: Option<Vec<u8>>,
    /// keyIdentifier of the authorityKeyIdentifier.
    pub authority_key_identifier: Option<Vec<u8>>,
    /// nameConstraints for DNS names and IP addresses.
    pub name_constraints: Option<NameConstraints>,
    /// Critical extensions that this program does not know, as dotted object identifiers.
    pub unknown_critical: Vec<String>,
}

/// basicConstraints (RFC 5280, 4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Whether it may issue certificates.
    pub ca: bool,
    /// How many intermediates may follow it.
    pub path_length: Option<u32>,
    /// Whether the extension is critical.
    pub critical: bool,
}

/// keyUsage (RFC 5280, 4.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage {
    /// The bits, digitalSignature being the lowest.
    pub flags: u16,
    /// Whether the extension is critical.
    pub critical: bool,
}

impl KeyUsage {
    /// digitalSignature.
    pub const DIGITAL_SIGNATURE: u16 = 1;
    /// keyEncipherment.
    pub const KEY_ENCIPHERMENT: u16 = 1 << 2;
    /// keyCertSign.
    pub const KEY_CERT_SIGN: u16 = 1 << 5;
    /// cRLSign.
    pub const CRL_SIGN: u16 = 1 << 6;

    /// Whether all of these bits are set.
    pub fn has(self, flags: u16) -> bool {
        self.flags & flags == flags
    }
}

/// A certified key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// ECDSA on the curve with this name.
    Ecdsa(&'static str),
    /// Ed25519.
    Ed25519,
    /// Any other, by object identifier.
    Other(String),
    /// RSA with a modulus of this many bits.
    Rsa(usize),
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ecdsa(curve) => write!(f, "ecdsa-{curve}"),
            Self::Ed25519 => f.write_str("ed25519"),
            Self::Other(oid) => write!(f, "key type {oid}"),
            Self::Rsa(bits) => write!(f, "rsa-{bits}"),
        }
    }
}

/// An algorithm that signed a certificate, by object identifier and common name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Dotted object identifier.
    pub oid: String,
    /// Such as `ecdsa-with-SHA256`; the object identifier where there is none.
    pub name: String,
}

/// A subject or an issuer: the octets as they stand, and what they say.
#[derive(Clone, PartialEq, Eq)]
pub struct Name {
    raw: Vec<u8>,
    attributes: Vec<(String, String)>,
}

impl Name {
    fn read(name: &X509Name<'_>) -> Self {
        let attributes = name
            .iter_attributes()
            .map(|attribute| {
                let value = attribute.as_str().map_or_else(
                    |_| String::from_utf8_lossy(attribute.as_slice()).into_owned(),
                    str::to_owned,
                );
                (dotted(attribute.attr_type()), value)
            })
            .collect();
        Self {
            raw: name.as_raw().to_vec(),
            attributes,
        }
    }

    /// Reads the DER of a `Name`.
    ///
    /// # Errors
    /// [`CertificateError`] when it is none.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        X509Name::from_der(der)
            .map(|(_, name)| Self::read(&name))
            .map_err(|_| CertificateError)
    }

    /// The DER of the name; chaining compares these octets.
    pub fn as_der(&self) -> &[u8] {
        &self.raw
    }

    /// Attributes in order: dotted object identifier and value.
    pub(crate) fn comparable(&self) -> &[(String, String)] {
        &self.attributes
    }

    /// The first commonName.
    pub fn common_name(&self) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(oid, _)| oid == "2.5.4.3")
            .map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.attributes.is_empty() {
            return f.write_str("(empty)");
        }
        for (index, (oid, value)) in self.attributes.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            let label = AttributeType::by_oid(oid).map_or(oid.as_str(), |it| it.short);
            write!(f, "{separator}{label}={value}")?;
        }
        Ok(())
    }
}

impl Certificate {
    /// Reads the DER of one certificate.
    ///
    /// # Errors
    /// [`CertificateError`] when it is none.
    pub fn from_der(der: CertificateDer<'static>) -> Result<Self, CertificateError> {
        let (rest, parsed) = X509Certificate::from_der(&der).map_err(|_| CertificateError)?;
        if !rest.is_empty() {
            return Err(CertificateError);
        }
        let validity = Validity {
            not_before: parsed.validity().not_before.to_datetime(),
            not_after: parsed.validity().not_after.to_datetime(),
        };
        let mut this = Self {
            subject: Name::read(parsed.subject()),
            issuer: Name::read(parsed.issuer()),
            serial: parsed.raw_serial().to_vec(),
            validity,
            public_key_info: parsed.public_key().raw.to_vec(),
            public_key: public_key(&parsed),
            signature: signature(&parsed),
            names: Vec::new(),
            basic_constraints: None,
            key_usage: None,
            extended_key_usage: None,
            subject_key_identifier: None,
            authority_key_identifier: None,
            name_constraints: None,
            unknown_critical: Vec::new(),
            der: CertificateDer::from(Vec::new()),
        };
        for extension in parsed.extensions() {
            this.take(extension);
        }
        drop(parsed);
        this.der = der;
        Ok(this)
    }

    fn take(&mut self, extension: &X509Extension<'_>) {
        match extension.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(it) => {
                self.authority_key_identifier = it.key_identifier.as_ref().map(|id| id.0.to_vec());
            }
            ParsedExtension::BasicConstraints(it) => {
                self.basic_constraints = Some(BasicConstraints {
                    ca: it.ca,
                    path_length: it.path_len_constraint,
                    critical: extension.critical,
                });
            }
            ParsedExtension::ExtendedKeyUsage(it) => {
                let named = [
                    (it.server_auth, EKU_SERVER_AUTH),
                    (it.client_auth, EKU_CLIENT_AUTH),
                    (it.any, EKU_ANY),
                    (it.code_signing, "1.3.6.1.5.5.7.3.3"),
                    (it.email_protection, "1.3.6.1.5.5.7.3.4"),
                    (it.time_stamping, "1.3.6.1.5.5.7.3.8"),
                    (it.ocsp_signing, "1.3.6.1.5.5.7.3.9"),
                ];
                let named = named
                    .into_iter()
                    .filter(|(set, _)| *set)
                    .map(|(_, oid)| oid.into());
                self.extended_key_usage = Some(named.chain(it.other.iter().map(dotted)).collect());
            }
            ParsedExtension::KeyUsage(it) => {
                self.key_usage = Some(KeyUsage {
                    flags: it.flags,
                    critical: extension.critical,
                });
            }
            ParsedExtension::NameConstraints(it) => {
                let mut constraints = NameConstraints::default();
                for subtree in it.permitted_subtrees.iter().flatten() {
                    constrain(
                        &subtree.base,
                        &mut constraints.permitted_dns,
                        &mut constraints.permitted_ip,
                    );
                }
                for subtree in it.excluded_subtrees.iter().flatten() {
                    constrain(
                        &subtree.base,
                        &mut constraints.excluded_dns,
                        &mut constraints.excluded_ip,
                    );
                }
                self.name_constraints = Some(constraints);
            }
            ParsedExtension::SubjectAlternativeName(it) => {
                self.names = it.general_names.iter().filter_map(general_name).collect();
            }
            ParsedExtension::SubjectKeyIdentifier(it) => {
                self.subject_key_identifier = Some(it.0.to_vec());
            }
            ParsedExtension::UnsupportedExtension { .. } | ParsedExtension::ParseError { .. }
                if extension.critical =>
            {
                self.unknown_critical.push(dotted(&extension.oid));
            }
            _ => {}
        }
    }

    /// Its DER.
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// SHA-256 of its DER, in lower-case hexadecimal.
    pub fn fingerprint(&self) -> String {
        hex(digest(&SHA256, &self.der).as_ref())
    }

    /// Its serial number in lower-case hexadecimal, without leading zero octets.
    pub fn serial_hex(&self) -> String {
        let zeros = self.serial.iter().take_while(|octet| **octet == 0).count();
        hex(&self.serial[zeros.min(self.serial.len().saturating_sub(1))..])
    }

    /// Whether basicConstraints make it a CA.
    pub fn is_ca(&self) -> bool {
        self.basic_constraints.is_some_and(|it| it.ca)
    }

    /// Whether subject and issuer are the same name.
    pub fn is_self_issued(&self) -> bool {
        self.subject.raw == self.issuer.raw
    }

    /// Whether extendedKeyUsage lets a server use it; absence allows all (RFC 5280, 4.2.1.12).
    pub fn allows_server_auth(&self) -> bool {
        self.allows(EKU_SERVER_AUTH)
    }

    /// Whether extendedKeyUsage lets a client use it; absence allows all (RFC 5280, 4.2.1.12).
    pub fn allows_client_auth(&self) -> bool {
        self.allows(EKU_CLIENT_AUTH)
    }

    fn allows(&self, purpose: &str) -> bool {
        self.extended_key_usage
            .as_ref()
            .is_none_or(|list| list.iter().any(|oid| oid == purpose))
    }

    /// Whether `issuer`'s key signed it and `issuer` bears the name that it gives.
    pub fn is_issued_by(&self, issuer: &Self) -> bool {
        self.issuer.raw == issuer.subject.raw && self.is_signed_by(issuer)
    }

    /// Whether `issuer`'s key signed it, whatever the names say.
    pub fn is_signed_by(&self, issuer: &Self) -> bool {
        let (Ok((_, this)), Ok((_, issuer))) = (
            X509Certificate::from_der(&self.der),
            X509Certificate::from_der(&issuer.der),
        ) else {
            return false;
        };
        this.verify_signature(Some(issuer.public_key())).is_ok()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Certificate({}, serial {})",
            self.subject,
            self.serial_hex()
        )
    }
}

/// Octets in lower-case hexadecimal.
pub fn hex(octets: &[u8]) -> String {
    use fmt::Write;
    octets.iter().fold(
        String::with_capacity(octets.len() * 2),
        |mut text, octet| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{octet:02x}");
            text
        },
    )
}

/// An object identifier in dotted form; `Oid::to_id_string` makes a big integer and a text of each of its numbers.
fn dotted(oid: &Oid<'_>) -> String {
    use fmt::Write;
    let Some(numbers) = oid.iter() else {
        return oid.to_id_string();
    };
    let mut text = String::with_capacity(24);
    for number in numbers {
        let separator = if text.is_empty() { "" } else { "." };
        // Writing to a String cannot fail.
        let _ = write!(text, "{separator}{number}");
    }
    text
}

/// The usual name of an extended key usage.
pub fn purpose_name(oid: &str) -> &str {
    match oid {
        EKU_SERVER_AUTH => "serverAuth",
        EKU_CLIENT_AUTH => "clientAuth",
        EKU_ANY => "anyExtendedKeyUsage",
        "1.3.6.1.5.5.7.3.3" => "codeSigning",
        "1.3.6.1.5.5.7.3.4" => "emailProtection",
        "1.3.6.1.5.5.7.3.8" => "timeStamping",
        "1.3.6.1.5.5.7.3.9" => "OCSPSigning",
        other => other,
    }
}

fn general_name(name: &Parsed<'_>) -> Option<GeneralName> {
    Some(match name {
        Parsed::DNSName(text) => GeneralName::Dns((*text).to_owned()),
        Parsed::RFC822Name(text) => GeneralName::Email((*text).to_owned()),
        Parsed::URI(text) => GeneralName::Uri((*text).to_owned()),
        Parsed::IPAddress(octets) => GeneralName::Ip(address(octets)?),
        _ => return None,
    })
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(octets)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from))
        .ok()
}

fn constrain(base: &Parsed<'_>, dns: &mut Vec<String>, ip: &mut Vec<Network>) {
    match base {
        Parsed::DNSName(text) => dns.push((*text).to_owned()),
        Parsed::IPAddress(octets) => {
            let (head, mask) = octets.split_at(octets.len() / 2);
            let prefix = mask.iter().map(|octet| octet.leading_ones() as u8).sum();
            ip.extend(address(head).map(|address| Network { address, prefix }));
        }
        _ => {}
    }
}

fn public_key(certificate: &X509Certificate<'_>) -> PublicKey {
    let info = certificate.public_key();
    let oid = dotted(&info.algorithm.algorithm);
    match oid.as_str() {
        "1.2.840.10045.2.1" => {
            let curve = info
                .algorithm
                .parameters
                .as_ref()
                .and_then(|it| it.as_oid().ok());
            match curve.map(|it| dotted(&it)).as_deref() {
                Some("1.2.840.10045.3.1.7") => PublicKey::Ecdsa("p256"),
                Some("1.3.132.0.34") => PublicKey::Ecdsa("p384"),
                Some("1.3.132.0.35") => PublicKey::Ecdsa("p521"),
                _ => PublicKey::Other(oid),
            }
        }
        "1.3.101.112" => PublicKey::Ed25519,
        _ => match info.parsed() {
            Ok(ParsedKey::RSA(key)) => PublicKey::Rsa(key.key_size()),
            _ => PublicKey::Other(oid),
        },
    }
}

fn signature(certificate: &X509Certificate<'_>) -> Signature {
    let oid = dotted(&certificate.signature_algorithm.algorithm);
    let name = match oid.as_str() {
        "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => "rsassaPss",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.3.101.112" => "ed25519",
        other => other,
    };
    Signature {
        name: name.to_owned(),
        oid,
    }
}
