//! What all calls share: the journal's answer to an ordinal, intents, and the target behind retries and the vault.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use runbook_modules::{
    error::{CallError, Class},
    operation::Operation,
    resource::Kind,
    target::{Lapse, Place, Renewal, Request},
};
use runbook_seeded::mutant;
use runbook_state::{
    record::{EffectKey, EffectState, Record, Site},
    store::When,
};
use serde_json::Value;

use super::{
    digest::{difference, digest},
    host::ScopeHost,
    one_shot, policy,
    prepare::{Asked, ownership},
    token::token,
};
use crate::{
    error::{Failure, Halt, Stop},
    event::What,
    run::{
        history::{Effect, Packed},
        scope::Scope,
        session::Mode,
    },
};

/// One call being made durable.
pub struct Act<'a> {
    pub(super) scope: &'a Scope,
    pub(super) host: ScopeHost<'a>,
    /// `ec2.create_vpc`.
    pub(super) op: String,
    /// The target's own name: `CreateVpc`.
    pub(super) verb: &'static str,
    /// The name for people; may be empty.
    pub(super) name: String,
    pub(super) site: Site,
    pub(super) began_ms: i64,
}

/// A request as the journal has it.
#[derive(Debug, Clone)]
pub struct Deed {
    pub(super) key: EffectKey,
    pub(super) token: String,
    pub(super) input: Value,
    pub(super) place: Place,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) prior: Option<Value>,
    /// When it was first about to be sent, in the target's time: from then on the provider remembers the token.
    pub(super) first_ms: i64,
    /// When it was last about to be sent: from then on it settles.
    pub(super) since_ms: i64,
}

/// What the journal says of an ordinal.
pub(super) enum Past {
    /// Done: the answer.
    Done(Arc<Effect>),
    /// Nothing stands: do it, as this generation.
    Fresh(u32),
    /// Taken by the target, not ready yet.
    Accepted(Arc<Effect>),
    /// Perhaps sent.
    Doubt(Arc<Effect>),
    /// Terminally broken, its remains still stand.
    Remains(Arc<Effect>),
}

/// What follows a failed call.
pub(super) enum Next {
    /// Nothing was executed: the same request again.
    Again,
    /// Nothing was executed, and it is no use to try again.
    Definite(CallError),
    /// Something stands already.
    Exists(CallError),
    /// Perhaps executed; recorded as such.
    Doubt,
}

/// How often what has happened.
#[derive(Debug, Default)]
pub(super) struct Tries {
    pub(super) sent: u32,
    not_sent: u32,
    throttled: u32,
    not_yet: u32,
    renewed: u32,
    pub(super) unknown: u32,
}

impl Deed {
    /// The request of a recorded effect. It was sent before now: a later time is a clock's that was put back since, and nothing waits
    /// until that clock has caught up.
    pub(super) fn recorded(effect: &Effect, now_ms: i64) -> Self {
        // A resend writes down when: the settle time counts from the last one.
        let resent = effect.trouble().get("at_ms").and_then(Value::as_i64);
        let since_ms = resent.unwrap_or(effect.target_ms).max(effect.target_ms);
        Self {
            key: effect.key.clone(),
            token: effect.token.clone(),
            input: effect.input.value(),
            place: effect.place.read().unwrap_or_default(),
            tags: effect.tags.read().unwrap_or_default(),
            prior: effect.prior.as_ref().map(Packed::value),
            first_ms: effect.target_ms,
            since_ms: if mutant!("clock-trusted") { since_ms } else { since_ms.min(now_ms) },
        }
    }

    fn request<'b>(&'b self, host: &'b ScopeHost<'_>) -> Request<'b> {
        Request { place: &self.place, input: &self.input, token: &self.token, tags: &self.tags, host }
    }
}

impl<'a> Act<'a> {
    /// A call made within a scope.
    pub fn new(scope: &'a Scope, op: &str, verb: &'static str, name: &str, site: &Site) -> Self {
        Self {
            scope,
            host: ScopeHost::new(scope),
            op: op.to_owned(),
            verb,
            name: name.to_owned(),
            site: site.clone(),
            began_ms: scope.session.time.now_ms(),
        }
    }

