//! Rows: the file that says whom to trust.

use std::fs;

use super::files::{base64, convert, damaged, escaped, octets, request};
use super::{Row, ca, read, right, wrong};
use crate::zoo::pki::{Authority, Key};
use crate::zoo::process::Python;
use crate::zoo::row::{Staged, row};

/// A certificate in PEM form whose content is none.
const STRANGE: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

pub fn wrong_rows() -> Vec<Row> {
    let empty = "inputs.ca_empty";
    vec![
        wrong(
            "A1 an empty CA file",
            &[empty],
            &["is empty", "trusts nobody", "trust the CA of the folder"],
            |world| ca(world.file("")),
        ),
        wrong(
            "A1 a CA file with some text",
            &[empty],
            &["holds no certificate in PEM form"],
            |world| ca(world.file("hello\n")),
        ),
        wrong(
            "A1 a CA file that is a certificate request",
            &[empty],
            &[
                "is a certificate request, not a certificate",
                "signed by a CA",
            ],
            |world| ca(request(world)),
        ),
        wrong(
            "A1 a CA file with a public key",
            &[empty],
            &["only `PUBLIC KEY`"],
            |world| ca(convert(world, "pkey -in pki/ca.key -pubout -out")),
        ),
        wrong(
            "A1 a CA file out of a Kubernetes Secret",
            &[empty],
            &["Kubernetes Secret", "base64 -d"],
            |world| ca(base64(world, &world.ca.pem)),
        ),
        wrong(
            "A1 a CA file out of an environment variable",
            &[empty],
            &["is one line", "printf"],
            |world| ca(escaped(world, &world.ca.pem)),
        ),
        wrong(
            "A1 a CA file with indented lines",
            &[empty],
            &["indented", "sed -i"],
            |world| ca(world.file(&format!("  {}", world.ca.pem.replace('\n', "\n  ")))),
        ),
        wrong(
            "A1 a CA file in PKCS #7",
            &[empty],
            &["PKCS #7", "openssl pkcs7 -print_certs"],
            |world| {
                let command = "crl2pkcs7 -nocrl -certfile pki/ca.crt -out";
                ca(convert(world, command))
            },
        ),
        wrong(
            "A1 the CA's private key as the CA",
            &["inputs.ca_is_key"],
            &[
                "is a private key, not a certificate",
                "`grpc-pki verify localhost:",
            ],
            |_| ca("pki/ca.key"),
        ),
        wrong(
            "A1 the CA's private key under a passphrase as the CA",
            &["inputs.ca_is_key"],
            &["is a private key"],
            |world| {
                ca(convert(
                    world,
                    "pkey -in pki/ca.key -aes128 -passout pass:x -out",
                ))
            },
        ),
        wrong(
            "A1 the CA's private key in DER form as the CA",
            &["inputs.ca_is_key"],
            &["is a private key"],
            |world| ca(convert(world, "pkey -in pki/ca.key -outform DER -out")),
        ),
        wrong(
            "A1 a CA file in DER form",
            &["inputs.ca_der"],
            &["is in DER form", "openssl x509 -inform DER"],
            |world| ca(convert(world, "x509 -in pki/ca.crt -outform DER -out")),
        ),
        wrong(
            "A1 a CA file in PKCS #12",
            &["inputs.ca_der"],
            &["is PKCS #12", "openssl pkcs12"],
            |world| {
                ca(convert(
                    world,
                    "pkcs12 -export -nokeys -in pki/ca.crt -passout pass: -out",
                ))
            },
        ),
        wrong(
            "A1 a CA file with a byte order mark",
            &["inputs.ca_bom"],
            &["byte order mark", r"sed -i '1s/^\xEF\xBB\xBF//'"],
            |world| ca(world.file(&format!("\u{feff}{}", world.ca.pem))),
        ),
        wrong(
            "A1 a CA file in UTF-16",
            &["inputs.ca_bom"],
            &["UTF-16", "iconv"],
            |world| {
                let text = format!("\u{feff}{}", world.ca.pem);
                let text: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                ca(octets(world, &text))
            },
        ),
        wrong(
            "A1 a CA file that breaks off",
            &["inputs.ca_unreadable"],
            &["is damaged at line 1", "restore"],
            |world| ca(world.file(&world.ca.pem[..300])),
        ),
        wrong(
            "A1 a CA file with a bad character, behind a good certificate",
            &["inputs.ca_unreadable"],
            &["is damaged at line"],
            |world| ca(world.file(&(world.ca.pem.clone() + &damaged(&world.ca.pem)))),
        ),
        wrong(
            "A1 a CA file whose one certificate is none",
            &["inputs.ca_unreadable"],
            &["holds a damaged certificate, at line 1"],
            |world| ca(world.file(STRANGE)),
        ),
        wrong(
            "A6 the server's certificate as the CA",
            &["inputs.ca_is_leaf"],
            &[
                "the certificate of a server, not of a CA",
                "CN=my-ca",
                "`grpc-pki verify localhost:",
            ],
            |_| ca("pki/server.crt"),
        ),
        wrong(
            "A6 a server's certificate of a CA that is not at hand as the CA",
            &["inputs.ca_is_leaf"],
            &["CN=far-ca", "comes from whoever issued this one"],
            |world| {
                let far = Authority::new("far-ca", Key::P256, |_| ());
                ca(world.leaf_of(&far, |_| ()).certificate)
            },
        ),
        wrong(
            "A1 the folder's own CA file is empty",
            &[empty],
            &[
                "elsewhere/ca.crt is empty",
                "restore elsewhere/ca.crt from a backup",
            ],
            |world| {
                fs::create_dir_all(world.path().join("elsewhere")).unwrap();
                fs::write(world.path().join("elsewhere/ca.crt"), "").unwrap();
                vec!["--pki".into(), "elsewhere".into()]
            },
        ),
    ]
}

pub fn right_rows() -> Vec<Row> {
    vec![
        right("A5 a CA file with CRLF", &[], &["my-ca"], |world| {
            ca(world.file(&world.ca.pem.replace('\n', "\r\n")))
        }),
        right(
            "A5 a CA file with text around it",
            &[],
            &["my-ca"],
            |world| {
                let pem = &world.ca.pem;
                ca(world.file(&format!("\u{feff}subject=CN = my-ca\n{pem}\n# the end")))
            },
        ),
        right("A5 a CA file with several", &[], &["my-ca"], |world| {
            let other = Authority::new("other", Key::P256, |_| ());
            ca(world.file(&format!("{0}{1}{0}", other.pem, world.ca.pem)))
        }),
        right(
            "A6 a leaf beside the CA in its file",
            &[],
            &["my-server"],
            |world| ca(world.file(&(read(world.ours("server").certificate) + &world.ca.pem))),
        ),
        row(
            "A6 a certificate that signed itself, as its own trust",
            0,
            "",
            &[],
            &["my-server"],
            |world| {
                let pair = world.self_signed(|_| ());
                let server = Python::tls("grpc", &pair).start();
                Staged::new(server.port, server).args(ca(&pair.certificate))
            },
        ),
        right(
            "A7 a CA file with the key in it",
            &["inputs.ca_with_key"],
            &["a private key beside the certificates", "awk"],
            |world| ca(world.file(&(world.ca.pem.clone() + &read(world.ours("ca").key)))),
        ),
        right(
            "A1 a CA file of which one certificate is none",
            &["inputs.ca_partly_damaged"],
            &["holds 1 certificate that cannot be read, at line 1"],
            |world| ca(world.file(&(STRANGE.to_owned() + &world.ca.pem))),
        ),
    ]
}
