//! Rows: revocation lists from which nothing is known of the server. Warnings, since it may be in order.

use rcgen::RevocationReason::KeyCompromise;
use rcgen::{CrlDistributionPoint, CrlIssuingDistributionPoint, KeyUsagePurpose};
use time::{Duration, OffsetDateTime};

use super::certificate::python;
use super::pki::{Authority, Key, World};
use super::revocation::{by_openssl, folder, of};
use super::row::{Row, row};

pub fn rows() -> Vec<Row> {
    let now = OffsetDateTime::now_utc();
    let by_rcgen = |change: fn(&mut rcgen::CertificateRevocationListParams)| {
        move |world: &World| {
            python(&world.ours("server")).list(world, &world.ca.revokes(&[], change))
        }
    };
    let extended = |extension: &'static str| {
        move |world: &World| {
            python(&world.ours("server")).file("--crl", &by_openssl(world, &[], extension))
        }
    };
    vec![
        row(
            "a list that is out of date",
            0,
            "",
            &["path.crl_expired"],
            &["is out of date", "2 days ago", "nothing of today"],
            move |world| {
                let list = world.ca.revokes(&[], |it| {
                    it.this_update = now - Duration::days(9);
                    it.next_update = now - Duration::days(2);
                });
                python(&world.ours("server")).list(world, &list)
            },
        ),
        row(
            "a list from the future",
            0,
            "",
            &["path.crl_expired"],
            &["is from the future", "a clock is wrong"],
            move |world| {
                let list = world
                    .ca
                    .revokes(&[], |it| it.this_update = now + Duration::days(3));
                python(&world.ours("server")).list(world, &list)
            },
        ),
        row(
            "a list of part of what was revoked",
            0,
            "",
            &["path.crl_unusable"],
            &[
                "issuingDistributionPoint",
                "only a part",
                "fetch the full list of CN=my-ca",
            ],
            by_rcgen(|it| {
                it.issuing_distribution_point = Some(CrlIssuingDistributionPoint {
                    distribution_point: CrlDistributionPoint {
                        uris: vec!["http://crl.internal/1.crl".to_owned()],
                    },
                    scope: None,
                });
            }),
        ),
        row(
            "a list of changes",
            0,
            "",
            &["path.crl_unusable"],
            &["a delta list of CN=my-ca"],
            extended("2.5.29.27 = critical,DER:02:01:01"),
        ),
        row(
            "a list with an extension that nobody knows",
            0,
            "",
            &["path.crl_unusable"],
            &["the extension 1.3.6.1.4.1.99999.1 and marks it critical"],
            extended("1.3.6.1.4.1.99999.1 = critical,DER:05:00"),
        ),
        row(
            "a list with an extension that nobody needs",
            0,
            "",
            &[],
            &["not revoked"],
            extended("1.3.6.1.4.1.99999.1 = DER:05:00"),
        ),
        row(
            "a list of a CA that may not make lists",
            0,
            "",
            &["path.crl_unusable"],
            &["lacks cRLSign"],
            |world| {
                let list = |it: &mut rcgen::CertificateParams| {
                    it.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
                };
                let ca = Authority::new("no lists", Key::P256, list);
                let crl = ca.revokes(&[], |_| ());
                // The same CA, but for its keyUsage.
                let pem = ca.again("no lists", |it| {
                    it.key_usages = vec![KeyUsagePurpose::KeyCertSign]
                });
                let staged = python(&world.leaf_of(&ca, |_| ()));
                staged.list(world, &crl).file("--ca", &world.file(&pem))
            },
        ),
        row(
            "a list of another CA",
            0,
            "",
            &["path.crl_not_for_chain"],
            &[
                "is from CN=other; the certificate of the server is from CN=my-ca",
                "list of CN=my-ca",
            ],
            |world| {
                let other = Authority::new("other", Key::P256, |_| ());
                python(&world.ours("server")).list(world, &other.revokes(&[], |_| ()))
            },
        ),
        row(
            "lists of three other CAs",
            0,
            "",
            &["path.crl_not_for_chain"],
            &["and 2 other files are not about this server"],
            |world| {
                let staged = python(&world.ours("server"));
                ["one", "two", "three"].iter().fold(staged, |staged, name| {
                    let other = Authority::new(name, Key::P256, |_| ());
                    staged.list(world, &other.revokes(&[], |_| ()))
                })
            },
        ),
        row(
            "a list of another CA in the folder",
            0,
            "",
            &[],
            &["SERVING"],
            |world| {
                let other = Authority::new("other", Key::P256, |_| ());
                let folder = folder(world, &other.revokes(&[], |_| ()));
                python(&world.ours("server")).file("--pki", &folder)
            },
        ),
        row(
            "a list in the folder of a CA by the same name, which has the serial number",
            0,
            "",
            &["path.crl_not_for_chain"],
            &["bears the name CN=my-ca", "the CA was made again"],
            |world| {
                let pair = world.ours("server");
                let other = Authority::new("my-ca", Key::P256, |_| ());
                let list = other.revokes(&[of(&pair, KeyCompromise)], |_| ());
                python(&pair).file("--pki", &folder(world, &list))
            },
        ),
        row(
            "a list for a certificate that is trusted as it is",
            0,
            "",
            &["path.crl_not_for_chain"],
            &["no CA that could revoke it"],
            |world| {
                let pair = world.self_signed(|_| ());
                let staged = python(&pair).file("--ca", &pair.certificate);
                staged.list(world, &world.ca.revokes(&[], |_| ()))
            },
        ),
    ]
}
