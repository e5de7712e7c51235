//! Distinguished names (RFC 5280, 4.1.2.4 and 4.1.2.6), in the order in which they were written down.

use std::fmt;

use x509_parser::prelude::{FromDer, X509Name};

use super::algorithm::dotted;
use super::attribute::StringType;
pub use super::attribute::{ATTRIBUTE_TYPES, AttributeType, DnError};
use super::der;

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

/// A subject or an issuer: the octets as they stand, and what they say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    raw: Vec<u8>,
    attributes: Vec<(String, String)>,
}

impl Name {
    pub(super) fn read(name: &X509Name<'_>) -> Self {
        let attributes = name
            .iter_attributes()
            .map(|attribute| {
                let value = attribute.as_str().map_or_else(
                    |_| String::from_utf8_lossy(attribute.as_slice()).into_owned(),
                    str::to_owned,
                );
                (dotted(attribute.attr_type()), value)
            })
            .collect();
        Self {
            raw: name.as_raw().to_vec(),
            attributes,
        }
    }

    /// Reads the DER of a `Name`; `None` when it is none.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        X509Name::from_der(der)
            .ok()
            .map(|(_, name)| Self::read(&name))
    }

    /// The DER of the name; chaining compares these octets.
    pub fn as_der(&self) -> &[u8] {
        &self.raw
    }

    /// Attributes in order: dotted object identifier and value.
    pub(crate) fn comparable(&self) -> &[(String, String)] {
        &self.attributes
    }

    /// The first commonName.
    pub fn common_name(&self) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(oid, _)| oid == "2.5.4.3")
            .map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.attributes.is_empty() {
            return f.write_str("(empty)");
        }
        for (index, (oid, value)) in self.attributes.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            let label = AttributeType::by_oid(oid).map_or(oid.as_str(), |it| it.short);
            write!(f, "{separator}{label}={}", Escaped(value))?;
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
