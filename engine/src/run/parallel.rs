//! Branches: side by side, each a thread and a scope of its own. A branch is no checkpoint: the steps in it are.
//!
//! After the first failure the others start no effect, abandon their waits and park. A branch that waits for an approval lets the
//! others go on to their end.
//!
//! On simulated time a thread that ends hands its place in the clock on: the last one to end keeps it for the thread that called
//! [`parallel`]. Otherwise time could jump between the end of the branches and the return of the caller.

use std::panic::{AssertUnwindSafe, catch_unwind};

use runbook_seeded::{
    mutant, spawn_scoped,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use runbook_state::record::Site;
use serde_json::{Map, Value};

use super::{cancel::Group, scope::Scope, session::Session};
use crate::{
    bug,
    error::{Failure, Halt, Stop},
};

/// The stack of a thread that runs a script. Values that hold each other (closures that captured closures) are dropped one inside the
/// other, which no limit of Rhai's sees: a level takes 200 bytes of stack and 370 of the heap, so that this is enough for as many as the
/// memory limit lets a script make. What is not used is never touched.
pub const STACK: usize = 96 << 20;

/// What a branch does.
pub type Work<'a> = Box<dyn FnOnce(&Arc<Scope>) -> Result<Value, Halt> + Send + 'a>;

/// One branch.
pub struct Branch<'a> {
    /// Its name, part of the keys of its steps.
    pub name: String,
    /// What it does.
    pub body: Work<'a>,
}

struct Job<'a> {
    place: usize,
    scope: Arc<Scope>,
    body: Work<'a>,
}

/// Runs branches side by side, at most `max` at a time, and gives their results by name.
///
/// # Errors
/// The failure of the only branch that failed, or one failure (RB0307) with all of them as causes; a stop outranks both.
pub fn parallel(
    scope: &Arc<Scope>, site: &Site, mut branches: Vec<Branch<'_>>, max: Option<usize>,
) -> Result<Map<String, Value>, Halt> {
    scope.enter()?;
    branches.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(pair) = branches.windows(2).find(|pair| pair[0].name == pair[1].name) {
        let failure = Failure::new("RB0302", format!("two branches have the name {:?}", pair[0].name)).at(site);
        return Err(Stop::Script(Box::new(failure)).into());
    }
    let group = Arc::new(Group::within(&scope.group));
    let names: Vec<String> = branches.iter().map(|branch| branch.name.clone()).collect();
    let mut jobs = Vec::new();
    for (place, branch) in branches.into_iter().enumerate() {
        jobs.push(Job { place, scope: scope.within_branch(&branch.name, site, &group)?, body: branch.body });
    }
    let scopes: Vec<Arc<Scope>> = jobs.iter().map(|job| job.scope.clone()).collect();
    let ends = run(&scope.session, &group, jobs, max.unwrap_or(usize::MAX));
    sum_up(scope, site, names, &scopes, ends)
}

type End = Result<Value, Halt>;

fn run(session: &Arc<Session>, group: &Group, mut jobs: Vec<Job<'_>>, max: usize) -> Vec<End> {
    let ends: Vec<Mutex<Option<End>>> = jobs.iter().map(|_| Mutex::default()).collect();
    let workers = jobs.len().min(max).max(1);
    jobs.reverse();
    let queue = Mutex::new(jobs);
    let at_work = AtomicUsize::new(workers);
    let work = || {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(job) = next else { break };
            let end = if group.failed() && !mutant!("branches-begin-after-a-failure") {
                Err(Stop::Abandoned.into())
            } else {
                one(&job.scope, job.body)
            };
            if end.as_ref().is_err_and(|halt| !matches!(halt, Halt::Stop(Stop::Waiting { .. } | Stop::EndOfRecord))) {
                group.fail();
                session.time.nudge();
            }
            *ends[job.place].lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
        }
        if at_work.fetch_sub(1, Ordering::AcqRel) > 1 {
            session.time.leave();
        }
    };
    thread::scope(|threads| {
        for _ in 1..workers {
            session.time.enter();
            let spawned = spawn_scoped(threads, "branch", Some(STACK), work);
            // Fewer threads do the same work: this one takes part.
            if spawned.is_err() {
                at_work.fetch_sub(1, Ordering::AcqRel);
                session.time.leave();
            }
        }
        work();
    });
    ends.into_iter()
        .map(|end| end.into_inner().unwrap_or_else(PoisonError::into_inner))
        .map(|end| end.unwrap_or_else(|| Err(Stop::Abandoned.into())))
        .collect()
}

fn one(scope: &Arc<Scope>, body: impl FnOnce(&Arc<Scope>) -> End) -> End {
    let end = guarded(|| body(scope))?;
    scope.enter()?;
    Ok(end)
}

/// Turns a panic, which is a mistake in this program, into a failure.
pub(super) fn guarded<T>(body: impl FnOnce() -> Result<T, Halt>) -> Result<T, Halt> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(bug::failure().into()))
}

fn sum_up(
    scope: &Scope, site: &Site, names: Vec<String>, scopes: &[Arc<Scope>], ends: Vec<End>,
) -> Result<Map<String, Value>, Halt> {
    let count = ends.len();
    let mut results = Map::new();
    let mut failures = Vec::new();
    let mut stop: Option<Stop> = None;
    for (name, end) in names.into_iter().zip(ends) {
        match end {
            Ok(value) => {
                results.insert(name, value);
            }
            Err(Halt::Failure(failure)) => failures.push((name, *failure)),
            Err(Halt::Stop(new)) => {
                let (first, second) = match stop.take() {
                    Some(old) if rank(&old) >= rank(&new) => (old, Some(new)),
                    old => (new, old),
                };
                outranked(&scope.session, second.and_then(facts));
                stop = Some(first);
            }
        }
    }
    match stop {
        Some(Stop::Abandoned) if !failures.is_empty() => {}
        Some(stop) => {
            outranked(&scope.session, failures.into_iter().map(|(_, failure)| failure));
            return Err(stop.into());
        }
        None if failures.is_empty() => return Ok(results),
        None => {}
    }
    for branch in scopes {
        scope.hand_over(branch);
    }
    if failures.len() == 1 {
        return Err(failures.remove(0).1.into());
    }
    let lines: Vec<String> = failures.iter().map(|(name, failure)| format!("{name}: {}", failure.message)).collect();
    let message = format!("{} of {count} branches failed: {}", failures.len(), lines.join("; "));
    let mut failure = Failure::new("RB0307", message).at(site);
    failure.step.clone_from(&scope.key);
    failure.causes = failures.into_iter().map(|(_, failure)| failure).collect();
    Err(failure.into())
}

fn outranked(session: &Session, failures: impl IntoIterator<Item = Failure>) {
    session.outranked.lock().unwrap_or_else(PoisonError::into_inner).extend(failures);
}

fn facts(stop: Stop) -> Option<Failure> {
    match stop {
        Stop::Changed(f) | Stop::Unresolved(f) | Stop::Credentials(f) | Stop::Script(f) => Some(*f),
        _ => None,
    }
}

/// Which of several stops is told: the one that the others follow from, or that must be settled first.
fn rank(stop: &Stop) -> u8 {
    match stop {
        Stop::Fenced(_) | Stop::Store(_) => 6,
        Stop::Script(_) | Stop::Changed(_) => 5,
        Stop::Unresolved(_) | Stop::Credentials(_) => 4,
        Stop::Parked(_) => 3,
        Stop::EndOfRecord => 2,
        Stop::Waiting { .. } => 1,
        Stop::Abandoned => 0,
    }
}
