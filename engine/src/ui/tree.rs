//! The live tree: finished units fold to one line each, which scrolls away; below them stands what runs and what it waits for.

use std::sync::{Arc, OnceLock};

use super::{
    look::{Ink, Look, Mark},
    model::{Doing, Model, Part, State, words},
    text::{clock, measure, plural, rough},
};
use crate::event::{Event, What};

/// How much of the width names take, in percent.
const NAMES: usize = 36;

/// What a rehearsal told beforehand: how much is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expect {
    /// Steps in all.
    pub steps: usize,
    /// Milliseconds of target time in all.
    pub took_ms: i64,
}

/// What a rehearsal tells, once it is over: it may go on beside the run.
pub type Expected = Arc<OnceLock<Expect>>;

/// The tree of one run.
pub struct Tree {
    look: Look,
    model: Model,
    verbose: bool,
    expect: Expected,
}

impl Tree {
    /// An empty tree.
    pub fn new(look: Look, verbose: bool, expect: Expected) -> Self {
        Self { look, model: Model::default(), verbose, expect }
    }

    /// What is known so far.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Takes an event in and gives the lines that stay on the screen because of it.
    pub fn take(&mut self, event: &Event) -> Vec<String> {
        let unit_before = |step: &str| self.model.unit(step).map(str::to_owned);
        let unit = match &event.what {
            What::StepDone { step, .. } | What::StepParked { step, .. } => {
                unit_before(step).unwrap_or_else(|| step.clone())
            }
            _ => String::new(),
        };
        self.model.take(event);
        let look = &self.look;
        match &event.what {
            What::StepDone { step, took_ms, kept, .. } if *step == unit && (!kept || self.verbose) => {
                vec![self.folded(step, *took_ms, *kept)]
            }
            What::StepParked { step, why } if *step == unit => {
                vec![self.row(&mark(look, Ink::Warn, Mark::Parked), step, &format!("parked: {}", look.shown(why)), "")]
            }
            What::StepFailed { step, failure, retry_ms: None } => {
                let took = self.model.part(step).map_or(0, |part| event.target_ms - part.started_ms);
                vec![self.row(&mark(look, Ink::Bad, Mark::Failed), step, &look.shown(&failure.message), &clock(took))]
            }
            What::StepFailed { step, failure, retry_ms: Some(wait) } => {
                let text = format!("tried again in {}: {}", rough(*wait), look.shown(&failure.message));
                vec![self.row(&look.ink(Ink::Warn, "!"), step, &text, "")]
            }
            What::Resolved { step, op, how } => {
                let text = format!("{} unresolved{}{}", look.shown(op), look.mark(Mark::Gives), look.shown(how));
                vec![self.row(&look.ink(Ink::Warn, "!"), step, &text, "")]
            }
            What::NotRehearsed { step, what } => {
                let text = format!("not rehearsed: {}", look.shown(what));
                vec![self.row(&look.ink(Ink::Warn, "?"), step, &text, "")]
            }
            What::Deleted { kind, name, id, already, put_back, .. } if self.verbose => {
                let how = if *put_back {
                    "put back"
                } else if *already {
                    "was gone already"
                } else {
                    "deleted"
                };
                let what = look.shown(&words(&[kind, if name == id { "" } else { name }, id]));
                vec![look.fit(&format!(" {} {what}  {how}", look.mark(Mark::Done)), look.width - 1)]
            }
            What::Note { step, text } | What::Print { step, text } => {
                let step = if step.is_empty() { String::new() } else { format!("{}: ", look.path(step)) };
                vec![look.fit(&format!("   {}{}", step, look.shown(text)), look.width - 1)]
            }
            _ => Vec::new(),
        }
    }

    /// What moves: at most `height` lines.
    pub fn live(&self, now_ms: i64, frame: usize, height: usize) -> Vec<String> {
        let look = &self.look;
        let mut lines = Vec::new();
        for (key, part) in self.model.open() {
            self.unit(key, part, now_ms, frame, &mut lines);
        }
        for deleting in self.model.deleting.values() {
            let since = clock(now_ms - deleting.doing.since_ms);
            let label = look.shown(&deleting.label);
            let text = self.waits(&deleting.doing, now_ms, self.room(3, &label, &since));
            lines.push(self.columns(
                &format!(" {} ", look.ink(Ink::Command, look.spinner(frame))),
                3,
                &label,
                &text,
                &since,
            ));
        }
        let room = height.saturating_sub(3).max(1);
        if lines.len() > room {
            let hidden = lines.len() - room + 1;
            lines.truncate(room - 1);
            lines.push(format!("   {} {hidden} more lines", self.look.mark(Mark::More)));
        }
        if let Some(left) =
            self.expect.get().map(|e| e.steps.saturating_sub(self.model.seen())).filter(|left| *left > 0)
        {
            lines.push(format!(" {} {} to come", self.look.mark(Mark::ToCome), plural(left as u64, "step")));
        }
        lines.push(self.status(now_ms));
        lines.drain(..lines.len().saturating_sub(height));
        lines
    }

