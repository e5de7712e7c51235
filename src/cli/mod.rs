//! The command line: the straight line from arguments to a report, and the one place that prints.

mod changing;
mod context;
mod demo;
mod ephemeral;
pub mod exit;
mod explain;
mod init;
mod issue;
mod passphrase;
mod progress;
mod serve;
mod status;
mod verify;

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

pub use context::Context;
pub use passphrase::{Passphrases, SystemPassphrases};

use crate::config::{Config, ConfigError};
use crate::error::{Error, Kind};
use crate::store::Store;
use crate::text::quoted;
use context::Printer;

/// The way from an empty folder to a trusted server.
const EXAMPLES: &str = "Examples:
  grpc-pki init                            a CA, and a certs.toml to edit
  grpc-pki issue                           keys and certificates as certs.toml asks
  grpc-pki serve                           a sample server on localhost:50051
  grpc-pki verify localhost:50051          is it trusted? if not, why, and what to do
  grpc-pki demo                            all of it at once, in a temporary folder
";

/// Where keys and certificates lie unless `--pki` says otherwise.
const DEFAULT_PKI: &str = "pki";

/// TLS and mutual TLS for gRPC: make the certificates, and prove that they work
#[derive(Debug, Parser)]
#[command(
    name = "grpc-pki",
    version,
    max_term_width = 100,
    propagate_version = false
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Flags that every command has.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Common {
    /// Folder of keys and certificates
    #[arg(long, global = true, value_name = "DIR", default_value = DEFAULT_PKI)]
    pki: PathBuf,
    /// What to make [default: certs.toml]
    #[arg(long, global = true, value_name = "FILE", hide_default_value = true)]
    config: Option<PathBuf>,
    /// Text for people, or one JSON document for scripts
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "human",
        hide_possible_values = true,
        value_name = "human|json"
    )]
    format: Format,
    /// When to colour text
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "auto",
        hide_possible_values = true,
        value_name = "auto|always|never"
    )]
    color: ColorChoice,
    /// Print nothing but warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Show everything
    #[arg(short, long, global = true)]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Issue(issue::Issue),
    Verify(Box<verify::Verify>),
    Serve(serve::Serve),
    Status(status::Show),
    Demo(demo::Demo),
    Explain(explain::Explain),
}

impl Command {
    fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::Issue(_) => "issue",
            Self::Verify(_) => "verify",
            Self::Serve(_) => "serve",
            Self::Status(_) => "status",
            Self::Demo(_) => "demo",
            Self::Explain(_) => "explain",
        }
    }
}

impl Common {
    fn store(&self) -> Store {
        Store::new(&self.pki)
    }

    fn config_path(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new("certs.toml"))
    }

    /// The flags that another command needs to find the same folder and file.
    fn flags(&self) -> String {
        let mut flags = String::new();
        if self.pki != Path::new(DEFAULT_PKI) {
            flags.push_str(&format!(" --pki {}", quoted(&self.pki)));
        }
        if let Some(config) = &self.config {
            flags.push_str(&format!(" --config {}", quoted(config)));
        }
        flags
    }

    fn load_config(&self) -> Result<Config, ConfigError> {
        Config::load(self.config_path())
    }

    /// certs.toml, or nothing where there is none and none was asked for.
    fn load_config_if_there(&self) -> Result<Option<Config>, ConfigError> {
        match self.load_config() {
            Ok(config) => Ok(Some(config)),
            Err(ConfigError::Missing { .. } | ConfigError::Empty { .. })
                if self.config.is_none() =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Runs one command and returns the exit code of the process; see [`exit`].
pub fn run(args: impl IntoIterator<Item = OsString>, context: &mut Context<'_>) -> u8 {
    let matches = command().try_get_matches_from(args);
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, context),
    };
    let mut printer = Printer::new(context, &cli.common);
    let result = match &cli.command {
        Command::Init(args) => args.run(&cli.common, &mut printer),
        Command::Issue(args) => args.run(&cli.common, &mut printer),
        Command::Verify(args) => args.run(&cli.common, &mut printer),
        Command::Serve(args) => args.run(&cli.common, &mut printer),
        Command::Status(args) => args.run(&cli.common, &mut printer),
        Command::Demo(args) => args.run(&cli.common, &mut printer),
        Command::Explain(args) => args.run(&mut printer),
    };
    let told = match result {
        Ok(code) => return code,
        Err(Stop::Pipe(error)) => Err(error),
        Err(Stop::Error(error)) => {
            let code = match error.kind() {
                Kind::Answer => exit::NO,
                Kind::Input => exit::INPUT,
                Kind::System => exit::SYSTEM,
            };
            printer
                .failure(&error, cli.command.name(), code)
                .map(|()| code)
        }
    };
    match told {
        Ok(code) => code,
        // Whoever read the output has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => exit::OK,
        Err(error) => {
            printer.unheard(&error);
            exit::SYSTEM
        }
    }
}

/// Why a command stops early.
enum Stop {
    Error(Box<Error>),
    /// stdout or stderr is gone.
    Pipe(io::Error),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(Box::new(error.into()))
    }
}

/// Threads and an event queue, for the commands that use the network.
fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|source| Error::Runtime { source })
}

/// The result of one command: its exit code.
type Done = Result<u8, Stop>;

/// The command line as clap knows it, each long help with the exit codes.
pub fn command() -> clap::Command {
    let command = Cli::command()
        .disable_help_subcommand(true)
        .after_long_help(format!(
            "{EXAMPLES}
{}",
            exit::help()
        ));
    let names: Vec<String> = command
        .get_subcommands()
        .map(|it| it.get_name().to_owned())
        .collect();
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |sub| {
            let examples = sub
                .get_after_long_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            sub.after_long_help(format!("{examples}\n{}", exit::help()))
        })
    })
}

/// What clap has to say: help on stdout with 0, a mistake on stderr with 2.
fn usage(error: &clap::Error, context: &mut Context<'_>) -> u8 {
    let text = if context.color {
        error.render().ansi().to_string()
    } else {
        error.render().to_string()
    };
    let (stream, code) = if error.use_stderr() {
        (&mut *context.stderr, exit::INPUT)
    } else {
        (&mut *context.stdout, exit::OK)
    };
    let _ = writeln!(stream, "{}", text.trim_end());
    code
}
