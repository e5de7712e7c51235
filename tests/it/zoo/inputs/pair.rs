//! Rows: certificate and private key together, and those that are as they should be.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rcgen::{BasicConstraints, IsCa};

use super::files::{convert, converted, copy};
use super::{Row, World, ca, client, read, right, wrong};
use crate::zoo::pki::{Key, Pair, for_clients};
use crate::zoo::process::serve;
use crate::zoo::row::{Staged, row};

pub fn wrong_rows() -> Vec<Row> {
    vec![
        wrong(
            "A3 the key of another certificate, both of the folder",
            &["inputs.key_mismatch"],
            &[
                "pki/orders.key is not the private key of pki/client.crt",
                "The key of this certificate is pki/client.key.",
                "The certificate of this key is pki/orders.crt.",
                " --client client`",
            ],
            |_| client("pki/client.crt", "pki/orders.key"),
        ),
        wrong(
            "A3 keys that nobody knows",
            &["inputs.key_mismatch"],
            &["pkey -in", "-pubout"],
            |world| {
                let far = tempfile::tempdir_in(world.path()).unwrap().keep();
                let certificate = copy(&far, &world.leaf(for_clients).certificate);
                client(certificate, copy(&far, &world.leaf(for_clients).key))
            },
        ),
        wrong(
            "A5 an issuer before the certificate of the key",
            &["inputs.chain_order"],
            &["does not begin with", "stands at place 3", "p[3] p[2] p[1]"],
            |world| {
                let below = world.ca.below("inter");
                let leaf = world.leaf_of(&below, for_clients);
                let chain = world.ca.pem.clone() + &below.pem + &read(&leaf.certificate);
                client(world.file(&chain), leaf.key)
            },
        ),
        wrong(
            "A7 the CA's own key at a client",
            &["inputs.ca_key_as_client"],
            &["is the private key of a CA", " --client client"],
            |_| client("pki/ca.crt", "pki/ca.key"),
        ),
        wrong(
            "A7 the CA's own key, beside a client's certificate",
            &["inputs.ca_key_as_client"],
            &["is the private key of a CA", " --client client"],
            |_| client("pki/client.crt", "pki/ca.key"),
        ),
    ]
}

pub fn right_rows() -> Vec<Row> {
    vec![
        right(
            "A2 certificate and key the right way round",
            &[],
            &["SERVING"],
            |_| client("pki/client.crt", "pki/client.key"),
        ),
        right(
            "A2 certificate and key in one file",
            &[],
            &["SERVING"],
            |world| {
                let ours = world.ours("client");
                let both = world.file(&(read(ours.key) + &read(ours.certificate)));
                client(&both, &both)
            },
        ),
        right("A3 a P-521 key", &[], &["SERVING"], |world| {
            of(&world.leaf_with(&world.ca, Key::P521, for_clients))
        }),
        right("A3 an Ed25519 key", &[], &["SERVING"], |world| {
            of(&world.leaf_with(&world.ca, Key::Ed25519, for_clients))
        }),
        right(
            "A4 a key in the form of SEC 1, with its parameters",
            &[],
            &["SERVING"],
            |world| {
                let key = convert(world, "ec -in pki/client.key -out");
                let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
                let text = format!("{parameters}{}", read(&key).replace('\n', "\r\n"));
                client("pki/client.crt", world.file(&text))
            },
        ),
        right(
            "A4 a key in the form of PKCS #1",
            &[],
            &["SERVING"],
            |world| {
                let pair = world.leaf_with(&world.ca, Key::Rsa2048, for_clients);
                let from = pair.key.to_str().unwrap();
                let key = converted(world, &["rsa", "-in", from, "-traditional", "-out"]);
                client(pair.certificate, key)
            },
        ),
        right("A5 a chain in its order", &[], &["SERVING"], |world| {
            let below = world.ca.below("inter");
            let leaf = world.leaf_of(&below, for_clients);
            of(&world.chain(&leaf, &[&below.pem, &world.ca.pem]))
        }),
        right(
            "A7 a key that everyone may read",
            &["inputs.key_readable"],
            &["everyone on this machine may read", "0644", "chmod 600"],
            |world| open(world, 0o644),
        ),
        right(
            "A7 a key that the group may read",
            &["inputs.key_readable"],
            &["its whole group may read", "0640"],
            |world| open(world, 0o640),
        ),
        right(
            "A7 a key that nobody may write",
            &[],
            &["SERVING"],
            |world| open(world, 0o400),
        ),
        row(
            "A7 a certificate that signed itself with CA:TRUE, as client and as trust",
            0,
            "",
            &[],
            &["SERVING"],
            |world| {
                let own =
                    world.self_signed(|it| it.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
                let trusted = world.file(&(read(&own.certificate) + &world.ca.pem));
                let server = serve(world, &[]);
                Staged::new(server.port, server).args([ca(trusted), of(&own)].concat())
            },
        ),
    ]
}

fn open(world: &World, mode: u32) -> Vec<String> {
    let key = world.file(&read(world.ours("client").key));
    fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
    client("pki/client.crt", key)
}

fn of(pair: &Pair) -> Vec<String> {
    client(&pair.certificate, &pair.key)
}
