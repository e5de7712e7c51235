//! The exit codes: one table, documented in `--help` and in the README, and tested.

use crate::diagnose::Outcome;

/// Done, or trusted.
pub const OK: u8 = 0;
/// The answer is no.
pub const NO: u8 = 1;
/// Usage, certs.toml, or a local file is wrong.
pub const INPUT: u8 = 2;
/// Could not read, write or lock.
pub const SYSTEM: u8 = 3;
/// The name does not resolve.
pub const DNS: u8 = 10;
/// No TCP connection.
pub const TCP: u8 = 11;
/// No TLS session, or a peer without TLS.
pub const TLS: u8 = 12;
/// The certificate's path, name, time, purpose or strength.
pub const CERTIFICATE: u8 = 13;
/// ALPN or HTTP/2.
pub const HTTP2: u8 = 14;
/// Client authentication.
pub const CLIENT_AUTH: u8 = 15;
/// gRPC.
pub const GRPC: u8 = 16;
/// The server says NOT_SERVING.
pub const NOT_SERVING: u8 = 17;
/// A certificate ends sooner than `--min-days` allows.
pub const EXPIRES: u8 = 18;
/// Nothing failed, but there is a warning, and `--deny-warnings`.
pub const WARNINGS: u8 = 19;
/// `--wait` ran out.
pub const WAIT: u8 = 124;

/// Every code with what it means, as `--help` shows it.
pub const TABLE: [(u8, &str); 15] = [
    (OK, "done, or trusted"),
    (
        NO,
        "the answer is no: --check found work, or several targets failed differently",
    ),
    (INPUT, "usage, certs.toml, or a local file is wrong"),
    (SYSTEM, "could not read, write or lock"),
    (DNS, "verify: the name does not resolve"),
    (TCP, "verify: no TCP connection"),
    (TLS, "verify: no TLS session, or a server without TLS"),
    (
        CERTIFICATE,
        "verify: the certificate's path, name, time, purpose or strength",
    ),
    (HTTP2, "verify: ALPN or HTTP/2"),
    (CLIENT_AUTH, "verify: client authentication"),
    (GRPC, "verify: gRPC"),
    (NOT_SERVING, "verify: the server says NOT_SERVING"),
    (
        EXPIRES,
        "verify: a certificate has fewer days left than --min-days asks for",
    ),
    (
        WARNINGS,
        "verify: nothing failed, but there are warnings, and --deny-warnings",
    ),
    (WAIT, "verify: the time of --wait ran out"),
];

/// What `verify` exits with where a cause of this kind comes first.
pub fn of(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Certificate => CERTIFICATE,
        Outcome::ClientAuth => CLIENT_AUTH,
        Outcome::Dns => DNS,
        Outcome::Expires => EXPIRES,
        Outcome::Grpc => GRPC,
        Outcome::Http2 => HTTP2,
        Outcome::Inputs => INPUT,
        Outcome::NotServing => NOT_SERVING,
        Outcome::Passes => OK,
        Outcome::Tcp => TCP,
        Outcome::Tls => TLS,
    }
}

/// The table as a block of help text.
pub fn help() -> String {
    let lines = TABLE
        .iter()
        .map(|(code, meaning)| format!("  {code:>3}  {meaning}\n"));
    format!("Exit codes:\n{}", lines.collect::<String>())
}