    /// The target's time.
    pub(super) fn now_ms(&self) -> i64 {
        self.scope.session.time.now_ms()
    }

    /// Milliseconds of target time since the call began.
    pub(super) fn took_ms(&self) -> i64 {
        self.now_ms() - self.began_ms
    }

    /// Records, durable before it returns.
    pub(super) fn record(&self, records: Vec<Record>) -> Result<(), Halt> {
        let when = if mutant!("commits-not-awaited") { When::Soon } else { When::Now };
        self.scope.session.record(records, when)
    }

    /// What the journal says of an ordinal; the request must be the same as it was.
    pub(super) fn past(&self, ordinal: u32, place: &Place, asked: &Asked) -> Result<Past, Halt> {
        let recall = self.scope.session.mode == Mode::Recall;
        let Some(effect) = self.scope.session.history.effect(&self.scope.key, ordinal) else {
            return match (recall, self.scope.matching) {
                (true, _) => Err(Stop::EndOfRecord.into()),
                (_, true) => Err(self.changed(None, "the record of this finished step has no such call".to_owned())),
                _ => Ok(Past::Fresh(0)),
            };
        };
        let matching = self.scope.matching;
        match effect.state {
            EffectState::Failed if recall || matching || effect.order > self.scope.since => {
                Err(Halt::Failure(Box::new(self.recorded_failure(&effect))))
            }
            EffectState::Undone if recall && effect.response.is_some() => Ok(Past::Done(effect)),
            EffectState::Failed | EffectState::Retired | EffectState::Undone if recall => Err(Stop::EndOfRecord.into()),
            EffectState::Failed if effect.remains => Ok(Past::Remains(effect)),
            EffectState::Failed | EffectState::Retired | EffectState::Undone => {
                Ok(Past::Fresh(effect.key.generation + 1))
            }
            EffectState::Done => {
                self.same(&effect, place, asked)?;
                Ok(Past::Done(effect))
            }
            EffectState::Accepted | EffectState::Intent | EffectState::Unknown => {
                self.same(&effect, place, asked)?;
                match effect.state {
                    _ if recall => Err(Stop::EndOfRecord.into()),
                    EffectState::Accepted => Ok(Past::Accepted(effect)),
                    _ => Ok(Past::Doubt(effect)),
                }
            }
        }
    }

    /// The request as it would be written down now.
    pub(super) fn draft(&self, ordinal: u32, generation: u32, place: &Place, asked: &Asked) -> Deed {
        let run = &self.scope.session.run.id;
        let key = EffectKey { step: self.scope.key.clone(), ordinal, generation };
        let token = token(run, &key.step, ordinal, &self.op, generation);
        Deed {
            tags: ownership(run, &key.step, &token, &asked.tags),
            key,
            token,
            input: asked.input.clone(),
            place: place.clone(),
            prior: None,
            first_ms: self.now_ms(),
            since_ms: self.now_ms(),
        }
    }

    /// Writes the intent: from here on it may have been sent.
    pub(super) fn intend(
        &self, ordinal: u32, generation: u32, place: &Place, asked: &Asked, prior: Option<Value>,
    ) -> Result<Deed, Halt> {
        let session = &self.scope.session;
        let prior = prior.filter(|_| !mutant!("prior-forgotten"));
        let deed = Deed { prior, ..self.draft(ordinal, generation, place, asked) };
        let place = json(place);
        self.record(vec![Record::Intent {
            effect: deed.key.clone(),
            op: self.op.clone(),
            token: deed.token.clone(),
            digest: digest(&[&place, &asked.input, &asked.tags_value()]),
            input: deed.input.clone(),
            place,
            tags: json(&deed.tags),
            site: self.site.clone(),
            prior: deed.prior.clone(),
        }])?;
        session.tell(What::Intent { step: deed.key.step.clone(), op: self.op.clone(), name: self.name.clone() });
        Ok(deed)
    }

