//! Pages: ALPN, HTTP/2, client certificates and gRPC.

use super::Page;
use super::Who::{
    All, Client, Go, GrpcPki, Haproxy, Java, Network, Nginx, Node, Python, Server, Tonic,
};

pub(super) const ALPN_NONE: Page = Page {
    meaning: "The handshake succeeded, but the server did not choose `h2` there, as gRPC demands. It may speak \
              HTTP/2 all the same and only not say so, or be a web server that knows HTTP/1 alone.",
    seen: &[
        (Tonic, "`HTTP/2 was not negotiated.`"),
        (Go, "`missing selected ALPN property`, since 1.67"),
        (Python, "`missing selected ALPN property`"),
        (Node, "works if HTTP/2 follows, otherwise `Protocol error`"),
        (Java, "refuses it"),
    ],
    fix: &[
        (
            Go,
            "`grpc.Creds(credentials.NewTLS(config))`, not `tls.NewListener`; or `NextProtos: []string{\"h2\"}`",
        ),
        (
            Python,
            "with the module ssl: `context.set_alpn_protocols([\"h2\"])`",
        ),
        (Haproxy, "`bind … ssl crt FILE alpn h2`"),
        (Nginx, "`listen 443 ssl http2;`, since 1.25.1 `http2 on;`"),
        (
            Client,
            "for a while `GRPC_ENFORCE_ALPN_ENABLED=false` (Go, Python)",
        ),
    ],
};

pub(super) const ALPN_REFUSED: Page = Page {
    meaning: "The server knows ALPN and ended the handshake because `h2`, the protocol of gRPC, is not among what it \
              speaks: an HTTP/1 server, or a proxy that is not set up for gRPC.",
    seen: &[
        (Tonic, "`NoApplicationProtocol`"),
        (All, "the same alert, number 120, each in its own words"),
    ],
    fix: &[
        (Client, "check the port: is it the one for gRPC?"),
        (Nginx, "`listen 443 ssl http2;`, since 1.25.1 `http2 on;`"),
        (Haproxy, "`bind … ssl crt FILE alpn h2`"),
        (Go, "`NextProtos: []string{\"h2\"}`"),
        (
            Python,
            "with the module ssl: `context.set_alpn_protocols([\"h2\"])`",
        ),
    ],
};

pub(super) const HTTP2_CLOSED: Page = Page {
    meaning: "The handshake agreed on HTTP/2, and then the connection ended before any of it was spoken. The \
              server crashed or limits connections, or a proxy found no backend. A server that does not like a \
              client certificate does the same in TLS 1.3; this one asked for none.",
    seen: &[
        (Tonic, "`operation was canceled` or `connection closed`"),
        (Python, "`Socket closed`"),
        (Node, "`Failed to connect`"),
    ],
    fix: &[
        (Server, "read its log at the time of the connection"),
        (Nginx, "look at the error log: can the upstream be reached?"),
        (
            Haproxy,
            "look whether a server of the backend is up, and speaks HTTP/2",
        ),
    ],
};

pub(super) const HTTP2_NOT_SPOKEN: Page = Page {
    meaning: "ALPN agreed on `h2`, and what came was not HTTP/2: as a rule HTTP/1. A proxy promises what the \
              program behind it does not keep, or passes the bytes of one protocol to a port of another.",
    seen: &[
        (Tonic, "`transport error`, or `frame with invalid size`"),
        (Go, "`http2: frame too large`"),
        (Python, "`Trying to connect an http1.x server`"),
        (Node, "`Protocol error`"),
    ],
    fix: &[
        (Client, "check the port: is it the one for gRPC?"),
        (
            Nginx,
            "pass on with `grpc_pass`, not with `proxy_pass`, which speaks HTTP/1 to the upstream",
        ),
        (
            Haproxy,
            "say `proto h2`, or `alpn h2` with TLS, in the `server` line too",
        ),
        (Server, "offer `h2` only where HTTP/2 is served"),
    ],
};

