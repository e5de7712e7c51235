//! ClientHellos made by hand (RFC 8446, 4.1.2): what a server makes of clients unlike ours is read from its first answer.
//!
//! No handshake goes beyond that answer, so nothing has to be able to do what is offered here. Every message is
//! one that a client could send in earnest, and each connection is closed in order.

use std::time::Duration;

use super::wire::Wire;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::answer::{Answer, Reading, finish, read};
use super::tls::{Failure, failure};
use crate::target::Host;

/// TLS 1.0 to 1.3, as they are written on the wire.
pub const TLS10: u16 = 0x0301;
/// TLS 1.1.
pub const TLS11: u16 = 0x0302;
/// TLS 1.2.
pub const TLS12: u16 = 0x0303;
/// TLS 1.3.
pub const TLS13: u16 = 0x0304;

/// The cipher suites that this program can use.
pub const OUR_SUITES: [u16; 9] = [
    0x1302, 0x1301, 0x1303, 0xc02c, 0xc02b, 0xcca9, 0xc030, 0xc02f, 0xcca8,
];
/// ECDHE with CBC or CCM, DHE, and the transport of keys under RSA.
const OTHER_SUITES: [u16; 30] = [
    0x1304, 0x1305, 0xc0ac, 0xc0ad, 0xc0ae, 0xc0af, 0xc024, 0xc023, 0xc028, 0xc027, 0xc00a, 0xc009,
    0xc014, 0xc013, 0xc008, 0xc012, 0x009f, 0x009e, 0xccaa, 0x006b, 0x0067, 0x0039, 0x0033, 0x009d,
    0x009c, 0x003d, 0x003c, 0x0035, 0x002f, 0x000a,
];
/// The groups that this program can use.
pub const OUR_GROUPS: [u16; 4] = [X25519MLKEM768, X25519, P256, P384];
const X25519MLKEM768: u16 = 0x11ec;
const X25519: u16 = 0x001d;
const P256: u16 = 0x0017;
const P384: u16 = 0x0018;
const CLASSIC_GROUPS: [u16; 3] = [X25519, P256, P384];
/// P-521, X448, Brainpool, secp256k1, the finite fields of RFC 7919.
const OTHER_GROUPS: [u16; 11] = [
    0x0019, 0x001e, 0x001a, 0x001b, 0x001c, 0x001f, 0x0020, 0x0021, 0x0016, 0x0100, 0x0101,
];
/// The signature algorithms that this program can verify.
pub const OUR_SIGNATURES: [u16; 13] = [
    0x0503, 0x0403, 0x0603, 0x0807, 0x0806, 0x0805, 0x0804, 0x0601, 0x0501, 0x0401, 0x0904, 0x0905,
    0x0906,
];
/// Ed448, RSASSA-PSS with its own kind of key, Brainpool, SHA-224 and SHA-1.
const OTHER_SIGNATURES: [u16; 12] = [
    0x0808, 0x0809, 0x080a, 0x080b, 0x081a, 0x081b, 0x081c, 0x0303, 0x0301, 0x0203, 0x0201, 0x0202,
];

/// More than one packet of an Ethernet carries.
const LARGE: usize = 1700;
/// Some balancers hang on sizes from 256 to 511 octets, for which clients pad too (RFC 7685).
const PADDED: usize = 517;
/// Time between the halves of a message: each goes out in a packet of its own.
const PAUSE: Duration = Duration::from_millis(120);
/// Time that a server gets to close its side.
const FAREWELL: Duration = Duration::from_millis(100);
/// A server that has not said what matters within so much does not want to.
const MOST: usize = 96 * 1024;

/// What is asked, by a ClientHello on a connection of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// As `Small`, padded to a size that takes two packets.
    Large,
    /// As `Small`, with a post-quantum key share.
    PostQuantum,
    /// What this program can do, but for post-quantum key exchange: it fits into one packet.
    Small,
    /// As `Small`, in two packets.
    Split,
    /// TLS 1.0 alone.
    Tls10,
    /// TLS 1.1, which allows the server 1.0.
    Tls11,
    /// TLS 1.2 with everything there is: the server shows its certificate in clear.
    Tls12,
    /// TLS 1.3 and 1.2 with everything there is.
    Wide,
}

