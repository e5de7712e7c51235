//! Rows: what revocation lists say of the server and of our own certificate.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use grpc_pki::pki::Certificate;
use rcgen::RevocationReason;
use rcgen::RevocationReason::{CertificateHold, KeyCompromise, RemoveFromCrl, Superseded};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use time::{Duration, OffsetDateTime};

use super::certificate::python;
use super::client_auth::{Make, Version, server};
use super::pki::{Authority, Key, Pair, World};
use super::process::{Ask, Python};
use super::row::{Row, Staged, finish, row};

pub fn rows() -> Vec<Row> {
    let mut rows = revoked();
    rows.extend(client_certificates());
    rows
}

fn serial(pem: &[u8]) -> Vec<u8> {
    let der = CertificateDer::from_pem_slice(pem).unwrap();
    Certificate::from_der(der).unwrap().serial
}

pub fn of(pair: &Pair, reason: RevocationReason) -> (Vec<u8>, RevocationReason) {
    (serial(&fs::read(&pair.certificate).unwrap()), reason)
}

/// A list of our CA as `openssl ca` makes it, with these certificates and extensions.
pub fn by_openssl(world: &World, revoked: &[&Pair], extensions: &str) -> PathBuf {
    let dir = tempfile::Builder::new()
        .prefix("ca-")
        .tempdir_in(world.path())
        .unwrap()
        .keep();
    let config = format!(
        "[ca]\ndefault_ca = ours\n[ours]\ndatabase = index\ndefault_md = sha256\ncrlnumber = number\n\
         default_crl_days = 7\ncrl_extensions = more\n[more]\nauthorityKeyIdentifier = keyid\n{extensions}\n"
    );
    for (file, text) in [("config", config.as_str()), ("index", ""), ("number", "01")] {
        fs::write(dir.join(file), text).unwrap();
    }
    let openssl = |args: &[&str]| {
        let ca = world.ours("ca");
        let mut command = Command::new("openssl");
        command
            .args(["ca", "-config", "config", "-keyfile"])
            .arg(ca.key)
            .arg("-cert")
            .arg(ca.certificate)
            .args(args)
            .current_dir(&dir);
        let done = finish(command);
        assert!(done.status.success(), "{done:?}");
    };
    for pair in revoked {
        let file = pair.certificate.to_str().unwrap();
        openssl(&["-revoke", file, "-crl_reason", "keyCompromise"]);
    }
    openssl(&["-gencrl", "-out", "crl.pem"]);
    dir.join("crl.pem")
}

/// A folder with our certificates and this list.
pub fn folder(world: &World, list: &str) -> PathBuf {
    let dir = tempfile::Builder::new()
        .prefix("pki-")
        .tempdir_in(world.path())
        .unwrap()
        .keep();
    for entry in fs::read_dir(world.path().join("pki")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), dir.join(entry.file_name())).unwrap();
        }
    }
    fs::write(dir.join("crl.pem"), list).unwrap();
    dir
}

/// Our server, and a list of our CA with it and `reason`.
fn reason(reason: RevocationReason) -> impl Fn(&World) -> Staged {
    move |world| {
        let pair = world.ours("server");
        let list = world.ca.revokes(&[of(&pair, reason)], |_| ());
        python(&pair).list(world, &list)
    }
}

