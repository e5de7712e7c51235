//! `grpc-pki serve`

use std::path::PathBuf;

use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::context::Printer;
use super::{Common, Done, Stop, exit, runtime};
use crate::error::{Error, causes};
use crate::sample::{Event, Material, Server, Source};
use crate::store::{self, StoreError};
use crate::text::printable;

/// Events that may wait to be printed.
const EVENTS: usize = 1024;

/// Run a sample gRPC server on the issued files
///
/// Offers health, reflection and WhoAmI, which answers who the caller is as the server saw it. With --mtls only
/// clients with a certificate of the CA get in. Files that change are loaded again; open connections go on.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  grpc-pki serve                               TLS on localhost:50051
  grpc-pki serve --mtls                        mutual TLS: clients need a certificate of pki/ca.crt
  grpc-pki serve 0.0.0.0:443 --name orders     every interface, with pki/orders.crt
  grpc-pki serve localhost:0                   a free port, printed
")]
pub(super) struct Serve {
    /// Where to listen: HOST:PORT
    #[arg(value_name = "ADDR", default_value = "localhost:50051")]
    address: String,
    /// Demand a client certificate of the CA in the folder
    #[arg(long)]
    mtls: bool,
    /// Certificate to serve with, by its name in the folder
    #[arg(long, value_name = "NAME", default_value = crate::config::TOP_LEVEL)]
    name: String,
}

impl Serve {
    pub(super) fn run(&self, common: &Common, printer: &mut Printer<'_, '_>) -> Done {
        let store = common.store();
        let files = Files {
            certificate: store.certificate_path(&self.name),
            key: store.key_path(&self.name),
            client_ca: self.mtls.then(|| store.certificate_path("ca")),
        };
        // Completes what was interrupted. What is half in place otherwise is loaded again when it changes.
        let ((), unsettled) = store.reading(|| ());
        if let Some(unsettled) = unsettled {
            printer
                .meanwhile(&unsettled.to_string())
                .map_err(Stop::Pipe)?;
        }
        let runtime = runtime()?;
        let done = runtime.block_on(self.serve(files, printer));
        runtime.shutdown_background();
        done
    }

    async fn serve(&self, files: Files, printer: &mut Printer<'_, '_>) -> Done {
        // Before anything is printed, so that a signal is never lost.
        let signals = |kind| signal(kind).map_err(|source| Error::Runtime { source });
        let mut interrupt = signals(SignalKind::interrupt())?;
        let mut terminate = signals(SignalKind::terminate())?;
        let (sender, mut events) = mpsc::channel(EVENTS);
        let certificate = files.certificate.display().to_string();
        let bound = Server::bind(&self.address, files, move |event| {
            // Strangers cause events: what nobody reads in time is dropped, and never waited for.
            let _ = sender.try_send(event);
        });
        let server = bound.await.map_err(Error::from)?;
        let port = server.local_addrs().first().map_or(0, |it| it.port());
        let host = self
            .address
            .rsplit_once(':')
            .map_or(self.address.as_str(), |(host, _)| host);
        let kind = if self.mtls { "mutual TLS" } else { "TLS" };
        let line = format!("listening on {host}:{port} ({kind}, {certificate}); Ctrl-C stops it");
        let json = json!({
            "schema": 1,
            "command": "serve",
            "event": "listening",
            "addresses": server.local_addrs(),
            "mtls": self.mtls,
            "certificate": certificate,
        });
        printer.event(&line, &json).map_err(Stop::Pipe)?;
        let stop = async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        // A task of its own: whoever reads the output slowly, or no more, does not hold up those who are served.
        let mut running = tokio::spawn(server.run(stop));
        let mut reader = true;
        loop {
            tokio::select! {
                ended = &mut running => {
                    ended.map_err(|source| Error::Runtime { source: source.into() })?.map_err(Error::from)?;
                    if reader {
                        // The server has stopped as it should, whether or not anybody still reads that.
                        let _ = printer.event("stopped", &told("stopped", "stopped"));
                    }
                    return Ok(exit::OK);
                }
                Some(event) = events.recv(), if reader => {
                    if let Some((name, line)) = words(&event, printer.style.verbose) {
                        reader = printer.event(&line, &told(name, &line)).is_ok();
                    }
                }
            }
        }
    }
}

/// The files of one certificate, and the CA for clients.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    client_ca: Option<PathBuf>,
}

impl Source for Files {
    type Error = StoreError;

    fn stamp(&self) -> u64 {
        let files = [
            Some(&self.certificate),
            Some(&self.key),
            self.client_ca.as_ref(),
        ];
        store::stamp(&files.into_iter().flatten().cloned().collect::<Vec<_>>())
    }

    fn load(&self) -> Result<Material, StoreError> {
        let identity = store::read_identity(&self.certificate, &self.key)?;
        let anchors = self
            .client_ca
            .as_ref()
            .map(|path| store::read_certificates(path));
        let ders = |it: Vec<crate::pki::Certificate>| -> Vec<CertificateDer<'static>> {
            it.iter().map(|it| it.der().clone()).collect()
        };
        Ok(Material {
            chain: identity.chain,
            key: identity.key,
            client_anchors: anchors.transpose()?.map(ders),
        })
    }
}

fn told(event: &str, message: &str) -> Value {
    json!({ "schema": 1, "command": "serve", "event": event, "message": message })
}

/// One event by its name and in words; connections only with `-v`.
fn words(event: &Event, verbose: bool) -> Option<(&'static str, String)> {
    let chain = |error: &(dyn std::error::Error + 'static)| {
        let mut words = vec![error.to_string()];
        words.extend(causes(error));
        printable(&words.join(": "))
    };
    Some(match event {
        Event::AcceptFailed { why } => (
            "accept_failed",
            format!("a connection could not be taken: {}", chain(why)),
        ),
        Event::Connected { peer, subject } if verbose => {
            let who = subject
                .as_ref()
                .map_or_else(String::new, |it| format!(" as {}", printable(it)));
            ("connected", format!("{peer} connected{who}"))
        }
        Event::HandshakeFailed { peer, why } => (
            "handshake_failed",
            format!("{peer} did not get in: {}", chain(why)),
        ),
        Event::ReloadFailed { why } => {
            let state = "the files changed, but cannot be used; serving with the old ones";
            ("reload_failed", format!("{state}: {}", chain(why)))
        }
        Event::Reloaded { fingerprint } => (
            "reloaded",
            format!("loaded the new certificate (sha256 {fingerprint})"),
        ),
        _ => return None,
    })
}
