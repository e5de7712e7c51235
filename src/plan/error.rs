//! Why there can be no plan.

use std::path::PathBuf;

use time::OffsetDateTime;

use crate::pki::GeneralName;
use crate::store::Content;

/// Why there can be no plan.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The CA's key was not kept, and there is something to sign.
    #[error("the key of the CA in {} was not kept (`init --ephemeral`), so it can sign nothing more", dir.display())]
    CaEphemeral {
        /// The folder.
        dir: PathBuf,
    },
    /// There is a CA, where a new one was asked for.
    #[error("there is a CA in {} already, and a CA is never replaced", dir.display())]
    CaExists {
        /// The folder.
        dir: PathBuf,
    },
    /// The CA ended.
    #[error("the CA {} expired on {}", path.display(), not_after.date())]
    CaExpired {
        /// Its certificate.
        path: PathBuf,
        /// When.
        not_after: OffsetDateTime,
    },
    /// The CA starts later.
    #[error("the CA {} is valid only from {}", path.display(), not_before.date())]
    CaNotYetValid {
        /// Its certificate.
        path: PathBuf,
        /// When.
        not_before: OffsetDateTime,
    },
    /// One of the CA's two files is not there.
    #[error("{} is there, but {} is missing", there.display(), missing.display())]
    CaIncomplete {
        /// The file that is there.
        there: PathBuf,
        /// The file that is not.
        missing: PathBuf,
    },
    /// The CA's key was replaced while its passphrase was asked for.
    #[error("{} changed while this command ran", key.display())]
    CaKeyChanged {
        /// The key file.
        key: PathBuf,
    },
    /// The CA's key is another one's.
    #[error("{} is not the key of {}", key.display(), certificate.display())]
    CaMismatch {
        /// The key file.
        key: PathBuf,
        /// The certificate file.
        certificate: PathBuf,
    },
    /// A file of the CA holds something else.
    #[error("{} {content}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it holds.
        content: Content,
    },
    /// There is no CA.
    #[error("there is no CA in {}", dir.display())]
    NoCa {
        /// The folder.
        dir: PathBuf,
    },
    /// The certificate in ca.crt is no CA's.
    #[error("{} cannot sign certificates: {why}", path.display())]
    NotACa {
        /// Its certificate.
        path: PathBuf,
        /// Which extension forbids it.
        why: &'static str,
    },
    /// A CA whose key is not kept was asked for, and nothing that it could sign.
    #[error("{path} asks for no certificate, and a CA whose key is not kept can sign none later")]
    NothingToIssue {
        /// The file, as it was named.
        path: String,
    },
    /// The CA's nameConstraints forbid a name.
    #[error("the CA may not certify {} (certificate `{entry}`)", list(names))]
    NotPermitted {
        /// Entry.
        entry: String,
        /// The names that are outside.
        names: Vec<GeneralName>,
    },
    /// certs.toml has no such certificate.
    #[error("{path} has no certificate `{name}`")]
    UnknownEntry {
        /// The file, as it was named.
        path: String,
        /// What was asked for.
        name: String,
        /// What was meant, perhaps.
        nearest: Option<String>,
    },
}

fn list(names: &[GeneralName]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
