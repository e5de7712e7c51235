//! The flags of this run, for the commands that a fix prints.

use std::path::Path;

use super::super::Common;
use super::Verify;
use crate::text::quoted;

/// What this run was given besides files and targets, for the same run with other files.
pub(super) fn others(args: &Verify) -> String {
    let mut flags = identity(args);
    for (given, flag) in [
        (args.require_mtls, " --require-mtls"),
        (args.deep, " --deep"),
    ] {
        if given {
            flags.push_str(flag);
        }
    }
    flags
}

/// All flags that decide how a server is looked at, as they were given.
pub(super) fn all(args: &Verify, common: &Common) -> String {
    let mut flags = trust(args);
    for (flag, file) in [("cert", &args.cert), ("key", &args.key)] {
        if let Some(file) = file {
            flags.push_str(&format!(" --{flag} {}", quoted(file)));
        }
    }
    if let Some(name) = &args.client {
        flags.push_str(&format!(" --client {}", quoted(Path::new(name))));
    }
    flags + &others(args) + &common.flags()
}

/// The flags that the next `verify` needs to look at the same server in the same way.
pub(super) fn of_server(args: &Verify) -> String {
    trust(args) + &identity(args)
}

/// Whom to trust.
fn trust(args: &Verify) -> String {
    let mut flags = String::new();
    if let Some(ca) = &args.ca {
        flags.push_str(&format!(" --ca {}", quoted(ca)));
    }
    for crl in &args.crl {
        flags.push_str(&format!(" --crl {}", quoted(crl)));
    }
    flags
}

/// Where to dial, what the server is to be called, and which service it is about. Headers are not told: their values
/// are secrets.
fn identity(args: &Verify) -> String {
    let mut flags = String::new();
    if let Some(id) = &args.spiffe_id {
        flags.push_str(&format!(" --spiffe-id {}", quoted(Path::new(id))));
    }
    if let Some(name) = &args.server_name {
        flags.push_str(&format!(" --server-name {}", quoted(Path::new(name))));
    }
    flags.push_str(&args.dial.flags());
    if let Some(service) = &args.service {
        flags.push_str(&format!(" --service {}", quoted(Path::new(service))));
    }
    flags
}
