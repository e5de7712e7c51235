//! What a look at a healthy server costs: `verify` against the handshake alone of `openssl s_client` to the same
//! server, and many targets against one; run it with `cargo bench`.
//!
//! The two sides of a ratio take turns in the same run, and the median of each counts.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

const ROUNDS: usize = 60;
const MANY: usize = 200;
const MANY_ROUNDS: usize = 9;

fn main() {
    let server = Server::start();
    let target = format!("localhost:{}", server.port);
    let many = vec![target.as_str(); MANY];

    let (mut ours, mut openssl) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(millis(server.verify(&[&target])));
        openssl.push(millis(server.s_client(&target)));
    }
    let (ours, openssl) = (median(ours), median(openssl));
    println!(
        "verify of a healthy server: {ours:.1} ms, openssl s_client: {openssl:.1} ms, \
         ratio {:.2} (target at most 1.5)",
        ours / openssl
    );

    let (mut one, mut all) = (Vec::new(), Vec::new());
    for _ in 0..MANY_ROUNDS {
        one.push(millis(server.verify(&[&target])));
        all.push(millis(server.verify(&many)));
    }
    let (one, all) = (median(one), median(all));
    println!(
        "verify of {MANY} targets: {all:.1} ms, of one: {one:.1} ms, \
         ratio {:.2} (target at most 10)",
        all / one
    );
}

/// Our sample server, in a folder of its own.
struct Server {
    folder: tempfile::TempDir,
    child: Child,
    port: u16,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run = |args: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_grpc-pki"));
            command.args(args).current_dir(&folder);
            command
        };
        for command in ["init", "issue"] {
            assert!(run(&[command, "--quiet"]).status().unwrap().success());
        }
        let mut child = run(&["serve", "localhost:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut line).unwrap();
        let address = line.split_whitespace().nth(2).unwrap();
        let port = address.rsplit_once(':').unwrap().1.parse().unwrap();
        Self {
            folder,
            child,
            port,
        }
    }

    fn verify(&self, targets: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_grpc-pki"));
        command.arg("verify").args(targets);
        command.current_dir(&self.folder);
        command
    }

    fn s_client(&self, target: &str) -> Command {
        let mut command = Command::new("openssl");
        command
            .args(["s_client", "-connect", target, "-alpn", "h2", "-brief"])
            .args(["-CAfile", "pki/ca.crt", "-verify_return_error"])
            .args(["-verify_hostname", "localhost"])
            .current_dir(&self.folder);
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Wall time of a whole process that has to succeed.
fn millis(mut command: Command) -> f64 {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().unwrap();
    let elapsed = start.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    elapsed.as_secs_f64() * 1e3
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
