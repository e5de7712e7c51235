//! A mistake in certs.toml, with its place.

use std::ops::Range;

use super::place::Lines;
use crate::pki::GeneralName;
use crate::pki::name::NameError;

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
    /// The line itself; of a long one what is around the column.
    pub source: String,
    /// How many characters of the line come before that.
    #[serde(skip)]
    pub skipped: usize,
}

/// A longer line is told in part, in characters.
const MOST: usize = 400;

impl Problem {
    pub(super) fn new(
        lines: &Lines<'_>,
        span: Range<usize>,
        message: String,
        hint: Option<String>,
    ) -> Self {
        let text = lines.text;
        let start = floor(text, span.start);
        let whole = lines.around(start);
        let before = text[whole.start..start].chars().count();
        let end = floor(text, span.end).clamp(start, whole.end.max(start));
        let mut skipped = 0;
        let mut source = text[whole].trim_end_matches('\r');
        if source.len() > MOST {
            skipped = before.saturating_sub(MOST / 2);
            source = part(source, skipped);
        }
        Self {
            line: lines.number(start),
            column: before + 1,
            length: text[start..end].chars().count().max(1),
            message,
            hint,
            source: source.to_owned(),
            skipped,
        }
    }
}

/// As many characters as are told, after so many others.
fn part(line: &str, skipped: usize) -> &str {
    let at = |line: &str, count| line.char_indices().nth(count).map_or(line.len(), |it| it.0);
    let rest = &line[at(line, skipped)..];
    &rest[..at(rest, MOST)]
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
        &Lines::new(&text),
        before.len()..text.len(),
        message,
        Some("save it as UTF-8".to_owned()),
    )
}

/// What a name should be instead, where that can be told.
pub(super) fn name_hint(error: &NameError) -> Option<String> {
    match error {
        NameError::IpUnderDns(text) => Some(format!("write IP = [\"{text}\"]")),
        NameError::Dns(text, _) if text.contains("://") || text.contains(':') => {
            Some("a name alone: no scheme, no port".to_owned())
        }
        NameError::Ip(text) if GeneralName::dns(text).is_ok() => {
            Some(format!("write DNS = [\"{text}\"]"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let text = "a = 1\r\nü = \"x\"\n";
        let at = text.find("\"x\"").unwrap();
        let lines = Lines::new(text);
        let problem = Problem::new(&lines, at..at + 3, String::new(), None);
        assert_eq!((problem.line, problem.column, problem.length), (2, 5, 3));
        assert_eq!(problem.source, "ü = \"x\"");
        let end = Problem::new(&lines, text.len()..text.len(), String::new(), None);
        assert_eq!((end.line, end.column, end.length), (3, 1, 1));
    }

    #[test]
    fn a_long_line_is_told_in_part() {
        let text = format!("a\n{}X{}\n", "ü".repeat(5000), "b".repeat(1 << 20));
        let at = text.find('X').unwrap();
        let problem = Problem::new(&Lines::new(&text), at..at + 1, String::new(), None);
        assert_eq!((problem.line, problem.column), (2, 5001));
        assert_eq!(problem.source.chars().count(), MOST);
        let told = problem.source.chars().nth(5000 - problem.skipped);
        assert_eq!(told, Some('X'));
    }

    #[test]
    fn what_is_not_utf8_is_placed_too() {
        let problem = not_utf8(b"a = 1\nb = \"\xff\"", 11);
        assert_eq!((problem.line, problem.column), (2, 6));
    }
}
