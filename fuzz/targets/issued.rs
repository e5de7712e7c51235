//! `issued.jsonl`: what is written after a torn line is whole, and what was whole stays.
#![no_main]

use grpc_pki::store::fuzzing::issued;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let (log, mended) = issued(text);
    assert!(mended.is_empty() || mended.ends_with(b"\n"));
    let (again, same) = issued(&mended);
    assert!(!again.is_torn() && same == mended);
    assert!(again.serials.is_superset(&log.serials));
    assert_eq!(again.damaged, log.damaged);
});
