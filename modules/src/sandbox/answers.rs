//! What a program inside a pod answers: the rehearsal file says, or nobody.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    facts::Moment,
    rehearsal::Answer,
    sim::SimCall,
    template::{Scope, fits},
    world::World,
};
use crate::{error::CallError, k8s::types};

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

/// What the rehearsal file says of a call.
pub struct Answered {
    /// `{stdout, stderr, exit_code}`.
    pub answer: Value,
    /// What the command changes of the pod that it runs in; Null: nothing.
    pub adds: Value,
}

/// The answer of a command: `{stdout, stderr, exit_code}`.
///
/// # Errors
/// `NotRehearsed`.
pub fn run(world: &World, asked: &Asked<'_>) -> Result<Value, CallError> {
    answered(world, asked).map(|answered| answered.answer)
}

/// The answer of a command, and what it changes.
///
/// # Errors
/// `NotRehearsed`.
pub fn answered(world: &World, asked: &Asked<'_>) -> Result<Answered, CallError> {
    let moment = Moment { world, now_ms: asked.now_ms };
    let scope = Scope::new(&moment, asked.cluster);
    let age = asked.now_ms - asked.since_ms;
    let answer = first(&world.rehearsal.answers, scope, asked.call, &asked.fields, age).map_err(bad)?;
    answer.ok_or_else(|| {
        let fields: Vec<String> = asked.fields.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        let text = format!("the rehearsal file has no answer to {} {{ {} }}", asked.call, fields.join(", "));
        CallError::refused("NotRehearsed", text)
            .hint("only a live system can answer this; add it under `answers:` in the runbook's .rehearsal.yaml")
    })
}

/// The answer as a text.
///
/// # Errors
/// `NotRehearsed`.
pub fn text(world: &World, asked: &Asked<'_>) -> Result<String, CallError> {
    run(world, asked).map(|answer| types::text(&answer, "stdout").to_owned())
}

/// The first answer that fits a call. `age_ms`: how long the pod or cluster has existed.
///
/// # Errors
/// An expression without a value.
pub fn first(
    answers: &[Answer], scope: Scope<'_>, call: &str, fields: &BTreeMap<String, String>, age_ms: i64,
) -> Result<Option<Answered>, String> {
    let scope = fields.iter().fold(scope, |scope, (name, value)| scope.with(name, value.as_str().into()));
    for answer in answers.iter().filter(|answer| answer.call == call) {
        let after = i64::try_from(answer.after.0.as_millis()).unwrap_or(i64::MAX);
        if age_ms >= after && fits(&scope, &answer.fits, fields)? && scope.all_ready(&answer.needs)? {
            let (stdout, stderr) = (scope.words(&answer.stdout)?, scope.words(&answer.stderr)?);
            let adds = scope.render(&answer.adds)?;
            let answer = json!({"stdout": stdout, "stderr": stderr, "exit_code": answer.exit_code});
            return Ok(Some(Answered { answer, adds }));
        }
    }
    Ok(None)
}

/// A rehearsal file that cannot be rendered.
pub fn bad(why: String) -> CallError {
    CallError::refused("BadRehearsal", format!("the rehearsal file: {why}"))
}
