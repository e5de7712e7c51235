//! The server: listens, lets clients in, serves them, stops.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic_health::server::HealthReporter;

use super::connection::Connection;
use super::v1::who_am_i_server::WhoAmIServer;
use super::{Event, FILE_DESCRIPTOR_SET, ServeError, Source, WhoAmIService, listen, reload};

/// Handshakes under way at one time; further clients wait in the queue of the system.
const HANDSHAKES: usize = 256;

/// How long requests in flight have to finish once the server is asked to stop.
const GRACE: Duration = Duration::from_secs(5);

/// A client that fell silent is asked for a sign of life this often.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// After a failure to accept, for instance for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Where events go.
pub(super) type Events = Arc<dyn Fn(Event) + Send + Sync>;

/// A gRPC server on TLS, or on mutual TLS where its [`Source`] gives anchors for clients.
///
/// Clients that connect between [`bind`](Self::bind) and [`run`](Self::run) wait.
pub struct Server<S> {
    addresses: Vec<SocketAddr>,
    config: Arc<ArcSwap<ServerConfig>>,
    events: Events,
    listeners: Vec<TcpListener>,
    source: Arc<S>,
    stamp: u64,
}

impl<S: Source> Server<S> {
    /// Loads the material and listens on every address that `address` (`HOST:PORT`) resolves to.
    ///
    /// Port 0 takes a free port, the same on every address. `events` is called from the tasks that
    /// serve clients, so it should not block.
    pub async fn bind(
        address: &str,
        source: S,
        events: impl Fn(Event) + Send + Sync + 'static,
    ) -> Result<Self, ServeError> {
        let loaded = reload::load(&source)?;
        let listeners = listen::listen(address).await?;
        let addresses = listeners.iter().filter_map(|l| l.local_addr().ok());

        Ok(Self {
            addresses: addresses.collect(),
            config: Arc::new(ArcSwap::new(loaded.config)),
            events: Arc::new(events),
            listeners,
            source: Arc::new(source),
            stamp: loaded.stamp,
        })
    }

    /// The addresses the server listens on, in the order the name resolved to.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Serves until `shutdown` is ready, then stops gracefully.
    ///
    /// It takes no more connections, tells its clients so, and lets requests in flight finish. What
    /// is still open after five seconds is cut. Dropping the future cuts everything at once.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
        let (routes, mut health) = routes().await?;
        let (connected, connections) = mpsc::channel(1);
        let (cut, is_cut) = watch::channel(());
        let (drain, draining) = oneshot::channel::<()>();

        let mut tasks = JoinSet::new();
        let door = Door {
            config: Arc::clone(&self.config),
            connected,
            cut: is_cut,
            events: Arc::clone(&self.events),
            handshakes: Arc::new(Semaphore::new(HANDSHAKES)),
        };
        for listener in self.listeners {
            tasks.spawn(door.clone().accept(listener));
        }
        tasks.spawn(reload::watch(
            self.source,
            self.config,
            self.stamp,
            self.events,
        ));
        drop(door);

        let serving = tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE))
            .add_routes(routes)
            .serve_with_incoming_shutdown(
                ReceiverStream::new(connections).map(Ok::<_, Infallible>),
                async {
                    let _ = draining.await;
                },
            );
        let mut serving = pin!(serving);
        tokio::select! {
            _ = &mut serving => return Err(ServeError::Stopped),
            () = shutdown => {}
        }

        tasks.shutdown().await;
        close_watches(&mut health).await;
        // The receiver is in `serving`, which is not done.
        let _ = drain.send(());
        if timeout(GRACE, &mut serving).await.is_err() {
            drop(cut);
            let _ = serving.await;
        }
        Ok(())
    }
}

/// What a client passes through between the socket and tonic.
#[derive(Clone)]
struct Door {
    config: Arc<ArcSwap<ServerConfig>>,
    connected: mpsc::Sender<Connection>,
    cut: watch::Receiver<()>,
    events: Events,
    handshakes: Arc<Semaphore>,
}

impl Door {
    /// Accepts until it is dropped; handshakes under way are dropped with it.
    async fn accept(self, listener: TcpListener) {
        let mut handshakes = JoinSet::new();
        while let Ok(permit) = Arc::clone(&self.handshakes).acquire_owned().await {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    handshakes.spawn(self.clone().let_in(stream, peer, permit));
                }
                Err(why) => {
                    (self.events)(Event::AcceptFailed { why });
                    sleep(PAUSE).await;
                }
            }
            while handshakes.try_join_next().is_some() {}
        }
    }

    async fn let_in(self, stream: TcpStream, peer: SocketAddr, _permit: OwnedSemaphorePermit) {
        let config = self.config.load_full();
        match Connection::accept(stream, peer, config, self.cut).await {
            Ok(connection) => {
                let caller = connection.caller();
                let subject = caller.authenticated.then(|| caller.subject.clone());
                (self.events)(Event::Connected { peer, subject });
                // The receiver is gone only when the server is.
                let _ = self.connected.send(connection).await;
            }
            Err(why) => (self.events)(Event::HandshakeFailed { peer, why }),
        }
    }
}

/// The services, all serving.
async fn routes() -> Result<(Routes, HealthReporter), ServeError> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<WhoAmIServer<WhoAmIService>>().await;

    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let refused = |why| ServeError::Reflection {
        source: Box::new(why),
    };
    let routes = Routes::new(WhoAmIServer::new(WhoAmIService))
        .add_service(health_service)
        .add_service(reflection().build_v1().map_err(refused)?)
        .add_service(reflection().build_v1alpha().map_err(refused)?);
    Ok((routes, health))
}

/// Ends the health watches: streams without end, that would use up the grace of every shutdown.
async fn close_watches(health: &mut HealthReporter) {
    for service in ["", WhoAmIServer::<WhoAmIService>::NAME] {
        let status = tonic_health::ServingStatus::NotServing;
        health.set_service_status(service, status).await;
        health.clear_service_status(service).await;
    }
}
