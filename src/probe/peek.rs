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
    /// Another protocol, by its name; its first octets.
    Named(&'static str, Vec<u8>),
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
        _ => match named(answer) {
            Some(name) => Protocol::Named(name, answer.to_vec()),
            None => Protocol::Unknown(answer.to_vec()),
        },
    }
}

/// What servers that are met on a wrong port say first, or to what they do not understand.
fn named(answer: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(answer);
    let name = match answer {
        // Length, sequence number 0, protocol version 10, or an error that refuses the client.
        [_, _, 0, 0, 10 | 0xff, ..] => "MySQL",
        // Type, length, then severity first.
        [b'E', 0, 0, _, _, b'S', ..] => "PostgreSQL",
        [b'A', b'M', b'Q', b'P', ..] => "AMQP",
        _ if text.starts_with("220") && text.contains("FTP") => "FTP",
        _ if text.starts_with("220 ") || text.starts_with("220-") => "SMTP",
        _ if text.starts_with("-ERR ") || text.starts_with("-DENIED ") => "Redis",
        _ if text.starts_with("* OK ") => "IMAP",
        _ if text.starts_with("+OK ") => "POP3",
        _ if text.starts_with("INFO {") => "NATS",
        _ if text.starts_with("RFB 0") => "VNC",
        _ if text.starts_with("ERROR\r\n") => "memcached",
        _ => return None,
    };
    Some(name)
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
    use proptest::prelude::*;

    use super::*;

    const STARTS: [&[u8]; 8] = [
        b"",
        b"HTTP/",
        b"<html",
        b"SSH-",
        b"220 FTP",
        b"* OK ",
        b"\x15\x03",
        b"\0\0\0\x04",
    ];

    proptest! {
        #[test]
        fn any_answer_is_told_as_something(
            start in prop::sample::select(&STARTS[..]),
            rest in prop::collection::vec(any::<u8>(), 0..64),
            ended in any::<bool>(),
        ) {
            let answer = [start, &rest].concat();
            match classify(&answer, ended) {
                Protocol::Closed | Protocol::Silent => prop_assert!(answer.is_empty()),
                Protocol::Named(_, kept) | Protocol::Unknown(kept) => {
                    prop_assert_eq!(kept, answer);
                }
                _ => prop_assert!(!answer.is_empty()),
            }
        }
    }

    #[test]
    fn greetings_are_told_apart() {
        for (answer, protocol) in [
            (b"\0\0\x18\x04\0\0\0\0\0\0\x01".as_slice(), Protocol::Http2),
            (b"HTTP/1.1 400 Bad Request", Protocol::Http1),
            (b"<!DOCTYPE HTML>\n<html lang", Protocol::Http1),
            (b"SSH-2.0-OpenSSH_9.2", Protocol::Ssh),
            (b"\x15\x03\x01\0\x02", Protocol::Tls),
            (b"220", Protocol::Unknown(b"220".to_vec())),
            (b"", Protocol::Closed),
        ] {
            assert_eq!(classify(answer, true), protocol);
        }
        for (answer, name) in [
            (b"220 mail.example.com ESMTP".as_slice(), "SMTP"),
            (b"220 (vsFTPd 3.0.3)", "FTP"),
            (b"-ERR unknown command 'PRI'", "Redis"),
            (b"J\0\0\0\x0a8.0.36\0", "MySQL"),
            (b"E\0\0\0\x53SFATAL\0", "PostgreSQL"),
            (b"* OK IMAP4rev1", "IMAP"),
        ] {
            assert_eq!(
                classify(answer, true),
                Protocol::Named(name, answer.to_vec())
            );
        }
        assert_eq!(classify(b"", false), Protocol::Silent);
    }
}
