//! `grpc-pki verify`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::context::Printer;
use super::throwaway::throwaway;
use super::{Common, Done, LOCK_TIMEOUT, Stop, exit, runtime};
use crate::config::Config;
use crate::diagnose::{self, Knowledge, KnownEntry, Verdict};
use crate::error::Error;
use crate::pki::Certificate;
use crate::probe::{self, Host, Observation, Request, Target};
use crate::report::{VerifyReport, common_exit};
use crate::store::{self, Identity, Store};
use crate::text::quoted;

/// Targets that are looked at at one time.
const PARALLEL: usize = 16;

/// Connect to a server as a gRPC client does, and say what is wrong and how to fix it
///
/// Resolves the name, connects, shakes hands with TLS 1.3 or 1.2, judges path, name and time of the certificate
/// against the CA, agrees on HTTP/2 and asks the health service. Every step is shown with what was seen. A
/// server that is not trusted is looked at further for diagnosis only, and is shown no client certificate. Where
/// the client certificate is shown, a second connection without it tells whether the server insists on one.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  grpc-pki verify localhost:50051                      trust pki/ca.crt
  grpc-pki verify localhost:50051 --client client      show pki/client.crt (mutual TLS)
  grpc-pki verify a:50051 --client b --require-mtls    for CI: nobody gets in without a certificate
  grpc-pki verify 10.0.0.7:443 --server-name orders    dial an address, check a name
  grpc-pki verify example.com:443 --ca corporate.crt   trust another CA
  grpc-pki verify a:50051 b:50051 --format json        several, one JSON document a line
")]
pub(super) struct Verify {
    /// Whom to dial: HOST:PORT (can be repeated)
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,
    /// CA certificates to trust [default: ca.crt in the folder]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Client certificate to show, by its name in the folder
    #[arg(long, value_name = "NAME", conflicts_with_all = ["cert", "key"])]
    client: Option<String>,
    /// Client certificate to show, as a file
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// Private key of --cert
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Fail unless it is proven that clients without a certificate are turned away
    #[arg(long)]
    require_mtls: bool,
    /// Look closer: would the server take a client certificate that nobody signed? One connection more
    #[arg(long)]
    deep: bool,
    /// Name to check instead of the host that is dialled
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,
    /// Limit for each step, such as 5s or 500ms
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    timeout: Duration,
}

/// `5s`, `500ms`.
fn duration(text: &str) -> Result<Duration, String> {
    let read = text.parse::<jiff::SignedDuration>().ok();
    let read = read
        .and_then(|it| Duration::try_from(it).ok())
        .filter(|it| !it.is_zero());
    read.ok_or_else(|| "write a length of time as `5s` or `500ms`".to_owned())
}

impl Verify {
    pub(super) fn run(&self, common: &Common, printer: &mut Printer<'_, '_>) -> Done {
        let now = printer.context.now;
        let targets = self.targets()?;
        let store = common.store();
        store.recover(LOCK_TIMEOUT)?;
        let config = common.load_config_if_there()?;
        let anchors_path = self
            .ca
            .clone()
            .unwrap_or_else(|| store.certificate_path("ca"));
        let anchors = store::read_certificates(&anchors_path)?;
        let identity = self.identity(&store)?.map(Arc::new);
        let knowledge = Knowledge {
            anchors_path: anchors_path.display().to_string(),
            identity: identity.as_ref().map(|it| it.certificate.clone()),
            identity_issuers: identity.as_deref().map_or_else(Vec::new, issuers),
            require_mtls: self.require_mtls,
            entries: known(config.as_ref(), &store),
            flags: common.flags(),
            own_flags: self.own_flags(),
            config_path: common.config_path().display().to_string(),
            anchors,
        };
        let ders: Vec<_> = knowledge
            .anchors
            .iter()
            .map(|it| it.der().clone())
            .collect();
        let throwaway = if self.deep {
            Some(Arc::new(throwaway(printer.context.keys, now)?))
        } else {
            None
        };
        let requests = targets.into_iter().map(|target| Request {
            target,
            anchors: ders.clone(),
            identity: identity.clone(),
            throwaway: throwaway.clone(),
            timeout: self.timeout,
            now,
        });
        let runtime = runtime()?;
        let observations = runtime.block_on(observe_all(requests.collect()));
        // A resolver that hangs must not keep the process.
        runtime.shutdown_background();
        let mut codes = Vec::new();
        for observation in observations {
            let verdict = diagnose::judge(&observation, &knowledge, now);
            let exit_code = exit_code(&verdict);
            codes.push(exit_code);
            let report = VerifyReport {
                observation,
                verdict,
                now,
                exit_code,
            };
            printer.report(&report).map_err(Stop::Pipe)?;
        }
        Ok(common_exit(&codes))
    }

    /// The flags that the next `verify` needs to look at the same server in the same way.
    fn own_flags(&self) -> String {
        let mut flags = String::new();
        if let Some(ca) = &self.ca {
            flags.push_str(&format!(" --ca {}", quoted(ca)));
        }
        if let Some(name) = &self.server_name {
            flags.push_str(&format!(" --server-name {}", quoted(Path::new(name))));
        }
        flags
    }

    fn targets(&self) -> Result<Vec<Target>, Error> {
        let server_name = self.server_name.as_deref().map(Host::parse).transpose()?;
        let parse = |text: &String| {
            Target::parse(text).map(|it| Target {
                server_name: server_name.clone(),
                ..it
            })
        };
        Ok(self.targets.iter().map(parse).collect::<Result<_, _>>()?)
    }

    fn identity(&self, store: &Store) -> Result<Option<Identity>, Error> {
        let (certificate, key) = match (&self.client, &self.cert, &self.key) {
            (Some(name), ..) => (store.certificate_path(name), store.key_path(name)),
            (None, Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
            _ => return Ok(None),
        };
        Ok(Some(store::read_identity(&certificate, &key)?))
    }
}

/// What the client certificate's file holds behind it.
fn issuers(identity: &Identity) -> Vec<Certificate> {
    let behind = identity.chain.iter().skip(1);
    behind
        .filter_map(|der| Certificate::from_der(der.clone()).ok())
        .collect()
}

/// Looks at every target, a bounded number at a time, and returns them in the order of the command line.
async fn observe_all(requests: Vec<Request>) -> Vec<Observation> {
    let mut waiting = requests.into_iter().enumerate();
    let mut running = JoinSet::new();
    let mut seen = Vec::new();
    loop {
        while running.len() < PARALLEL
            && let Some((index, request)) = waiting.next()
        {
            running.spawn(async move { (index, probe::observe(&request).await) });
        }
        match running.join_next().await {
            Some(Ok(done)) => seen.push(done),
            Some(Err(_)) => {}
            None => break,
        }
    }
    seen.sort_by_key(|(index, _)| *index);
    seen.into_iter()
        .map(|(_, observation)| observation)
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

/// The exit code of one verdict; see [`exit`].
pub(super) fn exit_code(verdict: &Verdict) -> u8 {
    verdict
        .failure()
        .map_or(exit::OK, |it| exit::of(it.code.outcome()))
}
