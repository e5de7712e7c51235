//! What `verify` found, as one JSON document.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::VerifyReport;
use crate::diagnose::{Answer, AtAddress, Code, Finding, Opinion, Outcome, Stage, Survey, Verdict};
use crate::pki::Certificate;
use crate::pki::certificate::{hex, purpose_name};
use crate::probe::{Address, ConnectFailure, Failure, FollowUp, Observation, Session};
use crate::text::rfc3339;

impl VerifyReport {
    /// The whole document; unknown keys may be added, none changes its meaning.
    pub(super) fn document(&self) -> Value {
        let verdict = &self.verdict;
        let failure = verdict.failure().or_else(|| self.denied());
        let through = self
            .observation
            .sessions
            .iter()
            .find_map(|it| it.handshake.as_ref().ok());
        json!({
            "schema": 1,
            "command": "verify",
            "target": verdict.target.text,
            "entry": verdict.target.entry,
            "ok": self.is_ok(),
            "exit_code": self.exit_code,
            "code": failure.map(|it| it.code.as_str()),
            "failed_stage": failure.map(|it| it.stage().as_str()),
            "started_at": rfc3339(self.now),
            "attempts": self.run.attempts,
            "elapsed_ms": millis(self.observation.elapsed),
            "addresses": verdict.addresses.iter().map(address).collect::<Vec<_>>(),
            "stages": verdict.stages.iter().map(|it| stage(it, verdict)).collect::<Vec<_>>(),
            "tls": through.map(|it| json!({
                "version": it.version,
                "cipher": it.cipher_suite,
                "group": it.group,
                "post_quantum": it.group.as_deref().is_some_and(|it| it.contains("MLKEM")),
                "alpn": it.alpn,
                "survey": verdict.survey.as_ref().map(survey),
            })),
            "chain": self.certificates(),
            "client_auth": self.client_auth(),
            "grpc": self.grpc(),
            "opinions": verdict.opinions.iter().flat_map(opinions).collect::<Vec<_>>(),
            "findings": verdict.findings.iter().map(finding).collect::<Vec<_>>(),
            "notes": verdict.notes.iter().map(|it| &it.text).collect::<Vec<_>>(),
            "connections": self.connections(),
            "raw": {
                "error": raw(&self.observation),
                "peer_bytes_hex": self.observation.primary().map(|it| hex(&it.peer_octets)),
            },
        })
    }

    fn connections(&self) -> Vec<Value> {
        let sessions = self.observation.connections().map(connection);
        sessions
            .chain(self.observation.follow_ups.iter().map(follow_up))
            .collect()
    }

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
}

fn millis(elapsed: std::time::Duration) -> f64 {
    (elapsed.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

fn address(at: &AtAddress) -> Value {
    let result = match &at.connected {
        Ok(()) => "connected",
        Err(ConnectFailure::Denied) => "denied",
        Err(ConnectFailure::Missing) => "missing",
        Err(ConnectFailure::NotSocket | ConnectFailure::Other(_)) => "failed",
        Err(ConnectFailure::Refused) => "refused",
        Err(ConnectFailure::Timeout) => "timeout",
        Err(ConnectFailure::Unreachable) => "unreachable",
    };
    let (ip, path) = match &at.address {
        Address::Tcp(address) => (Some(address.ip()), None),
        Address::Unix(path) => (None, Some(path.to_string_lossy())),
    };
    json!({
        "ip": ip,
        "path": path,
        "result": result,
        "ms": millis(at.elapsed),
        "ok": at.ok,
        "code": at.code.map(Code::as_str),
        "leaf_sha256": at.certificate,
    })
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
    json!({
        "purpose": session.purpose.as_str(),
        "address": session.address.to_string(),
        "ms": millis(session.elapsed),
        "answer": null,
    })
}

fn follow_up(it: &FollowUp) -> Value {
    json!({
        "purpose": it.purpose(),
        "address": it.address.to_string(),
        "ms": millis(it.elapsed),
        "answer": it.answer(),
    })
}

fn survey(it: &Survey) -> Value {
    json!({
        "lowest_version": it.lowest_version,
        "tls_1_2": it.tls12,
        "post_quantum": it.post_quantum,
        "split_hello": it.split_hello,
        "large_hello": it.large_hello,
    })
}

/// The words of the libraries below, for those who know them.
pub(super) fn raw(observation: &Observation) -> Option<String> {
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
