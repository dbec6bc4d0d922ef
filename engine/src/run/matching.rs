//! Matching mode (`resume --edited`): a finished step whose code or captures are another runs once more, and everything it
//! does must be in the record. What it added or does otherwise is found by the effect protocol; what it no longer does is found here.

use std::sync::Arc;

use runbook_state::{
    record::{Record, Site},
    store::When,
};

use serde_json::Value;

use super::{
    history::Step,
    scope::{Replayed, Scope},
    step::{Body, kept, placed},
};
use crate::error::{Failure, Halt, Stop};

/// The code of every difference between script and record.
pub const CHANGED: &str = "RB0304";

/// Runs the body of a finished step against the record. The script gets what the edited body returns, and it is kept.
pub(super) fn matched(
    scope: &Arc<Scope>, key: &str, known: &Step, site: &Site, captures: &str, body: &mut Body<'_>,
) -> Result<Value, Halt> {
    let inner = scope.within_step(key, known.attempt, 0, true, None);
    let result = match body(&inner) {
        Ok(result) => result,
        Err(Halt::Failure(failure)) => return Err(no_longer_works(*failure, key, known, site)),
        Err(stop) => return Err(stop),
    };
    inner.enter()?;
    if let Some(missing) = inner.missing() {
        let mut failure =
            Failure::new(CHANGED, format!("finished step {key:?} was edited and no longer does {}", missing.what));
        failure.cause = format!("{} stands in the record, and this code leaves it out", missing.what);
        failure.sites = vec![site.clone(), missing.site];
        key.clone_into(&mut failure.step);
        return Err(Stop::Changed(Box::new(advised(failure))).into());
    }
    let moved = Record::StepStarted { step: key.to_owned(), attempt: known.attempt, site: site.clone() };
    let captures = captures.to_owned();
    let done = Record::StepDone { step: key.to_owned(), result: result.clone(), captures, again: true };
    scope.session.record(vec![moved, done], When::Soon)?;
    kept(scope, key, known, site)?;
    Ok(result)
}

/// An effect of the record that an edited body did not come to.
pub(super) struct Missing {
    pub(super) what: String,
    pub(super) site: Site,
}

impl Scope {
    /// The first recorded effect here or below that this replay did not come to.
    fn missing(&self) -> Option<Missing> {
        let history = &self.session.history;
        self.replayed().into_iter().find_map(|Replayed { key, effects, called }| {
            let left_out = history.effects_of(&key).into_iter().find(|effect| effect.key.ordinal >= effects);
            if let Some(effect) = left_out {
                return Some(Missing {
                    what: format!("{} (number {})", effect.op, effect.key.ordinal + 1),
                    site: effect.site.clone(),
                });
            }
            let gone = history
                .children(&key)
                .into_iter()
                .find(|child| !called.contains(child) && history.effects_below(child) > 0);
            gone.map(|child| Missing {
                site: history.step(&child).map(|step| step.site.clone()).unwrap_or_default(),
                what: format!("step {child:?}"),
            })
        })
    }
}

fn no_longer_works(failure: Failure, key: &str, known: &Step, site: &Site) -> Halt {
    let mut failure = placed(failure, key, site);
    failure.message = format!("finished step {key:?} was edited and its new code fails: {}", failure.message);
    CHANGED.clone_into(&mut failure.code);
    failure.sites.push(known.site.clone());
    Stop::Changed(Box::new(advised(failure))).into()
}

fn advised(failure: Failure) -> Failure {
    failure
        .hint("put the code back as it was and resume")
        .hint("or give the new work a step of its own")
        .hint("or undo the step first: runbook undo --step KEY")
}
