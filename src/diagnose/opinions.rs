//! Second opinions: where clients that do not use rustls would decide otherwise.
//!
//! A table of what they were seen to do, not an emulation of them. `tests/interop/opinions.json` says the same with the
//! evidence for each decision: a test below holds the two together, and tests/interop asks the clients themselves.

use super::words::list;
use super::{Code, Finding, Fix, Judge, Outcome, StageId, Status};
use crate::pki::certificate::PublicKey;
use crate::pki::path::Path;
use crate::pki::{Certificate, GeneralName};

/// A TLS stack that dials gRPC servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// gRPC's C core on BoringSSL: Python, C++ and others.
    CCore,
    /// Go's crypto/tls.
    Go,
    /// Java's own TLS.
    Java,
    /// Node's own TLS, with grpc-js.
    Node,
    /// rustls, with tonic; it differs only where we are stricter than rustls.
    Rust,
}

use Client::{CCore, Go, Java, Node, Rust};

impl Client {
    /// Every client, as text names them.
    pub(super) const ALL: [Self; 5] = [Go, CCore, Node, Java, Rust];

    /// As JSON shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            CCore => "c-core",
            Go => "go",
            Java => "java",
            Node => "node",
            Rust => "rust",
        }
    }

    fn names(self) -> &'static [&'static str] {
        match self {
            CCore => &["Python", "C++"],
            Go => &["Go"],
            Java => &["Java"],
            Node => &["Node"],
            Rust => &["Rust"],
        }
    }
}

/// Clients that decide otherwise than we do, all for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// Who.
    pub clients: Vec<Client>,
    /// Whether they would accept the server; we do not, then.
    pub accepts: bool,
    /// Why, as half a sentence.
    pub reason: String,
}

impl Opinion {
    /// `Python and C++ would refuse`.
    fn decision(&self) -> String {
        let names: Vec<&str> = self
            .clients
            .iter()
            .flat_map(|it| it.names())
            .copied()
            .collect();
        let verb = if self.accepts { "accept" } else { "refuse" };
        format!("{} would {verb}", list(&names))
    }

    /// `Python and C++ would refuse: the certificate has an ed25519 key`.
    pub fn words(&self) -> String {
        format!("{}: {}", self.decision(), self.reason)
    }
}

/// What clients decide differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    AnchorExpired,
    AnyPurpose,
    CaAsServer,
    CommonName,
    Ed25519,
    NoAlpn,
    P521,
    Revoked,
    Rsa1024,
    Sha1,
}

pub(super) struct Row {
    pub(super) case: Case,
    /// Our finding; `None` where we have nothing against it.
    pub(super) code: Option<Code>,
    pub(super) accepts: &'static [Client],
    /// Why some decide otherwise than we do.
    pub(super) reason: &'static str,
}

const TABLE: [Row; 10] = [
    super::revocation::OPINION,
    Row {
        case: Case::CommonName,
        code: Some(Code::NameNoSan),
        accepts: &[CCore, Node, Java],
        reason: "without subjectAltName, the common name counts there",
    },
    Row {
        case: Case::CaAsServer,
        code: Some(Code::PathCaAsServer),
        accepts: &[Go, CCore, Node, Java],
        reason: "a CA certificate may be a server's there",
    },
    Row {
        case: Case::AnyPurpose,
        code: Some(Code::PathPurpose),
        accepts: &[Go, Java],
        reason: "anyExtendedKeyUsage includes servers there",
    },
    Row {
        case: Case::Rsa1024,
        code: Some(Code::PathWeak),
        accepts: &[Go, CCore, Node, Java],
        reason: "1024 bits of RSA are enough there (Node: before 24.5)",
    },
    Row {
        case: Case::Sha1,
        code: Some(Code::PathWeak),
        accepts: &[CCore, Java],
        reason: "a signature with SHA-1 is enough there",
    },
    Row {
        case: Case::AnchorExpired,
        code: Some(Code::TimeAnchor),
        accepts: &[Java, Rust],
        reason: "the dates of a trusted CA do not count there",
    },
    Row {
        case: Case::NoAlpn,
        code: Some(Code::AlpnNone),
        accepts: &[Node],
        reason: "HTTP/2 needs no ALPN there",
    },
    Row {
        case: Case::Ed25519,
        code: None,
        accepts: &[Go, Node, Java, Rust],
        reason: "the certificate has an ed25519 key",
    },
    Row {
        case: Case::P521,
        code: None,
        accepts: &[Go, Node, Java, Rust],
        reason: "the certificate has an ecdsa-p521 key",
    },
];

