//! `grpc-pki verify`

mod dial;
mod flags;
mod local;
mod many;
mod throwaway;
mod wait;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::context::Printer;
use super::progress::Bar;
use super::{Common, Done, Stop, runtime};
use crate::error::Error;
use crate::probe::{
    Basis, Credentials, Destination, Host, Metadata, Misread, MisreadTargets, Names, Questions,
    Request, Target,
};
use crate::report::{Tally, common_exit};
use crate::store::Identity;
use dial::Dial;
use local::Local;
use many::{Event, look_at_all};
use throwaway::throwaway;
use wait::{Manner, Wait};

/// Connect to a server as a gRPC client does, and say what is wrong and how to fix it
///
/// Resolves the name, connects, shakes hands with TLS 1.3 or 1.2, judges path, name and time of the certificate
/// against the CA, agrees on HTTP/2 and asks the health service. Every step is shown with what was seen. A
/// server that is not trusted is looked at further for diagnosis only, and is shown no client certificate. Where
/// the client certificate is shown, a second connection without it tells whether the server insists on one. Where
/// TLS fails, up to six more tell why: with older versions, other algorithms, another name, or without TLS.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  grpc-pki verify localhost:50051                      trust pki/ca.crt
  grpc-pki verify localhost:50051 --client client      show pki/client.crt (mutual TLS)
  grpc-pki verify a:50051 --client b --require-mtls    for CI: nobody gets in without a certificate
  grpc-pki verify 10.0.0.7:443 --server-name orders    dial an address, check a name
  grpc-pki verify orders:443 --connect 10.0.0.7:443    check and send the name, dial elsewhere
  grpc-pki verify orders:443 --all-addresses           every machine behind the name
  grpc-pki verify unix:/run/orders.sock                a Unix socket; the name is localhost
  grpc-pki verify 10.0.0.7:443 --spiffe-id spiffe://internal/orders   check a SPIFFE id instead
  grpc-pki verify example.com:443 --ca corporate.crt   trust another CA
  grpc-pki verify example.com:443 --ca system          trust the CAs that this machine trusts
  grpc-pki verify a:50051 --service shop.v1.Orders     is this service SERVING?
  grpc-pki verify a:50051 --reflection -v              list its services
  grpc-pki verify a:50051 b:50051 --format json        several, one JSON document a line
  grpc-pki verify --all --min-days 21                  every `address` of certs.toml, 3 weeks ahead
  grpc-pki verify localhost:50051 --wait 30s -q        until it serves, for scripts
