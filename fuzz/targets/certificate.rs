//! Certificate files, certificates and revocation lists: what is read is judged as the chain of a server would be.
#![no_main]

use std::time::Duration;

use grpc_pki::diagnose::{Knowledge, judge};
use grpc_pki::pki::{Certificate, RevocationList};
use grpc_pki::probe::{Address, Handshake, Observation, Purpose, Session, Target};
use grpc_pki::report::{Report, Run, Style, VerifyReport};
use grpc_pki::store::fuzzing::certificates;
use libfuzzer_sys::fuzz_target;
use rustls_pki_types::CertificateDer;
use time::macros::datetime;

fuzz_target!(|octets: &[u8]| {
    let now = datetime!(2026-01-01 0:00 UTC);
    if let Ok(list) = RevocationList::from_der(octets) {
        let _ = list.at(now);
    }
    let chain = match certificates(octets) {
        Ok(read) => read,
        Err(_) => Certificate::from_der(CertificateDer::from(octets.to_vec()))
            .into_iter()
            .collect(),
    };
    let Some(first) = chain.first() else {
        return;
    };
    let target = Target::parse("localhost:50051").expect("a target");
    let session = Session {
        purpose: Purpose::Primary,
        address: Address::Tcp(([127, 0, 0, 1], 50051).into()),
        identity: false,
        chain: chain.iter().map(|it| it.der().clone()).collect(),
        verified: Some(Err("UnknownIssuer".to_owned())),
        requested: None,
        handshake: Ok(Handshake {
            version: "TLS 1.3",
            cipher_suite: "TLS13_AES_256_GCM_SHA384".to_owned(),
            group: None,
            alpn: Some("h2".to_owned()),
        }),
        first: None,
        rpc: None,
        peer_octets: Vec::new(),
        elapsed: Duration::ZERO,
    };
    let observation = Observation {
        sessions: vec![session],
        ..Observation::none(target)
    };
    let knowledge = Knowledge {
        anchors: vec![chain.last().unwrap_or(first).clone()],
        ..Knowledge::default()
    };
    let verdict = judge(&observation, &knowledge, now);
    let report = VerifyReport {
        observation,
        verdict,
        now,
        exit_code: 0,
        run: Run::default(),
    };
    let human = report.human(Style {
        color: false,
        verbose: true,
    });
    let steers = |c: char| c.is_control() && c != '\n';
    assert!(!human.contains(steers), "{human:?}");
    let _ = report.json().to_string();
});
