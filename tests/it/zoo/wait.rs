//! `--wait`: what time mends is waited for, what stays fails at once, and the time is kept.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustls::version::TLS13;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::watch;
use tonic_health::ServingStatus;

use super::grpc::{Answer, Manner, Raw, Tonic, closed_port, hold, rustls};
use super::pki::{Authority, Key, World};
use super::process::{Python, serve_at};
use super::row::{finish, until, verify};

const GRPC: (&str, &str) = ("content-type", "application/grpc");
/// What is at once, on a machine with other work: far below every `--wait` that would otherwise be kept.
const AT_ONCE: Duration = Duration::from_secs(30);

/// A `verify` that is under way, ended when it is dropped.
struct Waiting {
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Waiting {
    fn start(world: &World, port: u16, args: &[&str]) -> Self {
        let mut command = verify(world);
        command.arg(format!("localhost:{port}")).args(args);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stderr }
    }

    /// The next line on stderr.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stderr.read_line(&mut line).unwrap();
        line
    }

    /// Waits for its end; what it printed on stdout, and on stderr behind the lines that were read.
    fn finish(mut self) -> (ExitStatus, String, String) {
        let (mut out, mut err) = (String::new(), String::new());
        until("verify ends", || self.child.try_wait().unwrap().is_some());
        let stdout = self.child.stdout.as_mut().unwrap();
        stdout.read_to_string(&mut out).unwrap();
        self.stderr.read_to_string(&mut err).unwrap();
        (self.child.wait().unwrap(), out, err)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Exit code, the JSON document, and how long it took; stderr stays empty.
fn json(world: &World, port: u16, args: &[&str]) -> (i32, Value, Duration) {
    let mut command = verify(world);
    command
        .arg(format!("localhost:{port}"))
        .args(args)
        .args(["--format", "json"]);
    let started = Instant::now();
    let output = finish(command);
    let elapsed = started.elapsed();
    assert!(output.stderr.is_empty(), "{output:?}");
    let document = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code().unwrap(), document, elapsed)
}

#[test]
fn a_server_that_starts_later_is_waited_for() {
    let (world, port) = (World::new(), closed_port());
    let mut waiting = Waiting::start(&world, port, &["--wait", "60s", "--interval", "50ms"]);
    let line = waiting.line();
    let cause =
        format!("localhost:{port}  tcp — nothing listens on port {port} (tcp.refused), waiting\n");
    assert!(line.ends_with(&cause), "{line}");
    assert_eq!(line.find(" s  localhost"), Some(5), "{line}");
    let _server = serve_at(&world, port, &[]);
    let (status, out, err) = waiting.finish();
    assert_eq!(status.code(), Some(0), "{out}");
    assert!(out.starts_with(&format!("localhost:{port}  OK — trusted, SERVING\n")));
    assert!(
        out.contains("\nwait  ") && out.contains(" attempts\n"),
        "{out}"
    );
    assert_eq!(err, "", "one line for one cause");
}

#[test]
fn each_change_of_cause_is_told_once() {
    let (world, port) = (World::new(), closed_port());
    let mut waiting = Waiting::start(&world, port, &["--wait", "60s", "--interval", "50ms"]);
    assert!(waiting.line().contains("(tcp.refused), waiting"));
    let (status, reported) = watch::channel(ServingStatus::NotServing);
    let tls = rustls(&world.ours("server"), None, &[&TLS13]);
    let answer = Answer::Reported(reported);
    let _server = Tonic::start_at(port, Some(tls), answer, Manner::Prompt);
    assert!(waiting.line().contains("(grpc.not_serving), waiting"));
    status.send(ServingStatus::Serving).unwrap();
    let (status, out, err) = waiting.finish();
    assert_eq!((status.code(), err.as_str()), (Some(0), ""), "{out}");
}

