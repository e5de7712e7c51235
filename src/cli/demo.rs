//! `grpc-pki demo`

use std::path::PathBuf;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::context::Printer;
use super::{Common, Done, Stop, exit, runtime};
use crate::error::{DemoError, Error};

/// Show all of it in a temporary folder: init, issue, serve, verify
///
/// Makes a CA and certificates, runs the sample server on a free port, verifies it over TLS and over mutual TLS,
/// then shows a failure on purpose with its diagnosis. Prints the commands it stands for and leaves nothing
/// behind. Exits with 0 only if everything went as it should.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  grpc-pki demo                            about a second, needs no network but loopback
")]
pub(super) struct Demo {}

impl Demo {
    pub(super) fn run(&self, common: &Common, printer: &mut Printer<'_, '_>) -> Done {
        let color = if printer.style.color {
            "always"
        } else {
            "never"
        };
        let runtime = runtime()?;
        let result = runtime.block_on(async {
            let failed = |source| Error::from(DemoError::Start { source });
            // Before there is anything to leave behind.
            let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
            let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
            let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
            let folder = TempDir::new().map_err(failed)?;
            let program = std::env::current_exe().map_err(failed)?;
            let mut stage = Stage {
                folder,
                program,
                color,
                verbose: common.verbose,
                steps: Vec::new(),
                printer,
            };
            // Dropping the stage ends what runs and removes the folder, whichever way this ends.
            tokio::select! {
                result = stage.play() => result,
                _ = interrupt.recv() => Ok(exit::NO),
                _ = terminate.recv() => Ok(exit::NO),
                _ = hangup.recv() => Ok(exit::NO),
            }
        });
        runtime.shutdown_background();
        match result {
            // Nobody saw the rest, and it was not run.
            Err(Stop::Pipe(_)) => Ok(exit::NO),
            result => result,
        }
    }
}

struct Stage<'a, 'c, 'w> {
    folder: TempDir,
    program: PathBuf,
    color: &'static str,
    verbose: bool,
    /// What was run, and its exit code.
    steps: Vec<Value>,
    printer: &'a mut Printer<'c, 'w>,
}

/// A sample server and the port it was given.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    port: String,
}

impl Stage<'_, '_, '_> {
    async fn play(&mut self) -> Done {
        self.say("A CA, and certificates for a server and a client:")?;
        self.step("init", exit::OK).await?;
        self.step("issue", exit::OK).await?;
        self.say("A server on TLS, and what a client sees of it:")?;
        let server = self.serve("serve localhost:0").await?;
        self.step(&format!("verify localhost:{}", server.port), exit::OK)
            .await?;
        self.stop(server).await?;
        self.say("The same on mutual TLS, where the client shows a certificate too:")?;
        let server = self.serve("serve localhost:0 --mtls").await?;
        self.step(
            &format!("verify localhost:{} --client client", server.port),
            exit::OK,
        )
        .await?;
        self.say("And a failure on purpose: a name that the certificate does not have.")?;
        let wrong = format!(
            "verify localhost:{} --client client --server-name payments",
            server.port
        );
        self.step(&wrong, exit::CERTIFICATE).await?;
        self.stop(server).await?;
        self.say("Everything went as it should; the folder is gone again.")?;
        let steps = &self.steps;
        let json =
            json!({ "schema": 1, "command": "demo", "ok": true, "exit_code": 0, "steps": steps });
        self.printer.document(&json).map_err(Stop::Pipe)?;
        Ok(exit::OK)
    }

    fn say(&mut self, text: &str) -> Result<(), Stop> {
        let text = self.printer.style.strong(text);
        self.printer.line(&text).map_err(Stop::Pipe)
    }

    fn show(&mut self, command: &str, background: bool) -> Result<(), Stop> {
        let tail = if background { " &" } else { "" };
        self.printer
            .line(&format!("$ grpc-pki {command}{tail}"))
            .map_err(Stop::Pipe)
    }

    fn command(&self, command: &str) -> Command {
        let mut process = Command::new(&self.program);
        process
            .args(command.split(' '))
            .arg("--color")
            .arg(self.color)
            // In a group of its own, Ctrl-C reaches the demonstration alone, which then ends what it started.
            .process_group(0)
            .kill_on_drop(true);
        process.current_dir(self.folder.path()).stdin(Stdio::null());
        if self.verbose {
            process.arg("--verbose");
        }
        process
    }

    /// Runs one command to its end, shows what it prints, and expects its exit code.
    async fn step(&mut self, command: &str, expected: u8) -> Result<(), Stop> {
        self.show(command, false)?;
        let output = self.command(command).output().await;
        let output = output.map_err(|source| Error::from(DemoError::Start { source }))?;
        for text in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(text);
            if !text.is_empty() {
                self.printer.line(text.trim_end()).map_err(Stop::Pipe)?;
            }
        }
        if expected != exit::OK {
            self.printer
                .line(&format!("(exit code {expected})"))
                .map_err(Stop::Pipe)?;
        }
        self.printer.line("").map_err(Stop::Pipe)?;
        let code = output.status.code();
        self.steps
            .push(json!({ "command": format!("grpc-pki {command}"), "exit_code": code }));
        if code == Some(i32::from(expected)) {
            return Ok(());
        }
        Err(Error::from(DemoError::Unexpected {
            command: command.to_owned(),
            code,
            expected,
        })
        .into())
    }

    /// Starts a server and waits until it says where it listens.
    async fn serve(&mut self, command: &str) -> Result<Running, Stop> {
        self.show(command, true)?;
        let failed = |source| Error::from(DemoError::Start { source });
        let mut process = self.command(command);
        let mut child = process.stdout(Stdio::piped()).spawn().map_err(failed)?;
        let silent = || {
            Error::from(DemoError::Silent {
                command: command.to_owned(),
            })
        };
        let stdout = child.stdout.take().ok_or_else(silent)?;
        let mut lines = BufReader::new(stdout).lines();
        let line = lines
            .next_line()
            .await
            .map_err(failed)?
            .ok_or_else(silent)?;
        let port = line
            .strip_prefix("listening on localhost:")
            .and_then(|it| it.split(' ').next());
        let port = port.ok_or_else(silent)?.to_owned();
        self.printer.line(&line).map_err(Stop::Pipe)?;
        Ok(Running { child, lines, port })
    }

    /// Asks a server to stop, as an operator would, and expects that it does so cleanly.
    async fn stop(&mut self, mut server: Running) -> Result<(), Stop> {
        let pid = server
            .child
            .id()
            .and_then(|it| Pid::from_raw(it.cast_signed()));
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::TERM);
        }
        let failed = |source| Error::from(DemoError::Start { source });
        // Read to the end, so that it never writes into a closed pipe.
        while server.lines.next_line().await.map_err(failed)?.is_some() {}
        let status = server.child.wait().await.map_err(failed)?;
        if status.success() {
            return Ok(());
        }
        let unexpected = DemoError::Unexpected {
            command: "serve".to_owned(),
            code: status.code(),
            expected: exit::OK,
        };
        Err(Error::from(unexpected).into())
    }
}
