//! What Cloudflare answered when it did not do as asked, sorted by what the effect protocol does next.
//!
//! Sources: <https://developers.cloudflare.com/fundamentals/api/reference/limits/>, <https://developers.cloudflare.com/api/>.

use runbook_modules::{
    error::{CallError, Class},
    k8s::types::text,
};
use serde_json::Value;

use crate::live::client::Answer;

/// The error in an answer; None: it was done.
pub(super) fn of(answer: &Answer) -> Option<CallError> {
    let done = (200..300).contains(&answer.status);
    let said = answer.body.get("success");
    if done && said == Some(&Value::Bool(true)) {
        return None;
    }
    let first = answer.body.pointer("/errors/0").cloned().unwrap_or_default();
    let code = first["code"].as_u64().map_or_else(|| format!("Http{}", answer.status), |code| code.to_string());
    let message = match text(&first, "message") {
        "" => format!("Cloudflare answered {}", answer.status),
        message => message.chars().take(600).collect(),
    };
    let sorted = |class: Class| CallError::new(class, code.clone(), message.clone());
    let mut error = match answer.status {
        401 => sorted(Class::Credentials),
        403 => sorted(Class::Refused).hint("the token needs Zone:Read and DNS:Edit of this very zone"),
        404 => sorted(Class::NotFound),
        429 => sorted(Class::Throttled),
        400..=499 => sorted(Class::Refused),
        200..=299 if said == Some(&Value::Bool(false)) => sorted(Class::Refused),
        _ => sorted(Class::Unknown),
    };
    error.request_id = answer.headers.get("cf-ray").and_then(|id| id.to_str().ok()).map(str::to_owned);
    Some(error)
}
