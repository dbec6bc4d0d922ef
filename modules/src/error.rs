//! What a target answered when it did not do as asked, sorted by what the effect protocol does next (idempotency.md §2).

use serde::{Deserialize, Serialize};

/// The class of a failed call. It alone decides the next move of the effect protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// No byte of the request was sent (DNS, refused connection, TLS, signing): the same request may be sent again.
    NotSent,
    /// The target refused to take requests so fast; nothing was executed: back off, the same request again.
    Throttled,
    /// A parent is not visible yet (a role that still propagates): nothing was executed, try again for a short while.
    NotYet,
    /// The target refused for good (validation, denied, quota): nothing was made.
    Refused,
    /// Something with the same natural key stands already: look whether it is ours.
    AlreadyExists,
    /// The same token came with other parameters: the script was changed. Never retried.
    TokenMismatch,
    /// What the call names does not exist. For a delete that means done, for a read "none".
    NotFound,
    /// Something still depends on what was to be deleted: wait, then name the obstacle.
    Blocked,
    /// The credentials are missing, expired or refused; nothing was executed. The run pauses.
    Credentials,
    /// Anything else (5xx, timeout, reset, garbled answer): the call may have been executed.
    Unknown,
}

/// A failed call: the target's own words, with the class that says what they mean for us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{code}: {message}")]
pub struct CallError {
    /// What the protocol does next.
    pub class: Class,
    /// The target's error code, e.g. `InvalidSubnet.Conflict`.
    pub code: String,
    /// The target's message. May name ids; never a secret (the engine conceals it).
    pub message: String,
    /// The target's request id, where it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What to do about it, for a person; may be empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}

impl CallError {
    /// Makes an error of a class with a target's code and message.
    pub fn new(class: Class, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { class, code: code.into(), message: message.into(), request_id: None, hints: Vec::new() }
    }

    /// A definite refusal.
    pub fn refused(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Class::Refused, code, message)
    }

    /// "Does not exist".
    pub fn not_found(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Class::NotFound, code, message)
    }

    /// Adds a hint for a person.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}
