//! Carries our own errors through Rhai: a [`Failure`] as a map that a script can catch, a [`Stop`] as a termination that it cannot.

use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, NativeCallContext, Position};
use runbook_state::record::Site;
use serde_json::Value;

use super::convert;
use crate::error::{Failure, Halt, Stop};

/// A stop on its way through Rhai.
#[derive(Clone)]
pub struct Token(Arc<Stop>);

/// A token for Rhai's own `on_progress`.
pub fn token(stop: Stop) -> Dynamic {
    Dynamic::from(Token(Arc::new(stop)))
}

/// What ended a step, as Rhai's error.
pub fn halt(halt: Halt) -> Box<EvalAltResult> {
    match halt {
        Halt::Failure(failure) => fail(&failure),
        Halt::Stop(stop) => self::stop(stop),
    }
}

/// A failure, as an error that a script can catch: it gets a map with `code`, `message`, `step`, `op` and the rest.
pub fn fail(failure: &Failure) -> Box<EvalAltResult> {
    let value = serde_json::to_value(failure).unwrap_or(Value::Null);
    EvalAltResult::ErrorRuntime(convert::from_json(&value, &|_| false), Position::NONE).into()
}

/// A stop, as an error that no script can catch.
pub fn stop(stop: Stop) -> Box<EvalAltResult> {
    EvalAltResult::ErrorTerminated(token(stop), Position::NONE).into()
}

/// A mistake in the script that no script can catch.
pub fn mistake(failure: Failure) -> Box<EvalAltResult> {
    stop(Stop::Script(Box::new(failure)))
}

/// The failure in a value that a script threw, when it is one of ours.
pub fn failure_in(value: &Dynamic) -> Option<Failure> {
    if !value.is_map() {
        return None;
    }
    serde_json::from_value(convert::to_json(value, "").ok()?).ok()
}

/// The stop in a termination's token.
pub fn stop_in(value: &Dynamic) -> Option<Stop> {
    value.read_lock::<Token>().map(|token| (*token.0).clone())
}

/// Where a native function was called.
pub fn site(ctx: &NativeCallContext) -> Site {
    place(ctx.call_source().unwrap_or_default(), ctx.call_position())
}

/// A position in a file.
pub fn place(file: &str, position: Position) -> Site {
    let number = |n: Option<usize>| n.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    Site { file: file.to_owned(), line: number(position.line()), column: number(position.position()) }
}
