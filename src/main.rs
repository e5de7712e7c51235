//! The binary: builds the real world's context and hands over to [`grpc_pki::cli`].
#![expect(
    clippy::disallowed_methods,
    reason = "the clock and the streams are read here, once"
)]

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;

use grpc_pki::cli::{self, Context};
use grpc_pki::keys::SystemKeys;
use grpc_pki::probe::SystemResolver;
use rustix::fs::Mode;
use time::OffsetDateTime;

fn main() -> ExitCode {
    // Files get their mode when they are created, whatever the umask of whoever runs this: see `store`.
    rustix::process::umask(Mode::from_raw_mode(0o022));
    let color =
        io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
    let mut context = Context {
        now: OffsetDateTime::now_utc(),
        keys: &SystemKeys,
        resolver: Arc::new(SystemResolver),
        color,
        interactive: io::stderr().is_terminal(),
        stdout: &mut io::stdout(),
        stderr: &mut io::stderr(),
    };
    ExitCode::from(cli::run(std::env::args_os(), &mut context))
}
