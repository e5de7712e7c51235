//! Octets that nobody foresaw: random ones, and valid ones that were changed. The same seed gives the same.

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

/// Octets that decide more often than others.
const TELLING: [u8; 16] = [
    0, 1, 2, 3, 4, 7, 0x0a, 0x14, 0x16, 0x1b, 0x30, 0x7f, 0x80, 0x82, 0xfe, 0xff,
];

/// What steers a terminal, a shell or a reader of JSON, what is no text, and what stands for a number.
const TEXTS: [&[u8]; 16] = [
    b"\x1b[2J\x1b]0;x\x07",
    b"\r\n\r\n",
    b"\x9b31m",
    "\u{202e}\u{2066}".as_bytes(),
    "\u{9b}2J".as_bytes(),
    b"\xff\xfe",
    b"\xc3\x28",
    b"`$(x)`",
    b"\"\\",
    b"%zz%",
    b"-1",
    b"4294967296",
    b"99999999999999999999",
    b"application/grpc",
    b"\0",
    b"",
];

pub struct Noise(TestRng);

impl Noise {
    pub fn new(seed: u64) -> Self {
        let octets = [seed.to_le_bytes(), (!seed).to_le_bytes()].concat();
        Self(TestRng::from_seed(RngAlgorithm::XorShift, &octets))
    }

    /// Less than `bound`; 0 where that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let number = self.0.next_u64() as usize;
        number.checked_rem(bound).unwrap_or_default()
    }

    /// Whether one of so many times.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }

    pub fn octet(&mut self) -> u8 {
        if self.one_in(2) {
            *self.pick(&TELLING)
        } else {
            self.below(256) as u8
        }
    }

    /// At most so many, short ones more often.
    pub fn octets(&mut self, most: usize) -> Vec<u8> {
        let most = self.below(most + 1);
        let count = self.below(most + 1);
        (0..count).map(|_| self.octet()).collect()
    }

    /// Octets where a text belongs.
    pub fn text(&mut self) -> Vec<u8> {
        if self.one_in(3) {
            return self.octets(300);
        }
        let parts = 1 + self.below(3);
        let mut text = Vec::new();
        for _ in 0..parts {
            text.extend(*self.pick(&TEXTS));
            text.extend(self.octets(4));
        }
        if self.one_in(16) {
            text = text.repeat(1 + self.below(400));
        }
        text
    }

    /// A number of 32 bits, small or at a limit more often.
    pub fn number(&mut self) -> u32 {
        match self.below(4) {
            0 => self.below(16) as u32,
            1 => u32::MAX - self.below(2) as u32,
            2 => 1 << self.below(32),
            _ => self.0.next_u32(),
        }
    }

    /// Changes octets in a few places.
    pub fn change(&mut self, octets: &mut Vec<u8>) {
        for _ in 0..1 + self.below(4) {
            self.change_once(octets);
        }
    }

    fn change_once(&mut self, octets: &mut Vec<u8>) {
        let at = self.below(octets.len() + 1);
        let end = (at + self.below(32)).min(octets.len());
        match self.below(8) {
            0 => octets.truncate(at),
            1 => {
                octets.drain(at..end);
            }
            2 => {
                let copy = octets[at..end].to_vec();
                let to = self.below(octets.len() + 1);
                octets.splice(to..to, copy);
            }
            3 => {
                let new = self.octets(16);
                octets.splice(at..at, new);
            }
            4 => {
                let new = self.text();
                octets.splice(at..end, new);
            }
            5 => {
                if let Some(octet) = octets.get_mut(at) {
                    *octet ^= 1 << self.below(8);
                }
            }
            6 => {
                // A length that is a little or far off.
                if let Some(octet) = octets.get_mut(at) {
                    *octet = octet.wrapping_add(*self.pick(&[1, 0xff, 0x80]));
                }
            }
            _ => {
                if let Some(octet) = octets.get_mut(at) {
                    *octet = self.octet();
                }
            }
        }
    }

    /// DER in which one value was changed, and the lengths around it fit more often than not.
    pub fn change_der(&mut self, der: &[u8]) -> Vec<u8> {
        let mut octets = der.to_vec();
        if self.one_in(4) {
            self.change(&mut octets);
            return octets;
        }
        let mut nodes = read(der, 0);
        for _ in 0..1 + self.below(2) {
            let count = nodes.iter().map(Node::count).sum();
            let mut index = self.below(count);
            self.change_node(&mut nodes, &mut index);
        }
        nodes.iter().flat_map(Node::encode).collect()
    }

    /// Changes the value with this index, in the order of the octets; whether it was here.
    fn change_node(&mut self, nodes: &mut Vec<Node>, index: &mut usize) -> bool {
        for at in 0..nodes.len() {
            if *index > 0 {
                *index -= 1;
                if self.change_node(&mut nodes[at].inner, index) {
                    return true;
                }
                continue;
            }
            match self.below(7) {
                0 => nodes[at].tag = self.octet(),
                1 => {
                    let again = nodes[at].clone();
                    nodes.insert(at, again);
                }
                2 => {
                    nodes.remove(at);
                }
                3 => {
                    let other = self.below(nodes.len());
                    nodes.swap(at, other);
                }
                4 => nodes[at].fill(self.octets(64)),
                5 => nodes[at].fill(self.text()),
                _ => {
                    let mut content = nodes[at].content();
                    self.change(&mut content);
                    nodes[at].fill(content);
                }
            }
            return true;
        }
        false
    }
}

