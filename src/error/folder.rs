//! What to do about files and folders that are not what they should be, and about plans that cannot be made of them.

use std::io;
use std::path::Path;

use super::Hint;
use crate::plan::PlanError;
use crate::store::{Content, Kind, Obstacle, StoreError, Unsettled};
use crate::text::quoted;

impl Hint for PlanError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::CaEphemeral { dir } => format!(
                "make another CA with new certificates, and give clients the new ca.crt: remove or move away {0}, and \
                 run `grpc-pki init --ephemeral{1}` again",
                quoted(dir),
                pki_flag(dir)
            ),
            Self::CaExists { .. } => {
                "name a new folder with --pki; `grpc-pki issue` makes certificates under the CA that is there"
                    .to_owned()
            }
            Self::CaKeyChanged { .. } => "nothing was made; run it again".to_owned(),
            Self::CaExpired { .. } => {
                "certificates under an expired CA are refused; move the folder away, \
                 run `grpc-pki init` and `grpc-pki issue`, and give clients the new ca.crt"
                    .to_owned()
            }
            Self::CaNotYetValid { .. } => "check the clock of this machine".to_owned(),
            Self::CaIncomplete { missing, .. } => format!(
                "restore {} from a backup; a CA is never replaced, and a new one \
                 needs another folder (`--pki`)",
                missing.display()
            ),
            Self::CaMismatch { key, certificate } => format!(
                "restore the pair from a backup: {} and {} were made at different times",
                certificate.display(),
                key.display()
            ),
            Self::Content { path, content } => content_hint(path, *content)?,
            Self::NoCa { dir } => format!("run `grpc-pki init{}` first", pki_flag(dir)),
            Self::NothingToIssue { path } => {
                format!("add [alt_names] or a [certs.NAME] to {path}")
            }
            Self::NotACa { .. } => {
                "put the CA's own certificate there; one of a server or a client cannot sign"
                    .to_owned()
            }
            Self::NotPermitted { .. } => {
                "the CA's name constraints (`permitted` and `excluded` of [ca] at `init`) \
                 leave these names out, and every peer would refuse them"
                    .to_owned()
            }
            Self::UnknownEntry {
                nearest: Some(nearest),
                ..
            } => {
                format!("did you mean `{nearest}`?")
            }
            Self::UnknownEntry {
                path,
                nearest: None,
                name,
            } => {
                format!("add [certs.{name}] to {path}")
            }
        })
    }
}

impl StoreError {
    /// Whether a file is wrong, not the system.
    pub(super) fn is_input(&self) -> bool {
        matches!(
            self,
            Self::Content { .. }
                | Self::InTheWay { .. }
                | Self::Missing { .. }
                | Self::SystemStore { .. }
        )
    }
}

impl Hint for StoreError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Content { path, content } => content_hint(path, *content),
            Self::InTheWay { path, obstacle } => Some(obstacle_hint(path, *obstacle)),
            Self::Locked { .. } => {
                Some("wait for it or end it; --lock-timeout is how long to wait".to_owned())
            }
            Self::Unfinished { .. } => Some(
                "nothing is lost: once that is mended, the next `grpc-pki issue` puts the rest into place"
                    .to_owned(),
            ),
            Self::Write { .. } => Some("nothing has been changed in the pki folder".to_owned()),
            Self::Record { path } => Some(record_hint(path)),
            Self::Missing { path } => missing_hint(path),
            Self::Read { path, source } if source.kind() == io::ErrorKind::NotADirectory => {
                let dir = path.parent()?.display();
                Some(format!("{dir} is no folder; name one with --pki"))
            }
            Self::SystemStore { variables, .. } if variables.is_empty() => Some(
                "install it: `apt install ca-certificates` (Debian, Ubuntu), `apk add ca-certificates` (Alpine) or \
                 `dnf install ca-certificates` (Fedora)"
                    .to_owned(),
            ),
            Self::SystemStore { variables, .. } => {
                let names: Vec<&str> = variables.iter().map(|(name, _)| *name).collect();
                Some(format!(
                    "set {} right, or unset what is not needed",
                    names.join(" and ")
                ))
            }
            Self::Read { .. } => None,
        }
    }
}

impl Hint for Unsettled {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Changing { .. } => "run it again when that is done".to_owned(),
            Self::Damaged { record, .. } => record_hint(record),
            Self::Interrupted { dir } => {
                format!("run `grpc-pki issue{}` where it may write", pki_flag(dir))
            }
        })
    }
}

fn record_hint(record: &Path) -> String {
    format!(
        "look at {} and remove it; then `grpc-pki issue` makes what is missing",
        record.display()
    )
}

