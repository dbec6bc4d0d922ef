//! Making a resource: intent, exactly one create call, the answer and the inventory row in one commit, the wait.

use runbook_modules::{
    error::{CallError, Class},
    resource::{Health, Kind},
};
use runbook_seeded::mutant;
use runbook_state::record::{Owned, Record};
use serde_json::Value;

use super::{
    Call,
    act::{Act, Deed, Next, Past, Tries, json},
    one_shot, policy,
    prepare::{Asked, prepare},
    remove,
    report::id_of,
    resolve::{self, Found, Taking, Verdict},
    wait::{Waited, until_ready},
};
use crate::{
    error::{Halt, Stop},
    event::What,
    run::scope::Scope,
};

/// A resource that stands, and how we came by it.
pub(super) struct Landed {
    pub described: Value,
    /// Found instead of made by this call.
    pub adopted: bool,
    /// False for a shared thing that somebody else made.
    pub ours: bool,
    pub attempts: u32,
}

/// Makes a resource, or answers from the journal.
pub(super) fn create(scope: &Scope, call: &Call<'_>, kind: &'static dyn Kind) -> Result<Value, Halt> {
    let ordinal = Scope::next(&scope.effects);
    let asked = prepare(scope, call)?;
    let act = Act::new(scope, call.name, kind.meta().operations.0, &asked.name, &call.site);
    let making = Making { act: &act, kind, asked: &asked };
    let past = act.past(ordinal, call.place, &asked)?;
    if !matches!(past, Past::Done(_)) {
        act.admit(call.place)?;
    }
    match past {
        Past::Done(effect) => {
            let response = effect.answer();
            act.done(&effect.token, &response, effect.adopted, true);
            Ok(response)
        }
        Past::Accepted(effect) => {
            let deed = Deed::recorded(&effect, act.now_ms());
            match &effect.owned {
                Some(owned) => making.wait(&deed, &owned.locator, effect.adopted, 0),
                None => making.perform(deed, true),
            }
        }
        Past::Doubt(effect) => making.perform(Deed::recorded(&effect, act.now_ms()), true),
        Past::Remains(effect) => {
            let of_another = kind.upgrades() && scope.session.history.made_before(&effect);
            if !kind.stays() && !of_another && !mutant!("remains-forgotten") {
                remove::remains(&act, kind, &effect)?;
            }
            making.begin(ordinal, effect.key.generation + 1, call)
        }
        Past::Fresh(generation) => making.begin(ordinal, generation, call),
    }
}

/// A creation under way.
pub(super) struct Making<'a> {
    pub act: &'a Act<'a>,
    pub kind: &'static dyn Kind,
    pub asked: &'a Asked,
}

