//! What lies on this machine: whom to trust, what to show, and what certs.toml and the folder know.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::Common;
use super::Verify;
use crate::config::Config;
use crate::diagnose::{Knowledge, KnownEntry, ListFile};
use crate::error::Error;
use crate::pki::Certificate;
use crate::store::{self, Identity, Store, StoreError};
use crate::text::quoted;

/// Stands for the trust store of the system in place of a file; a file by this name is `./system`.
const SYSTEM: &str = "system";

/// Everything that `verify` reads before it connects.
pub(super) struct Local {
    pub(super) knowledge: Knowledge,
    /// What to show when the server asks for a certificate.
    pub(super) identity: Option<Arc<Identity>>,
}

impl Local {
    /// Reads the folder, certs.toml and the files that were named.
    pub(super) fn read(args: &Verify, common: &Common, store: &Store) -> Result<Self, Error> {
        let config = common.load_config_if_there()?;
        let trusts_system = args.ca.as_deref() == Some(Path::new(SYSTEM));
        let (anchors, anchors_path) = if trusts_system {
            let anchors = store::read_system_certificates()?;
            (anchors, "the system's trust store".to_owned())
        } else {
            let path = args.ca.clone();
            let path = path.unwrap_or_else(|| store.certificate_path("ca"));
            (store::read_certificates(&path)?, path.display().to_string())
        };
        let identity = identity(args, store)?.map(Arc::new);
        let knowledge = Knowledge {
            anchors_path,
            trusts_system,
            revocation: revocation(args, store)?,
            identity: identity.as_ref().map(|it| it.certificate.clone()),
            identity_issuers: identity.as_deref().map_or_else(Vec::new, issuers),
            require_mtls: args.require_mtls,
            entries: known(config.as_ref(), store),
            flags: common.flags(),
            own_flags: own_flags(args),
            config_path: common.config_path().display().to_string(),
            anchors,
        };
        Ok(Self {
            knowledge,
            identity,
        })
    }
}

/// The flags that the next `verify` needs to look at the same server in the same way.
fn own_flags(args: &Verify) -> String {
    let mut flags = String::new();
    if let Some(ca) = &args.ca {
        flags.push_str(&format!(" --ca {}", quoted(ca)));
    }
    for crl in &args.crl {
        flags.push_str(&format!(" --crl {}", quoted(crl)));
    }
    if let Some(id) = &args.spiffe_id {
        flags.push_str(&format!(" --spiffe-id {}", quoted(Path::new(id))));
    }
    if let Some(name) = &args.server_name {
        flags.push_str(&format!(" --server-name {}", quoted(Path::new(name))));
    }
    flags.push_str(&args.dial.flags());
    flags
}

/// The revocation lists that were named, and those of the folder.
fn revocation(args: &Verify, store: &Store) -> Result<Vec<ListFile>, Error> {
    let read = |path: &Path, named| -> Result<ListFile, StoreError> {
        let lists = store::read_revocation_lists(path)?;
        Ok(ListFile {
            path: path.display().to_string(),
            named,
            lists: lists.into_iter().map(Arc::new).collect(),
        })
    };
    let mut files = Vec::new();
    for path in &args.crl {
        files.push(read(path, true)?);
    }
    let usual = store.revocation_lists_path();
    if !args.crl.contains(&usual) {
        match read(&usual, false) {
            Err(StoreError::Missing { .. }) => {}
            file => files.push(file?),
        }
    }
    Ok(files)
}

/// The client certificate that was asked for, with its key.
fn identity(args: &Verify, store: &Store) -> Result<Option<Identity>, Error> {
    let (certificate, key): (PathBuf, PathBuf) = match (&args.client, &args.cert, &args.key) {
        (Some(name), ..) => (store.certificate_path(name), store.key_path(name)),
        (None, Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
        _ => return Ok(None),
    };
    Ok(Some(store::read_identity(&certificate, &key)?))
}

/// What the client certificate's file holds behind it.
fn issuers(identity: &Identity) -> Vec<Certificate> {
    let behind = identity.chain.iter().skip(1);
    behind
        .filter_map(|der| Certificate::from_der(der.clone()).ok())
        .collect()
}

/// What certs.toml and the folder say about the certificates that could be met.
fn known(config: Option<&Config>, store: &Store) -> Vec<KnownEntry> {
    let on_disk = |name: &str| -> Option<Certificate> {
        let mut certificates = store::read_certificates(&store.certificate_path(name)).ok()?;
        Some(certificates.swap_remove(0))
    };
    let entries = config.into_iter().flat_map(|it| &it.certificates);
    entries
        .map(|entry| KnownEntry {
            name: entry.name.clone(),
            client_auth: entry.profile.client_auth(),
            names: entry.names.clone(),
            place: entry.place.clone(),
            certificate: on_disk(&entry.name),
        })
        .collect()
}
