//! Names and their addresses.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::target::{Destination, Host};

/// More addresses than this are not tried.
const MAX_ADDRESSES: usize = 32;

/// Who knows the addresses of names.
pub trait Resolve: Send + Sync {
    /// The addresses of a name; may take its time.
    ///
    /// # Errors
    /// The name is not known, or nobody could be asked.
    fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of this machine.
#[derive(Debug)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok((name, 0).to_socket_addrs()?.map(|it| it.ip()).collect())
    }
}

/// What a name resolved to.
#[derive(Clone, Debug)]
pub struct Resolution {
    /// The addresses, or why there are none. A Unix socket needs none.
    pub result: Result<Vec<IpAddr>, ResolveFailure>,
    /// Time that it took.
    pub elapsed: Duration,
}

/// Why a name has no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolveFailure {
    /// The resolver knows no such name, or could not be asked.
    NotFound(String),
    /// The resolver did not answer in time.
    Timeout,
}

type Found = Result<Vec<IpAddr>, ResolveFailure>;

/// The names of a run.
pub struct Names {
    resolver: Arc<dyn Resolve>,
    /// What was answered; `None` where each question is to be asked anew.
    known: Option<Mutex<HashMap<String, Arc<OnceCell<Found>>>>>,
}

impl Names {
    /// Each is asked for once, however many targets have it.
    pub fn once(resolver: Arc<dyn Resolve>) -> Self {
        Self {
            resolver,
            known: Some(Mutex::default()),
        }
    }

    /// Each is asked for whenever it is needed, as its addresses may change meanwhile.
    pub fn each_time(resolver: Arc<dyn Resolve>) -> Self {
        Self {
            resolver,
            known: None,
        }
    }

    pub(super) async fn resolve(&self, place: &Destination, limit: Duration) -> Resolution {
        let started = Instant::now();
        let result = match place {
            Destination::Unix(_) => Ok(Vec::new()),
            Destination::Tcp(Host::Ip(address), _) => Ok(vec![*address]),
            Destination::Tcp(Host::Dns(name), _) => timeout(limit, self.look_up(name))
                .await
                .unwrap_or(Err(ResolveFailure::Timeout)),
        };
        Resolution {
            result,
            elapsed: started.elapsed(),
        }
    }

    async fn look_up(&self, name: &str) -> Found {
        let Some(known) = &self.known else {
            return self.ask(name).await;
        };
        let answer = {
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            known.entry(name.to_owned()).or_default().clone()
        };
        // Whoever asks waits no longer than its own limit; who comes later then asks again.
        answer.get_or_init(|| self.ask(name)).await.clone()
    }

    async fn ask(&self, name: &str) -> Found {
        let (name, resolver) = (name.to_owned(), self.resolver.clone());
        match tokio::task::spawn_blocking(move || resolver.addresses(&name)).await {
            Err(_) => Err(ResolveFailure::NotFound("nobody could be asked".to_owned())),
            Ok(Err(error)) => Err(ResolveFailure::NotFound(crate::text::io_text(&error))),
            Ok(Ok(found)) => distinct(found),
        }
    }
}

fn distinct(found: Vec<IpAddr>) -> Found {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in found {
        if !addresses.contains(&address) && addresses.len() < MAX_ADDRESSES {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(ResolveFailure::NotFound("it has no address".to_owned()));
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts how often it is asked; knows `known` alone.
    #[derive(Default)]
    struct Counts(AtomicUsize);

    impl Resolve for Counts {
        fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
            self.0.fetch_add(1, Ordering::SeqCst);
            match name {
                "known" => Ok(vec![[192, 0, 2, 1].into()]),
                _ => Err(io::ErrorKind::NotFound.into()),
            }
        }
    }

    async fn asked(names: impl Fn(Arc<dyn Resolve>) -> Names) -> usize {
        let counts = Arc::new(Counts::default());
        let names = Arc::new(names(counts.clone()));
        let mut tasks = tokio::task::JoinSet::new();
        for name in ["known", "unknown", "known", "unknown", "known"] {
            let (names, place) = (names.clone(), Destination::parse(&format!("{name}:1")));
            tasks.spawn(async move {
                let limit = Duration::from_secs(60);
                let seen = names.resolve(&place.unwrap(), limit).await;
                assert_eq!(seen.result.is_ok(), name == "known");
            });
        }
        tasks.join_all().await;
        counts.0.load(Ordering::SeqCst)
    }

    #[tokio::test]
    async fn a_name_is_asked_for_once_in_a_run_and_anew_in_one_that_waits() {
        assert_eq!(asked(Names::once).await, 2);
        assert_eq!(asked(Names::each_time).await, 5);
    }
}