")]
pub(super) struct Verify {
    /// Whom to dial: HOST:PORT, or unix:PATH (can be repeated)
    #[arg(required_unless_present = "all", value_name = "TARGET")]
    targets: Vec<String>,
    /// Verify the `address` of every entry of certs.toml too
    #[arg(long)]
    all: bool,
    /// CA certificates to trust, or `system` for those that this machine trusts [default: ca.crt in the folder]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Revocation lists (CRLs) to look into, besides crl.pem in the folder where it is there (can be repeated)
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
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
    /// Look closer, at up to six connections more: would the server take a client certificate that nobody signed,
    /// which versions of TLS does it accept, and does it take a ClientHello in two packets?
    #[arg(long)]
    deep: bool,
    /// Name to check instead of the host that is dialled
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,
    #[command(flatten)]
    dial: Dial,
    /// SPIFFE id to check instead of a name
    #[arg(long, value_name = "URI")]
    spiffe_id: Option<String>,
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
    /// Limit for each step on its own, such as 5s or 500ms: resolving, connecting, the handshake, the server's first
    /// octets, the call
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    timeout: Duration,
    /// Try again for this long, as long as time may mend what is wrong; all else fails at once
    #[arg(long, value_name = "TIME", value_parser = duration)]
    wait: Option<Duration>,
    /// Time between two attempts of --wait
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = duration, requires = "wait")]
    interval: Duration,
    /// Fail where a certificate of the path has fewer whole days left (at most 3650)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=3650))]
    min_days: Option<u16>,
    /// Fail where there is a warning
    #[arg(long)]
    deny_warnings: bool,
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
        let (now, started) = (printer.context.now, Instant::now());
        let targets = self.targets(common)?;
        let questions = self.questions()?;
        let store = common.store();
        let (local, unsettled) = store.reading(|| Local::read(self, common, &store));
        let Local {
            mut knowledge,
            identity,
        } = local.map_err(|it| it.amid(unsettled.as_ref()))?;
        knowledge.remark = unsettled.map(|it| it.to_string());
        let basis = Arc::new(Basis::new(
            knowledge.anchors.iter().cloned(),
            knowledge.revocation_lists().cloned(),
        ));
        let credentials = |it: &Identity| Arc::new(Credentials::new(it));
        let identity = identity.as_deref().map(credentials);
        let throwaway = if self.deep {
            Some(credentials(&throwaway(printer.context.keys, now)?))
        } else {
            None
        };
        let known: Arc<[_]> = knowledge
            .entries
            .iter()
            .map(|it| it.names.clone())
            .collect();
        let resolver = printer.context.resolver.clone();
        let names = Arc::new(match self.wait {
            Some(_) => Names::each_time(resolver),
            None => Names::once(resolver),
        });
        let requests = targets.into_iter().map(|target| Request {
            target,
            basis: basis.clone(),
            identity: identity.clone(),
            throwaway: throwaway.clone(),
            all_addresses: self.dial.all_addresses,
            names: names.clone(),
            known: known.clone(),
            survey: self.deep,
            questions: questions.clone(),
            timeout: self.timeout,
            deadline: None,
            now,
        });
        let requests: Vec<Request> = requests.collect();
        let wait = self.wait.map(|limit| Wait {
            limit,
            interval: self.interval,
        });
        let manner = Manner {
            knowledge,
            folder: store.dir().to_owned(),
            wait,
            deny_warnings: self.deny_warnings,
            several: requests.len() > 1,
            now,
            started,
        };
        let runtime = runtime()?;
        let told = runtime.block_on(tell(requests, manner, common, printer));
        // A resolver that hangs must not keep the process.
        runtime.shutdown_background();
        told
    }

    fn questions(&self) -> Result<Questions, Error> {
        Ok(Questions {
            // The empty name is that of the server as a whole.
            service: self.service.clone().filter(|it| !it.is_empty()),
            metadata: Metadata::parse(self.header.iter().map(|it| it.0.as_str()))?,
            reflection: self.reflection,
        })
    }

    /// Those of the command line, then those of certs.toml.
    fn targets(&self, common: &Common) -> Result<Vec<Target>, Error> {
        let server_name = self.server_name.as_deref().map(Host::parse).transpose()?;
        let place = self
            .dial
            .connect
            .as_deref()
            .map(Destination::parse)
            .transpose()?;
        let spiffe_id = self.spiffe_id.as_deref().map(Target::parse_spiffe_id);
        let spiffe_id = spiffe_id.transpose()?;
        let mut targets = Vec::new();
        let mut misread = Vec::new();
        let mut meant = Vec::new();
        for text in &self.targets {
            match Target::parse(text) {
                Ok(target) => {
                    meant.push(Some(text.clone()));
                    targets.push(Target {
                        server_name: server_name.clone(),
                        spiffe_id: spiffe_id.clone(),
                        dial: place.clone().unwrap_or(target.dial),
                        ..target
                    });
                }
                Err(error) => {
                    let one = Misread::new(text, error);
                    meant.push(one.meant.clone());
                    misread.push(one);
                }
            }
        }
        if misread.is_empty() {
            if self.all {
                for target in common.load_config()?.addresses()? {
                    targets.push(Target {
                        server_name: server_name.clone(),
                        spiffe_id: spiffe_id.clone(),
                        dial: place.clone().unwrap_or_else(|| target.dial.clone()),
                        ..target
                    });
                }
            }
            return Ok(targets);
        }
        let meant: Option<Vec<String>> = meant.into_iter().collect();
        let flags = flags::all(self, common);
        let command = meant.map(|it| format!("grpc-pki verify {}{flags}", it.join(" ")));
        Err(Error::from(MisreadTargets {
            misread,
            server_name,
            command,
        }))
    }
}

/// Looks at all of them, prints what is to be said as soon as it can be, and returns the exit code.
async fn tell(
    requests: Vec<Request>,
    manner: Manner,
    common: &Common,
    printer: &mut Printer<'_, '_>,
) -> Done {
    let total = requests.len();
    let interactive = printer.context.interactive && total > 1 && !common.quiet;
    let (mut codes, mut tally) = (Vec::new(), Tally::default());
    let bar = Bar::start(interactive, total, "servers");
    let told = look_at_all(requests, manner, |event| match event {
        Event::Done => {
            bar.step();
            Ok(())
        }
        Event::Waiting(line) => bar.aside(|| printer.meanwhile(&line)),
        Event::Report(report) => {
            codes.push(report.exit_code);
            tally.add(&report);
            bar.aside(|| printer.report(&*report))
        }
    });
    let told = told.await;
    drop(bar);
    told.map_err(Stop::Pipe)?;
    if let Some(line) = tally.line(printer.style) {
        printer.line(&line).map_err(Stop::Pipe)?;
    }
    Ok(common_exit(&codes))
}
