//! Who signs: the CA of the folder, as far as it is there.

use std::path::Path;

use time::OffsetDateTime;

use super::{PlanError, Signer};
use crate::pki::sign::{SignError, may_sign};
use crate::pki::validity::Moment;
use crate::pki::{Certificate, Issuer, PrivateKey, StoredKey, Validity};
use crate::store::{CaFiles, Found};

/// The CA's certificate, and what there is of its key.
pub(super) fn authority(files: CaFiles, dir: &Path) -> Result<(Certificate, Signer), PlanError> {
    let (certificate, key) = (dir.join("ca.crt"), dir.join("ca.key"));
    let certificates = match files.certificates {
        Found::Read(certificates) => certificates,
        Found::Wrong(content) => {
            return Err(PlanError::Content {
                path: certificate,
                content,
            });
        }
        Found::Missing if files.key.is_missing() => {
            return Err(PlanError::NoCa {
                dir: dir.to_owned(),
            });
        }
        Found::Missing => {
            return Err(PlanError::CaIncomplete {
                there: key,
                missing: certificate,
            });
        }
    };
    match files.key {
        Found::Read(StoredKey::Plain(private_key)) => {
            let own = |it: &Certificate| it.public_key_info == private_key.public_key_info();
            let Some(own) = certificates.into_iter().find(own) else {
                return Err(PlanError::CaMismatch { key, certificate });
            };
            let issuer = prove(own, private_key, dir)?;
            let own = issuer.certificate().clone();
            Ok((own, Signer::Ready(Box::new(issuer))))
        }
        Found::Read(StoredKey::Encrypted(it)) => {
            Ok((newest(certificates, dir)?, Signer::Encrypted(it)))
        }
        Found::Missing if files.ephemeral => Ok((newest(certificates, dir)?, Signer::Ephemeral)),
        Found::Wrong(content) => Err(PlanError::Content { path: key, content }),
        Found::Missing => Err(PlanError::CaIncomplete {
            there: certificate,
            missing: key,
        }),
    }
}

/// The youngest certificate that may sign others.
pub(super) fn newest(certificates: Vec<Certificate>, dir: &Path) -> Result<Certificate, PlanError> {
    let mut best: Result<Certificate, PlanError> = Err(PlanError::NoCa {
        dir: dir.to_owned(),
    });
    for certificate in certificates {
        match (&best, may_sign(&certificate)) {
            (Ok(best), Ok(())) if best.validity.not_before >= certificate.validity.not_before => {}
            (_, Ok(())) => best = Ok(certificate),
            (Err(PlanError::NoCa { .. }), Err(error)) => best = Err(unfit(error, dir)),
            (_, Err(_)) => {}
        }
    }
    best
}

/// Only a CA that is valid now is worth signing with.
pub(super) fn current(ca: &Certificate, dir: &Path, now: OffsetDateTime) -> Result<(), PlanError> {
    let path = dir.join("ca.crt");
    let Validity {
        not_before,
        not_after,
    } = ca.validity;
    match ca.validity.at(now) {
        Moment::After => Err(PlanError::CaExpired { path, not_after }),
        Moment::Before => Err(PlanError::CaNotYetValid { path, not_before }),
        Moment::Within => Ok(()),
    }
}

/// A certificate that may sign others, with its key.
fn prove(certificate: Certificate, key: PrivateKey, dir: &Path) -> Result<Issuer, PlanError> {
    Issuer::new(certificate, key).map_err(|error| unfit(error, dir))
}

fn unfit(error: SignError, dir: &Path) -> PlanError {
    let path = dir.join("ca.crt");
    match error {
        SignError::NotACa(why) => PlanError::NotACa { path, why },
        _ => PlanError::CaMismatch {
            key: dir.join("ca.key"),
            certificate: path,
        },
    }
}
