//! Servers in processes of their own: ours, `openssl s_server`, Python's, and how others are started and ended.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::pki::{Pair, World};

/// Nothing here takes a second; a busy machine gets thirty.
const DEADLINE: Duration = Duration::from_secs(30);

/// A running server, ended when it is dropped.
pub struct Process {
    child: Child,
    said: Arc<(Mutex<Vec<String>>, Condvar)>,
    pub port: u16,
    /// Whether it has processes of its own to end.
    parent: bool,
}

impl Process {
    /// Starts it and waits for the line that `port` reads its port from.
    pub fn start(command: Command, port: impl Fn(&str) -> Option<u16>) -> Self {
        // openssl listens to its input, and would end with it.
        let mut process = Self::spawn(command, Stdio::piped());
        process.port = process.wait_for(&port);
        process
    }

    /// Starts one that is handed the socket to listen on as its standard input: clients may call from then on.
    pub fn handed(listener: TcpListener, command: Command) -> Self {
        let port = listener.local_addr().unwrap().port();
        let mut process = Self::spawn(command, Stdio::from(OwnedFd::from(listener)));
        process.port = port;
        process.parent = true;
        process
    }

    fn spawn(mut command: Command, stdin: Stdio) -> Self {
        let mut child = command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let said = Arc::default();
        listen(child.stdout.take().unwrap(), &said);
        listen(child.stderr.take().unwrap(), &said);
        Self {
            child,
            said,
            port: 0,
            parent: false,
        }
    }

    /// Waits for a line that `read` makes something of.
    pub fn wait_for<T>(&self, read: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        let (lines, changed) = &*self.said;
        let mut lines = lines.lock().unwrap();
        loop {
            if let Some(found) = lines.iter().find_map(|line| read(line)) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the server said {lines:#?}");
            lines = changed.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// nginx ends its worker when it is asked to, and leaves it behind when it is killed.
    fn ask_to_end(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if pid.is_some_and(|it| kill_process(it, Signal::TERM).is_ok()) {
            let deadline = Instant::now() + DEADLINE;
            while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
                // Between two looks at the process, never instead of one.
                thread::sleep(Duration::from_millis(2));
            }
        }
    }

    /// What it has said so far.
    pub fn lines(&self) -> Vec<String> {
        self.said.0.lock().unwrap().clone()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.parent {
            self.ask_to_end();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(stream: impl Read + Send + 'static, said: &Arc<(Mutex<Vec<String>>, Condvar)>) {
    let said = said.clone();
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            said.0.lock().unwrap().push(line);
            said.1.notify_all();
        }
    });
}

/// What a client is asked for.
#[derive(Clone, Copy, PartialEq)]
pub enum Ask {
    Optional,
    Required,
}

/// `openssl s_server`, with more arguments.
pub fn openssl(world: &World, pair: &Pair, more: &[&str]) -> Process {
    let mut command = Command::new("openssl");
    command
        .current_dir(world.path())
        .args(["s_server", "-accept", "127.0.0.1:0", "-cert"])
        .arg(&pair.certificate)
        .arg("-cert_chain")
        .arg(&pair.certificate)
        .arg("-key")
        .arg(&pair.key)
        .args(more);
    Process::start(command, |line| {
        line.strip_prefix("ACCEPT ")?
            .rsplit_once(':')?
            .1
            .parse()
            .ok()
    })
}

/// How Python's server is to behave; see server.py.
pub struct Python(Value);

impl Python {
    pub fn new(mode: &str) -> Self {
        Self(json!({ "mode": mode }))
    }

    pub fn tls(mode: &str, pair: &Pair) -> Self {
        Self(json!({ "mode": mode, "cert": pair.certificate, "key": pair.key }))
    }

    pub fn asks(mut self, ask: Ask, ca: &Path) -> Self {
        self.0["client_ca"] = json!(ca);
        self.0["verify"] = json!(match ask {
            Ask::Optional => "optional",
            Ask::Required => "required",
        });
        self
    }

    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0[key] = value.into();
        self
    }

    pub fn start(self) -> Process {
        let mut command = Command::new("python3");
        command
            .args(["-c", include_str!("server.py")])
            .arg(self.0.to_string());
        Process::start(command, |line| line.strip_prefix("port ")?.parse().ok())
    }
}

/// Python's own web server, in an empty folder.
pub fn python_http(world: &World) -> Process {
    let folder = world.path().join("web");
    std::fs::create_dir_all(&folder).unwrap();
    let mut command = Command::new("python3");
    command
        .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1"])
        .current_dir(folder);
    Process::start(command, |line| {
        let rest = line.strip_prefix("Serving HTTP on 127.0.0.1 port ")?;
        rest.split(' ').next()?.parse().ok()
    })
}

/// Our own `grpc-pki serve`.
pub fn serve(world: &World, more: &[&str]) -> Process {
    serve_at(world, 0, more)
}

/// Our own `grpc-pki serve` on this port.
pub fn serve_at(world: &World, port: u16, more: &[&str]) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grpc-pki"));
    command
        .args(["serve", &format!("127.0.0.1:{port}")])
        .args(more)
        .current_dir(world.path());
    Process::start(command, |line| {
        let rest = line.strip_prefix("listening on 127.0.0.1:")?;
        rest.split(' ').next()?.parse().ok()
    })
}
