//! Intermediate CAs that the server should send and does not: looked for among the files here, never fetched.

use std::path::{Path as File, PathBuf};

use super::words::short;
use super::{Code, Finding, Fix, Judge, Knowledge};
use crate::pki::Certificate;
use crate::pki::path::Path;
use crate::text::{printable, quoted};

/// More intermediates than this are not looked for; no CA has so many.
const MOST: usize = 8;

/// A certificate that was found, and the file in which it lies.
type Found<'a> = (&'a Certificate, &'a File);

impl Knowledge {
    /// The certificates beside the files of this run, where the path of the server called for a look at them.
    fn beside(&self) -> impl Iterator<Item = Found<'_>> {
        let files = self.beside.get().map_or(&[][..], Vec::as_slice);
        files
            .iter()
            .flat_map(|(file, held)| held.iter().map(|it| (it, file.as_path())))
    }

    /// The file whose first certificate it is.
    fn file_of(&self, served: &Certificate) -> Option<&(PathBuf, Vec<Certificate>)> {
        let mut files = self.beside.get()?.iter();
        files.find(|(_, held)| held.first().is_some_and(|it| it.der() == served.der()))
    }

    /// A file with the CA that issued a certificate.
    pub(super) fn issuer_beside(&self, last: &Certificate) -> Option<&File> {
        let mut all = self.beside();
        let found = all.find(|(it, _)| it.is_ca() && it.is_self_issued() && last.is_issued_by(it));
        found.map(|(_, file)| file)
    }

    /// What leads on from the last certificate to a CA that is trusted; empty where that is not among the files.
    fn missing(&self, last: &Certificate) -> Vec<Found<'_>> {
        let mut found: Vec<Found<'_>> = Vec::new();
        while found.len() < MOST {
            let last = found.last().map_or(last, |(it, _)| it);
            if !found.is_empty() && self.anchors.iter().any(|it| last.is_issued_by(it)) {
                return found;
            }
            let next = self.beside().find(|(it, _)| {
                let is_new = !found.iter().any(|(seen, _)| seen.der() == it.der());
                is_new && it.is_ca() && !it.is_self_issued() && last.is_issued_by(it)
            });
            match next {
                Some(next) => found.push(next),
                None => break,
            }
        }
        Vec::new()
    }
}

impl Judge<'_> {
    /// An intermediate CA that the server does not send; `None` where nothing shows that it is one.
    pub(super) fn missing_intermediate(&self, path: &Path<'_>) -> Option<Finding> {
        let served = path.certificates[0];
        let last = path.certificates[path.certificates.len() - 1];
        let missing = self.knowledge.missing(last);
        let (issuer, trusted) = (short(&last.issuer), &self.knowledge.anchors_path);
        let (evidence, fix) = match &missing[..] {
            [] => {
                let url = last.issuer_url.as_deref().filter(|it| is_plain(it));
                // A CA that all systems trust issues by way of an intermediate; a CA of one's own need not.
                let url = url.filter(|_| self.knowledge.trusts_system)?;
                let evidence = format!("Its certificate is at {url}, says the one below it.");
                (evidence, from_url(url))
            }
            [.., (top, _)] => {
                let files: Vec<&File> = missing.iter().map(|(_, file)| *file).collect();
                let names: Vec<String> = files.iter().map(|it| name(it)).collect();
                let evidence = format!(
                    "It lies here in {}, and leads to {}, which is trusted.",
                    names.join(" and "),
                    short(&top.issuer)
                );
                (evidence, self.chain_of(served, &missing))
            }
        };
        let headline = format!("the server does not send the intermediate CA {issuer}");
        let why = format!(
            "Clients have the CAs of {trusted}, and {issuer} is none of them: the server has to send its certificate \
             along with its own. {evidence}"
        );
        Some(Finding::new(
            Code::PathMissingIntermediate,
            headline,
            why,
            fix,
        ))
    }

    /// How to make the file that the server should have loaded.
    fn chain_of(&self, served: &Certificate, missing: &[Found<'_>]) -> Fix {
        let own = self.knowledge.file_of(served);
        let holds = |held: &[Certificate]| {
            let has = |it: &Certificate| held.iter().any(|held| held.der() == it.der());
            missing.iter().all(|(it, _)| has(it))
        };
        if let Some((file, _)) = own.filter(|(_, held)| holds(held)) {
            let file = name(file);
            return Fix::steps([format!(
                "have the server load the whole of {file}, which has it, not its first certificate alone, and restart \
                 the server"
            )]);
        }
        let mut parts: Vec<String> = Vec::new();
        for (_, file) in missing {
            let file = quoted(file);
            if !parts.contains(&file) {
                parts.push(file);
            }
        }
        let parts = parts.join(" ");
        let load = "then have the server load chain.crt in the place of its certificate file, and restart it";
        match own {
            Some((file, _)) => {
                let command = format!("cat {} {parts} > chain.crt", quoted(file));
                Fix::command(command, "the server's own first").or(load)
            }
            None => Fix::steps([
                format!("`cat server.crt {parts} > chain.crt`, server.crt being the server's own"),
                load.to_owned(),
            ]),
        }
    }

    /// For a CA of which nothing is known: what to do in case it is an intermediate one.
    pub(super) fn perhaps_intermediate(&self, path: &Path<'_>) -> String {
        let last = path.certificates[path.certificates.len() - 1];
        format!(
            "or, where {} is an intermediate CA, have the server send it too: `cat server.crt intermediate.crt > chain.crt`",
            short(&last.issuer)
        )
    }
}

fn name(file: &File) -> String {
    printable(&file.display().to_string())
}

fn from_url(url: &str) -> Fix {
    Fix::steps([
        format!("`curl -so issuer.der {url} && openssl x509 -inform DER -in issuer.der -out issuer.crt`"),
        "then `cat server.crt issuer.crt > chain.crt`, have the server load chain.crt in the place of its certificate \
         file, and restart it"
            .to_owned(),
        "or, where it is the CA of a company and no intermediate one, trust it: `--ca FILE` with its certificate"
            .to_owned(),
    ])
}

/// Whether a peer's URL may stand in a command.
fn is_plain(url: &str) -> bool {
    let scheme = url.starts_with("http://") || url.starts_with("https://");
    scheme
        && url.len() < 200
        && url
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/:._-~%".contains(c))
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn a_url_that_a_shell_would_read_otherwise_is_not_shown() {
        assert!(is_plain("http://ca.example/r3.der"));
        for url in [
            "ldap://ca.example/r3",
            "http://ca.example/$(id)",
            "http://ca.example/a b",
            "http://ca.example/a;b",
            "http://ca.example/`id`",
            "http://ca.example/\u{202e}",
        ] {
            assert!(!is_plain(url), "{url}");
        }
    }
}
