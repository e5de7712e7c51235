//! Rows: intermediates that the server should have sent, proxies that open TLS, clocks, and what was renewed on disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rcgen::{CustomExtension, RevocationReason::Superseded};
use time::format_description::well_known::Rfc2822;
use time::{Duration, OffsetDateTime};

use super::certificate::python;
use super::client_auth::{Make, Version, server};
use super::pki::{Authority, Key, Pair, World, for_clients, period};
use super::process::{Ask, Python};
use super::reply::{Fields, GRPC, Reply, SERVING, health, staged_as};
use super::revocation::{folder, of};
use super::row::{Row, Staged, finish, row};

pub fn rows() -> Vec<Row> {
    let mut rows = intermediates();
    rows.extend(clients());
    rows.extend(systems());
    rows.extend(proxies());
    rows.extend(clocks());
    rows.extend(renewed());
    rows
}

/// A folder as ours, with these files more.
fn folder_with(world: &World, files: &[(&str, &str)]) -> PathBuf {
    let dir = folder(world, &world.ca.revokes(&[], |_| ()));
    fs::remove_file(dir.join("crl.pem")).unwrap();
    for (name, text) in files {
        fs::write(dir.join(name), text).unwrap();
    }
    dir
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// A server that sends the certificate of an intermediate CA's alone.
fn incomplete(world: &World, files: impl Fn(&World, &Authority, &Pair) -> PathBuf) -> Staged {
    let between = world.ca.below("between");
    let pair = world.leaf_of(&between, |_| ());
    let dir = files(world, &between, &pair);
    python(&pair).file("--pki", &dir)
}

fn intermediates() -> Vec<Row> {
    let missing = |case: &str, words: &[&str], files: fn(&World, &Authority, &Pair) -> PathBuf| {
        let code = "path.missing_intermediate";
        row(case, 13, "path", &[code], words, move |world| {
            incomplete(world, files)
        })
    };
    let unknown = |case: &str, files: fn(&World, &Authority, &Pair) -> PathBuf| {
        row(
            case,
            13,
            "path",
            &["path.unknown_issuer"],
            &["CN=between"],
            move |world| incomplete(world, files),
        )
    };
    vec![
        missing(
            "D3: the intermediate lies beside the server's certificate",
            &[
                "the server does not send the intermediate CA between",
                "leads to my-ca, which is trusted",
                "orders.crt ",
                "between.crt > chain.crt`",
            ],
            |world, between, pair| {
                let own = read(&pair.certificate);
                folder_with(
                    world,
                    &[("between.crt", &between.pem), ("orders.crt", &own)],
                )
            },
        ),
        missing(
            "D3: the file has the whole chain, and the server loaded the first of it",
            &[
                "have the server load the whole of",
                "orders.crt, which has it",
            ],
            |world, between, pair| {
                let both = read(&pair.certificate) + &between.pem;
                folder_with(world, &[("orders.crt", &both)])
            },
        ),
        missing(
            "D3: the server's own certificate is not here",
            &["`cat server.crt ", "server.crt being the server's own"],
            |world, between, _| folder_with(world, &[("between.pem", &between.pem)]),
        ),
        row(
            "D3: two intermediates are missing",
            13,
            "path",
            &["path.missing_intermediate"],
            &[
                "intermediate CA lower",
                "lower.crt ",
                "upper.crt > chain.crt`",
            ],
            |world| {
                let upper = world.ca.below("upper");
                let lower = upper.below("lower");
                let files = [("lower.crt", &*lower.pem), ("upper.crt", &*upper.pem)];
                let dir = folder_with(world, &files);
                python(&world.leaf_of(&lower, |_| ())).file("--pki", &dir)
            },
        ),
        unknown(
            "D3, twin: another CA by the name of the intermediate lies there",
            |world, _, _| {
                let other = world.ca.below("between");
                folder_with(world, &[("between.crt", &other.pem)])
            },
        ),
        unknown(
            "D3, twin: the intermediate lies in a file that is not to be passed on, as it has a private key",
            |world, between, pair| {
                let both = between.pem.clone() + &read(&pair.key);
                folder_with(world, &[("between.pem", &both)])
            },
        ),
        unknown(
            "D3, twin: the intermediate lies there, and nothing above it is trusted",
            |world, _, pair| {
                let own = read(&pair.certificate);
                folder_with(world, &[("orders.crt", &own)])
            },
        ),
        row(
            "D2: another CA of the name was named, and the one that issued it lies in the folder",
            13,
            "path",
            &["path.ca_recreated"],
            &[
                "did not sign it: the one in pki/ca.crt did",
                "`grpc-pki verify localhost:",
            ],
            |world| {
                let other = world.file(&Authority::new("my-ca", Key::P256, |_| ()).pem);
                python(&world.ours("server")).file("--ca", &other)
            },
        )
        .unsaid("made again"),
        row(
            "D1: the CA that issued it lies in the folder, and another was named",
            13,
            "path",
            &["path.unknown_issuer"],
            &[
                "pki/ca.crt has the CA that issued it",
                "`grpc-pki verify localhost:",
            ],
            |world| {
                let other = world.file(&Authority::new("other", Key::P256, |_| ()).pem);
                python(&world.ours("server")).file("--ca", &other)
            },
        )
        .unsaid("--ca FILE"),
    ]
}

/// A client of a CA that was made again by the name of the server's, before a server of this make.
fn client_of_a_namesake(make: Make) -> impl Fn(&World) -> Staged + Send + Sync {
    move |world| {
        let again = Authority::new("my-ca", Key::P256, |_| ());
        let pair = world.leaf_of(&again, for_clients);
        let staged = server(make, Version::Tls13, Ask::Required, world);
        staged
            .file("--cert", &pair.certificate)
            .file("--key", &pair.key)
    }
}

fn clients() -> Vec<Row> {
    let refused = |case: &str, make| {
        let words = [
            "Ours (CN=my-server) is from CN=my-ca, but not from the CA of that name in pki/ca.crt",
            "the CA was made again",
        ];
        let code = "client_auth.refused";
        row(
            case,
            15,
            "client_auth",
            &[code],
            &words,
            client_of_a_namesake(make),
        )
    };
    vec![
        refused("E2: of a CA that was made again, tonic", Make::Rustls),
        refused("E2: of a CA that was made again, OpenSSL", Make::Python),
    ]
}

/// authorityInfoAccess with the place of the issuer's certificate (RFC 5280, 4.2.2.1).
fn issuer_at(url: &str) -> CustomExtension {
    let length = |it: &[u8]| u8::try_from(it.len()).unwrap();
    let uri = [&[0x86, length(url.as_bytes())], url.as_bytes()].concat();
    let method = [6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2];
    let one = [&method[..], &uri].concat();
    let one = [&[0x30, length(&one)], &one[..]].concat();
    let all = [&[0x30, length(&one)], &one[..]].concat();
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], all)
}

