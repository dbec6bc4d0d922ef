//! What is known of a run's parts while its events come in. Pure: events in, facts out; the drawing is in `tree`.

use std::collections::BTreeMap;

use crate::event::{Event, What};

/// The parts of a run by key. A branch of `parallel` that is no step of its own is not here: it is part of its steps' path.
#[derive(Debug, Default)]
pub struct Model {
    parts: BTreeMap<String, Part>,
    order: Vec<String>,
    /// Target time of the first event.
    pub began_ms: Option<i64>,
    /// Effects done by this process.
    pub effects: u32,
    /// Resources that this process took down.
    pub deleted: u32,
    /// What is being deleted, by step and id.
    pub deleting: BTreeMap<(String, String), Deleting>,
}

/// A deletion under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleting {
    /// Kind and name.
    pub label: String,
    /// What it waits for; empty while it waits for nothing.
    pub doing: Doing,
}

/// One step.
#[derive(Debug, Clone)]
pub struct Part {
    /// Target time of its start.
    pub started_ms: i64,
    /// Its attempt.
    pub attempt: u32,
    /// Where it stands.
    pub state: State,
    /// Effects done inside by this process.
    pub effects: u32,
    /// Checks passed inside.
    pub checks: u32,
    /// Checks inside that were not rehearsed.
    pub unrehearsed: u32,
    /// What it does, by the branch that does it (the event's own key).
    pub doing: BTreeMap<String, Doing>,
}

/// Where a part stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It runs.
    Running,
    /// Finished.
    Done,
    /// Failed, and not tried again.
    Failed,
    /// Abandoned for now.
    Parked,
}

/// What a part does at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doing {
    /// The line.
    pub text: String,
    /// Target time since which.
    pub since_ms: i64,
    /// How long it usually takes; 0 when unknown.
    pub usual_ms: i64,
}

impl Model {
    /// Takes one event in.
    pub fn take(&mut self, event: &Event) {
        let now = event.target_ms;
        self.began_ms.get_or_insert(now);
        match &event.what {
            What::StepStarted { step, attempt, .. } => self.start(step, *attempt, now),
            What::StepDone { step, kept, effects, .. } => {
                if *kept && !self.parts.contains_key(step) {
                    self.start(step, 1, now);
                }
                self.settle(step, State::Done);
                if let Some(part) = self.parts.get_mut(step) {
                    part.effects = part.effects.max(*effects);
                }
            }
            What::StepFailed { step, retry_ms: None, .. } => self.settle(step, State::Failed),
            What::StepFailed { step, retry_ms: Some(wait), .. } => {
                self.doing(step, step, "failed, will be tried again".to_owned(), now, *wait);
            }
            What::StepParked { step, .. } => self.settle(step, State::Parked),
            What::Intent { step, op, name } => self.doing(step, step, words(&[op, name]), now, 0),
            What::Accepted { step, op, name, id } => self.doing(step, step, words(&[op, name, id]), now, 0),
            What::Waiting { step, text, since_ms, usual_ms } => {
                let doing = Doing { text: text.clone(), since_ms: now - since_ms, usual_ms: *usual_ms };
                let here = self.deleting.iter_mut().filter(|((of, _), _)| of == step);
                here.for_each(|(_, deleting)| deleting.doing = doing.clone());
                self.doing(step, step, text.clone(), now - since_ms, *usual_ms);
            }
            What::EffectDone { step, kept, .. } => {
                self.idle(step);
                if !kept {
                    self.effects += 1;
                    self.count(step, |part| part.effects += 1);
                }
            }
            What::EffectFailed { step, .. } => self.idle(step),
            What::Deleting { step, kind, name, id } => {
                let noun = kind.split_once('.').map_or(kind.as_str(), |(_, noun)| noun).replace('_', " ");
                let doing = Doing { text: String::new(), since_ms: now, usual_ms: 0 };
                let label = words(&[&noun, if name.is_empty() { id } else { name }]);
                self.deleting.insert((step.clone(), id.clone()), Deleting { label, doing });
            }
            What::Deleted { step, id, .. } => {
                self.deleting.remove(&(step.clone(), id.clone()));
                self.deleted += 1;
            }
            What::CheckPassed { step, .. } => self.count(step, |part| part.checks += 1),
            What::NotRehearsed { step, .. } => self.count(step, |part| part.unrehearsed += 1),
            _ => {}
        }
    }

