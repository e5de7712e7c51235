//! `--wait`: looks again until the server is as it should be, or nothing is left that time could mend.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use tokio::sync::Semaphore;

use super::super::exit;
use super::local::beside;
use crate::diagnose::{self, Code, Judged, Knowledge, Verdict};
use crate::probe::{self, Observation, Request};
use crate::report::{self, Run, VerifyReport};

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    /// All in all, from the start of the run.
    pub(super) limit: Duration,
    /// Between two attempts.
    pub(super) interval: Duration,
}

/// How targets are looked at.
pub(super) struct Manner {
    pub(super) knowledge: Knowledge,
    /// The pki folder.
    pub(super) folder: PathBuf,
    pub(super) wait: Option<Wait>,
    pub(super) deny_warnings: bool,
    pub(super) several: bool,
    /// The time of the run, and the same moment on a clock that runs on.
    pub(super) now: OffsetDateTime,
    pub(super) started: Instant,
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// It is what will be reported.
    Report,
    /// Another one, after this time.
    Again(Duration),
    /// It is what will be reported, as the last of those that the time allowed.
    RanOut,
}

/// What follows an attempt that ended with this exit code at this time.
fn next(wait: Option<Wait>, exit_code: u8, may_heal: bool, elapsed: Duration) -> Next {
    match wait {
        Some(wait) if exit_code != exit::OK && may_heal => {
            let left = wait.limit.saturating_sub(elapsed);
            if left.is_zero() {
                Next::RanOut
            } else {
                Next::Again(wait.interval.min(left))
            }
        }
        _ => Next::Report,
    }
}

/// Up to this, a run has one time for all of its targets.
const MOMENT: Duration = Duration::from_secs(60);

/// The time so long after the start of a run. For one who waits it goes on; so it does where there are so many targets
/// that the last would be judged by the time of long ago.
fn time_after(start: OffsetDateTime, elapsed: Duration, waits: bool) -> OffsetDateTime {
    match time::Duration::try_from(elapsed) {
        Ok(passed) if waits || elapsed > MOMENT => start.checked_add(passed).unwrap_or(start),
        _ => start,
    }
}

impl Manner {
    /// The time now, by the clock that nobody sets.
    fn time(&self) -> OffsetDateTime {
        time_after(self.now, self.started.elapsed(), self.wait.is_some())
    }

    fn exit_code(&self, verdict: &Verdict) -> u8 {
        match verdict.failure() {
            Some(finding) => exit::of(finding.code.outcome()),
            None if self.deny_warnings && !verdict.findings.is_empty() => exit::WARNINGS,
            None => exit::OK,
        }
    }

    /// Looks at one server until there is something to report; `tell` hears of each change of cause. An attempt takes
    /// a permit, the time between two does not.
    pub(super) async fn look(
        &self,
        mut request: Request,
        permits: Arc<Semaphore>,
        tell: impl Fn(String),
    ) -> VerifyReport {
        let mut attempts = 0;
        let mut told: Option<Code> = None;
        request.deadline = self.wait.and_then(|it| self.started.checked_add(it.limit));
        loop {
            // Closed it never is; without a permit there would only be more at one time.
            let permit = permits.acquire().await;
            request.now = self.time();
            // Where a local file is wrong no server is to blame, and none is asked.
            let observation = if self.knowledge.inputs.is_failed() {
                Observation::none(request.target.clone())
            } else {
                // On the heap while it lasts: hundreds of targets that wait for their turn have no need of the room.
                Box::pin(probe::observe(&request)).await
            };
            drop(permit);
            attempts += 1;
            if observation.is_distrusted() {
                let knowledge = &self.knowledge;
                let read = || beside(knowledge, &self.folder);
                knowledge.beside.get_or_init(read);
            }
            let Judged {
                observation,
                verdict,
            } = diagnose::judge_all(observation, &self.knowledge, request.now);
            let exit_code = self.exit_code(&verdict);
            let elapsed = self.started.elapsed();
            let may_heal = verdict.may_heal(&observation, request.now);
            let next = next(self.wait, exit_code, may_heal, elapsed);
            if let Next::Again(pause) = next {
                let cause = verdict.findings.first().map(|it| it.code);
                if cause != told {
                    told = cause;
                    report::waiting(&verdict, elapsed)
                        .into_iter()
                        .for_each(&tell);
                }
                tokio::time::sleep(pause).await;
                continue;
            }
            let ran_out = self.wait.filter(|_| next == Next::RanOut);
            return VerifyReport {
                observation,
                verdict,
                now: request.now,
                exit_code: if ran_out.is_some() {
                    exit::WAIT
                } else {
                    exit_code
                },
                run: Run {
                    attempts,
                    waited: elapsed,
                    ran_out: ran_out.map(|it| it.limit),
                    deny_warnings: self.deny_warnings,
                    several: self.several,
                },
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;
    const WAIT: Option<Wait> = Some(Wait {
        limit: Duration::from_secs(30),
        interval: Duration::from_millis(500),
    });

    #[test]
    fn a_short_run_has_one_time_and_for_a_long_one_it_goes_on() {
        let start = OffsetDateTime::UNIX_EPOCH;
        let after = |seconds, waits| {
            let now = time_after(start, Duration::from_secs(seconds), waits);
            (now - start).whole_seconds()
        };
        assert_eq!(
            [after(59, false), after(59, true), after(600, false)],
            [0, 59, 600]
        );
    }

    #[test]
    fn what_time_may_mend_is_looked_at_again() {
        assert_eq!(next(WAIT, exit::TCP, true, MS(3)), Next::Again(MS(500)));
        assert_eq!(
            next(WAIT, exit::TCP, true, MS(29_900)),
            Next::Again(MS(100))
        );
        assert_eq!(
            next(WAIT, exit::WARNINGS, true, MS(3)),
            Next::Again(MS(500))
        );
    }

    #[test]
    fn the_last_attempt_is_at_the_end_and_none_comes_after_it() {
        assert_eq!(next(WAIT, exit::TCP, true, MS(30_000)), Next::RanOut);
        assert_eq!(next(WAIT, exit::TCP, true, MS(90_000)), Next::RanOut);
    }

    #[test]
    fn success_and_what_stays_are_reported_at_once() {
        for elapsed in [MS(3), MS(29_999), MS(90_000)] {
            assert_eq!(next(WAIT, exit::OK, true, elapsed), Next::Report);
            assert_eq!(next(WAIT, exit::OK, false, elapsed), Next::Report);
            assert_eq!(next(WAIT, exit::CERTIFICATE, false, elapsed), Next::Report);
        }
        assert_eq!(next(None, exit::TCP, true, MS(3)), Next::Report);
    }
}