fn systems() -> Vec<Row> {
    let at = |url: &'static str| {
        move |world: &World| {
            let between = world.ca.below("between");
            let pair = world.leaf_of(&between, |it| it.custom_extensions = vec![issuer_at(url)]);
            python(&pair).on_a_system_with(&world.file(&world.ca.pem))
        }
    };
    vec![
        row(
            "D3: a public server that sends no intermediate",
            13,
            "path",
            &["path.missing_intermediate"],
            &[
                "curl -so issuer.der http://ca.example/between.der",
                "chain.crt",
                "the CA of a company",
            ],
            at("http://ca.example/between.der"),
        ),
        row(
            "D3, twin: it says that its issuer is at a place that a shell would read otherwise",
            13,
            "path",
            &["path.unknown_issuer"],
            &["intermediate CA"],
            at("http://ca.example/$(id)"),
        )
        .unsaid("$(id)"),
    ]
}

fn proxies() -> Vec<Row> {
    let by = |issuer: &'static str| {
        move |world: &World| {
            let pair = world.leaf_of(&Authority::new(issuer, Key::P256, |_| ()), |it| {
                it.distinguished_name = rcgen::DistinguishedName::new();
                it.subject_alt_names.push(super::pki::dns("on-the-way"));
            });
            let server = Python::tls("grpc", &pair).start();
            Staged::new(server.port, server)
        }
    };
    vec![
        row(
            "C16: a product that opens TLS",
            13,
            "path",
            &["path.intercepted"],
            &["a proxy in between opens TLS (Zscaler)", "TLS inspection"],
            by("Zscaler Intermediate Root CA (zscalerthree.net) (t)"),
        ),
        row(
            "C16: a CA of which nothing is known, where a proxy is set",
            13,
            "path",
            &["path.unknown_issuer"],
            &["HTTPS_PROXY is set here: where corp-root is the CA of a proxy"],
            move |world| {
                let set = ["env", "HTTPS_PROXY=http://me:hunter2@proxy.internal:3128"];
                by("corp-root")(world).through(set)
            },
        )
        .unsaid("hunter2"),
        row(
            "C16: clients get there by way of a proxy, and verify does not",
            10,
            "dns",
            &["dns.not_found"],
            &[],
            |world| {
                let set = ["env", "HTTPS_PROXY=http://me:hunter2@proxy.internal:3128"];
                let staged = python(&world.ours("server")).through(set);
                staged.args(["--connect", "orders.invalid:443"])
            },
        )
        .tells("/notes/0", "HTTPS_PROXY is set to proxy.internal:3128: clients in Go go by way of it, and verify dials the server itself; NO_PROXY=orders.invalid exempts them"),
        row(
            "C16, twin: the same without a proxy",
            13,
            "path",
            &["path.unknown_issuer"],
            &["CN=corp-root"],
            move |world| {
                let names = ["HTTPS_PROXY", "https_proxy", "grpc_proxy", "http_proxy"];
                let unset = ["env"]
                    .into_iter()
                    .chain(names.into_iter().flat_map(|it| ["-u", it]));
                by("corp-root")(world).through(unset)
            },
        )
        .unsaid("PROXY"),
        row(
            "C16, twin: a proxy is set, and the server is trusted",
            0,
            "",
            &[],
            &["SERVING"],
            |world| python(&world.ours("server")).through(["env", "HTTPS_PROXY=http://proxy:3128"]),
        )
        .unsaid("PROXY"),
    ]
}

