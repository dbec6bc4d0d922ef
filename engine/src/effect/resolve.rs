//! Outcomes that are not known: after a crash between intent and answer, or a lost answer (idempotency.md §2, "Resolve").
//!
//! In this order: the same request with the same token while the provider remembers it; the natural key; the ownership tag,
//! whose absence counts only after the settle time and several spaced misses. What is not ours is never taken over, and what
//! cannot be settled stops the run and is named.

use runbook_modules::{
    resource::{Identity, Kind},
    target::{EFFECT_TAG, RUN_TAG},
};
use runbook_seeded::mutant;
use runbook_state::record::Record;
use serde_json::Value;

use super::{
    act::{Act, Deed, Tries},
    create::owned,
    one_shot, policy,
    report::id_of,
    token::tag,
    wait::settled,
};
use crate::{
    error::{Halt, Stop},
    run::history::Effect,
};

/// How an unknown outcome can go on.
pub enum Verdict {
    /// It was made.
    Found(Found),
    /// Sending the same request again makes no second one.
    SendAgain,
    /// It was not made; how that was proved.
    Absent(String),
}

/// What a found resource is taken over for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// To be used: it must be what was asked for.
    Use,
    /// To be deleted.
    Delete,
}

/// A resource that stands and may be taken over.
pub struct Found {
    /// The description.
    pub described: Value,
    /// This run made it; false for a shared thing.
    pub ours: bool,
}

/// Settles an outcome, or says how to go on.
///
/// # Errors
/// [`Stop::Unresolved`] when a person must decide.
pub(super) fn resolve(act: &Act<'_>, kind: &'static dyn Kind, deed: &Deed, tries: &mut Tries) -> Result<Verdict, Halt> {
    act.scope.check_stop()?;
    if mutant!("skip-look-up") {
        return Ok(Verdict::Absent("not looked for".to_owned()));
    }
    let age_ms = act.now_ms() - if mutant!("token-from-last-send") { deed.since_ms } else { deed.first_ms };
    let verdict = match kind.meta().identity {
        Identity::Repeat => Verdict::SendAgain,
        // A time to come is a clock's that was put back since: nobody knows how old the token is.
        Identity::Token { safe, .. } if (0..i64::try_from(safe.as_millis()).unwrap_or(i64::MAX)).contains(&age_ms) => {
            Verdict::SendAgain
        }
        Identity::Token { key: true, .. } | Identity::Key => by_key(act, kind, deed)?,
        Identity::Token { key: false, .. } | Identity::Tag => by_tag(act, kind, deed, Taking::Use)?,
        Identity::OneShot { .. } => match by_tag(act, kind, deed, Taking::Delete)? {
            Verdict::Found(found) => one_shot::lost(act, kind, deed, &found)?,
            other => other,
        },
    };
    if let Verdict::SendAgain = verdict {
        pace(act, tries)?;
    }
    Ok(verdict)
}

/// The first send after a crash is at once; the later ones after unknown answers back off, and end.
pub(super) fn pace(act: &Act<'_>, tries: &mut Tries) -> Result<(), Halt> {
    if tries.sent > 0 {
        tries.unknown += 1;
        let Some(delay) = policy::UNKNOWN.after(tries.unknown) else {
            let why = format!("sent {} times, and each time the answer was lost", tries.sent);
            let failure = act.unresolved("RB0415", why).hint("resume later: it is looked for again");
            return Err(Stop::Unresolved(Box::new(failure)).into());
        };
        act.scope.sleep(delay)?;
    }
    Ok(())
}

fn by_key(act: &Act<'_>, kind: &'static dyn Kind, deed: &Deed) -> Result<Verdict, Halt> {
    let found = act.find(kind, deed)?;
    if found.is_empty() {
        return Ok(Verdict::SendAgain);
    }
    if let [described] = &found[..]
        && is_ours(kind, deed, described)
        && kind.unfinished(described)
    {
        act.resolved(format!("{} is half done: asked for again", id_of(described)));
        return Ok(Verdict::SendAgain);
    }
    match choose(act, kind, deed, found, true, Taking::Use)? {
        Ok(found) => Ok(Verdict::Found(found)),
        // What stood there before still stands: it was not sent, and replacing it twice is replacing it once.
        Err(_) if kind.meta().replaces && deed.prior.is_some() => Ok(Verdict::SendAgain),
        Err(others) if kind.upgrades() && others.iter().all(|described| is_of_the_run(deed, described)) => {
            Ok(Verdict::SendAgain)
        }
        Err(others) => Err(Stop::Unresolved(Box::new(act.conflict(&others))).into()),
    }
}

