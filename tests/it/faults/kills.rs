//! Kills at random times: half of them at any time of the run, half after the commit record stands.

use std::collections::BTreeMap;
use std::process::{Child, Command};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::aftermath::{self, End};
use super::judge::Judge;
use super::scene::{Project, Scene, Scratch, Task};
use super::workers::{Violations, each};

/// Certificates that are issued and renewed.
const CERTIFICATES: usize = 200;

/// What was tried, and what came of it.
pub struct Kills {
    /// Runs that did not come to their end.
    pub killed: usize,
    /// How often a killed run had done nothing, left it to the next command, or done it all.
    pub did: BTreeMap<String, usize>,
    pub violations: Violations,
}

/// Kills so many runs of `init`, of `issue` and of a renewal, by turns.
pub fn kill(scratch: &Scratch, count: usize, seed: u64) -> Kills {
    let mut judge = Judge::new();
    let scenes = [
        Scene::init(scratch, &mut judge),
        Scene::new(scratch, &mut judge, Task::Issue, CERTIFICATES),
        Scene::new(scratch, &mut judge, Task::Renew, CERTIFICATES),
    ];
    let times = scenes.each_ref().map(|scene| Times::of(scratch, scene));
    let mut random = Random(seed);
    let cases: Vec<(usize, Moment)> = (0..count)
        .map(|case| {
            let (scene, part) = (case % scenes.len(), random.part());
            let moment = if (case / scenes.len()).is_multiple_of(2) {
                Moment::AfterStart(times[scene].whole.mul_f64(part))
            } else {
                Moment::AfterRecord(times[scene].from_record.mul_f64(part))
            };
            (scene, moment)
        })
        .collect();
    let came = Mutex::new((0, BTreeMap::new()));
    let violations = each(&cases, |judge, (scene, moment)| {
        let scene = &scenes[*scene];
        let project = scratch.project(Some(&scene.template));
        let mut child = project.command(scene.task.command()).spawn().unwrap();
        let after = match moment {
            Moment::AfterStart(after) => after,
            Moment::AfterRecord(after) => {
                wait_for_record(&project, &mut child);
                after
            }
        };
        // This is the time of the kill; nothing waits for it.
        thread::sleep(*after);
        child.kill().unwrap();
        let ended = project.ended(child.wait().unwrap());
        let end = match ended.code {
            None => End::Killed,
            Some(_) => End::Itself {
                ended,
                reason: None,
            },
        };
        let aftermath = aftermath::look(scene, &project, judge, &end);
        if let (End::Killed, Some(did)) = (&end, aftermath.did) {
            let mut came = came.lock().unwrap();
            came.0 += 1;
            *came.1.entry(did.to_string()).or_default() += 1;
        }
        let what = format!("{} killed {moment:?}", scene.name);
        aftermath
            .problems
            .into_iter()
            .map(|it| format!("{what}: {it}"))
            .collect()
    });
    let (killed, did) = came.into_inner().unwrap();
    Kills {
        killed,
        did,
        violations,
    }
}

/// When a run is killed.
#[derive(Debug)]
enum Moment {
    AfterStart(Duration),
    AfterRecord(Duration),
}

/// How long a task takes here and now.
#[derive(Default)]
struct Times {
    whole: Duration,
    /// From the commit record on.
    from_record: Duration,
}

impl Times {
    /// The longest of a few runs.
    fn of(scratch: &Scratch, scene: &Scene) -> Self {
        let mut times = Self::default();
        for _ in 0..3 {
            let project = scratch.project(Some(&scene.template));
            let mut command: Command = project.command(scene.task.command());
            let started = Instant::now();
            let mut child = command.spawn().unwrap();
            wait_for_record(&project, &mut child);
            let record = Instant::now();
            assert!(child.wait().unwrap().success());
            times.whole = times.whole.max(started.elapsed());
            times.from_record = times.from_record.max(record.elapsed());
        }
        times
    }
}

/// Waits until the commit record stands, or the process has ended without a record that anybody saw.
fn wait_for_record(project: &Project, child: &mut Child) {
    let record = project.pki().join(".grpc-pki/commit.json");
    while !record.exists() && child.try_wait().unwrap().is_none() {
        // Between two looks at the folder, never instead of one.
        thread::sleep(Duration::from_micros(50));
    }
}

/// Numbers that follow from a seed: splitmix64.
pub struct Random(pub u64);

impl Random {
    /// Seeded by `FAULT_SEED`, or else by the time.
    pub fn seed() -> u64 {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        let given = std::env::var("FAULT_SEED").ok();
        given.map_or(u64::from(now.subsec_nanos()), |it| {
            it.parse().expect("FAULT_SEED is a number")
        })
    }

    /// From 0 to 1.
    fn part(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (it ^ (it >> 31)) as f64 / u64::MAX as f64
    }
}
