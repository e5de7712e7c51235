//! A disk of a chosen size, which can be filled, enlarged and made read-only.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::fs::statvfs;

use super::aftermath::{self, End};
use super::judge::Judge;
use super::scene::{Project, Scene, Scratch, Task};

/// Mounts in a mount namespace of its own, and there again as each line says: with the end of this process, or of
/// the one that talks to it, the disk is gone.
const HOLDER: &str = r#"
mount -t tmpfs -o size=4m tmpfs "$0" && echo done || exit 1
while read -r options; do
  mount -o "remount,$options" "$0" && echo done || echo failed
done"#;

const PAGE: u64 = 4096;
/// More pages and more files than any of the tasks needs.
const ENOUGH: u64 = 60;

/// A mounted tmpfs.
pub struct Disk {
    holder: Child,
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// Where it is seen from outside of the namespace.
    path: PathBuf,
}

impl Disk {
    /// Mounts one over a folder; the reason where this user may not.
    pub fn mount(folder: &Path) -> Result<Self, String> {
        let user: &[&str] = if rustix::process::geteuid().is_root() {
            &[]
        } else {
            &["--map-root-user"]
        };
        let mut holder = Command::new("unshare")
            .args(user)
            .args(["--mount", "sh", "-c", HOLDER])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("unshare: {error}"))?;
        let path = PathBuf::from(format!("/proc/{}/root{}", holder.id(), folder.display()));
        let mut disk = Self {
            asks: holder.stdin.take(),
            answers: BufReader::new(holder.stdout.take().unwrap()),
            holder,
            path,
        };
        if disk.is_done() && statvfs(&disk.path).is_ok() {
            Ok(disk)
        } else {
            Err("this user may not mount a tmpfs".to_owned())
        }
    }

    fn is_done(&mut self) -> bool {
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .is_ok_and(|_| line == "done\n")
    }

    fn remount(&mut self, options: &str) {
        writeln!(self.asks.as_mut().unwrap(), "{options}").unwrap();
        assert!(self.is_done(), "{options}");
    }

    /// Leaves so many pages or files free.
    fn leave(&mut self, room: Room, free: u64) {
        let now = statvfs(&self.path).unwrap();
        // A size of 0 would be no limit at all.
        let pages = (now.f_blocks - now.f_bfree + free).max(1);
        self.remount(&match room {
            Room::Pages => format!("size={}", pages * PAGE),
            Room::Files => format!("nr_inodes={}", now.f_files - now.f_ffree + free),
        });
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.asks = None;
        let _ = self.holder.wait();
    }
}

/// What runs out.
#[derive(Clone, Copy, Debug)]
pub enum Room {
    Pages,
    Files,
}

/// Runs a task with no room at all, then with a little more each time until it is enough; how many runs found too
/// little, and what was wrong.
pub fn fill(
    scratch: &Scratch,
    judge: &mut Judge,
    scene: &Scene,
    room: Room,
) -> (usize, Vec<String>) {
    let mut problems = Vec::new();
    for free in 0..ENOUGH {
        let (mut disk, project) = disk_of(scratch, scene);
        disk.leave(room, free);
        let ended = project.run(scene.task.command());
        disk.leave(room, ENOUGH * 10);
        let enough = ended.code == Some(0);
        let end = End::Itself {
            ended,
            reason: Some("no space left on device"),
        };
        let aftermath = aftermath::look(scene, &project, judge, &end);
        let what = format!("{} with {free} {room:?} free", scene.name);
        problems.extend(
            aftermath
                .problems
                .into_iter()
                .map(|it| format!("{what}: {it}")),
        );
        if enough {
            return (usize::try_from(free).unwrap(), problems);
        }
    }
    problems.push(format!("{} takes more than {ENOUGH} {room:?}", scene.name));
    (0, problems)
}

/// Runs a task on a disk that can only be read: nothing is changed, and where there is nothing to do all is well.
pub fn forbid(scratch: &Scratch, judge: &mut Judge, scene: &Scene) -> Vec<String> {
    let (mut disk, project) = disk_of(scratch, scene);
    disk.remount("ro");
    let mut problems = Vec::new();
    if scene.task == Task::Renew {
        for command in ["init", "issue", "issue --check", "issue --dry-run"] {
            let ended = project.run(command);
            if ended.code != Some(0) {
                problems.push(format!("{command} has nothing to do: {}", ended.said()));
            }
        }
    }
    let ended = project.run(scene.task.command());
    if ended.code != Some(3) {
        problems.push(ended.said());
    }
    disk.remount("rw");
    let end = End::Itself {
        ended,
        reason: Some("read-only file system"),
    };
    problems.extend(aftermath::look(scene, &project, judge, &end).problems);
    let what = format!("{} on a read-only disk", scene.name);
    problems
        .into_iter()
        .map(|it| format!("{what}: {it}"))
        .collect()
}

/// A disk with the project of a scene; what the program prints goes elsewhere.
fn disk_of(scratch: &Scratch, scene: &Scene) -> (Disk, Project) {
    let project = scratch.project(None);
    let disk = Disk::mount(project.root()).expect("it could be mounted before");
    let project = project.mounted(disk.path.clone());
    project.fill_from(&scene.template);
    (disk, project)
}

/// Why there can be no disk; `None` where there can.
pub fn missing(scratch: &Scratch) -> Option<String> {
    let folder = scratch.path().join("disk");
    fs::create_dir_all(&folder).unwrap();
    Disk::mount(&folder).err()
}
