//! A progress bar for work over a second, on stderr.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const PATIENCE: Duration = Duration::from_secs(1);

/// Runs `work` with a function that counts one step as done; a bar appears when it takes longer than a second.
pub(super) fn with_bar<T>(
    interactive: bool,
    total: usize,
    work: impl FnOnce(&(dyn Fn() + Sync)) -> T,
) -> T {
    let bar = Bar::start(interactive, total, "certificates");
    work(&|| bar.step())
}

/// A bar that appears after a second, and goes when it is dropped.
pub(super) struct Bar {
    bar: ProgressBar,
    /// Gone when the work is done, with the thread that waits for it.
    working: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Bar {
    /// For so many steps of something; without a terminal there is none.
    pub(super) fn start(interactive: bool, total: usize, what: &str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::hidden());
        if !interactive {
            return Self { bar, working: None };
        }
        // A template that indicatif does not know would only cost the bar its look.
        if let Ok(style) = ProgressStyle::with_template(&format!(
            "{{spinner}} {{pos}}/{{len}} {what} [{{wide_bar}}] {{eta}}"
        )) {
            bar.set_style(style);
        }
        let (finished, wait) = mpsc::channel::<()>();
        let shown = bar.clone();
        let thread = thread::spawn(move || {
            if wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(Duration::from_millis(100));
                let _ = wait.recv();
            }
        });
        Self {
            bar,
            working: Some((finished, thread)),
        }
    }

    /// One step is done.
    pub(super) fn step(&self) {
        self.bar.inc(1);
    }

    /// Prints something while the bar is out of the way.
    pub(super) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some((working, thread)) = self.working.take() {
            drop(working);
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}