fn revoked() -> Vec<Row> {
    let now = OffsetDateTime::now_utc();
    vec![
        row(
            "a certificate that its CA revoked",
            13,
            "path",
            &["path.revoked"],
            &[
                "was revoked on",
                "CN=my-server (serial",
                "keyCompromise",
                "`grpc-pki issue server --force`",
                "c-core accepts: revocation lists are not looked at there",
                "rust accepts: revocation",
            ],
            |world| {
                let pair = world.ours("server");
                let list = by_openssl(world, &[&world.ours("orders"), &pair], "");
                python(&pair).file("--crl", &list)
            },
        )
        .id("D24"),
        row(
            "a certificate that its CA did not revoke",
            0,
            "",
            &[],
            &["my-ca (pki/ca.crt), ecdsa-p256, not revoked"],
            |world| {
                let list = by_openssl(world, &[&world.ours("orders")], "");
                python(&world.ours("server")).file("--crl", &list)
            },
        ),
        row(
            "a list in the folder that has the certificate",
            13,
            "path",
            &["path.revoked"],
            &["superseded", "issue server --force --pki"],
            |world| {
                let pair = world.ours("server");
                let list = world.ca.revokes(&[of(&pair, Superseded)], |_| ());
                python(&pair).file("--pki", &folder(world, &list))
            },
        ),
        row(
            "a list in the folder that has another certificate",
            0,
            "",
            &[],
            &["not revoked", "crl.pem"],
            |world| {
                let list = world
                    .ca
                    .revokes(&[of(&world.ours("orders"), Superseded)], |_| ());
                python(&world.ours("server")).file("--pki", &folder(world, &list))
            },
        ),
        row(
            "a certificate on hold",
            13,
            "path",
            &["path.revoked"],
            &["is on hold since", "certificateHold", "lift the hold"],
            reason(CertificateHold),
        ),
        row(
            "a hold that was lifted",
            0,
            "",
            &[],
            &["not revoked"],
            reason(RemoveFromCrl),
        ),
        row(
            "a certificate of someone else's that was revoked",
            13,
            "path",
            &["path.revoked"],
            &["issued anew with another key"],
            |world| {
                let ca = Authority::new("theirs", Key::P256, |_| ());
                let pair = world.leaf_of(&ca, |_| ());
                let list = ca.revokes(&[of(&pair, KeyCompromise)], |_| ());
                let ca = world.file(&ca.pem);
                python(&pair).list(world, &list).file("--ca", &ca)
            },
        ),
        row(
            "a certificate that was revoked, and replaced on disk",
            13,
            "path",
            &["path.revoked"],
            &["restart the server", "which is not on the list"],
            |world| {
                let old = world.leaf(|it| it.serial_number = Some(7.into()));
                python(&old).list(world, &world.ca.revokes(&[(vec![7], Superseded)], |_| ()))
            },
        )
        .id("D25"),
        row(
            "an intermediate that was revoked",
            13,
            "path",
            &["path.revoked"],
            &[
                "a CA of the chain (CN=between) was revoked on",
                "another key",
            ],
            |world| {
                let between = world.ca.below("between");
                let pair = world.chain(&world.leaf_of(&between, |_| ()), &[&between.pem]);
                let entry = (serial(between.pem.as_bytes()), KeyCompromise);
                python(&pair).list(world, &world.ca.revokes(&[entry], |_| ()))
            },
        ),
        row(
            "an intermediate of which nothing is known",
            0,
            "",
            &[],
            &["ecdsa-p256, server not revoked"],
            |world| {
                let between = world.ca.below("between");
                let pair = world.chain(&world.leaf_of(&between, |_| ()), &[&between.pem]);
                python(&pair).list(world, &between.revokes(&[], |_| ()))
            },
        ),
        row(
            "two lists of one CA, of which the newer decides",
            0,
            "",
            &[],
            &["not revoked"],
            move |world| {
                let pair = world.ours("server");
                let old = world.ca.revokes(&[of(&pair, CertificateHold)], |it| {
                    it.this_update = now - Duration::days(2);
                });
                let new = world.ca.revokes(&[], |_| ());
                python(&pair).list(world, &(new + &old))
            },
        ),
        row(
            "a list that is out of date and has the certificate",
            13,
            "path",
            &["path.revoked"],
            &["keyCompromise"],
            move |world| {
                let pair = world.ours("server");
                let list = world.ca.revokes(&[of(&pair, KeyCompromise)], |it| {
                    it.this_update = now - Duration::days(9);
                    it.next_update = now - Duration::days(2);
                });
                python(&pair).list(world, &list)
            },
        ),
    ]
}

fn client_certificates() -> Vec<Row> {
    let shown = |revoked: &'static [&'static str]| {
        move |world: &World| {
            let revoked: Vec<_> = revoked
                .iter()
                .map(|it| of(&world.ours(it), KeyCompromise))
                .collect();
            let list = world.ca.revokes(&revoked, |_| ());
            let staged = server(Make::Python, Version::Tls13, Ask::Required, world);
            staged.list(world, &list).args(["--client", "client"])
        }
    };
    let refuses = |revoked: &'static str| {
        move |world: &World| {
            let list = world
                .ca
                .revokes(&[of(&world.ours(revoked), Superseded)], |_| ());
            let list = world.file(&list);
            let server = Python::tls("grpc", &world.ours("server"))
                .asks(Ask::Required, &world.ours("ca").certificate)
                .with("crl", list.to_str().unwrap())
                .start();
            let staged = Staged::new(server.port, server);
            staged.file("--crl", &list).args(["--client", "client"])
        }
    };
    vec![
        row(
            "a revoked server sees no client certificate",
            13,
            "path",
            &["path.revoked"],
            &["none was shown to a server that is not trusted"],
            shown(&["server"]),
        )
        .tells("/client_auth/presented", false)
        .connects(&["primary", "diagnosis"]),
        row(
            "a server that is not revoked sees it",
            0,
            "",
            &[],
            &["required (proven)"],
            shown(&["orders"]),
        )
        .tells("/client_auth/presented", true),
        row(
            "a server below a revoked CA sees none, whatever else it sends along",
            13,
            "path",
            &["path.revoked"],
            &["none was shown to a server that is not trusted"],
            |world| {
                let between = world.ca.below("between");
                let other = Authority::new("other", Key::P256, |_| ());
                let cross = other.certifies(&between, "between", |_| ());
                let leaf = world.leaf_of(&between, |_| ());
                let pair = world.chain(&leaf, &[&cross, &between.pem]);
                let entry = (serial(between.pem.as_bytes()), KeyCompromise);
                let server = Python::tls("grpc", &pair)
                    .asks(Ask::Required, &world.ours("ca").certificate)
                    .start();
                let staged = Staged::new(server.port, server);
                let staged = staged.list(world, &world.ca.revokes(&[entry], |_| ()));
                staged.args(["--client", "client"])
            },
        )
        .tells("/client_auth/presented", false)
        .connects(&["primary", "diagnosis"]),
        row(
            "our client certificate was revoked, and the server knows",
            15,
            "client_auth",
            &["client_auth.refused"],
            &[
                "Ours (CN=client) was revoked on",
                "superseded",
                "`grpc-pki issue client --force`",
            ],
            refuses("client"),
        ),
        row(
            "the client certificate of another was revoked",
            0,
            "",
            &[],
            &["required (proven)"],
            refuses("orders"),
        ),
    ]
}
