//! Several addresses of one name: what each of them is worth, and which of them is unlike the others.

use std::collections::BTreeMap;
use std::time::Duration;

use time::OffsetDateTime;

use super::{Code, Knowledge, Note, StageId, Verdict, judge};
use crate::probe::{Address, ConnectFailure, Observation};

/// What is known of one address.
#[derive(Clone, Debug)]
pub struct AtAddress {
    /// Where it is.
    pub address: Address,
    /// Whether there was a connection.
    pub connected: Result<(), ConnectFailure>,
    /// Time that it took.
    pub elapsed: Duration,
    /// Whether a gRPC client gets through; `None` where nothing but the connection was tried.
    pub ok: Option<bool>,
    /// The first cause, where it does not.
    pub code: Option<Code>,
    /// The same in words, or how gRPC answered.
    pub state: String,
    /// SHA-256 of the end entity certificate that was presented, in hex.
    pub certificate: Option<String>,
}

/// What was seen and concluded of one target: of the first address that fails, where every address was looked at.
#[derive(Debug)]
pub struct Judged {
    /// What was seen.
    pub observation: Observation,
    /// What it means.
    pub verdict: Verdict,
}

/// Judges one target at all of the addresses that were looked at. The verdict is that of the first address that
/// fails, then of the first at which there is something to tell, then of the first.
pub fn judge_all(observation: Observation, knowledge: &Knowledge, now: OffsetDateTime) -> Judged {
    let mut observation = observation;
    let siblings = std::mem::take(&mut observation.siblings);
    let elapsed = observation.elapsed;
    let compared = !siblings.is_empty();
    let all = std::iter::once(observation).chain(siblings);
    let mut all: Vec<Judged> = all
        .map(|observation| Judged {
            verdict: judge(&observation, knowledge, now),
            observation,
        })
        .collect();
    let found = |judged: &Judged| !judged.verdict.findings.is_empty();
    let first = all.iter().position(|it| !it.verdict.is_trusted());
    let first = first.or_else(|| all.iter().position(found));
    let addresses: Vec<AtAddress> = all
        .iter()
        .flat_map(|it| it.verdict.addresses.clone())
        .collect();
    let mut chosen = all.swap_remove(first.unwrap_or(0));
    chosen.observation.elapsed = elapsed;
    if compared {
        chosen.verdict.notes.extend(unlike(&addresses));
        chosen.verdict.addresses = addresses;
        chosen.verdict.compared = true;
    }
    chosen
}

/// What is known of each address that was dialled for this verdict.
pub(super) fn dialled(observation: &Observation, verdict: &Verdict) -> Vec<AtAddress> {
    let primary = observation.primary().map(|it| &it.address);
    let grpc = verdict.stages.iter().find(|it| it.id == StageId::Grpc);
    let answer = grpc.map_or("", |it| it.message.as_str());
    let attempts = observation.attempts.iter();
    attempts
        .map(|attempt| {
            let is_judged = primary.is_none_or(|it| *it == attempt.address);
            let failure = verdict.failure().filter(|_| is_judged);
            let state = failure.map_or(format!("trusted, {answer}"), |it| it.headline.clone());
            let leaf = verdict.chain.first().filter(|_| is_judged);
            AtAddress {
                address: attempt.address.clone(),
                connected: attempt.result.clone(),
                elapsed: attempt.elapsed,
                ok: is_judged.then_some(failure.is_none()),
                code: failure.map(|it| it.code),
                state: if is_judged { state } else { String::new() },
                certificate: leaf.map(|it| it.fingerprint()),
            }
        })
        .collect()
}

/// Addresses that present other certificates than the rest. Machines behind one name may well have one each, so that
/// is no finding; but where one alone differs, it may be the one that was forgotten.
fn unlike(addresses: &[AtAddress]) -> Option<Note> {
    let mut by_certificate: BTreeMap<&str, Vec<&Address>> = BTreeMap::new();
    for at in addresses {
        if let Some(certificate) = &at.certificate {
            by_certificate
                .entry(certificate)
                .or_default()
                .push(&at.address);
        }
    }
    let mut kinds: Vec<&Vec<&Address>> = by_certificate.values().collect();
    kinds.sort_by_key(|it| it.len());
    let text = match kinds.as_slice() {
        [] | [_] => return None,
        [odd, same] if odd.len() == 1 && same.len() > 1 => format!(
            "{} presents another certificate than the other {} addresses",
            odd.first().map_or(String::new(), |it| it.host()),
            same.len(),
        ),
        kinds => {
            let presenting: usize = kinds.iter().map(|it| it.len()).sum();
            format!(
                "{presenting} addresses present {} different certificates",
                kinds.len()
            )
        }
    };
    Some(Note {
        text,
        verbose: false,
    })
}