    /// A part by its key.
    pub fn part(&self, key: &str) -> Option<&Part> {
        self.parts.get(key)
    }

    /// How many steps have begun.
    pub fn seen(&self) -> usize {
        self.parts.len()
    }

    /// The outermost step that a key lies in: the unit that folds into one line.
    pub fn unit(&self, key: &str) -> Option<&str> {
        let mut ends = key.match_indices('/').map(|(at, _)| at).chain([key.len()]);
        ends.find_map(|end| self.parts.get_key_value(&key[..end])).map(|(key, _)| key.as_str())
    }

    /// The units that are running, in order of their start.
    pub fn open(&self) -> impl Iterator<Item = (&str, &Part)> {
        self.order.iter().filter_map(|key| {
            let part = &self.parts[key];
            (part.state == State::Running && self.unit(key) == Some(key)).then_some((key.as_str(), part))
        })
    }

    /// The steps directly or deeper inside a unit, in order of their start.
    pub fn inside<'a>(&'a self, unit: &'a str) -> impl Iterator<Item = (&'a str, &'a Part)> {
        self.order.iter().filter_map(move |key| {
            let rest = key.strip_prefix(unit)?.strip_prefix('/')?;
            (!rest.is_empty()).then(|| (key.as_str(), &self.parts[key]))
        })
    }

    /// The innermost step that a key lies in.
    fn innermost(&self, key: &str) -> Option<String> {
        let starts = key.rmatch_indices('/').map(|(at, _)| at);
        [key.len()]
            .into_iter()
            .chain(starts)
            .map(|end| &key[..end])
            .find(|k| self.parts.contains_key(*k))
            .map(str::to_owned)
    }

    fn start(&mut self, key: &str, attempt: u32, now: i64) {
        if let Some(part) = self.parts.get_mut(key) {
            part.attempt = attempt;
            part.state = State::Running;
            part.doing.clear();
            return;
        }
        self.order.push(key.to_owned());
        let part = Part {
            started_ms: now,
            attempt,
            state: State::Running,
            effects: 0,
            checks: 0,
            unrehearsed: 0,
            doing: BTreeMap::new(),
        };
        self.parts.insert(key.to_owned(), part);
    }

    fn settle(&mut self, key: &str, state: State) {
        if let Some(part) = self.parts.get_mut(key) {
            part.state = state;
            part.doing.clear();
        }
    }

    fn doing(&mut self, key: &str, branch: &str, text: String, since_ms: i64, usual_ms: i64) {
        if let Some(part) = self.innermost(key).and_then(|key| self.parts.get_mut(&key)) {
            part.doing.insert(branch.to_owned(), Doing { text, since_ms, usual_ms });
        }
    }

    fn idle(&mut self, key: &str) {
        if let Some(part) = self.innermost(key).and_then(|key| self.parts.get_mut(&key)) {
            part.doing.remove(key);
        }
    }

    fn count(&mut self, key: &str, with: impl Fn(&mut Part)) {
        for (end, _) in key.match_indices('/').chain([(key.len(), "")]) {
            if let Some(part) = self.parts.get_mut(&key[..end]) {
                with(part);
            }
        }
    }
}

/// Words that are there, with spaces between.
pub fn words(words: &[&str]) -> String {
    words.iter().filter(|word| !word.is_empty()).copied().collect::<Vec<_>>().join(" ")
}
