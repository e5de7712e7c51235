//! A line for each address, where all of them were looked at.

use std::fmt::Write;

use super::{Style, VerifyReport, WIDTH};
use crate::diagnose::AtAddress;
use crate::text::printable;

/// More lines than this are drawn together, address by address only with `-v`.
const LINES: usize = 4;
/// Digits of a fingerprint that tell two certificates apart.
const DIGITS: usize = 8;

/// Addresses of which the same is to be said.
struct Group<'a> {
    first: &'a AtAddress,
    names: Vec<String>,
    certificates: Vec<&'a str>,
}

impl VerifyReport {
    fn looked_at(&self) -> &[AtAddress] {
        if self.verdict.compared {
            &self.verdict.addresses
        } else {
            &[]
        }
    }

    /// Of a trusted server: at how many addresses.
    pub(super) fn trusted_at(&self) -> String {
        match self.looked_at().len() {
            0 => String::new(),
            count => format!(" at all {count} addresses"),
        }
    }

    /// Of a failure: at how many addresses, and which one is told about.
    pub(super) fn failed_at(&self) -> String {
        let all = self.looked_at();
        let failed: Vec<&AtAddress> = all.iter().filter(|it| it.ok == Some(false)).collect();
        match failed.as_slice() {
            [] => String::new(),
            [one] => format!("{}, 1 of {} addresses: ", one.address.host(), all.len()),
            [first, ..] => format!(
                "{} of {} addresses, first {}: ",
                failed.len(),
                all.len(),
                first.address.host()
            ),
        }
    }

    pub(super) fn addresses(&self, style: Style) -> String {
        let all = self.looked_at();
        let mut groups: Vec<Group<'_>> = Vec::new();
        for at in all {
            let name = at.address.host();
            let same = |it: &&mut Group<'_>| it.first.ok == at.ok && it.first.state == at.state;
            let together = all.len() > LINES && !style.verbose;
            match groups.iter_mut().find(same).filter(|_| together) {
                Some(group) => {
                    group.names.push(name);
                    group.certificates.extend(at.certificate.as_deref());
                }
                None => groups.push(Group {
                    first: at,
                    names: vec![name],
                    certificates: at.certificate.as_deref().into_iter().collect(),
                }),
            }
        }
        // Where lines are left out, it is not those that matter.
        groups.sort_by_key(|it| it.first.ok == Some(true) && all.len() > LINES && !style.verbose);
        let left_out = groups
            .iter()
            .skip(LINES)
            .map(|it| it.names.len())
            .sum::<usize>();
        let shown = if style.verbose { groups.len() } else { LINES };
        let names: Vec<String> = groups.iter().take(shown).map(Group::name).collect();
        let width = names.iter().map(|it| it.chars().count()).max().unwrap_or(0);
        let mut text = String::new();
        for (group, name) in groups.iter().zip(names) {
            text.push_str(&group.line(&name, width.max(11), style));
        }
        if left_out > 0 && !style.verbose {
            let _ = writeln!(
                text,
                "  {}",
                style.faint(&format!("and {left_out} more addresses (-v)"))
            );
        }
        text
    }
}

impl Group<'_> {
    /// `10.0.0.7`, `10.0.0.7 and 12 more`.
    fn name(&self) -> String {
        match self.names.as_slice() {
            [] => String::new(),
            [one] => one.clone(),
            [first, rest @ ..] => format!("{first} and {} more", rest.len()),
        }
    }

    fn line(&self, name: &str, width: usize, style: Style) -> String {
        let mark = if self.first.ok == Some(true) {
            style.good("ok  ")
        } else {
            style.bad("FAIL")
        };
        let state = printable(&self.first.state);
        let mut text = format!("{name:<width$}  {state}");
        let mut certificates = self.certificates.clone();
        certificates.sort_unstable();
        certificates.dedup();
        let certificate = match certificates.as_slice() {
            [] => String::new(),
            [one] => format!("certificate {}", one.get(..DIGITS).unwrap_or(one)),
            several => format!("{} certificates", several.len()),
        };
        if !certificate.is_empty() {
            let gap = WIDTH.saturating_sub(text.chars().count() + certificate.len());
            let gap = " ".repeat(gap.max(2));
            text.push_str(&format!("{gap}{}", style.faint(&certificate)));
        }
        format!("  {mark}  {text}\n")
    }
}
