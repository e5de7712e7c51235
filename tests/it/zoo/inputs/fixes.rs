//! What is told to be done about a file is done as it stands, and then the server is trusted.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::files::{base64, convert, escaped, octets};
use super::{World, ca, client, read, serve};
use crate::zoo::pki::for_clients;
use crate::zoo::row::{finish, verify};

#[test]
fn every_fix_works_when_it_is_typed() {
    let world = World::new();
    let server = serve(&world, &["--mtls"]);
    let target = format!("localhost:{}", server.port);
    let pem = &world.ca.pem;
    let ours = world.ours("client");
    let key = &ours.key;
    let below = world.ca.below("inter");
    let leaf = world.leaf_of(&below, for_clients);
    let chain = world.file(&(pem.clone() + &below.pem + "text\n" + &read(&leaf.certificate)));
    let utf16 = format!("\u{feff}{pem}");
    let utf16: Vec<u8> = utf16.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let open_key = world.file(&read(key));
    fs::set_permissions(&open_key, fs::Permissions::from_mode(0o644)).unwrap();
    let with_client = |args: Vec<String>| [args, client(&ours.certificate, key)].concat();
    for args in [
        with_client(ca(world.file(""))),
        with_client(ca("pki/ca.key")),
        with_client(ca("pki/server.crt")),
        with_client(ca(base64(&world, pem))),
        with_client(ca(escaped(&world, pem))),
        with_client(ca(world.file(&format!("  {}", pem.replace('\n', "\n  "))))),
        with_client(ca(convert(
            &world,
            "crl2pkcs7 -nocrl -certfile pki/ca.crt -out",
        ))),
        with_client(ca(convert(&world, "x509 -in pki/ca.crt -outform DER -out"))),
        with_client(ca(world.file(&format!("\u{feff}{pem}")))),
        with_client(ca(octets(&world, &utf16))),
        with_client(ca(world.file(&(pem.clone() + &read(world.ours("ca").key))))),
        client("pki/client.key", "pki/client.crt"),
        client("pki/client.key", "pki/client.key"),
        client("pki/client.crt", "pki/client.crt"),
        client("pki/client.crt", "pki/orders.key"),
        client("pki/client.crt", "pki/ca.key"),
        client("pki/ca.crt", "pki/ca.key"),
        client(chain, leaf.key),
        client(
            "pki/client.crt",
            convert(&world, "pkey -in pki/client.key -outform DER -out"),
        ),
        client(
            convert(&world, "x509 -in pki/client.crt -outform DER -out"),
            "pki/client.key",
        ),
        client(
            "pki/client.crt",
            convert(
                &world,
                "pkey -in pki/client.key -aes128 -passout pass:x -out",
            ),
        ),
        client("pki/client.crt", open_key),
    ] {
        let mut command = verify(&world);
        command.arg(&target).args(&args).args(["--format", "json"]);
        let output = finish(command);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let finding = &document["findings"][0];
        assert_eq!(finding["stage"], "inputs", "{args:?}: {document}");
        let text = finding["fix"]["text"].as_str().unwrap();
        let mut last = 1;
        let commands: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
        assert_eq!(finding["fix"]["command"], commands[0], "{args:?}");
        for command in &commands {
            // Where there is an alternative, the first is the one that fits this server.
            if last != 0 || !command.starts_with("grpc-pki verify") {
                last = typed(&world, command);
            }
        }
        if !commands.iter().any(|it| it.starts_with("grpc-pki verify")) {
            let mut again = verify(&world);
            again.arg(&target).args(&args);
            // What is converted beside the file is to be named instead of it.
            last = finish(again).status.code().unwrap();
        }
        assert_eq!(last, 0, "{args:?}: {text}");
    }
}

/// As a shell takes it, the program being on the way that it searches.
fn typed(world: &World, command: &str) -> i32 {
    let program = Path::new(env!("CARGO_BIN_EXE_grpc-pki"));
    let path = format!(
        "{}:{}",
        program.parent().unwrap().display(),
        env::var("PATH").unwrap()
    );
    // Nobody is there to be asked for the passphrase.
    let command = command.replace("openssl pkey -in", "openssl pkey -passin pass:x -in");
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &command])
        .current_dir(world.path())
        .env("PATH", path)
        .stdin(Stdio::null())
        .process_group(0);
    let output = finish(shell);
    let code = output.status.code().unwrap();
    assert!(
        command.starts_with("grpc-pki") || code == 0,
        "{command}: {output:?}"
    );
    code
}

#[test]
fn a_pair_of_the_folder_is_made_anew() {
    let world = World::new();
    let server = serve(&world, &["--mtls"]);
    let target = format!("localhost:{}", server.port);
    let ours = world.ours("client");
    fs::copy(world.ours("orders").key, &ours.key).unwrap();
    let run = || {
        let mut command = verify(&world);
        command.args([&target, "--client", "client", "--format", "json"]);
        let output = finish(command);
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let document = run();
    assert_eq!(document["code"], "inputs.key_mismatch");
    let command = document["findings"][0]["fix"]["command"].as_str().unwrap();
    assert_eq!(command, "grpc-pki issue client");
    assert_eq!(typed(&world, command), 0);
    assert_eq!(run()["ok"], true);
}
