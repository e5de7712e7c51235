//! Every address of a name: what is told of each, and which of them decides.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use grpc_pki::cli::{self, Context, SystemPassphrases};
use grpc_pki::keys::SystemKeys;
use grpc_pki::probe::Resolve;
use serde_json::Value;
use time::OffsetDateTime;

use super::grpc::closed_port;
use super::pki::{Pair, World, period};
use super::process::{Process, Python, serve};

/// A resolver that knows these addresses for every name, in this order.
struct Names(Vec<&'static str>);

impl Resolve for Names {
    fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(self.0.iter().map(|it| it.parse().unwrap()).collect())
    }
}

/// What one run of `verify` came to.
pub struct Ran {
    pub code: u8,
    pub text: String,
    pub took: Duration,
}

impl Ran {
    pub fn json(&self) -> Value {
        let document = serde_json::from_str(&self.text).unwrap();
        super::output::shape_of(&document).unwrap();
        document
    }

    fn first_line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }
}

/// `verify` in this process, with a resolver of our own.
pub fn run(world: &World, resolver: Arc<dyn Resolve>, args: &str) -> Ran {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut context = Context {
        now: OffsetDateTime::now_utc(),
        keys: &SystemKeys,
        passphrases: &SystemPassphrases,
        resolver,
        stdout: &mut stdout,
        stderr: &mut stderr,
        color: false,
        interactive: false,
    };
    let at = |name: &str| world.path().join(name).display().to_string();
    let (pki, config) = (at("pki"), at("certs.toml"));
    let fixed = ["--pki", &pki, "--config", &config];
    let words = ["grpc-pki", "verify"].into_iter().chain(args.split(' '));
    let started = Instant::now();
    let code = cli::run(words.chain(fixed).map(Into::into), &mut context);
    assert!(stderr.is_empty(), "{}", String::from_utf8_lossy(&stderr));
    Ran {
        code,
        text: String::from_utf8(stdout).unwrap(),
        took: started.elapsed(),
    }
}

