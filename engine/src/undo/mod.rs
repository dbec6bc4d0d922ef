//! Taking down what a run made, in the inverse of the order in which it was made; and looking whether it still stands as made.
//!
//! Undo is a durable, resumable walk over the inventory: every deletion is written down before it is sent, so a killed undo goes
//! on where it was.
//!
//! * [`order`]: what must be gone before what.
//! * [`walk`]: rows side by side, as far as the order lets them.
//! * [`row`]: one row, or one undo closure.
//! * [`settle`]: intents whose outcome is not known are settled first.
//! * [`select`]: the rows of one step and what depends on them.
//! * [`also`]: something that the run does not own.
//! * [`verify`](mod@verify): drift. [`audit`]: orphans.

pub mod also;
pub mod audit;
pub mod order;
pub mod row;
pub mod select;
mod settle;
#[cfg(test)]
mod tests;
pub mod verify;
mod walk;

use std::{collections::HashSet, sync::Arc};

use runbook_state::record::{EffectKey, EffectState, Ending};

pub use self::verify::{Difference, Drift, verify};
use crate::{
    error::Halt,
    event::What,
    run::{history::Effect, scope::Scope, session::Session},
};

/// How often the inventory is read again: an undo closure may make something itself.
const PASSES: u32 = 3;

/// How the reason of what was not tried begins, because something that needs it still stands.
pub const NOT_TRIED: &str = "not tried";

/// An undo closure of a step.
pub trait UndoHook: Send + Sync {
    /// The step it belongs to.
    fn step(&self) -> &str;

    /// For one that stands among the step's calls (`on_undo`): the place in the journal up to which the step had come. What was
    /// made after it is taken down before it runs, what was made before it afterwards. None: it runs before all of its step.
    fn after(&self) -> Option<u64> {
        None
    }

    /// Runs it; bindings inside it go through the scope given.
    ///
    /// # Errors
    /// What ended it.
    fn call(&self, scope: &Arc<Scope>) -> Result<(), Halt>;
}

/// What to undo.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Only this step and what depends on it.
    pub step: Option<String>,
    /// Ids of things that the run does not own, to be deleted too.
    pub also: Vec<String>,
}

/// Something that was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The step that made it.
    pub step: String,
    /// The kind; `undo closure` for a closure.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Why.
    pub why: String,
    /// What holds it, by id.
    pub blockers: Vec<String>,
    /// What it goes on costing, as `plan` names it. None: nothing of its own.
    pub cost: Option<&'static str>,
}

impl Left {
    /// Its name and its id, or the one that it has.
    fn called(&self) -> String {
        if self.name == self.id { self.id.clone() } else { format!("{} {}", self.name, self.id).trim().to_owned() }
    }

    fn event(&self, kept: bool) -> What {
        let Self { step, kind, id, name, why, blockers, cost } = self.clone();
        What::Left { step, kind, name, id, why, blockers, kept, cost: cost.map(str::to_owned) }
    }
}

/// What came of an undo.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UndoReport {
    /// Deleted by this process.
    pub deleted: u32,
    /// Gone already.
    pub already: u32,
    /// Replaced things that stand again as before.
    pub put_back: u32,
    /// Left on purpose: shared, or changed by somebody else since.
    pub kept: Vec<Left>,
    /// Could not be deleted.
    pub left: Vec<Left>,
}

impl UndoReport {
    /// How the undo ends, for the journal.
    pub fn ending(&self) -> Ending {
        let Some(first) = self.left.first() else { return Ending::Undone };
        let left = u32::try_from(self.left.len()).unwrap_or(u32::MAX);
        Ending::Stuck { left, message: format!("{}: {}", first.called(), first.why) }
    }
}

/// Takes down what the run made.
///
/// # Errors
/// A stop, or what is wrong with the options. A row that cannot be deleted is no error: it is in the report.
pub fn undo(session: &Arc<Session>, hooks: Vec<Arc<dyn UndoHook>>, options: &Options) -> Result<UndoReport, Halt> {
    let mut report = UndoReport::default();
    also::adopt(session, &options.also)?;
    settle::settle(session, options, &mut report)?;
    let mut tried: HashSet<EffectKey> = HashSet::new();
    let mut hooks = hooks;
    for _ in 0..PASSES {
        let chosen = select::choose(session, options, &tried);
        let nodes = row::nodes(session, chosen, std::mem::take(&mut hooks), options);
        if nodes.is_empty() {
            break;
        }
        tried.extend(nodes.iter().filter_map(|node| node.effect().map(|effect| effect.key.clone())));
        walk::walk(session, &nodes, &mut report)?;
    }
    let left = report.left.iter().map(|left| left.event(false));
    left.chain(report.kept.iter().map(|kept| kept.event(true))).for_each(|what| session.tell(what));
    if let Some(step) = options.step.as_deref().filter(|_| report.left.is_empty()) {
        select::close(session, step, &tried)?;
    }
    Ok(report)
}

/// The inventory: what stands, oldest first.
pub(crate) fn standing(session: &Session) -> Vec<Arc<Effect>> {
    let mut all = session.history.effects();
    all.retain(|effect| {
        let stands = match effect.state {
            EffectState::Accepted | EffectState::Done => true,
            EffectState::Failed => effect.remains,
            EffectState::Intent | EffectState::Unknown => effect.response.is_some(),
            EffectState::Retired | EffectState::Undone => false,
        };
        stands && effect.owned.is_some()
    });
    all
}