/// Looks for it by the ownership tag. Absence counts only when the intent has settled, and then several times.
pub fn by_tag(act: &Act<'_>, kind: &'static dyn Kind, deed: &Deed, taking: Taking) -> Result<Verdict, Halt> {
    let mut misses = 0;
    loop {
        let found = act.find(kind, deed)?;
        if !found.is_empty()
            && let Ok(found) = choose(act, kind, deed, found, true, taking)?
        {
            return Ok(Verdict::Found(found));
        }
        let now = act.now_ms();
        if settled(now, deed.since_ms) || mutant!("settle-skipped") {
            misses += 1;
            if misses >= policy::MISSES || mutant!("one-miss") {
                return Ok(Verdict::Absent(format!("not found {misses} times by its tag")));
            }
            act.scope.sleep(policy::APART)?;
        } else {
            act.waiting(&format!("{}, whose outcome is not known", act.subject_name()), deed.since_ms, policy::SETTLE);
            let age = std::time::Duration::from_millis(u64::try_from(now - deed.since_ms).unwrap_or(0));
            act.scope.sleep(policy::SETTLE.saturating_sub(age))?;
        }
    }
}

/// What an earlier process of the run has made and its journal does not have, because a backup of it was put back or a copy of it is
/// driven too. One look before the first send, where nothing else would keep a second one from being made.
///
/// # Errors
/// [`Stop::Unresolved`] when it differs from what is asked for, and when it replaced something (`prior` is then the run's own work).
pub(super) fn unrecorded(
    act: &Act<'_>, kind: &'static dyn Kind, deed: &Deed, prior: Option<&Value>,
) -> Result<Option<Found>, Halt> {
    if mutant!("journal-taken-for-whole") {
        return Ok(None);
    }
    if let Some(stands) = prior.filter(|prior| kind.meta().replaces && is_ours(kind, deed, prior)) {
        let why = format!(
            "{} bears the mark of this very call, and the journal does not have it: the journal is older than the target, and what \
             stood there before the run is not known",
            id_of(stands)
        );
        let hint = "put the newer journal back; or, if nothing stood there before the run, delete it and resume";
        return Err(Stop::Unresolved(Box::new(act.unresolved("RB0415", why).hint(hint))).into());
    }
    if !matches!(kind.meta().identity, Identity::Tag | Identity::Token { key: false, .. }) {
        return Ok(None);
    }
    let found = act.find(kind, deed)?;
    Ok(choose(act, kind, deed, found, false, Taking::Use)?.ok())
}

/// A request that was sent again may meet what the first one made a moment before, and answer with nothing of its own (of rules that
/// stand, none is added): then what bears our mark is what was made.
///
/// # Errors
/// As [`by_tag`].
pub(super) fn met(
    act: &Act<'_>, kind: &'static dyn Kind, deed: &Deed, described: &Value,
) -> Result<Option<Found>, Halt> {
    if kind.meta().identity != Identity::Key || is_ours(kind, deed, described) || mutant!("met-not-looked-for") {
        return Ok(None);
    }
    let found = act.find(kind, deed)?;
    Ok(choose(act, kind, deed, found, false, Taking::Use)?.ok().filter(|found| found.ours))
}

/// What stands, looked at several times because reads lag: ours (or shared), else the others.
pub(super) fn whose(
    act: &Act<'_>, kind: &'static dyn Kind, deed: &Deed, doubt: bool,
) -> Result<Result<Found, Vec<Value>>, Halt> {
    let mut looks = 0;
    loop {
        let found = act.find(kind, deed)?;
        if !found.is_empty() {
            return choose(act, kind, deed, found, doubt, Taking::Use);
        }
        looks += 1;
        match policy::LOOK.after(looks) {
            Some(delay) => act.scope.sleep(delay)?,
            // It may be ours, made a moment ago: reads may lag as long as the settle time.
            None if doubt && !settled(act.now_ms(), deed.since_ms) => act.scope.sleep(policy::APART)?,
            None => return Ok(Err(Vec::new())),
        }
    }
}

