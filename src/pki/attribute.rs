//! The attribute types that a subject may hold, with their bounds (RFC 5280, appendix A.1).

/// One attribute type that a subject may hold: its names in OpenSSL, its identifier and its limits (RFC 5280, appendix A.1).
#[derive(Debug, PartialEq, Eq)]
pub struct AttributeType {
    /// The short name, such as `CN`.
    pub short: &'static str,
    /// The long name, such as `commonName`.
    pub long: &'static str,
    pub(super) oid: &'static [u8],
    pub(super) dotted: &'static str,
    max_chars: usize,
    pub(super) string: StringType,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StringType {
    Ia5,
    Printable,
    Utf8,
}

const X520: [&[u8]; 13] = [
    &[0x55, 4, 6],
    &[0x55, 4, 8],
    &[0x55, 4, 7],
    &[0x55, 4, 10],
    &[0x55, 4, 11],
    &[0x55, 4, 3],
    &[0x55, 4, 9],
    &[0x55, 4, 17],
    &[0x55, 4, 5],
    &[0x55, 4, 12],
    &[0x55, 4, 4],
    &[0x55, 4, 42],
    &[0x55, 4, 97],
];

const fn attribute(
    short: &'static str,
    long: &'static str,
    oid: &'static [u8],
    dotted: &'static str,
    max_chars: usize,
    string: StringType,
) -> AttributeType {
    AttributeType {
        short,
        long,
        oid,
        dotted,
        max_chars,
        string,
    }
}

/// Every attribute type that certs.toml accepts.
pub static ATTRIBUTE_TYPES: [AttributeType; 16] = [
    attribute(
        "C",
        "countryName",
        X520[0],
        "2.5.4.6",
        2,
        StringType::Printable,
    ),
    attribute(
        "ST",
        "stateOrProvinceName",
        X520[1],
        "2.5.4.8",
        128,
        StringType::Utf8,
    ),
    attribute(
        "L",
        "localityName",
        X520[2],
        "2.5.4.7",
        128,
        StringType::Utf8,
    ),
    attribute(
        "O",
        "organizationName",
        X520[3],
        "2.5.4.10",
        64,
        StringType::Utf8,
    ),
    attribute(
        "OU",
        "organizationalUnitName",
        X520[4],
        "2.5.4.11",
        64,
        StringType::Utf8,
    ),
    attribute("CN", "commonName", X520[5], "2.5.4.3", 64, StringType::Utf8),
    attribute(
        "street",
        "streetAddress",
        X520[6],
        "2.5.4.9",
        128,
        StringType::Utf8,
    ),
    attribute(
        "postalCode",
        "postalCode",
        X520[7],
        "2.5.4.17",
        40,
        StringType::Utf8,
    ),
    attribute(
        "serialNumber",
        "serialNumber",
        X520[8],
        "2.5.4.5",
        64,
        StringType::Printable,
    ),
    attribute("title", "title", X520[9], "2.5.4.12", 64, StringType::Utf8),
    attribute("SN", "surname", X520[10], "2.5.4.4", 40, StringType::Utf8),
    attribute(
        "GN",
        "givenName",
        X520[11],
        "2.5.4.42",
        64,
        StringType::Utf8,
    ),
    attribute(
        "organizationIdentifier",
        "organizationIdentifier",
        X520[12],
        "2.5.4.97",
        256,
        StringType::Utf8,
    ),
    attribute(
        "emailAddress",
        "emailAddress",
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1],
        "1.2.840.113549.1.9.1",
        255,
        StringType::Ia5,
    ),
    attribute(
        "DC",
        "domainComponent",
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25],
        "0.9.2342.19200300.100.1.25",
        63,
        StringType::Ia5,
    ),
    attribute(
        "UID",
        "userId",
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1],
        "0.9.2342.19200300.100.1.1",
        256,
        StringType::Utf8,
    ),
];

impl AttributeType {
    /// The type that OpenSSL knows by this short or long name, in any case.
    pub fn find(name: &str) -> Option<&'static Self> {
        ATTRIBUTE_TYPES
            .iter()
            .find(|it| it.short.eq_ignore_ascii_case(name) || it.long.eq_ignore_ascii_case(name))
    }

    /// The type with this object identifier in dotted form.
    pub fn by_oid(dotted: &str) -> Option<&'static Self> {
        ATTRIBUTE_TYPES.iter().find(|it| it.dotted == dotted)
    }

    /// Checks a value against the type's upper bound and character set (RFC 5280, appendix A.1).
    pub(super) fn check(&'static self, value: &str) -> Result<(), DnError> {
        let chars = value.chars().count();
        if chars == 0 {
            return Err(DnError::Empty {
                attribute: self.short,
            });
        }
        if self.short == "C" && !(chars == 2 && value.chars().all(|c| c.is_ascii_uppercase())) {
            return Err(DnError::Country {
                value: value.to_owned(),
            });
        }
        if chars > self.max_chars {
            return Err(DnError::TooLong {
                attribute: self.short,
                chars,
                max: self.max_chars,
            });
        }
        let bad = |allowed: fn(char) -> bool| value.chars().find(|c| !allowed(*c));
        let found = match self.string {
            StringType::Ia5 => bad(|c| c.is_ascii() && !c.is_ascii_control()),
            StringType::Printable => {
                bad(|c| c.is_ascii_alphanumeric() || " '()+,-./:=?".contains(c))
            }
            StringType::Utf8 => bad(|c| !c.is_control()),
        };
        found.map_or(Ok(()), |character| {
            Err(DnError::Character {
                attribute: self.short,
                character,
            })
        })
    }
}

/// Why an attribute cannot stand in a distinguished name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnError {
    /// A character that the attribute's string type cannot hold.
    #[error("`{attribute}` cannot hold the character {character:?}")]
    Character {
        /// Short name of the attribute.
        attribute: &'static str,
        /// The first such character.
        character: char,
    },
    /// countryName is not two capital letters.
    #[error("`C` takes the two capital letters of a country, not `{value}`")]
    Country {
        /// What was given.
        value: String,
    },
    /// An empty value.
    #[error("`{attribute}` is empty")]
    Empty {
        /// Short name of the attribute.
        attribute: &'static str,
    },
    /// Longer than the upper bound of RFC 5280, appendix A.1.
    #[error("`{attribute}` has {chars} characters, and RFC 5280 allows {max}")]
    TooLong {
        /// Short name of the attribute.
        attribute: &'static str,
        /// Length of the value, in characters.
        chars: usize,
        /// The upper bound, in characters.
        max: usize,
    },
}