impl Question {
    /// As JSON shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Large => "large_hello",
            Self::PostQuantum => "post_quantum_hello",
            Self::Small => "small_hello",
            Self::Split => "split_hello",
            Self::Tls10 => "tls_1_0",
            Self::Tls11 => "tls_old_versions",
            Self::Tls12 => "tls_1_2",
            Self::Wide => "wide_hello",
        }
    }

    fn hello(self, name: &Host) -> Hello {
        let small = Hello {
            versions: vec![TLS13, TLS12],
            suites: OUR_SUITES.to_vec(),
            groups: CLASSIC_GROUPS.to_vec(),
            shares: vec![X25519],
            signatures: OUR_SIGNATURES.to_vec(),
            // An address is never sent as a name (RFC 6066, 3).
            name: match name {
                Host::Dns(name) => Some(name.clone()),
                Host::Ip(_) => None,
            },
            size: 0,
        };
        let wide = || Hello {
            suites: [&OUR_SUITES[..], &OTHER_SUITES].concat(),
            groups: [&CLASSIC_GROUPS[..], &OTHER_GROUPS].concat(),
            signatures: [&OUR_SIGNATURES[..], &OTHER_SIGNATURES].concat(),
            size: PADDED,
            ..small.clone()
        };
        let only = |version| Hello {
            versions: vec![version],
            shares: Vec::new(),
            ..wide()
        };
        match self {
            Self::Small | Self::Split => small,
            Self::Large => Hello {
                size: LARGE,
                ..small
            },
            Self::PostQuantum => Hello {
                groups: OUR_GROUPS.to_vec(),
                shares: vec![X25519MLKEM768, X25519],
                ..small
            },
            Self::Wide => wide(),
            Self::Tls10 => only(TLS10),
            Self::Tls11 => only(TLS11),
            Self::Tls12 => only(TLS12),
        }
    }
}

/// What a ClientHello offers.
#[derive(Clone, Debug)]
struct Hello {
    /// The latest first.
    versions: Vec<u16>,
    suites: Vec<u16>,
    groups: Vec<u16>,
    /// Groups to send a key for.
    shares: Vec<u16>,
    signatures: Vec<u16>,
    name: Option<String>,
    /// The record is padded to this, where it is smaller.
    size: usize,
}

impl Hello {
    /// The record that carries it.
    fn encode(&self) -> Vec<u8> {
        let provider = default_provider();
        let random = || {
            let mut octets = [0; 32];
            // What comes of it is never used: without entropy it is the same message each time.
            let _ = provider.secure_random.fill(&mut octets);
            octets
        };
        let latest = self.versions.first().copied().unwrap_or(TLS12);
        let mut body = latest.min(TLS12).to_be_bytes().to_vec();
        body.extend(random());
        // TLS 1.3 looks like a resumption to what lies between (RFC 8446, D.4).
        let session = random();
        body.extend(sized(1, if latest == TLS13 { &session } else { &[] }));
        let suites: Vec<u16> = match latest {
            TLS13 => self.suites.clone(),
            _ => self
                .suites
                .iter()
                .copied()
                .filter(|it| it >> 8 != 0x13)
                .collect(),
        };
        body.extend(sized(2, &words(&suites)));
        body.extend([1, 0]);
        let mut extensions = self.extensions(latest, &provider);
        // Headers of record and message, the length of the extensions, and the padding's own header.
        let size = 9 + body.len() + 2 + extensions.len();
        if let Some(missing) = self.size.checked_sub(size + 4) {
            extensions.extend(extension(21, &vec![0; missing]));
        }
        body.extend(sized(2, &extensions));
        let message = [&[1][..], &sized(3, &body)].concat();
        [&[22][..], &TLS10.to_be_bytes(), &sized(2, &message)].concat()
    }

    fn extensions(&self, latest: u16, provider: &CryptoProvider) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(name) = &self.name {
            let entry = [&[0][..], &sized(2, name.as_bytes())].concat();
            out.extend(extension(0, &sized(2, &entry)));
        }
        out.extend(extension(23, &[]));
        out.extend(extension(0xff01, &[0]));
        out.extend(extension(10, &sized(2, &words(&self.groups))));
        out.extend(extension(11, &[1, 0]));
        out.extend(extension(16, &sized(2, &sized(1, b"h2"))));
        if latest >= TLS12 {
            out.extend(extension(13, &sized(2, &words(&self.signatures))));
        }
        if latest == TLS13 {
            out.extend(extension(43, &sized(1, &words(&self.versions))));
            out.extend(extension(45, &[1, 1]));
            let shares: Vec<u8> = self
                .shares
                .iter()
                .flat_map(|it| share(*it, provider))
                .collect();
            out.extend(extension(51, &sized(2, &shares)));
        }
        out
    }
}

/// A key of a group, made as if for a real handshake.
fn share(group: u16, provider: &CryptoProvider) -> Vec<u8> {
    let groups = &provider.kx_groups;
    let made = groups
        .iter()
        .find(|it| u16::from(it.name()) == group)
        .and_then(|it| it.start().ok());
    made.map_or_else(Vec::new, |key| {
        [&group.to_be_bytes()[..], &sized(2, key.pub_key())].concat()
    })
}

