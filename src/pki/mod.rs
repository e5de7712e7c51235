//! The domain: names, keys, validity, profiles, certificates and signing, in the words of RFC 5280.
//!
//! Nothing here reads a file, a clock or a source of randomness, and nothing here knows another room of this crate.

pub mod algorithm;
pub mod attribute;
pub mod certificate;
pub(crate) mod der;
pub mod dn;
pub mod key;
pub mod name;
pub mod path;
pub mod pem;
pub mod profile;
pub mod sign;
mod spiffe;
pub mod target;
pub mod validity;

pub use algorithm::KeyAlgorithm;
pub use certificate::Certificate;
pub use dn::DistinguishedName;
pub use key::{KeySource, PrivateKey, SerialNumber};
pub use name::GeneralName;
pub use profile::{NameConstraints, Profile};
pub use sign::{Issuer, Template};
pub use target::Target;
pub use validity::{Lifetime, Validity};
