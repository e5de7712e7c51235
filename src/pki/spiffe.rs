//! SPIFFE ids, as the SPIFFE id specification has them.

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
    use crate::pki::GeneralName;
    use crate::pki::name::NameError;

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