/// Octets behind their count, which takes `width` octets.
fn sized(width: usize, content: &[u8]) -> Vec<u8> {
    let count = content.len().to_be_bytes();
    [&count[count.len() - width..], content].concat()
}

fn words(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|it| it.to_be_bytes()).collect()
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &sized(2, content)].concat()
}

/// Asks, and reads the answer.
pub(super) async fn ask(
    mut stream: Wire,
    question: Question,
    name: &Host,
    limit: Duration,
) -> Answer {
    let hello = question.hello(name).encode();
    let mut octets = Vec::new();
    let exchange = exchange(&mut stream, question, &hello, &mut octets);
    let answer = match timeout(limit, exchange).await {
        Err(_) => finish(&octets, Answer::Timeout),
        Ok(answer) => answer,
    };
    if !matches!(answer, Answer::Closed | Answer::Reset | Answer::Timeout) {
        // Octets left unread would turn the end into a reset.
        let _ = timeout(FAREWELL, async {
            let _ = stream.shutdown().await;
            let mut rest = [0; 4096];
            while stream.read(&mut rest).await.is_ok_and(|it| it > 0) {}
        })
        .await;
    }
    answer
}

async fn exchange(
    stream: &mut Wire,
    question: Question,
    hello: &[u8],
    octets: &mut Vec<u8>,
) -> Answer {
    // A write to a server that has gone fails; what it said before can still be read.
    if question == Question::Split {
        let (first, second) = hello.split_at(hello.len() / 2);
        let _ = stream.write_all(first).await;
        tokio::time::sleep(PAUSE).await;
        let _ = stream.write_all(second).await;
    } else {
        let _ = stream.write_all(hello).await;
    }
    loop {
        if let Reading::Whole(answer) = read(octets) {
            return answer;
        }
        if octets.len() > MOST {
            return finish(octets, Answer::Closed);
        }
        let end = match stream.read_buf(octets).await {
            Ok(0) => Answer::Closed,
            Ok(_) => continue,
            Err(error) if failure(&error) == Failure::Reset => Answer::Reset,
            Err(_) => Answer::Closed,
        };
        return finish(octets, end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_as_ours_is_what_the_handshake_offers() {
        let provider = default_provider();
        let suites = provider.cipher_suites.iter();
        assert_eq!(
            suites.map(|it| u16::from(it.suite())).collect::<Vec<_>>(),
            OUR_SUITES
        );
        let groups = provider.kx_groups.iter();
        assert_eq!(
            groups.map(|it| u16::from(it.name())).collect::<Vec<_>>(),
            OUR_GROUPS
        );
        let schemes = provider
            .signature_verification_algorithms
            .supported_schemes();
        assert_eq!(
            schemes.into_iter().map(u16::from).collect::<Vec<_>>(),
            OUR_SIGNATURES
        );
    }

    #[test]
    fn sizes_are_as_asked() {
        let name = Host::parse("localhost").unwrap();
        let size = |question: Question| question.hello(&name).encode().len();
        assert!(
            (200..256).contains(&size(Question::Small)),
            "{}",
            size(Question::Small)
        );
        assert_eq!(size(Question::Large), LARGE);
        assert_eq!(size(Question::Wide), PADDED);
        assert!(size(Question::PostQuantum) > 1400);
        for question in [Question::Tls10, Question::Tls11, Question::Tls12] {
            assert!(!(256..512).contains(&size(question)), "{question:?}");
        }
    }

    /// rustls reads a ClientHello with care, and says what it found.
    #[test]
    fn another_reader_finds_each_of_them_in_order() {
        for question in [
            Question::Large,
            Question::PostQuantum,
            Question::Small,
            Question::Tls12,
            Question::Wide,
        ] {
            let hello = question.hello(&Host::parse("localhost").unwrap());
            let mut acceptor = rustls::server::Acceptor::default();
            acceptor.read_tls(&mut hello.encode().as_slice()).unwrap();
            let accepted = acceptor
                .accept()
                .ok()
                .flatten()
                .expect("a whole ClientHello");
            let read = accepted.client_hello();
            assert_eq!(read.server_name(), Some("localhost"));
            let alpn: Vec<&[u8]> = read.alpn().unwrap().collect();
            assert_eq!(alpn, [b"h2"]);
            let schemes = read.signature_schemes().iter().map(|it| u16::from(*it));
            assert_eq!(schemes.collect::<Vec<_>>(), hello.signatures);
        }
    }
}
