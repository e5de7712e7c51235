//! Where an entry's names stand in certs.toml, and the line that adds one: shown to users, who type it.

use std::ops::Range;

/// The line to write for one more name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLine {
    /// Where; counted from 1.
    pub line: usize,
    /// Whether it replaces that line, or goes below it.
    pub replaces: bool,
    /// The whole line.
    pub text: String,
}

/// Where the names of one kind stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// `DNS`, `IP`, `URI` or `email`.
    pub(super) name: &'static str,
    /// Octets of the value, or of the last one where they are numbered.
    pub(super) span: Range<usize>,
    /// The numbers of the numbered form; none for a string or a list.
    pub(super) numbers: Vec<u32>,
    /// The names as they are written.
    pub(super) values: Vec<String>,
}

/// A longer line is none to type, in octets; each entry that stands on it would keep it.
const MAX_LINE: usize = 4096;

/// Where the names of one entry stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Line of `alt_names`, or of the entry's own header where it has none; counted from 1.
    pub line: usize,
    /// Kinds that are there; none for one that a single line cannot mend.
    kinds: Vec<(&'static str, Option<NewLineAt>)>,
    other: Option<NewLineAt>,
}

/// How a line is made from the name that it gains.
#[derive(Clone, Debug, PartialEq, Eq)]
enum NewLineAt {
    /// A value that starts and ends on one line.
    Around {
        line: usize,
        before: String,
        values: Vec<String>,
        after: String,
    },
    /// `DNS.3` after `DNS.2`.
    Numbered {
        line: usize,
        prefix: String,
        next: u32,
    },
    /// One more key in `{ … }` on one line.
    Inline {
        line: usize,
        before: String,
        after: String,
    },
    /// One more line in a section.
    Section { line: usize, numbered: bool },
}

impl Place {
    pub(super) fn new(lines: &Lines<'_>, key: usize, table: Range<usize>, kinds: &[Kind]) -> Self {
        let known = kinds.iter().map(|kind| (kind.name, of_kind(lines, kind)));
        let numbered = kinds.iter().any(|kind| !kind.numbers.is_empty());
        Self {
            line: lines.number(key),
            kinds: known.collect(),
            other: of_table(lines, key, table, numbered),
        }
    }

    /// The line that has `new` where `old` is among the names of `kind`; `None` as for [`Place::add`], and where the
    /// names are numbered.
    pub fn replace(&self, kind: &str, old: &str, new: &str) -> Option<NewLine> {
        let (_, at) = self.kinds.iter().find(|(of, _)| *of == kind)?;
        let NewLineAt::Around {
            line,
            before,
            values,
            after,
        } = at.as_ref()?
        else {
            return None;
        };
        let quoted = |it: &String| format!("\"{}\"", if it == old { new } else { it });
        let names: Vec<String> = values.iter().map(quoted).collect();
        values.iter().any(|it| it == old).then(|| NewLine {
            line: *line,
            replaces: true,
            text: format!("{before}[{}]{after}", names.join(", ")),
        })
    }

    /// The line that adds `name` to the names of `kind`; `None` where the layout is one that a line cannot mend.
    pub fn add(&self, kind: &str, name: &str) -> Option<NewLine> {
        let known = self.kinds.iter().find(|(of, _)| *of == kind);
        let at = known.map_or(self.other.as_ref(), |(_, at)| at.as_ref());
        let (line, replaces, text) = match at? {
            NewLineAt::Around {
                line,
                before,
                values,
                after,
            } => {
                let values = values.iter().map(String::as_str).chain([name]);
                let list: Vec<String> = values.map(|it| format!("\"{it}\"")).collect();
                (*line, true, format!("{before}[{}]{after}", list.join(", ")))
            }
            NewLineAt::Numbered { line, prefix, next } => {
                (*line, false, format!("{prefix}.{next} = \"{name}\""))
            }
            NewLineAt::Inline {
                line,
                before,
                after,
            } => {
                let comma = if before.trim_end().ends_with('{') {
                    ""
                } else {
                    ","
                };
                (
                    *line,
                    true,
                    format!("{before}{comma} {kind} = [\"{name}\"] {after}"),
                )
            }
            NewLineAt::Section {
                line,
                numbered: true,
            } => (*line, false, format!("{kind}.1 = \"{name}\"")),
            NewLineAt::Section {
                line,
                numbered: false,
            } => (*line, false, format!("{kind} = [\"{name}\"]")),
        };
        Some(NewLine {
            line,
            replaces,
            text,
        })
    }
}

fn of_kind(lines: &Lines<'_>, kind: &Kind) -> Option<NewLineAt> {
    let text = lines.text;
    let whole = lines.around(kind.span.start);
    if whole.len() > MAX_LINE {
        return None;
    }
    let line = lines.number(kind.span.start);
    if kind.numbers.is_empty() {
        return (kind.span.end <= whole.end).then(|| NewLineAt::Around {
            line,
            before: text[whole.start..kind.span.start].to_owned(),
            values: kind.values.clone(),
            after: text[kind.span.end..whole.end].to_owned(),
        });
    }
    let key = text[whole.start..kind.span.start]
        .trim_end()
        .strip_suffix('=')?
        .trim_end();
    let prefix = key.trim_end_matches(|c: char| c.is_ascii_digit());
    let alone = !key.contains(['{', ',']) && prefix.len() < key.len();
    let prefix = prefix.strip_suffix('.').filter(|_| alone)?;
    let next = kind.numbers.iter().max()?.checked_add(1)?;
    Some(NewLineAt::Numbered {
        line,
        prefix: prefix.to_owned(),
        next,
    })
}