    /// What runs right now, one line each, for `t` and SIGUSR1.
    pub fn running(&self, now_ms: i64) -> Vec<String> {
        let mut lines = Vec::new();
        for (key, part) in self.model.open() {
            for (key, part) in self.leaves(key, part) {
                let since = clock(now_ms - part.started_ms);
                let text = self.doing(part, now_ms, self.room(3, key, &since));
                lines.push(self.row(self.look.spinner(2), key, &text, &since));
            }
        }
        if lines.is_empty() {
            lines.push("   nothing is running right now".to_owned());
        }
        lines
    }

    /// The paths of the innermost running steps.
    pub fn open_paths(&self) -> Vec<String> {
        let open = self.model.open().flat_map(|(key, part)| self.leaves(key, part));
        open.map(|(key, _)| self.look.path(key)).collect()
    }

    /// The line of a finished unit.
    fn folded(&self, key: &str, took_ms: i64, kept: bool) -> String {
        let part = self.model.part(key);
        let text = part.map(|part| self.counts(part)).unwrap_or_default();
        let text = if kept { self.look.facts(&["kept".to_owned(), text]) } else { text };
        let time = if kept { String::new() } else { clock(took_ms) };
        self.row(&mark(&self.look, Ink::Good, Mark::Done), key, &text, &time)
    }

    fn counts(&self, part: &Part) -> String {
        let count = |n: u32, noun: &str| if n == 0 { String::new() } else { plural(n.into(), noun) };
        let unrehearsed =
            if part.unrehearsed == 0 { String::new() } else { format!("{} not rehearsed", part.unrehearsed) };
        self.look.facts(&[count(part.effects, "effect"), count(part.checks, "check"), unrehearsed])
    }

    fn unit(&self, key: &str, part: &Part, now_ms: i64, frame: usize, lines: &mut Vec<String>) {
        let look = &self.look;
        let since = clock(now_ms - part.started_ms);
        let inside: Vec<(&str, &Part)> = self.model.inside(key).collect();
        if inside.is_empty() {
            let text = self.doing(part, now_ms, self.room(3, key, &since));
            lines.push(self.row(&look.ink(Ink::Command, look.spinner(frame)), key, &text, &since));
            return;
        }
        lines.push(self.row(look.mark(Mark::Open), key, "", &since));
        let direct = |k: &str| !k[key.len() + 1..].contains('/');
        let done: Vec<_> = inside.iter().filter(|(k, p)| p.state == State::Done && direct(k)).collect();
        if done.len() > 3 {
            let effects: u32 = done.iter().map(|(_, p)| p.effects).sum();
            let label = plural(done.len() as u64, "step");
            lines.push(self.inner(&mark(look, Ink::Good, Mark::Done), &label, &plural(effects.into(), "effect")));
        } else {
            for (k, p) in done {
                let label = look.path(&k[key.len() + 1..]);
                lines.push(self.inner(&mark(look, Ink::Good, Mark::Done), &label, &self.counts(p)));
            }
        }
        for (k, p) in self.leaves(key, part) {
            let within = k.get(key.len() + 1..).unwrap_or_default();
            let text = self.doing(p, now_ms, self.room(6, within, ""));
            let label = if within.is_empty() { String::new() } else { look.path(within) };
            lines.push(self.inner(&look.ink(Ink::Command, look.spinner(frame)), &label, &text));
        }
    }