/// A server at each of these addresses, all on one port.
fn machines(servers: &[(&'static str, &Pair)]) -> (u16, Vec<Process>) {
    let mut port = 0;
    let mut started = Vec::new();
    for (host, pair) in servers {
        let server = Python::tls("grpc", pair);
        let server = server.with("host", *host).with("port", port).start();
        port = server.port;
        started.push(server);
    }
    (port, started)
}

const THREE: [&str; 3] = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];

fn three() -> Arc<Names> {
    Arc::new(Names(THREE.to_vec()))
}

#[test]
fn every_address_of_a_name_is_looked_at() {
    let world = World::new();
    let ours = world.ours("server");
    let (port, _servers) = machines(&THREE.map(|it| (it, &ours)));
    let target = format!("localhost:{port}");
    let ran = run(&world, three(), &format!("{target} --all-addresses"));
    assert_eq!(ran.code, 0, "{}", ran.text);
    let verdict = format!("{target}  OK — trusted at all 3 addresses, SERVING");
    assert_eq!(ran.first_line(), verdict);
    for address in THREE {
        let line = format!("  ok    {address}    trusted, SERVING");
        assert!(ran.text.contains(&line), "{}", ran.text);
    }
    assert!(!ran.text.contains("note"), "{}", ran.text);
    let document = run(
        &world,
        three(),
        &format!("{target} --all-addresses --format json"),
    )
    .json();
    let addresses = document["addresses"].as_array().unwrap();
    assert_eq!(addresses.len(), 3);
    for (address, ip) in addresses.iter().zip(THREE) {
        assert_eq!((&address["ip"], &address["ok"]), (&ip.into(), &true.into()));
        assert_eq!(address["leaf_sha256"], document["chain"][0]["sha256"]);
    }
}

#[test]
fn the_one_bad_machine_behind_a_name_is_named() {
    let world = World::new();
    let (ours, expired) = (world.ours("server"), world.leaf(|it| period(it, -30, -2)));
    let (port, _servers) = machines(&[(THREE[0], &ours), (THREE[1], &expired), (THREE[2], &ours)]);
    let target = format!("localhost:{port}");
    // B7: without the flag, it depends on which address answers first.
    let first = run(&world, three(), &target);
    assert_eq!(first.code, 0, "{}", first.text);
    assert!(first.text.contains("127.0.0.3 connected"), "{}", first.text);
    let document = run(&world, three(), &format!("{target} --format json")).json();
    assert_eq!(document["addresses"][0]["ok"], true);
    assert_eq!(document["addresses"][1]["ok"], Value::Null);

    let ran = run(&world, three(), &format!("{target} --all-addresses"));
    assert_eq!(ran.code, 13, "{}", ran.text);
    let verdict = format!("{target}  FAILED at time — 127.0.0.3, 1 of 3 addresses: ");
    assert!(ran.first_line().starts_with(&verdict), "{}", ran.text);
    assert!(
        ran.text
            .contains("  FAIL  127.0.0.3    the certificate expired"),
        "{}",
        ran.text
    );
    let note = "note  127.0.0.3 presents another certificate than the other 2 addresses\n";
    assert!(ran.text.contains(note), "{}", ran.text);
    assert!(ran.text.lines().count() <= 24, "{}", ran.text);
    let json = format!("{target} --all-addresses --format json");
    let document = run(&world, three(), &json).json();
    let codes = [
        "/addresses/0/code",
        "/addresses/1/code",
        "/addresses/2/code",
    ];
    let codes = codes.map(|it| document.pointer(it).unwrap().as_str());
    assert_eq!(codes, [None, Some("time.expired"), None]);
    assert_eq!(
        (&document["exit_code"], &document["code"]),
        (&13.into(), &"time.expired".into())
    );
}

#[test]
fn the_exit_code_is_that_of_the_first_address_that_fails() {
    let world = World::new();
    let (ours, orders) = (world.ours("server"), world.ours("orders"));
    let (port, _servers) = machines(&[(THREE[0], &ours), (THREE[2], &orders)]);
    let target = format!("localhost:{port}");
    let ran = run(&world, three(), &format!("{target} --all-addresses"));
    assert_eq!(ran.code, 11, "{}", ran.text);
    let verdict = format!(
        "{target}  FAILED at tcp — 2 of 3 addresses, first 127.0.0.3: nothing listens on port {port}"
    );
    assert_eq!(ran.first_line(), verdict);
    assert!(
        ran.text
            .contains("  FAIL  127.0.0.4    the certificate does not cover"),
        "{}",
        ran.text
    );
    let other_way = Arc::new(Names(vec![THREE[2], THREE[1], THREE[0]]));
    let ran = run(&world, other_way, &format!("{target} --all-addresses"));
    assert_eq!(ran.code, 13, "{}", ran.text);
}

#[test]
fn certificates_of_their_own_are_no_reason_to_fail() {
    let world = World::new();
    let ours = world.ours("server");
    let others = [world.leaf(|_| ()), world.leaf(|_| ())];
    let look = |servers: &[(&'static str, &Pair)]| {
        let (port, _servers) = machines(servers);
        let ran = run(
            &world,
            three(),
            &format!("localhost:{port} --all-addresses"),
        );
        assert_eq!(ran.code, 0, "{}", ran.text);
        assert!(!ran.text.contains("  warn  "), "{}", ran.text);
        ran.text
    };
    let one = look(&[(THREE[0], &ours), (THREE[1], &ours), (THREE[2], &others[0])]);
    let note = "note  127.0.0.4 presents another certificate than the other 2 addresses\n";
    assert!(one.contains(note), "{one}");
    let each = look(&[
        (THREE[0], &ours),
        (THREE[1], &others[1]),
        (THREE[2], &others[0]),
    ]);
    assert!(
        each.contains("note  3 addresses present 3 different certificates\n"),
        "{each}"
    );
}

#[test]
fn of_very_many_addresses_32_are_looked_at_and_a_screen_is_enough_to_tell() {
    let world = World::new();
    let many: Vec<&'static str> = (1..=40)
        .map(|it| &*Box::leak(format!("127.0.1.{it}").into_boxed_str()))
        .collect();
    let port = closed_port();
    let names = Arc::new(Names(many));
    let target = format!("localhost:{port} --all-addresses");
    let document = run(&world, names.clone(), &format!("{target} --format json")).json();
    assert_eq!(document["addresses"].as_array().unwrap().len(), 32);
    assert_eq!(document["exit_code"], 11);
    let ran = run(&world, names.clone(), &target);
    assert!(ran.text.lines().count() <= 24, "{}", ran.text);
    assert!(
        ran.text
            .contains("  FAIL  127.0.1.1 and 31 more  nothing listens"),
        "{}",
        ran.text
    );
    assert!(ran.text.contains("127.0.1.3 and 29 more"), "{}", ran.text);
    let all = run(&world, names, &format!("{target} -v"));
    assert!(
        all.text.contains("  FAIL  127.0.1.32   nothing listens"),
        "{}",
        all.text
    );
}

#[test]
fn one_address_needs_no_comparison() {
    let world = World::new();
    let server = serve(&world, &[]);
    let one = Arc::new(Names(vec!["127.0.0.1", "127.0.0.1"]));
    let ran = run(
        &world,
        one,
        &format!("localhost:{} --all-addresses", server.port),
    );
    assert_eq!(ran.code, 0, "{}", ran.text);
    assert!(
        ran.first_line().ends_with("  OK — trusted, SERVING"),
        "{}",
        ran.text
    );
}

#[test]
fn localhost_is_looked_for_at_the_other_loopback_and_no_other_name_is() {
    let world = World::new();
    let (port, _servers) = machines(&[("127.0.0.1", &world.ours("server"))]);
    let six = || Arc::new(Names(vec!["::1"]));
    let ran = run(&world, six(), &format!("localhost:{port} --format json"));
    assert_eq!(ran.json()["code"], "tcp.other_loopback", "{}", ran.text);
    let ran = run(
        &world,
        six(),
        &format!("orders.internal:{port} --format json"),
    );
    assert_ne!(ran.json()["code"], "tcp.other_loopback", "{}", ran.text);
    assert_eq!(ran.code, 11);
    // The healthy twin: both are known, and one answers.
    let both = Arc::new(Names(vec!["::1", "127.0.0.1"]));
    let ran = run(&world, both, &format!("localhost:{port}"));
    assert_eq!(ran.code, 0, "{}", ran.text);
    assert!(ran.text.contains("(::1 "), "{}", ran.text);
}
