//! Why there is no handshake, as far as other ClientHellos could tell: a conclusion is drawn only where one that
//! differs in a single respect was answered and ours was not.

use super::name::host_to_type;
use super::offers::{self, Kind, group, kind, names, signature, suite, version};
use super::words::list;
use super::{Code, Finding, Fix, Judge, StageId, Status};
use crate::pki::Certificate;
use crate::pki::certificate::PublicKey;
use crate::probe::{
    Answer, Failure, Host, OUR_GROUPS, OUR_SIGNATURES, OUR_SUITES, Question, Seen, ServerHello,
    TLS11,
};

/// What a server that is well makes of other ClientHellos.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The lowest version that it accepts, as far as it was seen.
    pub lowest_version: String,
    /// Whether it accepts TLS 1.2.
    pub tls12: bool,
    /// Whether it agreed on post-quantum key exchange.
    pub post_quantum: bool,
    /// Whether it takes a ClientHello in two packets.
    pub split_hello: bool,
    /// Whether it takes one with a post-quantum key share, which is large.
    pub large_hello: bool,
}

impl Judge<'_> {
    /// What the answers to other ClientHellos say about a handshake that failed.
    pub(super) fn negotiation(&self) -> Option<Finding> {
        self.server_name()
            .or_else(|| self.old_version())
            .or_else(|| self.hello_size())
            .or_else(|| self.nothing_in_common())
    }

    fn hello(&self, question: Question) -> Option<&ServerHello> {
        self.observation.answer(question)?.hello()
    }

    fn server_name(&self) -> Option<Finding> {
        let site = self.observation.sites().find(|it| it.handshake.is_ok())?;
        let shown = names(site);
        let certificate = match &shown {
            Some(names) => format!("a certificate for {names}"),
            None => "a certificate without names".to_owned(),
        };
        let target = self.observation.target.name();
        let (headline, why) = match &site.name {
            None => (
                format!("the server serves no site by the name `{target}`"),
                format!(
                    "Asked for `{target}` it ends the handshake; asked for no name it shows {certificate}."
                ),
            ),
            Some(name) => (
                "the server wants to be asked for a name that it serves".to_owned(),
                format!(
                    "Asked for {} it ends the handshake; asked for `{name}`, which is in {}, it shows {certificate}.",
                    match target {
                        Host::Ip(_) => "no name, as an address is none,".to_owned(),
                        Host::Dns(_) => format!("`{target}`"),
                    },
                    self.knowledge.config_path,
                ),
            ),
        };
        let known = site.name.clone().or_else(|| {
            let certificate = Certificate::from_der(site.chain.first()?.clone()).ok()?;
            let mut others = certificate.names.iter();
            let other = others.find_map(|it| host_to_type(it).filter(|_| *it != target.as_name()));
            other.map(str::to_owned)
        });
        let mut fix = match known {
            Some(name) => Fix::steps([format!(
                "dial the name of the site that you mean, or pass it: `--server-name {name}`"
            )]),
            None => {
                Fix::steps(["dial a name that the server serves, or pass it: `--server-name NAME`"])
            }
        };
        fix = fix.or(format!(
            "or let the server have a site for it: nginx `server_name {target};` · haproxy: a certificate for it, or no `strict-sni`"
        ));
        Some(Finding::new(Code::TlsServerName, headline, why, fix))
    }

    fn old_version(&self) -> Option<Finding> {
        let asked = [Question::Tls11, Question::Wide].into_iter();
        let mut answers = asked.filter_map(|it| self.hello(it));
        let hello = answers.find(|it| it.version <= TLS11)?;
        let name = version(hello.version);
        Some(Finding::new(
            Code::TlsOldVersion,
            format!("the server speaks nothing later than {name}"),
            format!(
                "It declines TLS 1.2 and 1.3, and takes {name}, which was withdrawn in 2021: no gRPC client of today \
                 gets in."
            ),
            Fix::steps([
                "let the server speak TLS 1.2 or 1.3: raise its highest version, or update its TLS library",
                "nginx: `ssl_protocols TLSv1.2 TLSv1.3;` · haproxy: `bind … ssl-min-ver TLSv1.2` · \
                 Go: `MaxVersion` unset",
            ]),
        ))
    }

    /// A small ClientHello was answered, and the usual one was not.
    fn hello_size(&self) -> Option<Finding> {
        self.hello(Question::Small)?;
        let is_lost = |question| {
            let answer = self.observation.answer(question)?;
            Some(answer.hello().is_none())
        };
        let split = is_lost(Question::Split)?;
        let large = is_lost(Question::Large)?;
        let post_quantum = is_lost(Question::PostQuantum)?;
        let primary = self.observation.primary()?;
        let lost = match primary.handshake {
            Err(Failure::Alert(_)) => "is refused",
            _ => "gets no answer",
        };
        let (code, headline, why, fix) = match (split, large, post_quantum) {
            (true, true, _) | (true, _, true) => (
                Code::TlsSplitHello,
                format!("a ClientHello in two packets {lost}"),
                "The same one in a single packet gets through. So the server, or something on the way, takes the first packet \
                 for the whole message. Clients that offer post-quantum key exchange need two: Go since 1.24, \
                 OpenSSL since 3.5, Rust, browsers.",
                [
                    "let what ends TLS read on until the record is whole: update the server, the proxy or the firewall",
                    "until then, for clients in Go: `GODEBUG=tlsmlkem=0`, which makes the ClientHello small",
                ],
            ),
            (false, true, true) => (
                Code::TlsLargeHello,
                format!("a large ClientHello {lost}"),
                "A small one gets through. So the server, or something on the way, drops it for its size: post-quantum key \
                 exchange makes it more than 1200 octets larger, as in Go since 1.24, OpenSSL since 3.5, Rust and \
                 browsers.",
                [
                    "look at what lies between: a firewall, balancer or proxy that inspects TLS needs an update",
                    "until then, for clients in Go: `GODEBUG=tlsmlkem=0`, which makes the ClientHello small",
                ],
            ),
            (false, false, true) => (
                Code::TlsLargeHello,
                format!("a ClientHello with post-quantum key exchange {lost}"),
                "One of the same size without it gets through. So the server, or something on the way, stumbles over the key \
                 share X25519MLKEM768 instead of leaving it aside, as sent by Go since 1.24, OpenSSL since 3.5, Rust \
                 and browsers.",
                [
                    "look at what lies between: a firewall, balancer or proxy that inspects TLS needs an update",
                    "until then, for clients in Go: `GODEBUG=tlsmlkem=0`, which leaves it out",
                ],
            ),
            _ => return None,
        };
        Some(Finding::new(code, headline, why, Fix::steps(fix)))
    }

    /// Everything there is was offered, and answered.
    fn nothing_in_common(&self) -> Option<Finding> {
        let wide = self.hello(Question::Wide)?;
        if !OUR_SUITES.contains(&wide.suite) {
            return Some(no_cipher(wide));
        }
        if let Some(number) = wide.group.filter(|it| !OUR_GROUPS.contains(it)) {
            return Some(no_group(number));
        }
        // A client like us, but without post-quantum key exchange, would have got in.
        if self.hello(Question::Small).is_some() {
            return None;
        }
        let clear = self.hello(Question::Tls12).or_else(|| {
            let old = wide.end_entity.is_some();
            old.then_some(wide)
        });
        if let Some(clear) = clear {
            let end_entity = clear.end_entity.clone();
            let end_entity = end_entity.and_then(|it| Certificate::from_der(it.into()).ok());
            if let Some(it) = end_entity
                && let PublicKey::Other(_) = it.public_key
            {
                return Some(self.key_type(&it));
            }
            let number = clear.signature.filter(|it| !OUR_SIGNATURES.contains(it));
            return number.map(|it| {
                no_signature(&format!(
                    "It signs with {}, which clients of today do not take.",
                    signature(it)
                ))
            });
        }
        Some(no_signature(
            "Offered every signature algorithm there is, it answers, with a cipher suite and a group that every client \
             offers. So it is its signature that clients do not take: its key is of another kind than RSA, P-256, \
             P-384 and Ed25519.",
        ))
    }

    fn key_type(&self, end_entity: &Certificate) -> Finding {
        let name = key_name(end_entity);
        let why = format!(
            "Its certificate has {name}. Clients built on rustls, Go or gRPC's C core (Python, C++) cannot verify \
             what such a key signs, so the server finds no algorithm to answer with."
        );
        let fix = Fix::steps([format!(
            "give the server a certificate with a key that every client takes: `key = \"ecdsa-p256\"` in certs.toml, \
             then `{}`, and restart the server",
            self.knowledge.command("issue")
        )]);
        let headline = "the server's key is of a kind that gRPC clients do not take";
        Finding::new(Code::TlsKeyType, headline, why, fix)
    }

    /// What else was tried after a handshake that came to nothing, for the words of another finding.
    pub(super) fn tried(&self) -> String {
        if self.hello(Question::PostQuantum).is_some() && self.hello(Question::Large).is_some() {
            return " Tried again, it did answer: it is overloaded, has just started, or is one of several machines \
                    behind the address."
                .to_owned();
        }
        let asked = self.observation.follow_ups.iter();
        let refused: Vec<&str> = asked
            .filter_map(|it| match &it.seen {
                Seen::Hello(_, answer) if answer.hello().is_some() => None,
                Seen::Hello(Question::Small, _) => Some("a small ClientHello"),
                Seen::Hello(Question::Tls11, _) => Some("older versions"),
                Seen::Hello(Question::Wide, _) => Some("every algorithm there is"),
                Seen::Site(site) if site.name.is_none() => Some("no name asked for"),
                _ => None,
            })
            .collect();
        if refused.len() < 2 {
            return String::new();
        }
        format!(
            " It was no different with {}: so it is not about what the client offers.",
            list(&refused)
        )
    }

    /// What a closer look at a server that is well showed.
    pub(super) fn survey(&mut self) -> Option<Survey> {
        let primary = self.observation.primary()?.handshake.as_ref().ok()?;
        let split = self.observation.answer(Question::Split)?.clone();
        let tls12 = primary.version == "TLS 1.2" || self.hello(Question::Tls12).is_some();
        let lowest = match (self.hello(Question::Tls10), self.hello(Question::Tls11)) {
            (Some(hello), _) | (None, Some(hello)) => version(hello.version),
            _ if tls12 => "TLS 1.2".to_owned(),
            _ => "TLS 1.3".to_owned(),
        };
        let group = primary.group.as_deref();
        let survey = Survey {
            lowest_version: lowest,
            tls12,
            post_quantum: group.is_some_and(|it| it.contains("MLKEM")),
            split_hello: split.hello().is_some(),
            // The first handshake was such a one.
            large_hello: true,
        };
        self.weak_spots(&split);
        Some(survey)
    }

    fn weak_spots(&mut self, split: &Answer) {
        if let Some(hello) = self.hello(Question::Tls11)
            && hello.version <= TLS11
        {
            let name = offers::version(self.hello(Question::Tls10).unwrap_or(hello).version);
            let headline = format!("the server still accepts {name}");
            let why = format!(
                "gRPC clients do not use it; but who can alter packets has older attacks at hand where a server \
                 accepts {name}, which was withdrawn in 2021 (RFC 8996)."
            );
            let fix = Fix::steps([
                "raise the server's lowest version to TLS 1.2: nginx `ssl_protocols TLSv1.2 TLSv1.3;` · \
                 haproxy `bind … ssl-min-ver TLSv1.2`",
            ]);
            let code = Code::TlsAcceptsOldVersions;
            let finding = Finding::new(code, headline.clone(), why, fix);
            self.warn(headline, finding);
        }
        if split.is_nothing() {
            let headline = "a ClientHello in two packets gets no answer";
            let why = "This one went through in one packet. On a way with smaller packets, or from a client that \
                       offers more, it takes two, and then the server, or something on the way, takes the first for \
                       the whole message.";
            let fix = Fix::steps([
                "let what ends TLS read on until the record is whole: update the server, the proxy or the firewall",
            ]);
            let code = Code::TlsHelloInOnePiece;
            self.warn(headline.to_owned(), Finding::new(code, headline, why, fix));
        }
    }

    /// A warning about a stage that keeps its own words.
    fn warn(&mut self, message: String, finding: Finding) {
        let told = self.stages.iter().find(|it| it.id == StageId::Tls);
        let told = told.map(|it| (format!("{}; {message}", it.message), it.elapsed));
        let (message, elapsed) = told.unwrap_or((message, None));
        self.stages.retain(|it| it.id != StageId::Tls);
        self.stage(StageId::Tls, Status::Warn, message, elapsed);
        self.findings.push(finding);
    }
}

