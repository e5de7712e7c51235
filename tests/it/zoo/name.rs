//! Rows: the names of the server's certificate.

use rcgen::{DnType, SanType};

use super::certificate::python;
use super::pki::{Authority, Key, World, dns};
use super::row::{Row, row};

pub fn rows() -> Vec<Row> {
    let named = |name: &'static str, wanted: &'static str| {
        move |world: &World| {
            let pair = world.leaf(|it| it.subject_alt_names = vec![dns(name)]);
            python(&pair).args(["--server-name", wanted])
        }
    };
    let uri = |uri: &'static str| {
        move |world: &World| {
            let uri = SanType::URI(uri.try_into().unwrap());
            python(&world.leaf(|it| it.subject_alt_names = vec![uri]))
        }
    };
    vec![
        row(
            "a name that the certificate lacks",
            13,
            "name",
            &["name.dns_not_in_san"],
            &[
                "localhost",
                "orders.internal",
                "certs.toml:",
                "\"localhost\"",
                "grpc-pki issue orders",
                "--server-name orders.internal",
            ],
            |world| python(&world.ours("orders")),
        )
        .id("D9"),
        row(
            "a name that the certificate lacks, numbered",
            13,
            "name",
            &["name.dns_not_in_san"],
            &[
                "certs.toml:5",
                "DNS.2 = \"shop.internal\"",
                "--server-name localhost",
            ],
            |world| python(&world.ours("server")).args(["--server-name", "shop.internal"]),
        ),
        row(
            "a name that a shell would run",
            13,
            "name",
            &["name.dns_not_in_san"],
            &["good for shop.internal;id."],
            named("shop.internal;id", "orders.internal"),
        )
        .unsaid("--server-name shop"),
        row(
            "a near miss",
            13,
            "name",
            &["name.dns_not_in_san"],
            &["Did you mean orders.internal?"],
            named("orders.internal", "order.internal"),
        )
        .id("D12"),
        row(
            "the short name of a service",
            13,
            "name",
            &["name.dns_not_in_san"],
            &["Did you mean orders.shop.svc.cluster.local?"],
            named("orders.shop.svc.cluster.local", "orders.shop"),
        )
        .id("D12"),
        row(
            "a wildcard, too deep",
            13,
            "name",
            &["name.dns_not_in_san"],
            &["stands for exactly one label"],
            named("*.example.com", "a.b.example.com"),
        )
        .id("D11"),
        row(
            "a wildcard, its parent",
            13,
            "name",
            &["name.dns_not_in_san"],
            &["stands for exactly one label"],
            named("*.example.com", "example.com"),
        )
        .id("D11"),
        row(
            "a wildcard that fits",
            0,
            "",
            &[],
            &["SERVING"],
            named("*.example.com", "a.example.com"),
        ),
        row(
            "letters of either case",
            0,
            "",
            &[],
            &["SERVING"],
            named("Orders.Internal", "orders.INTERNAL"),
        ),
        row(
            "--server-name",
            0,
            "",
            &[],
            &["SERVING", "orders.internal"],
            |world| python(&world.ours("orders")).args(["--server-name", "orders.internal"]),
        ),
        row(
            "an address, without an IP name",
            13,
            "name",
            &["name.ip_not_in_san"],
            &[
                "You dial the address 127.0.0.1",
                "orders.internal",
                "certs.toml:",
                "IP",
            ],
            |world| python(&world.ours("orders")).at("127.0.0.1"),
        )
        .id("D10"),
        row(
            "an address, as a DNS name",
            13,
            "name",
            &["name.ip_not_in_san"],
            &["as a DNS name"],
            |world| {
                let pair = world.leaf(|it| it.subject_alt_names = vec![dns("127.0.0.1")]);
                python(&pair).at("127.0.0.1")
            },
        )
        .id("D10"),
        row(
            "an address that is named",
            0,
            "",
            &[],
            &["SERVING"],
            |world| python(&world.ours("server")).at("127.0.0.1"),
        ),
        row(
            "a common name alone",
            13,
            "name",
            &["name.no_san"],
            &[
                "subjectAltName",
                "CN=localhost",
                "Python, C++, Node and Java would accept",
            ],
            |world| {
                python(&world.leaf(|it| {
                    it.subject_alt_names.clear();
                    it.distinguished_name.push(DnType::CommonName, "localhost");
                }))
            },
        )
        .id("D8"),
        row(
            "a common name alone, and it is another",
            13,
            "name",
            &["name.no_san"],
            &["CN=my-server", "would do the same"],
            |world| python(&world.leaf(|it| it.subject_alt_names.clear())),
        ),
        row(
            "a common name alone, and an address is dialled",
            13,
            "name",
            &["name.no_san"],
            &["CN=127.0.0.1", "would do the same"],
            |world| {
                let pair = world.leaf(|it| {
                    it.subject_alt_names.clear();
                    it.distinguished_name.push(DnType::CommonName, "127.0.0.1");
                });
                python(&pair).at("127.0.0.1")
            },
        ),
        row(
            "a SPIFFE id alone",
            13,
            "name",
            &["name.no_san"],
            &[
                "localhost",
                "cannot match a URI",
                "`--spiffe-id spiffe://internal/orders`",
            ],
            uri("spiffe://internal/orders"),
        )
        .id("D27"),
        row(
            "a URI alone",
            13,
            "name",
            &["name.no_san"],
            &["localhost", "has no name in subjectAltName"],
            uri("https://internal/orders"),
        ),
        row(
            "a subject that steers a terminal",
            13,
            "path",
            &["path.unknown_issuer", "name.dns_not_in_san"],
            &["\\u{1b}[2J", "\\u{9b}"],
            |world| {
                let other = Authority::new("evil\u{1b}[2J\u{9b}31m\u{202e}\n", Key::P256, |_| ());
                python(&world.leaf_of(&other, |it| {
                    it.distinguished_name.push(
                        DnType::CommonName,
                        "evil\u{1b}[2J\u{9b}31m\u{202e}\n\r\u{7f}",
                    );
                    it.subject_alt_names = vec![dns("a\u{1b}[2J\nb")];
                }))
            },
        ),
    ]
}
