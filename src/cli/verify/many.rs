//! Several targets at once.

use tokio::task::JoinSet;

use crate::probe::{self, Observation, Request};

/// Targets that are looked at at one time.
const PARALLEL: usize = 16;

/// Looks at every target, a bounded number at a time, and returns them in the order of the command line.
pub(super) async fn observe_all(requests: Vec<Request>) -> Vec<Observation> {
    let mut waiting = requests.into_iter().enumerate();
    let mut running = JoinSet::new();
    let mut seen = Vec::new();
    loop {
        while running.len() < PARALLEL
            && let Some((index, request)) = waiting.next()
        {
            running.spawn(async move { (index, probe::observe(&request).await) });
        }
        match running.join_next().await {
            Some(Ok(done)) => seen.push(done),
            Some(Err(_)) => {}
            None => break,
        }
    }
    seen.sort_by_key(|(index, _)| *index);
    seen.into_iter()
        .map(|(_, observation)| observation)
        .collect()
}
