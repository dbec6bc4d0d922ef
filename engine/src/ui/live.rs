//! Draws the tree on a terminal: finished lines scroll up, the running ones are redrawn in place.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::tree::Tree;
use crate::event::{Event, Sink};

/// The target's time.
pub type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

const REDRAW: Duration = Duration::from_millis(100);

/// The tree on standard error, redrawn by a thread of its own.
pub struct Live {
    shared: Arc<Shared>,
    ticker: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    tree: Mutex<Tree>,
    now: Now,
    screen: MultiProgress,
    moving: ProgressBar,
    height: usize,
    over: Mutex<bool>,
    wake: Condvar,
}

impl Live {
    /// Starts drawing; `height` is the terminal's.
    pub fn new(tree: Tree, now: Now, height: usize) -> Self {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(20));
        let moving = screen.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            moving.set_style(style);
        }
        let shared =
            Shared { tree: tree.into(), now, screen, moving, height, over: false.into(), wake: Condvar::new() };
        let shared = Arc::new(shared);
        let drawn = shared.clone();
        let ticker = std::thread::spawn(move || drawn.redraw_until_over());
        Self { shared, ticker: Some(ticker).into() }
    }

    /// Says what runs right now.
    pub fn tell(&self) {
        let lines = lock(&self.shared.tree).running((self.shared.now)());
        self.shared.keep(&lines);
    }

    /// Says a line, above what moves.
    pub fn say(&self, line: &str) {
        let lines: Vec<String> = line.split('\n').map(str::to_owned).collect();
        self.shared.keep(&lines);
    }

    /// Stops drawing and takes the moving part off the screen.
    pub fn close(&self) {
        *lock(&self.shared.over) = true;
        self.shared.wake.notify_all();
        if let Some(ticker) = lock(&self.ticker).take() {
            // A panic of the drawing thread loses nothing but pictures.
            let _ = ticker.join();
        }
        self.shared.moving.finish_and_clear();
    }
}

impl Sink for Live {
    fn event(&self, event: &Event) {
        let lines = lock(&self.shared.tree).take(event);
        self.shared.keep(&lines);
    }
}

impl Shared {
    fn keep(&self, lines: &[String]) {
        for line in lines {
            // A terminal that has gone is noticed by SIGHUP; the run goes on to its next stopping place.
            let _ = self.screen.println(line);
        }
    }

    fn redraw_until_over(&self) {
        let mut frame = 0;
        let mut over = lock(&self.over);
        while !*over {
            let lines = lock(&self.tree).live((self.now)(), frame, self.height);
            self.moving.set_message(lines.join("\n"));
            self.moving.tick();
            frame += 1;
            over = self.wake.wait_timeout(over, REDRAW).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
