//! Deletion of a resource that the run owns: intent, delete, and reads until it is gone. For undo, and for what is left of a
//! creation that failed.

use std::time::Duration;

use runbook_modules::{
    error::{CallError, Class},
    resource::{Health, Kind},
    target::Place,
};
use runbook_seeded::mutant;
use runbook_state::record::{EffectKey, Owned, Record};
use serde_json::Value;

use super::{
    act::Act,
    policy,
    put_back::{Standing, standing},
    wait::settled,
};
use crate::{
    error::Halt,
    event::What,
    run::history::{Effect, Packed},
};

/// How a deletion ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// It is gone; `already`: it was before we came.
    Gone {
        /// It was gone already.
        already: bool,
    },
    /// What stood there before stands there again.
    PutBack,
    /// Somebody else has changed it since: it was left as it is. The text names the field.
    Left(String),
    /// It cannot be deleted now: why, and what holds it.
    Stuck {
        /// One line.
        why: String,
        /// What holds it, by id.
        blockers: Vec<String>,
    },
}

/// Deletes what is left of a creation that failed, before the next generation.
pub(super) fn remains(act: &Act<'_>, kind: &'static dyn Kind, effect: &Effect) -> Result<(), Halt> {
    let Some(owned) = &effect.owned else { return Ok(()) };
    match remove(act, kind, &Row::of(effect, owned))? {
        Removed::Gone { .. } | Removed::PutBack => Ok(()),
        Removed::Left(why) | Removed::Stuck { why, .. } => {
            let mut failure = act.failure("RB0417", format!("what is left of {} cannot be deleted", act.subject()));
            failure.cause = why;
            Err(failure.into())
        }
    }
}

/// An inventory row to be deleted.
pub struct Row<'a> {
    /// Which effect made it.
    pub effect: &'a EffectKey,
    /// The resource.
    pub owned: &'a Owned,
    /// When its creation was sent, in the target's time.
    pub made_ms: i64,
    /// An earlier process began to delete it.
    pub deleting: bool,
    /// The description after its creation.
    pub made: Option<&'a Packed>,
}

impl<'a> Row<'a> {
    /// The row of an effect.
    pub fn of(effect: &'a Effect, owned: &'a Owned) -> Self {
        let (deleting, made) = (effect.deleting, effect.response.as_ref());
        Self { effect: &effect.key, owned, made_ms: effect.target_ms, deleting, made }
    }
}

/// Deletes a resource, or puts back what stood there before.
///
/// # Errors
/// A stop, or a read that does not get through.
pub fn remove(act: &Act<'_>, kind: &'static dyn Kind, row: &Row<'_>) -> Result<Removed, Halt> {
    let place: Place = serde_json::from_value(row.owned.place.clone()).unwrap_or_default();
    let removal = Removal { act, kind, row, place };
    act.scope.check_stop()?;
    let Some(described) = removal.look()? else {
        return removal.gone(!row.deleting);
    };
    if row.owned.prior.is_some()
        && !row.deleting
        && !mutant!("puts-back-over-others")
        && let asked = act.scope.session.vault.as_answered(&row.owned.input)
        && let Some((field, made, found)) = kind.differences(&asked, &described).into_iter().next()
    {
        // A change that was taken and never came through, or that somebody took back.
        if removal.standing(&described) == Some(Standing::AsBefore) {
            return removal.put_back();
        }
        return Ok(Removed::Left(format!("changed since by somebody else: {field} is {found}, it was made as {made}")));
    }
    if row.deleting
        && !mutant!("puts-back-again")
        && let Some(removed) = removal.stands_again(&described)?
    {
        return Ok(removed);
    }
    if !row.deleting {
        act.record(vec![Record::DeleteIntent { effect: row.effect.clone() }])?;
    }
    let Owned { kind: name, id, name: called, .. } = row.owned.clone();
    act.scope.session.tell(What::Deleting { step: row.effect.step.clone(), kind: name, name: called, id });
    let failed = match kind.judge(&described) {
        Health::Failed(why) => Some(why),
        _ => None,
    };
    removal.send(failed.as_deref())
}

struct Removal<'a> {
    act: &'a Act<'a>,
    kind: &'static dyn Kind,
    row: &'a Row<'a>,
    place: Place,
}

