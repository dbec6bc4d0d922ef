//! Outputs: named values that a run gives to people.

use runbook_state::{record::Record, store::When};
use serde_json::Value;

use super::{scope::Scope, session::Mode};
use crate::{error::Halt, event::What};

/// Gives an output. One that is recorded already with this value is not written again.
///
/// # Errors
/// Those of recording.
pub fn output(scope: &Scope, name: &str, value: Value) -> Result<(), Halt> {
    scope.enter()?;
    let session = &scope.session;
    if session.mode == Mode::Recall {
        return Ok(());
    }
    if session.history.output(name).as_ref() != Some(&value) {
        session.record(vec![Record::Output { name: name.to_owned(), value: value.clone() }], When::Soon)?;
    }
    session.tell(What::Output { name: name.to_owned(), value });
    Ok(())
}
