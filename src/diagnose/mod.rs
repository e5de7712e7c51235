//! What an observation means: (Observation, Knowledge) → [`Verdict`]. Pure.
//!
//! Each aspect is judged on its own, so that everything that is wrong is told in one go, the first cause first.
//! A finding has a stable [`Code`]; its words are written where it is found, and nowhere else. What a code means in
//! general, in other clients and on other servers, is its page ([`Code::page`]).

mod certificate;
mod client_auth;
mod code;
mod enforcement;
mod fix;
mod grpc;
mod heal;
mod http2;
mod min_days;
mod name;
mod opinions;
mod other_entry;
mod own;
mod pages;
mod path;
mod reach;
mod time;
mod words;

use std::time::Duration;

use ::time::OffsetDateTime;

use crate::config::Place;
use crate::pki::{Certificate, GeneralName};
use crate::probe::{Observation, Target};

pub use code::{Code, Outcome, UnknownCode};
pub use enforcement::{Answer, ClientAuth, Enforcement};
pub use fix::{ConfigLine, Fix};
pub use opinions::{Client, Opinion};
pub use pages::{Page, Who};

/// What is known beside the observation.
#[derive(Debug, Default)]
pub struct Knowledge {
    /// Whom we trust.
    pub anchors: Vec<Certificate>,
    /// Where they were read.
    pub anchors_path: String,
    /// Our own client certificate, where one is to be shown.
    pub identity: Option<Certificate>,
    /// What its file holds behind it.
    pub identity_issuers: Vec<Certificate>,
    /// Whether a server that does not demand a client certificate fails.
    pub require_mtls: bool,
    /// How many days every certificate of the path has to have left.
    pub min_days: Option<u16>,
    /// What certs.toml makes and the folder holds.
    pub entries: Vec<KnownEntry>,
    /// certs.toml, as it was named.
    pub config_path: String,
    /// ` --pki DIR --config FILE` where they are not the usual ones, so that a command works when it is typed.
    pub flags: String,
    /// What else this run of `verify` was given that the next one needs: ` --ca FILE --server-name NAME`.
    pub own_flags: String,
}

/// A certificate that this folder could have made.
#[derive(Debug)]
pub struct KnownEntry {
    /// Entry of certs.toml.
    pub name: String,
    /// Whether it may dial others.
    pub client_auth: bool,
    /// Its names in certs.toml.
    pub names: Vec<GeneralName>,
    /// Where they stand.
    pub place: Place,
    /// What is on disk.
    pub certificate: Option<Certificate>,
}

/// The steps of a connection, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the word itself")]
pub enum StageId {
    Inputs,
    Dns,
    Tcp,
    Tls,
    Path,
    Name,
    Time,
    Alpn,
    Http2,
    ClientAuth,
    Grpc,
    Opinions,
}

impl StageId {
    /// Every stage in order.
    pub const ALL: [Self; 12] = [
        Self::Inputs,
        Self::Dns,
        Self::Tcp,
        Self::Tls,
        Self::Path,
        Self::Name,
        Self::Time,
        Self::Alpn,
        Self::Http2,
        Self::ClientAuth,
        Self::Grpc,
        Self::Opinions,
    ];

    /// As text and JSON show it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inputs => "inputs",
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Path => "path",
            Self::Name => "name",
            Self::Time => "time",
            Self::Alpn => "alpn",
            Self::Http2 => "http2",
            Self::ClientAuth => "client_auth",
            Self::Grpc => "grpc",
            Self::Opinions => "opinions",
        }
    }
}

/// How a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It failed.
    Fail,
    /// It was never come to.
    NotReached,
    /// It is as it should be.
    Ok,
    /// It was looked at without trust, or did not apply.
    Skip,
    /// It works, but something is to be done.
    Warn,
}

impl Status {
    /// As JSON shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::NotReached => "not_reached",
            Self::Ok => "ok",
            Self::Skip => "skip",
            Self::Warn => "warn",
        }
    }
}

/// One step and what was seen.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Which.
    pub id: StageId,
    /// How it ended.
    pub status: Status,
    /// What was seen, in a few words.
    pub message: String,
    /// Time that it took.
    pub elapsed: Option<Duration>,
}

