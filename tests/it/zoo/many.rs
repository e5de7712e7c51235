//! Many targets: those of certs.toml, in order, each as soon as it can be told; and what is asked of them besides.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::grpc::{Answer, Manner, Raw, Tonic, closed_port, hold, rustls};
use super::pki::World;
use super::process::serve;
use super::row::{Row, Staged, finish, row, verify};

pub fn rows() -> Vec<Row> {
    vec![
        row(
            "fewer days than --min-days asks for",
            18,
            "time",
            &["time.below_min_days"],
            &[
                "364 days left",
                "3 650 days",
                "issue server --force",
                "SERVING",
            ],
            |world| {
                let server = serve(world, &[]);
                Staged::new(server.port, server).args(["--min-days", "3650"])
            },
        )
        .tells("/stages/6/status", "fail")
        .tells("/stages/10/message", "SERVING"),
        row(
            "as many days as --min-days asks for",
            0,
            "",
            &[],
            &["SERVING"],
            |world| {
                let server = serve(world, &[]);
                Staged::new(server.port, server).args(["--min-days", "364"])
            },
        ),
        row(
            "fewer days than --min-days asks for, and what fails comes first",
            17,
            "grpc",
            &["grpc.not_serving", "time.below_min_days"],
            &[],
            |world| {
                let tls = rustls(&world.ours("server"), None, rustls::ALL_VERSIONS);
                let server = Tonic::start(Some(tls), Answer::NotServing, Manner::Prompt);
                Staged::new(server.port, server).args(["--min-days", "3650"])
            },
        ),
        row(
            "a CA that ends sooner than --min-days allows",
            18,
            "time",
            &["time.below_min_days"],
            &[
                "The server's certificate ends on",
                "the CA CN=short",
                "init --pki NEW",
            ],
            |world| {
                let ca = super::pki::Authority::new("short", super::pki::Key::P256, |_| ());
                let pair = world.leaf_of(&ca, |_| ());
                let file = world.file(&ca.pem);
                let server = Tonic::tls(rustls(&pair, None, rustls::ALL_VERSIONS));
                let args = ["--min-days", "60", "--ca", file.to_str().unwrap()].map(str::to_owned);
                Staged::new(server.port, server).args(args)
            },
        ),
    ]
}

