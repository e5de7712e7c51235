//! Signing: the only file that names rcgen, whose defaults are all overruled here.
//!
//! rcgen writes the certificate, except for its two names. It keeps the attributes of a name in a map, so a
//! repeated type is lost, in a subject and in the issuer taken from a CA alike, and then nothing chains. So
//! rcgen is given a placeholder, and the `Name`s are put into the octets before they are signed.

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    KeyIdMethod, KeyUsagePurpose, PublicKeyData, SanType, SignatureAlgorithm, SigningKey,
};
use rustls_pki_types::CertificateDer;

use super::certificate::{Certificate, CertificateError, KeyUsage};
use super::der;
use super::dn::DistinguishedName;
use super::key::{Family, KeyError, PrivateKey, SerialNumber};
use super::name::GeneralName;
use super::profile::{CA_PATH_LENGTH, NameConstraints, Network, Profile};
use super::validity::Validity;

/// Why no certificate was made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// What was made does not name the issuer, or cannot be read back.
    #[error("the certificate that was made does not read back as it should")]
    Encoding,
    /// The key does not belong to the CA certificate.
    #[error("the CA key does not belong to the CA certificate")]
    KeyMismatch,
    /// The key cannot sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// basicConstraints or keyUsage forbid the issuer to sign certificates.
    #[error("the CA certificate may not sign certificates ({0})")]
    NotACa(&'static str),
}

impl From<CertificateError> for SignError {
    fn from(_: CertificateError) -> Self {
        Self::Encoding
    }
}

/// What a certificate is to say; keys, names of the issuer and identifiers come from the keys that are used.
#[derive(Clone, Debug)]
pub struct Template<'a> {
    /// Whom it is about; never empty.
    pub subject: &'a DistinguishedName,
    /// subjectAltName.
    pub names: &'a [GeneralName],
    /// When it may be used.
    pub validity: Validity,
    /// Its number under its issuer.
    pub serial: SerialNumber,
}

/// Makes a CA certificate that its own key signs.
///
/// # Errors
/// [`SignError`] when the key cannot sign.
pub fn self_signed(
    template: &Template<'_>,
    constraints: &NameConstraints,
    key: &PrivateKey,
) -> Result<Certificate, SignError> {
    let mut params = params(template)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(CA_PATH_LENGTH));
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = (!constraints.is_empty()).then(|| rcgen::NameConstraints {
        permitted_subtrees: subtrees(&constraints.permitted_dns, &constraints.permitted_ip),
        excluded_subtrees: subtrees(&constraints.excluded_dns, &constraints.excluded_ip),
    });
    let unsigned = params
        .self_signed(&Unsigned(key))
        .map_err(|_| SignError::Encoding)?;
    let name = template.subject.to_der();
    finish(unsigned.der(), &name, &name, key)
}

/// Whether a certificate lets its key sign others (RFC 5280, 4.2.1.3 and 4.2.1.9).
///
/// # Errors
/// [`SignError::NotACa`].
pub fn may_sign(certificate: &Certificate) -> Result<(), SignError> {
    if !certificate.is_ca() {
        return Err(SignError::NotACa("its basicConstraints do not say CA"));
    }
    let usage = certificate.key_usage;
    if usage.is_some_and(|it| !it.has(KeyUsage::KEY_CERT_SIGN)) {
        return Err(SignError::NotACa("its keyUsage lacks keyCertSign"));
    }
    Ok(())
}

/// A CA certificate and the private key that was proved to be its own.
#[derive(Debug)]
pub struct Issuer {
    certificate: Certificate,
    key: PrivateKey,
    /// What rcgen takes from an issuer: the key identifier; the name is a placeholder.
    params: CertificateParams,
}

impl Issuer {
    /// Proves that the key is the certificate's and that the certificate may sign others.
    ///
    /// # Errors
    /// [`SignError::KeyMismatch`], or [`SignError::NotACa`] (RFC 5280, 4.2.1.3 and 4.2.1.9).
    pub fn new(certificate: Certificate, key: PrivateKey) -> Result<Self, SignError> {
        if certificate.public_key_info != key.public_key_info() {
            return Err(SignError::KeyMismatch);
        }
        may_sign(&certificate)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.key_identifier_method = certificate
            .subject_key_identifier
            .clone()
            .map_or(KeyIdMethod::Sha256, KeyIdMethod::PreSpecified);
        Ok(Self {
            certificate,
            key,
            params,
        })
    }

