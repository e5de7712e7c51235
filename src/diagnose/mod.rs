//! What an observation means: (Observation, Knowledge) → [`Verdict`]. Pure.
//!
//! Each aspect is judged on its own, so that everything that is wrong is told in one go, the first cause first.
//! A finding has a stable [`Code`]; its words are written where it is found, and nowhere else. What a code means in
//! general, in other clients and on other servers, is its page ([`Code::page`]).

mod addresses;
mod anchors;
mod certificate;
mod client_auth;
mod clock;
mod code;
mod dial;
mod enforcement;
mod fix;
mod goaway;
mod grpc;
mod heal;
mod http2;
mod http_answer;
mod inputs;
mod intermediate;
mod knowledge;
mod min_days;
mod name;
mod negotiation;
mod offers;
mod opinions;
mod other_entry;
mod own;
mod pages;
mod path;
mod proxy;
mod reach;
mod revocation;
mod service;
mod site;
mod spiffe;
mod stale;
mod strict;
mod time;
mod words;

use std::time::Duration;

use ::time::OffsetDateTime;

use crate::pki::Certificate;
use crate::pki::path::Path;
use crate::probe::{Destination, Observation, Target};

pub use addresses::{AtAddress, Judged, judge_all};
pub use code::{Code, Outcome, UnknownCode};
pub use enforcement::{Answer, ClientAuth, Enforcement};
pub use fix::{ConfigLine, Fix};
pub use inputs::{InputFile, Inputs};
pub use knowledge::{Beside, Knowledge, KnownEntry};
pub use negotiation::Survey;
pub use opinions::{Client, Opinion};
pub use pages::{Page, Who};
pub use proxy::Proxy;
pub use revocation::ListFile;

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

    /// Whether gRPC clients do not get through.
    pub fn is_failure(&self) -> bool {
        self.code.outcome() != Outcome::Passes
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
    /// What the server makes of other ClientHellos, where it was asked.
    pub survey: Option<Survey>,
    /// What each address that was dialled is worth, in order.
    pub addresses: Vec<AtAddress>,
    /// Whether every address was looked at on its own, as far as the health service.
    pub compared: bool,
    /// What is worth knowing, and nothing to mend.
    pub notes: Vec<Note>,
}

/// A remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// In words.
    pub text: String,
    /// Whether it is only for those who want to see everything.
    pub verbose: bool,
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
    notes: Vec<Note>,
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
        notes: Vec::new(),
    };
    if judge.inputs() {
        return conclude(judge, Vec::new(), None, Vec::new(), None);
    }
    judge.dns();
    judge.tcp();
    judge.tls();
    let survey = judge.survey();
    let chain = judge.presented();
    let path = Path::find(&chain, &knowledge.anchors, now);
    if let Some(path) = &path {
        judge.certificate(path);
        judge.strict(path);
    }
    judge.alpn();
    judge.http2();
    judge.client_auth();
    judge.grpc();
    judge.unfinished();
    let opinions = path.as_ref().map(|it| judge.opinions(it));
    let opinions = opinions.unwrap_or_default();
    let anchor = path.and_then(|it| it.anchor().cloned());
    conclude(judge, chain, anchor, opinions, survey)
}

/// Every stage once, and the findings in order.
fn conclude(
    judge: Judge<'_>,
    chain: Vec<Certificate>,
    anchor: Option<Certificate>,
    opinions: Vec<Opinion>,
    survey: Option<Survey>,
) -> Verdict {
    let proxy = judge.proxy_note();
    let Judge {
        observation,
        knowledge,
        stages: seen,
        mut findings,
        client_auth,
        notes,
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
    // What is wrong with a certificate matters less when it is another site's.
    let cause = |finding: &Finding| match finding.code {
        Code::NameOtherSite => StageId::Tls,
        _ => finding.stage(),
    };
    findings.sort_by_key(|it| (it.code.outcome().rank(), cause(it)));
    let mut verdict = Verdict {
        target: observation.target.clone(),
        stages,
        findings,
        chain,
        anchor,
        client_auth,
        opinions,
        survey,
        addresses: Vec::new(),
        compared: false,
        notes: Vec::new(),
    };
    verdict.addresses = addresses::dialled(observation, &verdict);
    verdict
        .notes
        .extend(knowledge.remark.iter().map(|text| Note {
            text: text.clone(),
            verbose: false,
        }));
    if let Destination::Unix(_) = observation.target.dial {
        verdict.notes.push(Note {
            text: dial::TONIC_AND_SOCKETS.to_owned(),
            verbose: true,
        });
    }
    verdict.notes.extend(notes);
    verdict.notes.extend(proxy.map(|text| Note {
        text,
        verbose: false,
    }));
    verdict
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
