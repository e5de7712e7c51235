//! `--timeout`: each step of a connection is held to it on its own.

use std::io;
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use grpc_pki::probe::{Resolve, SystemResolver};

use super::addresses::run;
use super::grpc::{Answer, Manner, Tonic, rustls};
use super::pki::World;
use super::process::{Process, Python};

/// A resolver that does not answer until the test has ended.
struct Hangs(Mutex<Receiver<()>>);

impl Hangs {
    fn new() -> (Sender<()>, Arc<Self>) {
        let (sender, receiver) = channel();
        (sender, Arc::new(Self(Mutex::new(receiver))))
    }
}

impl Resolve for Hangs {
    fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).recv();
        Err(io::ErrorKind::TimedOut.into())
    }
}

/// What a machine under load adds to a run.
const SLACK: Duration = Duration::from_secs(8);

#[test]
fn every_step_is_held_to_the_limit_on_its_own() {
    let world = World::new();
    let ours = world.ours("server");
    let system = || -> Arc<dyn Resolve> { Arc::new(SystemResolver) };
    let (_ends, hanging) = Hangs::new();
    let nobody = "localhost:50051".to_owned();
    let check = |step: &str, resolver: Arc<dyn Resolve>, target: &str, code: &str| {
        let args = format!("{target} --timeout 300ms --format json");
        let ran = run(&world, resolver, &args);
        assert_eq!(ran.json()["code"], code, "{step}: {}", ran.text);
        // A step more is looked at where TLS fails: what the port speaks instead.
        assert!(
            ran.took < Duration::from_millis(600) + SLACK,
            "{step} took {:?}",
            ran.took
        );
        let fastest = Duration::from_millis(290);
        assert!(
            ran.took > fastest,
            "{step} was not waited for: {:?}",
            ran.took
        );
    };
    check("resolving", hanging, &nobody, "dns.timeout");
    let at = |server: &Process| format!("127.0.0.1:{}", server.port);
    for (step, server, code) in [
        ("connecting", Python::new("full"), "tcp.timeout"),
        ("a silent handshake", Python::new("hold"), "tls.silent"),
        ("a handshake in drops", Python::new("drip"), "tls.silent"),
        (
            "the first octets",
            Python::tls("hold", &ours),
            "http2.no_settings",
        ),
        (
            "a silent call",
            Python::tls("settings", &ours),
            "grpc.no_answer",
        ),
        (
            "a call in drops",
            Python::tls("drip", &ours),
            "grpc.no_answer",
        ),
    ] {
        let server = server.start();
        check(step, system(), &at(&server), code);
    }
}

#[test]
fn a_limit_for_each_step_is_none_for_all_of_them() {
    let world = World::new();
    let tls = rustls(&world.ours("server"), None, rustls::DEFAULT_VERSIONS);
    let server = Tonic::start(
        Some(tls),
        Answer::Serving,
        Manner::Slow(Duration::from_millis(700)),
    );
    let at = |limit: &str| format!("localhost:{} --timeout {limit} --format json", server.port);
    let slow = run(&world, Arc::new(SystemResolver), &at("5s"));
    assert_eq!(slow.code, 0, "{}", slow.text);
    let slow = run(&world, Arc::new(SystemResolver), &at("200ms"));
    assert_eq!(slow.json()["code"], "tls.silent", "{}", slow.text);
}
