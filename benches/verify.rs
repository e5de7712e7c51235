//! What a look at a healthy server costs: `verify` against the handshake alone of `openssl s_client` to the same
//! server, and many targets against one; run it with `cargo bench`.
//!
//! The sides of a ratio take turns in the same run, and the median of each counts.

#[path = "verify/bare.rs"]
mod bare;
#[path = "verify/distance.rs"]
mod distance;

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

const ROUNDS: usize = 60;
const MANY: usize = 200;
const MANY_ROUNDS: usize = 9;

fn main() {
    if bare::is_asked_for() {
        return bare::run();
    }
    let server = Server::start();
    let target = format!("localhost:{}", server.port);
    one(&server, &target);
    many(&server, &target);
    far(&server);
}

/// One target, against what shakes hands and does nothing more.
fn one(server: &Server, target: &str) {
    let (mut ours, mut openssl) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(millis(server.verify(&[target])));
        openssl.push(millis(server.s_client(target)));
    }
    let (ours, openssl) = (median(ours), median(openssl));
    println!(
        "verify of a healthy server: {ours:.1} ms, openssl s_client: {openssl:.1} ms, \
         ratio {:.2} (target at most 1.5)",
        ours / openssl
    );
}

/// Many targets at once, on this machine: nobody waits for a network, so the time is that of the processors, which
/// client and server share.
fn many(server: &Server, target: &str) {
    let targets = vec![target; MANY];
    let (mut one, mut all, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    let (mut ours, mut served) = (Ticks::default(), Ticks::default());
    let (mut floor, mut floor_served) = (Ticks::default(), Ticks::default());
    for _ in 0..MANY_ROUNDS {
        one.push(millis(server.verify(&[target])));
        let before = (Ticks::of_children(), Ticks::of(server.child.id()));
        all.push(millis(server.verify(&targets)));
        let between = (Ticks::of_children(), Ticks::of(server.child.id()));
        bare.push(millis(server.bare(target)));
        let after = (Ticks::of_children(), Ticks::of(server.child.id()));
        ours += between.0 - before.0;
        served += between.1 - before.1;
        floor += after.0 - between.0;
        floor_served += after.1 - between.1;
    }
    let (one, all, bare) = (median(one), median(all), median(bare));
    println!(
        "verify of {MANY} targets: {all:.1} ms, of one: {one:.1} ms, \
         ratio {:.2} (target at most 10)",
        all / one
    );
    println!(
        "  processor time for each target: {} in verify, {} in the server",
        ours.each(),
        served.each()
    );
    println!(
        "  a bare client of rustls and tonic, {MANY} handshakes with one call each: {bare:.1} ms, ratio {:.2}; \
         processor time {} and {} in the server",
        bare / one,
        floor.each(),
        floor_served.each()
    );
}

/// The same with servers that are a network away, as servers are: what counts is how much of the waiting is done at
/// one time.
fn far(server: &Server) {
    let road = distance::Road::to(server.port);
    let target = format!("localhost:{}", road.port);
    let targets = vec![target.as_str(); MANY];
    let (mut one, mut all) = (Vec::new(), Vec::new());
    for _ in 0..MANY_ROUNDS {
        one.push(millis(server.verify(&[&target])));
        all.push(millis(server.verify(&targets)));
    }
    let (one, all) = (median(one), median(all));
    println!(
        "verify of {MANY} targets, {} ms there and back: {all:.1} ms, of one: {one:.1} ms, ratio {:.2}",
        2 * distance::ONE_WAY.as_millis(),
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

    /// This program again, as [`bare`].
    fn bare(&self, target: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(bare::arguments(target, MANY));
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

/// Processor time, as Linux counts it; elsewhere there is none to tell.
#[derive(Clone, Copy, Default)]
struct Ticks(Option<u64>);

impl Ticks {
    /// Of a process that runs: its 14th and 15th fields in /proc.
    fn of(process: u32) -> Self {
        Self::read(&process.to_string(), 13)
    }

    /// Of all children that ended: the two fields behind.
    fn of_children() -> Self {
        Self::read("self", 15)
    }

    fn read(process: &str, field: usize) -> Self {
        let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // The second field is a name in brackets, which may have spaces.
        let rest = text.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let mut fields = rest.split(' ').skip(field - 2);
        let mut next = || fields.next()?.parse::<u64>().ok();
        Self(next().zip(next()).map(|(user, system)| user + system))
    }

    /// The share of one target.
    fn each(self) -> String {
        /// A hundredth of a second on every Linux.
        const TICK: f64 = 10.0;
        let share = |ticks| ticks as f64 * TICK / (MANY * MANY_ROUNDS) as f64;
        self.0
            .map_or("unknown".to_owned(), |it| format!("{:.2} ms", share(it)))
    }
}

impl std::ops::AddAssign for Ticks {
    fn add_assign(&mut self, other: Self) {
        self.0 = other.0.map(|it| it + self.0.unwrap_or_default());
    }
}

impl std::ops::Sub for Ticks {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.zip(other.0).map(|(one, two)| one - two))
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
