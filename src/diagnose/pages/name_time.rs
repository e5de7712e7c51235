//! Pages: the names and the dates of the certificate.

use super::Page;
use super::Who::{Client, Go, GrpcPki, Haproxy, Java, Nginx, Node, Python, Server, Tonic};

pub(super) const NAME_DNS: Page = Page {
    meaning: "The name that the client dials is not in the subjectAltName of the certificate. `*` stands for \
              exactly one label: `*.example.com` covers neither `example.com` nor `a.b.example.com`. Behind a \
              proxy with several sites, another site may have answered.",
    seen: &[
        (
            Tonic,
            "`certificate not valid for name`, with the names that it has",
        ),
        (
            Python,
            "`Hostname Verification Check failed.`, without the names",
        ),
        (Node, "`ERR_TLS_CERT_ALTNAME_INVALID`"),
        (Java, "`No subject alternative DNS name matching`"),
    ],
    fix: &[
        (
            GrpcPki,
            "add it to `alt_names` in certs.toml, `grpc-pki issue`, restart the server",
        ),
        (
            Client,
            "or dial one of its names; `--server-name` tries that",
        ),
        (Tonic, "`ClientTlsConfig::domain_name`"),
        (Go, "`ServerName` in `tls.Config`"),
        (
            Python,
            "the channel option `grpc.ssl_target_name_override`, as in Node",
        ),
        (
            Nginx,
            "give the site its own `server_name` and `ssl_certificate`",
        ),
    ],
};

pub(super) const NAME_IP: Page = Page {
    meaning: "The client dials an IP address, and the certificate does not have it as an IP address. One that \
              stands there as a DNS name does not count, and DNS names do not help: nobody looks up the address \
              of a name.",
    seen: &[
        (
            Tonic,
            "`certificate not valid for name`, with the names that it has",
        ),
        (Go, "`doesn't contain any IP SANs`"),
        (Python, "refuses it"),
        (Node, "`IP: 127.0.0.1 is not in the cert's list: `"),
        (Java, "refuses it"),
    ],
    fix: &[
        (
            GrpcPki,
            "add `IP = [\"127.0.0.1\", \"::1\"]` to `alt_names`, then `grpc-pki issue`",
        ),
        (
            Client,
            "or dial by name: `--server-name NAME` shows whether it would do",
        ),
        (
            Client,
            "`0.0.0.0` is for servers to listen on, not for clients to dial",
        ),
    ],
};

pub(super) const NAME_NO_SAN: Page = Page {
    meaning: "The certificate has no DNS name and no IP address in subjectAltName. The commonName is not a \
              substitute: some clients still read it, and rustls and Go never do. With a SPIFFE id (a URI) alone, \
              stock gRPC clients find no name either.",
    seen: &[
        (Tonic, "`certificate not valid for name`"),
        (Go, "`relies on legacy Common Name field`"),
        (
            Python,
            "accepts it, where the commonName is the name that is dialled",
        ),
        (Node, "likewise"),
        (Java, "likewise"),
    ],
    fix: &[
        (
            GrpcPki,
            "add `DNS = [\"localhost\"]` to `alt_names` in certs.toml, then `grpc-pki issue`",
        ),
        (
            Server,
            "with OpenSSL: `subjectAltName = DNS:localhost`, among the extensions that are signed",
        ),
        (
            Server,
            "look whether it loads a client's certificate, which needs no names",
        ),
    ],
};

pub(super) const TIME_EXPIRED: Page = Page {
    meaning: "The validity of the server's certificate is over. Where it was renewed on disk, the server may still \
              have the old one loaded: most servers read their files only at the start.",
    seen: &[
        (
            Tonic,
            "`certificate expired`; in debug form `ExpiredContext`",
        ),
        (Python, "`certificate has expired`"),
        (Node, "`certificate has expired`"),
        (Java, "`PKIX path building failed`, as if the CA were wrong"),
    ],
    fix: &[
        (
            GrpcPki,
            "`grpc-pki issue` renews what is due; run it daily and it never comes to this",
        ),
        (Server, "restart it, or let it load its files again"),
        (Nginx, "`nginx -s reload`"),
        (Haproxy, "`systemctl reload haproxy`"),
    ],
};

pub(super) const TIME_NOT_YET_VALID: Page = Page {
    meaning: "The certificate starts in the future. Within a day that is nearly always a clock: of the client, of \
              the machine that issued it, or of a container that was paused. Later, it was issued ahead of its use.",
    seen: &[
        (
            Tonic,
            "`certificate not valid yet`; in debug form `NotValidYetContext`",
        ),
        (Java, "`PKIX path building failed`, as if the CA were wrong"),
    ],
    fix: &[
        (
            Client,
            "`timedatectl` shows the clock, and whether NTP sets it",
        ),
        (
            Server,
            "compare with the clock of the machine that issues: `date -u`",
        ),
        (
            GrpcPki,
            "starts every certificate five minutes back, for clocks that differ a little",
        ),
    ],
};

pub(super) const TIME_ISSUER: Page = Page {
    meaning: "A CA that the server sends along, between its certificate and the trusted CA, is past its validity or \
              not yet in it. The server's own certificate may be fine; the error seldom says which one is meant.",
    seen: &[
        (Tonic, "`certificate expired`, without saying which one"),
        (Python, "`certificate has expired`, likewise"),
        (Node, "`certificate has expired`, likewise"),
        (Java, "`PKIX path building failed`"),
    ],
    fix: &[
        (
            Server,
            "put the renewed intermediate into the chain file, behind its own certificate",
        ),
        (
            Server,
            "where there is none, have the server's certificate issued by a current CA",
        ),
        (
            GrpcPki,
            "`grpc-pki verify TARGET -v` shows each certificate with its end",
        ),
    ],
};

pub(super) const TIME_ANCHOR: Page = Page {
    meaning: "The CA in the client's own file is past its validity, or not yet in it. rustls and Java do not look \
              at these dates and go on; the others refuse. So half of a system fails on one day, and this program \
              counts it as a failure.",
    seen: &[
        (Tonic, "accepts it"),
        (Go, "refuses it as expired"),
        (Python, "refuses it"),
        (Node, "refuses it"),
        (Java, "accepts it"),
    ],
    fix: &[
        (
            GrpcPki,
            "a new CA beside the old one: `grpc-pki init --pki NEW`, `grpc-pki issue --pki NEW`",
        ),
        (
            Client,
            "load old and new ca.crt in one file first, then change the servers",
        ),
        (
            Server,
            "once every client has the new CA, load the new server.crt",
        ),
    ],
};
