//! Rows: several sites at one address, and a server that wants to be asked for one.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{DEFAULT_VERSIONS, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::grpc::Tonic;
use super::hellos::behind;
use super::middlebox::{Else, Passes};
use super::negotiation::RACES;
use super::pki::{Pair, World, dns};
use super::process::openssl;
use super::row::{Row, Staged, row};

/// A server of several sites.
#[derive(Debug)]
struct Sites {
    named: Vec<(&'static str, Arc<CertifiedKey>)>,
    default: Option<Arc<CertifiedKey>>,
}

impl ResolvesServerCert for Sites {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = self
            .named
            .iter()
            .find(|(name, _)| hello.server_name() == Some(name));
        named
            .map(|(_, it)| it.clone())
            .or_else(|| self.default.clone())
    }
}

pub fn sites(named: &[(&'static str, Pair)], default: Option<Pair>) -> Staged {
    let provider = Arc::new(default_provider());
    let read = |pair: &Pair| {
        let chain = vec![CertificateDer::from_pem_file(&pair.certificate).unwrap()];
        let key = PrivateKeyDer::from_pem_file(&pair.key).unwrap();
        Arc::new(CertifiedKey::from_der(chain, key, &provider).unwrap())
    };
    let sites = Sites {
        named: named
            .iter()
            .map(|(name, pair)| (*name, read(pair)))
            .collect(),
        default: default.map(|it| read(&it)),
    };
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(DEFAULT_VERSIONS)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(sites));
    config.alpn_protocols = vec![b"h2".to_vec()];
    let server = Tonic::tls(config);
    Staged::new(server.port, server)
}

pub fn rows() -> Vec<Row> {
    let orders = |world: &World| ("orders.internal", world.ours("orders"));
    let other = |world: &World| world.leaf(|it| it.subject_alt_names = vec![dns("shop.internal")]);
    let foreign =
        |world: &World| world.self_signed(|it| it.subject_alt_names = vec![dns("default.invalid")]);
    vec![
        row(
            "a name that the server does not know",
            12,
            "tls",
            &["tls.server_name"],
            &[
                "no site by the name `localhost`",
                "a certificate for localhost, 127.0.0.1",
                "--server-name",
            ],
            |world| {
                let orders = world.ours("orders");
                let (certificate, key) = (orders.certificate, orders.key);
                let more = [
                    "-servername",
                    "orders.internal",
                    "-servername_fatal",
                    "-cert2",
                ];
                let more = [
                    &more[..],
                    &[
                        certificate.to_str().unwrap(),
                        "-key2",
                        key.to_str().unwrap(),
                    ],
                ];
                let server = openssl(world, &world.ours("server"), &more.concat());
                Staged::new(server.port, server)
            },
        )
        .connects(&["primary", "without_sni"])
        .times(RACES),
        row(
            "an address, to a server that wants a name",
            12,
            "tls",
            &["tls.server_name"],
            &[
                "`orders.internal`, which is in certs.toml",
                "--server-name orders.internal",
            ],
            move |world| sites(&[orders(world)], None).at("127.0.0.1"),
        )
        .connects(&["primary", "sni:localhost", "sni:orders.internal"])
        .times(RACES),
        row(
            "an address, to a proxy that closes where no name is asked for",
            12,
            "tls",
            &["tls.server_name"],
            &["--server-name localhost"],
            |world| behind(world, Passes::With(b"localhost"), Else::Close).at("127.0.0.1"),
        )
        .times(RACES),
        row(
            "neither the name nor any other",
            12,
            "tls",
            &["tls.alert"],
            &["access denied", "no site by that name"],
            |_| sites(&[], None),
        ),
        row(
            "an address, and the default site is another",
            13,
            "name",
            &["name.other_site"],
            &[
                "names no site",
                "shop.internal",
                "asked for `orders.internal`",
                "--server-name orders.internal",
            ],
            move |world| sites(&[orders(world)], Some(other(world))).at("127.0.0.1"),
        )
        .times(RACES),
        row(
            "an address, and the default site signed itself",
            13,
            "name",
            &["name.other_site", "path.self_signed"],
            &["default.invalid", "--server-name orders.internal"],
            move |world| sites(&[orders(world)], Some(foreign(world))).at("127.0.0.1"),
        ),
        row(
            "a name whose site has another's certificate",
            13,
            "name",
            &["name.other_site"],
            &["asked for no name", "server_name localhost;"],
            move |world| sites(&[("localhost", other(world))], Some(world.ours("server"))),
        ),
        row(
            "an address, and all sites are one",
            13,
            "name",
            &["name.ip_not_in_san"],
            &["shop.internal"],
            move |world| sites(&[], Some(other(world))).at("127.0.0.1"),
        ),
        row(
            "an address, and the other site is not trusted",
            13,
            "name",
            &["name.ip_not_in_san"],
            &["shop.internal"],
            move |world| {
                let fake =
                    world.self_signed(|it| it.subject_alt_names = vec![dns("orders.internal")]);
                sites(&[("orders.internal", fake)], Some(other(world))).at("127.0.0.1")
            },
        ),
        row(
            "--server-name for the site that is meant",
            0,
            "",
            &[],
            &["SERVING"],
            move |world| {
                let staged = sites(&[orders(world)], Some(other(world))).at("127.0.0.1");
                staged.args(["--server-name", "orders.internal"])
            },
        )
        .connects(&["primary"]),
    ]
}