fn run(world: &World, args: &[&str]) -> Output {
    let mut command = verify(world);
    command.args(args);
    finish(command)
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

fn documents(output: &Output) -> Vec<Value> {
    let lines = text(&output.stdout);
    lines
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect()
}

/// certs.toml of a world, with addresses.
fn addresses(world: &World, server: Option<u16>, orders: Option<u16>) {
    let path = world.path().join("certs.toml");
    let before = fs::read_to_string(&path).unwrap();
    let address = |port: u16| format!("address = \"localhost:{port}\"\n");
    let mut after = server.map(address).unwrap_or_default() + &before;
    if let Some(port) = orders {
        after = after.replace(
            "[certs.orders]\n",
            &format!("[certs.orders]\n{}", address(port)),
        );
    }
    fs::write(path, after).unwrap();
}

#[test]
fn all_are_those_of_certs_toml_that_have_an_address() {
    let world = World::new();
    let (server, orders) = (serve(&world, &[]), serve(&world, &["--name", "orders"]));
    addresses(&world, Some(server.port), Some(orders.port));
    let told = documents(&run(&world, &["--all", "--format", "json"]));
    let told: Vec<_> = told.iter().map(|it| (&it["entry"], &it["code"])).collect();
    let name = json!("name.dns_not_in_san");
    let expected = [(&json!("server"), &Value::Null), (&json!("orders"), &name)];
    assert_eq!(told, expected);
    // Those of the command line come first, and belong to no entry.
    let target = format!("localhost:{}", server.port);
    let both = documents(&run(&world, &[&target, "--all", "--format", "json"]));
    let both: Vec<_> = both.iter().map(|it| &it["entry"]).collect();
    assert_eq!(both, [&Value::Null, &json!("server"), &json!("orders")]);
    let output = run(&world, &["--all"]);
    let human = text(&output.stdout);
    let (first, second) = (server.port, orders.port);
    assert!(human.starts_with(&format!(
        "localhost:{first} (server)  OK — trusted, SERVING\n"
    )));
    assert!(human.contains(&format!("\nlocalhost:{second} (orders)  FAILED at name — ")));
    let last = format!("1 of 2 failed: localhost:{second} (name.dns_not_in_san)");
    assert_eq!(human.lines().last(), Some(last.as_str()));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn without_an_address_there_is_nothing_to_verify_and_it_says_what_to_write() {
    let world = World::new();
    let output = run(&world, &["--all"]);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(text(&output.stderr), @r#"
    error: certs.toml gives no `address` to verify
    hint: add `address = "localhost:50051"` at the top of certs.toml, above the first [table]
    "#);
    let path = world.path().join("certs.toml");
    let entries = "\n[certs.client]\nprofile = \"client\"\n\n[certs.orders]\nprofile = \"server\"\n\
                   alt_names.DNS = [\"*.pods.internal\", \"orders.internal\"]\n";
    fs::write(&path, entries).unwrap();
    insta::assert_snapshot!(text(&run(&world, &["--all"]).stderr), @r#"
    error: certs.toml gives no `address` to verify
    hint: certs.toml:5: in [certs.orders], add `address = "orders.internal:50051"`
    "#);
    fs::remove_file(&path).unwrap();
    assert_eq!(run(&world, &["--all"]).status.code(), Some(2));
    // Neither TARGET nor --all.
    assert_eq!(run(&world, &[]).status.code(), Some(2));
}

#[test]
fn the_certificate_of_another_entry_is_told() {
    let world = World::new();
    let server = serve(&world, &[]);
    addresses(&world, None, Some(server.port));
    let told = &documents(&run(&world, &["--all", "--format", "json"]))[0];
    assert_eq!(told["ok"], true, "a warning alone does not fail");
    assert_eq!(told["findings"][0]["code"], "path.other_entry");
    assert_eq!(told["findings"][0]["severity"], "warning");
    let message = "the certificate is that of `server`, not of `orders`";
    assert_eq!(told["findings"][0]["message"], message);
    // Asked for by its address alone, it belongs to no entry, and nothing is wrong.
    let target = format!("localhost:{}", server.port);
    let alone = &documents(&run(&world, &[&target, "--format", "json"]))[0];
    assert_eq!(alone["findings"], json!([]));
}

#[test]
fn reports_come_in_order_and_each_as_soon_as_it_can() {
    let world = World::new();
    let (server, slow) = (serve(&world, &[]), Raw::start(hold));
    let good = format!("localhost:{}", server.port);
    let slow = format!("localhost:{}", slow.address.port());
    let args = [
        &slow,
        &good,
        &good,
        "--format",
        "json",
        "--timeout",
        "700ms",
    ];
    let told = documents(&run(&world, &args));
    let told: Vec<_> = told
        .iter()
        .map(|it| it["target"].as_str().unwrap())
        .collect();
    assert_eq!(told, [&slow, &good, &good]);
    // What comes first is there while the last one still takes its time.
    let mut command = verify(&world);
    command.args([&good, &slow, "--format", "json", "--timeout", "600s"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let stdout = child.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let running = child.try_wait().unwrap().is_none();
    let _ = child.kill();
    let _ = child.wait();
    let first: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((running, &first["target"]), (true, &json!(good)));
}

#[test]
fn hundreds_of_targets_are_told_in_a_line_each() {
    let world = World::new();
    let server = serve(&world, &[]);
    let good = format!("localhost:{}", server.port);
    let closed = format!("localhost:{}", closed_port());
    let mut targets = vec![good.as_str(); 200];
    targets[77] = &closed;
    let human = text(&run(&world, &targets).stdout);
    let heads: Vec<&str> = human
        .lines()
        .filter(|it| it.starts_with("localhost:"))
        .collect();
    assert_eq!(heads.len(), 200);
    for (index, head) in heads.iter().enumerate() {
        assert!(head.starts_with(targets[index]), "{index}: {head}");
    }
    let last = format!("1 of 200 failed: {closed} (tcp.refused)");
    assert_eq!(human.lines().last(), Some(last.as_str()));
    let healthy = text(&run(&world, &[&good, &good]).stdout);
    let line = format!("{good}  OK — trusted, SERVING\n");
    assert_eq!(healthy, format!("{line}{line}all 2 are trusted\n"));
    let verbose = text(&run(&world, &[&good, &good, "-v"]).stdout);
    assert!(verbose.contains("  ok    alpn"), "{verbose}");
}

#[test]
fn targets_do_not_wait_for_each_other() {
    let world = World::new();
    let tls = rustls(&world.ours("server"), None, rustls::ALL_VERSIONS);
    let manner = Manner::Slow(Duration::from_secs(1));
    let slow = Tonic::start(Some(tls), Answer::Serving, manner);
    let target = format!("localhost:{}", slow.port);
    let started = Instant::now();
    let output = run(&world, &vec![target.as_str(); 64]);
    let elapsed = started.elapsed();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(elapsed < Duration::from_secs(32), "{elapsed:?}");
}

#[test]
fn warnings_can_be_denied() {
    let world = World::new();
    let tls = rustls(&world.ours("server"), None, rustls::ALL_VERSIONS);
    let no_health = Tonic::start(Some(tls), Answer::NoHealth, Manner::Prompt);
    let target = format!("localhost:{}", no_health.port);
    assert_eq!(run(&world, &[&target]).status.code(), Some(0));
    let output = run(&world, &[&target, "--deny-warnings"]);
    assert_eq!(output.status.code(), Some(19));
    let first = format!("{target}  FAILED — warnings are denied: the server has no health service");
    assert_eq!(text(&output.stdout).lines().next(), Some(first.as_str()));
    let output = run(&world, &[&target, "--deny-warnings", "--format", "json"]);
    let told = &documents(&output)[0];
    assert_eq!(
        (&told["ok"], &told["exit_code"]),
        (&json!(false), &json!(19))
    );
    assert_eq!(told["code"], "grpc.health_unimplemented");
    assert_eq!(told["failed_stage"], "grpc");
    assert_eq!(told["findings"][0]["severity"], "warning");
    // What ends too soon comes before what is only a warning.
    let both = run(&world, &[&target, "--deny-warnings", "--min-days", "3650"]);
    assert_eq!(both.status.code(), Some(18));
    let clean = serve(&world, &[]);
    let target = format!("localhost:{}", clean.port);
    assert_eq!(
        run(&world, &[&target, "--deny-warnings"]).status.code(),
        Some(0)
    );
}

#[test]
fn days_are_within_ten_years() {
    let world = World::new();
    for days in ["10000", "3651", "-1", "x"] {
        let output = run(&world, &["localhost:1", &format!("--min-days={days}")]);
        assert_eq!(output.status.code(), Some(2), "{days}: {output:?}");
    }
    let closed = format!("localhost:{}", closed_port());
    for days in ["0", "3650"] {
        let output = run(&world, &[&closed, "--min-days", days]);
        assert_eq!(output.status.code(), Some(11), "{days}");
    }
}
