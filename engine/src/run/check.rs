//! Checks: asked again until they pass. Each asking is an attempt of its own, so its reads are fresh and are recorded.

use std::{sync::Arc, time::Duration};

use runbook_state::{
    record::{Record, Site},
    store::When,
};
use serde_json::{Value, json};

use super::{
    matching,
    retry::text,
    scope::{Deadline, Scope},
    step::{Begin, begin, failed, finish, may_retry, placed, since, start, stopped},
};
use crate::{
    error::{Failure, Halt, Stop},
    event::What,
};

/// The code of a failure that says: only a live target can answer this.
pub const NOT_REHEARSED: &str = "RB0420";

/// Asks until the answer is `true`, at most for `within`, every `every`. The result is `true`, or `#{ not_rehearsed: true }`.
///
/// # Errors
/// RB0310 naming the last answer or failure, or a stop.
pub fn check(
    scope: &Arc<Scope>, name: &str, within: Duration, every: Duration, site: &Site, captures: &str,
    body: &mut dyn FnMut(&Arc<Scope>) -> Result<Value, Halt>,
) -> Result<Value, Halt> {
    let (key, first, resumed) = match begin(scope, name, site, captures)? {
        Begin::Answer(answer) => return answer.map(told),
        Begin::Run { key, attempt, resumed } => (key, attempt, resumed),
        Begin::Recall { known, .. } => {
            return known.map_or(Err(Stop::EndOfRecord.into()), |known| known.result().map(told));
        }
        Begin::Match { key, known } => {
            let mut once = |inner: &Arc<Scope>| match answer(body(inner))? {
                Ok(result) => Ok(result),
                Err(last) => Err(Failure::new("RB0310", format!("the answer is {last}")).into()),
            };
            return matching::matched(scope, &key, &known, site, captures, &mut once).map(told);
        }
    };
    let session = &scope.session;
    let began_ms = session.time.now_ms();
    let within_ms = i64::try_from(within.as_millis()).unwrap_or(i64::MAX);
    let over_ms = began_ms.saturating_add(within_ms);
    let effects = session.history.effects_below(&key);
    session.tell(What::StepStarted { step: key.clone(), attempt: first, site: site.clone() });
    let mut attempt = first;
    let mut before: Option<String> = None;
    let last = loop {
        if attempt > first || !resumed {
            start(scope, &key, attempt, site)?;
        }
        let deadline = Deadline { at_ms: over_ms, step: key.clone(), after: within };
        let inner = scope.within_step(&key, attempt, since(scope, &key), scope.matching, Some(deadline));
        let last = match answer(body(&inner)) {
            Ok(Ok(mut result)) => {
                inner.enter()?;
                if let Some(tries) = result.get_mut("tries") {
                    *tries = (attempt - first + 1).into();
                }
                passed(scope, &key, &result)?;
                finish(scope, &key, result.clone(), captures, began_ms, effects)?;
                return Ok(told(result));
            }
            Ok(Err(last)) => last,
            Err(Halt::Failure(failure)) if !may_retry(&failure) => return fail(scope, &key, *failure, site),
            // The time ran out in the middle of an asking: what the one before said tells more.
            Err(Halt::Failure(failure)) if failure.code == "RB0305" => before.take().unwrap_or(failure.message),
            Err(Halt::Failure(failure)) => failure.message,
            Err(stop) => return Err(stopped(scope, &key, stop)),
        };
        let left = over_ms - session.time.now_ms();
        if left <= 0 {
            break last;
        }
        session.tell(What::Waiting {
            step: key.clone(),
            text: format!("{name}: last answer {last}"),
            since_ms: within_ms - left,
            usual_ms: 0,
        });
        scope.waits_for(&format!("check {name:?}, last answer {last}"));
        let pause = every.min(Duration::from_millis(left.unsigned_abs()));
        scope.sleep(pause).map_err(|halt| stopped(scope, &key, halt))?;
        scope.waits_for("");
        before = Some(last);
        attempt += 1;
    };
    let message = format!("check {name:?} did not pass within {}; the last answer was {last}", text(within));
    fail(scope, &key, Failure::new("RB0310", message), site)
}

/// Sorts what a body said: passed (or not rehearsed), not yet (with what it said), or an end.
fn answer(said: Result<Value, Halt>) -> Result<Result<Value, String>, Halt> {
    match said {
        Ok(Value::Bool(true)) => Ok(Ok(json!({ "passed": true, "tries": 1 }))),
        Ok(other) => Ok(Err(other.to_string())),
        Err(Halt::Failure(failure)) if failure.code == NOT_REHEARSED => {
            Ok(Ok(json!({ "not_rehearsed": true, "what": failure.message })))
        }
        Err(halt) => Err(halt),
    }
}

/// How often a check was asked until it passed, out of a step's result; None for any other step.
pub fn tries(result: &Value) -> Option<u32> {
    let fields = result.as_object().filter(|fields| fields.len() == 2 && fields.get("passed") == Some(&json!(true)))?;
    fields.get("tries")?.as_u64().and_then(|tries| u32::try_from(tries).ok())
}

/// What the script gets for what is recorded.
fn told(result: Value) -> Value {
    if tries(&result).is_some() { Value::Bool(true) } else { result }
}

fn passed(scope: &Scope, key: &str, result: &Value) -> Result<(), Halt> {
    let session = &scope.session;
    if let Some(tries) = tries(result) {
        session.tell(What::CheckPassed { step: key.to_owned(), tries });
        return Ok(());
    }
    let what = result.get("what").and_then(Value::as_str).unwrap_or_default().to_owned();
    session.record(vec![Record::NotRehearsed { step: key.to_owned(), what: what.clone() }], When::Soon)?;
    session.tell(What::NotRehearsed { step: key.to_owned(), what });
    Ok(())
}

fn fail(scope: &Scope, key: &str, failure: Failure, site: &Site) -> Result<Value, Halt> {
    let failure = placed(failure, key, site);
    failed(scope, key, &failure, None)?;
    scope.hand(key, &failure);
    Err(failure.into())
}
