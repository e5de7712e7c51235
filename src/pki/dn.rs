//! Distinguished names (RFC 5280, 4.1.2.4 and 4.1.2.6), in the order in which they were written down.

use std::fmt;

use super::der;

/// One attribute type that a subject may hold: its names in OpenSSL, its identifier and its limits (RFC 5280, appendix A.1).
#[derive(Debug, PartialEq, Eq)]
pub struct AttributeType {
    /// The short name, such as `CN`.
    pub short: &'static str,
    /// The long name, such as `commonName`.
    pub long: &'static str,
    oid: &'static [u8],
    dotted: &'static str,
    max_chars: usize,
    string: StringType,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StringType {
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
    fn check(&'static self, value: &str) -> Result<(), DnError> {
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

/// The value of `subject` and `issuer`: attributes in order, each type as often as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DistinguishedName {
    attributes: Vec<(&'static AttributeType, String)>,
}

impl DistinguishedName {
    /// An empty name.
    pub fn new() -> Self {
        Self::default()
    }

    /// A name with a commonName alone.
    ///
    /// # Errors
    /// As [`DistinguishedName::push`].
    pub fn common_name(value: &str) -> Result<Self, DnError> {
        let mut name = Self::new();
        name.push(&ATTRIBUTE_TYPES[5], value)?;
        Ok(name)
    }

    /// Appends an attribute; a type that is there already is repeated, not replaced.
    ///
    /// # Errors
    /// [`DnError`] when the value breaks a bound of RFC 5280, appendix A.1.
    pub fn push(&mut self, attribute: &'static AttributeType, value: &str) -> Result<(), DnError> {
        attribute.check(value)?;
        self.attributes.push((attribute, value.to_owned()));
        Ok(())
    }

    /// Whether it has no attribute.
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    /// The first value of the attribute with this short name.
    pub fn get(&self, short: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(attribute, _)| attribute.short == short)
            .map(|(_, value)| value.as_str())
    }

    /// The attributes in order: type and value.
    pub fn attributes(&self) -> impl Iterator<Item = (&'static AttributeType, &str)> {
        self.attributes
            .iter()
            .map(|(attribute, value)| (*attribute, value.as_str()))
    }

    /// Attributes as (dotted object identifier, value): what two encodings of one name have in common.
    pub(crate) fn comparable(&self) -> Vec<(String, String)> {
        self.attributes
            .iter()
            .map(|(attribute, value)| (attribute.dotted.to_owned(), value.clone()))
            .collect()
    }

    /// The DER encoding of the `Name` (RFC 5280, 4.1.2.4): one attribute a relative distinguished name.
    pub fn to_der(&self) -> Vec<u8> {
        let mut sequence = Vec::with_capacity(128);
        for (attribute, value) in &self.attributes {
            let mut pair = Vec::with_capacity(value.len() + 16);
            der::write(&mut pair, der::OBJECT_IDENTIFIER, attribute.oid);
            let tag = match attribute.string {
                StringType::Ia5 => der::IA5_STRING,
                StringType::Printable => der::PRINTABLE_STRING,
                StringType::Utf8 => der::UTF8_STRING,
            };
            der::write(&mut pair, tag, value.as_bytes());
            der::write(&mut sequence, der::SET, &der::value(der::SEQUENCE, &pair));
        }
        der::value(der::SEQUENCE, &sequence)
    }
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (attribute, value)) in self.attributes.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{}={}", attribute.short, Escaped(value))?;
        }
        Ok(())
    }
}

/// A value with the characters escaped that would read as another attribute (RFC 4514, 2.4).
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            if matches!(character, ',' | '+' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{character}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::{FromDer, X509Name};

    use super::*;

    fn parsed(name: &DistinguishedName) -> String {
        let der = name.to_der();
        let (rest, parsed) = X509Name::from_der(&der).unwrap();
        assert!(rest.is_empty());
        parsed.to_string()
    }

    #[test]
    fn order_and_repetition_survive_the_encoding() {
        let mut name = DistinguishedName::new();
        for (attribute, value) in [
            ("DC", "test"),
            ("DC", "corp"),
            ("OU", "One"),
            ("CN", "x"),
            ("organizationalUnitName", "Two"),
        ] {
            name.push(AttributeType::find(attribute).unwrap(), value)
                .unwrap();
        }
        assert_eq!(parsed(&name), "DC=test, DC=corp, OU=One, CN=x, OU=Two");
        assert_eq!(name.to_string(), "DC=test, DC=corp, OU=One, CN=x, OU=Two");
    }

    #[test]
    fn a_value_cannot_pass_for_another_attribute() {
        let name = DistinguishedName::common_name("a, OU=b+c\\").unwrap();
        assert_eq!(name.to_string(), "CN=a\\, OU=b\\+c\\\\");
    }

    #[test]
    fn every_attribute_type_is_one_that_others_know() {
        for attribute in &ATTRIBUTE_TYPES {
            let mut name = DistinguishedName::new();
            name.push(
                attribute,
                if attribute.short == "C" {
                    "DE"
                } else {
                    "value"
                },
            )
            .unwrap();
            let der = name.to_der();
            let (_, read) = X509Name::from_der(&der).unwrap();
            let oid = read
                .iter_attributes()
                .next()
                .unwrap()
                .attr_type()
                .to_id_string();
            assert_eq!(oid, attribute.dotted, "{}", attribute.long);
        }
    }

    #[test]
    fn bounds_are_those_of_rfc_5280() {
        let mut name = DistinguishedName::new();
        let mut push = |attribute: &str, value: &str| {
            name.push(AttributeType::find(attribute).unwrap(), value)
        };
        assert_eq!(push("CN", &"ü".repeat(64)), Ok(()));
        assert_eq!(
            push("CN", &"x".repeat(65)),
            Err(DnError::TooLong {
                attribute: "CN",
                chars: 65,
                max: 64
            })
        );
        assert!(matches!(push("C", "USA"), Err(DnError::Country { .. })));
        assert!(matches!(
            push("countryName", "us"),
            Err(DnError::Country { .. })
        ));
        assert!(matches!(push("O", ""), Err(DnError::Empty { .. })));
        assert!(matches!(
            push("O", "a\nb"),
            Err(DnError::Character {
                character: '\n',
                ..
            })
        ));
        assert!(matches!(
            push("serialNumber", "a_b"),
            Err(DnError::Character { character: '_', .. })
        ));
        assert!(matches!(
            push("emailAddress", "ü@x"),
            Err(DnError::Character { .. })
        ));
    }
}
