//! PEM texts and private keys: what is read is written and read again as the same key.
#![no_main]

use grpc_pki::pki::contents::Contents;
use grpc_pki::pki::pem;
use grpc_pki::store::fuzzing::key;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let _ = pem::count(text);
    let _ = pem::mentions_private_key(text);
    let _ = Contents::read(text);
    if let Ok(read) = key(text) {
        let again = read.to_pem().expect("a key that was read");
        let again = key(again.as_bytes()).expect("a key that was written");
        assert_eq!(again.public_key_info(), read.public_key_info());
    }
});
