//! Rows: servers that are known by a SPIFFE id.

use rcgen::{DnType, SanType};

use super::certificate::python;
use super::pki::{Authority, Key, Pair, World, dns, for_clients, period};
use super::process::{Ask, Python};
use super::row::{Row, Staged, row};

const ID: &str = "spiffe://internal/ledger";

fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

/// A server with these names that demands client certificates, known by its id.
fn known_by(names: impl Fn() -> Vec<SanType>) -> impl Fn(&World) -> Staged {
    move |world| {
        let pair = world.leaf(|it| it.subject_alt_names = names());
        demanding(world, &pair).args(["--spiffe-id", ID])
    }
}

fn demanding(world: &World, pair: &Pair) -> Staged {
    let server = Python::tls("grpc", pair)
        .asks(Ask::Required, &world.ours("ca").certificate)
        .start();
    Staged::new(server.port, server).args(["--client", "client"])
}

pub fn rows() -> Vec<Row> {
    vec![
        row(
            "a SPIFFE id and no name",
            0,
            "",
            &[],
            &[ID, "required (proven)", "not asked"],
            known_by(|| vec![uri(ID)]),
        )
        .tells("/client_auth/presented", true),
        row("a SPIFFE id among names", 0, "", &[], &[ID], |world| {
            python(&world.ours("ledger")).args(["--spiffe-id", ID])
        }),
        row(
            "another SPIFFE id, of ours",
            13,
            "name",
            &["name.spiffe_mismatch"],
            &[
                "wanted spiffe://internal/payments; it has spiffe://internal/ledger",
                "URI = [\"spiffe://internal/payments\"] }`",
                "then `grpc-pki issue ledger`",
                "`--spiffe-id spiffe://internal/ledger`",
            ],
            |world| {
                let staged = demanding(world, &world.ours("ledger"));
                staged.args(["--spiffe-id", "spiffe://internal/payments"])
            },
        )
        .tells("/client_auth/presented", false)
        .connects(&["primary", "diagnosis"]),
        row(
            "another trust domain",
            13,
            "name",
            &["name.spiffe_mismatch"],
            &["another trust domain", "issued anew with the URI"],
            |world| {
                let other = Authority::new("theirs", Key::P256, |_| ());
                let pair = world.leaf_of(&other, |it| {
                    it.distinguished_name.push(DnType::CommonName, "theirs");
                    it.subject_alt_names = vec![uri("spiffe://b/ledger")];
                });
                let ca = world.file(&other.pem);
                python(&pair).file("--ca", &ca).args(["--spiffe-id", ID])
            },
        ),
        row(
            "a SPIFFE id in other letters, and a name that is dialled",
            13,
            "name",
            &["name.spiffe_mismatch"],
            &["upper and lower case"],
            known_by(|| vec![dns("localhost"), uri("spiffe://internal/Ledger")]),
        )
        .tells("/client_auth/presented", false),
        row(
            "a SPIFFE id that steers a terminal and is long",
            13,
            "name",
            &["name.spiffe_mismatch"],
            &["spiffe://internal/\\u{1b}[2J", "…"],
            known_by(|| {
                vec![uri(&format!(
                    "spiffe://internal/\u{1b}[2J{}",
                    "x".repeat(5000)
                ))]
            }),
        ),
        row(
            "the name that is dialled, but no SPIFFE id",
            13,
            "name",
            &["name.spiffe_missing"],
            &["has no URI", "URI.1 = \"spiffe://internal/ledger\""],
            known_by(|| vec![dns("localhost")]),
        )
        .tells("/client_auth/presented", false)
        .connects(&["primary", "diagnosis"]),
        row(
            "a URI that is no SPIFFE id",
            13,
            "name",
            &["name.spiffe_missing"],
            &["https://internal/ledger, and that is no SPIFFE id"],
            known_by(|| vec![uri("https://internal/ledger")]),
        ),
        row(
            "several SPIFFE ids, the right one among them",
            13,
            "name",
            &["name.spiffe_several"],
            &["has 2 URIs", "that one among them", "as its only URI"],
            known_by(|| vec![uri(ID), uri("spiffe://internal/orders")]),
        )
        .tells("/client_auth/presented", false),
        row(
            "the right SPIFFE id from a CA that is not trusted",
            13,
            "path",
            &["path.unknown_issuer"],
            &["CN=theirs", "none was shown"],
            |world| {
                let theirs = Authority::new("theirs", Key::P256, |_| ());
                let pair = world.leaf_of(&theirs, |it| it.subject_alt_names = vec![uri(ID)]);
                demanding(world, &pair).args(["--spiffe-id", ID])
            },
        )
        .tells("/client_auth/presented", false),
        row(
            "the right SPIFFE id in a client's certificate that expired",
            13,
            "path",
            &["path.purpose", "time.expired"],
            &["expired on"],
            |world| {
                let pair = world.leaf(|it| {
                    for_clients(it);
                    period(it, -30, -2);
                    it.subject_alt_names = vec![uri(ID)];
                });
                demanding(world, &pair).args(["--spiffe-id", ID])
            },
        )
        .tells("/client_auth/presented", false),
        row(
            "the flags stay in the command that is told",
            15,
            "client_auth",
            &["client_auth.required"],
            &[
                " --ca system --crl ",
                " --spiffe-id spiffe://internal/ledger --client client`",
            ],
            |world| {
                let ca = world.ours("ca").certificate;
                let server = Python::tls("grpc", &world.ours("ledger"));
                let server = server.asks(Ask::Required, &ca).start();
                let staged = Staged::new(server.port, server).on_a_system_with(&ca);
                let staged = staged.list(world, &world.ca.revokes(&[], |_| ()));
                staged.args(["--spiffe-id", ID])
            },
        ),
    ]
}
