//! Pages: what server and client do not agree on, in TLS.

use super::Page;
use super::Who::*;

pub(super) const NAME_OTHER_SITE: Page = Page {
    meaning: "Several sites share this address, and the server chooses among them by the name that the client asks \
              for in the ClientHello (SNI). An address is never sent as a name, and an unknown name leads to the \
              default site: so a certificate was shown that is right for another site. Asked for a name of \
              certs.toml, the server showed a certificate that is trusted.",
    seen: &[
        (
            Tonic,
            "`invalid peer certificate: certificate not valid for name …`",
        ),
        (
            Go,
            "`x509: certificate is valid for …, not …`, or `doesn't contain any IP SANs`",
        ),
        (Python, "`Hostname Verification Check failed`"),
        (Node, "`ERR_TLS_CERT_ALTNAME_INVALID`"),
    ],
    fix: &[
        (
            Client,
            "dial the name, or keep the address and set the name: `--server-name NAME`",
        ),
        (
            Go,
            "`credentials.NewTLS` with `ServerName` in its `tls.Config`",
        ),
        (Python, "the channel option `grpc.ssl_target_name_override`"),
        (
            Nginx,
            "the site needs `server_name NAME;`, or `listen … default_server`",
        ),
    ],
};

pub(super) const ACCEPTS_OLD_VERSIONS: Page = Page {
    meaning: "With `--deep` the server was offered TLS 1.1 and 1.0, and took it. gRPC clients never use these, so \
              the connection is fine; but both versions were withdrawn in 2021 (RFC 8996), and audits look for them.",
    seen: &[(All, "nothing: they agree on TLS 1.2 or 1.3")],
    fix: &[
        (Nginx, "`ssl_protocols TLSv1.2 TLSv1.3;`"),
        (Haproxy, "`bind … ssl-min-ver TLSv1.2`"),
        (Go, "in `tls.Config`: `MinVersion: tls.VersionTLS12`"),
        (
            Python,
            "in ssl: `context.minimum_version = ssl.TLSVersion.TLSv1_2`",
        ),
    ],
};

pub(super) const OLD_VERSION: Page = Page {
    meaning: "The server declined TLS 1.2 and 1.3, and took TLS 1.1 or 1.0 when that was offered alone. These were \
              withdrawn in 2021 (RFC 8996), and HTTP/2 demands at least 1.2.",
    seen: &[
        (Tonic, "`ProtocolVersion`, in the debug form of the error"),
        (Go, "`remote error: tls: protocol version not supported`"),
        (
            All,
            "refused: no gRPC client of today offers these versions",
        ),
    ],
    fix: &[
        (
            Server,
            "update its TLS library, and raise its highest version",
        ),
        (Nginx, "`ssl_protocols TLSv1.2 TLSv1.3;`"),
        (
            Haproxy,
            "`bind … ssl-min-ver TLSv1.2`, and no `ssl-max-ver` below it",
        ),
    ],
};

pub(super) const NO_COMMON_CIPHER: Page = Page {
    meaning: "Offered every cipher suite there is, the server chose one that this program does not use: CBC, \
              finite-field Diffie-Hellman, or a secret encrypted for its RSA key. HTTP/2 forbids these \
              (RFC 9113, appendix A), and gRPC clients offer ECDHE with AEAD alone, or prefer it.",
    seen: &[
        (Tonic, "`HandshakeFailure`, in the debug form of the error"),
        (
            Go,
            "gets in with ECDHE and CBC; since 1.22 not with a key under RSA",
        ),
        (Python, "`SSLV3_ALERT_HANDSHAKE_FAILURE`"),
        (
            Node,
            "gets in, as does Java: both still offer the older suites",
        ),
    ],
    fix: &[
        (Nginx, "`ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;`"),
        (Haproxy, "`bind … ciphers ECDHE+AESGCM:ECDHE+CHACHA20`"),
        (Server, "allow TLS 1.3, whose suites every client has"),
    ],
};

pub(super) const NO_COMMON_GROUP: Page = Page {
    meaning: "Offered every group for the key exchange, the server wants one that this program does not have, such \
              as P-521 or X448. X25519 and P-256 are what every client offers.",
    seen: &[
        (Tonic, "`HandshakeFailure`, in the debug form of the error"),
        (Go, "gets in with P-521, not with X448"),
        (Python, "gets in with P-521, not with X448"),
        (Node, "gets in with both, as does Java"),
    ],
    fix: &[
        (Nginx, "`ssl_ecdh_curve X25519:prime256v1;`"),
        (Haproxy, "`bind … curves X25519:P-256`"),
        (Go, "no `CurvePreferences` in `tls.Config`"),
    ],
};

