//! What a port speaks where TLS failed: it is greeted as an HTTP/2 server without TLS, and its answer is read.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::wire::Wire;

/// HTTP/2 connection preface and an empty SETTINGS frame (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const SETTINGS: u8 = 4;

/// What a port speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// It closed the connection without a word.
    Closed,
    /// HTTP/1.
    Http1,
    /// HTTP/2 without TLS, as a gRPC server without TLS does.
    Http2,
    /// Nothing in time.
    Silent,
    /// SSH.
    Ssh,
    /// A TLS record, so it is TLS after all.
    Tls,
    /// Something else; its first octets.
    Unknown(Vec<u8>),
}

pub(super) async fn peek(mut stream: Wire, limit: Duration) -> Protocol {
    let mut answer = Vec::with_capacity(64);
    let read = async {
        stream.write_all(PREFACE).await?;
        // A frame header is 9 octets; other greetings are told by fewer.
        while answer.len() < 9 && stream.read_buf(&mut answer).await? > 0 {}
        std::io::Result::Ok(())
    };
    let in_time = timeout(limit, read).await.is_ok();
    answer.truncate(64);
    classify(&answer, in_time)
}

fn classify(answer: &[u8], ended: bool) -> Protocol {
    match answer {
        [] if ended => Protocol::Closed,
        [] => Protocol::Silent,
        _ if is_http1(answer) => Protocol::Http1,
        _ if answer.starts_with(b"SSH-") => Protocol::Ssh,
        [21 | 22, 3, ..] => Protocol::Tls,
        [_, _, _, SETTINGS, _, 0, 0, 0, 0, ..] => Protocol::Http2,
        _ => Protocol::Unknown(answer.to_vec()),
    }
}

/// A status line, or the page alone: to a request that it cannot read, a server may answer as in HTTP/0.9.
fn is_http1(answer: &[u8]) -> bool {
    let page = |start: &[u8]| {
        let head = answer.get(..start.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(start))
    };
    answer.starts_with(b"HTTP/") || page(b"<!doctype") || page(b"<html")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greetings_are_told_apart() {
        for (answer, protocol) in [
            (b"\0\0\x18\x04\0\0\0\0\0\0\x01".as_slice(), Protocol::Http2),
            (b"HTTP/1.1 400 Bad Request", Protocol::Http1),
            (b"<!DOCTYPE HTML>\n<html lang", Protocol::Http1),
            (b"SSH-2.0-OpenSSH_9.2", Protocol::Ssh),
            (b"\x15\x03\x01\0\x02", Protocol::Tls),
            (b"220 mail", Protocol::Unknown(b"220 mail".to_vec())),
            (b"", Protocol::Closed),
        ] {
            assert_eq!(classify(answer, true), protocol);
        }
        assert_eq!(classify(b"", false), Protocol::Silent);
    }
}
