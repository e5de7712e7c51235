//! The keys of certs.toml, table by table. The reader knows no others, and the certs.toml at the root of the
//! repository explains each: a test compares them. Attributes of a `dn` are [`crate::pki::dn::ATTRIBUTE_TYPES`].

/// The top level.
pub const TOP: [&str; 6] = ["address", "ca", "defaults", "dn", "alt_names", "certs"];

/// `[ca]`.
pub const CA: [&str; 6] = ["dn", "key", "encrypt", "valid_for", "permitted", "excluded"];

/// `[defaults]`.
pub const DEFAULTS: [&str; 3] = ["key", "valid_for", "renew_before"];

/// `[certs.NAME]`.
pub const ENTRY: [&str; 7] = [
    "profile",
    "address",
    "dn",
    "alt_names",
    "key",
    "valid_for",
    "renew_before",
];

/// Where `server.crt` is served stands at the top level, or where an entry's certificate is, in the entry.
pub const ADDRESS: &str = "address";

/// `alt_names`, at the top level and in an entry.
pub const ALT_NAMES: [&str; 4] = ["DNS", "IP", "URI", "email"];

/// `permitted` and `excluded` of `[ca]`.
pub const SUBTREES: [&str; 2] = ["DNS", "IP"];
