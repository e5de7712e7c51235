//! Pages: what a server makes of client certificates, and what other clients make of a server.

use super::Page;
use super::Who::{All, Client, Go, GrpcPki, Haproxy, Java, Nginx, Node, Python, Server, Tonic};

pub(super) const CLIENT_AUTH_ACCEPTS_ANY: Page = Page {
    meaning: "With `--deep`, a certificate was shown that signed itself a moment before, and the server answered the \
              call. It demands a certificate and verifies nothing: anyone can make one, so this is no \
              authentication at all.",
    seen: &[(All, "nothing: every client gets in, and so does a stranger")],
    fix: &[
        (
            Go,
            "`ClientAuth: tls.RequireAndVerifyClientCert` with `ClientCAs`, not `tls.RequireAnyClientCert`",
        ),
        (
            Nginx,
            "`ssl_verify_client on;` with `ssl_client_certificate ca.crt;`, not `optional_no_ca`",
        ),
        (
            Tonic,
            "`ServerTlsConfig::new().client_ca_root(ca)`, and no verifier that accepts everything",
        ),
        (
            Python,
            "`require_client_auth=True` with `root_certificates`",
        ),
    ],
};

pub(super) const CLIENT_AUTH_NOT_ENFORCED: Page = Page {
    meaning: "`--require-mtls` asks for proof that clients without a certificate are turned away. There is none: the \
              server did not ask for a certificate, or answered a client without one, or nothing told the two \
              apart. A finished TLS 1.3 handshake proves nothing here; only calls do.",
    seen: &[(
        All,
        "nothing: the connection works, also without a certificate",
    )],
    fix: &[
        (
            GrpcPki,
            "show a certificate, so that there is something to compare: `--client NAME`",
        ),
        (
            Go,
            "`ClientAuth: tls.RequireAndVerifyClientCert` with `ClientCAs`",
        ),
        (
            Tonic,
            "`client_ca_root(ca)` without `client_auth_optional(true)`",
        ),
        (
            Python,
            "`require_client_auth=True` with `root_certificates`",
        ),
        (Nginx, "`ssl_verify_client on;`"),
        (Haproxy, "`bind … ca-file ca.crt verify required`"),
    ],
};

pub(super) const CLIENT_AUTH_OPTIONAL: Page = Page {
    meaning: "The server asks for a client certificate and accepted ours, but it also answered a client that showed \
              none. That may be meant, as during a migration; it is not mutual TLS.",
    seen: &[(All, "nothing: every client gets in")],
    fix: &[
        (
            Go,
            "`tls.RequireAndVerifyClientCert`, not `VerifyClientCertIfGiven` or `RequestClientCert`",
        ),
        (Tonic, "leave out `client_auth_optional(true)`"),
        (Python, "`require_client_auth=True`"),
        (Nginx, "`ssl_verify_client on;`, not `optional`"),
        (
            GrpcPki,
            "where it is meant, nothing; in CI `--require-mtls` makes it a failure",
        ),
    ],
};

pub(super) const OPINIONS_REFUSED_ELSEWHERE: Page = Page {
    meaning: "A gRPC client in Rust gets through, and by what is known of them clients in other languages would not: \
              the libraries below differ in the keys and signatures that they accept. It is a table, not a trial.",
    seen: &[
        (Go, "accepts Ed25519 and P-521"),
        (
            Python,
            "an Ed25519 or P-521 key: `Socket closed`, or a handshake failure, as in C++, Ruby and PHP",
        ),
        (Node, "accepts Ed25519 and P-521"),
        (Java, "accepts Ed25519 and P-521"),
    ],
    fix: &[
        (
            GrpcPki,
            "`key = \"ecdsa-p256\"` in certs.toml, then `grpc-pki issue`: every stack accepts it",
        ),
        (Server, "load the new certificate and key"),
        (
            Client,
            "nothing, where only Rust, Go, Node and Java call this server",
        ),
    ],
};