impl Making<'_> {
    fn begin(&self, ordinal: u32, generation: u32, call: &Call<'_>) -> Result<Value, Halt> {
        self.act.scope.check_stop()?;
        let prior = match self.kind.locate(&self.asked.input, &Value::Null) {
            _ if one_shot::is(self.kind) => Some(one_shot::noted(self.act, self.kind, call.place, self.asked)?),
            Some(at) if self.kind.meta().replaces => self.act.read(self.kind, call.place, &at)?,
            _ => None,
        };
        let unrecorded = if self.act.scope.session.resumed {
            let draft = self.act.draft(ordinal, generation, call.place, self.asked);
            resolve::unrecorded(self.act, self.kind, &draft, prior.as_ref())?
        } else {
            None
        };
        let deed = self.act.intend(ordinal, generation, call.place, self.asked, prior)?;
        match unrecorded {
            Some(found) => self.land(&deed, found.landed(0)),
            None => self.perform(deed, false),
        }
    }

    /// Sends until the outcome is known. `doubt`: it may have been sent already.
    fn perform(&self, mut deed: Deed, mut doubt: bool) -> Result<Value, Halt> {
        let act = self.act;
        let mut tries = Tries::default();
        let (mut anew, mut unanswered) = (0, None);
        loop {
            if doubt {
                match resolve::resolve(act, self.kind, &deed, &mut tries)? {
                    Verdict::Found(found) => return self.land(&deed, found.landed(tries.sent)),
                    Verdict::SendAgain => act.again(&mut deed)?,
                    Verdict::Absent(why) => {
                        if let Some(error) = unanswered.take_if(|_| anew == policy::ANEW) {
                            return Err(act.fail(&deed, &error, false, act.unanswered(self.kind, &error, anew + 1)));
                        }
                        anew += 1;
                        act.retire(&deed, &why)?;
                        act.resolved(format!("{why}: done anew"));
                        let next = deed.key.generation + 1;
                        deed = act.intend(deed.key.ordinal, next, &deed.place, self.asked, deed.prior.clone())?;
                        (doubt, tries) = (false, Tries::default());
                    }
                }
            }
            tries.sent += 1;
            act.scope.session.still_ours()?;
            let error = match act.send_create(self.kind, &deed) {
                Ok(described) => {
                    if doubt {
                        if let Some(found) = resolve::met(act, self.kind, &deed, &described)? {
                            return self.land(&deed, found.landed(tries.sent));
                        }
                        act.resolved(format!("sent again with the same token: {}", id_of(&described)));
                    }
                    let landed = Landed { described, adopted: false, ours: true, attempts: tries.sent };
                    return self.land(&deed, landed);
                }
                Err(error) => error,
            };
            if error.class == Class::Unknown {
                unanswered = Some(error.clone());
            }
            match act.after(&mut deed, error, &mut tries, doubt)? {
                Next::Again => {}
                Next::Doubt => doubt = true,
                Next::Exists(_) => {
                    let found = self.look(&deed, doubt)?;
                    return self.land(&deed, found.landed(tries.sent));
                }
                Next::Definite(error) => return self.refused(&deed, &error, doubt, tries.sent),
            }
        }
    }

    /// "Already exists": whose is it? What bears no tags may be ours when our request may have been executed, and also between things
    /// of the run's own when its journal may be older than the target.
    fn look(&self, deed: &Deed, doubt: bool) -> Result<Found, Halt> {
        match resolve::whose(self.act, self.kind, deed, doubt || self.between_own(deed))? {
            Ok(found) => Ok(found),
            Err(others) => {
                let failure = self.act.conflict(&others);
                if doubt {
                    return Err(Stop::Unresolved(Box::new(failure)).into());
                }
                let error = CallError::new(Class::AlreadyExists, "AlreadyExists", failure.cause.clone());
                Err(self.act.fail(deed, &error, false, failure))
            }
        }
    }

    fn between_own(&self, deed: &Deed) -> bool {
        let (session, parents) = (&self.act.scope.session, self.kind.parents(&deed.input));
        session.resumed && !parents.is_empty() && parents.iter().all(|parent| session.history.owns(parent))
    }

    /// Refused for good. When an earlier send may have been executed, that one counts.
    fn refused(&self, deed: &Deed, error: &CallError, doubt: bool, sent: u32) -> Result<Value, Halt> {
        if doubt && let Verdict::Found(found) = resolve::by_tag(self.act, self.kind, deed, Taking::Use)? {
            return self.land(deed, found.landed(sent));
        }
        Err(self.act.fail(deed, error, false, self.act.refused(error, sent)))
    }

    /// It stands: the answer and the inventory row are recorded in one commit, then it is waited for.
    fn land(&self, deed: &Deed, landed: Landed) -> Result<Value, Halt> {
        let Landed { mut described, adopted, ours, attempts } = landed;
        let (act, kind) = (self.act, self.kind);
        let mut at = kind.locate(&deed.input, &described);
        if at.is_none()
            && let Ok(found) = resolve::whose(act, kind, deed, true)?
        {
            described = found.described;
            at = kind.locate(&deed.input, &described);
        }
        // What was found has the shape that reading gives, as after a creation.
        if adopted
            && !mutant!("adopted-as-found")
            && let Some(at) = &at
            && let Some(read) = act.read(kind, &deed.place, at)?
        {
            described = read;
        }
        let Some(at) = at else {
            let failure = act.unresolved("RB0415", "the target took it, and gives no way to find it again");
            return Err(Stop::Unresolved(Box::new(failure)).into());
        };
        let owned = owned(act, kind, deed, &described, at.clone(), ours);
        let id = owned.id.clone();
        let incomplete = id_of(&described).is_empty();
        let health =
            if self.asked.wait && !mutant!("ready-not-awaited") { kind.judge(&described) } else { Health::Ready };
        if health == Health::Ready && !incomplete {
            act.record(vec![Record::Done {
                effect: deed.key.clone(),
                response: described.clone(),
                owned: Some(owned),
                adopted,
                attempts,
            }])?;
            act.done(&deed.token, &described, adopted, false);
            return Ok(described);
        }
        let (step, op, name) = (deed.key.step.clone(), act.op.clone(), act.name.clone());
        act.record(vec![Record::Accepted { effect: deed.key.clone(), response: described, owned: Some(owned) }])?;
        act.scope.session.tell(What::Accepted { step, op, name, id });
        match health {
            Health::Failed(why) => Err(self.broken(deed, &why)),
            _ => self.wait(deed, &at, adopted, attempts),
        }
    }

    /// Waits until it is usable, and records the last description as the answer.
    fn wait(&self, deed: &Deed, at: &Value, adopted: bool, attempts: u32) -> Result<Value, Halt> {
        let act = self.act;
        let response = match until_ready(act, self.kind, deed, at, self.asked)? {
            Waited::Ready(described) => described,
            Waited::Broken(why) => return Err(self.broken(deed, &why)),
        };
        act.record(vec![Record::Done {
            effect: deed.key.clone(),
            response: response.clone(),
            owned: None,
            adopted,
            attempts,
        }])?;
        act.done(&deed.token, &response, adopted, false);
        Ok(response)
    }

    fn broken(&self, deed: &Deed, why: &str) -> Halt {
        let error = CallError::refused("NotUsable", why);
        self.act.fail(deed, &error, true, self.act.broken(why))
    }
}

