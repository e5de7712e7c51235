//! What a certificate says (RFC 5280, 4.1 and 4.2): read from its DER, judged elsewhere.

use std::fmt;
use std::net::IpAddr;

use aws_lc_rs::digest::{SHA256, digest};
use rustls_pki_types::CertificateDer;
use x509_parser::extensions::{GeneralName as Parsed, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate, X509Extension};
use x509_parser::revocation_list::CertificateRevocationList;

use super::algorithm::dotted;
pub use super::algorithm::{PublicKey, Signature};
use super::der;
pub use super::dn::Name;
use super::name::GeneralName;
use super::profile::{NameConstraints, Network};
use super::validity::Validity;
use super::verified::Signed;

const EKU_SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
const EKU_CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";
const CA_ISSUERS: &str = "1.3.6.1.5.5.7.48.2";
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
    /// Where its issuer's certificate is said to lie: caIssuers of the authorityInformationAccess.
    pub issuer_url: Option<String>,
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
    /// keyCertSign.
    pub const KEY_CERT_SIGN: u16 = 1 << 5;
    /// cRLSign.
    pub const CRL_SIGN: u16 = 1 << 6;

    /// Whether all of these bits are set.
    pub fn has(self, flags: u16) -> bool {
        self.flags & flags == flags
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
            public_key: PublicKey::read(&parsed),
            signature: Signature::read(&parsed),
            names: Vec::new(),
            basic_constraints: None,
            key_usage: None,
            extended_key_usage: None,
            subject_key_identifier: None,
            authority_key_identifier: None,
            name_constraints: None,
            issuer_url: None,
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
            ParsedExtension::AuthorityInfoAccess(it) => {
                let mut issuers = it.accessdescs.iter();
                self.issuer_url = issuers.find_map(|it| match &it.access_location {
                    Parsed::URI(url) if dotted(&it.access_method) == CA_ISSUERS => {
                        Some((*url).to_owned())
                    }
                    _ => None,
                });
            }
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
        self.subject.as_der() == self.issuer.as_der()
    }

    /// Whether extendedKeyUsage lets a server use it; absence allows all (RFC 5280, 4.2.1.12).
    pub fn allows_server_auth(&self) -> bool {
        self.allows(EKU_SERVER_AUTH)
    }

    /// Whether extendedKeyUsage lets a client use it; absence allows all (RFC 5280, 4.2.1.12).
    pub fn allows_client_auth(&self) -> bool {
        self.allows(EKU_CLIENT_AUTH)
    }

    /// Whether extendedKeyUsage has anyExtendedKeyUsage.
    pub fn allows_any_purpose(&self) -> bool {
        let mut purposes = self.extended_key_usage.iter().flatten();
        purposes.any(|oid| oid == EKU_ANY)
    }

    fn allows(&self, purpose: &str) -> bool {
        self.extended_key_usage
            .as_ref()
            .is_none_or(|list| list.iter().any(|oid| oid == purpose))
    }

    /// Whether `issuer`'s key signed it and `issuer` bears the name that it gives.
    pub fn is_issued_by(&self, issuer: &Self) -> bool {
        self.issuer.as_der() == issuer.subject.as_der() && self.is_signed_by(issuer)
    }

    /// Whether `issuer`'s key signed it, whatever the names say.
    pub fn is_signed_by(&self, issuer: &Self) -> bool {
        issuer.has_signed(&self.der, &self.signature)
    }

    /// Whether its key signed a certificate or a revocation list: what is signed, the algorithm, the signature.
    pub(super) fn has_signed(&self, signed: &[u8], algorithm: &Signature) -> bool {
        let verified = self.signed(signed).and_then(|it| {
            if it.is_known() {
                return Some(true);
            }
            algorithm.verify(&self.public_key, it.key, it.message, it.signature)
        });
        verified.unwrap_or_else(|| self.has_signed_with_parameters(signed))
    }

    /// RSASSA-PSS, whose hash stands in the parameters.
    fn has_signed_with_parameters(&self, signed: &[u8]) -> bool {
        let Ok((_, this)) = X509Certificate::from_der(&self.der) else {
            return false;
        };
        let key = this.public_key();
        match X509Certificate::from_der(signed) {
            Ok((_, it)) => it.verify_signature(Some(key)).is_ok(),
            Err(_) => CertificateRevocationList::from_der(signed)
                .is_ok_and(|(_, it)| it.verify_signature(key).is_ok()),
        }
    }

    /// The signature of a certificate or a revocation list, as one of this key.
    pub(super) fn signed<'a>(&'a self, signed: &'a [u8]) -> Option<Signed<'a>> {
        let (info, _) = der::take(&self.public_key_info)?;
        let (key_algorithm, rest) = der::take(info.content)?;
        let (key, _) = der::take(rest)?;
        let (outer, _) = der::take(signed)?;
        let (message, rest) = der::take(outer.content)?;
        let (algorithm, rest) = der::take(rest)?;
        let (signature, _) = der::take(rest)?;
        Some(Signed {
            key_algorithm: key_algorithm.content,
            // The first octet of a bit string counts unused bits, of which these have none.
            key: key.content.get(1..)?,
            algorithm: algorithm.content,
            message: message.whole,
            signature: signature.content.get(1..)?,
        })
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
            let ones = || mask.iter().map(|octet| octet.leading_ones() as u8).sum();
            let whole = address(head).filter(|_| head.len() == mask.len());
            ip.extend(whole.map(|address| Network {
                address,
                prefix: ones(),
            }));
        }
        _ => {}
    }
}
