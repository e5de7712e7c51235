//! Pages: from the name to TLS.

use super::Page;
use super::Who::{
    All, Client, Go, GrpcPki, Haproxy, Java, Network, Nginx, Node, Python, Server, Tonic,
};

pub(super) const DNS_NOT_FOUND: Page = Page {
    meaning: "The resolver of this machine has no address for the name. It is misspelt, known only inside \
              another network, or shorter than the resolver needs it.",
    seen: &[
        (
            Tonic,
            "`dns error`, and behind it `Name or service not known`",
        ),
        (
            Python,
            "`errors resolving`, and behind it `Domain name not found`",
        ),
        (Node, "`Name resolution failed for target`"),
    ],
    fix: &[
        (
            Client,
            "compare with what the system says: `getent hosts NAME`",
        ),
        (
            Client,
            "in Kubernetes a service of another namespace is `orders.shop.svc.cluster.local`, not `orders`",
        ),
        (
            Client,
            "on one machine: `echo '10.0.0.7 orders' >> /etc/hosts`",
        ),
        (
            GrpcPki,
            "to look at the server before its name exists: `grpc-pki verify orders:50051 --connect 10.0.0.7:50051`",
        ),
    ],
};

pub(super) const DNS_TIMEOUT: Page = Page {
    meaning: "A name server is configured, and it did not answer in time. Whether the name exists is not known, \
              and the gRPC server has not been asked anything.",
    seen: &[(
        All,
        "the call waits for the resolver, and its deadline may end it first: the server looks slow",
    )],
    fix: &[
        (
            Network,
            "`cat /etc/resolv.conf`: can these name servers be reached from here?",
        ),
        (
            Network,
            "names of a company often resolve only with its VPN on",
        ),
        (
            GrpcPki,
            "to leave the resolver out: `grpc-pki verify ADDRESS:PORT --server-name NAME`",
        ),
    ],
};

pub(super) const TCP_REFUSED: Page = Page {
    meaning: "The machine is there and says at once that no program listens on this address and port. The server \
              is not running, listens on another port, or listens on another address: `localhost` may be ::1 for \
              the client and 127.0.0.1 for the server.",
    seen: &[
        (
            Tonic,
            "`tcp connect error`, and behind it `Connection refused`",
        ),
        (
            Go,
            "`connection refused`, also where only ::1 or only 127.0.0.1 listens",
        ),
        (Node, "the same, with the address that was dialled"),
    ],
    fix: &[
        (
            Server,
            "start it; `ss -ltn` shows which addresses and ports are listened on",
        ),
        (
            Server,
            "listen on `0.0.0.0` or `[::]` to be reached from other machines, not on `127.0.0.1`",
        ),
        (
            Client,
            "dial `127.0.0.1` where the server does not listen on ::1",
        ),
        (
            GrpcPki,
            "to try your files out without a server of your own: `grpc-pki serve`",
        ),
    ],
};

pub(super) const TCP_TIMEOUT: Page = Page {
    meaning: "The packets to this address got no answer, not even a refusal. That is what a firewall that drops \
              packets does, a wrong address, or a machine that is off.",
    seen: &[
        (
            Tonic,
            "waits until the time limit of the connection or of the call",
        ),
        (Python, "`Deadline Exceeded`"),
        (Node, "`Deadline Exceeded`"),
    ],
    fix: &[
        (
            Network,
            "let the port through: firewall, security group, network policy",
        ),
        (Network, "check that the address is still the server's"),
        (
            GrpcPki,
            "once it is slow but there, allow more time: `--timeout 20s`",
        ),
    ],
};

pub(super) const TCP_UNREACHABLE: Page = Page {
    meaning: "The system knows no way to the address, so that no connection could even be tried. Often a VPN is \
              off, or the name resolves to IPv6 and this machine has none.",
    seen: &[(
        All,
        "`Network is unreachable` or `No route to host`, the words of the system",
    )],
    fix: &[
        (
            Network,
            "`ip route get ADDRESS` tells the same; turn on the VPN or the interface",
        ),
        (Client, "dial an IPv4 address where the machine has no IPv6"),
    ],
};

pub(super) const TLS_ALERT: Page = Page {
    meaning: "The server speaks TLS and ended the handshake with an alert. `handshake failure`: no cipher suite, \
              group or signature algorithm in common, or a key that it cannot use. `protocol version`: it speaks \
              no TLS 1.2 or 1.3. `unrecognized name`: it serves no site by that name.",
    seen: &[
        (
            Tonic,
            "`HandshakeFailure`, `ProtocolVersion` or `UnrecognisedName`",
        ),
        (
            Go,
            "may get in, as it also offers P-521 and TLS 1.2 with CBC",
        ),
        (
            Python,
            "refused as tonic is; with an Ed25519 key: `SSLV3_ALERT_HANDSHAKE_FAILURE`",
        ),
        (
            Node,
            "may get in, as may Java: both also offer P-521, X448 and CBC",
        ),
    ],
    fix: &[
        (
            GrpcPki,
            "for a key that all accept, `key = \"ecdsa-p256\"`, then `grpc-pki issue`",
        ),
        (
            Nginx,
            "`ssl_protocols TLSv1.2 TLSv1.3;` and `ssl_ecdh_curve X25519:prime256v1;`",
        ),
        (
            Haproxy,
            "`bind … ssl-min-ver TLSv1.2`, and no `ssl-max-ver` below it",
        ),
        (
            Client,
            "for the name: dial one that is served, or `--server-name NAME`",
        ),
    ],
};

