//! Pages: what is looked at where certificates are many, and nothing is broken yet.

use super::Page;
use super::Who::{All, Go, GrpcPki, Haproxy, Java, Nginx, Python, Server};

pub(super) const OTHER_ENTRY: Page = Page {
    meaning: "certs.toml gives an `address` for each of its services, and the server at one of them presents the \
              certificate of another entry. Clients get through as long as the names fit, but two services then share \
              a key, and the entry's own certificate is used nowhere.",
    seen: &[(
        All,
        "nothing, as long as the certificate has the name that they dial",
    )],
    fix: &[
        (
            Server,
            "load `NAME.crt` and `NAME.key` of the entry whose address it is",
        ),
        (GrpcPki, "or correct `address` in certs.toml"),
    ],
};

pub(super) const TIME_BELOW_MIN_DAYS: Page = Page {
    meaning: "Every certificate of the path is valid today, and one of them has fewer whole days left than \
              `--min-days` asks for: the server's own, an intermediate's, or the trusted CA's. Nothing else is wrong.",
    seen: &[(All, "nothing, until the day on which all of them refuse it")],
    fix: &[
        (
            GrpcPki,
            "`grpc-pki issue NAME --force` makes a new one now; `renew_before` in certs.toml does so in time",
        ),
        (
            GrpcPki,
            "no certificate outlives its CA: where that ends first, `grpc-pki init --pki NEW` makes another",
        ),
        (
            Server,
            "load the new certificate: most read it only at the start",
        ),
    ],
};

pub(super) const RENEWED_ON_DISK: Page = Page {
    meaning: "The server presents a certificate that this folder issued for an entry of certs.toml, and the folder \
              holds a newer one for the same entry: it was renewed on disk, and the server still has the old one in \
              memory. Clients get through until that expires, or is revoked.",
    seen: &[(
        All,
        "nothing, until the old one expires: then all refuse, although the file on disk is good",
    )],
    fix: &[
        (
            Nginx,
            "`nginx -s reload`; what was renewed by rename is only read then",
        ),
        (Haproxy, "`systemctl reload haproxy`"),
        (
            Go,
            "`GetCertificate` in `tls.Config`, or `advancedtls` with a file watcher, loads anew by itself",
        ),
        (
            Python,
            "`grpc.dynamic_ssl_server_credentials` loads anew by itself; else restart",
        ),
        (
            Java,
            "`AdvancedTlsX509KeyManager` of grpc-java loads anew by itself; else restart",
        ),
        (
            Server,
            "restart it, or the pod; `grpc-pki serve` loads anew by itself",
        ),
    ],
};
