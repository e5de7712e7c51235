//! Words about the trust anchors: those of a file, of which we know what it is for, or those of the system.

use super::{Fix, Judge, Knowledge};
use crate::pki::Certificate;
use crate::pki::path::Path;
use crate::text::{plural, printable, quoted};

impl Knowledge {
    /// What there is, in words that stay short where there are many.
    pub(super) fn trusted_cas(&self) -> String {
        match &self.anchors[..] {
            [] => "no CA".to_owned(),
            cas if self.trusts_system => format!("{}, but not this one", plural(cas.len(), "CA")),
            [one] => printable(&one.subject.to_string()),
            [first, others @ ..] => format!(
                "{} and {}",
                printable(&first.subject.to_string()),
                plural(others.len(), "other")
            ),
        }
    }

    /// One more step: how to trust another CA as well.
    pub(super) fn trust_too(&self, when: &str) -> String {
        if self.trusts_system {
            return format!("or, {when}: pass the CA that issued it with `--ca FILE`");
        }
        let path = &self.anchors_path;
        format!("or, {when}: put the CA that issued it into {path}")
    }

    /// What to do about a CA that is past its time.
    pub(super) fn renew_trust(&self) -> Fix {
        if self.trusts_system {
            return Fix::steps([
                "bring the trust store up to date (`apt upgrade ca-certificates` or the like), and have the server \
                 send a chain to a CA that is still in it",
            ]);
        }
        Fix::steps([
            "make a new CA in another folder (`grpc-pki init --pki NEW`), issue from it, and give clients the new ca.crt",
        ])
    }
}

impl Knowledge {
    /// The flags of this run, with this in the place of `--ca`.
    fn flags_with_ca(&self, ca: &str) -> String {
        let named = match &self.inputs.ca {
            Some(file) => format!(" --ca {}", quoted(&file.path)),
            None => " --ca system".to_owned(),
        };
        let others = self.own_flags.strip_prefix(&named);
        format!("{ca}{}", others.unwrap_or(&self.own_flags))
    }
}

impl Judge<'_> {
    /// How to come to trust a server whose CA we do not know.
    pub(super) fn trust_its_issuer(&self, path: &Path<'_>) -> Fix {
        let knowledge = self.knowledge;
        let served = path.certificates[0];
        let last = path.certificates[path.certificates.len() - 1];
        let target = self.observation.target.typed();
        if knowledge.trusts_system && knowledge.owner(served).is_some() {
            let flags = knowledge.flags_with_ca("");
            let command = knowledge.command(&format!("verify {target}{flags}"));
            return Fix::command(
                command,
                "without `--ca system`: the certificate is one of this folder's",
            );
        }
        if let Some(fix) = self.trust_the_one_beside(last) {
            return fix;
        }
        let issue = if knowledge.trusts_system {
            "or, where strangers are to trust the server, give it a certificate of a public CA"
                .to_owned()
        } else {
            let command = knowledge.command("issue");
            format!("or give the server a certificate of your CA: `{command}`, and restart it")
        };
        let flags = knowledge.flags_with_ca(" --ca FILE");
        let command = knowledge.command(&format!("verify {target}{flags}"));
        Fix::steps([
            format!("pass the CA that issued it: `{command}`"),
            issue,
            self.perhaps_intermediate(path),
        ])
    }

    /// The same, where the CA that issued it lies among the files here.
    pub(super) fn trust_the_one_beside(&self, last: &Certificate) -> Option<Fix> {
        let knowledge = self.knowledge;
        let file = knowledge.issuer_beside(last)?;
        let usual = file == knowledge.inputs.usual_ca;
        let ca = format!(" --ca {}", quoted(file));
        let flags = knowledge.flags_with_ca(if usual { "" } else { &ca });
        let target = self.observation.target.typed();
        let command = knowledge.command(&format!("verify {target}{flags}"));
        let then = format!(
            "as {} has the CA that issued it; clients of this server need that file",
            printable(&file.display().to_string())
        );
        Some(Fix::command(command, &then))
    }
}
