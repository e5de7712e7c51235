//! From `HOST:PORT` to listening sockets, one for every address of the host.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, lookup_host};

use super::ServeError;

/// With port 0 the first address chooses, and another program may hold that port on the second.
const PORT_ATTEMPTS: usize = 8;

/// Listens on every address that `address` resolves to, on the same port of each.
pub(super) async fn listen(address: &str) -> Result<Vec<TcpListener>, ServeError> {
    let resolved = resolve(address)
        .await
        .map_err(|source| ServeError::Address {
            address: address.to_owned(),
            source,
        })?;

    let mut attempts = PORT_ATTEMPTS;
    loop {
        attempts -= 1;
        match bind(&resolved).await {
            Err(ServeError::Listen { address, source })
                if attempts > 0
                    && address.port() != resolved[0].port()
                    && source.kind() == io::ErrorKind::AddrInUse => {}
            done => return done,
        }
    }
}

/// The addresses of a host, each once, at least one.
async fn resolve(address: &str) -> io::Result<Vec<SocketAddr>> {
    let mut resolved = Vec::new();
    for found in lookup_host(address).await? {
        if !resolved.contains(&found) {
            resolved.push(found);
        }
    }
    if resolved.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the host has no address",
        ));
    }
    Ok(resolved)
}

async fn bind(resolved: &[SocketAddr]) -> Result<Vec<TcpListener>, ServeError> {
    let mut listeners = Vec::new();
    let mut unusable = None;
    let mut port = 0;

    for mut address in resolved.iter().copied() {
        if address.port() == 0 {
            address.set_port(port);
        }
        let bound = TcpListener::bind(address)
            .await
            .and_then(|listener| Ok((listener.local_addr()?.port(), listener)));
        match bound {
            Ok((bound_port, listener)) => {
                port = bound_port;
                listeners.push(listener);
            }
            // A host file often names `::1` on a machine without IPv6: the other addresses will do.
            Err(source) if !matters(&source) => {
                unusable.get_or_insert(ServeError::Listen { address, source });
            }
            Err(source) => return Err(ServeError::Listen { address, source }),
        }
    }

    match unusable {
        Some(error) if listeners.is_empty() => Err(error),
        _ => Ok(listeners),
    }
}

/// Whether an address that cannot be used must not be passed over in silence.
fn matters(error: &io::Error) -> bool {
    use io::ErrorKind::{AddrInUse, PermissionDenied};

    matches!(error.kind(), AddrInUse | PermissionDenied)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use super::*;

    /// Kept for documentation (RFC 5737), so no machine has it.
    const FOREIGN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)), 0);
    const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    #[tokio::test]
    async fn every_address_gets_the_same_port() -> Result<(), ServeError> {
        let second = match cfg!(target_os = "linux") {
            true => IpAddr::from([127, 0, 0, 2]),
            false => Ipv6Addr::LOCALHOST.into(),
        };
        let ports = ports(&[LOOPBACK, SocketAddr::new(second, 0)]).await?;
        assert_eq!(ports.len(), 2);
        assert_ne!(ports[0], 0);
        assert_eq!(ports[0], ports[1]);
        Ok(())
    }

    #[tokio::test]
    async fn an_address_that_is_not_here_matters_only_alone() -> Result<(), ServeError> {
        assert_eq!(ports(&[FOREIGN, LOOPBACK]).await?.len(), 1);
        let refused = ports(&[FOREIGN]).await.map_err(|error| error.to_string());
        assert_eq!(refused, Err("cannot listen on 203.0.113.1:0".to_owned()));
        Ok(())
    }

    async fn ports(addresses: &[SocketAddr]) -> Result<Vec<u16>, ServeError> {
        let listeners = bind(addresses).await?;
        let bound = listeners.iter().filter_map(|l| l.local_addr().ok());
        Ok(bound.map(|address| address.port()).collect())
    }
}
