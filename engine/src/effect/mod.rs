//! The effect protocol (idempotency.md §2). [`bind`] is the one entrance: a script function was called with a map.

use runbook_modules::{table::Binding, target::Place};
use runbook_state::record::Site;
use serde_json::Value;

use crate::{error::Halt, run::scope::Scope};

/// A call of a script function.
pub struct Call<'a> {
    /// `ec2.create_vpc`.
    pub name: &'a str,
    /// The table's row.
    pub binding: Binding,
    /// Where it goes.
    pub place: &'a Place,
    /// The script's map, secrets as placeholders, with our `name`, `tags`, `wait`, `timeout` still in it.
    pub input: Value,
    /// Where in the script.
    pub site: Site,
}

/// Makes a call durable: answers from the journal, or does it under the protocol and records it.
///
/// # Errors
/// A failure that the script may catch, or a stop.
pub fn bind(scope: &Scope, call: Call<'_>) -> Result<Value, Halt> {
    let _ = (scope, call);
    unimplemented!("the effects helper writes this")
}
