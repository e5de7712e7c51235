//! What is known beside what was seen: the files of this machine, and what certs.toml makes.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::{Inputs, ListFile, Proxy};
use crate::config::Place;
use crate::pki::{Certificate, GeneralName};

/// Files and the certificates in them.
pub type Beside = Vec<(PathBuf, Vec<Certificate>)>;

/// What is known beside the observation.
#[derive(Debug, Default)]
pub struct Knowledge {
    /// Whom we trust.
    pub anchors: Vec<Certificate>,
    /// Where they were read: a file, or `the system's trust store`.
    pub anchors_path: String,
    /// Whether they are those of the system.
    pub trusts_system: bool,
    /// Whom not to trust any more.
    pub revocation: Vec<ListFile>,
    /// The files that were read, as they are.
    pub inputs: Inputs,
    /// Our own client certificate, where one is to be shown.
    pub identity: Option<Certificate>,
    /// What its file holds behind it.
    pub identity_issuers: Vec<Certificate>,
    /// Whether a server that does not demand a client certificate fails.
    pub require_mtls: bool,
    /// How many days every certificate of the path has to have left.
    pub min_days: Option<u16>,
    /// What certs.toml makes and the folder holds.
    pub entries: Vec<KnownEntry>,
    /// What was issued here: the SHA-256 of each certificate, and its entry.
    pub issued: HashMap<String, String>,
    /// What lies in the folder and beside the CA file; read once a server is met that is not trusted.
    pub beside: OnceLock<Beside>,
    /// The proxy that the environment sets.
    pub proxy: Option<Proxy>,
    /// certs.toml, as it was named.
    pub config_path: String,
    /// ` --pki DIR --config FILE` where they are not the usual ones, so that a command works when it is typed.
    pub flags: String,
    /// What to know about all that was read from the folder.
    pub remark: Option<String>,
    /// What else this run of `verify` was given that the next one needs: ` --ca FILE --server-name NAME`.
    pub own_flags: String,
}

/// A certificate that this folder could have made.
#[derive(Debug)]
pub struct KnownEntry {
    /// Entry of certs.toml.
    pub name: String,
    /// Whether it may dial others.
    pub client_auth: bool,
    /// Its names in certs.toml.
    pub names: Vec<GeneralName>,
    /// Where they stand.
    pub place: Place,
    /// What is on disk.
    pub certificate: Option<Certificate>,
}

impl KnownEntry {
    /// Whether there is a certificate that a client may show.
    pub(super) fn is_for_clients(&self) -> bool {
        self.client_auth && self.certificate.is_some()
    }
}
