//! The commit record: what is accepted names nothing outside the folder.
#![no_main]

use std::path::Path;

use grpc_pki::store::fuzzing::commit_record;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    for file in commit_record(text).into_iter().flatten() {
        let inside = Path::new("pki").join(&file);
        assert_eq!(inside.parent(), Some(Path::new("pki")), "{file:?}");
        assert!(inside.file_name().is_some(), "{file:?}");
    }
});
