//! Revocation (RFC 5280, 5 and 6.3): what the lists that we were given say of the certificates of the path.
//!
//! No stock gRPC client looks at such lists. So a list that is out of date, of another CA or of no use is a warning:
//! it is no fault of the server. A certificate that stands on a good one is a failure, also where the list itself is
//! out of date, since what a CA has taken back stays so.

use std::sync::Arc;

use super::opinions::{Case, Client, Row};
use super::words::short;
use super::{Code, Finding, Fix, Judge, Knowledge, KnownEntry};
use crate::pki::path::Path;
use crate::pki::revocation::{Flaw, Revocation, deciding};
use crate::pki::validity::Moment;
use crate::pki::{Certificate, RevocationList};
use crate::text::{date, plural, printable, until};

/// Who would decide otherwise: everyone.
pub(super) const OPINION: Row = Row {
    case: Case::Revoked,
    code: Some(Code::PathRevoked),
    accepts: &Client::ALL,
    reason: "revocation lists are not looked at there",
};

/// A file of revocation lists.
#[derive(Debug)]
pub struct ListFile {
    /// As it was named.
    pub path: String,
    /// Whether it was asked for; else it lay in the folder.
    pub named: bool,
    /// What it holds, at least one.
    pub lists: Vec<Arc<RevocationList>>,
}

impl Knowledge {
    /// Every list of every file.
    pub fn revocation_lists(&self) -> impl Iterator<Item = &Arc<RevocationList>> {
        self.revocation.iter().flat_map(|it| &it.lists)
    }

    /// The list that decides for the certificates of this CA, and its file.
    fn deciding(&self, issuer: &Certificate, judge: &Judge<'_>) -> Option<(&str, &RevocationList)> {
        let lists = self.revocation_lists().map(Arc::as_ref);
        let list = deciding(lists, issuer, judge.now)?;
        let file = self
            .revocation
            .iter()
            .find(|file| file.lists.iter().any(|it| std::ptr::eq(it.as_ref(), list)))?;
        Some((file.path.as_str(), list))
    }
}