    /// The running steps of a unit that have no running step inside.
    fn leaves<'a>(&'a self, unit: &'a str, part: &'a Part) -> Vec<(&'a str, &'a Part)> {
        let mut running: Vec<(&str, &Part)> = vec![(unit, part)];
        running.extend(self.model.inside(unit).filter(|(_, p)| p.state == State::Running));
        let inner = |key: &str| running.iter().any(|(k, _)| k.strip_prefix(key).is_some_and(|r| r.starts_with('/')));
        running.iter().filter(|(key, part)| !part.doing.is_empty() || !inner(key)).copied().collect()
    }

    /// What a part does, in at most `width` columns.
    fn doing(&self, part: &Part, now_ms: i64, width: usize) -> String {
        let attempt = if part.attempt > 1 { format!("attempt {}", part.attempt) } else { String::new() };
        let Some(doing) = part.doing.values().max_by_key(|doing| doing.since_ms) else { return attempt };
        let others = match part.doing.len() {
            1 => String::new(),
            n => format!("and {} more", n - 1),
        };
        let around = measure(&self.look.facts(&[attempt.clone(), "x".to_owned(), others.clone()])) - 1;
        let waits = self.waits(doing, now_ms, width.saturating_sub(around));
        self.look.facts(&[attempt, waits, others])
    }

    /// What is waited for, in at most `width` columns: how long it usually takes is left out before how long it still takes.
    fn waits(&self, doing: &Doing, now_ms: i64, width: usize) -> String {
        let (usual, left) = match doing.usual_ms {
            0 => (String::new(), String::new()),
            usual => {
                let left = doing.since_ms + usual - now_ms;
                let left = if left > 0 { format!("~{} left", rough(left)) } else { "longer than usual".to_owned() };
                (format!("usually {}", rough(usual)), left)
            }
        };
        let text = self.look.shown(&doing.text);
        let whole = self.look.facts(&[text.clone(), usual, left.clone()]);
        if measure(&whole) <= width {
            return whole;
        }
        let beside = measure(&self.look.facts(&["x".to_owned(), left.clone()])) - 1;
        self.look.facts(&[self.look.fit(&text, width.saturating_sub(beside)), left])
    }

    fn status(&self, now_ms: i64) -> String {
        let look = &self.look;
        let took = now_ms - self.model.began_ms.unwrap_or(now_ms);
        let left = match self.expect.get() {
            Some(expect) if expect.took_ms > took => format!("about {} left", rough(expect.took_ms - took)),
            _ => String::new(),
        };
        let deleted = if self.model.deleted > 0 { format!("{} deleted", self.model.deleted) } else { String::new() };
        let effects = if self.model.effects == 0 && self.model.deleted > 0 {
            String::new()
        } else {
            plural(self.model.effects.into(), "effect")
        };
        let facts = look.facts(&[effects, deleted, clock(took), left]);
        let keys = look.facts(&["t what is running".to_owned(), "Ctrl-C park".to_owned()]);
        let gap = look.width.saturating_sub(2 + measure(&facts) + measure(&keys)).max(2);
        let line = look.fit(&format!(" {facts}{}{keys}", " ".repeat(gap)), look.width - 1);
        look.ink(Ink::Dim, &line)
    }

    /// The columns that are left for a text beside a name and a time.
    fn room(&self, taken: usize, key: &str, time: &str) -> usize {
        let width = self.look.width - 1;
        let names = (width * NAMES / 100 - taken).max(measure(&self.look.path(key)).min(width / 2));
        width.saturating_sub(taken + names + 1 + if time.is_empty() { 0 } else { measure(time) + 1 })
    }

    /// ` ✓ name      text      time`, in columns.
    fn row(&self, sign: &str, key: &str, text: &str, time: &str) -> String {
        let label = self.look.path(key);
        self.columns(&format!(" {sign} "), 3, &label, text, time)
    }

    /// A line under an open unit.
    fn inner(&self, sign: &str, label: &str, text: &str) -> String {
        self.columns(&format!(" {}  {sign} ", self.look.mark(Mark::Guide)), 6, label, text, "")
    }

    fn columns(&self, lead: &str, taken: usize, label: &str, text: &str, time: &str) -> String {
        let width = self.look.width - 1;
        let names = width * NAMES / 100 - taken;
        let time_width = if time.is_empty() { 0 } else { measure(time) + 1 };
        // A long name may use the room of a short text, never the other way round.
        let names = names.max(measure(label).min((width - taken).saturating_sub(measure(text) + time_width + 1)));
        let rest = width.saturating_sub(taken + names + 1 + time_width);
        if text.is_empty() && time.is_empty() {
            return format!("{lead}{}", self.look.fit(label, width - taken));
        }
        let line = format!("{lead}{} {}", self.look.pad(label, names), self.look.pad(text, rest));
        if time.is_empty() { line.trim_end().to_owned() } else { format!("{line} {time}") }
    }
}

fn mark(look: &Look, ink: Ink, mark: Mark) -> String {
    look.ink(ink, look.mark(mark))
}
