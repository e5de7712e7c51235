//! What goes with the calls beside the request: names, and values that are nobody's business but the server's.

use std::fmt;
use std::str::FromStr;

use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, BinaryMetadataKey};
use tonic::metadata::{BinaryMetadataValue, MetadataMap};

/// Names that the client sets itself, or that HTTP/2 does not have.
const OWN: [&str; 10] = [
    "connection",
    "content-length",
    "content-type",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// Custom metadata of gRPC. Its values are tokens, so nothing here shows them.
#[derive(Clone, Default)]
pub struct Metadata {
    fields: MetadataMap,
    names: Vec<String>,
}

/// Why a text is no metadata. No error has the value in it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// A name that ends in `-bin`, and a value that is not base64.
    #[error("the header `{0}` ends in -bin, and its value is not base64")]
    Base64(String),
    /// No value.
    #[error("the header `{0}` has no value")]
    Empty(String),
    /// No name that gRPC allows; it is not repeated, as it may be part of a token.
    #[error("header number {0} has no name of letters, digits, `-`, `_` and `.` before a colon")]
    Name(usize),
    /// A name that is not the user's to set.
    #[error("the header `{0}` is set by gRPC itself")]
    Reserved(String),
    /// A value with other characters than those of ASCII.
    #[error("the value of the header `{0}` has other characters than printable ASCII")]
    Value(String),
}

impl Metadata {
    /// Reads fields of the form `name: value`, in order.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn parse<'t>(fields: impl IntoIterator<Item = &'t str>) -> Result<Self, MetadataError> {
        let mut metadata = Self::default();
        for (index, field) in fields.into_iter().enumerate() {
            metadata.add(index + 1, field)?;
        }
        Ok(metadata)
    }

    fn add(&mut self, number: usize, field: &str) -> Result<(), MetadataError> {
        // A pseudo-header of HTTP/2, such as `:authority`, starts with a colon.
        let (start, rest) = field.split_at(usize::from(field.starts_with(':')));
        let (name, value) = rest.split_once(':').ok_or(MetadataError::Name(number))?;
        let name = format!("{start}{}", name.trim().to_ascii_lowercase());
        let bare = name.strip_prefix(':').unwrap_or(&name);
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if bare.is_empty() || !bare.chars().all(allowed) {
            return Err(MetadataError::Name(number));
        }
        if bare != name || name.starts_with("grpc-") || OWN.contains(&name.as_str()) {
            return Err(MetadataError::Reserved(name));
        }
        let value = value.trim();
        if value.is_empty() {
            return Err(MetadataError::Empty(name));
        }
        if name.ends_with("-bin") {
            self.add_binary(&name, value)?;
        } else {
            self.add_text(&name, value)?;
        }
        if !self.names.contains(&name) {
            self.names.push(name);
        }
        Ok(())
    }

    fn add_text(&mut self, name: &str, value: &str) -> Result<(), MetadataError> {
        let wrong = || MetadataError::Value(name.to_owned());
        if !value.bytes().all(|it| matches!(it, b' '..=b'~')) {
            return Err(wrong());
        }
        let mut value = AsciiMetadataValue::from_str(value).map_err(|_| wrong())?;
        // HTTP/2 then keeps it out of the tables that later requests refer to.
        value.set_sensitive(true);
        let key = AsciiMetadataKey::from_str(name).map_err(|_| wrong())?;
        self.fields.append(key, value);
        Ok(())
    }

    fn add_binary(&mut self, name: &str, value: &str) -> Result<(), MetadataError> {
        use base64::Engine;
        use base64::engine::general_purpose::STANDARD_NO_PAD;
        let wrong = || MetadataError::Base64(name.to_owned());
        let bare = value.trim_end_matches('=');
        let octets = STANDARD_NO_PAD.decode(bare).map_err(|_| wrong())?;
        let mut value = BinaryMetadataValue::from_bytes(&octets);
        value.set_sensitive(true);
        let key = BinaryMetadataKey::from_str(name).map_err(|_| wrong())?;
        self.fields.append_bin(key, value);
        Ok(())
    }

    /// The names, each once, in the order in which they were given.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// As tonic takes it.
    pub(super) fn fields(&self) -> &MetadataMap {
        &self.fields
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Metadata").field(&self.names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_people_write_them() {
        let fields = [
            "Authorization: Bearer a:b",
            "x-tenant:one",
            "x-tenant: two",
            "x-id-bin: AAEC",
            "x-other-bin: AA==",
        ];
        let metadata = Metadata::parse(fields).unwrap();
        let names = ["authorization", "x-tenant", "x-id-bin", "x-other-bin"];
        assert_eq!(metadata.names(), names);
        let fields = metadata.fields();
        assert_eq!(fields.get("authorization").unwrap(), "Bearer a:b");
        assert_eq!(fields.get_all("x-tenant").iter().count(), 2);
        let binary = fields.get_bin("x-id-bin").unwrap();
        assert_eq!(&binary.to_bytes().unwrap()[..], [0, 1, 2]);
    }

    #[test]
    fn what_grpc_does_not_allow_is_refused() {
        use MetadataError::{Base64, Empty, Name, Reserved, Value};
        let name = str::to_owned;
        for (field, error) in [
            ("Bearer abc", Name(1)),
            ("", Name(1)),
            (":", Name(1)),
            (": x", Name(1)),
            ("Bearer abc: x", Name(1)),
            ("ü: x", Name(1)),
            (":authority: x", Reserved(name(":authority"))),
            ("Grpc-Timeout: 1S", Reserved(name("grpc-timeout"))),
            ("te: trailers", Reserved(name("te"))),
            ("Content-Type: a", Reserved(name("content-type"))),
            ("authorization:", Empty(name("authorization"))),
            ("authorization:  ", Empty(name("authorization"))),
            ("a: ü", Value(name("a"))),
            ("a: b\nc: d", Value(name("a"))),
            ("a-bin: ###", Base64(name("a-bin"))),
        ] {
            assert_eq!(Metadata::parse([field]).unwrap_err(), error, "{field:?}");
        }
        assert_eq!(Metadata::parse(["a: b", "c"]).unwrap_err(), Name(2));
    }

    #[test]
    fn values_are_shown_nowhere() {
        let metadata = Metadata::parse(["authorization: s3cret"]).unwrap();
        assert_eq!(format!("{metadata:?}"), r#"Metadata(["authorization"])"#);
        assert!(!format!("{:?}", metadata.fields()).contains("s3cret"));
        let error = Metadata::parse(["authorization: s3cretü"]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }
}