impl Judge<'_> {
    /// Judges every certificate of the path below the trust anchor.
    pub(super) fn revocation(&mut self, path: &Path<'_>) {
        let knowledge = self.knowledge;
        let mut told: Vec<*const RevocationList> = Vec::new();
        for (depth, (certificate, issuer)) in path.issued().enumerate() {
            if let Some((file, list)) = knowledge.deciding(issuer, self) {
                let revocation = list.revocation(certificate);
                if let Some(revocation) = revocation {
                    self.revoked(certificate, depth, revocation, (file, list));
                } else if list.at(self.now) != Moment::Within
                    && !told.contains(&std::ptr::from_ref(list))
                {
                    told.push(list);
                    self.out_of_date(file, list);
                }
            }
            for file in &knowledge.revocation {
                for list in &file.lists {
                    let pointer = Arc::as_ptr(list);
                    if let Some(flaw) = list.flaw(issuer)
                        && !told.contains(&pointer)
                        && list.is_issued_by(issuer)
                    {
                        told.push(pointer);
                        self.unusable(&file.path, list, &flaw);
                    }
                }
            }
        }
        if path.anchor().is_some() {
            self.out_of_place(path);
        }
    }

    /// What to add to a path that is as it should be: which of its certificates are known not to be revoked.
    pub(super) fn not_revoked(&self, path: &Path<'_>) -> &'static str {
        let is_current = |issuer| {
            let deciding = self.knowledge.deciding(issuer, self);
            deciding.is_some_and(|(_, list)| list.at(self.now) == Moment::Within)
        };
        let known: Vec<bool> = path
            .issued()
            .map(|(_, issuer)| is_current(issuer))
            .collect();
        match known[..] {
            [] | [false, ..] => "",
            [true, ref above @ ..] if above.contains(&false) => ", server not revoked",
            _ => ", not revoked",
        }
    }

    fn revoked(
        &mut self,
        certificate: &Certificate,
        depth: usize,
        revocation: Revocation,
        (file, list): (&str, &RevocationList),
    ) {
        let name = printable(&certificate.subject.to_string());
        let since = date(revocation.since);
        let whose = if depth == 0 {
            "the certificate".to_owned()
        } else {
            format!("a CA of the chain ({name})")
        };
        let what = if revocation.reason == Revocation::HOLD {
            format!("is on hold since {since}")
        } else {
            format!("was revoked on {since}")
        };
        let why = format!(
            "{name} (serial {}) stands on the list in {}, made on {}: {}. gRPC clients do not look at such lists by \
             themselves.",
            certificate.serial_hex(),
            printable(file),
            date(list.this_update),
            revocation.words()
        );
        let fix = if depth == 0 {
            self.knowledge.replace_revoked(certificate, list)
        } else {
            Fix::steps([format!(
                "have {name} made again with another key, and the certificates below it issued from it anew"
            )])
        };
        let fix = if revocation.reason == Revocation::HOLD {
            fix.or("or have the CA lift the hold, and fetch its next list")
        } else {
            fix
        };
        let headline = format!("{whose} {what}");
        let finding = Finding::new(Code::PathRevoked, headline, why, fix);
        self.find(format!("{} {what}", short(&certificate.subject)), finding);
    }

    fn out_of_date(&mut self, file: &str, list: &RevocationList) {
        let issuer = printable(&list.issuer.to_string());
        let file = printable(file);
        let (headline, why, fix) = match (list.at(self.now), list.next_update) {
            (Moment::After, Some(next)) => (
                format!("the revocation list in {file} is out of date"),
                format!(
                    "The next one of {issuer} was due on {}, {} ago. What was revoked since is not in this one, so it \
                     says nothing of today.",
                    date(next),
                    until(self.now, next)
                ),
                format!("fetch the current list of {issuer} into {file}"),
            ),
            _ => (
                format!("the revocation list in {file} is from the future"),
                format!(
                    "{issuer} made it on {}, in {}: a clock is wrong, here or there.",
                    date(list.this_update),
                    until(self.now, list.this_update)
                ),
                "compare the clock of this machine with the one that made the list: `date -u`"
                    .to_owned(),
            ),
        };
        let finding = Finding::new(
            Code::PathCrlExpired,
            headline.clone(),
            why,
            Fix::steps([fix]),
        );
        self.find(headline, finding);
    }

    fn unusable(&mut self, file: &str, list: &RevocationList, flaw: &Flaw) {
        let issuer = printable(&list.issuer.to_string());
        let file = printable(file);
        let why = match flaw {
            Flaw::Delta => {
                format!(
                    "It is a delta list of {issuer}: it has only what changed since another list."
                )
            }
            Flaw::Extension(oid) => format!(
                "This list of {issuer} has the extension {oid} and marks it critical, so who does not know it may \
                 not use the list."
            ),
            Flaw::Part => format!(
                "This list of {issuer} is limited (issuingDistributionPoint): it has only a part of what was revoked, \
                 and which part is not looked into here."
            ),
            Flaw::Usage => format!(
                "{issuer} signed it, but the keyUsage of that CA lacks cRLSign: it may not make revocation lists."
            ),
        };
        let fix = match flaw {
            Flaw::Usage => format!("have the certificate of {issuer} made again with cRLSign"),
            _ => format!("fetch the full list of {issuer} into {file}"),
        };
        let why = format!("{why} Whether the certificate is revoked is not known from it.");
        let headline = format!("the revocation list in {file} cannot be used");
        let finding = Finding::new(
            Code::PathCrlUnusable,
            headline.clone(),
            why,
            Fix::steps([fix]),
        );
        self.find(headline, finding);
    }

    /// Tells of files without a list of any CA of the path, all in one go.
    fn out_of_place(&mut self, path: &Path<'_>) {
        let issuers: Vec<&Certificate> = path.issued().map(|(_, issuer)| issuer).collect();
        let files = self.knowledge.revocation.iter();
        let strangers: Vec<_> = files
            .filter_map(|file| Some((file, stranger(file, &issuers)?)))
            .collect();
        let Some((file, (why, fix))) = strangers.first() else {
            return;
        };
        let file = printable(&file.path);
        let headline = match strangers.len() - 1 {
            0 => format!("the revocation list in {file} is not about this server"),
            more => format!(
                "the revocation lists in {file} and {} are not about this server",
                plural(more, "other file")
            ),
        };
        let fix = Fix::steps([fix]);
        let code = Code::PathCrlNotForThisChain;
        let finding = Finding::new(code, headline.clone(), why, fix);
        self.find(headline, finding);
    }

    /// Whether our own certificate is on a list, so that a server has reason to refuse it.
    pub(super) fn own_revoked(&self, own: &Certificate) -> Option<(String, Fix)> {
        let knowledge = self.knowledge;
        let issuers = knowledge.identity_issuers.iter().chain(&knowledge.anchors);
        let mut lists = issuers
            .filter(|it| own.is_issued_by(it))
            .filter_map(|it| knowledge.deciding(it, self));
        let (file, revocation) = lists.find_map(|(file, it)| Some((file, it.revocation(own)?)))?;
        let why = format!(
            " Ours ({}) was revoked on {}, says {}: {}.",
            printable(&own.subject.to_string()),
            date(revocation.since),
            printable(file),
            revocation.words()
        );
        let on_disk =
            |it: &Option<Certificate>| it.as_ref().is_some_and(|it| it.der() == own.der());
        let entry = knowledge.entries.iter().find(|it| on_disk(&it.certificate));
        let fix = match entry {
            Some(entry) => Fix::command(
                knowledge.command(&format!("issue {} --force", entry.name)),
                "and try again",
            ),
            None => Fix::steps(["use a client certificate that is not revoked"]),
        };
        Some((why, fix))
    }
}