impl Removal<'_> {
    /// Reads it. Right after its creation "not found" does not mean gone.
    fn look(&self) -> Result<Option<Value>, Halt> {
        let mut misses = 0;
        // A later time is a clock's that was put back since.
        let made_ms = self.row.made_ms.min(self.act.now_ms());
        loop {
            if let Some(described) = self.act.read(self.kind, &self.place, &self.row.owned.locator)? {
                return Ok(Some(described));
            }
            misses += 1;
            if self.row.deleting || settled(self.act.now_ms(), made_ms) || mutant!("not-found-is-gone") {
                return Ok(None);
            }
            self.act.scope.sleep(policy::POLL.after(misses).unwrap_or(policy::APART))?;
        }
    }

    /// `failed`: why it was unusable before.
    fn send(&self, failed: Option<&str>) -> Result<Removed, Halt> {
        let (act, owned) = (self.act, self.row.owned);
        let limit = policy::limit(self.kind.meta().usual.1);
        let began = act.now_ms();
        let (mut tries, mut renewals) = (0, 0);
        loop {
            act.scope.check_stop()?;
            act.scope.session.still_ours()?;
            let error = match act.send_delete(self.kind, &self.place, &owned.locator, owned.prior.as_ref()) {
                Ok(()) if owned.prior.is_some() => return self.put_back(),
                Ok(()) if mutant!("gone-not-awaited") => return self.gone(false),
                Ok(()) => match self.until_gone(began, limit, failed)? {
                    None => return self.gone(false),
                    Some(error) => error,
                },
                Err(error) if error.class == Class::NotFound => return self.gone(false),
                Err(error) if error.class == Class::Blocked && mutant!("blocked-is-gone") => return self.gone(false),
                Err(error) => error,
            };
            if error.class == Class::Unknown
                && owned.prior.is_some()
                && let Some(described) = act.read(self.kind, &self.place, &owned.locator)?
                && let Some(removed) = self.stands_again(&described)?
            {
                return Ok(removed);
            }
            match error.class {
                Class::Credentials => {
                    act.renewed(&self.place, &error, &mut renewals)?;
                    continue;
                }
                Class::Refused | Class::AlreadyExists | Class::TokenMismatch => return self.stuck(&error),
                _ => {}
            }
            if act.now_ms() - began >= i64::try_from(limit.as_millis()).unwrap_or(i64::MAX) {
                return self.stuck(&error);
            }
            let held_by = if error.class == Class::Blocked { self.obstacles() } else { Vec::new() };
            let text = match &held_by[..] {
                [] => format!("{} to be deleted: {}", act.subject_name(), error.message),
                held => format!("{} to be deleted: held by {}", act.subject_name(), held.join(", ")),
            };
            act.waiting(&text, began, self.kind.meta().usual.1);
            tries += 1;
            act.scope.sleep(policy::BLOCKED.after(tries).unwrap_or(policy::BLOCKED.most))?;
        }
    }

    /// Reads until it is gone. An error: it stands again, or the limit is over. What had failed before may show that until it is gone: that
    /// is no failed deletion, unless it showed another state in between.
    fn until_gone(&self, began: i64, limit: Duration, failed: Option<&str>) -> Result<Option<CallError>, Halt> {
        let (act, at) = (self.act, &self.row.owned.locator);
        let limit_ms = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
        let (mut polls, mut failed) = (0, failed);
        loop {
            let Some(described) = act.read(self.kind, &self.place, at)? else { return Ok(None) };
            let health = self.kind.judge(&described);
            failed = failed.filter(|before| matches!(&health, Health::Failed(why) if why == before));
            let state = match health {
                Health::Failed(why) if failed.is_some() => why,
                Health::Failed(why) => return Ok(Some(CallError::new(Class::Blocked, "DeleteFailed", why))),
                Health::Deleting(why) | Health::Pending(why) => why,
                Health::Ready => "being deleted".to_owned(),
            };
            if act.now_ms() - began >= limit_ms {
                let why = format!("still there after {}: {state}", crate::run::retry::text(limit));
                return Ok(Some(CallError::new(Class::Blocked, "NotGone", why)));
            }
            act.waiting(&format!("{} is {state}", act.subject_name()), began, self.kind.meta().usual.1);
            polls += 1;
            let known = act.scope.session.target.next_change(self.kind, &self.place, at);
            let pause = known.or_else(|| policy::POLL.after(polls)).unwrap_or(policy::POLL.most);
            act.scope.sleep(pause.max(Duration::from_millis(1)))?;
        }
    }

    fn gone(&self, already: bool) -> Result<Removed, Halt> {
        self.act.record(vec![Record::Gone { effect: self.row.effect.clone(), already }])?;
        self.tell(already, false);
        Ok(Removed::Gone { already })
    }

    /// Whether what stood before stands there again, as far as that is known.
    fn standing(&self, described: &Value) -> Option<Standing> {
        Some(standing(self.row.owned.prior.as_ref()?, &self.row.made?.value(), described))
    }

    /// After a put-back that may have been executed: what came of it, if it need not be sent again.
    fn stands_again(&self, described: &Value) -> Result<Option<Removed>, Halt> {
        match self.standing(described) {
            Some(Standing::AsBefore) => self.put_back().map(Some),
            None | Some(Standing::AsMade) => Ok(None),
            Some(Standing::Otherwise) => {
                let why = "changed by somebody else while it was being put back".to_owned();
                Ok(Some(Removed::Left(why)))
            }
        }
    }

    fn put_back(&self) -> Result<Removed, Halt> {
        self.act.record(vec![Record::Gone { effect: self.row.effect.clone(), already: false }])?;
        self.tell(false, true);
        Ok(Removed::PutBack)
    }

    fn tell(&self, already: bool, put_back: bool) {
        self.act.scope.waits_for("");
        let Owned { kind, id, name, .. } = self.row.owned.clone();
        let step = self.row.effect.step.clone();
        self.act.scope.session.tell(What::Deleted { step, kind, name, id, already, put_back });
    }

    fn stuck(&self, error: &CallError) -> Result<Removed, Halt> {
        Ok(Removed::Stuck { why: format!("{}: {}", error.code, error.message), blockers: self.obstacles() })
    }

    fn obstacles(&self) -> Vec<String> {
        let session = &self.act.scope.session;
        let at = &self.row.owned.locator;
        let found = session.runtime.block_on(session.target.obstacles(self.kind, &self.place, at, &self.act.host));
        found.iter().map(|text| session.vault.conceal_text(text)).collect()
    }
}
