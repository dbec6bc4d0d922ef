//! Where this thread is: the innermost step or branch, and what the script has used up since it last reached the outside.

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
    time::Instant,
};

use super::{limits::Limits, memory};
use crate::{
    error::{Failure, Halt, Stop},
    run::scope::Scope,
};

thread_local! {
    static SCOPES: RefCell<Vec<Arc<Scope>>> = const { RefCell::new(Vec::new()) };
    static OPERATIONS: Cell<u64> = const { Cell::new(0) };
    static SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
    static PASSED: RefCell<Option<Passed>> = const { RefCell::new(None) };
}

/// A limit that was passed. Rhai gives a termination the line of the outermost call only. So the script first gets an ordinary error at
/// its next variable, which has the exact line; when it does not come to one soon, or catches the error, it is terminated.
struct Passed {
    failure: Failure,
    grace: u32,
    raised: bool,
}

/// Operations until a script that passed a limit is terminated.
const GRACE: u32 = 64;

/// How many operations pass between two looks at the clock and at the wish to stop.
const LOOK_EVERY: u64 = 256;

/// Restores the thread's place when a body ends, by whatever way.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        SCOPES.with_borrow_mut(Vec::pop);
        fresh();
    }
}

/// Runs a body inside a scope.
pub fn within<R>(scope: &Arc<Scope>, body: impl FnOnce() -> R) -> R {
    SCOPES.with_borrow_mut(|scopes| scopes.push(scope.clone()));
    let _leave = Leave;
    fresh();
    body()
}

/// The innermost scope; None while only the parameters are looked at.
pub fn scope() -> Option<Arc<Scope>> {
    SCOPES.with_borrow(|scopes| scopes.last().cloned())
}

/// The script has reached the outside: its operations and its time count from anew.
pub fn fresh() {
    OPERATIONS.set(0);
    SINCE.set(None);
}

/// Another script begins on this thread: nothing of what stood here counts for it.
pub fn anew() {
    fresh();
    PASSED.set(None);
}

/// Called before every operation of a script. `base` is the heap when the run began. Some: the script must end at once.
pub fn tick(limits: &Limits, base: usize) -> Option<Stop> {
    let operations = OPERATIONS.get() + 1;
    OPERATIONS.set(operations);
    let grown = memory::allocated().saturating_sub(base);
    let look = operations % LOOK_EVERY == 1;
    if grown > limits.memory || PASSED.with_borrow(Option::is_some) {
        return passed(limits, grown);
    }
    if !look {
        return None;
    }
    if used_up(limits, operations) {
        return passed(limits, grown);
    }
    SCOPES.with_borrow(|scopes| match scopes.last()?.check_stop() {
        Err(Halt::Stop(stop)) => Some(stop),
        // A step's timeout is reported by what waits in it.
        Err(Halt::Failure(_)) | Ok(()) => None,
    })
}

fn used_up(limits: &Limits, operations: u64) -> bool {
    let since = SINCE.get().unwrap_or_else(|| {
        let now = Instant::now();
        SINCE.set(Some(now));
        now
    });
    operations > limits.operations || since.elapsed() > limits.deadline
}

fn passed(limits: &Limits, grown: usize) -> Option<Stop> {
    PASSED.with_borrow_mut(|passed| {
        let entry = passed.get_or_insert_with(|| Passed {
            failure: if grown > limits.memory { too_much(limits) } else { endless(limits) },
            grace: GRACE,
            raised: false,
        });
        entry.grace = entry.grace.saturating_sub(1);
        if entry.grace > 0 && grown < limits.memory / 3 * 4 {
            return None;
        }
        passed.take().map(|passed| Stop::Script(Box::new(passed.failure)))
    })
}

/// The error for the next variable that the script looks at, after a limit was passed.
pub fn raised() -> Option<Failure> {
    PASSED.with_borrow_mut(|passed| {
        let passed = passed.as_mut().filter(|passed| !passed.raised)?;
        passed.raised = true;
        Some(passed.failure.clone())
    })
}

/// Whether an error that reached us is the one of [`raised`]. It is then over.
pub fn settle(failure: &Failure) -> bool {
    PASSED.with_borrow_mut(|passed| {
        let ours = passed.as_ref().is_some_and(|passed| passed.raised && passed.failure.code == failure.code);
        if ours {
            *passed = None;
        }
        ours
    })
}

fn too_much(limits: &Limits) -> Failure {
    let mut failure =
        Failure::new("RB0107", format!("the script uses more than {} MiB of memory", limits.memory >> 20))
            .hint("Keep less in variables: write large texts to a file next to the runbook and read them with file().");
    failure.cause = "the limit was passed here".to_owned();
    failure
}

fn endless(limits: &Limits) -> Failure {
    let seconds = limits.deadline.as_secs_f64();
    let mut failure = Failure::new(
        "RB0106",
        format!("the script computed for {seconds} s without reaching a binding: does it loop for ever?"),
    )
    .hint("Look at the loop around this line: does its condition ever change?")
    .hint("To wait for something, use check(name, #{ within: \"5m\" }, || …) or sleep(\"30s\").");
    failure.cause = "still computing here".to_owned();
    failure
}
