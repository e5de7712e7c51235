//! SPIFFE ids, as the SPIFFE id specification has them, and as certificates have them (X509-SVID).

use super::name::GeneralName;

/// Who a certificate says its holder is (X509-SVID, 2): one URI, which is a SPIFFE id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity<'a> {
    /// This one.
    Id(&'a str),
    /// It has no URI, or one that is no SPIFFE id.
    Missing,
    /// It has so many URIs, and therefore none that counts.
    Several(usize),
}

/// Reads the names of a certificate.
pub fn identity(names: &[GeneralName]) -> Identity<'_> {
    let uris = names.iter().filter_map(|name| match name {
        GeneralName::Uri(uri) => Some(uri.as_str()),
        _ => None,
    });
    match uris.collect::<Vec<_>>()[..] {
        [id] if id.starts_with("spiffe:") => Identity::Id(id),
        [] | [_] => Identity::Missing,
        ref several => Identity::Several(several.len()),
    }
}

/// The rules of the SPIFFE id specification, section 2.
pub(super) fn check(text: &str) -> Result<(), &'static str> {
    let rest = text
        .strip_prefix("spiffe://")
        .ok_or("it must start with `spiffe://`, in lower case")?;
    if text.len() > 2048 {
        return Err("it may have at most 2048 octets");
    }
    if rest.contains(['?', '#']) {
        return Err("it may have no query and no fragment");
    }
    let (domain, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if domain.is_empty() || domain.len() > 255 {
        return Err("its trust domain must have 1 to 255 characters");
    }
    if !domain
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c))
    {
        return Err("its trust domain may hold only lower-case letters, digits, `-`, `.` and `_`");
    }
    let segment_fine = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
    };
    if !path.is_empty() && !path[1..].split('/').all(segment_fine) {
        return Err(
            "its path may have no empty, `.` or `..` segment, and only letters, digits, `-`, `.` and `_`",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::name::NameError;

    #[test]
    fn a_certificate_has_one_uri_or_no_identity() {
        let uri = |text: &str| GeneralName::Uri(text.to_owned());
        let dns = GeneralName::Dns("localhost".to_owned());
        let (one, other) = (uri("spiffe://a/b"), uri("https://a/b"));
        assert_eq!(
            identity(&[dns.clone(), one.clone()]),
            Identity::Id("spiffe://a/b")
        );
        for names in [vec![], vec![dns], vec![other.clone()]] {
            assert_eq!(identity(&names), Identity::Missing);
        }
        // Of whatever kind the others are.
        assert_eq!(identity(&[one.clone(), other]), Identity::Several(2));
        assert_eq!(identity(&[one.clone(), one]), Identity::Several(2));
    }

    #[test]
    fn spiffe_ids_follow_their_specification() {
        for text in [
            "spiffe://example.internal/orders",
            "spiffe://example",
            "https://a/b?c",
            "urn:uuid:1",
        ] {
            assert!(GeneralName::uri(text).is_ok(), "{text}");
        }
        for text in [
            "spiffe:x",
            "spiffe://",
            "spiffe://A/b",
            "spiffe://a/",
            "spiffe://a//b",
            "spiffe://a/../b",
            "spiffe://a:1/b",
            "spiffe://a/b?c",
            "SPIFFE://a/b",
        ] {
            assert!(
                matches!(GeneralName::uri(text), Err(NameError::Spiffe(..))),
                "{text}"
            );
        }
        for text in ["", "orders", "//x", "1a:b", "a b:c", "a:"] {
            assert!(
                matches!(GeneralName::uri(text), Err(NameError::Uri(_))),
                "{text}"
            );
        }
    }
}
