//! Rows: what is wrong with local files is told before a packet is sent, and what only looks wrong is not.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use super::pki::World;
use super::process::serve;
use super::row::{Row, Staged, row};

mod authority;
mod client;
mod files;
mod fixes;
mod pair;

pub fn rows() -> Vec<Row> {
    let mut rows = authority::wrong_rows();
    rows.extend(client::wrong_rows());
    rows.extend(pair::wrong_rows());
    rows.extend(authority::right_rows());
    rows.extend(pair::right_rows());
    rows
}

/// A port that nobody may knock at.
struct Untouched(TcpListener);

impl Untouched {
    fn staged() -> Staged {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        Staged::new(port, Self(listener))
    }
}

impl Drop for Untouched {
    fn drop(&mut self) {
        if !thread::panicking() {
            let error = self.0.accept().expect_err("not one connection");
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
        }
    }
}

/// Files with which no server is asked.
fn wrong(
    case: &str,
    codes: &[&'static str],
    words: &[&str],
    args: impl Fn(&World) -> Vec<String> + Send + Sync + 'static,
) -> Row {
    let staged = move |world: &World| Untouched::staged().args(args(world));
    row(case, 2, "inputs", codes, words, staged).connects(&[])
}

/// Files with which our own server is trusted, and lets us in.
fn right(
    case: &str,
    codes: &[&'static str],
    words: &[&str],
    args: impl Fn(&World) -> Vec<String> + Send + Sync + 'static,
) -> Row {
    row(case, 0, "", codes, words, move |world| {
        let args = args(world);
        let asks = args.iter().any(|it| it.starts_with("--c") && it != "--ca");
        let server = serve(world, if asks { &["--mtls"] } else { &[] });
        Staged::new(server.port, server).args(args)
    })
}

fn ca(path: impl AsRef<Path>) -> Vec<String> {
    vec!["--ca".into(), path.as_ref().to_str().unwrap().to_owned()]
}

fn client(certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Vec<String> {
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    vec![
        "--cert".into(),
        text(certificate.as_ref()),
        "--key".into(),
        text(key.as_ref()),
    ]
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}