pub(super) const HTTP2_SILENT: Page = Page {
    meaning: "TLS is up and HTTP/2 was agreed, and then the server never sent its SETTINGS frame, neither before \
              nor after the client's. Whatever ends TLS is alive; what should speak HTTP/2 behind it hangs.",
    seen: &[(All, "the call hangs until its deadline")],
    fix: &[
        (
            Server,
            "look whether it hangs or has no free thread to accept with",
        ),
        (
            Haproxy,
            "in `mode tcp` the backend has to speak HTTP/2: look whether it is up",
        ),
        (
            GrpcPki,
            "where it is only slow, allow more: `--timeout 20s`",
        ),
    ],
};

pub(super) const CLIENT_AUTH_REQUIRED: Page = Page {
    meaning: "Mutual TLS: the server lets in only clients that show a certificate, and this one showed none. In TLS \
              1.3 the handshake still succeeds, and the refusal comes with the first call, so that many clients \
              tell of a lost connection. nginx refuses with HTTP 400.",
    seen: &[
        (
            Tonic,
            "`CertificateRequired`, or only `operation was canceled`",
        ),
        (Go, "`certificate required`"),
        (
            Python,
            "`Socket closed` or `Unwrap failed (TSI_DATA_CORRUPTED)`",
        ),
        (
            Node,
            "`tlsv13 alert certificate required` or `Failed to connect`",
        ),
    ],
    fix: &[
        (
            GrpcPki,
            "`profile = \"client\"` makes one; `grpc-pki verify TARGET --client NAME` shows it",
        ),
        (
            Tonic,
            "`ClientTlsConfig::identity(Identity::from_pem(crt, key))`",
        ),
        (Go, "`Certificates` in `tls.Config`"),
        (Python, "`grpc.ssl_channel_credentials(ca, key, crt)`"),
        (Node, "`credentials.createSsl(ca, key, crt)`"),
        (
            Java,
            "`TlsChannelCredentials.newBuilder().keyManager(crt, key)`",
        ),
    ],
};

pub(super) const CLIENT_AUTH_REFUSED: Page = Page {
    meaning: "The server got our client certificate and refused it: it is from another CA than the server accepts, \
              expired, without clientAuth, or without its intermediate. Servers in Python or C++ send no reason \
              at all, they hang up.",
    seen: &[
        (
            Tonic,
            "`UnknownCA`, `CertificateExpired`, `BadCertificate`, or EOF",
        ),
        (Go, "`certificate required`: it holds a foreign one back"),
        (Python, "`Socket closed`"),
        (Node, "`Failed to connect`"),
    ],
    fix: &[
        (
            GrpcPki,
            "`profile = \"client\"` in certs.toml, then `grpc-pki issue`",
        ),
        (
            Nginx,
            "`ssl_client_certificate` names the CA of the clients",
        ),
        (Haproxy, "`bind … ca-file FILE verify required`"),
        (
            Go,
            "`ClientCAs` in `tls.Config`, with `RequireAndVerifyClientCert`",
        ),
        (
            Python,
            "`ssl_server_credentials(pairs, ca, require_client_auth=True)`",
        ),
        (
            Tonic,
            "`ServerTlsConfig::client_ca_root(Certificate::from_pem(ca))`",
        ),
    ],
};

pub(super) const GRPC_NO_ANSWER: Page = Page {
    meaning: "TLS and HTTP/2 work, and the first call got no answer: it timed out, the server ended the call, or the \
              connection broke. A proxy whose backend is gone looks like this too.",
    seen: &[
        (Tonic, "`Timeout expired`, or `stream error received`"),
        (Python, "`DEADLINE_EXCEEDED`"),
        (All, "a deadline that passes"),
    ],
    fix: &[
        (
            Server,
            "read its log; does it answer a call from its own machine?",
        ),
        (
            Haproxy,
            "look whether a server of the backend is up: with `proto h2`, or `ssl alpn h2`",
        ),
        (
            Nginx,
            "pass on with `grpc_pass`: `proxy_pass` makes HTTP/1 of the call",
        ),
    ],
};

