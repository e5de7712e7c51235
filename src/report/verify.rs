//! What `verify` found: the verdict first, then a line for each stage, the cause and the fix.

use std::fmt::Write;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{Report, Style};
use crate::diagnose::{Answer, Finding, Opinion, Outcome, Stage, StageId, Status, Verdict};
use crate::pki::Certificate;
use crate::pki::certificate::{hex, purpose_name};
use crate::probe::{
    Attempt, ConnectFailure, Failure, Observation, Purpose, RpcOutcome, Serving, Session,
};
use crate::text::{date, printable, rfc3339, until};

/// Width of a line without its time.
const WIDTH: usize = 68;

/// What `verify` found at one target.
#[derive(Debug)]
pub struct VerifyReport {
    /// What was seen.
    pub observation: Observation,
    /// What it means.
    pub verdict: Verdict,
    /// The time of the run.
    pub now: OffsetDateTime,
    /// What the process will exit with.
    pub exit_code: u8,
}

impl VerifyReport {
    fn headline(&self, style: Style) -> String {
        let target = style.strong(&printable(&self.verdict.target.text));
        let Some(failure) = self.verdict.failure() else {
            let mut stages = self.verdict.stages.iter();
            let grpc = stages.find(|stage| stage.id == StageId::Grpc);
            let state = grpc.map_or("", |stage| stage.message.as_str());
            return format!("{target}  {} — trusted, {state}\n", style.good("OK"));
        };
        let failed = style.bad(&format!("FAILED at {}", failure.stage().as_str()));
        format!("{target}  {failed} — {}\n", failure.headline)
    }

    fn line(stage: &Stage, style: Style) -> String {
        let mark = match stage.status {
            Status::Fail => style.bad("FAIL"),
            Status::NotReached | Status::Skip => style.faint("--  "),
            Status::Ok => style.good("ok  "),
            Status::Warn => style.warn("warn"),
        };
        let text = format!("{:<11}  {}", stage.id.as_str(), stage.message);
        let time = stage.elapsed.map_or_else(String::new, |elapsed| {
            let gap = " ".repeat(WIDTH.saturating_sub(text.chars().count()).max(1));
            style.faint(&format!("{gap}{:.1} ms", elapsed.as_secs_f64() * 1000.0))
        });
        format!("  {mark}  {text}{time}\n")
    }

    fn cause(&self, finding: &Finding, style: Style) -> String {
        let mut text = paragraph("why", &finding.why, style);
        for (index, step) in finding.fix.steps.iter().enumerate() {
            let label = if index == 0 { "fix" } else { "" };
            text.push_str(&paragraph(label, step, style));
        }
        text
    }

    fn chain(&self, style: Style) -> String {
        let mut text = String::new();
        for (depth, certificate) in self.verdict.chain.iter().enumerate() {
            let _ = writeln!(
                text,
                "  {}  {} · serial {} · {} · until {} ({}) · sha256 {}",
                style.faint(&depth.to_string()),
                printable(&certificate.subject.to_string()),
                certificate.serial_hex(),
                certificate.public_key,
                date(certificate.validity.not_after),
                until(self.now, certificate.validity.not_after),
                certificate.fingerprint(),
            );
        }
        text
    }
}