pub(super) const NO_COMMON_SIGNATURE: Page = Page {
    meaning: "The server answers only where signature algorithms are offered that this program does not verify, such \
              as SHA-1, or it has a key that needs one.",
    seen: &[
        (Tonic, "`HandshakeFailure`, in the debug form of the error"),
        (
            All,
            "`handshake failure`, where the client does not offer SHA-1 either",
        ),
    ],
    fix: &[
        (
            GrpcPki,
            "`key = \"ecdsa-p256\"` in certs.toml, then `grpc-pki issue`",
        ),
        (
            Server,
            "do not restrict its signature algorithms: OpenSSL's `SignatureAlgorithms`",
        ),
    ],
};

pub(super) const KEY_TYPE: Page = Page {
    meaning: "The server's key is neither RSA, nor ECDSA on P-256, P-384 or P-521, nor Ed25519. The certificate was \
              read from a handshake of TLS 1.2 with every algorithm offered, which shows it in clear.",
    seen: &[
        (Tonic, "`HandshakeFailure`, or `tls handshake eof`"),
        (
            Python,
            "`SSLV3_ALERT_HANDSHAKE_FAILURE`, or `Socket closed`",
        ),
    ],
    fix: &[
        (
            GrpcPki,
            "`key = \"ecdsa-p256\"` in certs.toml, then `grpc-pki issue`",
        ),
        (Server, "load the new certificate and key, and restart"),
    ],
};

pub(super) const LARGE_HELLO: Page = Page {
    meaning: "The usual ClientHello came to nothing, and a small one was answered. Post-quantum key exchange makes it \
              more than 1200 octets larger, and some firewalls, balancers and older servers drop it for its size or \
              for the key share that they do not know (https://tldr.fail).",
    seen: &[
        (
            Tonic,
            "hangs, or `tls handshake eof`, where rustls prefers post-quantum groups",
        ),
        (
            Go,
            "since 1.24: hangs, `EOF` or `connection reset by peer`; older ones get in",
        ),
        (
            Python,
            "gets in where its BoringSSL does not offer X25519MLKEM768",
        ),
        (Node, "hangs with OpenSSL 3.5, gets in with older ones"),
    ],
    fix: &[
        (Network, "update or bypass what inspects TLS on the way"),
        (
            Server,
            "try from the machine itself: if that works, it is the way",
        ),
        (Go, "as a stop-gap in clients: `GODEBUG=tlsmlkem=0`"),
    ],
};

pub(super) const SPLIT_HELLO: Page = Page {
    meaning: "A ClientHello in a single packet was answered, and the same one in two packets was not. TLS records may \
              come in any number of packets; whoever takes the first for the whole breaks with every client whose \
              ClientHello is large, as with post-quantum key exchange.",
    seen: &[
        (Tonic, "hangs, or `tls handshake eof`"),
        (Go, "since 1.24: hangs, `EOF` or `connection reset by peer`"),
        (Node, "hangs with OpenSSL 3.5, gets in with older ones"),
    ],
    fix: &[
        (
            Server,
            "where it reads the ClientHello itself, read on until the record is whole",
        ),
        (Network, "update or bypass what inspects TLS on the way"),
        (Go, "as a stop-gap in clients: `GODEBUG=tlsmlkem=0`"),
    ],
};

pub(super) const HELLO_IN_ONE_PIECE: Page = Page {
    meaning: "With `--deep`, a ClientHello was sent in two packets, and got no answer, while a whole one did. The \
              connection works here and now; over a way with smaller packets, such as a VPN, it will not.",
    seen: &[(All, "works on one machine, and hangs from another")],
    fix: &[
        (
            Server,
            "where it reads the ClientHello itself, read on until the record is whole",
        ),
        (Network, "update or bypass what inspects TLS on the way"),
    ],
};

pub(super) const SERVER_NAME: Page = Page {
    meaning: "The server ends the handshake for the name that it was asked for, or because an address was dialled \
              and no name was sent; asked in another way, it shows a certificate. It serves sites by name, and has \
              no default.",
    seen: &[
        (Tonic, "`UnrecognisedName`, in the debug form of the error"),
        (Go, "`remote error: tls: unrecognized name`"),
        (Python, "`TLSV1_UNRECOGNIZED_NAME`"),
        (Node, "`tlsv1 unrecognized name`"),
    ],
    fix: &[
        (
            Client,
            "dial a name that is served, or set it: `--server-name NAME`",
        ),
        (
            Nginx,
            "`server_name NAME;`, and no `ssl_reject_handshake on;` for it",
        ),
        (
            Haproxy,
            "a certificate for the name, or `bind …` without `strict-sni`",
        ),
    ],
};
