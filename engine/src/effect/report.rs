//! Failures and stops of effects in words: what was asked of whom, what it said, and what that means.

use std::sync::PoisonError;

use runbook_modules::{
    error::{CallError, Class},
    resource::Kind,
    target::{Lapse, Place},
};
use serde_json::Value;

use super::{
    act::{Act, Deed},
    one_shot,
};
use crate::{
    error::{Failure, Halt, Stop},
    run::{check::NOT_REHEARSED, guard::whose},
};

/// Nothing was sent.
pub(super) const NOTHING_SENT: &str = "definite: nothing was sent";
/// The target said so.
const NOTHING_MADE: &str = "definite: nothing was made";
/// Whatever was made is deleted again.
const NOTHING_LEFT: &str = "definite: nothing is left";
/// It was refused before anything was done.
const NOT_EXECUTED: &str = "definite: this request was not executed";
/// It was, but is of no use.
const BROKEN: &str = "definite: it was made and is of no use; what is left is deleted before the next try";
/// Nobody knows.
const UNKNOWN: &str = "unknown: it may have been done";

impl Act<'_> {
    /// A failure of this call.
    pub(super) fn failure(&self, code: &str, message: impl Into<String>) -> Failure {
        let mut failure = Failure::new(code, message).at(&self.site);
        failure.step.clone_from(&self.scope.key);
        failure.op.clone_from(&self.op);
        failure
    }

    /// The target refused for good.
    pub(super) fn refused(&self, error: &CallError, attempts: u32) -> Failure {
        let (code, message) = match error.class {
            Class::NotSent => ("RB0411", format!("{} cannot be reached for {}", self.service(), self.verb)),
            Class::Throttled => ("RB0414", format!("{} takes no more {} requests for now", self.service(), self.verb)),
            Class::AlreadyExists => ("RB0410", format!("{} stands already and is not ours", self.subject())),
            _ if error.code == "NotRehearsed" => {
                (NOT_REHEARSED, format!("{} is not rehearsed: {}", self.op, error.message))
            }
            // A page of ours tells what to do about it.
            _ if error.code.starts_with("RB") => (error.code.as_str(), error.message.clone()),
            _ => ("RB0412", format!("{} refused {}: {}", self.service(), self.verb, error.code)),
        };
        let mut failure = self.with_words(self.failure(code, message), error);
        failure.attempts = attempts;
        NOTHING_MADE.clone_into(&mut failure.outcome);
        failure
    }

    /// No answer came, however often it was asked, and each time nothing was made; of a one-shot, nothing was kept.
    pub(super) fn unanswered(&self, kind: &dyn Kind, error: &CallError, attempts: u32) -> Failure {
        let (left, outcome) = match one_shot::is(kind) {
            true => ("what was made without its secret is deleted", NOTHING_LEFT),
            false => ("nothing was made", NOTHING_MADE),
        };
        let message = format!("{} answers no {}: asked {attempts} times, and {left}", self.service(), self.verb);
        let mut failure = self.with_words(self.failure("RB0411", message), error);
        failure.attempts = attempts;
        outcome.clone_into(&mut failure.outcome);
        failure.hint("resume when it answers again")
    }

    /// Another one stands under the same name or key.
    pub(super) fn conflict(&self, found: &[Value]) -> Failure {
        let mut failure = self.failure("RB0410", format!("{} stands already and is not ours", self.subject()));
        failure.cause = match found.first() {
            Some(described) => owner(described),
            None => format!("{} says that it stands, and does not show it", self.service()),
        };
        NOTHING_MADE.clone_into(&mut failure.outcome);
        failure.hint("choose another name, or delete the one that stands there; it is never taken over silently")
    }

    /// It was taken and never became usable.
    pub(super) fn broken(&self, why: &str) -> Failure {
        let mut failure = self.failure("RB0416", format!("{} did not become usable", self.subject()));
        why.clone_into(&mut failure.cause);
        BROKEN.clone_into(&mut failure.outcome);
        failure
    }

    /// The wait is over and it is not ready.
    pub(super) fn timed_out(&self, after: std::time::Duration, obstacle: &str) -> Failure {
        let after = crate::run::retry::text(after);
        let mut failure = self.failure("RB0418", format!("{} is not ready after {after}: {obstacle}", self.subject()));
        obstacle.clone_into(&mut failure.cause);
        "it stands and is recorded; resume goes on waiting".clone_into(&mut failure.outcome);
        failure.hint("a longer limit is timeout: \"...\" in the call")
    }

    /// The outcome cannot be found out: a person decides.
    pub(super) fn unresolved(&self, code: &str, why: impl Into<String>) -> Failure {
        let call = format!("{} {}", self.op, self.name);
        let message = format!("whether {} was done is not known", call.trim_end());
        let mut failure = self.failure(code, message);
        failure.cause = why.into();
        UNKNOWN.clone_into(&mut failure.outcome);
        failure
    }

    /// The target remembers this token with other parameters.
    pub(super) fn mismatch(&self, deed: &Deed, error: &CallError) -> Halt {
        let message = format!("{} knows the token of this {} with other parameters", self.service(), self.verb);
        let mut failure = self.with_words(self.failure("RB0321", message), error);
        failure.outcome = format!("unknown: token {} was used before", super::token::tag(&deed.token));
        Stop::Changed(Box::new(failure)).into()
    }

    /// The credentials do not work any more.
    pub(super) fn credentials(&self, place: &Place, error: &CallError, lapse: &Lapse) -> Halt {
        let session = &self.scope.session;
        let others = session.others.lock().unwrap_or_else(PoisonError::into_inner);
        let caller = others.get(&whose(place)).unwrap_or(&session.about).caller.clone();
        let what = match &place.api {
            Some(api) => format!("the token for {} does not work", api.url),
            None => format!("the credentials of {caller} no longer work"),
        };
        let message = format!("{what}: {} answers {}", self.service(), error.code);
        let mut failure = self.with_words(self.failure("RB0403", message), error);
        let since = match (lapse.expired_ms, lapse.worked_ms) {
            (Some(at), _) => format!("they expired at {}", utc(at)),
            (None, Some(at)) => format!("they last worked at {}", utc(at)),
            (None, None) => String::new(),
        };
        let facts = [since, lapse.from.clone(), error.message.clone()];
        failure.cause = facts.into_iter().filter(|fact| !fact.is_empty()).collect::<Vec<_>>().join("; ");
        NOT_EXECUTED.clone_into(&mut failure.outcome);
        Stop::Credentials(Box::new(failure.hint("nothing is lost: with fresh credentials the run goes on"))).into()
    }

    /// A read that does not get through.
    pub(super) fn unreadable(&self, error: &CallError) -> Failure {
        let message = format!("{} could not be asked about {}: {}", self.service(), self.subject(), error.code);
        self.with_words(self.failure("RB0413", message), error)
    }

    /// What it is called in a sentence.
    pub(super) fn subject(&self) -> String {
        let what = self.op.split_once('.').map_or(self.op.as_str(), |(_, what)| what);
        let what = what.strip_prefix("create_").unwrap_or(what).replace('_', " ");
        if self.name.is_empty() { what } else { format!("{what} {}", self.name) }
    }

    fn with_words(&self, mut failure: Failure, error: &CallError) -> Failure {
        failure.cause.clone_from(&error.message);
        failure.request_id.clone_from(&error.request_id);
        failure.hints.extend(error.hints.iter().cloned());
        failure
    }

    /// The target's name in a sentence.
    fn service(&self) -> String {
        match self.op.split('.').next().unwrap_or_default() {
            "route53" => "Route 53".to_owned(),
            "servicediscovery" => "Cloud Map".to_owned(),
            "servicequotas" => "Service Quotas".to_owned(),
            "k8s" => "Kubernetes".to_owned(),
            "helm" => "Helm".to_owned(),
            "github" => "GitHub".to_owned(),
            "cloudflare" => "Cloudflare".to_owned(),
            other => other.to_uppercase(),
        }
    }
}

/// A wall time for people who may be anywhere: `2026-11-21 15:03:04 UTC`.
fn utc(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms);
    at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()).unwrap_or_default()
}

/// Whose a found resource is, as far as its tags tell.
fn owner(described: &Value) -> String {
    let id = id_of(described);
    let tags: Vec<String> = described
        .get("tags")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("{name}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .take(5)
        .collect();
    if tags.is_empty() { format!("{id}, without tags") } else { format!("{id}, tagged {}", tags.join(", ")) }
}

/// The id in a description; empty when there is none.
pub(super) fn id_of(described: &Value) -> String {
    match described.get("id") {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => String::new(),
    }
}
