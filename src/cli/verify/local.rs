//! What lies on this machine: whom to trust, what to show, and what certs.toml and the folder know.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::Common;
use super::Verify;
use crate::config::Config;
use crate::diagnose::{Knowledge, KnownEntry};
use crate::error::Error;
use crate::pki::Certificate;
use crate::store::{self, Identity, Store};
use crate::text::quoted;

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
        let anchors_path = args
            .ca
            .clone()
            .unwrap_or_else(|| store.certificate_path("ca"));
        let anchors = store::read_certificates(&anchors_path)?;
        let identity = identity(args, store)?.map(Arc::new);
        let knowledge = Knowledge {
            anchors_path: anchors_path.display().to_string(),
            identity: identity.as_ref().map(|it| it.certificate.clone()),
            identity_issuers: identity.as_deref().map_or_else(Vec::new, issuers),
            require_mtls: args.require_mtls,
            min_days: args.min_days,
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
    if let Some(name) = &args.server_name {
        flags.push_str(&format!(" --server-name {}", quoted(Path::new(name))));
    }
    flags
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
