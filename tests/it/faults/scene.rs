//! Where the faults happen: a folder in memory, projects in it, and the program run on them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use super::calls::{self, Fault};
use super::judge::{Answer, Judge, Request, When};

/// A folder for projects, removed when it is dropped. Memory is where a thousand runs do not wait for a disk;
/// `FAULT_DIR` names another place.
pub struct Scratch {
    dir: TempDir,
    cases: AtomicUsize,
}

impl Scratch {
    pub fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let dir = match std::env::var_os("FAULT_DIR") {
            Some(place) => TempDir::new_in(place),
            None => TempDir::new_in(memory).or_else(|_| TempDir::new()),
        };
        Self {
            dir: dir.unwrap(),
            cases: AtomicUsize::new(0),
        }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A new project, with what another one has.
    pub fn project(&self, template: Option<&Project>) -> Project {
        let number = self.cases.fetch_add(1, Ordering::Relaxed);
        let place = self.dir.path().join(format!("{number:05}"));
        let root = place.join("project");
        fs::create_dir_all(&root).unwrap();
        let project = Project { place, root };
        if let Some(template) = template {
            project.fill_from(template);
        }
        project
    }
}

/// A folder with a certs.toml and a pki folder, and beside it what the program printed; removed when it is dropped.
pub struct Project {
    place: PathBuf,
    root: PathBuf,
}

impl Project {
    /// The same with its folder seen by another path, at which something is mounted.
    pub fn mounted(mut self, root: PathBuf) -> Self {
        self.root = root;
        self
    }

    /// Copies all that another one has.
    pub fn fill_from(&self, template: &Self) {
        copy(&template.root, &self.root);
    }

    pub fn place(&self) -> &Path {
        &self.place
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn pki(&self) -> PathBuf {
        self.root.join("pki")
    }

    pub fn config(&self) -> PathBuf {
        self.root.join("certs.toml")
    }

    /// Runs the program to its end.
    pub fn run(&self, args: &str) -> Ended {
        self.wait(&mut self.command(args))
    }

    /// Runs a command that prints into files beside the project.
    pub fn wait(&self, command: &mut Command) -> Ended {
        self.ended(command.status().unwrap())
    }

    /// How a command ended that printed into files beside the project.
    pub fn ended(&self, status: ExitStatus) -> Ended {
        Ended {
            code: status.code(),
            stdout: fs::read_to_string(self.place.join("out")).unwrap(),
            stderr: fs::read_to_string(self.place.join("err")).unwrap(),
        }
    }

    /// The program with these arguments.
    pub fn command(&self, args: &str) -> Command {
        self.prepare(Command::new(env!("CARGO_BIN_EXE_grpc-pki")), args)
    }

    /// The same of another program that understands these arguments, whole paths in place of the usual ones.
    pub fn prepare(&self, mut command: Command, args: &str) -> Command {
        command
            .args(args.split_whitespace())
            .arg("--pki")
            .arg(self.pki())
            .arg("--config")
            .arg(self.config())
            .current_dir(&self.root);
        self.redirect(&mut command);
        command
    }

    /// Lets a command print into files beside the project.
    pub fn redirect(&self, command: &mut Command) {
        let printed = |name: &str| File::create(self.place.join(name)).unwrap();
        command
            .stdin(Stdio::null())
            .stdout(printed("out"))
            .stderr(printed("err"));
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.place);
    }
}

/// How a run ended, and what it printed; no code after a signal.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn said(&self) -> String {
        format!(
            "exit {:?}: {}",
            self.code,
            self.stderr.trim().replace('\n', " / ")
        )
    }
}

