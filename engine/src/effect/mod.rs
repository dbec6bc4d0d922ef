//! The effect protocol (idempotency.md §2). [`bind`] is the one entrance: a script function was called with a map.
//!
//! * [`token`], [`digest`]: what names an effect, and what tells that its input was changed.
//! * [`prepare`]: the script's map becomes a checked request.
//! * [`act`]: what all calls share: the journal's answer, intents, the target behind retries and the vault.
//! * [`admit`](Act::admit): as whom a place is called.
//! * [`create`]: resources; [`resolve`]: outcomes that are not known; [`wait`]: until it is ready.
//! * [`change`]: updates, deletes by hand and exec; [`read`]: observations.
//! * [`remove`]: deletion of a resource that the run owns, for undo and for the remains of a failed creation; [`put_back`]: whether
//!   what stood there before stands there again.
//! * [`one_shot`]: creations whose answer tells a secret once.
//! * [`policy`]: delays and limits as data; [`report`]: failures in words; [`host`]: the runner as a binding sees it.

use runbook_modules::{operation::Class, table::Binding, target::Place};
use runbook_state::record::Site;
use serde_json::Value;

use crate::{
    error::{Failure, Halt, Stop},
    run::scope::Scope,
};

mod act;
mod admit;
mod change;
mod create;
pub mod digest;
pub mod host;
mod one_shot;
pub mod policy;
mod prepare;
mod put_back;
mod read;
pub mod remove;
mod report;
pub mod resolve;
#[cfg(test)]
pub(crate) mod tests;
pub mod token;
mod wait;

pub use act::Act;

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
    scope.enter()?;
    if !scope.in_step {
        let mut failure =
            Failure::new("RB0402", format!("{} reaches outside and is not inside a step", call.name)).at(&call.site);
        call.name.clone_into(&mut failure.op);
        "called outside of any step".clone_into(&mut failure.cause);
        let hint = format!("put it into one: step(\"a name\", || {}(#{{ ... }}))", call.name);
        return Err(Stop::Script(Box::new(failure.hint(hint))).into());
    }
    match call.binding {
        Binding::Create(kind) => create::create(scope, &call, kind),
        Binding::Call(operation) => match operation.class {
            Class::Read => read::observe(scope, &call, operation),
            Class::Exec if call.input.get("repeatable") == Some(&Value::Bool(true)) => {
                read::observe(scope, &call, operation)
            }
            Class::Exec | Class::Update | Class::Delete => change::change(scope, &call, operation),
        },
    }
}
