//! Observations: reads, and exec that may be repeated. An attempt's reads answer from the record; a new attempt reads afresh.
//! A read that failed is recorded once the script has caught it: what it then did would otherwise rest on something unrecorded.

use std::{collections::BTreeMap, time::Duration};

use runbook_modules::{
    operation::{Operation, Settle},
    resource::Health,
};
use runbook_seeded::mutant;
use runbook_state::{
    record::{EffectKey, Record},
    store::When,
};
use serde_json::Value;

use super::{
    Call,
    act::{Act, Deed, json},
    digest::digest,
    policy,
    prepare::prepare,
    token::token,
};
use crate::{
    error::{Halt, Stop},
    event::What,
    run::{scope::Scope, session::Mode},
};

/// Reads, or answers from the journal.
pub(super) fn observe(scope: &Scope, call: &Call<'_>, operation: &'static Operation) -> Result<Value, Halt> {
    let ordinal = Scope::next(&scope.observations);
    let asked = prepare(scope, call)?;
    let act = Act::new(scope, call.name, operation.operation, &asked.name, &call.site);
    let session = &scope.session;
    let digest = digest(&[&json(call.place), &asked.input]);
    let seen = session.history.observation(&scope.key, scope.attempt, ordinal);
    if let Some(seen) = seen.filter(|_| !mutant!("reads-again")) {
        if seen.op != call.name {
            return Err(act.changed(None, format!("recorded: {}; now: {}", seen.op, call.name)));
        }
        if seen.digest != digest {
            return Err(act.changed(None, "the input of this read is another one than recorded".to_owned()));
        }
        return seen.answer.clone().map_err(|failure| act.recorded(failure).into());
    }
    if session.mode == Mode::Recall {
        return Err(Stop::EndOfRecord.into());
    }
    if scope.matching {
        return Err(act.changed(None, "the record of this finished step has no such read".to_owned()));
    }
    act.admit(call.place)?;
    let key = EffectKey { step: scope.key.clone(), ordinal, generation: scope.attempt };
    let deed = Deed {
        token: token(&session.run.id, &key.step, ordinal, call.name, scope.attempt),
        key,
        input: asked.input,
        place: call.place.clone(),
        tags: BTreeMap::new(),
        prior: None,
        first_ms: act.now_ms(),
        since_ms: act.now_ms(),
    };
    let answer = match operation.settle {
        Some(settle) if asked.wait => until(&act, operation, settle, &deed, asked.timeout),
        _ => act.patiently(&deed.place, || act.send_call(operation, &deed)),
    };
    let value = match answer {
        Ok(value) => value,
        Err(halt) => {
            if let Halt::Failure(failure) = &halt
                && !mutant!("caught-read-again")
            {
                scope.hand_record(Record::ReadFailed {
                    step: scope.key.clone(),
                    attempt: scope.attempt,
                    ordinal,
                    op: call.name.to_owned(),
                    digest,
                    failure: json(failure),
                });
            }
            return Err(halt);
        }
    };
    let record = Record::Observed {
        step: scope.key.clone(),
        attempt: scope.attempt,
        ordinal,
        op: call.name.to_owned(),
        digest,
        value: value.clone(),
    };
    session.record(vec![record], When::Soon)?;
    session.tell(What::Observed { step: scope.key.clone(), op: call.name.to_owned() });
    Ok(value)
}

/// Reads again and again until the answer is what was waited for (`k8s.wait`). Only the last answer is recorded.
fn until(
    act: &Act<'_>, operation: &'static Operation, settle: Settle, deed: &Deed, timeout: Option<Duration>,
) -> Result<Value, Halt> {
    let limit = timeout.unwrap_or(policy::PATIENCE);
    let began = act.now_ms();
    let mut polls = 0;
    loop {
        let answer = act.patiently(&deed.place, || act.send_call(operation, deed))?;
        let obstacle = match (settle.judge)(&answer) {
            Health::Ready => return Ok(answer),
            Health::Failed(why) => {
                let mut failure = act.failure("RB0419", format!("{} waits for what will not come", act.op));
                failure.cause = why;
                return Err(failure.into());
            }
            Health::Pending(why) | Health::Deleting(why) => why,
        };
        if act.now_ms() - began >= i64::try_from(limit.as_millis()).unwrap_or(i64::MAX) {
            return Err(act.timed_out(limit, &obstacle).into());
        }
        act.waiting(&obstacle, began, Duration::ZERO);
        polls += 1;
        act.scope.sleep(policy::POLL.after(polls).unwrap_or(policy::POLL.most))?;
    }
}
