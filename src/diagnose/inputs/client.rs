//! The client certificate and its private key.

use std::path::Path;

use super::authority::nothing;
use super::mend::Role;
use super::{Fault, Files, InputFile, lines};
use crate::diagnose::{Code, Fix};
use crate::pki::certificate::PublicKey;
use crate::pki::contents::{Contents, Form, Key};
use crate::text::quoted;

/// Rights of group and others to read.
const READ_BY_OTHERS: u32 = 0o044;
const READ_BY_ALL: u32 = 0o004;

impl Files<'_> {
    /// What is wrong with them, each on its own and then together.
    pub(super) fn client(&self) -> Vec<Fault> {
        let Some((certificate, key)) = &self.inputs.client else {
            return Vec::new();
        };
        let mut faults = Vec::new();
        if is_swapped(&certificate.contents, &key.contents) {
            faults.push(self.swapped(certificate, key));
        } else {
            faults.extend(self.certificate(certificate, key));
            faults.extend(self.key(certificate, key));
            if faults.is_empty() {
                faults.extend(self.pair(certificate, key));
            }
        }
        faults.extend(readable(key));
        faults
    }

    fn swapped(&self, certificate: &InputFile, key: &InputFile) -> Fault {
        let again = self.again_as_files(&key.path, &certificate.path);
        let headline = "is the private key: --cert and --key are the wrong way round";
        let why = "One file holds what the other is named for: the certificate is what a server is shown, and the \
                   private key never leaves this machine.";
        let fix = Fix::command(again, "");
        Fault::new(
            certificate,
            "a private key",
            Code::InputsSwapped,
            headline,
            why,
            fix,
        )
    }

    fn certificate(&self, file: &InputFile, key: &InputFile) -> Option<Fault> {
        let contents = &file.contents;
        if let Some(fault) = self.encoding(file, Role::Certificate) {
            return Some(fault);
        }
        let broken = [&contents.damaged[..], &contents.strange[..]].concat();
        if !broken.is_empty() && contents.lone_key().is_none() {
            return Some(self.damaged(
                file,
                &format!("is damaged at {}", lines(&broken)),
                Role::Certificate,
            ));
        }
        if !contents.certificates.is_empty() {
            return None;
        }
        let headline = match contents.lone_key() {
            Some(_) => "is a private key, not a certificate".to_owned(),
            None => nothing(contents, "certificate"),
        };
        let why = "There is no certificate to show when a server asks for one, so a program that loads this file does \
                   not start, or connects as nobody.";
        let found = public_of(&key.contents).and_then(|it| self.certificate_of(it));
        let fix = match found {
            Some(found) => Fix::command(self.again_with(found, Role::Certificate), ""),
            None if contents.is_request() => Fix::steps([
                "have the request signed by a CA that the server accepts, and give what comes back",
            ]),
            None => Fix::steps(["give the certificate that was issued for this key with --cert"]),
        };
        let code = Code::InputsCertEmpty;
        Some(Fault::new(
            file,
            "no certificate",
            code,
            &headline,
            why,
            fix,
        ))
    }

    fn key(&self, certificate: &InputFile, file: &InputFile) -> Option<Fault> {
        let contents = &file.contents;
        if let Some(fault) = self.encoding(file, Role::Key) {
            return Some(fault);
        }
        match contents.key() {
            Some(Key::Usable(_)) => None,
            Some(Key::Encrypted) => Some(self.encrypted(file)),
            Some(Key::Unusable) => Some(self.unusable(certificate, file)),
            None if !contents.damaged.is_empty() => {
                let headline = format!("is damaged at {}", lines(&contents.damaged));
                Some(self.damaged(file, &headline, Role::Key))
            }
            None => Some(self.key_empty(certificate, file)),
        }
    }

    fn key_empty(&self, certificate: &InputFile, file: &InputFile) -> Fault {
        let contents = &file.contents;
        let headline = if contents.certificates.is_empty() {
            nothing(contents, "private key")
        } else {
            "is a certificate, not a private key".to_owned()
        };
        let why = "Without the private key the certificate is a public document: only who has the key can prove that \
                   it is theirs, and no TLS library loads one without the other.";
        let first = certificate.contents.certificates.first();
        let found = first.and_then(|it| self.key_of(&it.public_key_info));
        let fix = match found {
            Some(found) => Fix::command(self.again_with(found, Role::Key), ""),
            None => {
                Fix::steps(["give the private key that the certificate was made for with --key"])
            }
        };
        Fault::new(
            file,
            "no private key",
            Code::InputsKeyEmpty,
            &headline,
            why,
            fix,
        )
    }

    /// Both files alike: written in a way that no gRPC program loads.
    fn encoding(&self, file: &InputFile, role: Role) -> Option<Fault> {
        let written = self.written(file, role)?;
        let why = "gRPC programs load PEM, and find nothing in this file: they do not start, or connect without a \
                   client certificate.";
        let code = Code::InputsClientEncoding;
        let short = match file.contents.form {
            Form::ByteOrderMark => "a byte order mark",
            _ => "not plain PEM",
        };
        Some(Fault::new(
            file,
            short,
            code,
            written.what,
            why,
            written.fix,
        ))
    }

    fn damaged(&self, file: &InputFile, headline: &str, role: Role) -> Fault {
        let why = "What stands there cannot be decoded: part of it is missing, or was changed, as by copying a text \
                   by hand.";
        let path = quoted(&file.path);
        let show = match role {
            Role::Key => format!("`openssl pkey -in {path} -noout -check`"),
            Role::Ca | Role::Certificate => format!("`openssl x509 -in {path} -noout -subject`"),
        };
        let fix = self.anew().unwrap_or_else(|| {
            Fix::steps([format!(
                "restore {path} from a backup; {show} shows whether it is whole"
            )])
        });
        Fault::new(
            file,
            "damaged",
            Code::InputsClientDamaged,
            headline,
            why,
            fix,
        )
    }

    /// A pair of the folder is made anew by `issue`, which sees the same.
    pub(super) fn anew(&self) -> Option<Fix> {
        let name = self.inputs.client_name.as_ref()?;
        self.entries.iter().find(|it| it.name == *name)?;
        let command = format!(
            "grpc-pki issue {}{}",
            quoted(Path::new(name)),
            self.inputs.folder_flags
        );
        Some(Fix::command(command, "which makes the pair anew"))
    }

    fn encrypted(&self, file: &InputFile) -> Fault {
        let plain = file.path.with_extension("plain.key");
        let (from, to) = (quoted(&file.path), quoted(&plain));
        let why = "gRPC programs do not ask for a passphrase, and find no key that they could use in such a file.";
        let command = format!("(umask 077 && openssl pkey -in {from} -out {to})");
        let fix = Fix::command(command, "which asks for the passphrase")
            .or(format!("then `{}`", self.again_with(&plain, Role::Key)));
        let headline = "is encrypted with a passphrase";
        Fault::new(
            file,
            "encrypted",
            Code::InputsKeyEncrypted,
            headline,
            why,
            fix,
        )
    }

    fn unusable(&self, certificate: &InputFile, file: &InputFile) -> Fault {
        let certified = certificate.contents.certificates.first();
        let kind = certified.map(|it| &it.public_key);
        if kind.is_some_and(is_signed_with) {
            return self.damaged(file, "holds a private key that is damaged", Role::Key);
        }
        let told = kind.map_or_else(String::new, |it| format!(" The certificate is for {it}."));
        let why = format!(
            "tonic and this program sign with RSA of 2048 to 8192 bits, P-256, P-384, P-521 and Ed25519, and it is \
             none of these, or damaged.{told}"
        );
        let fix = Fix::steps([
            "make a new key and have it certified: in certs.toml an entry with `profile = \"client\"`, then \
             `grpc-pki issue`",
        ]);
        let headline = "holds a private key that rustls does not sign with";
        let code = Code::InputsIdentityUnusable;
        Fault::new(file, "a key of another kind", code, headline, &why, fix)
    }
}

