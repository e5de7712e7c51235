//! A progress bar for work over a second, on stderr.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const PATIENCE: Duration = Duration::from_secs(1);

/// Runs `work` with a function that counts one step as done; a bar appears when it takes longer than a second.
pub(super) fn with_bar<T>(
    interactive: bool,
    total: usize,
    work: impl FnOnce(&(dyn Fn() + Sync)) -> T,
) -> T {
    if !interactive {
        return work(&|| {});
    }
    let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::hidden());
    // A template that indicatif does not know would only cost the bar its look.
    if let Ok(style) =
        ProgressStyle::with_template("{spinner} {pos}/{len} certificates [{wide_bar}] {eta}")
    {
        bar.set_style(style);
    }
    thread::scope(|scope| {
        let (finished, wait) = mpsc::channel::<()>();
        let shown = bar.clone();
        scope.spawn(move || {
            if wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(Duration::from_millis(100));
                let _ = wait.recv();
            }
        });
        let result = work(&|| bar.inc(1));
        drop(finished);
        bar.finish_and_clear();
        result
    })
}
