//! Operations that change something without making a resource: updates, deletes by hand, exec. The same protocol; doing it
//! again is harmless for all but exec, whose unknown outcome stops and asks.

use runbook_modules::{
    error::{CallError, Class as Trouble},
    operation::{Class, Operation, Settle},
    resource::Health,
    table::Binding,
};
use runbook_seeded::mutant;
use runbook_state::record::Record;
use serde_json::Value;

use super::{
    Call,
    act::{Act, Deed, Next, Past, Tries},
    policy,
    prepare::{Asked, prepare},
    resolve::pace,
};
use crate::{
    error::{Failure, Halt, Stop},
    event::What,
    run::scope::Scope,
};

/// Makes a change, or answers from the journal.
pub(super) fn change(scope: &Scope, call: &Call<'_>, operation: &'static Operation) -> Result<Value, Halt> {
    let ordinal = Scope::next(&scope.effects);
    let asked = prepare(scope, call)?;
    let act = Act::new(scope, call.name, operation.operation, &asked.name, &call.site);
    let change = Change { act: &act, operation, asked: &asked };
    match act.past(ordinal, call.place, &asked)? {
        Past::Done(effect) => {
            let response = effect.answer();
            act.done(&effect.token, &response, false, true);
            Ok(response)
        }
        Past::Accepted(effect) => {
            act.admit(call.place)?;
            change.follow(&Deed::recorded(&effect, act.now_ms()), effect.answer(), 0)
        }
        Past::Doubt(effect) => {
            act.admit(call.place)?;
            change.perform(Deed::recorded(&effect, act.now_ms()), true)
        }
        Past::Remains(effect) => change.begin(ordinal, effect.key.generation + 1, call),
        Past::Fresh(generation) => change.begin(ordinal, generation, call),
    }
}

struct Change<'a> {
    act: &'a Act<'a>,
    operation: &'static Operation,
    asked: &'a Asked,
}

impl Change<'_> {
    fn begin(&self, ordinal: u32, generation: u32, call: &Call<'_>) -> Result<Value, Halt> {
        self.act.scope.check_stop()?;
        self.act.admit(call.place)?;
        let deed = self.act.intend(ordinal, generation, call.place, self.asked, None)?;
        self.perform(deed, false)
    }

    fn perform(&self, mut deed: Deed, mut doubt: bool) -> Result<Value, Halt> {
        let act = self.act;
        let mut tries = Tries::default();
        let mut blocked = 0;
        loop {
            if doubt {
                self.may_repeat()?;
                pace(act, &mut tries)?;
            }
            tries.sent += 1;
            act.scope.session.still_ours()?;
            let error = match act.send_call(self.operation, &deed) {
                Ok(answer) => return self.answered(&deed, answer, tries.sent),
                Err(error) => error,
            };
            if self.operation.class == Class::Delete {
                match error.class {
                    Trouble::NotFound => return self.answered(&deed, Value::Null, tries.sent),
                    Trouble::Blocked => {
                        blocked += 1;
                        self.blocked(&deed, &error, blocked, tries.sent)?;
                        continue;
                    }
                    _ => {}
                }
            }
            match act.after(&mut deed, error, &mut tries, doubt)? {
                Next::Again => {}
                Next::Doubt => doubt = true,
                Next::Exists(error) | Next::Definite(error) => {
                    return Err(act.fail(&deed, &error, false, act.refused(&error, tries.sent)));
                }
            }
        }
    }

    /// Something still depends on what is to be deleted: wait, within the usual limit.
    fn blocked(&self, deed: &Deed, error: &CallError, times: u32, sent: u32) -> Result<(), Halt> {
        let act = self.act;
        let waited = act.took_ms();
        if waited >= i64::try_from(self.asked.timeout.unwrap_or(policy::PATIENCE).as_millis()).unwrap_or(i64::MAX) {
            return Err(act.fail(deed, error, false, act.refused(error, sent)));
        }
        act.waiting(&format!("{}: {}", act.subject_name(), error.message), act.began_ms, policy::PATIENCE);
        act.scope.sleep(policy::BLOCKED.after(times).unwrap_or(policy::BLOCKED.most))
    }

    /// After an unknown outcome only what is harmless is sent again.
    fn may_repeat(&self) -> Result<(), Halt> {
        if self.operation.class != Class::Exec || self.operation.token.is_some() || mutant!("exec-repeated") {
            return Ok(());
        }
        let failure = self.act.unresolved("RB0415", "the process or the connection ended while it ran").hint(
            "look whether it was done; if it may be done again, say repeatable: true in the call and resume --edited",
        );
        Err(Stop::Unresolved(Box::new(failure)).into())
    }

    fn answered(&self, deed: &Deed, answer: Value, attempts: u32) -> Result<Value, Halt> {
        if self.operation.settle.is_none() || !self.asked.wait {
            return self.done(deed, answer, attempts);
        }
        let effect = deed.key.clone();
        self.act.record(vec![Record::Accepted { effect, response: answer.clone(), owned: None }])?;
        self.act.scope.session.tell(What::Accepted {
            step: deed.key.step.clone(),
            op: self.act.op.clone(),
            name: self.act.name.clone(),
            id: String::new(),
        });
        self.follow(deed, answer, attempts)
    }

    /// Follows a change that goes on after its answer, by reading its state.
    fn follow(&self, deed: &Deed, answer: Value, attempts: u32) -> Result<Value, Halt> {
        let Some(settle) = self.operation.settle else { return self.done(deed, answer, attempts) };
        let act = self.act;
        let poll = self.poll(settle)?;
        let poll_deed = Deed { input: (settle.input)(&deed.input, &answer), ..deed.clone() };
        let limit = self.asked.timeout.unwrap_or(policy::PATIENCE);
        let began = act.now_ms();
        let mut polls = 0;
        loop {
            let state = act.patiently(&poll_deed.place, || act.send_call(poll, &poll_deed))?;
            let obstacle = match (settle.judge)(&state) {
                Health::Ready => return self.done(deed, answer, attempts),
                Health::Failed(why) | Health::Deleting(why) => {
                    let error = CallError::refused("NotUsable", why.clone());
                    let mut failure = act.failure("RB0416", format!("{} was taken and then failed", act.op));
                    failure.cause = why;
                    return Err(act.fail(deed, &error, false, failure));
                }
                Health::Pending(why) => why,
            };
            if act.now_ms() - began >= i64::try_from(limit.as_millis()).unwrap_or(i64::MAX) {
                return Err(act.timed_out(limit, &obstacle).into());
            }
            act.waiting(&format!("{} is {obstacle}", act.subject_name()), began, std::time::Duration::ZERO);
            polls += 1;
            act.scope.sleep(policy::POLL.after(polls).unwrap_or(policy::POLL.most))?;
        }
    }

    fn poll(&self, settle: Settle) -> Result<&'static Operation, Halt> {
        match self.act.scope.session.table.binding(settle.poll) {
            Some(Binding::Call(operation)) => Ok(operation),
            _ => Err(Failure::new("RB0901", format!("{} names no operation {}", self.act.op, settle.poll)).into()),
        }
    }

    fn done(&self, deed: &Deed, response: Value, attempts: u32) -> Result<Value, Halt> {
        self.act.record(vec![Record::Done {
            effect: deed.key.clone(),
            response: response.clone(),
            owned: None,
            adopted: false,
            attempts,
        }])?;
        self.act.done(&deed.token, &response, false, false);
        Ok(response)
    }
}