/// A labelled paragraph, wrapped at word boundaries; what stands in backticks is to be copied and stays whole.
fn paragraph(label: &str, text: &str, style: Style) -> String {
    let mut out = String::new();
    let mut line = String::new();
    let mut label = style.strong(&format!("{label:<6}"));
    for word in words(text) {
        if !line.is_empty() && line.chars().count() + word.chars().count() > 72 {
            let _ = writeln!(out, "{label}{line}");
            label = " ".repeat(6);
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    let _ = writeln!(out, "{label}{line}");
    out
}

/// The words of a text, a span in backticks being one.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match words.last_mut() {
            Some(open) if open.matches('`').count() % 2 == 1 => {
                open.push(' ');
                open.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

impl Report for VerifyReport {
    fn human(&self, style: Style) -> String {
        let mut text = self.headline(style);
        let shown = self.verdict.stages.iter().filter(|stage| {
            stage.status != Status::NotReached && (style.verbose || stage.id.as_str() != "inputs")
        });
        text.extend(shown.map(|stage| Self::line(stage, style)));
        if style.verbose {
            text.push_str(&self.chain(style));
        }
        let mut findings = self.verdict.findings.iter();
        if let Some(first) = findings.next() {
            text.push_str(&self.cause(first, style));
        }
        for other in findings {
            text.push_str(&paragraph(
                "also",
                &format!("{} ({})", other.headline, other.code.as_str()),
                style,
            ));
        }
        // Where a client refuses what we trust, a finding has told it.
        for opinion in self.verdict.opinions.iter().filter(|it| it.accepts) {
            text.push_str(&paragraph("also", &opinion.words(), style));
        }
        if let Some(first) = self.verdict.findings.first() {
            let code = first.code.as_str();
            let more = style.faint(&format!("(grpc-pki explain {code})"));
            let _ = writeln!(text, "{:<6}{code}   {more}", style.strong("code"));
        }
        text
    }

    fn json(&self) -> Value {
        let verdict = &self.verdict;
        let failure = verdict.failure();
        let through = self
            .observation
            .sessions
            .iter()
            .find_map(|it| it.handshake.as_ref().ok());
        json!({
            "schema": 1,
            "command": "verify",
            "target": verdict.target.text,
            "ok": verdict.is_trusted(),
            "exit_code": self.exit_code,
            "code": failure.map(|it| it.code.as_str()),
            "failed_stage": failure.map(|it| it.stage().as_str()),
            "started_at": rfc3339(self.now),
            "elapsed_ms": millis(self.observation.elapsed),
            "addresses": self.observation.attempts.iter().map(address).collect::<Vec<_>>(),
            "stages": verdict.stages.iter().map(|it| stage(it, verdict)).collect::<Vec<_>>(),
            "tls": through.map(|it| json!({
                "version": it.version,
                "cipher": it.cipher_suite,
                "group": it.group,
                "post_quantum": it.group.as_deref().is_some_and(|it| it.contains("MLKEM")),
                "alpn": it.alpn,
            })),
            "chain": self.certificates(),
            "client_auth": self.client_auth(),
            "grpc": self.grpc(),
            "opinions": verdict.opinions.iter().flat_map(opinions).collect::<Vec<_>>(),
            "findings": verdict.findings.iter().map(finding).collect::<Vec<_>>(),
            "connections": self.observation.connections().map(connection).collect::<Vec<_>>(),
            "raw": {
                "error": raw(&self.observation),
                "peer_bytes_hex": self.observation.primary().map(|it| hex(&it.peer_octets)),
            },
        })
    }
}

impl VerifyReport {
    fn certificates(&self) -> Vec<Value> {
        let served = self.verdict.chain.iter().enumerate();
        let mut chain: Vec<Value> = served
            .map(|(depth, it)| certificate(it, depth, "served", self.now))
            .collect();
        if let Some(anchor) = &self.verdict.anchor
            && !self.verdict.chain.contains(anchor)
        {
            chain.push(certificate(anchor, chain.len(), "trust", self.now));
        }
        chain
    }

    fn client_auth(&self) -> Value {
        let seen = &self.verdict.client_auth;
        let told = |answer: Option<Answer>| answer.map(Answer::as_str);
        json!({
            "requested": seen.requested,
            "ca_hints": seen.hints.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "presented": seen.presented,
            "anonymous": told(seen.anonymous),
            "with_cert": told(seen.with_certificate),
            "throwaway": told(seen.throwaway),
            "evidence": seen.evidence,
            "verdict": seen.enforcement.as_str(),
            "proven": seen.proven,
        })
    }

    fn grpc(&self) -> Option<Value> {
        let rpc = self
            .observation
            .sessions
            .iter()
            .find_map(|it| it.rpc.as_ref())?;
        let (status, code, message) = match &rpc.outcome {
            RpcOutcome::Health(Serving::NotServing) => (Some("NOT_SERVING"), Some(0), None),
            RpcOutcome::Health(Serving::Serving) => (Some("SERVING"), Some(0), None),
            RpcOutcome::Health(Serving::Unknown) => (Some("UNKNOWN"), Some(0), None),
            RpcOutcome::Status(code, message) => (None, Some(*code), Some(message)),
            RpcOutcome::NoAnswer(_) => (None, None, None),
        };
        Some(json!({
            "health": { "service": "", "status": status, "code": code, "message": message },
            "http_status": rpc.http.as_ref().map(|it| it.status),
            "content_type": rpc.http.as_ref().and_then(|it| it.content_type.as_ref()),
            "server": rpc.http.as_ref().and_then(|it| it.server.as_ref()),
        }))
    }
}

fn millis(elapsed: std::time::Duration) -> f64 {
    (elapsed.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

fn address(attempt: &Attempt) -> Value {
    let result = match &attempt.result {
        Ok(()) => "connected",
        Err(ConnectFailure::Other(_)) => "failed",
        Err(ConnectFailure::Refused) => "refused",
        Err(ConnectFailure::Timeout) => "timeout",
        Err(ConnectFailure::Unreachable) => "unreachable",
    };
    json!({ "ip": attempt.address.ip(), "result": result, "ms": millis(attempt.elapsed) })
}

fn stage(stage: &Stage, verdict: &Verdict) -> Value {
    let code = verdict
        .findings
        .iter()
        .find(|it| it.stage() == stage.id)
        .map(|it| it.code.as_str());
    json!({
        "id": stage.id.as_str(),
        "status": stage.status.as_str(),
        "ms": stage.elapsed.map(millis),
        "code": code,
        "message": stage.message,
    })
}

fn certificate(it: &Certificate, depth: usize, source: &str, now: OffsetDateTime) -> Value {
    let of_kind = |kind: &str| -> Vec<String> {
        it.names
            .iter()
            .filter(|name| name.kind() == kind)
            .map(ToString::to_string)
            .collect()
    };
    let purposes = it.extended_key_usage.as_ref();
    json!({
        "depth": depth,
        "source": source,
        "subject": it.subject.to_string(),
        "issuer": it.issuer.to_string(),
        "serial": it.serial_hex(),
        "not_before": rfc3339(it.validity.not_before),
        "not_after": rfc3339(it.validity.not_after),
        "days_left": (it.validity.not_after - now).whole_days(),
        "key": it.public_key.to_string(),
        "sig": it.signature.name,
        "dns": of_kind("DNS"),
        "ip": of_kind("IP"),
        "uri": of_kind("URI"),
        "eku": purposes.map(|it| it.iter().map(|oid| purpose_name(oid)).collect::<Vec<_>>()),
        "is_ca": it.is_ca(),
        "sha256": it.fingerprint(),
    })
}

fn finding(finding: &Finding) -> Value {
    let severity = match finding.code.outcome() {
        Outcome::Passes => "warning",
        _ => "error",
    };
    json!({
        "code": finding.code.as_str(),
        "stage": finding.stage().as_str(),
        "severity": severity,
        "message": finding.headline,
        "why": finding.why,
        "fix": {
            "text": finding.fix.steps.join("\n"),
            "file": finding.fix.line.as_ref().map(|it| &it.file),
            "line": finding.fix.line.as_ref().map(|it| it.line),
            "new_line": finding.fix.line.as_ref().map(|it| &it.text),
            "command": finding.fix.command,
        },
    })
}

fn opinions(opinion: &Opinion) -> impl Iterator<Item = Value> {
    let (accepts, reason) = (opinion.accepts, &opinion.reason);
    let clients = opinion.clients.iter();
    clients.map(move |it| json!({ "client": it.as_str(), "accepts": accepts, "reason": reason }))
}

fn connection(session: &Session) -> Value {
    let purpose = match session.purpose {
        Purpose::Anonymous => "anonymous",
        Purpose::Diagnosis => "diagnosis",
        Purpose::NoAlpn => "without_alpn",
        Purpose::Primary => "primary",
        Purpose::Throwaway => "throwaway",
    };
    json!({ "purpose": purpose, "address": session.address, "ms": millis(session.elapsed) })
}

/// The words of the libraries below, for those who know them.
fn raw(observation: &Observation) -> Option<String> {
    let refused = observation
        .sessions
        .iter()
        .find_map(|it| it.verified.clone()?.err());
    let primary = observation.primary()?;
    let ended = match (&primary.handshake, &primary.first, &primary.rpc) {
        (Err(failure), ..) => Some(failure),
        (_, Some(crate::probe::First::Ended(failure)), _) => Some(failure),
        (.., Some(rpc)) => rpc.end.as_ref(),
        _ => None,
    };
    let ended = ended
        .filter(|it| **it != Failure::Certificate)
        .map(|it| format!("{it:?}"));
    refused.or(ended)
}

/// The exit code of several targets: the common one, or 1.
pub fn common_exit(codes: &[u8]) -> u8 {
    match codes {
        [first, rest @ ..] if rest.iter().all(|code| code == first) => *first,
        [] => 0,
        _ => 1,
    }
}
