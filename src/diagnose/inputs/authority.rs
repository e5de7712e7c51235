//! The file that says whom to trust.

use std::path::Path;

use super::mend::Role;
use super::{Fault, Files, InputFile, lines};
use crate::diagnose::{Code, Fix, words};
use crate::pki::Certificate;
use crate::pki::certificate::KeyUsage;
use crate::pki::contents::{Contents, Form, Key};
use crate::text::{plural, printable, quoted};

/// What tonic makes of all files without a certificate.
const TRUSTS_NOBODY: &str = "Such a file makes a client that trusts nobody: tonic loads it without a word and then \
                             refuses every server, others do not even start.";

/// What tonic makes of a byte order mark.
const HIDDEN: &str = "The certificate behind the mark is not found: tonic passes over it without a word and then \
                      refuses every server under that CA, others do not even start.";

impl Files<'_> {
    /// What is wrong with it: the first cause, as one file has one.
    pub(super) fn authority(&self) -> Option<Fault> {
        let file = self.inputs.ca.as_ref()?;
        let contents = &file.contents;
        if let Some(written) = self.written(file, Role::Ca) {
            let (code, short) = match contents.form {
                Form::ByteOrderMark => (Code::InputsCaBom, "a byte order mark"),
                Form::Utf16 => (Code::InputsCaBom, "UTF-16"),
                Form::Der(_) => (Code::InputsCaDer, "not PEM"),
                _ => (Code::InputsCaEmpty, "no certificate in PEM form"),
            };
            let why = match contents.form {
                Form::ByteOrderMark => HIDDEN,
                _ => TRUSTS_NOBODY,
            };
            let fault = Fault::new(file, short, code, written.what, why, written.fix);
            return Some(fault);
        }
        if let Some(key) = contents.lone_key() {
            return Some(self.ca_is_key(file, key));
        }
        self.ca_unreadable(file)
            .or_else(|| self.ca_empty(file))
            .or_else(|| self.ca_is_leaf(file))
            .or_else(|| self.ca_with_more(file))
    }

    fn ca_is_key(&self, file: &InputFile, key: Option<&Key>) -> Fault {
        let why = format!(
            "A client trusts certificates; the private key stays with whoever signs. {TRUSTS_NOBODY}"
        );
        let public = match key {
            Some(Key::Usable(public)) => Some(public.as_slice()),
            _ => None,
        };
        let certificate = public.and_then(|it| self.certificate_of(it));
        let fix = match certificate.or_else(|| self.usual()) {
            Some(certificate) => Fix::command(self.again(Some(certificate), None), ""),
            None => Fix::steps(["give the CA's certificate (`ca.crt`) with --ca"]),
        };
        let fix = fix.or(
            "where this file was handed to clients, make a new CA: who has its key can be anyone",
        );
        let headline = "is a private key, not a certificate";
        Fault::new(
            file,
            "a private key",
            Code::InputsCaIsKey,
            headline,
            &why,
            fix,
        )
    }

    fn ca_unreadable(&self, file: &InputFile) -> Option<Fault> {
        let contents = &file.contents;
        let (headline, why) = match contents.form {
            Form::Der(_) => (
                "is in DER form, and no certificate".to_owned(),
                TRUSTS_NOBODY.to_owned(),
            ),
            _ if !contents.damaged.is_empty() => (
                format!("is damaged at {}", lines(&contents.damaged)),
                "A PEM block there has no end, or is not Base64. Clients refuse the whole file, or pass over what \
                 they cannot read, and with it perhaps the CA that matters."
                    .to_owned(),
            ),
            _ if contents.certificates.is_empty() && !contents.strange.is_empty() => (
                format!("holds a damaged certificate, at {}", lines(&contents.strange)),
                format!("What the PEM block holds is no X.509 certificate. {TRUSTS_NOBODY}"),
            ),
            _ => return None,
        };
        let fix = self.restore(file);
        Some(Fault::new(
            file,
            "damaged",
            Code::InputsCaUnreadable,
            &headline,
            &why,
            fix,
        ))
    }

    fn ca_empty(&self, file: &InputFile) -> Option<Fault> {
        if !file.contents.certificates.is_empty() {
            return None;
        }
        let headline = nothing(&file.contents, "certificate");
        let fix = if file.contents.is_request() {
            Fix::steps([
                "have the request signed by a CA; what clients load is the CA's own certificate",
            ])
        } else {
            self.restore(file)
        };
        let code = Code::InputsCaEmpty;
        Some(Fault::new(
            file,
            "no certificate",
            code,
            &headline,
            TRUSTS_NOBODY,
            fix,
        ))
    }

    /// A trust anchor is found by the issuer's name; nothing leads to an end entity that did not sign itself.
    fn ca_is_leaf(&self, file: &InputFile) -> Option<Fault> {
        let all = &file.contents.certificates;
        if !all.iter().all(is_end_entity) {
            return None;
        }
        let first = all.first()?;
        let whose = match (first.allows_server_auth(), first.allows_client_auth()) {
            (true, false) => "the certificate of a server",
            (false, true) => "the certificate of a client",
            _ => "an end entity's certificate",
        };
        let headline = format!("is {whose}, not of a CA");
        let (subject, issuer) = (
            words::short(&first.subject),
            printable(&first.issuer.to_string()),
        );
        let why = format!(
            "It is {subject}, signed by {issuer}. Clients trust those who sign, so they need the certificate of \
             {issuer}; with this one they know no issuer at all."
        );
        let above = self.beside(|it| it.certificates.iter().any(|ca| first.is_issued_by(ca)));
        let fix = match above {
            Some(ca) => Fix::command(self.again(Some(ca), None), ""),
            None => Fix::steps([format!(
                "give the certificate of {issuer} with --ca: it comes from whoever issued this one"
            )]),
        };
        let code = Code::InputsCaIsLeaf;
        Some(Fault::new(file, "no CA in it", code, &headline, &why, fix))
    }

    /// What works, and is not as it should be.
    fn ca_with_more(&self, file: &InputFile) -> Option<Fault> {
        let contents = &file.contents;
        if !contents.keys.is_empty() {
            let why = "A file of trusted CAs goes to every client, and whoever reads the private key of a CA can make \
                       certificates in any name.";
            let fix = self
                .converted(file, Role::Ca, "awk '/BEGIN CERT/,/END CERT/' IN > OUT")
                .or("and count the key as known to whoever had the file");
            let headline = "holds a private key beside the certificates";
            let code = Code::InputsCaWithKey;
            return Some(Fault::new(
                file,
                "a private key in it",
                code,
                headline,
                why,
                fix,
            ));
        }
        if contents.strange.is_empty() {
            return None;
        }
        let headline = format!(
            "holds {} that cannot be read, at {}",
            plural(contents.strange.len(), "certificate"),
            lines(&contents.strange)
        );
        let why = format!(
            "Clients pass over what cannot be read, at {}: whoever is signed by that CA is not trusted. The others in \
             the file are.",
            lines(&contents.strange)
        );
        let fix = self.restore(file);
        let code = Code::InputsCaPartly;
        Some(Fault::new(
            file,
            "one is damaged",
            code,
            &headline,
            &why,
            fix,
        ))
    }

    /// The folder's own `ca.crt`, where it is not the file in question and would do.
    fn usual(&self) -> Option<&Path> {
        let is_ca = |it: &Contents| it.certificates.iter().any(|it| !is_end_entity(it));
        let mut all = self.inputs.neighbours.iter();
        let usual = all.find(|(path, it)| *path == self.inputs.usual_ca && is_ca(it));
        usual.map(|(path, _)| path.as_path())
    }

    fn restore(&self, file: &InputFile) -> Fix {
        let path = quoted(&file.path);
        match self.usual() {
            Some(usual) => {
                let again = self.again(Some(usual), None);
                let fix = Fix::steps([format!("restore {path}, or give another file with --ca")])
                    .or(format!("to trust the CA of the folder: `{again}`"));
                Fix {
                    command: Some(again),
                    ..fix
                }
            }
            None => Fix::steps([format!(
                "restore {path} from a backup, or have it given again by the CA; `openssl x509 -in {path} -noout \
                 -subject` shows whether it is whole"
            )]),
        }
    }
}

/// Says so itself, and somebody else signed it.
fn is_end_entity(it: &Certificate) -> bool {
    // One of version 1 has no extensions, and may be a CA.
    let says_so =
        it.basic_constraints.is_some() || it.extended_key_usage.is_some() || !it.names.is_empty();
    let signs = it
        .key_usage
        .is_some_and(|it| it.has(KeyUsage::KEY_CERT_SIGN));
    says_so && !it.is_ca() && !signs && !it.is_self_issued()
}

/// What stands in a file that lacks what it is for.
pub(super) fn nothing(contents: &Contents, wanted: &str) -> String {
    let label = contents.others.first().map(|it| printable(&it.label));
    match (contents.form, label) {
        (Form::Empty, _) => "is empty".to_owned(),
        _ if contents.is_request() => format!("is a certificate request, not a {wanted}"),
        (_, Some(label)) => format!("holds no {wanted}, only `{label}`"),
        _ => format!("holds no {wanted} in PEM form"),
    }
}
