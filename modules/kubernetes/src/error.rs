//! What an API server answered when it did not do as asked, sorted by what the effect protocol does next (idempotency.md §2).
//!
//! Source of the reasons: <https://kubernetes.io/docs/reference/using-api/api-concepts/>, `k8s.io/apimachinery/pkg/apis/meta/v1` (StatusReason).

use std::{error::Error, io};

use kube::core::Status;
use runbook_modules::error::{CallError, Class};

/// Sorts a failed request. A definite class is given only where the server's own answer or the way the request failed (it never left)
/// says so; anything else is [`Class::Unknown`].
pub fn classify(error: &kube::Error) -> CallError {
    if let kube::Error::Api(status) = error {
        return of_status(status);
    }
    let message = chain(error);
    if sources(error).any(never_connected) {
        return CallError::new(Class::NotSent, "NotConnected", message);
    }
    match error {
        kube::Error::BuildRequest(_)
        | kube::Error::HttpError(_)
        | kube::Error::TlsRequired
        | kube::Error::RustlsTls(_)
        | kube::Error::Auth(_) => CallError::new(Class::NotSent, "RequestNotBuilt", message),
        kube::Error::FromUtf8(_) | kube::Error::SerdeError(_) => {
            CallError::new(Class::Unknown, "GarbledAnswer", message)
        }
        _ => CallError::new(Class::Unknown, "ConnectionBroken", message),
    }
}

/// No answer came in time: the request may have been executed.
pub fn timeout(limit: std::time::Duration) -> CallError {
    CallError::new(Class::Unknown, "Timeout", format!("the API server did not answer within {} s", limit.as_secs()))
}

/// "Does not exist" where something must exist for the call to make sense: a definite refusal.
pub fn refused_if_missing(error: CallError) -> CallError {
    match error.class {
        Class::NotFound => CallError { class: Class::Refused, ..error },
        _ => error,
    }
}

fn of_status(status: &Status) -> CallError {
    let message = status.message.split_whitespace().collect::<Vec<_>>().join(" ");
    // A reason is one word; an answer that is no Status at all gets a sentence from the client library.
    let word = !status.reason.is_empty() && !status.reason.contains(' ');
    let code = if word { status.reason.clone() } else { format!("Http{}", status.code) };
    let message = if message.is_empty() { format!("the API server answered {}", status.code) } else { message };
    let sorted = |class: Class| CallError::new(class, code.clone(), message.clone());
    match status.code {
        401 => sorted(Class::Credentials)
            .hint("the API server does not know these credentials: has the caller an access entry in the cluster?"),
        404 if page_missing(&message) => sorted(Class::NotYet),
        404 => sorted(Class::NotFound),
        409 => conflict(status, &code, &message),
        413 => too_large(&message),
        429 => sorted(Class::Throttled),
        403 if message.contains(" cannot ") => {
            sorted(Class::Refused).hint("who may do what is said by the cluster's access entries and role bindings")
        }
        400..=499 => sorted(Class::Refused),
        _ if is_too_large(&message) => too_large(&message),
        // The server's own check of an applied object against the schema answers 500.
        _ if message.contains("failed to create typed patch object") => sorted(Class::Refused),
        // Admission comes before anything is stored.
        _ if message.contains("failed calling webhook") => sorted(Class::NotYet),
        _ => sorted(Class::Unknown),
    }
}

/// A path that is not served (yet), other than an object that does not exist.
fn page_missing(message: &str) -> bool {
    message.contains("the server could not find the requested resource") || message.contains("404 page not found")
}

/// Whether an error says that the path is not served (yet).
pub fn is_unserved(error: &CallError) -> bool {
    error.class == Class::NotYet && (error.code == "NotFound" || error.code == "Http404")
}

fn conflict(status: &Status, code: &str, message: &str) -> CallError {
    let causes = status.details.as_ref().map(|details| details.causes.as_slice()).unwrap_or_default();
    if causes.iter().any(|cause| cause.reason == "FieldManagerConflict") {
        let texts: Vec<String> =
            causes.iter().map(|cause| format!("{} ({})", cause.field.trim_start_matches('.'), cause.message)).collect();
        return CallError::refused("FieldConflict", format!("fields that somebody else manages: {}", texts.join(", ")))
            .hint("leave these fields out, or let the other manager give them up; nothing is taken by force")
            .hint("k8s.patch changes single fields of an object that somebody else keeps, and undo puts them back");
    }
    if message.starts_with("object is being deleted") {
        return CallError::new(Class::NotYet, code, message);
    }
    if status.reason == "AlreadyExists" {
        return CallError::new(Class::AlreadyExists, code, message);
    }
    // Somebody was faster: nothing was executed.
    CallError::new(Class::NotYet, code, message)
}

fn is_too_large(message: &str) -> bool {
    ["request is too large", "message larger than max", "Request entity too large"]
        .iter()
        .any(|text| message.contains(text))
}

fn too_large(message: &str) -> CallError {
    CallError::refused("TooLarge", message)
        .hint("etcd keeps objects of about 1.5 MiB at most; Secrets and ConfigMaps end at 1 MiB")
}

/// An error and all that caused it.
fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for text in sources(error).map(ToString::to_string) {
        if !texts.last().is_some_and(|last| last.contains(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

fn never_connected(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(hyper_util::client::legacy::Error::is_connect)
        || error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}