/// Who decides otherwise, given our failing findings and the cases that the server is one of.
fn opinions(failing: &[Code], cases: &[Case]) -> Vec<Opinion> {
    let mut opinions: Vec<Opinion> = Vec::new();
    for client in Client::ALL {
        let (accepts, reason) = decide(client, failing, cases);
        if accepts == failing.is_empty() {
            continue;
        }
        match opinions.iter_mut().find(|it| it.reason == reason) {
            Some(opinion) => opinion.clients.push(client),
            None => opinions.push(Opinion {
                clients: vec![client],
                accepts,
                reason,
            }),
        }
    }
    opinions
}

/// A client accepts when it tolerates every finding and has nothing of its own against the server.
fn decide(client: Client, failing: &[Code], cases: &[Case]) -> (bool, String) {
    let rows = |code: Option<Code>| {
        TABLE
            .iter()
            .filter(move |row| row.code == code && cases.contains(&row.case))
    };
    let own: Vec<&str> = rows(None)
        .filter(|row| !row.accepts.contains(&client))
        .map(|row| row.reason)
        .collect();
    if !own.is_empty() {
        return (false, own.join(" and "));
    }
    let mut reasons = Vec::new();
    for code in failing {
        let rows: Vec<&Row> = rows(Some(*code)).collect();
        if rows.is_empty() || rows.iter().any(|row| !row.accepts.contains(&client)) {
            return (false, String::new());
        }
        reasons.extend(rows.iter().map(|row| row.reason));
    }
    (true, reasons.join(" and "))
}

impl Judge<'_> {
    pub(super) fn opinions(&mut self, path: &Path<'_>) -> Vec<Opinion> {
        let failing = self.findings.iter().map(|it| it.code);
        let failing: Vec<Code> = failing
            .filter(|it| !matches!(it.outcome(), Outcome::Expires | Outcome::Passes))
            .collect();
        if failing.contains(&Code::PathRefused) {
            let message = "not known: the reason is rustls's own";
            self.stage(StageId::Opinions, Status::Skip, message, None);
            return Vec::new();
        }
        let opinions = opinions(&failing, &self.cases(path));
        if opinions.is_empty() {
            let (status, message) = self.agreement();
            self.stage(StageId::Opinions, status, message, None);
            return opinions;
        }
        let decisions: Vec<String> = opinions.iter().map(Opinion::decision).collect();
        self.stage(StageId::Opinions, Status::Warn, decisions.join("; "), None);
        for opinion in opinions.iter().filter(|it| !it.accepts) {
            self.refused_elsewhere(opinion);
        }
        opinions
    }

    fn refused_elsewhere(&mut self, opinion: &Opinion) {
        let others = [Go, CCore, Node, Java].into_iter();
        let others = others.filter(|it| !opinion.clients.contains(it));
        let others: Vec<&str> = others.flat_map(Client::names).copied().collect();
        let why = format!("{}. {} would accept it.", opinion.words(), list(&others));
        let fix = Fix::steps([format!(
            "have the certificate issued with a key that every client takes: `key = \"ecdsa-p256\"` in certs.toml, \
             then `{}`, and restart the server",
            self.knowledge.command("issue")
        )]);
        let code = Code::OpinionsRefusedElsewhere;
        let finding = Finding::new(code, opinion.words(), why, fix);
        self.find(opinion.decision(), finding);
    }

    /// The cases of the table that this server is one of.
    fn cases(&self, path: &Path<'_>) -> Vec<Case> {
        let end_entity = path.certificates[0];
        let mut cases = weaknesses(path);
        let wanted = self.observation.target.name().as_name();
        if end_entity.names.is_empty()
            && let GeneralName::Dns(_) = wanted
            && let Some(name) = end_entity.subject.common_name()
            && GeneralName::Dns(name.to_owned()).covers(&wanted)
        {
            cases.push(Case::CommonName);
        }
        if end_entity.allows_any_purpose() {
            cases.push(Case::AnyPurpose);
        }
        if self.answering().is_some_and(super::http2::speaks_http2) {
            cases.push(Case::NoAlpn);
        }
        match end_entity.public_key {
            PublicKey::Ed25519 => cases.push(Case::Ed25519),
            PublicKey::Ecdsa("p521") => cases.push(Case::P521),
            _ => {}
        }
        // Our finding says it all.
        cases.extend([Case::CaAsServer, Case::AnchorExpired, Case::Revoked]);
        cases
    }
}