/// One cause.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Its stable name.
    pub code: Code,
    /// What is wrong, as half a sentence.
    pub headline: String,
    /// Why that is so, in a sentence or two.
    pub why: String,
    /// What to do.
    pub fix: Fix,
}

impl Finding {
    fn new(code: Code, headline: impl Into<String>, why: impl Into<String>, fix: Fix) -> Self {
        Self {
            code,
            headline: headline.into(),
            why: why.into(),
            fix,
        }
    }

    /// The stage that it belongs to, which its code names.
    pub fn stage(&self) -> StageId {
        self.code.stage()
    }
}

/// The conclusion.
#[derive(Debug)]
pub struct Verdict {
    /// Whom it is about.
    pub target: Target,
    /// Every stage, in order.
    pub stages: Vec<Stage>,
    /// Every cause, the first one first.
    pub findings: Vec<Finding>,
    /// What the server presented, the end entity first.
    pub chain: Vec<Certificate>,
    /// The trust anchor that it reaches.
    pub anchor: Option<Certificate>,
    /// What the server makes of client certificates.
    pub client_auth: ClientAuth,
    /// Who would decide otherwise.
    pub opinions: Vec<Opinion>,
}

impl Verdict {
    /// The first cause of a failure; `None` when the server is trusted.
    pub fn failure(&self) -> Option<&Finding> {
        self.findings
            .iter()
            .find(|finding| finding.code.outcome() != Outcome::Passes)
    }

    /// Whether a gRPC client gets through.
    pub fn is_trusted(&self) -> bool {
        self.failure().is_none()
    }
}

/// Collects stages and findings.
struct Judge<'a> {
    observation: &'a Observation,
    knowledge: &'a Knowledge,
    now: OffsetDateTime,
    client_auth: ClientAuth,
    stages: Vec<Stage>,
    findings: Vec<Finding>,
}

impl Judge<'_> {
    fn stage(
        &mut self,
        id: StageId,
        status: Status,
        message: impl Into<String>,
        elapsed: Option<Duration>,
    ) {
        self.stages.push(Stage {
            id,
            status,
            message: message.into(),
            elapsed,
        });
    }

    /// Notes a cause; its stage is shown as failed, or as a warning when the connection works all the same.
    fn find(&mut self, message: impl Into<String>, finding: Finding) {
        let status = match finding.code.outcome() {
            Outcome::Passes => Status::Warn,
            _ => Status::Fail,
        };
        self.stage(finding.stage(), status, message, None);
        self.findings.push(finding);
    }
}

/// Judges what was seen.
pub fn judge(observation: &Observation, knowledge: &Knowledge, now: OffsetDateTime) -> Verdict {
    let mut judge = Judge {
        observation,
        knowledge,
        now,
        client_auth: ClientAuth::default(),
        stages: Vec::new(),
        findings: Vec::new(),
    };
    let inputs = match &knowledge.identity {
        Some(identity) => format!(
            "{}, as {}",
            knowledge.anchors_path,
            words::short(&identity.subject)
        ),
        None => knowledge.anchors_path.clone(),
    };
    judge.stage(StageId::Inputs, Status::Ok, inputs, None);
    judge.dns();
    judge.tcp();
    judge.tls();
    let (chain, anchor) = judge.certificate();
    judge.alpn();
    judge.http2();
    judge.client_auth();
    judge.grpc();
    let opinions = judge.opinions(&chain);
    let Judge {
        stages: seen,
        mut findings,
        client_auth,
        ..
    } = judge;
    let stages = StageId::ALL
        .into_iter()
        .map(|id| {
            // Several findings may concern one stage; it is shown once, at its worst.
            let of_stage = seen.iter().filter(|stage| stage.id == id);
            of_stage
                .min_by_key(|stage| rank(stage.status))
                .cloned()
                .unwrap_or(Stage {
                    id,
                    status: Status::NotReached,
                    message: String::new(),
                    elapsed: None,
                })
        })
        .collect();
    findings.sort_by_key(|finding| (finding.code.outcome().rank(), finding.stage()));
    Verdict {
        target: observation.target.clone(),
        stages,
        findings,
        chain,
        anchor,
        client_auth,
        opinions,
    }
}

fn rank(status: Status) -> u8 {
    match status {
        Status::Fail => 0,
        Status::Warn => 1,
        Status::Ok => 2,
        Status::Skip => 3,
        Status::NotReached => 4,
    }
}