/// Where a kind of name that is not there yet would go.
fn of_table(
    lines: &Lines<'_>,
    key: usize,
    table: Range<usize>,
    numbered: bool,
) -> Option<NewLineAt> {
    let text = lines.text;
    let whole = lines.around(key);
    if whole.len() > MAX_LINE {
        return None;
    }
    let line = lines.number(key);
    let written = text.get(table.clone())?;
    if written.starts_with('{') && table.end <= whole.end {
        let close = table.start + written.rfind('}')?;
        return Some(NewLineAt::Inline {
            line,
            before: text[whole.start..close].trim_end().to_owned(),
            after: text[close..whole.end].to_owned(),
        });
    }
    let is_header = text[whole].trim_start().starts_with('[');
    is_header.then_some(NewLineAt::Section { line, numbered })
}

/// A text and where its lines end, so that a place is found without reading all that is before it.
pub(super) struct Lines<'t> {
    pub(super) text: &'t str,
    ends: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            ends: text.match_indices('\n').map(|(at, _)| at).collect(),
        }
    }

    /// The number of the line on which an offset lies, counted from 1.
    pub(super) fn number(&self, offset: usize) -> usize {
        self.ends.partition_point(|end| *end < offset) + 1
    }

    /// The octets of the line on which an offset lies, without its end.
    pub(super) fn around(&self, offset: usize) -> Range<usize> {
        let number = self.number(offset);
        let start = if number == 1 {
            0
        } else {
            self.ends[number - 2] + 1
        };
        let end = self
            .ends
            .get(number - 1)
            .copied()
            .unwrap_or(self.text.len());
        start..end - usize::from(self.text[start..end].ends_with('\r'))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Config;
    use crate::pki::GeneralName;

    /// Types the line as it is told, and reads the file again.
    fn typed(text: &str, kind: &str, name: &str) -> Option<Vec<GeneralName>> {
        let read = |text: &str| Config::parse(Path::new("certs.toml"), text.as_bytes()).unwrap();
        let new = read(text).certificates[0].place.add(kind, name)?;
        let mut lines: Vec<&str> = text.lines().collect();
        if new.replaces {
            lines[new.line - 1] = &new.text;
        } else {
            lines.insert(new.line, &new.text);
        }
        Some(read(&lines.join("\n")).certificates[0].names.clone())
    }

    #[test]
    fn every_line_that_is_told_adds_the_name_and_drops_none() {
        let entry = |names: &str| format!("[certs.orders]\nprofile = \"peer\"\n{names}\n");
        for text in [
            "[alt_names]\nDNS.1 = \"a\"\nDNS.2 = \"b\"\n".to_owned(),
            "[alt_names]\nDNS.1 = \"a\"\nDNS.3 = \"b\" # three\nIP = [\"10.0.0.1\"]\n".into(),
            "[alt_names]\nDNS = [\"a\", \"b\"] # both\n\n[certs.x]\nprofile = \"client\"\n".into(),
            "[alt_names]\nDNS = \"a\"\n".into(),
            "[alt_names]\nURI = \"spiffe://a/b\"\n".into(),
            entry("alt_names = { DNS = [\"a\", \"b\"], IP = [\"10.0.0.1\"] }"),
            entry("alt_names = { IP = [\"10.0.0.1\"] } # addresses"),
            entry("alt_names.DNS = [\"a\"]"),
            entry("alt_names.DNS.1 = \"a\""),
            entry("[certs.orders.alt_names]\nDNS.7 = \"a\""),
        ] {
            let names = |kind: &str, name: &str| typed(&text, kind, name);
            let before = Config::parse(Path::new("x"), text.as_bytes())
                .unwrap()
                .certificates[0]
                .names
                .clone();
            for (kind, name) in [("DNS", "payments"), ("IP", "10.9.9.9")] {
                let added = if kind == "DNS" {
                    GeneralName::dns(name)
                } else {
                    GeneralName::ip(name)
                };
                let Some(after) = names(kind, name) else {
                    // A dotted key has no place for another kind.
                    assert!(text.contains("alt_names.DNS") && kind == "IP", "{text}");
                    continue;
                };
                assert!(after.contains(&added.unwrap()), "{text}");
                assert_eq!(after.len(), before.len() + 1, "{text}");
            }
        }
    }

    #[test]
    fn a_name_is_replaced_where_it_stands_on_one_line() {
        let (old, new) = ("spiffe://a/b", "spiffe://a/c");
        let line = |text: &str| {
            let config = Config::parse(Path::new("certs.toml"), text.as_bytes()).unwrap();
            config.certificates[0].place.replace("URI", old, new)
        };
        let list = line("[alt_names]\nDNS = \"a\"\nURI = \"spiffe://a/b\" # who\n").unwrap();
        assert_eq!(
            (list.line, list.text.as_str()),
            (3, "URI = [\"spiffe://a/c\"] # who")
        );
        for text in [
            "[alt_names]\nURI.1 = \"spiffe://a/b\"\n",
            "[alt_names]\nURI = \"spiffe://a/x\"\n",
            "[alt_names]\nDNS = \"a\"\n",
        ] {
            assert_eq!(line(text), None, "{text}");
        }
    }

    #[test]
    fn a_layout_that_one_line_cannot_mend_is_told_in_words() {
        for text in [
            "[alt_names]\nDNS = [\n  \"a\",\n  \"b\"\n]\n",
            "[alt_names]\nDNS = { 1 = \"a\" }\n",
        ] {
            assert_eq!(typed(text, "DNS", "payments"), None, "{text}");
        }
    }
}
