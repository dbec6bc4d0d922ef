//! Steps: the record first, the body only when there is none.
//!
//! | in the journal | what happens |
//! |---|---|
//! | nothing | a first attempt |
//! | begun, not ended (the process died or was parked) | the same attempt goes on: its effects and reads answer from the record |
//! | failed, not caught | a new attempt: effects answer from the record, reads are made again |
//! | failed and caught | the same failure again; the body does not run |
//! | finished | the recorded result; the body does not run |
//! | finished, but edited (`--edited`) | matching mode: the body runs, everything must answer from the record |
//! | undone | a new attempt |
//!
//! When the end of a step is on the disk: a step without an effect of its own commits, and so does not run again. For a step
//! with effects the end may be lost in a crash: it is replayed from its effects, which are on the disk, and nothing is sent
//! again; whatever depends on it is written later, and never without it.

use std::{sync::Arc, time::Duration};

use runbook_seeded::mutant;
use runbook_state::{
    record::{Record, Site},
    store::When,
};
use serde_json::Value;

use super::{
    history::{Step, StepState},
    matching,
    retry::Policy,
    scope::{ABANDONED, Deadline, Scope},
    session::Mode,
};
use crate::{
    error::{Failure, Halt, Stop},
    event::What,
};

/// What a script may say about a step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepOptions {
    /// How often it is tried.
    pub retry: Policy,
    /// How long an attempt may take, in the target's time. An attempt that goes on after a crash has the whole time again.
    pub timeout: Option<Duration>,
}

/// A step's body. It is called once for each attempt, with that attempt's scope.
pub type Body<'a> = dyn FnMut(&Arc<Scope>) -> Result<Value, Halt> + 'a;

/// How a step begins.
pub(super) enum Begin {
    /// It has its answer.
    Answer(Result<Value, Halt>),
    /// It is finished, but its code or what it captured is another: matching mode.
    Match {
        /// Its key.
        key: String,
        /// What is known of it.
        known: Arc<Step>,
    },
    /// The run is being recalled.
    Recall {
        /// Its key.
        key: String,
        /// What is known of it.
        known: Option<Arc<Step>>,
    },
    /// It runs.
    Run {
        /// Its key.
        key: String,
        /// The attempt.
        attempt: u32,
        /// The attempt was begun by an earlier process.
        resumed: bool,
    },
}

/// Runs a step, or answers for it from the journal.
///
/// # Errors
/// The failure of its last attempt, or a stop.
pub fn step(
    scope: &Arc<Scope>, name: &str, options: &StepOptions, site: &Site, captures: &str, body: &mut Body<'_>,
) -> Result<Value, Halt> {
    match begin(scope, name, site, captures)? {
        Begin::Answer(answer) => answer,
        Begin::Match { key, known } => matching::matched(scope, &key, &known, site, captures, body),
        Begin::Recall { key, known } => recall(scope, &key, known.as_deref(), body),
        Begin::Run { key, attempt, resumed } => drive(scope, &key, options, site, captures, attempt, resumed, body),
    }
}

/// Takes the name and asks the record.
pub(super) fn begin(scope: &Scope, name: &str, site: &Site, captures: &str) -> Result<Begin, Halt> {
    scope.enter()?;
    let key = scope.claim(name, site)?;
    let session = &scope.session;
    let known = session.history.step(&key);
    if session.mode == Mode::Recall {
        return Ok(Begin::Recall { key, known });
    }
    let known = known.filter(|_| !mutant!("finished-step-again"));
    let same = |known: &Step, old: &str| {
        let captured = old == captures || mutant!("captures-not-compared");
        session.edits.as_ref().is_none_or(|edits| captured && edits.same_code(&key, known, site))
    };
    if let Some(known) = &known {
        match &known.state {
            StepState::Done { result, captures } if same(known, captures) => {
                kept(scope, &key, known, site)?;
                return Ok(Begin::Answer(Ok(result.clone())));
            }
            StepState::Done { .. } => return Ok(Begin::Match { key, known: known.clone() }),
            StepState::Failed { failure, caught: true } if !mutant!("caught-failure-again") => {
                return Ok(Begin::Answer(Err(outcome(&key, failure))));
            }
            StepState::Failed { .. } | StepState::Started | StepState::Undone => {}
        }
    }
    if let Err(halt) = scope.check_stop() {
        return Ok(Begin::Answer(Err(stopped(scope, &key, halt))));
    }
    let goes_on = |known: &Arc<Step>| known.state == StepState::Started && known.started > scope.since;
    Ok(match known {
        Some(known) if goes_on(&known) => Begin::Run { key, attempt: known.attempt, resumed: true },
        known => Begin::Run { key, attempt: known.map_or(0, |known| known.attempt) + 1, resumed: false },
    })
}