pub(super) const GRPC_NOT_GRPC: Page = Page {
    meaning: "HTTP/2 answered with an HTTP status that gRPC does not have: a gateway that wants credentials (401, 403, \
              407), a redirect, a limit (413, 429, 431), or an error of a web server. Whatever answered did so by \
              itself, before any gRPC server.",
    seen: &[
        (
            Tonic,
            "`invalid compression flag: 60` (the `<` of HTML), or `grpc-status header missing`",
        ),
        (Python, "`Received http2 header with status: 401`"),
        (Node, "the same"),
    ],
    fix: &[
        (
            GrpcPki,
            "401, 403, 407: show credentials, `--header 'authorization: Bearer TOKEN'`",
        ),
        (
            Client,
            "a redirect: dial the gRPC server itself, gRPC does not follow",
        ),
        (
            Client,
            "413, 431: send fewer and shorter headers, or raise the limit of the server",
        ),
        (Server, "otherwise the log of the server that answered"),
    ],
};

pub(super) const GRPC_NO_HEALTH: Page = Page {
    meaning: "The server answered UNIMPLEMENTED to `grpc.health.v1.Health/Check`. That is an answer of gRPC, so the \
              connection works, TLS and names included. Nothing is wrong, but probes learn no more from it.",
    seen: &[
        (Go, "from such a server: UNIMPLEMENTED, `unknown service`"),
        (
            Python,
            "from such a server: UNIMPLEMENTED, `Method not found!`",
        ),
    ],
    fix: &[
        (Tonic, "`tonic_health::server::health_reporter()`"),
        (
            Go,
            "`healthpb.RegisterHealthServer(server, health.NewServer())`",
        ),
        (
            Python,
            "`grpcio-health-checking`: `add_HealthServicer_to_server`",
        ),
        (Node, "the package `grpc-health-check`"),
        (Java, "`HealthStatusManager` of grpc-services"),
    ],
};

pub(super) const GRPC_UNKNOWN: Page = Page {
    meaning: "The health service is there and has no opinion on the server as a whole: it says UNKNOWN, or NOT_FOUND \
              for the empty service name, which stands for the whole. The connection is fine.",
    seen: &[(
        All,
        "UNKNOWN, or status 5 (NOT_FOUND), which comes with an empty message",
    )],
    fix: &[
        (
            Tonic,
            "`reporter.set_service_status(\"\", ServingStatus::Serving)`",
        ),
        (
            Go,
            "`SetServingStatus(\"\", healthpb.HealthCheckResponse_SERVING)`",
        ),
        (Python, "`servicer.set(\"\", HealthCheckResponse.SERVING)`"),
    ],
};

pub(super) const GRPC_AUTHENTICATION: Page = Page {
    meaning: "The connection is fine, and the health service answered that the caller has to say who it is. That \
              is a rule of the application, not of TLS: a token is missing, or this identity may not call it.",
    seen: &[(All, "status 16 (UNAUTHENTICATED) or 7 (PERMISSION_DENIED)")],
    fix: &[
        (
            Server,
            "leave `grpc.health.v1.Health` out of the check, as probes carry no token",
        ),
        (
            GrpcPki,
            "show a token: `--header 'authorization: Bearer TOKEN'`; it goes to trusted servers only",
        ),
        (
            GrpcPki,
            "where the identity is that of a certificate, show it: `--client NAME`",
        ),
    ],
};

pub(super) const GRPC_NOT_SERVING: Page = Page {
    meaning: "The connection is fine from end to end, and the server says itself that it takes no work: it is \
              starting, shutting down, or lacks something that it depends on.",
    seen: &[(
        All,
        "calls may fail or not; the health check answers NOT_SERVING",
    )],
    fix: &[
        (Server, "read its log: what does it wait for?"),
        (
            Tonic,
            "`reporter.set_service_status(\"\", ServingStatus::Serving)` when ready",
        ),
        (
            Go,
            "`SetServingStatus(\"\", healthpb.HealthCheckResponse_SERVING)`",
        ),
        (Python, "`servicer.set(\"\", HealthCheckResponse.SERVING)`"),
    ],
};

pub(super) const GRPC_STATUS: Page = Page {
    meaning: "TLS and HTTP/2 work, and the health service answered with an error of its own, such as INTERNAL or \
              UNAVAILABLE. The cause lies in the server, or in a proxy that speaks gRPC itself.",
    seen: &[(All, "the same status and the same message")],
    fix: &[
        (Server, "look for the message in its log"),
        (
            Network,
            "UNAVAILABLE with a message that the server does not know is a proxy's",
        ),
    ],
};
