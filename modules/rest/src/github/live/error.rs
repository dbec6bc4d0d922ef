//! What GitHub answered when it did not do as asked, sorted by what the effect protocol does next.
//!
//! Sources: <https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api>,
//! <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>,
//! <https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>.

use runbook_modules::{
    error::{CallError, Class},
    k8s::types::text,
};
use serde_json::Value;

use crate::live::client::Answer;

/// The longest message that is kept.
const LONGEST: usize = 600;

/// An answer of the REST API whose status is no success.
pub(super) fn of(answer: &Answer) -> CallError {
    let message = message(answer);
    let sorted =
        |class: Class| with_id(CallError::new(class, format!("Http{}", answer.status), message.clone()), answer);
    match answer.status {
        401 => sorted(Class::Credentials),
        403 | 429 if is_limited(answer, &message) => sorted(Class::Throttled),
        403 => sorted(Class::Refused).hint(
            "the token may not do this: a classic one needs the scope repo (and delete_repo to delete), a fine-grained one \
             Administration and Contents: write on the repository",
        ),
        404 => sorted(Class::NotFound),
        422 if message.contains("already exists") => sorted(Class::AlreadyExists),
        300..=399 => sorted(Class::Refused).hint("the repository was renamed or transferred"),
        400..=499 => sorted(Class::Refused),
        _ => sorted(Class::Unknown),
    }
}

/// An answer of the GraphQL API that is an error; it comes with the status 200 too.
pub(super) fn of_graphql(answer: &Answer) -> Option<CallError> {
    if answer.status != 200 {
        return Some(of(answer));
    }
    let Some(first) = answer.body.get("errors").and_then(|errors| errors.get(0)) else {
        let garbled = || CallError::new(Class::Unknown, "GarbledAnswer", "GitHub's answer holds no data");
        return (!answer.body["data"].is_object()).then(|| with_id(garbled(), answer));
    };
    let said = cut(text(first, "message"));
    let code = ["type", "extensions.code"].into_iter().map(|field| text(first, field)).find(|code| !code.is_empty());
    let class = match code {
        Some("NOT_FOUND") => Class::NotFound,
        Some("RATE_LIMITED" | "RATE_LIMIT") => Class::Throttled,
        // Somebody else has committed in between: nothing was executed, and it is looked at again.
        Some("STALE_DATA") => Class::NotYet,
        // GitHub gives up a request that takes too long, and says so without a type.
        None | Some("SERVICE_UNAVAILABLE" | "INTERNAL") => Class::Unknown,
        Some(_) => Class::Refused,
    };
    Some(with_id(CallError::new(class, code.unwrap_or("GraphQL"), said), answer))
}

/// Both limits: of requests in an hour, and of too many at once.
fn is_limited(answer: &Answer, message: &str) -> bool {
    let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok());
    answer.status == 429
        || header("retry-after").is_some()
        || header("x-ratelimit-remaining") == Some("0")
        || message.contains("rate limit")
}

fn with_id(mut error: CallError, answer: &Answer) -> CallError {
    let id = answer.headers.get("x-github-request-id").and_then(|value| value.to_str().ok());
    error.request_id = id.map(str::to_owned);
    error
}

/// GitHub's own words: the message and those of its parts.
fn message(answer: &Answer) -> String {
    let parts = answer.body.get("errors").and_then(Value::as_array).into_iter().flatten();
    let parts = parts.map(|part| part.as_str().unwrap_or_else(|| text(part, "message")));
    let all = std::iter::once(text(&answer.body, "message")).chain(parts).filter(|part| !part.is_empty());
    let all = all.collect::<Vec<_>>().join(": ");
    if all.is_empty() { format!("GitHub answered {}", answer.status) } else { cut(&all) }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}
