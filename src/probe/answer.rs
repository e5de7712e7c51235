//! What a server answers to a ClientHello, read as far as it is in clear: the ServerHello, an alert, and before TLS 1.3
//! the certificate and the parameters of the key exchange. Every length is checked; nothing here is trusted.

use super::hello::{OUR_GROUPS, OUR_SUITES, TLS12, TLS13};

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A fatal alert.
    Alert(u8),
    /// The end, without a word.
    Closed,
    /// A ServerHello.
    Hello(Box<ServerHello>),
    /// What is no answer in TLS; its first octets.
    Other(Vec<u8>),
    /// A reset.
    Reset,
    /// Nothing in time.
    Timeout,
}

impl Answer {
    /// The ServerHello, where there is one.
    pub fn hello(&self) -> Option<&ServerHello> {
        match self {
            Self::Hello(hello) => Some(hello),
            _ => None,
        }
    }

    /// Whether the connection ended, or went on, without an octet.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Closed | Self::Reset | Self::Timeout)
    }
}

/// What a server chose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerHello {
    /// The version, as on the wire.
    pub version: u16,
    /// The cipher suite.
    pub suite: u16,
    /// The group, where it was told.
    pub group: Option<u16>,
    /// Whether it asks for a key of that group first (HelloRetryRequest).
    pub retry: bool,
    /// What it signs the key exchange with, in TLS 1.2.
    pub signature: Option<u16>,
    /// DER of its certificate, before TLS 1.3.
    pub end_entity: Option<Vec<u8>>,
}

impl ServerHello {
    /// Whether this program could go on from here, as far as it was told.
    pub fn is_ours(&self) -> bool {
        OUR_SUITES.contains(&self.suite) && self.group.is_none_or(|it| OUR_GROUPS.contains(&it))
    }
}

/// How far an answer has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// More is to come.
    Part,
    /// There is nothing more to wait for.
    Whole(Answer),
}

/// Octets that are kept of what is not TLS.
const KEPT: usize = 64;
/// A record's content and what encryption adds (RFC 5246, 6.2.3).
const LARGEST: usize = 16_384 + 2048;
/// RFC 8446, 4.1.3.
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Reads what has come so far.
pub(super) fn read(octets: &[u8]) -> Reading {
    let records = Records::read(octets);
    let seen = messages(&records.handshake);
    match (seen, records.stop) {
        (Some((hello, true)), _) => Reading::Whole(Answer::Hello(Box::new(hello))),
        (Some((hello, false)), Some(_)) => Reading::Whole(Answer::Hello(Box::new(hello))),
        (None, Some(Stop::Alert(number))) => Reading::Whole(Answer::Alert(number)),
        (None, Some(Stop::Foreign)) => Reading::Whole(other(octets)),
        (None, None) if is_foreign(&records.handshake) => Reading::Whole(other(octets)),
        (_, None) => Reading::Part,
    }
}

/// What it comes to when there is no more.
pub(super) fn finish(octets: &[u8], end: Answer) -> Answer {
    match read(octets) {
        Reading::Whole(answer) => answer,
        Reading::Part => match messages(&Records::read(octets).handshake) {
            Some((hello, _)) => Answer::Hello(Box::new(hello)),
            None if octets.is_empty() => end,
            None => other(octets),
        },
    }
}

fn other(octets: &[u8]) -> Answer {
    Answer::Other(octets[..octets.len().min(KEPT)].to_vec())
}

/// Why there is nothing to read behind a record.
enum Stop {
    Alert(u8),
    Foreign,
}

/// The handshake messages of the records that are whole.
struct Records {
    handshake: Vec<u8>,
    stop: Option<Stop>,
}

