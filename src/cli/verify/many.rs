//! Several targets at once, told in their order, each as soon as all before it are.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};

use super::wait::Manner;
use crate::probe::Request;
use crate::report::VerifyReport;

/// Targets that are looked at at one time: enough that hundreds take a few times as long as one where the network is
/// what takes time, and few enough that none times out for want of a processor.
const PARALLEL: usize = 32;

/// What there is to tell.
pub(super) enum Event {
    /// A target is done; reports come in the order of the targets.
    Done,
    /// The next report.
    Report(Box<VerifyReport>),
    /// A line about something that is waited for.
    Waiting(String),
}

/// Looks at every target, a bounded number at a time. Ends early when `tell` fails.
pub(super) async fn look_at_all<E>(
    requests: Vec<Request>,
    manner: Manner,
    mut tell: impl FnMut(Event) -> Result<(), E>,
) -> Result<(), E> {
    enum Said {
        Done(usize, Box<VerifyReport>),
        Waiting(String),
    }
    let manner = Arc::new(manner);
    let permits = Arc::new(Semaphore::new(PARALLEL));
    let (sender, mut said) = mpsc::unbounded_channel();
    for (index, request) in requests.into_iter().enumerate() {
        let (manner, permits, sender) = (manner.clone(), permits.clone(), sender.clone());
        tokio::spawn(async move {
            // Nobody listens any more where the output is gone, and the process ends then.
            let waiting = |line| {
                let _ = sender.send(Said::Waiting(line));
            };
            let report = manner.look(request, permits, waiting).await;
            let _ = sender.send(Said::Done(index, Box::new(report)));
        });
    }
    drop(sender);
    let mut order = InOrder::default();
    while let Some(it) = said.recv().await {
        match it {
            Said::Waiting(line) => tell(Event::Waiting(line))?,
            Said::Done(index, report) => {
                tell(Event::Done)?;
                order.put(index, report);
                while let Some(report) = order.next() {
                    tell(Event::Report(report))?;
                }
            }
        }
    }
    Ok(())
}

/// Gives out in order what comes in any order.
struct InOrder<T> {
    next: usize,
    early: BTreeMap<usize, T>,
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self {
            next: 0,
            early: BTreeMap::new(),
        }
    }
}

impl<T> InOrder<T> {
    fn put(&mut self, index: usize, it: T) {
        self.early.insert(index, it);
    }

    /// The next one, if it is there.
    fn next(&mut self) -> Option<T> {
        let next = self.early.remove(&self.next)?;
        self.next += 1;
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_early_waits_for_those_before_it() {
        let mut order = InOrder::default();
        let mut given = Vec::new();
        for index in [2, 0, 3, 1, 4] {
            order.put(index, index);
            given.push(std::iter::from_fn(|| order.next()).collect::<Vec<_>>());
        }
        let expected: [&[usize]; 5] = [&[], &[0], &[], &[1, 2, 3], &[4]];
        assert_eq!(given, expected);
    }
}