/// ` --pki DIR`, where it is not the usual one.
pub(super) fn pki_flag(dir: &Path) -> String {
    if dir == Path::new("pki") {
        String::new()
    } else {
        format!(" --pki {}", quoted(dir))
    }
}

fn obstacle_hint(path: &Path, obstacle: Obstacle) -> String {
    let word = quoted(path);
    match obstacle {
        Obstacle::ForeignFolder(uid) => format!(
            "run it as that user (`sudo -u '#{uid}' grpc-pki …`), or make the folder your own: `chown {} {word}`",
            rustix::process::geteuid().as_raw()
        ),
        Obstacle::OpenFolder(_) => format!("`chmod o-w {word}`"),
        Obstacle::NotAFolder(Kind::SymbolicLink) | Obstacle::NotAFile(Kind::SymbolicLink) => {
            format!(
                "nothing is written through a link; move it away: `mv {word} {}`",
                quoted(&path.with_extension("link"))
            )
        }
        Obstacle::NotAFolder(_) => format!("move {word} away, or name another folder with --pki"),
        Obstacle::NotAFile(_) => format!("move {word} away"),
    }
}

fn missing_hint(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    match name {
        "ca.crt" => {
            let flag = path.parent().map_or_else(String::new, pki_flag);
            Some(format!(
                "run `grpc-pki init{flag}` first, or name the folder with --pki"
            ))
        }
        _ if name.ends_with(".crt") || name.ends_with(".key") => Some(
            "`grpc-pki issue` makes what certs.toml asks for; --pki names another folder"
                .to_owned(),
        ),
        _ => None,
    }
}

/// The command that encrypts a private key as this program does.
pub const ENCRYPT: &str = "openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000";

/// The command that puts a private key under a passphrase.
pub fn encrypt_command(path: &Path) -> String {
    let new = quoted(&path.with_extension("new.key"));
    let path = quoted(path);
    format!("{ENCRYPT} -in {path} -out {new} && mv {new} {path}")
}

/// The command that turns a wrong file into a right one, where there is one.
pub fn content_hint(path: &Path, content: Content) -> Option<String> {
    let is_key = path.extension().is_some_and(|it| it == "key");
    let new = quoted(&path.with_extension(if is_key { "new.key" } else { "new.crt" }));
    let path = quoted(path);
    // The new file has the mode that OpenSSL gives a private key, and a name that .gitignore knows.
    let convert = |command: &str| format!("{command} -in {path} -out {new} && mv {new} {path}");
    Some(match content {
        Content::ByteOrderMark => format!("sed -i '1s/^\\xEF\\xBB\\xBF//' {path}"),
        Content::Der if is_key => convert("openssl pkey -inform DER"),
        Content::Der => convert("openssl x509 -inform DER"),
        Content::EncryptedKey => convert("openssl pkey"),
        Content::EncryptedLegacyPem | Content::EncryptedUnsupported => {
            format!("encrypt it anew: `{}`", convert(ENCRYPT))
        }
        // OpenSSL 3 has the oldest of these ciphers only on demand.
        Content::EncryptedPbes1 => format!(
            "encrypt it anew: `{}`",
            convert(&format!("{ENCRYPT} -provider default -provider legacy"))
        ),
        Content::EncryptedTooCostly => format!(
            "encrypt it anew with what made it, or, where OpenSSL can open it: `{}`",
            convert(ENCRYPT)
        ),
        Content::KeyInCertificate => {
            format!(
                "take the key out of {path}; if others could read it, `grpc-pki issue` makes a new pair"
            )
        }
        Content::DamagedCertificate | Content::Empty => format!("restore {path} from a backup"),
        Content::DamagedList => {
            format!("`openssl crl -in {path} -noout -text` says where; have the CA make it again")
        }
        Content::ListIsCertificate => {
            "--crl takes the list that a CA publishes; certificates to trust go to --ca".to_owned()
        }
        Content::ListIsKey => "--crl takes the list that a CA publishes".to_owned(),
        Content::NoList => {
            "the list of a CA that OpenSSL runs: `openssl ca -gencrl -out crl.pem`".to_owned()
        }
        Content::DamagedKey => {
            format!("restore {path} from a backup, or use a key of one of these types")
        }
        Content::PrivateKey => {
            format!("{path} must be the certificate; never hand a private key to clients")
        }
        Content::CertificateRequest => "it has to be signed by a CA first".to_owned(),
        Content::NotAFile => format!("move {path} away"),
        Content::ListTooLarge | Content::NoCertificate | Content::NoKey | Content::TooLarge => {
            return None;
        }
    })
}
