//! A client certificate that nobody has reason to accept: signed by its own key, made for one run, never on disk.

use time::{Duration, OffsetDateTime};

use crate::apply::ApplyError;
use crate::error::Error;
use crate::pki::key::KeyError;
use crate::pki::profile::{NameConstraints, Profile};
use crate::pki::sign::{self, SignError};
use crate::pki::validity::BACKDATE;
use crate::pki::{
    DistinguishedName, Issuer, KeyAlgorithm, KeySource, PrivateKey, Template, Validity,
};
use crate::store::Identity;

/// The name that the server's log will show.
const SUBJECT: &str = "grpc-pki verify --deep";

/// Makes it: right in every respect, except that its issuer is nobody but itself.
pub(super) fn throwaway(keys: &dyn KeySource, now: OffsetDateTime) -> Result<Identity, Error> {
    let failed = |source| {
        Error::from(ApplyError::Key {
            name: SUBJECT.to_owned(),
            source,
        })
    };
    let unsigned = |source| {
        Error::from(ApplyError::Sign {
            name: SUBJECT.to_owned(),
            source,
        })
    };
    let subject =
        DistinguishedName::common_name(SUBJECT).map_err(|_| unsigned(SignError::Encoding))?;
    let template = |serial| Template {
        subject: &subject,
        names: &[],
        validity: Validity {
            not_before: now - BACKDATE,
            not_after: now + Duration::hours(1),
        },
        serial,
    };
    let serial = || keys.serial().map_err(failed);
    let key = keys.key(KeyAlgorithm::EcdsaP256).map_err(failed)?;
    let der = key.to_secret().map_err(failed)?;
    let same_key = || PrivateKey::from_der(&der).map_err(|_| failed(KeyError::Unsupported));
    // A CA of the same name and key signs it, which makes it signed by itself without being a CA.
    let ca = sign::self_signed(&template(serial()?), &NameConstraints::default(), &key)
        .map_err(unsigned)?;
    let issuer = Issuer::new(ca, same_key()?).map_err(unsigned)?;
    let certificate = issuer
        .issue(&template(serial()?), Profile::Client, &key)
        .map_err(unsigned)?;
    Ok(Identity {
        chain: vec![certificate.der().clone()],
        key: der,
        certificate,
    })
}