impl Records {
    fn read(octets: &[u8]) -> Self {
        let mut this = Self {
            handshake: Vec::new(),
            stop: None,
        };
        let mut rest = Reader(octets);
        while this.stop.is_none() {
            match rest.0 {
                [20..=23, 3, ..] | [20..=23] => {}
                [] => break,
                _ => {
                    this.stop = Some(Stop::Foreign);
                    break;
                }
            }
            let mut record = Reader(rest.0);
            let kind = record.number(1);
            let Some((length, kind)) = record.take(2).and_then(|_| record.number(2)).zip(kind)
            else {
                break;
            };
            if length > LARGEST {
                this.stop = Some(Stop::Foreign);
                break;
            }
            let Some(content) = record.take(length) else {
                break;
            };
            rest = record;
            match (kind, content) {
                (22, _) => this.handshake.extend(content),
                // Before it goes on, a server may warn that it does not know the name.
                (21, [1, number]) if *number != 0 => {}
                (21, [_, number]) => this.stop = Some(Stop::Alert(*number)),
                _ => this.stop = Some(Stop::Foreign),
            }
        }
        this
    }
}

/// Whether the handshake begins with what no server sends first.
fn is_foreign(handshake: &[u8]) -> bool {
    let mut reader = Reader(handshake);
    match (reader.number(1), reader.number(3)) {
        (Some(2), Some(length)) => {
            let body = reader.take(length);
            length > LARGEST || body.is_some_and(|it| server_hello(it).is_none())
        }
        (Some(kind), _) => kind != 2,
        _ => false,
    }
}

/// What the messages tell, and whether there is nothing more to learn; `None` before there is a ServerHello.
fn messages(handshake: &[u8]) -> Option<(ServerHello, bool)> {
    let mut reader = Reader(handshake);
    let mut next = || {
        let kind = reader.number(1)?;
        let length = reader.number(3)?;
        Some((kind, reader.take(length)?))
    };
    let (2, body) = next()? else {
        return None;
    };
    let mut hello = server_hello(body)?;
    if hello.version == TLS13 {
        return Some((hello, true));
    }
    while let Some((kind, body)) = next() {
        match kind {
            11 => hello.end_entity = first_certificate(body),
            12 => {
                key_exchange(body, &mut hello);
                return Some((hello, true));
            }
            14 => return Some((hello, true)),
            _ => {}
        }
    }
    Some((hello, false))
}

fn server_hello(body: &[u8]) -> Option<ServerHello> {
    let mut reader = Reader(body);
    let mut hello = ServerHello {
        version: reader.word()?,
        ..ServerHello::default()
    };
    hello.retry = reader.take(32)? == RETRY;
    reader.vector(1)?;
    hello.suite = reader.word()?;
    reader.take(1)?;
    let mut extensions = Reader(reader.vector(2).unwrap_or_default());
    while let (Some(kind), Some(content)) = (extensions.word(), extensions.vector(2)) {
        let value = Reader(content).word();
        match kind {
            43 => hello.version = value?,
            51 => hello.group = Some(value?),
            _ => {}
        }
    }
    Some(hello)
}

/// The first of a list (RFC 5246, 7.4.2).
fn first_certificate(body: &[u8]) -> Option<Vec<u8>> {
    let list = Reader(body).vector(3)?;
    Reader(list).vector(3).map(<[u8]>::to_vec)
}

/// Group and signature algorithm of ECDHE (RFC 8422, 5.4); other ways tell neither.
fn key_exchange(body: &[u8], hello: &mut ServerHello) {
    const NAMED_CURVE: usize = 3;
    let ecdhe = hello.suite >> 8 == 0xc0 || matches!(hello.suite, 0xcca8 | 0xcca9);
    let mut reader = Reader(body);
    if !ecdhe || reader.number(1) != Some(NAMED_CURVE) {
        return;
    }
    hello.group = reader.word();
    if reader.vector(1).is_some() && hello.version == TLS12 {
        hello.signature = reader.word();
    }
}

/// Octets that are taken one after the other, as far as there are any.
#[derive(Clone, Copy)]
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of `width` octets, at most 3.
    fn number(&mut self, width: usize) -> Option<usize> {
        let octets = self.take(width)?;
        Some(
            octets
                .iter()
                .fold(0, |sum, it| (sum << 8) | usize::from(*it)),
        )
    }

    fn word(&mut self) -> Option<u16> {
        let octets = self.take(2)?;
        Some(u16::from_be_bytes([octets[0], octets[1]]))
    }

    /// Octets behind their count.
    fn vector(&mut self, width: usize) -> Option<&'a [u8]> {
        let count = self.number(width)?;
        self.take(count)
    }
}

#[cfg(test)]
mod tests;
