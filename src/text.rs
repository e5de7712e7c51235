//! Text that several rooms write: dates, spans of time, counts, what the system said, and what a peer said.

use std::io;
use std::path::Path;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// `2026-11-23`.
pub fn date(at: OffsetDateTime) -> String {
    at.date().to_string()
}

/// RFC 3339, to the second, in UTC.
pub fn rfc3339(at: OffsetDateTime) -> String {
    at.replace_nanosecond(0)
        .ok()
        .and_then(|it| it.format(&Rfc3339).ok())
        .unwrap_or_default()
}

/// How long it is from `now` to `at`, in the unit that fits: `365 days`, `3 hours`, `5 minutes`.
pub fn until(now: OffsetDateTime, at: OffsetDateTime) -> String {
    let seconds = (at - now).whole_seconds().abs();
    let (count, unit) = match seconds {
        // To the nearest day: what was made for 365 days a moment ago has 365 left.
        s if s >= 2 * 86_400 => ((s + 43_200) / 86_400, "day"),
        s if s >= 2 * 3600 => (s / 3600, "hour"),
        s if s >= 120 => (s / 60, "minute"),
        s => (s, "second"),
    };
    plural(count as usize, unit)
}

/// `1 day`, `2 days`.
pub fn plural(count: usize, unit: &str) -> String {
    format!(
        "{} {unit}{}",
        grouped(count),
        if count == 1 { "" } else { "s" }
    )
}

/// `10 000`: thousands apart.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// A path as a shell takes it: in quotes where it has anything but letters, digits and `/._-+:@%`.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@%,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Text from a file or a peer without control characters, so that it cannot steer a terminal.
pub fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escaped = steers(c).then(|| c.escape_default().collect::<String>());
            escaped
                .unwrap_or_else(|| c.to_string())
                .chars()
                .collect::<Vec<_>>()
        })
        .collect()
}

/// A JSON text that cannot steer a terminal either: JSON allows all but the ASCII control characters as they are.
/// They are escaped in JSON's own way, so that the value is the same.
pub fn printable_json(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, c| {
            if steers(c) {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            } else {
                out.push(c);
            }
            out
        })
}

/// Control characters, and those that change the direction of the text after them.
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What the system said, in lower case and without its number.
pub fn io_text(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let text = text
        .strip_prefix("failed to lookup address information: ")
        .unwrap_or(text);
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if !chars.as_str().starts_with(|c: char| c.is_uppercase()) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn spans_are_told_in_the_unit_that_fits() {
        let now = datetime!(2026-01-01 0:00 UTC);
        for (at, text) in [
            (datetime!(2027-01-01 0:00 UTC), "365 days"),
            (datetime!(2025-12-30 0:00 UTC), "2 days"),
            (datetime!(2026-01-01 5:59 UTC), "5 hours"),
            (datetime!(2026-01-01 0:05 UTC), "5 minutes"),
            (datetime!(2026-01-01 0:00:01 UTC), "1 second"),
        ] {
            assert_eq!(until(now, at), text);
        }
        assert_eq!(plural(10_000, "certificate"), "10 000 certificates");
        assert_eq!(plural(999, "certificate"), "999 certificates");
    }

    #[test]
    fn what_could_steer_a_terminal_is_escaped() {
        assert_eq!(
            printable("a\x1b[2Jb\u{202e}ü\n"),
            "a\\u{1b}[2Jb\\u{202e}ü\\n"
        );
    }

    #[test]
    fn json_keeps_its_value_and_steers_nothing() {
        let value = serde_json::json!({ "a": "\x1b\u{9b}\u{7f}\u{202e}ü\n" });
        let text = printable_json(&value.to_string());
        assert_eq!(text, r#"{"a":"\u001b\u009b\u007f\u202eü\n"}"#);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            value
        );
    }

    #[test]
    fn what_the_system_says_has_no_number_and_no_capital() {
        assert_eq!(
            io_text(&io::Error::from_raw_os_error(13)),
            "permission denied"
        );
        assert_eq!(
            io_text(&io::Error::from_raw_os_error(28)),
            "no space left on device"
        );
    }

    #[test]
    fn a_path_is_one_word_for_a_shell() {
        for (path, word) in [
            ("pki/a.crt", "pki/a.crt"),
            ("p k i", "'p k i'"),
            ("a'b$", "'a'\\''b$'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(Path::new(path)), word);
        }
    }
}