/// The weaknesses of the end entity; none where there is one that no client was asked about.
fn weaknesses(path: &Path<'_>) -> Vec<Case> {
    let anchor = path.anchor();
    let facts = |it: &Certificate| {
        let bits = match it.public_key {
            PublicKey::Rsa(bits) => bits,
            _ => usize::MAX,
        };
        // Nobody verifies the signature of what is trusted as it is.
        let digest = match anchor.is_some_and(|anchor| anchor.der() == it.der()) {
            true => String::new(),
            false => it.signature.name.to_lowercase(),
        };
        (bits, digest.contains("sha1"), digest.contains("md5"))
    };
    let (bits, sha1, md5) = facts(path.certificates[0]);
    let mut issuers = path.certificates[1..].iter().map(|it| facts(it));
    if bits < 1024 || md5 || issuers.any(|(bits, sha1, md5)| bits < 2048 || sha1 || md5) {
        return Vec::new();
    }
    let rsa = (bits < 2048).then_some(Case::Rsa1024);
    rsa.into_iter().chain(sha1.then_some(Case::Sha1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(failing: &[Code], cases: &[Case]) -> Vec<String> {
        opinions(failing, cases)
            .iter()
            .map(Opinion::words)
            .collect()
    }

    #[test]
    fn the_table_and_the_evidence_say_the_same() {
        let rows: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/interop/opinions.json")).unwrap();
        let rows = rows.as_array().unwrap();
        assert_eq!(rows.len(), TABLE.len());
        for (row, listed) in TABLE.iter().zip(rows) {
            let case = format!("{:?}", row.case);
            assert_eq!(listed["case"], case.as_str());
            assert_eq!(listed["finding"].as_str(), row.code.map(Code::as_str));
            assert_eq!(
                listed["clients"].as_object().unwrap().len(),
                Client::ALL.len()
            );
            for client in Client::ALL {
                let decision = &listed["clients"][client.as_str()];
                let accepts = row.accepts.contains(&client);
                assert_eq!(decision["accepts"], accepts, "{case}, {client:?}");
                let evidence = decision["evidence"].as_str().unwrap();
                assert!(
                    !evidence.is_empty() && evidence != "none:",
                    "{case}, {client:?}"
                );
            }
        }
    }

    #[test]
    fn who_tolerates_our_finding_would_accept() {
        assert_eq!(
            words(&[Code::NameNoSan], &[Case::CommonName]),
            [
                "Python, C++, Node and Java would accept: without subjectAltName, the common name counts there"
            ]
        );
    }

    #[test]
    fn a_finding_outside_the_table_is_every_clients() {
        assert!(words(&[Code::NameNoSan], &[]).is_empty());
        assert!(words(&[Code::NameDns], &[Case::CommonName]).is_empty());
        assert!(words(&[Code::GrpcNotServing], &[Case::NoAlpn]).is_empty());
        let failing = [Code::TimeAnchor, Code::TimeExpired];
        assert!(words(&failing, &[Case::AnchorExpired]).is_empty());
    }

    #[test]
    fn every_finding_and_every_weakness_has_to_be_tolerated() {
        let failing = [Code::PathCaAsServer, Code::TimeAnchor];
        let opinions = opinions(&failing, &[Case::CaAsServer, Case::AnchorExpired]);
        assert_eq!(opinions[0].clients, [Java]);
        assert!(opinions[0].reason.contains(" and "));
        let told = words(&[Code::PathWeak], &[Case::Rsa1024, Case::Sha1]);
        assert!(
            told[0].starts_with("Python, C++ and Java would accept"),
            "{told:?}"
        );
    }

    #[test]
    fn what_a_client_has_against_the_server_comes_before_what_it_tolerates() {
        assert_eq!(
            words(&[], &[Case::Ed25519]),
            ["Python and C++ would refuse: the certificate has an ed25519 key"]
        );
        let told = words(&[Code::NameNoSan], &[Case::CommonName, Case::P521]);
        assert!(
            told[0].starts_with("Node and Java would accept"),
            "{told:?}"
        );
    }

    #[test]
    fn without_a_difference_there_is_no_opinion() {
        let all: Vec<Case> = TABLE
            .iter()
            .filter(|row| row.code.is_some())
            .map(|row| row.case)
            .collect();
        assert!(words(&[], &all).is_empty());
    }
}