/// A value in DER; one that holds others is taken apart.
#[derive(Clone)]
struct Node {
    tag: u8,
    /// Octets before the first inner value: a bit string counts its unused bits.
    head: Vec<u8>,
    inner: Vec<Node>,
}

/// The values of these octets; none where they are not DER from end to end.
fn read(mut octets: &[u8], depth: usize) -> Vec<Node> {
    let mut nodes = Vec::new();
    while let [tag, rest @ ..] = octets {
        let Some((content, after)) = content(rest).filter(|_| depth < 16) else {
            return Vec::new();
        };
        let skipped = usize::from(*tag == 3);
        let inner = match tag {
            _ if tag & 0x20 != 0 => read(content, depth + 1),
            3 | 4 if content.len() > skipped => read(&content[skipped..], depth + 1),
            _ => Vec::new(),
        };
        let head = match inner.is_empty() {
            true => content.to_vec(),
            false => content[..if tag & 0x20 == 0 { skipped } else { 0 }].to_vec(),
        };
        nodes.push(Node {
            tag: *tag,
            head,
            inner,
        });
        octets = after;
    }
    nodes
}

/// The content behind a length, and what follows it.
fn content(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, rest) = octets.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x80..=0x83 => {
            let (length, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            let add = |sum: usize, octet: &u8| sum << 8 | usize::from(*octet);
            (length.iter().fold(0, add), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

impl Node {
    fn count(&self) -> usize {
        1 + self.inner.iter().map(Self::count).sum::<usize>()
    }

    fn fill(&mut self, content: Vec<u8>) {
        self.head = content;
        self.inner.clear();
    }

    fn content(&self) -> Vec<u8> {
        let inner = self.inner.iter().flat_map(Self::encode);
        self.head.iter().copied().chain(inner).collect()
    }

    fn encode(&self) -> Vec<u8> {
        value(self.tag, &self.content())
    }
}

/// One value in DER.
pub fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let used = length.iter().skip_while(|it| **it == 0).count();
    let mut octets = vec![tag];
    if content.len() < 0x80 {
        octets.push(content.len() as u8);
    } else {
        octets.push(0x80 | used as u8);
        octets.extend(&length[length.len() - used..]);
    }
    octets.extend(content);
    octets
}

#[test]
fn a_seed_gives_the_same_again_and_der_is_put_together_as_it_was() {
    let noise = |seed| Noise::new(seed).octets(1 << 16);
    assert_eq!(noise(7), noise(7));
    assert_ne!(noise(7), noise(8));
    let der = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let der = der.cert.der();
    let nodes = read(der, 0);
    let again: Vec<u8> = nodes.iter().flat_map(Node::encode).collect();
    assert_eq!(again, der.to_vec());
    // The extensions are octet strings with values in them.
    assert!(nodes.iter().map(Node::count).sum::<usize>() > 20);
    let changed = (0..100).filter(|seed| Noise::new(*seed).change_der(der) != der.to_vec());
    assert!(changed.count() > 80);
}
