//! From the text of certs.toml to checked entries; every mistake is noted and reading goes on.

use std::collections::HashMap;

use toml::de::DeTable;

use super::fields::{Attribute, Key, Names, Reader, Value};
use super::problem::Problem;
use super::{CaEntry, Entry, Place, Renewal, TOP_LEVEL, schema};
use crate::pki::dn::AttributeType;
use crate::pki::{DistinguishedName, KeyAlgorithm, Lifetime, NameConstraints, Profile};

const DEFAULT_CA_NAME: &str = "my-ca";
const DEFAULT_CA_LIFETIME: &str = "10y";
const DEFAULT_LIFETIME: &str = "365d";
const DEFAULT_RENEW_BEFORE: &str = "30d";
/// Longest NAME: it becomes a commonName too (RFC 5280, ub-common-name).
const MAX_NAME: usize = 64;
const COMMON_NAME: &str = "CN";

/// Reads a whole file.
pub(super) fn read(text: &str) -> Result<(CaEntry, Vec<Entry>), Vec<Problem>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader::new(text);
    for error in &errors {
        let message = error.message().trim().replace('\n', ", ");
        reader.note(error.span().unwrap_or(0..0), message, None);
    }
    // What the parser makes of the rest after a broken line would only be noise.
    let read = errors
        .is_empty()
        .then(|| reader.document(document.get_ref()));
    let problems = reader.into_problems();
    match read {
        Some(read) if problems.is_empty() => Ok(read),
        _ => Err(problems),
    }
}

/// `[defaults]`, and what it leaves open.
struct Defaults {
    key: KeyAlgorithm,
    valid_for: Lifetime,
    renew_before: Option<Lifetime>,
}

