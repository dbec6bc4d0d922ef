//! Where nothing may move (a pipe, a log file): one line an event, only ever added.

use std::{collections::HashMap, sync::Mutex};

use super::{
    look::{Look, Mark},
    model::words,
    out,
    text::{brief, clock, measure, plural, rough},
};
use crate::event::{Event, Sink, What};

/// Writes lines to standard error.
pub struct Lines {
    inner: Mutex<Writer>,
}

/// A wait that usually takes less is told only when it takes longer.
const WORTH_MS: i64 = 5_000;

/// Makes the lines.
pub struct Writer {
    look: Look,
    verbose: bool,
    waits: HashMap<String, String>,
}

impl Lines {
    /// A sink.
    pub fn new(look: Look, verbose: bool) -> Self {
        Self { inner: Writer::new(look, verbose).into() }
    }
}

impl Sink for Lines {
    fn event(&self, event: &Event) {
        let mut writer = self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(line) = writer.line(event) {
            out::say(&(line + "\n"));
        }
    }
}

impl Writer {
    /// A writer; `verbose` also tells reads, starts and what was kept.
    pub fn new(look: Look, verbose: bool) -> Self {
        Self { look, verbose, waits: HashMap::new() }
    }

    /// The event's line, if it has one. Secrets are masked, control characters escaped.
    pub fn line(&mut self, event: &Event) -> Option<String> {
        let (step, text) = self.text(&event.what)?;
        let at = self.look.time_of_day(event.target_ms);
        let step = self.look.shown(&step);
        let gap = 24usize.saturating_sub(measure(&step));
        Some(format!("{at} {step}{} {text}", " ".repeat(gap)).trim_end().to_owned())
    }

    fn text(&mut self, what: &What) -> Option<(String, String)> {
        let look = &self.look;
        let shown = |text: &str| look.shown(text);
        let (step, text) = match what {
            What::StepStarted { step, attempt, .. } if *attempt > 1 => (step, format!("begins, attempt {attempt}")),
            What::StepStarted { step, .. } if self.verbose => (step, "begins".to_owned()),
            What::StepDone { step, kept: true, .. } if self.verbose => (step, "kept".to_owned()),
            What::StepDone { step, took_ms, effects, kept: false } => {
                (step, format!("done in {} ({})", clock(*took_ms), plural(u64::from(*effects), "effect")))
            }
            What::StepFailed { step, failure, retry_ms } => {
                let again = retry_ms.map_or_else(String::new, |wait| format!(" (tried again in {})", rough(wait)));
                (step, format!("failed: {}: {}{again}", failure.code, shown(&failure.message)))
            }
            What::StepParked { step, why } => (step, format!("parked: {}", shown(why))),
            What::Intent { step, op, name } if self.verbose => (step, shown(&words(&[op, name, "is sent"]))),
            What::Accepted { step, op, name, id } if self.verbose => (step, shown(&words(&[op, name, id, "accepted"]))),
            What::EffectDone { kept: true, .. } if !self.verbose => return None,
            What::EffectDone { step, op, name, id, took_ms, adopted, kept, .. } => {
                self.waits.remove(step);
                let gives = if id.is_empty() || id == name { "" } else { look.mark(Mark::Gives) };
                let id = if gives.is_empty() { "" } else { id };
                let what = format!("{}{gives}{}", shown(&words(&[op, name])), shown(id));
                let how = if *kept { "kept".to_owned() } else { brief(*took_ms).replace(' ', "") };
                (step, words(&[&what, &how, if *adopted { "(adopted)" } else { "" }]))
            }
            What::EffectFailed { step, op, message } => (step, format!("{} failed: {}", shown(op), shown(message))),
            What::Resolved { step, op, how } => {
                (step, format!("{} unresolved{}{}", shown(op), look.mark(Mark::Gives), shown(how)))
            }
            What::Waiting { step, text, usual_ms, since_ms } => {
                let soon = *usual_ms > 0 && usual_ms.max(since_ms) < &WORTH_MS;
                if soon && !self.verbose {
                    return None;
                }
                if self.waits.insert(step.clone(), text.clone()).as_ref() == Some(text) {
                    return None;
                }
                let usual = if *usual_ms > 0 { format!(" (usually {})", rough(*usual_ms)) } else { String::new() };
                (step, format!("waiting: {}{usual}", shown(text)))
            }
            What::Observed { step, op } if self.verbose => (step, format!("{} read", shown(op))),
            What::CheckPassed { step, tries } => (step, format!("check passed ({})", tries_text(*tries))),
            What::NotRehearsed { step, what } => (step, format!("not rehearsed: {}", shown(what))),
            What::Output { name, .. } if self.verbose => {
                return Some((String::new(), format!("output {}", shown(name))));
            }
            What::Deleting { step, kind, name, id } if self.verbose => {
                (step, shown(&words(&["deleting", kind, if name == id { "" } else { name }, id])))
            }
            What::Deleted { step, kind, name, id, already, put_back } => {
                let how = if *put_back {
                    "put back"
                } else if *already {
                    "was gone already"
                } else {
                    "deleted"
                };
                (step, shown(&words(&[kind, if name == id { "" } else { name }, id, how])))
            }
            What::Note { step, text } | What::Print { step, text } => (step, shown(text)),
            _ => return None,
        };
        Some((step.clone(), text))
    }
}

fn tries_text(tries: u32) -> String {
    if tries == 1 { "1 try".to_owned() } else { format!("{tries} tries") }
}
