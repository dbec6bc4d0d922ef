//! Decisions: values that only the engine can give (`now`, `uuid`, `random`, `sleep`). They are recorded, so that a replay has
//! the same ones; a retry has the ones of the attempt before.

use std::time::Duration;

use runbook_state::{record::Record, store::When};
use serde_json::{Value, json};

use super::{matching::CHANGED, retry::text, scope::Scope, session::Mode};
use crate::{
    error::{Failure, Halt, Stop},
    event::What,
};

/// Answers a decision from the record, or makes it and records it. `what` says what was asked: another question at the same place
/// means that the script was changed.
///
/// # Errors
/// [`Stop::Changed`], the errors of recording, and those of `make`.
pub fn decide(scope: &Scope, what: &str, make: impl FnOnce() -> Result<Value, Halt>) -> Result<Value, Halt> {
    scope.enter()?;
    let session = &scope.session;
    let ordinal = Scope::next(&scope.decisions);
    let known = session.history.decision(&scope.key, ordinal);
    // A retry may come another way; then what an earlier attempt decided here no longer holds.
    let known = known.filter(|known| known.what == what || known.attempt == scope.attempt || scope.matching);
    match known {
        Some(known) if known.what == what => return Ok(known.value.clone()),
        Some(known) => {
            return Err(changed(scope, &format!("the record has {} here, the script asks for {what}", known.what)));
        }
        None if session.mode == Mode::Recall => return Err(Stop::EndOfRecord.into()),
        None if scope.matching => {
            return Err(changed(scope, &format!("the record has nothing here, the script asks for {what}")));
        }
        None => {}
    }
    let value = make()?;
    let record = Record::Decided { step: scope.key.clone(), ordinal, what: what.to_owned(), value: value.clone() };
    session.record(vec![record], When::Soon)?;
    Ok(value)
}

/// The target's time, milliseconds since the Unix epoch.
///
/// # Errors
/// As [`decide`].
pub fn now(scope: &Scope) -> Result<i64, Halt> {
    let value = decide(scope, "now", || Ok(scope.session.time.now_ms().into()))?;
    Ok(value.as_i64().unwrap_or_default())
}

/// A random UUID (version 4).
///
/// # Errors
/// As [`decide`].
pub fn uuid(scope: &Scope) -> Result<String, Halt> {
    let value = decide(scope, "uuid", || {
        let mut bytes = random_bytes()?;
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = hex::encode(bytes);
        Ok(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]).into())
    })?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}

/// A random whole number from `low` to `high`, both included.
///
/// # Errors
/// As [`decide`]; RB0104 when `low` is above `high`.
pub fn random(scope: &Scope, low: i64, high: i64) -> Result<i64, Halt> {
    if low > high {
        return Err(Failure::new("RB0104", format!("random: {low} is above {high}")).into());
    }
    let value = decide(scope, &format!("random {low}..={high}"), || {
        let width = high.abs_diff(low);
        let drawn = u128::from_le_bytes(random_bytes()?);
        let offset = u64::try_from(drawn % (u128::from(width) + 1)).unwrap_or_default();
        Ok(json!(low.wrapping_add_unsigned(offset)))
    })?;
    Ok(value.as_i64().unwrap_or(low))
}

/// Waits. The time of waking is recorded, so that after a crash only the rest is waited for.
///
/// # Errors
/// As [`decide`] and [`Scope::sleep`].
pub fn sleep(scope: &Scope, how_long: Duration) -> Result<(), Halt> {
    let session = &scope.session;
    let what = format!("sleep {}", text(how_long));
    let length = i64::try_from(how_long.as_millis()).unwrap_or(i64::MAX);
    let wake = decide(scope, &what, || Ok(json!(session.time.now_ms().saturating_add(length))))?;
    let left = wake.as_i64().unwrap_or_default() - session.time.now_ms();
    if session.mode == Mode::Recall || left <= 0 {
        return Ok(());
    }
    let waits = format!("a pause of {}", text(how_long));
    session.tell(What::Waiting {
        step: scope.key.clone(),
        text: waits.clone(),
        since_ms: length - left,
        usual_ms: length,
    });
    scope.waits_for(&waits);
    scope.sleep(Duration::from_millis(left.unsigned_abs()))?;
    scope.waits_for("");
    Ok(())
}

fn random_bytes() -> Result<[u8; 16], Halt> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::new("RB0902", format!("the system gives no random numbers: {error}")))?;
    Ok(bytes)
}

fn changed(scope: &Scope, message: &str) -> Halt {
    let mut failure = Failure::new(CHANGED, message);
    failure.step.clone_from(&scope.key);
    Stop::Changed(Box::new(failure.hint("put the code back as it was and resume"))).into()
}
