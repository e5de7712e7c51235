//! `issued.jsonl`: what follows a torn line is read all the same.
#![no_main]

use grpc_pki::store::fuzzing::issued;
use libfuzzer_sys::fuzz_target;

const WHOLE: &[u8] = br#"
{"name":"a","serial":"01","subject":"","issuer":"","profile":"peer","names":[],"not_before":"","not_after":"","sha256":""}
"#;

fuzz_target!(|text: &[u8]| {
    let read = issued(text);
    let more = issued(&[text, WHOLE].concat());
    assert_eq!(more.len(), read.len() + 1);
});