/// Runs attempts until one is done or none is left.
#[expect(clippy::too_many_arguments, reason = "one call, right above")]
fn drive(
    scope: &Arc<Scope>, key: &str, options: &StepOptions, site: &Site, captures: &str, first: u32, resumed: bool,
    body: &mut Body<'_>,
) -> Result<Value, Halt> {
    let session = &scope.session;
    let mut delays = options.retry.delays();
    let mut attempt = first;
    loop {
        if attempt > first || !resumed {
            start(scope, key, attempt, site)?;
        }
        session.tell(What::StepStarted { step: key.to_owned(), attempt, site: site.clone() });
        let began_ms = session.time.now_ms();
        let effects = session.history.effects_below(key);
        let inner = scope.within_step(key, attempt, since(scope, key), scope.matching, deadline(scope, key, options));
        let failure = match body(&inner) {
            Ok(value) => {
                inner.enter()?;
                finish(scope, key, value.clone(), captures, began_ms, effects)?;
                return Ok(value);
            }
            Err(Halt::Failure(failure)) => placed(*failure, key, site),
            Err(halt) => return Err(stopped(scope, key, halt)),
        };
        let delay = delays.next().filter(|_| may_retry(&failure) && !scope.stopping());
        failed(scope, key, &failure, delay)?;
        let Some(delay) = delay else {
            scope.hand(key, &failure);
            return Err(failure.into());
        };
        scope.sleep(delay).map_err(|halt| stopped(scope, key, halt))?;
        session.retries.fetch_add(1, runbook_seeded::sync::atomic::Ordering::Relaxed);
        attempt += 1;
    }
}

/// Runs the body of a recorded step for its undo closures; the answer is the recorded one.
fn recall(scope: &Arc<Scope>, key: &str, known: Option<&Step>, body: &mut Body<'_>) -> Result<Value, Halt> {
    let end = || Err(Stop::EndOfRecord.into());
    let Some(known) = known.filter(|known| known.attempt > 0) else {
        return match known.map(|known| &known.state) {
            Some(StepState::Failed { failure, caught: true }) => Err(outcome(key, failure)),
            _ => end(),
        };
    };
    let inner = scope.within_step(key, known.attempt, 0, false, None);
    // How the body ends says nothing: the record does.
    let _ = body(&inner);
    match &known.state {
        StepState::Done { result, .. } => Ok(result.clone()),
        StepState::Failed { failure, caught: true } => Err(outcome(key, failure)),
        _ => end(),
    }
}

/// Writes that an attempt begins.
pub(super) fn start(scope: &Scope, key: &str, attempt: u32, site: &Site) -> Result<(), Halt> {
    let record = Record::StepStarted { step: key.to_owned(), attempt, site: site.clone() };
    scope.session.record(vec![record], When::Soon)
}

/// Where in the journal the present attempt of a step began.
pub(super) fn since(scope: &Scope, key: &str) -> u64 {
    scope.session.history.step(key).map_or(0, |step| step.started)
}

