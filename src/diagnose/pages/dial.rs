//! Pages: Unix sockets, and the two loopback addresses.

use super::Page;
use super::Who::{All, Client, Go, GrpcPki, Java, Node, Python, Server, Tonic};

/// What tonic says, whatever is wrong with the socket.
const TONIC: (super::Who, &str) = (
    Tonic,
    "does not come so far with `ClientTlsConfig`: it takes TLS through `connect_with_connector`",
);

pub(super) const TCP_NOT_SOCKET: Page = Page {
    meaning: "There is a file of this name, and it is a regular file or a folder. Only a Unix socket can be \
              connected to, and only a running server makes one.",
    seen: &[
        TONIC,
        (Go, "`connect: connection refused`, as if nothing listened"),
        (
            Python,
            "`Connection refused`, behind `failed to connect to all addresses`",
        ),
        (Node, "`ECONNREFUSED`, the same"),
    ],
    fix: &[
        (
            Client,
            "`ls -l PATH`: the line of a socket begins with `s`; give the path that the server is given",
        ),
        (
            Server,
            "where the file is left over from something else, move it away before the server starts",
        ),
    ],
};

pub(super) const TCP_OTHER_LOOPBACK: Page = Page {
    meaning: "A machine has two addresses for itself, 127.0.0.1 (IPv4) and ::1 (IPv6). The client dials the one, and \
              the server listens on the other alone. `localhost` can be either, or both, and that differs between \
              machines and containers.",
    seen: &[
        (
            Tonic,
            "`tcp connect error`, and behind it `Connection refused`",
        ),
        (
            Go,
            "`dial tcp 127.0.0.1:50051: connect: connection refused`",
        ),
        (Node, "`ECONNREFUSED`, on one machine and not on the next"),
        (Java, "`Connection refused: localhost/127.0.0.1:50051`"),
    ],
    fix: &[
        (
            Server,
            "listen on `[::]:50051`, which on most systems takes in both families",
        ),
        (
            Server,
            "to stay on this machine, listen on 127.0.0.1 and on ::1: two listeners",
        ),
        (
            Client,
            "dial the address instead of the name, and let the certificate have it: `IP.1 = \"::1\"`",
        ),
        (
            GrpcPki,
            "to look at the server all the same: `grpc-pki verify localhost:50051 --connect '[::1]:50051'`",
        ),
    ],
};

pub(super) const TCP_SOCKET_DENIED: Page = Page {
    meaning: "The socket is there, and the system does not let this user connect. That takes permission to write to \
              the socket itself, and to enter every folder above it.",
    seen: &[
        TONIC,
        (Go, "`connect: permission denied`"),
        (
            All,
            "`Permission denied` or `EACCES`, the words of the system",
        ),
    ],
    fix: &[
        (
            Client,
            "`namei -l PATH` shows every folder on the way with its mode and owner",
        ),
        (
            Server,
            "make the socket in a folder of its group, and let its mode be 0660",
        ),
        (
            GrpcPki,
            "to look at it as the server's user: `sudo -u USER grpc-pki verify unix:PATH`",
        ),
    ],
};

pub(super) const TCP_SOCKET_MISSING: Page = Page {
    meaning: "There is no file of this name. A server makes its socket when it starts, and many remove it when they \
              end: it is not running, or it was given another path. Inside a container the path is another one than \
              outside.",
    seen: &[
        TONIC,
        (Go, "`connect: no such file or directory`"),
        (
            Python,
            "`No such file or directory`, behind `failed to connect to all addresses`",
        ),
        (Node, "`ENOENT`"),
    ],
    fix: &[
        (
            Server,
            "start it; `ss -lxp` shows every Unix socket that is listened on, with its program",
        ),
        (Client, "write an absolute path, as in `unix:/run/app.sock`"),
        (
            GrpcPki,
            "the name to check is `localhost`, or that of `--server-name`",
        ),
    ],
};