/// A server whose clock is so many minutes ahead.
fn ahead(minutes: i64, pair: &Pair) -> Staged {
    let at = OffsetDateTime::now_utc() + Duration::minutes(minutes);
    let date = at.format(&Rfc2822).unwrap().replace("+0000", "GMT");
    let fields: Fields = Box::leak(Box::new([GRPC, ("date", &*Box::leak(date.into()))]));
    let reply = Reply {
        fields,
        ..Reply::grpc(SERVING, Some(&[("grpc-status", "0")]))
    };
    staged_as(pair, health(move |_| reply.clone()))
}

fn clocks() -> Vec<Row> {
    vec![
        row(
            "D16: the server's clock is ahead, and its certificate new",
            13,
            "time",
            &["time.not_yet_valid", "time.clock_skew"],
            &[
                "By the server's clock it is valid: that one is 70 minutes ahead of",
                "set by NTP",
            ],
            |world| {
                let start = OffsetDateTime::now_utc() + Duration::minutes(63);
                ahead(71, &world.leaf(|it| it.not_before = start))
            },
        ),
        row(
            "D16: the server's clock is behind, and its certificate old",
            13,
            "time",
            &["time.expired", "time.clock_skew"],
            &["By the server's clock it is valid", "3 days behind"],
            |world| ahead(-3 * 24 * 60, &world.leaf(|it| period(it, -30, -2))),
        ),
        row(
            "D16: clocks that differ while nothing depends on it",
            0,
            "",
            &["time.clock_skew"],
            &["20 minutes behind this machine's", "NTP"],
            |world| ahead(-20, &world.ours("server")),
        ),
        row(
            "D16, twin: clocks that differ by little",
            0,
            "",
            &[],
            &["SERVING"],
            |world| ahead(3, &world.ours("server")),
        ),
        row(
            "D16, twin: expired by both clocks",
            13,
            "time",
            &["time.expired"],
            &["2 days ago"],
            |world| ahead(0, &world.leaf(|it| period(it, -30, -2))),
        )
        .unsaid("clock"),
    ]
}

/// A folder as ours, whose server certificate was renewed since.
fn renewed_folder(world: &World) -> PathBuf {
    let dir = folder_with(world, &[]);
    let mut issue = Command::new(env!("CARGO_BIN_EXE_grpc-pki"));
    issue
        .args(["issue", "server", "--force", "--pki"])
        .arg(&dir);
    issue.current_dir(world.path());
    let done = finish(issue);
    assert!(done.status.success(), "{done:?}");
    dir
}

fn renewed() -> Vec<Row> {
    let code = "time.renewed_on_disk";
    vec![
        row(
            "D25: renewed on disk, and the server still has the old one",
            0,
            "",
            &[code],
            &[
                "`server` was renewed on disk, and the server still has the old one",
                "restart the server, or have it load its files again",
            ],
            |world| python(&world.ours("server")).file("--pki", &renewed_folder(world)),
        ),
        row(
            "D25: the old one is revoked as well",
            13,
            "path",
            &["path.revoked", code],
            &["restart the server"],
            |world| {
                let pair = world.ours("server");
                let list = world.ca.revokes(&[of(&pair, Superseded)], |_| ());
                let staged = python(&pair).file("--pki", &renewed_folder(world));
                staged.list(world, &list)
            },
        ),
        row(
            "D25, twin: there is none on disk",
            13,
            "time",
            &["time.expired"],
            &["`grpc-pki issue server --pki ", "then restart the server"],
            |world| {
                let dir = folder_with(world, &[]);
                for file in ["server.crt", "server.key"] {
                    fs::remove_file(dir.join(file)).unwrap();
                }
                python(&world.leaf(|it| period(it, -30, -2))).file("--pki", &dir)
            },
        )
        .unsaid("on disk"),
        row(
            "D25, twin: the server has loaded what was renewed",
            0,
            "",
            &[],
            &["SERVING"],
            |world| {
                let dir = renewed_folder(world);
                let pair = Pair {
                    certificate: dir.join("server.crt"),
                    key: dir.join("server.key"),
                };
                python(&pair).file("--pki", &dir)
            },
        ),
    ]
}
