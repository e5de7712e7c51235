//! Commands that turn a file which gRPC programs cannot load into one that they can.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Files, InputFile};
use crate::diagnose::Fix;
use crate::pki::contents::{Der, Form};
use crate::text::quoted;

/// What a file is to hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Ca,
    Certificate,
    Key,
}

/// How a file is written that is not plain PEM: in words, and a command that makes it so.
pub(super) struct Written {
    pub(super) what: &'static str,
    pub(super) fix: Fix,
}

impl Files<'_> {
    /// `None` for what is PEM, and for what no command turns into it.
    pub(super) fn written(&self, file: &InputFile, role: Role) -> Option<Written> {
        let of_kind = |for_all: &'static str| (for_all, for_all, for_all);
        let (what, (ca, certificate, key)) = match file.contents.form {
            Form::ByteOrderMark => {
                let what = "starts with a byte order mark, which hides its first PEM block";
                return Some(self.in_place(file, what, r"sed -i '1s/^\xEF\xBB\xBF//'"));
            }
            Form::Indented => {
                let what = "has its lines indented, so that no PEM block is found";
                return Some(self.in_place(file, what, "sed -i 's/^[[:space:]]*//'"));
            }
            Form::Base64 => (
                "is Base64 of a PEM text, as a Kubernetes Secret holds it",
                of_kind("base64 -d IN > OUT"),
            ),
            Form::Escaped => (
                r"is one line, with `\n` written out where lines end",
                of_kind(r#"printf '%b\n' "$(cat IN )" > OUT"#),
            ),
            Form::Utf16 => (
                "is in UTF-16, as PowerShell writes with `>`",
                of_kind("iconv -f UTF-16 -t UTF-8 IN > OUT"),
            ),
            Form::Der(Der::Certificate) if role != Role::Key => (
                "is in DER form; gRPC programs load PEM",
                of_kind("openssl x509 -inform DER -in IN -out OUT"),
            ),
            Form::Der(Der::PrivateKey | Der::EncryptedKey) if role == Role::Key => (
                "is in DER form; gRPC programs load PEM",
                of_kind("openssl pkey -inform DER -in IN -out OUT"),
            ),
            Form::Der(Der::Pkcs12) => (
                "is PKCS #12; gRPC programs load PEM",
                (
                    "openssl pkcs12 -in IN -cacerts -nokeys -out OUT",
                    "openssl pkcs12 -in IN -nokeys -out OUT",
                    "openssl pkcs12 -in IN -nocerts -nodes -out OUT",
                ),
            ),
            Form::Der(Der::Pkcs7) if role != Role::Key => (
                "is PKCS #7; gRPC programs load PEM",
                of_kind("openssl pkcs7 -inform DER -print_certs -in IN -out OUT"),
            ),
            Form::Pem if role != Role::Key => {
                let label = &file.contents.others.first()?.label;
                match label.as_str() {
                    "PKCS7" => (
                        "is PKCS #7; gRPC programs load plain PEM",
                        of_kind("openssl pkcs7 -print_certs -in IN -out OUT"),
                    ),
                    "TRUSTED CERTIFICATE" => (
                        "holds a `TRUSTED CERTIFICATE`, a form of OpenSSL alone",
                        of_kind("openssl x509 -in IN -out OUT"),
                    ),
                    _ => return None,
                }
            }
            _ => return None,
        };
        let command = match role {
            Role::Ca => ca,
            Role::Certificate => certificate,
            Role::Key => key,
        };
        let fix = self.converted(file, role, command);
        Some(Written { what, fix })
    }

    fn in_place(&self, file: &InputFile, what: &'static str, command: &str) -> Written {
        let fix = Fix::command(format!("{command} {}", quoted(&file.path)), "");
        Written { what, fix }
    }

    /// A command that writes another file: in the folder that takes the place of the first, as it has its name from
    /// certs.toml; elsewhere it stays beside it, and is to be named.
    pub(super) fn converted(&self, file: &InputFile, role: Role, command: &str) -> Fix {
        let of_folder = file.path.parent() == Some(self.inputs.folder());
        let new = match role {
            _ if !of_folder => appended(&file.path, ".pem"),
            Role::Key => file.path.with_extension("new.key"),
            Role::Ca | Role::Certificate => file.path.with_extension("new.crt"),
        };
        let (from, to) = (quoted(&file.path), quoted(&new));
        let words = command.split(' ').map(|word| match word {
            "IN" => from.as_str(),
            "OUT" => to.as_str(),
            other => other,
        });
        let command = words.collect::<Vec<_>>().join(" ");
        let command = match role {
            Role::Key => format!("(umask 077 && {command})"),
            Role::Ca | Role::Certificate => command,
        };
        if of_folder {
            return Fix::command(format!("{command} && mv {to} {from}"), "");
        }
        Fix::command(command, "").or(format!("then `{}`", self.again_with(&new, role)))
    }

    /// The command that was typed, with one file in place of another.
    pub(super) fn again_with(&self, new: &Path, role: Role) -> String {
        let pair = self.inputs.client.as_ref();
        match (role, pair) {
            (Role::Certificate, Some((_, key))) => self.again(None, Some((new, &key.path))),
            (Role::Key, Some((certificate, _))) => self.again(None, Some((&certificate.path, new))),
            _ => self.again(Some(new), None),
        }
    }
}

/// A path with more at the end of its name.
pub(super) fn appended(path: &Path, more: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(more);
    PathBuf::from(name)
}