    /// The CA certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Makes an end entity's certificate for the public half of `subject_key`.
    ///
    /// # Errors
    /// [`SignError`] when the CA key cannot sign.
    pub fn issue(
        &self,
        template: &Template<'_>,
        profile: Profile,
        subject_key: &PrivateKey,
    ) -> Result<Certificate, SignError> {
        let mut params = params(template)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages.push(KeyUsagePurpose::DigitalSignature);
        if subject_key.family() == Family::Rsa {
            params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
        }
        if profile.server_auth() {
            params
                .extended_key_usages
                .push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        if profile.client_auth() {
            params
                .extended_key_usages
                .push(ExtendedKeyUsagePurpose::ClientAuth);
        }
        let issuer = rcgen::Issuer::from_params(&self.params, Unsigned(&self.key));
        let unsigned = params
            .signed_by(&Unsigned(subject_key), &issuer)
            .map_err(|_| SignError::Encoding)?;
        let issuer_name = self.certificate.subject.as_der();
        finish(
            unsigned.der(),
            issuer_name,
            &template.subject.to_der(),
            &self.key,
        )
    }
}

fn params(template: &Template<'_>) -> Result<CertificateParams, SignError> {
    // rcgen's default subject stays as the placeholder: without one it would mark subjectAltName critical.
    let mut params = CertificateParams::default();
    params.not_before = template.validity.not_before;
    params.not_after = template.validity.not_after;
    params.serial_number = Some(template.serial.as_bytes().to_vec().into());
    params.key_identifier_method = KeyIdMethod::Sha256;
    params.subject_alt_names = template
        .names
        .iter()
        .map(subject_alt_name)
        .collect::<Result<_, _>>()?;
    Ok(params)
}

fn subject_alt_name(name: &GeneralName) -> Result<SanType, SignError> {
    let ia5 = |text: &str| text.try_into().map_err(|_| SignError::Encoding);
    Ok(match name {
        GeneralName::Dns(text) => SanType::DnsName(ia5(text)?),
        GeneralName::Email(text) => SanType::Rfc822Name(ia5(text)?),
        GeneralName::Ip(address) => SanType::IpAddress(*address),
        GeneralName::Uri(text) => SanType::URI(ia5(text)?),
    })
}

fn subtrees(dns: &[String], ip: &[Network]) -> Vec<GeneralSubtree> {
    let dns = dns.iter().map(|name| GeneralSubtree::DnsName(name.clone()));
    let ip = ip.iter().map(|network| {
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(
            network.address,
            network.prefix,
        ))
    });
    dns.chain(ip).collect()
}

/// Puts the names into what rcgen encoded, signs it, and checks that it reads back.
fn finish(
    unsigned: &[u8],
    issuer: &[u8],
    subject: &[u8],
    key: &PrivateKey,
) -> Result<Certificate, SignError> {
    let (tbs, algorithm) = split(unsigned).ok_or(SignError::Encoding)?;
    let tbs = with_names(tbs, issuer, subject).ok_or(SignError::Encoding)?;
    let mut signature = vec![0]; // no unused bits
    signature.extend(key.sign(&tbs)?);
    let mut body = tbs;
    body.extend_from_slice(algorithm);
    der::write(&mut body, der::BIT_STRING, &signature);
    let certificate =
        Certificate::from_der(CertificateDer::from(der::value(der::SEQUENCE, &body)))?;
    if certificate.issuer.as_der() != issuer || certificate.subject.as_der() != subject {
        return Err(SignError::Encoding);
    }
    Ok(certificate)
}

/// tbsCertificate and signatureAlgorithm of a certificate, as they stand.
fn split(certificate: &[u8]) -> Option<(&[u8], &[u8])> {
    let (outer, _) = der::take(certificate)?;
    let (tbs, rest) = der::take(outer.content)?;
    let (algorithm, _) = der::take(rest)?;
    Some((tbs.content, algorithm.whole))
}

/// TBSCertificate with other names: version, serialNumber, signature, *issuer*, validity, *subject*, the rest.
fn with_names(tbs: &[u8], issuer: &[u8], subject: &[u8]) -> Option<Vec<u8>> {
    let mut rest = tbs;
    for _ in 0..3 {
        rest = der::take(rest)?.1;
    }
    let head = &tbs[..tbs.len() - rest.len()];
    let (_, rest) = der::take(rest)?;
    let (validity, rest) = der::take(rest)?;
    let (_, rest) = der::take(rest)?;
    let content = [head, issuer, validity.whole, subject, rest].concat();
    let mut out = Vec::with_capacity(content.len() + 128);
    der::write(&mut out, der::SEQUENCE, &content);
    Some(out)
}

/// A key that rcgen asks for its public half, and whose signature is put in later.
struct Unsigned<'a>(&'a PrivateKey);

impl PublicKeyData for Unsigned<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_key_bits()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self.0.family() {
            Family::EcdsaP256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            Family::EcdsaP384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            Family::Ed25519 => &rcgen::PKCS_ED25519,
            Family::Rsa => &rcgen::PKCS_RSA_SHA256,
        }
    }

    fn subject_public_key_info(&self) -> Vec<u8> {
        self.0.public_key_info().to_vec()
    }
}

impl SigningKey for Unsigned<'_> {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(Vec::new())
    }
}
