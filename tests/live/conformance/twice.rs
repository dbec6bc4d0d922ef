//! What many cases do alike: the same thing a second time, and the request that is refused.

use serde_json::Value;

use super::{
    case::{Seen, is},
    lab::Lab,
};

impl Lab {
    /// A call is refused with one of these codes.
    pub fn refused(&self, function: &str, input: Value, codes: &[&str]) -> Seen {
        self.call(function, input).refused(codes)
    }

    /// Makes something; another request with the same input is refused.
    pub fn refused_again(&self, function: &str, input: Value, codes: &[&str]) -> Seen {
        self.make(function, input.clone())?;
        self.refused(function, input, codes)
    }

    /// The same request with the same token and tags is answered with what the first one made.
    pub fn same_again(&self, function: &str, input: Value, field: &str) -> Seen {
        let token = self.token();
        let made = self.with_token(&token, function, input.clone()).ok()?;
        let again = self.with_token(&token, function, input).ok()?;
        is(&again, field, made[field].clone())
    }

    /// Deletes one and waits until it is gone; a second deletion is refused.
    pub fn deleted_twice(&self, kind: &str, at: Value, codes: &[&str]) -> Seen {
        self.delete(kind, at.clone()).ok()?;
        self.gone(kind, at.clone())?;
        self.delete(kind, at).refused(codes)
    }

    /// Deletes one and waits until it is gone; a second deletion is accepted.
    pub fn deleted_again(&self, kind: &str, at: Value) -> Seen {
        self.delete(kind, at.clone()).ok()?;
        self.gone(kind, at.clone())?;
        self.delete(kind, at).ok()
    }
}
