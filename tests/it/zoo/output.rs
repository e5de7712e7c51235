//! What scripts rely on: the shape of the JSON, one document a line, and the exit code of several targets.

use std::process::Output;

use rcgen::{BasicConstraints, IsCa};
use serde_json::Value;

use super::grpc::closed_port;
use super::pki::{Key, Pair, World};
use super::process::{Python, serve};
use super::row::{finish, verify};

/// The documentation, which has every key with the types that its values may have. A key may be added, none may go
/// or change.
const SCHEMA: &str = include_str!("../../../src/report/verify.md");

/// Key and types of each row of its table.
fn keys() -> impl Iterator<Item = (&'static str, String)> {
    let rows = SCHEMA.lines().filter_map(|it| it.strip_prefix("| `"));
    rows.map(|row| {
        let (key, rest) = row.split_once("` | ").unwrap();
        let (types, _) = rest.split_once(" |").unwrap();
        (key, types.replace(" or ", "|"))
    })
}

/// Whether a document has every key that it must have, with a value of the right type.
pub fn shape_of(document: &Value) -> Result<(), String> {
    for (path, types) in keys() {
        follow(document, path, &types).map_err(|what| format!("{path}: {what}"))?;
    }
    Ok(())
}

fn follow(value: &Value, path: &str, types: &str) -> Result<(), String> {
    if path.is_empty() {
        let found = kind(value);
        let fits = types.split('|').any(|it| it == found);
        return if fits {
            Ok(())
        } else {
            Err(format!("is {found}, not {types}"))
        };
    }
    if let Some(rest) = path.strip_prefix("[]") {
        // What was not come to is null: `eku` of a certificate without it.
        let items = match value {
            Value::Null => return Ok(()),
            Value::Array(items) => items,
            other => return Err(format!("is {}, not a list", kind(other))),
        };
        return items.iter().try_for_each(|it| follow(it, rest, types));
    }
    let path = path.strip_prefix('.').unwrap_or(path);
    let end = path.find(['.', '[']).unwrap_or(path.len());
    match value {
        // A server that was not reached has no `tls` and no `grpc`.
        Value::Null => Ok(()),
        Value::Object(object) => match object.get(&path[..end]) {
            Some(value) => follow(value, &path[end..], types),
            None => Err("is missing".to_owned()),
        },
        other => Err(format!("is in {}, not an object", kind(other))),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "list",
        Value::Bool(_) => "bool",
        Value::Null => "null",
        Value::Number(_) => "number",
        Value::Object(_) => "object",
        Value::String(_) => "string",
    }
}

/// Characters of a peer that would steer the terminal.
pub fn steers(text: &str) -> Option<String> {
    let unsafe_char = |c: &char| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let found = text.chars().find(unsafe_char)?;
    Some(format!("{found:?} comes out raw"))
}

fn run(world: &World, args: &[&str]) -> Output {
    let mut command = verify(world);
    command.args(args);
    finish(command)
}

fn documents(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn several_targets_have_a_common_exit_code_or_1() {
    let world = World::new();
    let healthy = serve(&world, &[]);
    let wrong_name = Python::tls("grpc", &world.ours("orders")).start();
    let at = |port: u16| format!("localhost:{port}");
    let (good, bad) = (at(healthy.port), at(wrong_name.port));
    let (closed, closed_too) = (at(closed_port()), at(closed_port()));
    for (targets, exit, codes) in [
        ([&closed, &closed_too], 11, ["tcp.refused", "tcp.refused"]),
        ([&closed, &bad], 1, ["tcp.refused", "name.dns_not_in_san"]),
        ([&bad, &good], 1, ["name.dns_not_in_san", ""]),
        ([&good, &good], 0, ["", ""]),
    ] {
        let output = run(&world, &[targets[0], targets[1], "--format", "json"]);
        assert_eq!(output.status.code(), Some(exit), "{output:?}");
        let documents = documents(&output);
        let told: Vec<_> = documents
            .iter()
            .map(|it| it["code"].as_str().unwrap_or(""))
            .collect();
        assert_eq!(told, codes, "in the order of the command line");
        for (document, target) in documents.iter().zip(targets) {
            shape_of(document).unwrap();
            assert_eq!(document["target"], target.as_str());
        }
        let human = String::from_utf8(run(&world, &[targets[0], targets[1]]).stdout).unwrap();
        let verdicts = human
            .lines()
            .filter(|it| it.starts_with("localhost:"))
            .count();
        assert_eq!(verdicts, 2, "{human}");
    }
}

#[test]
fn what_other_clients_would_do_is_told_once() {
    let world = World::new();
    let human = |pair: &Pair| {
        let server = Python::tls("grpc", pair).start();
        let output = run(&world, &[&format!("localhost:{}", server.port)]);
        String::from_utf8(output.stdout).unwrap()
    };
    let ca = human(&world.leaf(|it| it.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)));
    let accept = "Go, Python, C++, Node and Java would accept";
    assert!(
        ca.contains(&format!("  warn  opinions     {accept}\n")),
        "{ca}"
    );
    assert!(ca.contains(&format!("also  {accept}: a CA")), "{ca}");
    let ed25519 = human(&world.leaf_with(&world.ca, Key::Ed25519, |_| ()));
    assert!(ed25519.contains("  OK — trusted, SERVING\n"), "{ed25519}");
    let why = "Python and C++ would refuse: the certificate has an ed25519 key";
    assert!(ed25519.contains(&format!("why   {why}.")), "{ed25519}");
    assert!(!ed25519.contains("also  "), "{ed25519}");
}

#[test]
fn of_a_server_that_showed_no_certificate_there_are_no_opinions() {
    let world = World::new();
    let target = format!("localhost:{}", closed_port());
    let document = &documents(&run(&world, &[&target, "--format", "json"]))[0];
    let stages = document["stages"].as_array().unwrap();
    assert_eq!(stages.last().unwrap()["id"], "opinions");
    assert_eq!(stages.last().unwrap()["status"], "not_reached");
    assert_eq!(document["opinions"], serde_json::json!([]));
}

#[test]
fn the_shape_of_the_json_is_complete() {
    let world = World::new();
    let server = serve(&world, &["--mtls"]);
    let target = format!("localhost:{}", server.port);
    let more = ["--deep", "--reflection", "--header", "x-tenant: shop"];
    let args = [&target, "--client", "client", "--format", "json"];
    let output = run(&world, &[&args[..], &more].concat());
    let documents = documents(&output);
    assert_eq!(output.status.code(), Some(0), "{documents:#?}");
    // Every key that there is stands in the documentation: a new one is added to it.
    assert!(keys().count() > 90, "the table is read");
    let mut paths = std::collections::BTreeSet::new();
    collect(&documents[0], String::new(), &mut paths);
    let listed = |path: &String| keys().any(|(it, _)| it == path);
    let unlisted: Vec<_> = paths.iter().filter(|it| !listed(it)).collect();
    assert!(unlisted.is_empty(), "{unlisted:?}");
}

fn collect(value: &Value, path: String, paths: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let dot = if path.is_empty() { "" } else { "." };
                collect(value, format!("{path}{dot}{key}"), paths);
            }
        }
        Value::Array(items) => {
            for item in items {
                collect(item, format!("{path}[]"), paths);
            }
        }
        // A certificate without extendedKeyUsage.
        Value::Null if path == "chain[].eku" => {}
        _ => {
            paths.insert(path);
        }
    }
}
