//! Approvals: the run is parked until a person has said yes or no; who said it and why is in the journal.

use runbook_state::{
    record::{Record, Site},
    store::When,
};
use serde_json::{Value, json};

use super::{
    history::ASKED,
    scope::Scope,
    step::{Begin, begin, failed, finish, placed, start},
};
use crate::{
    error::{Failure, Halt, Stop},
    event::What,
};

/// Asks a person. The answer `#{ by, why }` is the result of a step of its own, whose name is the question.
///
/// # Errors
/// [`Stop::Waiting`] while there is no answer; RB0312 when it was no.
pub fn approve(scope: &Scope, question: &str, site: &Site) -> Result<Value, Halt> {
    let (key, attempt, resumed) = match begin(scope, question, site, "")? {
        Begin::Answer(answer) => return answer,
        Begin::Run { key, attempt, resumed } => (key, attempt, resumed),
        // There is nothing inside that could differ or have undo closures.
        Begin::Match { known, .. } => return known.result(),
        Begin::Recall { known, .. } => return known.map_or(Err(Stop::EndOfRecord.into()), |known| known.result()),
    };
    let session = &scope.session;
    if !resumed {
        start(scope, &key, attempt, site)?;
    }
    if session.history.decision(&key, 0).is_none() {
        let asked = Record::Decided { step: key.clone(), ordinal: 0, what: ASKED.to_owned(), value: question.into() };
        session.record(vec![asked], When::Soon)?;
    }
    session.tell(What::StepStarted { step: key.clone(), attempt, site: site.clone() });
    let Some(answer) = session.history.approval(&key) else {
        session.tell(What::StepParked { step: key.clone(), why: format!("waits for an approval: {question}") });
        return Err(Stop::Waiting { step: key, question: question.to_owned() }.into());
    };
    if answer.yes {
        let result = json!({ "by": answer.by, "why": answer.why });
        finish(scope, &key, result.clone(), "", session.time.now_ms(), 0)?;
        return Ok(result);
    }
    let why = if answer.why.is_empty() { String::new() } else { format!(": {}", answer.why) };
    let failure = Failure::new("RB0312", format!("{} said no to {question:?}{why}", answer.by));
    let failure = placed(failure, &key, site).hint("a later yes counts: runbook approve, then resume");
    failed(scope, &key, &failure, None)?;
    scope.hand(&key, &failure);
    Err(failure.into())
}