/// Chooses among what was found: exactly one of ours, verified; else a shared one; else nothing may be taken over.
///
/// `doubt`: our request may have been executed. Only then can something without our tag be ours: one that bears no tags at all, or
/// one that stood there before and keeps its own.
fn choose(
    act: &Act<'_>, kind: &'static dyn Kind, deed: &Deed, found: Vec<Value>, doubt: bool, taking: Taking,
) -> Result<Result<Found, Vec<Value>>, Halt> {
    let (ours, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|described| is_ours(kind, deed, described));
    if let [described] = &ours[..] {
        if taking == Taking::Use {
            verify(act, kind, deed, described)?;
        }
        act.resolved(format!("found by its {}: {}, adopted", how(kind), id_of(described)));
        return Ok(Ok(Found { described: described.clone(), ours: true }));
    }
    if ours.len() > 1 {
        let ids: Vec<_> = ours.iter().map(id_of).collect();
        let failure = act
            .unresolved("RB0415", format!("{} of them bear its tag: {}", ids.len(), ids.join(", ")))
            .hint("delete all but one of them, then resume");
        return Err(Stop::Unresolved(Box::new(failure)).into());
    }
    if kind.shared(&deed.input)
        && let Some(described) = others.first()
    {
        act.resolved(format!("{} stands already and is shared", id_of(described)));
        return Ok(Ok(Found { described: described.clone(), ours: false }));
    }
    if doubt
        && let [described] = &others[..]
        && (described.get("tags").is_none_or(|tags| !tags.is_object()) || kind.meta().replaces && deed.prior.is_some())
        && kind.differences(&act.scope.session.vault.as_answered(&deed.input), described).is_empty()
    {
        act.resolved(format!("found as it was asked for: {}, adopted", id_of(described)));
        return Ok(Ok(Found { described: described.clone(), ours: true }));
    }
    Ok(Err(others))
}

/// Whether a description says that this very effect made it: by our tag, or by our token in a field (a caller reference). Of
/// what tells its secret once, [`Act::find`] gives only what was not there before.
fn is_ours(kind: &dyn Kind, deed: &Deed, described: &Value) -> bool {
    if mutant!("adopts-foreign") || one_shot::is(kind) {
        return true;
    }
    let tagged = described.get("tags").and_then(|tags| tags.get(EFFECT_TAG)).and_then(Value::as_str);
    let by_token = |value: &Value| value.as_str().is_some_and(|text| text == deed.token);
    tagged == Some(tag(&deed.token)) || described.as_object().is_some_and(|fields| fields.values().any(by_token))
}

/// Whether a description says that this run made it, in whatever call.
fn is_of_the_run(deed: &Deed, described: &Value) -> bool {
    let run = described.get("tags").and_then(|tags| tags.get(RUN_TAG)).and_then(Value::as_str);
    run.is_some() && run == deed.tags.get(RUN_TAG).map(String::as_str)
}

/// What is taken over must be what was asked for.
fn verify(act: &Act<'_>, kind: &'static dyn Kind, deed: &Deed, described: &Value) -> Result<(), Halt> {
    if mutant!("adopts-unverified") {
        return Ok(());
    }
    let differences = kind.differences(&act.scope.session.vault.as_answered(&deed.input), described);
    let Some((field, asked, has)) = differences.first() else { return Ok(()) };
    let why = format!("{} bears its tag, but its {field} is {has} instead of {asked}", id_of(described));
    let hint = "if it is the wrong one, delete it; then resume";
    Err(Stop::Unresolved(Box::new(act.unresolved("RB0415", why).hint(hint))).into())
}

fn how(kind: &'static dyn Kind) -> &'static str {
    match kind.meta().identity {
        Identity::Key | Identity::Token { key: true, .. } => "key",
        _ => "tag",
    }
}

/// Settles an intent whose outcome is not known, for undo: what is found becomes an inventory row, what is not is retired.
/// Nothing is sent.
///
/// # Errors
/// As [`by_tag`].
pub fn settle(act: &Act<'_>, kind: &'static dyn Kind, effect: &Effect) -> Result<(), Halt> {
    let deed = Deed::recorded(effect, act.now_ms());
    let found = match by_tag(act, kind, &deed, Taking::Delete)? {
        Verdict::Found(found) => found,
        Verdict::Absent(why) => return act.retire(&deed, &why),
        Verdict::SendAgain => return Ok(()),
    };
    let Some(at) = kind.locate(&deed.input, &found.described) else {
        let failure = act.unresolved("RB0415", format!("{} cannot be located", id_of(&found.described)));
        return Err(Stop::Unresolved(Box::new(failure)).into());
    };
    let owned = owned(act, kind, &deed, &found.described, at, found.ours);
    act.record(vec![Record::Done {
        effect: deed.key,
        response: found.described,
        owned: Some(owned),
        adopted: true,
        attempts: 0,
    }])
}