/// Writes that a step is finished. `effects`: how many its scope held when this process began it.
pub(super) fn finish(
    scope: &Scope, key: &str, result: Value, captures: &str, began_ms: i64, effects: u32,
) -> Result<(), Halt> {
    let session = &scope.session;
    let now = session.history.effects_below(key);
    let when = if now > effects { When::Soon } else { When::Now };
    let record = Record::StepDone { step: key.to_owned(), result, captures: captures.to_owned(), again: false };
    session.record(vec![record], when)?;
    let took_ms = session.time.now_ms() - began_ms;
    session.tell(What::StepDone { step: key.to_owned(), took_ms, effects: now, kept: false });
    Ok(())
}

/// A step is answered from the journal. It may come from another script: then the next edit is compared from this one.
pub(super) fn kept(scope: &Scope, key: &str, known: &Step, site: &Site) -> Result<(), Halt> {
    let session = &scope.session;
    if session.edits.is_some() && (known.site != *site || known.version != session.history.version()) {
        start(scope, key, known.attempt, site)?;
    }
    session.tell(What::StepDone {
        step: key.to_owned(),
        took_ms: known.ended_ms - known.started_ms,
        effects: session.history.effects_below(key),
        kept: true,
    });
    Ok(())
}

/// Writes that an attempt failed.
pub(super) fn failed(scope: &Scope, key: &str, failure: &Failure, delay: Option<Duration>) -> Result<(), Halt> {
    let json = serde_json::to_value(failure).unwrap_or_default();
    scope
        .session
        .record(vec![Record::StepFailed { step: key.to_owned(), failure: json, caught: false }], When::Soon)?;
    let retry_ms = delay.map(|delay| i64::try_from(delay.as_millis()).unwrap_or(i64::MAX));
    scope.session.tell(What::StepFailed { step: key.to_owned(), failure: failure.clone(), retry_ms });
    Ok(())
}

/// A step ends without an outcome of its own: it was stopped from outside.
pub(super) fn stopped(scope: &Scope, key: &str, halt: Halt) -> Halt {
    let why = match &halt {
        Halt::Failure(failure) => {
            scope.hand(key, failure);
            return halt;
        }
        Halt::Stop(Stop::Abandoned) => {
            scope.hand(key, &Failure::new(ABANDONED, "abandoned because another branch failed"));
            "another branch failed".to_owned()
        }
        Halt::Stop(Stop::Parked(why) | Stop::Fenced(why) | Stop::Store(why)) => why.clone(),
        Halt::Stop(Stop::Waiting { question, .. }) => format!("waits for an approval: {question}"),
        Halt::Stop(Stop::Changed(f) | Stop::Unresolved(f) | Stop::Credentials(f) | Stop::Script(f)) => {
            f.message.clone()
        }
        Halt::Stop(Stop::EndOfRecord) => return halt,
    };
    scope.session.tell(What::StepParked { step: key.to_owned(), why });
    halt
}

/// Says in a failure where it happened, as far as it does not know yet.
pub(super) fn placed(mut failure: Failure, key: &str, site: &Site) -> Failure {
    if failure.step.is_empty() {
        key.clone_into(&mut failure.step);
    }
    if !failure.sites.contains(site) {
        failure.sites.push(site.clone());
    }
    failure
}

/// A caught failure out of the journal.
fn outcome(key: &str, failure: &Value) -> Halt {
    let read = serde_json::from_value::<Failure>(failure.clone());
    let failure = read.unwrap_or_else(|_| {
        let mut failure = Failure::new("RB0303", format!("failed earlier: {failure}"));
        key.clone_into(&mut failure.step);
        failure
    });
    if failure.code == ABANDONED { Stop::Abandoned.into() } else { failure.into() }
}

fn deadline(scope: &Scope, key: &str, options: &StepOptions) -> Option<Deadline> {
    let after = options.timeout?;
    let at_ms = scope.session.time.now_ms().saturating_add(i64::try_from(after.as_millis()).unwrap_or(i64::MAX));
    Some(Deadline { at_ms, step: key.to_owned(), after })
}

/// A mistake in the script is the same the next time.
pub(super) fn may_retry(failure: &Failure) -> bool {
    !failure.code.starts_with("RB01")
}
