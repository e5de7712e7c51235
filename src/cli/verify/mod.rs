//! `grpc-pki verify`

mod local;
mod many;
mod throwaway;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::context::Printer;
use super::{Common, Done, LOCK_TIMEOUT, Stop, exit, runtime};
use crate::diagnose::{self, Verdict};
use crate::error::Error;
use crate::probe::{Host, Metadata, Questions, Request, Target};
use crate::report::{VerifyReport, common_exit};
use local::Local;
use many::observe_all;
use throwaway::throwaway;

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
  grpc-pki verify a:50051 --service shop.v1.Orders     is this service SERVING?
  grpc-pki verify a:50051 --reflection -v              list its services
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
    /// Service that is to be SERVING, as the health service names it, instead of the server as a whole
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Metadata for the calls, such as 'authorization: Bearer TOKEN'; only a server that is trusted gets it (can be
    /// repeated)
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<Secret>,
    /// List the services of the server by gRPC reflection
    #[arg(long)]
    reflection: bool,
    /// Limit for each step, such as 5s or 500ms
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    timeout: Duration,
}

/// An argument that is printed nowhere.
#[derive(Clone)]
struct Secret(String);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
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
        let questions = self.questions()?;
        let store = common.store();
        store.recover(LOCK_TIMEOUT)?;
        let Local {
            knowledge,
            identity,
        } = Local::read(self, common, &store)?;
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
            questions: questions.clone(),
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

    fn questions(&self) -> Result<Questions, Error> {
        Ok(Questions {
            // The empty name is that of the server as a whole.
            service: self.service.clone().filter(|it| !it.is_empty()),
            metadata: Metadata::parse(self.header.iter().map(|it| it.0.as_str()))?,
            reflection: self.reflection,
        })
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
}

/// The exit code of one verdict; see [`exit`].
pub(super) fn exit_code(verdict: &Verdict) -> u8 {
    verdict
        .failure()
        .map_or(exit::OK, |it| exit::of(it.code.outcome()))
}