/// Why a file says nothing of what these CAs issued, and what to do; `None` where it does. A file that only lay in the
/// folder may be about others, but not about another CA of the same name.
fn stranger(file: &ListFile, issuers: &[&Certificate]) -> Option<(String, String)> {
    let lists = || file.lists.iter();
    if lists().any(|list| issuers.iter().any(|it| list.is_issued_by(it))) {
        return None;
    }
    let namesake = lists().find(|list| issuers.iter().any(|it| list.names(it)));
    match (namesake, issuers.first()) {
        (Some(list), _) => {
            let name = printable(&list.issuer.to_string());
            let why = format!(
                "It bears the name {name}, but the key of the CA of that name did not sign it: the list is damaged, \
                 or the CA was made again."
            );
            Some((why, format!("have the {name} of today make a new list")))
        }
        (None, _) if !file.named => None,
        (None, Some(issuer)) => {
            let name = printable(&issuer.subject.to_string());
            let other = printable(&lists().next()?.issuer.to_string());
            let why = format!("It is from {other}; the certificate of the server is from {name}.");
            Some((why, format!("pass the list of {name}: `--crl FILE`")))
        }
        (None, None) => {
            let why = "The certificate of the server is trusted as it is, so there is no CA that could revoke it.";
            Some((why.to_owned(), "leave `--crl` out".to_owned()))
        }
    }
}

impl Knowledge {
    /// How to get a server off a list: `issue` alone sees no reason to replace a certificate that is on one.
    fn replace_revoked(&self, served: &Certificate, list: &RevocationList) -> Fix {
        // What another CA made has serial numbers of its own.
        let same_issuer = |it: &Certificate| it.issuer == served.issuer;
        let on_disk = |entry: &KnownEntry| entry.certificate.clone().filter(same_issuer);
        let owner = self.owner(served);
        let Some((entry, on_disk)) = owner.and_then(|it| Some((it, on_disk(it)?))) else {
            return Fix::steps([
                "have the server's certificate issued anew with another key, and restart the server",
            ]);
        };
        if list.revocation(&on_disk).is_none() {
            return Fix::steps([
                "restart the server, or have it load its files again: the certificate on disk is another one, which is \
                 not on the list",
            ]);
        }
        let command = self.command(&format!("issue {} --force", entry.name));
        Fix::command(
            command,
            "which makes a new key as well, then restart the server",
        )
    }
}
