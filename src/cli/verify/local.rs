//! What lies on this machine: whom to trust, what to show, and what certs.toml and the folder know.

use std::collections::HashMap;
use std::env;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::super::Common;
use super::{Verify, flags};
use crate::config::Config;
use crate::diagnose::{Beside, InputFile, Inputs, Knowledge, KnownEntry, ListFile, Proxy};
use crate::error::Error;
use crate::pki::Certificate;
use crate::pki::contents::Contents;
use crate::pki::key::SecretKey;
use crate::store::{self, Examined, Identity, Store, StoreError};

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
        let anchors_path = args
            .ca
            .clone()
            .unwrap_or_else(|| store.certificate_path("ca"));
        let file = (!trusts_system).then_some(anchors_path.as_path());
        let (inputs, key) = read_inputs(args, common, store, file)?;
        let of = |file: &InputFile| file.contents.certificates.clone();
        let (anchors, anchors_path) = if trusts_system {
            let anchors = store::read_system_certificates()?;
            (anchors, "the system's trust store".to_owned())
        } else {
            let anchors = inputs.ca.as_ref().map(of).unwrap_or_default();
            (anchors, anchors_path.display().to_string())
        };
        let chain = inputs.client.as_ref().map(|(it, _)| of(it));
        let chain = chain.unwrap_or_default();
        let identity = chain.first().zip(key).map(|(certificate, key)| {
            Arc::new(Identity {
                chain: chain.iter().map(|it| it.der().clone()).collect(),
                key,
                certificate: certificate.clone(),
            })
        });
        let knowledge = Knowledge {
            anchors_path,
            trusts_system,
            revocation: revocation(args, store)?,
            identity: identity.as_ref().map(|it| it.certificate.clone()),
            identity_issuers: chain.into_iter().skip(1).collect(),
            require_mtls: args.require_mtls,
            min_days: args.min_days,
            entries: known(config.as_ref(), store),
            issued: issued(store),
            beside: OnceLock::new(),
            proxy: proxy(),
            flags: common.flags(),
            own_flags: flags::of_server(args),
            config_path: common.config_path().display().to_string(),
            anchors,
            inputs,
            remark: None,
        };
        Ok(Self {
            knowledge,
            identity,
        })
    }
}

/// Looks at the files that were named, and at what lies beside them where something is wrong; returns the private
/// key as well.
fn read_inputs(
    args: &Verify,
    common: &Common,
    store: &Store,
    ca: Option<&Path>,
) -> Result<(Inputs, Option<SecretKey>), Error> {
    let mut private = None;
    let mut examine = |path: &Path| -> Result<InputFile, Error> {
        let Examined {
            contents,
            key,
            mode,
        } = store::examine(path)?;
        private = key;
        Ok(InputFile {
            path: path.to_owned(),
            contents,
            mode,
        })
    };
    let ca = ca.map(&mut examine).transpose()?;
    let client = match pair(args, store) {
        Some((certificate, key)) => Some((examine(&certificate)?, examine(&key)?)),
        None => None,
    };
    let private = private.filter(|_| client.is_some());
    let mut inputs = Inputs {
        ca,
        client,
        client_name: args.client.clone(),
        usual_ca: store.certificate_path("ca"),
        flags: format!("{}{}", flags::others(args), common.flags()),
        folder_flags: common.flags(),
        neighbours: Vec::new(),
    };
    if inputs.is_failed() {
        inputs.neighbours = neighbours(&inputs, store);
    }
    Ok((inputs, private))
}

/// What lies in the folder, and beside the files that were named.
fn neighbours(inputs: &Inputs, store: &Store) -> Vec<(PathBuf, Contents)> {
    let client = inputs.client.iter().flat_map(|(one, two)| [one, two]);
    let named = inputs.ca.iter().chain(client);
    let mut folders = vec![store.dir()];
    for parent in named.filter_map(|it| it.path.parent()) {
        if !folders.contains(&parent) {
            folders.push(parent);
        }
    }
    folders.into_iter().flat_map(store::neighbours).collect()
}

/// The certificates in the folder and beside the CA file, for a server that is not trusted. Fixes pass these files on,
/// so one with a private key in it is none of them.
pub(super) fn beside(knowledge: &Knowledge, folder: &Path) -> Beside {
    let ca = knowledge.inputs.ca.as_ref();
    let other = ca.and_then(|it| it.path.parent()).map(|it| match it {
        here if here.as_os_str().is_empty() => Path::new("."),
        there => there,
    });
    let folders = std::iter::once(folder).chain(other.filter(|it| *it != folder));
    let certificates = |(path, contents): (PathBuf, Contents)| (path, contents.certificates);
    folders
        .flat_map(store::neighbours)
        .filter(|(_, contents)| contents.keys.is_empty())
        .map(certificates)
        .collect()
}

/// The fingerprint of every certificate that was issued here, and its entry.
fn issued(store: &Store) -> HashMap<String, String> {
    // It only helps to recognise what is met: one that cannot be read says nothing.
    store.issued().map(|it| it.names).unwrap_or_default()
}

/// The proxy for TLS that gRPC clients heed.
fn proxy() -> Option<Proxy> {
    let read = |name: &str| env::var(name).ok().filter(|it| !it.is_empty());
    let mut set = Proxy::VARIABLES.into_iter();
    let (variable, value) = set.find_map(|it| Some((it, read(it)?)))?;
    let (_, place) = value.rsplit_once('@').unwrap_or(("", &value));
    Some(Proxy {
        variable: variable.to_owned(),
        place: place.to_owned(),
        exempt: read("NO_PROXY")
            .or_else(|| read("no_proxy"))
            .unwrap_or_default(),
    })
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

/// The client certificate that was asked for, and its key.
fn pair(args: &Verify, store: &Store) -> Option<(PathBuf, PathBuf)> {
    match (&args.client, &args.cert, &args.key) {
        (Some(name), ..) => Some((store.certificate_path(name), store.key_path(name))),
        (None, Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
        _ => None,
    }
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
