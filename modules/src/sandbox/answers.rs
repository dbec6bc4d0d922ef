//! What a program inside a pod answers: the rehearsal file says, or nobody.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    rehearsal::Answer,
    sim::SimCall,
    template::{Scope, fits},
    world::World,
};
use crate::error::CallError;

/// A call that only a live system could answer.
pub struct Asked<'a> {
    call: &'static str,
    cluster: &'a str,
    now_ms: i64,
    since_ms: i64,
    fields: BTreeMap<String, String>,
}

impl<'a> Asked<'a> {
    /// A call to a cluster; `since_ms` is when what it goes to came to be.
    pub fn new(name: &'static str, cluster: &'a str, call: &SimCall<'_>, since_ms: i64) -> Self {
        let fields = BTreeMap::from([
            ("cluster".to_owned(), cluster.to_owned()),
            ("region".to_owned(), call.place.region.clone()),
        ]);
        Self { call: name, cluster, now_ms: call.now_ms, since_ms, fields }
    }

    /// With one more field.
    #[must_use]
    pub fn with(mut self, field: &str, value: &str) -> Self {
        self.fields.insert(field.to_owned(), value.to_owned());
        self
    }
}

/// The answer of a command: `{stdout, stderr, exit_code}`.
///
/// # Errors
/// `NotRehearsed`.
pub fn run(world: &World, asked: &Asked<'_>) -> Result<Value, CallError> {
    let (answer, scope) = find(world, asked)?;
    let words = |text: &str| scope.words(text).map_err(bad);
    Ok(json!({"stdout": words(&answer.stdout)?, "stderr": words(&answer.stderr)?, "exit_code": answer.exit_code}))
}

/// The answer as a text.
///
/// # Errors
/// `NotRehearsed`.
pub fn text(world: &World, asked: &Asked<'_>) -> Result<String, CallError> {
    let (answer, scope) = find(world, asked)?;
    scope.words(&answer.stdout).map_err(bad)
}

fn find<'a>(world: &'a World, asked: &'a Asked<'_>) -> Result<(&'a Answer, Scope<'a>), CallError> {
    let mut scope = Scope::new(world, asked.cluster, asked.now_ms);
    for (name, value) in &asked.fields {
        scope = scope.with(name, value.as_str().into());
    }
    for answer in world.rehearsal.answers.iter().filter(|answer| answer.call == asked.call) {
        let after = i64::try_from(answer.after.0.as_millis()).unwrap_or(i64::MAX);
        let old_enough = asked.now_ms - asked.since_ms >= after;
        if old_enough
            && fits(&scope, &answer.fits, &asked.fields).map_err(bad)?
            && scope.all_ready(&answer.needs).map_err(bad)?
        {
            return Ok((answer, scope));
        }
    }
    let fields: Vec<String> = asked.fields.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
    let text = format!("the rehearsal file has no answer to {} {{ {} }}", asked.call, fields.join(", "));
    Err(CallError::refused("NotRehearsed", text)
        .hint("only a live system can answer this; add it under `answers:` in the runbook's .rehearsal.yaml"))
}

/// A rehearsal file that cannot be rendered.
pub fn bad(why: String) -> CallError {
    CallError::refused("BadRehearsal", format!("the rehearsal file: {why}"))
}
