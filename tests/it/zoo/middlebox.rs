//! What stands between client and server, and takes or leaves a ClientHello for the wrong reasons.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// What it passes on.
#[derive(Clone, Copy)]
pub enum Passes {
    All,
    /// Records of at most so many octets.
    Small(usize),
    /// What a single read of so many octets gets whole.
    OneRead(usize),
    /// What has none of these octets in it.
    Without(&'static [u8]),
    /// What has them.
    With(&'static [u8]),
    /// Everything, but not at once.
    Late(Duration),
}

/// What it does with the rest.
#[derive(Clone, Copy)]
pub enum Else {
    Close,
    Hold,
    Reset,
}

/// It listens before a server on this machine, and stops when it is dropped.
pub struct Middlebox {
    pub port: u16,
    ended: Arc<AtomicBool>,
}

impl Middlebox {
    pub fn before(server: u16, passes: Passes, otherwise: Else) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ended = Arc::new(AtomicBool::new(false));
        let end = ended.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                thread::spawn(move || {
                    let _ = deal(stream, server, passes, otherwise);
                });
            }
        });
        Self { port, ended }
    }
}

impl Drop for Middlebox {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn deal(mut client: TcpStream, server: u16, passes: Passes, otherwise: Else) -> io::Result<()> {
    let mut first = vec![0; 64 * 1024];
    if let Passes::OneRead(most) = passes {
        first.truncate(most);
    }
    let mut count = client.read(&mut first)?;
    // Whoever is no client of TLS is the server's business.
    while first[0] == 22 && count < length(&first[..count]) && !matches!(passes, Passes::OneRead(_))
    {
        let more = client.read(&mut first[count..])?;
        if more == 0 {
            break;
        }
        count += more;
    }
    first.truncate(count);
    let has = |octets: &[u8]| first.windows(octets.len()).any(|it| it == octets);
    let taken = first.first() != Some(&22)
        || match passes {
            Passes::All => true,
            Passes::Small(most) => count <= most,
            Passes::OneRead(_) => count == length(&first),
            Passes::Without(octets) => !has(octets),
            Passes::With(octets) => has(octets),
            Passes::Late(time) => {
                thread::sleep(time);
                true
            }
        };
    if taken {
        return pass(client, server, &first);
    }
    match otherwise {
        Else::Close => client.shutdown(Shutdown::Both),
        Else::Hold => io::copy(&mut client, &mut io::sink()).map(drop),
        Else::Reset => reset(client),
    }
}

/// No time to linger: the end is a reset.
fn reset(client: TcpStream) -> io::Result<()> {
    let client = tokio::net::TcpSocket::from_std_stream(client);
    client.set_zero_linger()
}

/// The size of the record that these octets begin.
fn length(octets: &[u8]) -> usize {
    match octets {
        [_, _, _, high, low, ..] => 5 + usize::from(u16::from_be_bytes([*high, *low])),
        _ => usize::MAX,
    }
}

fn pass(client: TcpStream, server: u16, first: &[u8]) -> io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", server))?;
    server.write_all(first)?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let mut client = client;
    let _ = io::copy(&mut server, &mut client);
    client.shutdown(Shutdown::Both)
}
