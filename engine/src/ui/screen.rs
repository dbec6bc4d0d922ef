//! Where events of a run go: the tree on a terminal, lines elsewhere, NDJSON, or nowhere.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    json::Json,
    lines::Lines,
    live::{Live, Now},
    look::Look,
    out,
    tree::{Expected, Tree},
};
use crate::{
    event::{Event, Sink, What},
    run::cancel::Cancel,
};

/// How a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// The tree, redrawn in place; the terminal's height.
    Tree(usize),
    /// One line an event.
    Lines,
    /// NDJSON on standard output.
    Json,
    /// Nothing before the end.
    Quiet,
}

/// What a run's screen needs to know.
pub struct Setup {
    /// How it is shown.
    pub style: Style,
    /// How text may look.
    pub look: Look,
    /// More lines.
    pub verbose: bool,
    /// The run's short id.
    pub short: String,
    /// Said at the end of the heading.
    pub note: String,
    /// What a rehearsal told.
    pub expect: Expected,
    /// The target's time.
    pub now: Now,
    /// Parks the run when nobody reads any more.
    pub cancel: Cancel,
}

/// A run's screen.
pub struct Screen {
    kind: Kind,
    look: Look,
    short: String,
    note: String,
    now: Now,
    /// Knows what runs, for `t` and SIGUSR1 where no tree is drawn.
    known: Mutex<Tree>,
}

enum Kind {
    Live(Live),
    Other(Box<dyn Sink>),
    Quiet,
}

impl Screen {
    /// Opens a screen.
    pub fn new(setup: Setup) -> Self {
        let Setup { style, look, verbose, short, note, expect, now, cancel } = setup;
        let kind = match style {
            Style::Tree(height) => {
                Kind::Live(Live::new(Tree::new(look.clone(), verbose, expect.clone()), now.clone(), height))
            }
            Style::Lines => Kind::Other(Box::new(Lines::new(look.clone(), verbose))),
            Style::Json => Kind::Other(Box::new(Json::new(cancel))),
            Style::Quiet => Kind::Quiet,
        };
        let known = Tree::new(look.clone(), verbose, expect).into();
        Self { kind, look, short, note, now, known }
    }

    /// Says a line for people.
    pub fn say(&self, line: &str) {
        match &self.kind {
            Kind::Live(live) => live.say(line),
            Kind::Other(_) | Kind::Quiet => {
                out::say(&format!("{line}\n"));
            }
        }
    }

    /// Says what runs right now.
    pub fn tell(&self) {
        match &self.kind {
            Kind::Live(live) => live.tell(),
            Kind::Other(_) | Kind::Quiet => {
                let lines = self.known().running((self.now)());
                out::say(&(lines.join("\n") + "\n"));
            }
        }
    }

    /// The steps that are running, for what a stop parks.
    pub fn running(&self) -> Vec<String> {
        self.known().open_paths()
    }

    /// Ends the drawing.
    pub fn close(&self) {
        if let Kind::Live(live) = &self.kind {
            live.close();
        }
    }

    fn known(&self) -> MutexGuard<'_, Tree> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Screen {
    fn event(&self, event: &Event) {
        // What it draws is not needed here, what it knows is.
        let _ = self.known().take(event);
        if let What::Began { .. } = event.what
            && !matches!(self.kind, Kind::Quiet)
            && let Some(heading) = super::heading::of(event, &self.short, &self.note, &self.look)
        {
            self.say(&(heading + "\n"));
        }
        match &self.kind {
            Kind::Live(live) => live.event(event),
            Kind::Other(sink) => sink.event(event),
            Kind::Quiet => {}
        }
    }
}