fn no_cipher(hello: &ServerHello) -> Finding {
    let name = suite(hello.suite);
    let who = match kind(hello.suite) {
        Kind::Cbc => {
            "That is CBC: Go, Node and Java get in; Python, C++ and Rust, which want AEAD, do not."
        }
        Kind::Dhe => {
            "That is finite-field Diffie-Hellman: Node and Java may get in; Go, Python, C++ and Rust do not."
        }
        Kind::Rsa => {
            "That gives the session to whoever gets the server's key later: Node and Java may get in; Python, C++, \
             Rust, and Go since 1.22 do not."
        }
        Kind::Other => "Few clients offer that.",
    };
    let version = version(hello.version);
    Finding::new(
        Code::TlsNoCipher,
        "server and client have no cipher suite in common",
        format!("Offered everything there is, the server chose {version} with {name}. {who}"),
        Fix::steps([
            "let the server use TLS 1.3, or TLS 1.2 with ECDHE and an AEAD cipher: nginx \
             `ssl_protocols TLSv1.2 TLSv1.3;` and `ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;`",
            "OpenSSL's own settings: `CipherString = ECDHE+AESGCM:ECDHE+CHACHA20`",
        ]),
    )
}

fn no_group(number: u16) -> Finding {
    let name = group(number);
    let who = match number {
        0x0019 => "Go, Python, C++, Node and Java offer it and get in; Rust does not.",
        0x001e => "Node and Java offer it and get in; Go, Python, C++ and Rust do not.",
        _ => "Hardly any client offers it.",
    };
    Finding::new(
        Code::TlsNoGroup,
        "server and client have no key exchange group in common",
        format!("Offered every group there is, the server wants {name}. {who}"),
        Fix::steps([
            "let the server offer X25519 and P-256 as well: nginx `ssl_ecdh_curve X25519:prime256v1;` · haproxy \
             `bind … curves X25519:P-256`",
            "OpenSSL's own settings: `Groups = X25519:P-256` · Go: no `CurvePreferences`",
        ]),
    )
}

fn no_signature(what: &str) -> Finding {
    Finding::new(
        Code::TlsNoSignature,
        "server and client have no signature algorithm in common",
        what,
        Fix::steps([
            "give the server a key that every client takes (`key = \"ecdsa-p256\"` in certs.toml, then \
             `grpc-pki issue`), and do not restrict its signature algorithms",
        ]),
    )
}

/// `an Ed448 key`, where the kind is known by name.
fn key_name(end_entity: &Certificate) -> String {
    match end_entity.public_key.to_string().as_str() {
        "key type 1.3.101.113" => "an Ed448 key".to_owned(),
        "key type 1.2.840.10045.2.1" => {
            "an ECDSA key on another curve than P-256, P-384 and P-521".to_owned()
        }
        "key type 1.2.840.10040.4.1" => "a DSA key".to_owned(),
        "key type 1.2.840.113549.1.1.10" => "an RSA key that is for RSASSA-PSS alone".to_owned(),
        other => format!("a key of the {other}"),
    }
}
