//! Pages: what web servers and proxies answer in the place of gRPC, GOAWAY, and services asked for by name.

use super::Page;
use super::Who::{All, Client, Go, GrpcPki, Haproxy, Network, Nginx, Node, Python, Server, Tonic};

pub(super) const HTTP2_GOAWAY: Page = Page {
    meaning: "The server ended the HTTP/2 connection before it answered, and said why: NO_ERROR when it shuts down, \
              ENHANCE_YOUR_CALM with `too_many_pings` when clients or proxies send keepalive pings too often, \
              PROTOCOL_ERROR when something on the way breaks the rules of HTTP/2.",
    seen: &[
        (Tonic, "for too many pings: `detected excessive load`"),
        (Go, "`received prior goaway: code: ENHANCE_YOUR_CALM`"),
        (Python, "`DEADLINE_EXCEEDED`, or `Too many pings`"),
        (Node, "`Bandwidth exhausted`"),
    ],
    fix: &[
        (
            Client,
            "a keepalive time of five minutes or more, or on the server:",
        ),
        (Go, "`MinTime` in `keepalive.EnforcementPolicy`"),
        (Python, "`grpc.http2.min_ping_interval_without_data_ms`"),
        (
            Server,
            "NO_ERROR: it stops, or limits the age of connections; try again",
        ),
        (
            Server,
            "INADEQUATE_SECURITY: offer TLS 1.3, or ECDHE with AES-GCM",
        ),
    ],
};

pub(super) const GRPC_BACKEND_DOWN: Page = Page {
    meaning: "A proxy answered by itself, with HTTP 502, 503 or 504, or as envoy does with UNAVAILABLE, because it did \
              not get the call to the server behind it. That one is down, or the proxy speaks HTTP/1 to it, or \
              plaintext where it wants TLS.",
    seen: &[
        (
            Tonic,
            "`invalid compression flag: 60` (the `<` of HTML), or Unavailable",
        ),
        (
            Go,
            "`unexpected HTTP status code received from server: 502`",
        ),
        (Python, "`Received http2 header with status: 502`"),
        (Node, "the same"),
    ],
    fix: &[
        (Server, "look whether it runs where the proxy looks for it"),
        (
            Nginx,
            "`grpc_pass grpc://HOST:PORT;`, or `grpcs://` where the backend has TLS",
        ),
        (
            Haproxy,
            "`server … proto h2`, or `ssl alpn h2` where it has TLS",
        ),
        (
            Network,
            "envoy: `http2_protocol_options: {}` in the cluster",
        ),
        (
            Network,
            "AWS: a target group of the protocol version `GRPC`",
        ),
        (
            GrpcPki,
            "`verify` the backend itself, from where the proxy runs",
        ),
    ],
};

pub(super) const GRPC_NOT_A_ROUTE: Page = Page {
    meaning: "HTTP/2 answered with a web page, or with a status such as 404, 405, 415, 426 or 464: there is a web \
              server here, or a proxy that has no route for the health service. A proxy may pass on the paths of \
              some services and not `/grpc.health.v1.Health/`; then those work and this check does not.",
    seen: &[
        (
            Tonic,
            "`grpc-status header missing, mapped from HTTP status code 404`",
        ),
        (
            Go,
            "`unexpected HTTP status code received from server: 404`",
        ),
        (
            Python,
            "UNIMPLEMENTED, `Received http2 header with status: 404`",
        ),
    ],
    fix: &[
        (Client, "check host and port: are they those of gRPC?"),
        (Nginx, "`location /grpc.health.v1.Health/ { grpc_pass …; }`"),
        (
            Haproxy,
            "let the `use_backend` rule match the path of the health service too",
        ),
        (
            Network,
            "HTTP 464 from AWS: give the target group the protocol version `GRPC`",
        ),
        (
            Network,
            "gRPC-Web is for browsers: envoy's grpc_web filter turns it into gRPC",
        ),
    ],
};

pub(super) const GRPC_TRAILERS_MISSING: Page = Page {
    meaning: "A gRPC answer ends with trailers, header fields behind its body, and one of them is `grpc-status`. Here \
              an answer came with the right type and ended without any. HTTP/1 on a part of the way, a proxy that \
              buffers or rewrites answers, or a load balancer that is not set to gRPC loses them.",
    seen: &[
        (Tonic, "`missing grpc-status trailer`"),
        (Go, "`server closed the stream without sending trailers`"),
    ],
    fix: &[
        (
            Network,
            "let every proxy on the way speak HTTP/2 on both of its sides",
        ),
        (Nginx, "`grpc_pass`, and not `proxy_pass`"),
        (Haproxy, "`proto h2` or `alpn h2` in the `server` line too"),
        (
            Network,
            "AWS: a target group of the protocol version `GRPC` keeps them",
        ),
    ],
};

pub(super) const GRPC_UNDECODABLE: Page = Page {
    meaning: "The answer has the type `application/grpc`, and what is in it is not a message of the health service: \
              it is compressed although nobody offered that, does not start with a flag and a length, is far too \
              long, or its status is not a number.",
    seen: &[
        (
            Tonic,
            "`invalid compression flag`, `decoded message length too large`",
        ),
        (Go, "`grpc: received message larger than max`"),
        (Python, "`Exception deserializing response!`"),
    ],
    fix: &[
        (
            Server,
            "look at what answers the health check: code of your own, or a library's",
        ),
        (
            Server,
            "compress only what the client accepts, which it says in `grpc-accept-encoding`",
        ),
        (Nginx, "no `gzip` and no `sub_filter` where `grpc_pass` is"),
    ],
};

pub(super) const GRPC_SERVICE_UNKNOWN: Page = Page {
    meaning: "`--service` asked for the health of one service, and the health service has none of this name, or \
              answers UNKNOWN for it. Names are full ones with their package, as in the .proto file, and each is to \
              be registered with the health service by itself.",
    seen: &[(
        All,
        "status 5 (NOT_FOUND), which comes with an empty message, or SERVICE_UNKNOWN",
    )],
    fix: &[
        (
            GrpcPki,
            "`verify TARGET --reflection` lists the services of the server",
        ),
        (
            Tonic,
            "`reporter.set_serving::<OrdersServer<Orders>>().await`",
        ),
        (
            Go,
            "`server.SetServingStatus(\"shop.v1.Orders\", …_SERVING)`",
        ),
        (
            Python,
            "`servicer.set(\"shop.v1.Orders\", HealthCheckResponse.SERVING)`",
        ),
    ],
};

pub(super) const GRPC_SERVICE_UNCHECKED: Page = Page {
    meaning: "`--service` asked for the health of one service, and the server would not say: it has no health \
              service at all, or only tells those who show credentials. Without `--service` that is a warning, as \
              any answer of gRPC proves the connection; a service that is asked for has to be seen to serve.",
    seen: &[(
        All,
        "status 12 (UNIMPLEMENTED), 16 (UNAUTHENTICATED) or 7 (PERMISSION_DENIED)",
    )],
    fix: &[
        (
            Server,
            "add a health service, open to callers without credentials",
        ),
        (
            GrpcPki,
            "show credentials: `--header 'authorization: Bearer TOKEN'`",
        ),
        (
            GrpcPki,
            "or leave `--service` out, where any answer is good enough",
        ),
    ],
};