impl Reader<'_> {
    fn document(&mut self, document: &DeTable<'_>) -> (CaEntry, Vec<Entry>) {
        self.known_keys(document, &schema::TOP);
        let ca = self.ca(document.get("ca"));
        let defaults = self.defaults(document.get("defaults"));
        let dn = self.attributes(document.get("dn"));
        let mut entries = Vec::new();
        let top_level = document.get_key_value("alt_names");
        let address = document.get_key_value(schema::ADDRESS);
        if let Some((key, value)) = top_level {
            let subject = self.subject(&with_common_name(&[], &dn, TOP_LEVEL), key);
            let names = self.names(value);
            self.expect_names(&names, Profile::Server, key);
            entries.push(Entry {
                name: TOP_LEVEL.to_owned(),
                profile: Profile::Server,
                subject,
                address: self.address(address, TOP_LEVEL, Profile::Server),
                line: None,
                place: self.place(key, &names),
                names: names.names,
                key: defaults.key,
                valid_for: defaults.valid_for.clone(),
                renewal: renewal(&defaults.valid_for, defaults.renew_before.clone()),
            });
        } else {
            self.address_of_nothing(address);
        }
        let mut namesakes: HashMap<String, String> = entries
            .iter()
            .map(|it| (it.name.to_ascii_lowercase(), it.name.clone()))
            .collect();
        for (key, value) in self.table(document.get("certs")).into_iter().flatten() {
            if key.get_ref() == TOP_LEVEL && top_level.is_some() {
                let message = "the top-level `[alt_names]` already makes `server`".to_owned();
                self.note(key.span(), message, Some("keep one of the two".to_owned()));
            }
            let other = namesakes
                .entry(key.get_ref().to_ascii_lowercase())
                .or_insert_with(|| key.get_ref().to_string());
            if other != key.get_ref().as_ref() {
                let message = format!(
                    "`{}` and `{other}` are the same file where case does not count",
                    key.get_ref(),
                );
                self.note(key.span(), message, None);
            }
            entries.extend(self.entry(key, value, &dn, &defaults));
        }
        (ca, entries)
    }

    fn ca(&mut self, value: Option<&Value<'_>>) -> CaEntry {
        let empty = DeTable::new();
        let table = self.table(value).unwrap_or(&empty);
        self.known_keys(table, &schema::CA);
        let attributes = self.attributes(table.get("dn"));
        let subject = match table.get_key_value("dn") {
            Some((key, _)) if !attributes.is_empty() => self.subject(&attributes, key),
            // The default is within every bound.
            _ => DistinguishedName::common_name(DEFAULT_CA_NAME).unwrap_or_default(),
        };
        let (permitted_dns, permitted_ip) = self.subtrees(table.get("permitted"));
        let (excluded_dns, excluded_ip) = self.subtrees(table.get("excluded"));
        CaEntry {
            written: value.is_some(),
            subject,
            key: self
                .algorithm(table.get("key"))
                .unwrap_or(KeyAlgorithm::EcdsaP256),
            valid_for: self
                .lifetime(table.get("valid_for"))
                .unwrap_or_else(|| fixed(DEFAULT_CA_LIFETIME)),
            encrypt: self.flag(table.get("encrypt")).unwrap_or(false),
            constraints: NameConstraints {
                permitted_dns,
                permitted_ip,
                excluded_dns,
                excluded_ip,
            },
        }
    }

    fn defaults(&mut self, value: Option<&Value<'_>>) -> Defaults {
        let empty = DeTable::new();
        let table = self.table(value).unwrap_or(&empty);
        self.known_keys(table, &schema::DEFAULTS);
        let defaults = Defaults {
            key: self
                .algorithm(table.get("key"))
                .unwrap_or(KeyAlgorithm::EcdsaP256),
            valid_for: self
                .lifetime(table.get("valid_for"))
                .unwrap_or_else(|| fixed(DEFAULT_LIFETIME)),
            renew_before: self.lifetime(table.get("renew_before")),
        };
        self.expect_shorter(table, &defaults.valid_for, defaults.renew_before.as_ref());
        defaults
    }

    fn entry(
        &mut self,
        key: &Key<'_>,
        value: &Value<'_>,
        dn: &[Attribute],
        defaults: &Defaults,
    ) -> Option<Entry> {
        let name = key.get_ref().as_ref();
        let wrong = wrong_name(name);
        // What is wrong with it as a file name is not told again as a commonName.
        let common_name = if wrong.is_some() { "x" } else { name };
        if let Some(message) = wrong {
            self.note(key.span(), message, None);
        }
        let table = self.table(Some(value))?;
        self.known_keys(table, &schema::ENTRY);
        let own = self.attributes(table.get("dn"));
        let subject = self.subject(&with_common_name(dn, &own, common_name), key);
        let profile = self.profile(table.get("profile"), key);
        let address = table.get_key_value(schema::ADDRESS);
        let address = self.address(address, name, profile.unwrap_or(Profile::Server));
        let (at, names) = match table.get_key_value("alt_names") {
            Some((at, value)) => (at, self.names(value)),
            None => (key, Names::default()),
        };
        self.expect_names(&names, profile.unwrap_or(Profile::Client), at);
        let valid_for = self
            .lifetime(table.get("valid_for"))
            .unwrap_or_else(|| defaults.valid_for.clone());
        let renew_before = self
            .lifetime(table.get("renew_before"))
            .or_else(|| defaults.renew_before.clone());
        self.expect_shorter(table, &valid_for, renew_before.as_ref());
        Some(Entry {
            name: name.to_owned(),
            profile: profile?,
            subject,
            address,
            line: Some(self.lines().number(key.span().start)),
            place: self.place(at, &names),
            names: names.names,
            key: self.algorithm(table.get("key")).unwrap_or(defaults.key),
            renewal: renewal(&valid_for, renew_before),
            valid_for,
        })
    }

    fn place(&self, key: &Key<'_>, names: &Names) -> Place {
        Place::new(
            self.lines(),
            key.span().start,
            names.span.clone(),
            &names.kinds,
        )
    }

    fn expect_names(&mut self, names: &Names, profile: Profile, at: &Key<'_>) {
        if profile.server_auth() && names.names.is_empty() && !names.broken {
            let hint = if at.get_ref() == "alt_names" {
                "clients match these names and nothing else: add those that they dial, \
                 such as DNS = [\"localhost\"]"
            } else {
                "clients match alt_names and nothing else: \
                 add alt_names = { DNS = [\"localhost\"] } with the names that they dial"
            };
            self.note(
                at.span(),
                format!("a {profile} needs at least one name"),
                Some(hint.to_owned()),
            );
        }
        if names.names.iter().filter(|name| name.is_spiffe()).count() > 1 {
            let hint =
                "the SPIFFE X.509-SVID specification (section 2) allows exactly one".to_owned();
            self.note(at.span(), "more than one SPIFFE id".to_owned(), Some(hint));
        }
    }

    fn expect_shorter(
        &mut self,
        table: &DeTable<'_>,
        valid_for: &Lifetime,
        renew_before: Option<&Lifetime>,
    ) {
        let written = table
            .get_key_value("renew_before")
            .or_else(|| table.get_key_value("valid_for"));
        if let (Some(renew_before), Some((key, _))) = (renew_before, written)
            && !renew_before.is_shorter_than(valid_for)
        {
            let message = format!(
                "renew_before ({renew_before}) is not shorter than valid_for ({valid_for}), \
                 so every run would renew"
            );
            self.note(key.span(), message, None);
        }
    }
}

