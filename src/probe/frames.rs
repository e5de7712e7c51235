//! HTTP/2 frames as they pass by (RFC 9113, 4.1): how a server ends a call or the connection, which an HTTP/2
//! library tells in its own words at best.

/// Octets of a frame header.
const HEADER: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
/// Flag of the last frame of a stream.
const END_STREAM: u8 = 1;
/// Streams that are remembered; a handful of calls is made.
const STREAMS: usize = 16;
/// Octets of a payload that are kept: two numbers, and words for people.
const KEPT: usize = 8 + 256;

/// A server's farewell (RFC 9113, 6.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoAway {
    /// Why (RFC 9113, 7).
    pub reason: u32,
    /// Further words, the first 256 octets of them.
    pub debug: Vec<u8>,
}

/// The name of a reason (RFC 9113, 7).
pub fn reason_name(reason: u32) -> &'static str {
    const NAMES: [&str; 14] = [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    ];
    let index = usize::try_from(reason).unwrap_or(usize::MAX);
    NAMES.get(index).copied().unwrap_or("an unknown reason")
}

/// What was seen of the frames of a server.
#[derive(Clone, Debug, Default)]
pub(super) struct Frames {
    /// What is there of the header of the frame.
    header: Vec<u8>,
    /// What is kept of its payload.
    payload: Vec<u8>,
    /// What is to come of its payload.
    left: usize,
    /// The streams whose answers are whole. A server that did not read all of a request resets its stream then.
    whole: Vec<u32>,
    state: State,
    /// How the server ended the connection.
    pub(super) goaway: Option<GoAway>,
    /// Why it ended a call.
    pub(super) reset: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    First,
    Http2,
    /// The first frame was not SETTINGS: this is another protocol.
    Other,
}

impl Frames {
    /// Looks at octets as they arrive, however they are cut.
    pub(super) fn pass(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() && self.state != State::Other {
            if self.header.len() < HEADER {
                let count = octets.len().min(HEADER - self.header.len());
                self.header.extend_from_slice(&octets[..count]);
                octets = &octets[count..];
                if self.header.len() == HEADER {
                    self.begin();
                }
                continue;
            }
            let count = octets.len().min(self.left);
            let room = KEPT.saturating_sub(self.payload.len());
            self.payload.extend_from_slice(&octets[..count.min(room)]);
            self.left -= count;
            octets = &octets[count..];
            if self.left == 0 {
                self.end();
            }
        }
    }

    fn begin(&mut self) {
        let kind = self.header[3];
        if self.state == State::First {
            self.state = if kind == SETTINGS {
                State::Http2
            } else {
                State::Other
            };
        }
        self.left = number(&self.header[..3]) as usize;
        self.payload.clear();
        if self.left == 0 {
            self.end();
        }
    }

    fn end(&mut self) {
        let payload = std::mem::take(&mut self.payload);
        let stream = number(&self.header[5..]);
        match (self.header[3], &payload[..]) {
            (DATA | HEADERS, _)
                if self.header[4] & END_STREAM != 0 && self.whole.len() < STREAMS =>
            {
                self.whole.push(stream);
            }
            (RST_STREAM, [a, b, c, d]) if !self.whole.contains(&stream) => {
                self.reset = Some(number(&[*a, *b, *c, *d]));
            }
            // A graceful end is announced first; what comes after says why.
            (GOAWAY, [_, _, _, _, a, b, c, d, debug @ ..])
                if self.goaway.as_ref().is_none_or(|it| it.reason == 0) =>
            {
                self.goaway = Some(GoAway {
                    reason: number(&[*a, *b, *c, *d]),
                    debug: debug.to_vec(),
                });
            }
            _ => {}
        }
        self.header.clear();
    }
}

fn number(octets: &[u8]) -> u32 {
    octets
        .iter()
        .fold(0, |number, octet| number << 8 | u32::from(*octet))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let size = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = size[1..].to_vec();
        frame.extend([kind, 0, 0, 0, 0, 1]);
        frame.extend(payload);
        frame
    }

    fn goaway(reason: u8, debug: &[u8]) -> Vec<u8> {
        frame(GOAWAY, &[&[0, 0, 0, 1, 0, 0, 0, reason], debug].concat())
    }

    #[test]
    fn the_farewell_is_read_however_it_is_cut() {
        let data = frame(0, &[7; 300]);
        let all = [
            frame(SETTINGS, &[]),
            data,
            frame(RST_STREAM, &[0, 0, 0, 8]),
            goaway(0, b""),
            goaway(11, b"too_many_pings"),
            goaway(2, b"later"),
        ];
        for size in [1, 2, 7, 9, 64, 4096] {
            let mut frames = Frames::default();
            for octets in all.concat().chunks(size) {
                frames.pass(octets);
            }
            let expected = GoAway {
                reason: 11,
                debug: b"too_many_pings".to_vec(),
            };
            assert_eq!((frames.goaway, frames.reset), (Some(expected), Some(8)));
        }
    }

    #[test]
    fn a_long_farewell_is_cut_and_a_short_one_is_none() {
        let mut frames = Frames::default();
        frames.pass(&frame(SETTINGS, &[]));
        frames.pass(&frame(GOAWAY, &[0; 7]));
        assert_eq!(frames.goaway, None);
        frames.pass(&goaway(1, &[b'x'; 100_000]));
        assert_eq!(frames.goaway.unwrap().debug.len(), 256);
    }

    #[test]
    fn a_reset_after_a_whole_answer_is_none() {
        let mut last = frame(HEADERS, &[0x88]);
        last[4] = 4 | END_STREAM;
        let mut frames = Frames::default();
        frames.pass(&frame(SETTINGS, &[]));
        frames.pass(&last);
        frames.pass(&frame(RST_STREAM, &[0; 4]));
        assert_eq!(frames.reset, None);
        let mut other = frame(RST_STREAM, &[0, 0, 0, 7]);
        other[8] = 3;
        frames.pass(&other);
        assert_eq!(frames.reset, Some(7));
    }

    proptest! {
        #[test]
        fn what_is_seen_is_the_same_however_it_is_cut(
            settings in any::<bool>(),
            kinds in prop::collection::vec((0..10_u8, any::<u8>(), 0..40_usize), 0..6),
            noise in prop::collection::vec(any::<u8>(), 0..300),
            size in 1..64_usize,
        ) {
            let mut octets = if settings { frame(SETTINGS, &[]) } else { Vec::new() };
            for (kind, octet, length) in kinds {
                octets.extend(frame(kind, &vec![octet; length]));
            }
            octets.extend(noise);
            let (mut whole, mut cut) = (Frames::default(), Frames::default());
            whole.pass(&octets);
            octets.chunks(size).for_each(|it| cut.pass(it));
            prop_assert_eq!(&whole.goaway, &cut.goaway);
            prop_assert_eq!(whole.reset, cut.reset);
            prop_assert!(whole.payload.len() <= KEPT && whole.header.len() <= HEADER);
            prop_assert!(whole.whole.len() <= STREAMS);
        }
    }

    #[test]
    fn another_protocol_says_no_farewell() {
        let mut frames = Frames::default();
        frames.pass(b"HTTP/1.1 400 Bad Request\r\n");
        frames.pass(&goaway(1, b""));
        assert_eq!(frames.goaway, None);
    }
}
