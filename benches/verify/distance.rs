//! A road to a server on this machine on which everything takes its time, as over a network.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// From one end to the other: 20 ms there and back, as to a data centre of the same region.
pub const ONE_WAY: Duration = Duration::from_millis(10);

pub struct Road {
    pub port: u16,
    /// Its end.
    _runtime: tokio::runtime::Runtime,
}

impl Road {
    /// To a port of this machine.
    pub fn to(server: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listening = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listener = runtime.block_on(listening).unwrap();
        let port = listener.local_addr().unwrap().port();
        runtime.spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                tokio::spawn(walk(near, server));
            }
        });
        Self {
            port,
            _runtime: runtime,
        }
    }
}

/// One connection. The system accepts it at once, so that what the client sends waits for the server's consent first:
/// the time of a connection there and back.
async fn walk(near: TcpStream, server: u16) -> io::Result<()> {
    let connected = Instant::now() + 2 * ONE_WAY;
    let far = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    let there = carry(near_read, far_write, connected);
    let back = carry(far_read, near_write, connected);
    let _ = tokio::join!(there, back);
    Ok(())
}

/// Octets arrive [`ONE_WAY`] after they were sent, however many others are on the way; the end does too.
async fn carry(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    connected: Instant,
) {
    let (sender, mut road) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let read = async move {
        loop {
            let mut octets = Vec::with_capacity(4096);
            match from.read_buf(&mut octets).await {
                Ok(0) | Err(_) => break,
                Ok(_) => {
                    let arrival = Instant::now().max(connected) + ONE_WAY;
                    let _ = sender.send((arrival, octets));
                }
            }
        }
    };
    let write = async move {
        while let Some((arrival, octets)) = road.recv().await {
            sleep_until(arrival).await;
            if to.write_all(&octets).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}
