//! The domain: names, keys, validity, profiles, certificates and signing, in the words of RFC 5280.
//!
//! Nothing here reads a file, a clock or a source of randomness, and nothing here knows another room of this crate.

pub mod algorithm;
pub mod attribute;
pub mod certificate;
pub mod contents;
pub(crate) mod der;
pub mod dn;
pub mod encrypted;
pub mod key;
pub mod name;
pub mod path;
pub mod pem;
pub mod profile;
pub mod revocation;
pub mod sign;
pub mod spiffe;
pub mod validity;
pub(crate) mod verified;

pub use algorithm::KeyAlgorithm;
pub use certificate::Certificate;
pub use dn::DistinguishedName;
pub use encrypted::{EncryptedKey, StoredKey};
pub use key::{KeySource, PrivateKey, SerialNumber};
pub use name::GeneralName;
pub use profile::{NameConstraints, Profile};
pub use revocation::RevocationList;
pub use sign::{Issuer, Template};
pub use validity::{Lifetime, Validity};
