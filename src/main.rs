//! The binary: builds the real world's context and hands over to [`grpc_pki::cli`].
#![expect(
    clippy::disallowed_methods,
    reason = "the clock and the streams are read here, once"
)]

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;

use grpc_pki::cli::{self, Context, SystemPassphrases};
use grpc_pki::keys::SystemKeys;
use grpc_pki::probe::SystemResolver;
use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, setrlimit, umask};
use time::OffsetDateTime;

fn main() -> ExitCode {
    keep_no_core();
    // Files get their mode when they are created, whatever the umask of whoever runs this: see `store`.
    umask(Mode::from_raw_mode(0o022));
    let color =
        io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
    let mut context = Context {
        now: OffsetDateTime::now_utc(),
        keys: &SystemKeys,
        passphrases: &SystemPassphrases,
        resolver: Arc::new(SystemResolver),
        color,
        interactive: io::stderr().is_terminal(),
        stdout: &mut io::stdout(),
        stderr: &mut io::stderr(),
    };
    ExitCode::from(cli::run(std::env::args_os(), &mut context))
}

/// Whatever the command, it may hold a private key, which a core dump would write to a disk. A limit of zero holds for
/// files; where the system pipes the dump to a program, it does not, but a process that may not be dumped is not.
/// So nobody but root can attach a debugger to it either, which holds for `serve` as well: it is the same key.
fn keep_no_core() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // Neither can fail for a process that only gives up what it may do.
    let _ = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