#[test]
fn what_stays_wrong_fails_at_once() {
    let world = World::new();
    let at_once = |port: u16, args: &[&str], exit: i32, code: &str| {
        let args = [args, &["--wait", "600s"]].concat();
        let (status, document, elapsed) = json(&world, port, &args);
        assert_eq!((status, &document["code"]), (exit, &Value::from(code)));
        assert_eq!(document["attempts"], 1);
        assert!(elapsed < AT_ONCE, "{code}: {elapsed:?}");
    };
    let server = serve_at(&world, 0, &[]);
    let other = world.file(&Authority::new("other", Key::P256, |_| ()).pem);
    let ca = ["--ca", other.to_str().unwrap()];
    at_once(server.port, &ca, 13, "path.unknown_issuer");
    let name = ["--server-name", "payments"];
    at_once(server.port, &name, 13, "name.dns_not_in_san");
    at_once(
        server.port,
        &["--min-days", "3650"],
        18,
        "time.below_min_days",
    );
    at_once(
        server.port,
        &["--require-mtls"],
        15,
        "client_auth.not_enforced",
    );
    let plaintext = Tonic::start(None, Answer::Serving, Manner::Prompt);
    at_once(plaintext.port, &[], 12, "tls.plaintext");
    let tls = || rustls(&world.ours("server"), None, &[&TLS13]);
    let answers = |status, fields| {
        let answer = Answer::Head(status, fields);
        Tonic::start(Some(tls()), answer, Manner::Prompt)
    };
    at_once(answers(404, &[]).port, &[], 16, "grpc.not_a_route");
    let internal = answers(200, &[GRPC, ("grpc-status", "13")]);
    at_once(internal.port, &[], 16, "grpc.status");
    // Not serving may pass, the name does not.
    let idle = Tonic::start(Some(tls()), Answer::NotServing, Manner::Prompt);
    at_once(idle.port, &name, 13, "name.dns_not_in_san");
    let missing = finish({
        let mut command = verify(&world);
        command.args(["localhost:1", "--wait", "600s", "--ca", "missing.crt"]);
        command
    });
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn the_time_is_kept_and_the_last_cause_is_told() {
    let world = World::new();
    let tls = || rustls(&world.ours("server"), None, &[&TLS13]);
    let answers = |status, fields| {
        let answer = Answer::Head(status, fields);
        Tonic::start(Some(tls()), answer, Manner::Prompt)
    };
    let (silent, closing) = (Raw::start(hold), Raw::start(drop));
    let gateway = answers(503, &[]);
    let unavailable = answers(200, &[GRPC, ("grpc-status", "14")]);
    let full = Python::new("full").start();
    for (port, code) in [
        (closed_port(), "tcp.refused"),
        (full.port, "tcp.timeout"),
        (silent.address.port(), "tls.silent"),
        (closing.address.port(), "tls.closed"),
        (gateway.port, "grpc.backend_down"),
        (unavailable.port, "grpc.status"),
    ] {
        let (exit, document, elapsed) = json(&world, port, &["--wait", "1s", "--interval", "10ms"]);
        assert_eq!(exit, 124, "{code}");
        assert_eq!(document["exit_code"], 124);
        assert_eq!(document["ok"], false);
        assert_eq!(document["code"], code);
        assert!(elapsed >= Duration::from_secs(1), "{code}: {elapsed:?}");
        assert!(elapsed < Duration::from_secs(6), "{code}: {elapsed:?}");
        let attempts = document["attempts"].as_u64().unwrap();
        assert!(attempts >= 1, "{code}");
        assert!(attempts > 1 || !code.ends_with("refused"), "{code}");
    }
    let waiting = Waiting::start(&world, closed_port(), &["--wait", "300ms"]);
    let (_, out, err) = waiting.finish();
    assert!(out.contains("  FAILED at tcp — nothing listens"), "{out}");
    assert!(
        out.contains("\nwait  0.3 s ran out after 2 attempts"),
        "{out}"
    );
    assert_eq!(err.lines().count(), 1, "{err}");
    let waiting = Waiting::start(&world, closed_port(), &["--wait", "300ms", "-q"]);
    let (status, out, err) = waiting.finish();
    assert_eq!(
        (status.code(), out.as_str(), err.as_str()),
        (Some(124), "", "")
    );
}

#[test]
fn a_certificate_that_starts_soon_is_waited_for() {
    let world = World::new();
    let starting = |ahead: i64| {
        let pair = world.leaf(|it| {
            it.not_before = OffsetDateTime::now_utc() + time::Duration::seconds(ahead);
        });
        Tonic::tls(rustls(&pair, None, &[&TLS13]))
    };
    let soon = starting(2);
    let (exit, document, _) = json(&world, soon.port, &["--wait", "60s", "--interval", "100ms"]);
    assert_eq!((exit, &document["code"]), (0, &Value::Null), "{document}");
    assert!(document["attempts"].as_u64() > Some(1));
    let late = starting(3600);
    let (exit, document, _) = json(&world, late.port, &["--wait", "600s"]);
    assert_eq!((exit, &document["attempts"]), (13, &Value::from(1)));
}

#[test]
fn an_interrupt_ends_it() {
    let world = World::new();
    let mut waiting = Waiting::start(
        &world,
        closed_port(),
        &["--wait", "600s", "--interval", "500s"],
    );
    assert!(waiting.line().contains("waiting"));
    let id = waiting.child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(sent.success());
    let (status, out, _) = waiting.finish();
    assert_eq!((status.success(), out.as_str()), (false, ""));
}

#[test]
fn every_target_waits_for_itself_and_all_for_the_same_time() {
    let world = World::new();
    let server = serve_at(&world, 0, &[]);
    let (good, closed) = (server.port, closed_port());
    let mut command = verify(&world);
    let targets: Vec<String> = (0..40)
        .map(|it| format!("localhost:{}", if it == 20 { good } else { closed }))
        .collect();
    command
        .args(&targets)
        .args(["--wait", "1s", "--format", "json"]);
    let started = Instant::now();
    let output = finish(command);
    let elapsed = started.elapsed();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(elapsed < Duration::from_secs(6), "{elapsed:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let codes: Vec<u64> = text
        .lines()
        .map(|it| {
            serde_json::from_str::<Value>(it).unwrap()["exit_code"]
                .as_u64()
                .unwrap()
        })
        .collect();
    let expected: Vec<u64> = (0..40).map(|it| if it == 20 { 0 } else { 124 }).collect();
    assert_eq!(codes, expected);
}

#[test]
fn an_interval_is_that_of_a_wait() {
    let world = World::new();
    for args in [
        &["--interval", "1s"][..],
        &["--wait", "soon"],
        &["--wait", "0s"],
        &["--wait", "-1s"],
    ] {
        let mut command = verify(&world);
        command.arg("localhost:1").args(args);
        assert_eq!(finish(command).status.code(), Some(2), "{args:?}");
    }
    assert!(fs::exists(world.path().join("pki/ca.crt")).unwrap());
}
