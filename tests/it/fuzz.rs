//! `verify` against servers that say what nobody foresaw, at every stage of a connection; and the files of a folder
//! with octets that nobody foresaw. Nothing panics, nothing hangs, and nothing of it reaches a terminal.
//!
//! Each run has a number, which decides all that the server says. `FUZZ_RUNS=100000` makes so many runs for each
//! stage, `FUZZ_FIRST=17` begins with that number: a failure names the one that repeats it.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::sync::{Arc, Mutex, Once, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use grpc_pki::cli::exit;
use grpc_pki::diagnose::{Judged, ListFile, judge_all};
use grpc_pki::pki::RevocationList;
use grpc_pki::probe::{
    Basis, Credentials, Metadata, Names, Observation, Questions, Request, RpcOutcome, Serving,
    Session, SystemResolver, Target, observe,
};
use grpc_pki::report::{Report, Run, Style, VerifyReport};
use grpc_pki::store::Identity;
use grpc_pki::text::printable_json;
use rustls::version::{TLS12, TLS13};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

use ground::Ground;
use noise::Noise;
use peer::{End, Peer, Speech, Turn};
use stages::Stage;

mod files;
mod frames;
mod ground;
mod noise;
mod peer;
mod stages;

/// Runs of each stage where nobody says how many.
const RUNS: u64 = 150;
/// Runs at one time.
const PARALLEL: usize = 24;
/// `--timeout`.
const LIMIT: Duration = Duration::from_millis(400);
/// Steps that one after the other may take as long.
const STEPS: u32 = 24;
/// For what a loaded machine adds to every step.
const SLACK: Duration = Duration::from_secs(10);
/// Threads whose name begins so run what is tested, and nothing else.
const THREAD: &str = "fuzz ";

/// Panics of those threads; tasks of a library keep theirs to themselves.
static PANICS: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

fn note_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let thread = thread::current();
            if let Some(name) = thread.name().filter(|it| it.starts_with(THREAD)) {
                let mut panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
                panics.push((name.to_owned(), panic.to_string()));
            }
            others(panic);
        }));
    });
}

/// Those of the threads of this name.
fn panics(thread: &str) -> Vec<String> {
    let panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
    let ours = panics.iter().filter(|(name, _)| name == thread);
    ours.map(|(_, panic)| panic.clone()).collect()
}

/// A runtime whose panics are noted.
fn runtime(thread: &str) -> Runtime {
    note_panics();
    Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name(thread)
        .enable_all()
        .build()
        .unwrap()
}

fn number(variable: &str, usual: u64) -> u64 {
    env::var(variable).map_or(usual, |it| it.parse().expect(variable))
}

/// Makes the runs of a stage; returns how often each exit code came.
fn live(stage: Stage) -> BTreeMap<u8, usize> {
    let first = number("FUZZ_FIRST", 0);
    let runs = number("FUZZ_RUNS", RUNS);
    let ground = Arc::new(Ground::new());
    let thread = format!("{THREAD}{stage:?}");
    let runtime = runtime(&thread);
    let permits = Arc::new(Semaphore::new(PARALLEL));
    let (sender, results) = mpsc::channel();
    runtime.spawn(async move {
        for seed in first..first + runs {
            let permit = permits.clone().acquire_owned().await.unwrap();
            let (ground, sender) = (ground.clone(), sender.clone());
            tokio::spawn(async move {
                let done = tokio::spawn(async move { run(stage, &ground, seed).await }).await;
                drop(permit);
                let _ = sender.send((seed, done.unwrap_or_else(|it| Err(it.to_string()))));
            });
        }
    });
    let (mut codes, mut wrong) = (BTreeMap::new(), Vec::new());
    let mut open: BTreeSet<u64> = (first..first + runs).collect();
    while !open.is_empty() {
        let near: Vec<u64> = open.iter().take(PARALLEL).copied().collect();
        match results.recv_timeout(LIMIT * STEPS + 6 * SLACK) {
            Ok((seed, result)) => {
                open.remove(&seed);
                match result {
                    Ok(code) => *codes.entry(code).or_default() += 1,
                    Err(error) => wrong.push(format!("FUZZ_FIRST={seed} FUZZ_RUNS=1: {error}")),
                }
            }
            Err(_) => panic!("{stage:?} spins in one of {near:?}"),
        }
        let panics = panics(&thread);
        assert!(panics.is_empty(), "{stage:?}, near {near:?}: {panics:#?}");
        if wrong.len() > 20 {
            break;
        }
    }
    runtime.shutdown_background();
    assert!(wrong.is_empty(), "{stage:?}: {wrong:#?}");
    eprintln!("{stage:?}: {runs} runs from {first}, exit codes {codes:?}");
    codes
}

async fn run(stage: Stage, ground: &Ground, seed: u64) -> Result<u8, String> {
    let mut noise = Noise::new(seed);
    let turns = stage.turns(ground, &mut noise);
    let socket = ground.socket(seed);
    let peer = if noise.one_in(4) {
        Peer::on_tcp(turns).await
    } else {
        Peer::on_unix(&socket, turns)
    };
    let report = report(ground, &peer, stage, &mut noise).await;
    let _ = std::fs::remove_file(socket);
    let report = report?;
    check(&report)?;
    if stage == Stage::Hello && report.exit_code == exit::OK {
        let text = report.human(Style::default());
        return Err(format!("trusted without a session: {text}"));
    }
    Ok(report.exit_code)
}