/// Attributes inherited from `[dn]`, each type replaced by the entry's own, and a commonName in any case.
fn with_common_name(inherited: &[Attribute], own: &[Attribute], name: &str) -> Vec<Attribute> {
    let is = |short: &'static str| move |it: &&Attribute| it.0.short == short;
    let common_name = || AttributeType::find(COMMON_NAME).map(|it| (it, name.to_owned()));
    let own_common_name = own.iter().any(|it| it.0.short == COMMON_NAME);
    let mut merged: Vec<Attribute> = Vec::new();
    for (attribute, value) in inherited {
        if merged.iter().any(|it| it.0 == *attribute) && own.iter().any(|it| it.0 == *attribute) {
            continue;
        }
        let mine: Vec<Attribute> = own.iter().filter(is(attribute.short)).cloned().collect();
        if !mine.is_empty() {
            merged.extend(mine);
        } else if attribute.short == COMMON_NAME {
            merged.extend(common_name());
        } else {
            merged.push((attribute, value.clone()));
        }
    }
    let rest: Vec<Attribute> = own
        .iter()
        .filter(|it| !merged.iter().any(|seen| seen.0 == it.0))
        .cloned()
        .collect();
    merged.extend(rest);
    if !own_common_name && !merged.iter().any(|it| it.0.short == COMMON_NAME) {
        merged.extend(common_name());
    }
    merged
}

/// NAME becomes a file name, on any system, and a commonName.
fn wrong_name(name: &str) -> Option<String> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Some(format!(
            "a certificate's name has 1 to {MAX_NAME} characters"
        ));
    }
    if let Some(c) = name
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !"._-".contains(*c))
    {
        return Some(format!(
            "a certificate's name is a file name of letters, digits, `.`, `_` and `-`, not {c:?}"
        ));
    }
    if name.starts_with(['.', '-']) {
        return Some("a certificate's name starts with a letter, a digit or `_`".to_owned());
    }
    name.eq_ignore_ascii_case("ca")
        .then(|| "`ca` is the name of the CA's own files".to_owned())
}

fn renewal(valid_for: &Lifetime, renew_before: Option<Lifetime>) -> Renewal {
    let default = || fixed(DEFAULT_RENEW_BEFORE);
    match renew_before {
        Some(lifetime) => Renewal::Before(lifetime),
        None if fixed("90d").is_shorter_than(valid_for) => Renewal::Before(default()),
        None => Renewal::LastThird,
    }
}

#[expect(
    clippy::expect_used,
    reason = "constants of this file, each read by a test"
)]
fn fixed(text: &str) -> Lifetime {
    text.parse().expect("a length of time")
}