    /// The script must ask for what the record says.
    fn same(&self, effect: &Effect, place: &Place, asked: &Asked) -> Result<(), Halt> {
        if effect.op != self.op {
            return Err(self.changed(Some(&effect.site), format!("recorded: {}; now: {}", effect.op, self.op)));
        }
        let place = json(place);
        let tags = asked.tags_value();
        if effect.digest == digest(&[&place, &asked.input, &tags]) || mutant!("request-not-compared") {
            return Ok(());
        }
        let (recorded, recorded_place, mut recorded_tags) =
            (effect.input.value(), effect.place.value(), effect.tags.value());
        if let Value::Object(map) = &mut recorded_tags {
            map.retain(|name, _| !name.starts_with("runbook:"));
        }
        let found = difference("", &recorded, &asked.input)
            .or_else(|| difference("place", &recorded_place, &place))
            .or_else(|| difference("tags", &recorded_tags, &tags));
        Err(self.changed(Some(&effect.site), described_difference(found)))
    }

    /// The script does not match the record.
    pub(super) fn changed(&self, recorded: Option<&Site>, what: String) -> Halt {
        let message = format!("{} is not what was recorded in step {:?}", self.op, self.scope.key);
        let mut failure = self.failure("RB0320", message);
        failure.cause = what;
        failure.sites.extend(recorded.cloned());
        let key = self.scope.key.replace('\'', "'\\''");
        let hint = format!(
            "resume with --original, or with --edited after undoing the step: runbook undo {} --step '{key}'",
            self.scope.session.run.id.get(..4).unwrap_or_default()
        );
        Stop::Changed(Box::new(failure.hint(hint))).into()
    }

    fn recorded_failure(&self, effect: &Effect) -> Failure {
        let error = effect.trouble();
        match (error.get("failure"), serde_json::from_value::<CallError>(error.clone())) {
            (None, Ok(error)) => self.refused(&error, 0),
            (kept, _) => self.recorded(kept.cloned().unwrap_or_default()),
        }
    }

    /// A failure out of the journal.
    pub(super) fn recorded(&self, failure: Value) -> Failure {
        serde_json::from_value(failure)
            .unwrap_or_else(|_| self.failure("RB0412", format!("{} failed earlier", self.op)))
    }

    /// Records that it definitely failed, and gives the failure to hand to the script.
    pub(super) fn fail(&self, deed: &Deed, error: &CallError, remains: bool, failure: Failure) -> Halt {
        let mut kept = json(error);
        kept["failure"] = json(&failure);
        if let Err(halt) = self.record(vec![Record::Failed { effect: deed.key.clone(), error: kept, remains }]) {
            return halt;
        }
        self.scope.session.tell(What::EffectFailed {
            step: deed.key.step.clone(),
            op: self.op.clone(),
            message: failure.message.clone(),
        });
        failure.into()
    }

    /// Sorts a failed mutating call; waits where it is to be sent again. `doubt`: an earlier send may have been executed.
    pub(super) fn after(
        &self, deed: &mut Deed, error: CallError, tries: &mut Tries, doubt: bool,
    ) -> Result<Next, Halt> {
        let delay = match error.class {
            Class::NotSent => count(&mut tries.not_sent, policy::NOT_SENT),
            Class::Throttled => count(&mut tries.throttled, policy::THROTTLED),
            Class::NotYet => count(&mut tries.not_yet, policy::NOT_YET),
            Class::Refused | Class::NotFound | Class::Blocked => return Ok(Next::Definite(error)),
            Class::AlreadyExists => return Ok(Next::Exists(error)),
            Class::TokenMismatch => return Err(self.mismatch(deed, &error)),
            Class::Credentials => match self.renewed(&deed.place, &error, &mut tries.renewed) {
                Ok(()) => Some(Duration::ZERO),
                Err(stop) => {
                    if !doubt {
                        self.retire(deed, "the credentials were refused: nothing was executed")?;
                    }
                    return Err(stop);
                }
            },
            Class::Unknown if mutant!("lost-answer-is-no-answer") => Some(Duration::ZERO),
            Class::Unknown => {
                self.mark(deed, &error)?;
                return Ok(Next::Doubt);
            }
        };
        let Some(delay) = delay else {
            if doubt && error.class != Class::NotYet {
                let failure = self.unresolved("RB0413", format!("{}: {}", error.code, error.message));
                return Err(Stop::Unresolved(Box::new(failure.hint("resume when it can be reached again"))).into());
            }
            return Ok(Next::Definite(error));
        };
        self.scope.session.tell(What::Note {
            step: deed.key.step.clone(),
            text: format!("{}: {} ({}); tried again", self.op, error.code, error.message),
        });
        if let Err(halt) = self.scope.sleep(delay) {
            if !doubt {
                self.retire(deed, "it was not executed, and the run was stopped before the next try")?;
            }
            return Err(halt);
        }
        self.mark(deed, &error)?;
        Ok(Next::Again)
    }

