//! certs.toml: every text is a configuration or a list of mistakes that can be printed.
#![no_main]

use std::path::Path;

use grpc_pki::config::Config;
use grpc_pki::error::Error;
use grpc_pki::report::{Failure, Style};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let Err(error) = Config::parse(Path::new("certs.toml"), text) else {
        return;
    };
    let failure = Failure {
        error: &Error::from(error),
        command: "issue",
        exit_code: 2,
    };
    let human = failure.human(Style::default());
    // Tabs of the file stay, so that the caret stands where the eye looks.
    let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    assert!(!human.contains(steers), "{human:?}");
    let _ = failure.json().to_string();
});