impl Found {
    fn landed(self, attempts: u32) -> Landed {
        Landed { described: self.described, adopted: true, ours: self.ours, attempts }
    }
}

/// The inventory row.
pub(super) fn owned(
    act: &Act<'_>, kind: &'static dyn Kind, deed: &Deed, described: &Value, locator: Value, ours: bool,
) -> Owned {
    let in_locator = || locator.as_object()?.values().find_map(Value::as_str).map(str::to_owned);
    let id = Some(id_of(described)).filter(|id| !id.is_empty()).or_else(in_locator).unwrap_or_default();
    let named = described.get("name").and_then(Value::as_str).map(str::to_owned);
    let name = Some(act.name.clone()).filter(|name| !name.is_empty()).or(named).unwrap_or_else(|| id.clone());
    Owned {
        kind: kind.meta().name.to_owned(),
        id,
        name,
        place: json(&deed.place),
        locator,
        parents: kind.parents(&deed.input),
        input: deed.input.clone(),
        prior: deed.prior.clone().filter(|_| !one_shot::is(kind)),
        account: act.scope.session.account_at(&deed.place),
        ours: (ours && !kind.stays()) || mutant!("shared-is-ours"),
    }
}

impl Act<'_> {
    /// Says that it is done.
    pub(super) fn done(&self, token: &str, response: &Value, adopted: bool, kept: bool) {
        self.scope.waits_for("");
        self.scope.session.tell(What::EffectDone {
            step: self.scope.key.clone(),
            op: self.op.clone(),
            name: self.name.clone(),
            id: id_of(response),
            token: token.to_owned(),
            took_ms: self.took_ms(),
            adopted,
            kept,
        });
    }

    /// What it is called in "NAME is CREATING".
    pub(super) fn subject_name(&self) -> String {
        if self.name.is_empty() { self.subject() } else { self.name.clone() }
    }
}
