//! A mistake in certs.toml, with its place.

use std::ops::Range;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// How many characters of the line it covers, at least 1.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The line itself.
    pub source: String,
}

impl Problem {
    pub(super) fn new(
        text: &str,
        span: Range<usize>,
        message: String,
        hint: Option<String>,
    ) -> Self {
        let start = floor(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let end = floor(text, span.end).clamp(start, line_end);
        Self {
            line: line_of(text, start),
            column: text[line_start..start].chars().count() + 1,
            length: text[start..end].chars().count().max(1),
            message,
            hint,
            source: text[line_start..line_end].trim_end_matches('\r').to_owned(),
        }
    }
}

/// The number of the line on which an offset lies, counted from 1.
fn line_of(text: &str, offset: usize) -> usize {
    text[..floor(text, offset)].matches('\n').count() + 1
}

/// The next offset down at which a character starts.
fn floor(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// A file that is not UTF-8, which TOML demands.
pub(super) fn not_utf8(octets: &[u8], offset: usize) -> Problem {
    let before = String::from_utf8_lossy(&octets[..offset]);
    let text = format!("{before}\u{fffd}");
    let message = "the file is not UTF-8 from here on".to_owned();
    Problem::new(
        &text,
        before.len()..text.len(),
        message,
        Some("save it as UTF-8".to_owned()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let text = "a = 1\r\nü = \"x\"\n";
        let at = text.find("\"x\"").unwrap();
        let problem = Problem::new(text, at..at + 3, String::new(), None);
        assert_eq!((problem.line, problem.column, problem.length), (2, 5, 3));
        assert_eq!(problem.source, "ü = \"x\"");
        let end = Problem::new(text, text.len()..text.len(), String::new(), None);
        assert_eq!((end.line, end.column, end.length), (3, 1, 1));
    }

    #[test]
    fn what_is_not_utf8_is_placed_too() {
        let problem = not_utf8(b"a = 1\nb = \"\xff\"", 11);
        assert_eq!((problem.line, problem.column), (2, 6));
    }
}
