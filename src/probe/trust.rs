//! Whether a server is the one that was meant: by its name, or by its SPIFFE id.

use std::sync::{Arc, LazyLock};

use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, ServerName,
    SignatureVerificationAlgorithm, UnixTime,
};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error as TlsError, RootCertStore};
use time::OffsetDateTime;

use super::Request;
use crate::pki::path::Path;
use crate::pki::revocation::is_revoked;
use crate::pki::spiffe::{self, Identity};
use crate::pki::validity::Moment;
use crate::pki::verified::Signed;
use crate::pki::{Certificate, RevocationList};

/// What a server showed, and whom it was taken for.
pub(super) struct Served<'a> {
    pub(super) end_entity: &'a CertificateDer<'a>,
    pub(super) intermediates: &'a [CertificateDer<'a>],
    pub(super) server_name: &'a ServerName<'a>,
    pub(super) now: UnixTime,
}

impl Served<'_> {
    fn certificates(&self) -> Result<Vec<Certificate>, TlsError> {
        let chain = std::iter::once(self.end_entity).chain(self.intermediates);
        chain
            .map(|der| Certificate::from_der(der.clone().into_owned()))
            .collect::<Result<_, _>>()
            .map_err(|_| CertificateError::BadEncoding.into())
    }
}

/// Trust anchors as webpki takes them; one that it cannot read is none.
pub(super) fn roots(anchors: &[Certificate]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(anchors.iter().map(|it| it.der().clone()));
    roots
}

/// webpki's judgement of the path, and of the name or the SPIFFE id.
#[derive(Debug)]
pub(super) struct Trust {
    roots: Arc<RootCertStore>,
    spiffe_id: Option<String>,
}

impl Trust {
    pub(super) fn new(request: &Request) -> Self {
        Self::of(request, request.basis.roots.clone())
    }

    fn of(request: &Request, roots: Arc<RootCertStore>) -> Self {
        Self {
            roots,
            spiffe_id: request.target.spiffe_id.clone(),
        }
    }

    pub(super) fn verify(&self, served: &Served<'_>) -> Result<(), TlsError> {
        let certificate = ParsedCertificate::try_from(served.end_entity)?;
        verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &self.roots,
            served.intermediates,
            served.now,
            &ALGORITHMS,
        )?;
        let Some(wanted) = &self.spiffe_id else {
            return verify_server_name(&certificate, served.server_name);
        };
        let end_entity = Certificate::from_der(served.end_entity.clone().into_owned());
        match end_entity {
            Ok(it) if spiffe::identity(&it.names) == Identity::Id(wanted) => Ok(()),
            _ => Err(CertificateError::NotValidForName.into()),
        }
    }
}

/// What is asked besides where there is an identity to protect: a server under an expired trust anchor, whose dates
/// webpki does not look at, or one whose certificate was revoked, is not to learn who we are.
#[derive(Debug)]
pub(super) struct Strict {
    trust: Trust,
    anchors: Arc<[Certificate]>,
    revocation_lists: Vec<Arc<RevocationList>>,
    now: OffsetDateTime,
}

impl Strict {
    pub(super) fn new(request: &Request) -> Self {
        let basis = &request.basis;
        let is_current = |it: &&Certificate| it.validity.at(request.now) == Moment::Within;
        let (anchors, roots) = if basis.anchors.iter().all(|it| is_current(&it)) {
            (basis.anchors.clone(), basis.roots.clone())
        } else {
            let current = basis.anchors.iter().filter(is_current);
            let current: Arc<[Certificate]> = current.cloned().collect();
            let roots = Arc::new(roots(&current));
            (current, roots)
        };
        Self {
            trust: Trust::of(request, roots),
            anchors,
            revocation_lists: basis.revocation_lists.clone(),
            now: request.now,
        }
    }

    pub(super) fn verify(&self, served: &Served<'_>) -> Result<(), TlsError> {
        self.trust.verify(served)?;
        if self.revocation_lists.is_empty() {
            return Ok(());
        }
        let chain = served.certificates()?;
        let lists: Vec<_> = self.revocation_lists.iter().map(Arc::as_ref).collect();
        // Only a path on which the lists were asked counts; webpki may have gone by another one.
        let path = Path::find(&chain, &self.anchors, self.now);
        match path.filter(|it| it.anchor().is_some()) {
            None => Err(CertificateError::UnknownIssuer.into()),
            Some(path) if is_revoked(&path, &lists, self.now) => {
                Err(CertificateError::Revoked.into())
            }
            Some(_) => Ok(()),
        }
    }
}

/// The algorithms of rustls, none of which verifies the same signature twice in a run.
static ALGORITHMS: LazyLock<Vec<&'static dyn SignatureVerificationAlgorithm>> =
    LazyLock::new(|| {
        static ALL: LazyLock<Vec<Once>> = LazyLock::new(|| {
            let all = default_provider().signature_verification_algorithms.all;
            all.iter().map(|it| Once(*it)).collect()
        });
        ALL.iter().map(|it| it as _).collect()
    });

/// Verifies signatures of certificates, and remembers which were right.
#[derive(Debug)]
struct Once(&'static dyn SignatureVerificationAlgorithm);

impl SignatureVerificationAlgorithm for Once {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let (key_algorithm, algorithm) = (self.0.public_key_alg_id(), self.0.signature_alg_id());
        let signed = Signed {
            key_algorithm: key_algorithm.as_ref(),
            key: public_key,
            algorithm: algorithm.as_ref(),
            message,
            signature,
        };
        if !signed.is_known() {
            self.0.verify_signature(public_key, message, signature)?;
            signed.remember();
        }
        Ok(())
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.0.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.0.signature_alg_id()
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }
}
