//! HTTP/2 by hand (RFC 9113 and 7541): what is valid, what is nearly so, and what a client said.

use super::noise::Noise;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// Stands for the stream of the call, which is known when it is made.
const CALL: u32 = 0x7eed_cafe;
/// A frame may have so many octets unless a larger size was agreed.
const MOST: usize = 16_384;

/// Fields that are looked at, each with a value that is well.
const FIELDS: [(&str, &str); 13] = [
    ("content-type", "application/grpc"),
    ("grpc-status", "0"),
    ("grpc-message", "no%20entry"),
    ("grpc-encoding", "identity"),
    ("grpc-status-details-bin", "AAAA"),
    ("server", "nginx/1.26"),
    ("via", "1.1 proxy"),
    ("location", "https://example.com/"),
    ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
    ("content-length", "7"),
    ("www-authenticate", "Bearer"),
    ("retry-after", "1"),
    ("x-other", "y"),
];
const STATUSES: [&str; 12] = [
    "200", "200", "200", "204", "301", "404", "429", "502", "100", "000", "999", "2xx",
];

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A server's first frame.
pub fn settings() -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100])
}

pub fn acknowledged() -> Vec<u8> {
    frame(SETTINGS, 1, 0, &[])
}

/// An answer on the stream of its call.
pub fn on_stream(answer: &[u8], stream: u32) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(answer.len()), answer);
    while let Some(at) = rest.windows(4).position(|it| it == CALL.to_be_bytes()) {
        out.extend(&rest[..at]);
        out.extend(stream.to_be_bytes());
        rest = &rest[at + 4..];
    }
    out.extend(rest);
    out
}

fn headers(fields: &Fields, ends: bool) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            // A number with a prefix of 7 bits (RFC 7541, 5.1).
            match text.len().checked_sub(127) {
                None => block.push(text.len() as u8),
                Some(mut more) => {
                    block.push(127);
                    while more >= 128 {
                        block.push(0x80 | (more % 128) as u8);
                        more /= 128;
                    }
                    block.push(more as u8);
                }
            }
            block.extend(text);
        }
    }
    let ends = if ends { END_STREAM } else { 0 };
    let parts: Vec<&[u8]> = block.chunks(MOST).collect();
    let last = parts.len().saturating_sub(1);
    let part = |(index, part): (usize, &&[u8])| {
        let whole = if index == last { END_HEADERS } else { 0 };
        match index {
            0 => frame(HEADERS, whole | ends, CALL, part),
            _ => frame(CONTINUATION, whole, CALL, part),
        }
    };
    if parts.is_empty() {
        return frame(HEADERS, END_HEADERS | ends, CALL, &[]);
    }
    parts.iter().enumerate().flat_map(part).collect()
}

fn fields(fields: &[(&str, &str)]) -> Fields {
    let owned =
        |(name, value): &(&str, &str)| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
    fields.iter().map(owned).collect()
}

/// A message behind its flag and length.
pub fn message(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u32).to_be_bytes();
    [&[0], &length[..], message].concat()
}

/// An answer of gRPC with this body.
pub fn answer(body: &[u8]) -> Vec<u8> {
    let head = fields(&[(":status", "200"), ("content-type", "application/grpc")]);
    let mut out = headers(&head, false);
    for part in body.chunks(MOST) {
        out.extend(frame(DATA, 0, CALL, part));
    }
    out.extend(headers(&fields(&[("grpc-status", "0")]), true));
    out
}

/// SERVING.
pub fn serving() -> Vec<u8> {
    answer(&message(&[8, 1]))
}

/// Frames of every kind, with all that goes into them.
pub fn random(noise: &mut Noise) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..1 + noise.below(6) {
        let kind = *noise.pick(&[0, 1, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 10, 0xff]);
        let number = noise.number().to_be_bytes();
        let payload = match kind {
            HEADERS => {
                out.extend(headers(&random_fields(noise, true), noise.one_in(3)));
                continue;
            }
            DATA => message(&noise.octets(64)),
            3 | 8 => number.to_vec(),
            SETTINGS => [&[0, noise.below(8) as u8], &number[..]].concat(),
            6 => noise.octets(8),
            7 => [&[0, 0, 0, 1], &number[..], &noise.text()].concat(),
            _ => noise.octets(64),
        };
        let flags = *noise.pick(&[0, 0, 1, 4, 5, 8, 0x20, 0xff]);
        let stream = *noise.pick(&[CALL, CALL, CALL, 0, 0, 2, u32::MAX]);
        let stream = if matches!(kind, SETTINGS | 6 | 7) && !noise.one_in(8) {
            0
        } else {
            stream
        };
        out.extend(frame(kind, flags, stream, &payload));
    }
    out
}

fn random_fields(noise: &mut Noise, head: bool) -> Fields {
    let mut out = Fields::new();
    if head && !noise.one_in(8) {
        let status = *noise.pick(&STATUSES);
        out.extend(fields(&[(":status", status)]));
    }
    if head && !noise.one_in(3) {
        out.extend(fields(&FIELDS[..1]));
    }
    for _ in 0..noise.below(5) {
        let (name, well) = *noise.pick(&FIELDS);
        let mut value = match noise.below(3) {
            0 => well.as_bytes().to_vec(),
            _ => noise.text(),
        };
        if !noise.one_in(6) {
            // What a field may not have ends the call, and nobody would look at the rest.
            value.retain(|it| *it >= 0x20 && *it != 0x7f);
        }
        let name = match noise.below(10) {
            0 => noise.octets(8),
            _ => name.as_bytes().to_vec(),
        };
        out.push((name, value));
    }
    out
}

/// An answer of which every part is random, with a body that is often like this one.
pub fn random_answer(noise: &mut Noise, like: &[u8]) -> Vec<u8> {
    let mut body = message(like);
    match noise.below(4) {
        0 => {}
        1 => body = message(&noise.octets(64)),
        2 => body = noise.octets(64),
        _ => noise.change(&mut body),
    }
    let mut out = headers(&random_fields(noise, true), noise.one_in(6));
    for part in body.chunks(MOST) {
        out.extend(frame(DATA, u8::from(noise.one_in(8)), CALL, part));
    }
    if !noise.one_in(4) {
        out.extend(headers(&random_fields(noise, false), !noise.one_in(6)));
    }
    out
}

/// What a client has said.
#[derive(Debug, PartialEq, Eq)]
pub enum Call {
    Settings,
    Stream(u32),
}

/// Reads what a client says, however it is cut.
#[derive(Default)]
pub struct Calls {
    octets: Vec<u8>,
    started: bool,
}

impl Calls {
    pub fn read(&mut self, octets: &[u8]) -> Vec<Call> {
        const PREFACE: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();
        self.octets.extend(octets);
        if !self.started && self.octets.len() >= PREFACE {
            self.octets.drain(..PREFACE);
            self.started = true;
        }
        let mut calls = Vec::new();
        while let (true, [a, b, c, kind, flags, stream @ ..]) = (self.started, &self.octets[..]) {
            let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
            let Some((stream, rest)) = stream.split_first_chunk::<4>() else {
                break;
            };
            if rest.len() < length {
                break;
            }
            match *kind {
                SETTINGS if *flags == 0 => calls.push(Call::Settings),
                HEADERS => calls.push(Call::Stream(u32::from_be_bytes(*stream))),
                _ => {}
            }
            self.octets.drain(..9 + length);
        }
        calls
    }
}
