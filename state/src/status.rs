//! Legal transitions of an effect, in one function. Writing and recovering both pass through it.

use crate::record::{EffectState, Record};

/// The state of an effect after a record, or why the record may not follow.
///
/// A deletion's intent changes nothing, but only what was made can be deleted.
///
/// # Errors
/// A sentence that names both.
pub fn next(before: Option<EffectState>, record: &Record) -> Result<EffectState, String> {
    use EffectState::{Accepted, Done, Failed, Intent, Retired, Undone, Unknown};
    let after = match record {
        Record::Intent { .. } => Intent,
        Record::Accepted { .. } => Accepted,
        Record::Done { .. } => Done,
        Record::Failed { .. } => Failed,
        Record::Unknown { .. } => Unknown,
        Record::Retired { .. } => Retired,
        Record::Gone { .. } => Undone,
        Record::DeleteIntent { .. } => {
            return match before {
                Some(state @ (Accepted | Done | Failed)) => Ok(state),
                _ => Err(format!("an effect that is {before:?} cannot be deleted")),
            };
        }
        other => return Err(format!("{other:?} is no record of an effect")),
    };
    let legal = matches!(
        (before, after),
        (None, Intent)
            | (Some(Intent | Unknown), Accepted | Done | Failed | Unknown | Retired)
            | (Some(Accepted), Done | Failed | Undone | Unknown)
            | (Some(Done | Failed), Undone)
    );
    if legal { Ok(after) } else { Err(format!("an effect cannot go from {before:?} to {after:?}")) }
}

#[cfg(test)]
mod tests;