/// Copies a folder with its modes, which every file has from the start: the watcher is looking.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        let mode = entry.metadata().unwrap().permissions().mode();
        if entry.path().is_dir() {
            DirBuilder::new().mode(mode).create(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            let mut options = OpenOptions::new();
            let mut file = options
                .write(true)
                .create_new(true)
                .mode(mode)
                .open(&to)
                .unwrap();
            file.write_all(&fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

/// What a run is to do with a project.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Task {
    /// A CA in an empty folder.
    Init,
    /// Certificates where there are none.
    Issue,
    /// All of them again, the old still good.
    Renew,
    /// Nothing but to complete a renewal that was interrupted after its commit record.
    Recover,
}

/// A task with the project it begins from.
pub struct Scene {
    pub name: String,
    pub task: Task,
    /// What certs.toml asks for.
    pub names: Vec<String>,
    pub template: Project,
    /// The template, judged.
    pub before: Answer,
    /// What a recovery must come to.
    pub expected: Option<Answer>,
}

impl Scene {
    /// With so many certificates.
    pub fn new(scratch: &Scratch, judge: &mut Judge, task: Task, count: usize) -> Self {
        let names: Vec<String> = (1..=count).map(|it| format!("n{it:03}")).collect();
        let template = scratch.project(None);
        if task != Task::Init {
            fs::write(template.config(), config(&names)).unwrap();
            assert_eq!(template.run("init").code, Some(0));
        }
        if matches!(task, Task::Renew | Task::Recover) {
            assert_eq!(template.run("issue").code, Some(0));
        }
        let before = judge.ask(Request {
            dir: &template.pki(),
            names: &names,
            when: When::After,
            ca: None,
            complete: matches!(task, Task::Renew | Task::Recover),
        });
        assert!(before.problems.is_empty(), "{:#?}", before.problems);
        Self {
            name: format!("{} of {count}", task.command()),
            task,
            names,
            template,
            before,
            expected: None,
        }
    }

    /// A renewal that was killed when some of its files were in place.
    pub fn recovery(scratch: &Scratch, judge: &mut Judge, count: usize) -> Self {
        let scene = Self::new(scratch, judge, Task::Recover, count);
        let project = scratch.project(Some(&scene.template));
        let command = project.command("issue --force");
        let (calls, _) = calls::record(&project, &command);
        let placed = format!("project/pki/{}.key", scene.names[count / 2]);
        let call = calls
            .iter()
            .find(|it| it.name.starts_with("rename") && it.text.contains(&placed));
        let call = call.expect("a renewal puts its files into place");
        let template = scratch.project(Some(&scene.template));
        let command = template.command("issue --force");
        let (status, hit) = call.inject(&template, Fault::Kill, &command);
        assert!(hit, "{status}");
        let mut judged = |project: &Project, when| {
            judge.ask(Request {
                dir: &project.pki(),
                names: &scene.names,
                when,
                ca: scene.before.whole_ca(),
                complete: true,
            })
        };
        let before = judged(&template, When::AtOnce);
        assert!(before.record && before.problems.is_empty(), "{before:#?}");
        let completed = scratch.project(Some(&template));
        assert_eq!(completed.run("issue").code, Some(0));
        let expected = judged(&completed, When::After);
        assert!(expected.problems.is_empty(), "{:#?}", expected.problems);
        Self {
            name: format!("recovery of {count}"),
            template,
            before,
            expected: Some(expected),
            ..scene
        }
    }

    /// What `init` writes where there is no certs.toml asks for these two.
    pub fn init(scratch: &Scratch, judge: &mut Judge) -> Self {
        Self {
            name: "init".to_owned(),
            names: ["server", "client"].map(str::to_owned).into(),
            ..Self::new(scratch, judge, Task::Init, 0)
        }
    }
}

impl Task {
    pub fn command(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Issue | Self::Recover => "issue",
            Self::Renew => "issue --force",
        }
    }
}

/// A certs.toml that asks for these.
pub fn config(names: &[String]) -> String {
    let entry = |name: &String| {
        format!("[certs.{name}]\nprofile = \"peer\"\nalt_names = {{ DNS = [\"{name}\"] }}\n")
    };
    "[ca]\ndn = { CN = \"faults\" }\n".to_owned() + &names.iter().map(entry).collect::<String>()
}