/// Works, and should not.
fn readable(key: &InputFile) -> Option<Fault> {
    let holds = !key.contents.keys.is_empty() || key.contents.lone_key().is_some();
    if !holds || key.mode & READ_BY_OTHERS == 0 {
        return None;
    }
    let who = if key.mode & READ_BY_ALL != 0 {
        "everyone on this machine"
    } else {
        "its whole group"
    };
    let headline = format!("is a private key that {who} may read");
    let why = format!(
        "By its mode {:04o}, {who} may read {}. Who does can show the certificate as their own, until it expires.",
        key.mode,
        key.name()
    );
    let fix = Fix::command(format!("chmod 600 {}", quoted(&key.path)), "");
    let short = format!("mode {:04o}", key.mode);
    Some(Fault::new(
        key,
        &short,
        Code::InputsKeyReadable,
        &headline,
        &why,
        fix,
    ))
}

fn is_swapped(certificate: &Contents, key: &Contents) -> bool {
    let no_key = key.keys.is_empty() && !key.certificates.is_empty();
    certificate.form == Form::Pem && certificate.lone_key().is_some() && no_key
}

pub(super) fn public_of(contents: &Contents) -> Option<&[u8]> {
    match contents.key() {
        Some(Key::Usable(public)) => Some(public),
        _ => None,
    }
}

/// Whether rustls signs with keys of this kind.
fn is_signed_with(kind: &PublicKey) -> bool {
    match kind {
        PublicKey::Ecdsa(_) | PublicKey::Ed25519 => true,
        PublicKey::Rsa(bits) => (2048..=8192).contains(bits),
        PublicKey::Other(_) => false,
    }
}