    /// Records that it is not known whether it was executed: after an unknown outcome, and before it is sent again.
    fn mark(&self, deed: &mut Deed, error: &CallError) -> Result<(), Halt> {
        deed.since_ms = self.now_ms();
        let mut kept = json(error);
        kept["at_ms"] = deed.since_ms.into();
        self.record(vec![Record::Unknown { effect: deed.key.clone(), error: kept }])
    }

    /// Records that it is about to be sent again, its outcome being unknown: what is sent now settles from now on.
    pub(super) fn again(&self, deed: &mut Deed) -> Result<(), Halt> {
        if mutant!("resend-not-noted") {
            return Ok(());
        }
        let why = "sent again: it is not known what became of the request before";
        self.mark(deed, &CallError::new(Class::Unknown, "SentAgain", why))
    }

    /// Records that an intent is void.
    pub(super) fn retire(&self, deed: &Deed, why: &str) -> Result<(), Halt> {
        self.record(vec![Record::Retired { effect: deed.key.clone(), why: why.to_owned() }])
    }

    /// Says how an unknown outcome was settled.
    pub(super) fn resolved(&self, how: String) {
        self.scope.session.tell(What::Resolved { step: self.scope.key.clone(), op: self.op.clone(), how });
    }

    /// Says what is waited for.
    pub(super) fn waiting(&self, text: &str, since_ms: i64, usual: Duration) {
        self.scope.waits_for(text);
        self.scope.session.tell(What::Waiting {
            step: self.scope.key.clone(),
            text: text.to_owned(),
            since_ms: self.now_ms() - since_ms,
            usual_ms: i64::try_from(usual.as_millis()).unwrap_or(i64::MAX),
        });
    }

    /// Sends a creation, once.
    pub(super) fn send_create(&self, kind: &'static dyn Kind, deed: &Deed) -> Result<Value, CallError> {
        let session = &self.scope.session;
        let answer = session.runtime.block_on(session.target.create(kind, &deed.request(&self.host)));
        self.conceal(answer.and_then(|described| one_shot::sealed(&session.vault, kind, &deed.token, described)))
    }

    /// Sends an operation, once.
    pub(super) fn send_call(&self, operation: &'static Operation, deed: &Deed) -> Result<Value, CallError> {
        let session = &self.scope.session;
        let answer = session.runtime.block_on(session.target.call(operation, &deed.request(&self.host)));
        self.conceal(answer)
    }

    /// Sends a deletion, once.
    pub(super) fn send_delete(
        &self, kind: &'static dyn Kind, place: &Place, at: &Value, put_back: Option<&Value>,
    ) -> Result<(), CallError> {
        let session = &self.scope.session;
        // The sandbox keeps placeholders, but for what it gave out itself.
        let exact = put_back.filter(|_| session.about.simulated).map(|before| session.vault.unseal_clusters(before));
        let put_back = exact.as_ref().or(put_back);
        let answer = session.runtime.block_on(session.target.delete(kind, place, at, put_back, &self.host));
        self.conceal(answer.map(|()| Value::Null)).map(|_| ())
    }