/// What `verify` finds at a server, with flags as the noise has them.
async fn report(
    ground: &Ground,
    peer: &Peer,
    stage: Stage,
    noise: &mut Noise,
) -> Result<VerifyReport, String> {
    let mut knowledge = ground.knowledge();
    if stage == Stage::Chain && noise.one_in(2) {
        let octets = ground.list(noise);
        knowledge
            .revocation
            .extend(RevocationList::from_der(&octets).ok().map(|list| ListFile {
                path: "crl.pem".to_owned(),
                named: true,
                lists: vec![Arc::new(list)],
            }));
    }
    let identity = noise.one_in(2).then(|| ground.client.clone());
    knowledge.identity = identity.as_ref().map(|it| it.certificate.clone());
    knowledge.require_mtls = noise.one_in(4);
    knowledge.min_days = noise.one_in(4).then_some(30);
    let target = Target::parse(&peer.target).unwrap();
    let spiffe_id = noise
        .one_in(8)
        .then(|| "spiffe://internal/orders".to_owned());
    let metadata: &[&str] = if noise.one_in(2) {
        &["authorization: Bearer x"]
    } else {
        &[]
    };
    let request = Request {
        target: Target {
            spiffe_id: spiffe_id.filter(|_| stage == Stage::Chain),
            ..target
        },
        basis: Arc::new(Basis::new(
            ground.anchors.iter().cloned(),
            knowledge.revocation_lists().cloned(),
        )),
        identity: identity.as_deref().map(credentials),
        throwaway: noise.one_in(4).then(|| credentials(&ground.stranger)),
        all_addresses: false,
        names: Arc::new(Names::once(Arc::new(SystemResolver))),
        known: knowledge
            .entries
            .iter()
            .map(|it| it.names.clone())
            .collect(),
        survey: noise.one_in(4),
        questions: Questions {
            service: noise.one_in(3).then(|| "shop.v1.Orders".to_owned()),
            metadata: Metadata::parse(metadata.iter().copied()).unwrap(),
            reflection: stage == Stage::Reflection || noise.one_in(4),
        },
        timeout: LIMIT,
        deadline: None,
        now: ground.project.now,
    };
    let looked = tokio::time::timeout(LIMIT * STEPS + SLACK, observe(&request)).await;
    let observation = looked.map_err(|_| "it hangs".to_owned())?;
    let started = Instant::now();
    let Judged {
        observation,
        verdict,
    } = judge_all(observation, &knowledge, request.now);
    if started.elapsed() > SLACK {
        return Err(format!("judged for {:?}", started.elapsed()));
    }
    let deny_warnings = noise.one_in(2);
    let exit_code = match verdict.failure() {
        Some(finding) => exit::of(finding.code.outcome()),
        None if deny_warnings && !verdict.findings.is_empty() => exit::WARNINGS,
        None => exit::OK,
    };
    Ok(VerifyReport {
        observation,
        verdict,
        now: request.now,
        exit_code,
        run: Run {
            attempts: 1,
            deny_warnings,
            ..Run::default()
        },
    })
}

fn credentials(identity: &Identity) -> Arc<Credentials> {
    Arc::new(Credentials::new(identity))
}

/// What holds whatever a server says.
fn check(report: &VerifyReport) -> Result<(), String> {
    in_time(&report.observation)?;
    let code = report.exit_code;
    if !exit::TABLE.iter().any(|(it, _)| *it == code) {
        return Err(format!("exit code {code}"));
    }
    let primary = report.observation.primary();
    if code == exit::OK && primary.is_none_or(|it| it.verified != Some(Ok(()))) {
        return Err("trusted against the word of webpki".to_owned());
    }
    for verbose in [false, true] {
        let style = Style {
            color: false,
            verbose,
        };
        let text = report.human(style);
        if text.contains(steers) {
            return Err(format!("what steers a terminal in {text:?}"));
        }
        if !verbose && text.len() > 16_000 {
            return Err(format!("{} octets of text", text.len()));
        }
    }
    let value = report.json();
    let text = printable_json(&value.to_string());
    if text.contains(|c| c == '\n' || steers(c)) {
        return Err(format!("what steers a terminal in {text:?}"));
    }
    match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(read) if read == value && read["exit_code"] == code => Ok(()),
        Ok(_) => Err(format!("JSON says something else: {text}")),
        Err(error) => Err(format!("no JSON: {error} in {text}")),
    }
}