pub(super) const TLS_CLOSED: Page = Page {
    meaning: "TCP works, but the server closed or reset the connection before it had said anything in TLS. It may \
              have no certificate or a key it cannot use, be a proxy without a backend, or sit behind a middlebox \
              that cannot take a large (post-quantum) ClientHello.",
    seen: &[
        (Tonic, "`tls handshake eof` or `Connection reset by peer`"),
        (Python, "`Handshake read failed (Socket closed)`"),
        (
            Node,
            "`Client network socket disconnected before secure TLS …`",
        ),
        (Java, "`Remote host terminated the handshake`"),
    ],
    fix: &[
        (
            Server,
            "read its log: can it load its certificate and its key?",
        ),
        (
            GrpcPki,
            "P-521 and Ed25519 keys fail here in some clients: use `key = \"ecdsa-p256\"`",
        ),
        (
            Network,
            "does it fail only through one proxy or balancer? Look there",
        ),
        (Go, "to test for a large ClientHello: `GODEBUG=tlsmlkem=0`"),
    ],
};

pub(super) const TLS_INCOMPATIBLE: Page = Page {
    meaning: "The server answered in TLS, and not in a way that rustls can go on with: it chose a version before 1.2, \
              or its answer lacks what TLS 1.2 and 1.3 demand, such as a signature algorithm that both know.",
    seen: &[
        (Tonic, "`PeerIncompatible`, in the debug form of the error"),
        (
            Python,
            "refuses what tonic refuses; Go, Node and Java know more groups and suites, and may get in",
        ),
        (
            All,
            "a server with nothing later than TLS 1.1 is refused by every client",
        ),
    ],
    fix: &[
        (
            Server,
            "update its TLS library, and allow TLS 1.3 with X25519 or P-256",
        ),
        (
            Nginx,
            "`ssl_protocols TLSv1.2 TLSv1.3;` and `ssl_ecdh_curve X25519:prime256v1;`",
        ),
        (Haproxy, "`bind … ssl-min-ver TLSv1.2 curves X25519:P-256`"),
        (
            Go,
            "in `tls.Config`: `MinVersion: tls.VersionTLS12`, and no `CurvePreferences`",
        ),
    ],
};

pub(super) const TLS_NOT_TLS: Page = Page {
    meaning: "Asked for TLS, the port answered in another protocol, such as HTTP/1, SSH or SMTP. Most often it is \
              not the port that was meant.",
    seen: &[
        (
            Tonic,
            "`received corrupt message of type InvalidContentType`",
        ),
        (Go, "`first record does not look like a TLS handshake`"),
        (Python, "`WRONG_VERSION_NUMBER`"),
        (Node, "`WRONG_VERSION_NUMBER`"),
        (Java, "`Unsupported or unrecognized SSL message`"),
    ],
    fix: &[
        (
            Client,
            "dial the gRPC port: a web or metrics port is often the one beside it",
        ),
        (Nginx, "the port needs `ssl` in its `listen` line"),
        (
            Haproxy,
            "the port needs `ssl crt FILE alpn h2` in its `bind` line",
        ),
    ],
};

pub(super) const TLS_PLAINTEXT: Page = Page {
    meaning: "The port speaks gRPC, but in clear text: the server was started without TLS, and clients that ask for it \
              fail. The other way round, where the client has no TLS, `verify` gets through.",
    seen: &[
        (
            Tonic,
            "`received corrupt message of type InvalidContentType`",
        ),
        (
            Tonic,
            "`https://` without `tls_config`: `Connecting to HTTPS without TLS enabled`",
        ),
        (Go, "`first record does not look like a TLS handshake`"),
        (Python, "`WRONG_VERSION_NUMBER`, as in Node"),
        (Java, "`Unsupported or unrecognized SSL message`"),
        (
            All,
            "the other way round: `Socket closed`, `operation was canceled`, `Failed to connect`",
        ),
    ],
    fix: &[
        (
            Tonic,
            "`Server::builder().tls_config(ServerTlsConfig::new()…)`",
        ),
        (
            Go,
            "`grpc.Creds` with `credentials.NewServerTLSFromFile(crt, key)`",
        ),
        (
            Python,
            "`add_secure_port`, `ssl_server_credentials([(key, crt)])`",
        ),
        (Node, "`ServerCredentials.createSsl`, not `createInsecure`"),
        (Java, "`TlsServerCredentials.create(crt, key)`"),
        (
            GrpcPki,
            "`grpc-pki issue` makes both files; `grpc-pki serve` uses them",
        ),
    ],
};

pub(super) const TLS_SILENT: Page = Page {
    meaning: "The connection was accepted, and then nothing came: neither an answer to TLS nor one to HTTP/2 in \
              clear text. The program behind the port hangs or is overloaded, or a proxy waits for a backend that \
              is gone.",
    seen: &[
        (
            Tonic,
            "hangs: `connect_timeout` does not cover the handshake",
        ),
        (All, "hangs until the deadline of the call"),
    ],
    fix: &[
        (
            Server,
            "look whether it still takes connections: `ss -ltn` shows a full queue",
        ),
        (Haproxy, "look whether a server of the backend is up"),
        (
            Tonic,
            "in clients set `ClientTlsConfig::timeout`, which does cover it",
        ),
        (
            GrpcPki,
            "where it is only slow, allow more: `--timeout 20s`",
        ),
    ],
};