    /// Reads a resource, through passing troubles.
    ///
    /// # Errors
    /// When it does not get through.
    pub fn read(&self, kind: &'static dyn Kind, place: &Place, at: &Value) -> Result<Option<Value>, Halt> {
        let session = &self.scope.session;
        let found = self.patiently(place, || {
            match session.runtime.block_on(session.target.read(kind, place, at, &self.host)) {
                Ok(found) => Ok(found.unwrap_or_default()),
                Err(error) if error.class == Class::NotFound => Ok(Value::Null),
                Err(error) => Err(error),
            }
        })?;
        Ok(Some(found).filter(|found| !found.is_null()))
    }

    /// Looks for what a request would have made, through passing troubles.
    pub(super) fn find(&self, kind: &'static dyn Kind, deed: &Deed) -> Result<Vec<Value>, Halt> {
        let session = &self.scope.session;
        let found = self.patiently(&deed.place, || {
            let found = session.runtime.block_on(session.target.find(kind, &deed.request(&self.host)));
            match found {
                Ok(found) => Ok(Value::Array(found)),
                Err(error) if error.class == Class::NotFound => Ok(Value::Array(Vec::new())),
                Err(error) => Err(error),
            }
        })?;
        match found {
            Value::Array(found) => Ok(one_shot::added(self.scope, kind, deed, found)),
            _ => Ok(Vec::new()),
        }
    }

    /// Calls something that changes nothing, again and again until it gets through or the policy ends.
    pub(super) fn patiently(
        &self, place: &Place, mut call: impl FnMut() -> Result<Value, CallError>,
    ) -> Result<Value, Halt> {
        let (mut tries, mut renewals) = (0, 0);
        loop {
            self.scope.check_stop()?;
            let error = match self.conceal(call()) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let passing = matches!(
                error.class,
                Class::NotSent | Class::Throttled | Class::NotYet | Class::Unknown | Class::Blocked
            );
            match error.class {
                Class::Credentials => self.renewed(place, &error, &mut renewals)?,
                _ if !passing => return Err(self.refused(&error, tries + 1).into()),
                _ => match count(&mut tries, policy::READ) {
                    Some(delay) => self.scope.sleep(delay)?,
                    None => return Err(self.unreadable(&error).into()),
                },
            }
        }
    }

    /// After a refusal of the credentials nothing was executed: with fresh ones the same is sent again.
    ///
    /// # Errors
    /// [`Stop::Credentials`] when there are none.
    pub(super) fn renewed(&self, place: &Place, error: &CallError, renewals: &mut u32) -> Result<(), Halt> {
        let session = &self.scope.session;
        *renewals += 1;
        match session.runtime.block_on(session.target.renew(place)) {
            Renewal::Fresh if *renewals <= policy::RENEWALS => Ok(()),
            Renewal::Fresh => Err(self.credentials(place, error, &Lapse::default())),
            Renewal::Lapsed(lapse) => Err(self.credentials(place, error, &lapse)),
        }
    }

    /// What comes back from the target holds placeholders from here on.
    fn conceal(&self, answer: Result<Value, CallError>) -> Result<Value, CallError> {
        let vault = &self.scope.session.vault;
        if mutant!("no-redaction") {
            return answer;
        }
        match answer {
            Ok(mut value) => match vault.seal_answer(&mut value) {
                Ok(()) => Ok(vault.conceal(&value)),
                Err(why) => Err(CallError::new(
                    Class::Unknown,
                    "SecretNotKept",
                    format!("a secret in the answer cannot be kept: {why}"),
                )),
            },
            Err(mut error) => {
                error.message = vault.conceal_text(&error.message);
                error.hints.iter_mut().for_each(|hint| *hint = vault.conceal_text(hint));
                Err(error)
            }
        }
    }
}

fn count(tries: &mut u32, policy: policy::Backoff) -> Option<Duration> {
    *tries += 1;
    policy.after(*tries)
}

/// Plain data as JSON.
pub(super) fn json<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn described_difference(found: Option<(String, Option<&Value>, Option<&Value>)>) -> String {
    let text = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    match found {
        Some((field, before, now)) => format!("{field}: recorded {}, now {}", text(before), text(now)),
        None => "the recorded input is another one".to_owned(),
    }
}
