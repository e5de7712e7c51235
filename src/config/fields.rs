//! The values of certs.toml, one kind at a time: each reader notes what is wrong and goes on.

use std::collections::HashSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::address::misplaced;
use super::place::{Kind, Lines};
use super::problem::{Problem, name_hint};
use super::{nearest, schema};
use crate::pki::dn::{ATTRIBUTE_TYPES, AttributeType};
use crate::pki::name::NameError;
use crate::pki::profile::Network;
use crate::pki::{DistinguishedName, GeneralName, KeyAlgorithm, Lifetime, Profile};

pub(super) type Value<'a> = Spanned<DeValue<'a>>;
pub(super) type Key<'a> = Spanned<DeString<'a>>;
pub(super) type Attribute = (&'static AttributeType, String);

/// More mistakes are not told.
const MAX_PROBLEMS: usize = 1000;
/// No name has so many attributes in earnest, and every entry has those of `[dn]`.
const MAX_ATTRIBUTES: usize = 100;
const LIFETIME_HINT: &str = "write a length of time as `90d`, `12h`, `6mo` or `1y`";

/// An `alt_names` table.
#[derive(Default)]
pub(super) struct Names {
    pub(super) names: Vec<GeneralName>,
    /// Where they stand, by kind.
    pub(super) kinds: Vec<Kind>,
    /// Where the whole table stands.
    pub(super) span: Range<usize>,
    /// Whether something in it was wrong, so that what is missing is not to be noted as well.
    pub(super) broken: bool,
}

/// Reads values and collects what is wrong with them.
pub(super) struct Reader<'t> {
    lines: Lines<'t>,
    problems: Vec<Problem>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            lines: Lines::new(text),
            problems: Vec::new(),
        }
    }

    pub(super) fn lines(&self) -> &Lines<'t> {
        &self.lines
    }

    pub(super) fn note(&mut self, span: Range<usize>, message: String, hint: Option<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems
                .push(Problem::new(&self.lines, span, message, hint));
        } else if self.problems.len() == MAX_PROBLEMS {
            let end = self.lines.text.len();
            let message = format!("there is more; {MAX_PROBLEMS} mistakes are told at a time");
            self.problems
                .push(Problem::new(&self.lines, end..end, message, None));
        }
    }

    /// Whether nothing more will be told.
    fn is_full(&self) -> bool {
        self.problems.len() > MAX_PROBLEMS
    }

    /// What was noted, in file order and each once.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.problems
            .sort_by_key(|problem| (problem.line, problem.column));
        self.problems.dedup();
        self.problems
    }

    /// Notes every key of a table that is not one of `known`.
    pub(super) fn known_keys(&mut self, table: &DeTable<'_>, known: &[&str]) {
        for key in table
            .keys()
            .filter(|key| !known.contains(&key.get_ref().as_ref()))
        {
            if self.is_full() {
                return;
            }
            let hint = nearest(key.get_ref(), known.iter().copied()).map_or_else(
                || format!("the keys here are {}", known.join(", ")),
                |it| format!("did you mean `{it}`?"),
            );
            let hint = misplaced(key.get_ref()).unwrap_or(hint);
            self.note(
                key.span(),
                format!("unknown key `{}`", key.get_ref()),
                Some(hint),
            );
        }
    }

    pub(super) fn table<'v, 'i>(
        &mut self,
        value: Option<&'v Value<'i>>,
    ) -> Option<&'v DeTable<'i>> {
        let value = value?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(value, "a table");
        }
        table
    }

    pub(super) fn lifetime(&mut self, value: Option<&Value<'_>>) -> Option<Lifetime> {
        let value = value?;
        let text = self.string(value, LIFETIME_HINT)?;
        text.parse()
            .map_err(|error| {
                self.note(
                    value.span(),
                    format!("{error}"),
                    Some(LIFETIME_HINT.to_owned()),
                )
            })
            .ok()
    }

    pub(super) fn flag(&mut self, value: Option<&Value<'_>>) -> Option<bool> {
        let value = value?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(value, "true or false");
        }
        flag
    }

    pub(super) fn algorithm(&mut self, value: Option<&Value<'_>>) -> Option<KeyAlgorithm> {
        let all = KeyAlgorithm::ALL.map(KeyAlgorithm::as_str);
        self.one_of(value?, "key type", &all)
    }

    pub(super) fn profile(&mut self, value: Option<&Value<'_>>, at: &Key<'_>) -> Option<Profile> {
        let all = Profile::ALL.map(Profile::as_str);
        let Some(value) = value else {
            let hint = "add profile = \"server\", \"client\", or \"peer\" for a service that also dials others";
            self.note(
                at.span(),
                "`profile` is missing".to_owned(),
                Some(hint.to_owned()),
            );
            return None;
        };
        self.one_of(value, "profile", &all)
    }

    fn one_of<T: std::str::FromStr>(
        &mut self,
        value: &Value<'_>,
        what: &str,
        all: &[&str],
    ) -> Option<T> {
        let hint = format!("it is one of {}", all.join(", "));
        let text = self.string(value, &hint)?;
        let read = text.parse().ok();
        if read.is_none() {
            let hint = nearest(text, all.iter().copied())
                .map_or(hint, |it| format!("did you mean `{it}`?"));
            self.note(value.span(), format!("unknown {what} `{text}`"), Some(hint));
        }
        read
    }

    pub(super) fn string<'v>(&mut self, value: &'v Value<'_>, hint: &str) -> Option<&'v str> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            let message = format!("expected a string, found {}", kind(value));
            self.note(value.span(), message, Some(hint.to_owned()));
        }
        text
    }

    fn wrong_type(&mut self, value: &Value<'_>, expected: &str) {
        self.note(
            value.span(),
            format!("expected {expected}, found {}", kind(value)),
            None,
        );
    }

    /// The strings of `"a"`, of `["a", "b"]` and of the numbered `{ 1 = "a", 2 = "b" }`.
    fn strings<'v>(&mut self, value: &'v Value<'_>) -> Vec<(&'v str, Range<usize>)> {
        let items: Vec<&'v Value<'_>> = match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            DeValue::Table(table) => {
                let is_number =
                    |key: &Key<'_>| key.get_ref().bytes().all(|octet| octet.is_ascii_digit());
                for key in table.keys().filter(|key| !is_number(key)) {
                    let message =
                        format!("expected a number such as `1`, found `{}`", key.get_ref());
                    self.note(key.span(), message, None);
                }
                table.values().collect()
            }
            _ => vec![value],
        };
        let hint = "write one string, a list of strings, or the numbered form of certificate.conf";
        items
            .into_iter()
            .filter_map(|item| Some((self.string(item, hint)?, item.span())))
            .collect()
    }

    /// `[dn]`: attributes in file order, a list for a type that is repeated.
    pub(super) fn attributes(&mut self, value: Option<&Value<'_>>) -> Vec<Attribute> {
        let mut attributes = Vec::new();
        for (key, value) in self.table(value).into_iter().flatten() {
            if self.is_full() {
                break;
            }
            // certificate.conf numbers a repeated type as `0.OU`, `1.OU`.
            if key.get_ref().bytes().all(|octet| octet.is_ascii_digit())
                && value.get_ref().is_table()
            {
                attributes.extend(self.attributes(Some(value)));
                continue;
            }
            let Some(attribute) = AttributeType::find(key.get_ref()) else {
                let names = ATTRIBUTE_TYPES.iter().flat_map(|it| [it.short, it.long]);
                let hint = nearest(key.get_ref(), names).map_or_else(
                    || {
                        format!(
                            "known are {}",
                            ATTRIBUTE_TYPES.each_ref().map(|it| it.short).join(", ")
                        )
                    },
                    |it| format!("did you mean `{it}`?"),
                );
                let hint = misplaced(key.get_ref()).unwrap_or(hint);
                self.note(
                    key.span(),
                    format!("unknown attribute `{}`", key.get_ref()),
                    Some(hint),
                );
                continue;
            };
            for (text, span) in self.strings(value) {
                if attributes.len() == MAX_ATTRIBUTES {
                    let message = format!("a name has at most {MAX_ATTRIBUTES} attributes");
                    self.note(span, message, None);
                    return attributes;
                }
                match DistinguishedName::new().push(attribute, text) {
                    Ok(()) => attributes.push((attribute, text.to_owned())),
                    Err(error) => self.note(span, error.to_string(), None),
                }
            }
        }
        attributes
    }

    /// A name from attributes that were checked one by one.
    pub(super) fn subject(&mut self, attributes: &[Attribute], at: &Key<'_>) -> DistinguishedName {
        let mut subject = DistinguishedName::new();
        for (attribute, value) in attributes {
            if let Err(error) = subject.push(attribute, value) {
                self.note(at.span(), error.to_string(), None);
            }
        }
        subject
    }

    /// `alt_names`.
    pub(super) fn names(&mut self, value: &Value<'_>) -> Names {
        let mut names = Names {
            span: value.span(),
            ..Names::default()
        };
        let before = self.problems.len();
        let mut seen = HashSet::new();
        let empty = DeTable::new();
        let table = self.table(Some(value)).unwrap_or(&empty);
        for (key, value) in table {
            type Read = fn(&str) -> Result<GeneralName, NameError>;
            let (kind, read): (_, Read) = match key.get_ref().as_ref() {
                "DNS" => ("DNS", GeneralName::dns),
                "IP" => ("IP", GeneralName::ip),
                "URI" => ("URI", GeneralName::uri),
                "email" => ("email", GeneralName::email),
                other => {
                    let hint = nearest(other, schema::ALT_NAMES.into_iter()).map_or_else(
                        || format!("known are {}", schema::ALT_NAMES.join(", ")),
                        |it| format!("did you mean `{it}`?"),
                    );
                    let hint = misplaced(other).unwrap_or(hint);
                    self.note(
                        key.span(),
                        format!("unknown kind of name `{other}`"),
                        Some(hint),
                    );
                    continue;
                }
            };
            let numbers = value
                .get_ref()
                .as_table()
                .into_iter()
                .flat_map(DeTable::keys);
            let numbers: Vec<u32> = numbers.filter_map(|it| it.get_ref().parse().ok()).collect();
            let written = self.strings(value);
            let last = written
                .last()
                .map_or(value.span(), |(_, span)| span.clone());
            names.kinds.push(Kind {
                name: kind,
                span: if numbers.is_empty() {
                    value.span()
                } else {
                    last
                },
                numbers,
                values: written.iter().map(|(text, _)| (*text).to_owned()).collect(),
            });
            for (text, span) in written {
                match read(text) {
                    Ok(name) if !seen.insert(name.clone()) => {
                        self.note(span, format!("`{name}` is listed twice"), None);
                    }
                    Ok(name) => names.names.push(name),
                    Err(error) => {
                        let hint = name_hint(&error);
                        self.note(span, error.to_string(), hint);
                    }
                }
            }
        }
        names.broken = self.problems.len() > before;
        names
    }

    /// `permitted` and `excluded` of `[ca]`: DNS and IP subtrees (RFC 5280, 4.2.1.10).
    pub(super) fn subtrees(&mut self, value: Option<&Value<'_>>) -> (Vec<String>, Vec<Network>) {
        let (mut dns, mut ip) = (Vec::new(), Vec::new());
        for (key, value) in self.table(value).into_iter().flatten() {
            let kind = key.get_ref().as_ref();
            if !schema::SUBTREES.contains(&kind) {
                let hint = "only DNS and IP: rustls refuses every certificate under a CA with URI constraints";
                self.note(
                    key.span(),
                    format!("a CA cannot be constrained by `{kind}`"),
                    Some(hint.to_owned()),
                );
                continue;
            }
            for (text, span) in self.strings(value) {
                let note = |error: NameError| (error.to_string(), name_hint(&error));
                let read = if kind == "IP" {
                    Network::parse(text)
                        .map(|network| ip.push(network))
                        .map_err(|_| {
                            let hint =
                                "write an address or a network such as 10.0.0.0/8".to_owned();
                            (format!("`{text}` is not a network"), Some(hint))
                        })
                } else {
                    GeneralName::dns(text.trim_start_matches('.'))
                        .map_err(note)
                        .map(|name| dns.push(name.to_string()))
                };
                if let Err((message, hint)) = read {
                    self.note(span, message, hint);
                }
            }
        }
        (dns, ip)
    }
}

fn kind(value: &Value<'_>) -> &'static str {
    match value.get_ref() {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