/// Whether a character may do more than stand there.
fn steers(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether every step kept to its limit.
fn in_time(seen: &Observation) -> Result<(), String> {
    let calls = |it: &Session| it.rpc.as_ref().map(|it| it.elapsed);
    let handshakes = seen.connections().map(|it| it.elapsed);
    let follow_ups = seen.follow_ups.iter().map(|it| it.elapsed);
    // The halves of a ClientHello have a pause between them, and each end has its time.
    let longest = handshakes
        .chain(seen.connections().filter_map(calls))
        .chain(follow_ups)
        .max();
    match longest {
        Some(it) if it > LIMIT + SLACK => Err(format!("a step of {it:?}")),
        _ => Ok(()),
    }
}

#[test]
fn odd_answers_to_a_client_hello() {
    let codes = live(Stage::Hello);
    assert!(codes.contains_key(&exit::TLS), "{codes:?}");
}

#[test]
fn odd_certificates() {
    let codes = live(Stage::Chain);
    assert!(codes.contains_key(&exit::CERTIFICATE), "{codes:?}");
    assert!(codes.contains_key(&exit::TLS), "{codes:?}");
}

#[test]
fn odd_octets_for_settings() {
    let codes = live(Stage::Settings);
    assert!(codes.contains_key(&exit::HTTP2), "{codes:?}");
}

#[test]
fn odd_frames() {
    let codes = live(Stage::Frames);
    assert!(codes.contains_key(&exit::GRPC), "{codes:?}");
}

#[test]
fn odd_answers_of_the_health_service() {
    let codes = live(Stage::Health);
    assert!(codes.contains_key(&exit::GRPC), "{codes:?}");
}

#[test]
fn odd_answers_of_reflection() {
    let codes = live(Stage::Reflection);
    assert!(codes.contains_key(&exit::OK), "{codes:?}");
}

/// Without the noise the same servers are trusted, so it is the noise that is looked at.
#[test]
fn what_is_not_changed_is_trusted() {
    let ground = Ground::new();
    let runtime = runtime("fuzz nothing");
    for version in [&TLS12, &TLS13] {
        let turn = Turn {
            speech: Speech::Session(ground.well(version), stages::well()),
            end: End::Silence,
            cut: 7,
        };
        for tcp in [false, true] {
            let socket = ground.socket(1);
            let report = runtime.block_on(async {
                let turns = vec![turn.clone()];
                let peer = match tcp {
                    true => Peer::on_tcp(turns).await,
                    false => Peer::on_unix(&socket, turns),
                };
                report(&ground, &peer, Stage::Frames, &mut Noise::new(3)).await
            });
            let _ = std::fs::remove_file(socket);
            let report = report.unwrap();
            check(&report).unwrap();
            let rpc = report.observation.primary().and_then(|it| it.rpc.as_ref());
            let outcome = rpc.map(|it| &it.outcome);
            assert_eq!(outcome, Some(&RpcOutcome::Health(Serving::Serving)));
        }
    }
    assert_eq!(panics("fuzz nothing"), [""; 0]);
}

/// The certificate is the right one, and webpki finds nothing wrong with it.
#[test]
fn who_copied_a_certificate_is_not_trusted() {
    let ground = Ground::new();
    let runtime = runtime("fuzz copied");
    for (number, version) in [&TLS12, &TLS13].into_iter().enumerate() {
        let turn = Turn {
            speech: Speech::Session(ground.copied(version), stages::well()),
            end: End::Close,
            cut: 0,
        };
        for seed in 0..8 {
            let report = runtime.block_on(async {
                let socket = ground.socket(seed + 8 * number as u64);
                let peer = Peer::on_unix(&socket, vec![turn.clone()]);
                report(&ground, &peer, Stage::Frames, &mut Noise::new(seed)).await
            });
            let report = report.unwrap();
            let primary = report.observation.primary().unwrap();
            assert_eq!(primary.verified, Some(Ok(())));
            let text = report.human(Style::default());
            assert_eq!(report.exit_code, exit::TLS, "{text}");
            assert!(
                text.contains("does not prove that it has the key"),
                "{text}"
            );
        }
    }
}

/// A reader of the output may go before all servers were looked at.
#[test]
fn a_run_that_ends_early_ends_quietly() {
    let ground = Arc::new(Ground::new());
    for seed in 0..200 {
        let runtime = runtime("fuzz early");
        let (ground, socket) = (ground.clone(), ground.socket(seed));
        let (sender, begun) = mpsc::channel();
        runtime.spawn(async move {
            let peer = Peer::on_unix(&socket, Stage::Hello.turns(&ground, &mut Noise::new(seed)));
            let _ = sender.send(());
            let _ = report(&ground, &peer, Stage::Hello, &mut Noise::new(seed)).await;
        });
        begun.recv().unwrap();
        runtime.shutdown_timeout(SLACK);
    }
    assert_eq!(panics("fuzz early"), [""; 0]);
}

#[test]
fn a_panic_would_be_seen() {
    let runtime = runtime("fuzz panic");
    let joined = runtime.block_on(async { tokio::spawn(async { panic!("seen") }).await });
    assert!(joined.is_err());
    let panics = panics("fuzz panic");
    assert!(panics.iter().all(|it| it.contains("seen")) && panics.len() == 1);
}

#[test]
fn what_steers_a_terminal_would_be_seen() {
    assert!("a\x1b[2J".contains(steers) && "a\u{202e}".contains(steers));
    assert!(!"a ü\n`$(x)`".contains(steers));
}
