//! Rows: the client certificate and its private key, each on its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::files::{convert, converted, openssl};
use super::{Row, ca, client, read, wrong};

pub fn wrong_rows() -> Vec<Row> {
    let encoding = "inputs.client_encoding";
    vec![
        wrong(
            "A2 certificate and key swapped",
            &["inputs.swapped"],
            &[
                "the wrong way round",
                " --cert pki/client.crt --key pki/client.key",
            ],
            |_| client("pki/client.key", "pki/client.crt"),
        ),
        wrong(
            "A2 the key twice",
            &["inputs.cert_empty"],
            &[
                "pki/client.key is a private key, not a certificate",
                " --client client",
            ],
            |_| client("pki/client.key", "pki/client.key"),
        ),
        wrong(
            "A2 the certificate twice",
            &["inputs.key_empty"],
            &[
                "pki/client.crt is a certificate, not a private key",
                " --client client",
            ],
            |_| client("pki/client.crt", "pki/client.crt"),
        ),
        wrong(
            "A2 a request that nobody signed",
            &["inputs.cert_empty"],
            &[
                "is a certificate request, not a certificate",
                "signed by a CA",
            ],
            |world| {
                let key = convert(world, "genpkey -algorithm ed25519 -out");
                let from = key.to_str().unwrap();
                let request = ["req", "-new", "-subj", "/CN=x", "-key", from, "-out"];
                client(converted(world, &request), key)
            },
        ),
        wrong(
            "A2 the public half as the private key",
            &["inputs.key_empty"],
            &["holds no private key, only `PUBLIC KEY`"],
            |world| {
                client(
                    "pki/client.crt",
                    convert(world, "pkey -in pki/client.key -pubout -out"),
                )
            },
        ),
        wrong(
            "A1 a client certificate in DER form",
            &[encoding],
            &["is in DER form", "openssl x509 -inform DER"],
            |world| {
                client(
                    convert(world, "x509 -in pki/client.crt -outform DER -out"),
                    "pki/client.key",
                )
            },
        ),
        wrong(
            "A1 a client's key in DER form",
            &[encoding],
            &["is in DER form", "umask 077", "openssl pkey -inform DER"],
            |world| {
                client(
                    "pki/client.crt",
                    convert(world, "pkey -in pki/client.key -outform DER -out"),
                )
            },
        ),
        wrong(
            "A1 a client certificate with a byte order mark",
            &[encoding],
            &["byte order mark"],
            |world| {
                client(
                    world.file(&format!(
                        "\u{feff}{}",
                        read(world.ours("client").certificate)
                    )),
                    "pki/client.key",
                )
            },
        ),
        wrong(
            "A1 a client certificate that breaks off",
            &["inputs.client_damaged"],
            &["is damaged at line 1"],
            |world| {
                client(
                    world.file(&read(world.ours("client").certificate)[..200]),
                    "pki/client.key",
                )
            },
        ),
        wrong(
            "A1 a client's key whose octets are damaged",
            &["inputs.client_damaged"],
            &["holds a private key that is damaged"],
            |world| {
                let key = read(world.ours("client").key);
                client("pki/client.crt", world.file(&key.replace("MIG", "MIA")))
            },
        ),
        wrong(
            "A4 a key under a passphrase",
            &["inputs.key_encrypted"],
            &[
                "encrypted with a passphrase",
                "umask 077",
                "openssl pkey -in",
            ],
            |world| {
                client(
                    "pki/client.crt",
                    convert(
                        world,
                        "pkey -in pki/client.key -aes128 -passout pass:x -out",
                    ),
                )
            },
        ),
        wrong(
            "A4 a key under a passphrase, in the old form",
            &["inputs.key_encrypted"],
            &["encrypted with a passphrase"],
            |world| {
                let command = "pkey -in pki/client.key -traditional -aes128 -passout pass:x -out";
                client("pki/client.crt", convert(world, command))
            },
        ),
        wrong(
            "A key of a kind that rustls does not sign with",
            &["inputs.identity_unusable"],
            &["does not sign with", "rsa-1024"],
            |world| {
                let key = world.file("");
                openssl(world, &["genrsa", "-out", key.to_str().unwrap(), "1024"]);
                let certificate = converted(
                    world,
                    &[
                        "req",
                        "-x509",
                        "-subj",
                        "/CN=old",
                        "-key",
                        key.to_str().unwrap(),
                        "-out",
                    ],
                );
                client(certificate, key)
            },
        ),
        wrong(
            "A1 A4 everything at once",
            &[
                "inputs.ca_empty",
                "inputs.key_encrypted",
                "inputs.key_readable",
            ],
            &["is empty", "encrypted", "everyone on this machine may read"],
            |world| {
                let key = convert(
                    world,
                    "pkey -in pki/client.key -aes128 -passout pass:x -out",
                );
                fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
                [ca(world.file("")), client("pki/client.crt", key)].concat()
            },
        ),
    ]
}
