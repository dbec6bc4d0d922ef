//! A JSON value that is kept for long and seldom looked at.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// A JSON value as its text: some 60 bytes where a parsed map of one entry takes 700. A run of many effects is held in memory whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed(Box<str>);

impl Packed {
    /// The value.
    pub fn value(&self) -> Value {
        self.read().unwrap_or_default()
    }

    /// The value as that type, if it is such a thing.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(&self.0).ok()
    }
}

impl From<Value> for Packed {
    fn from(value: Value) -> Self {
        Self(value.to_string().into_boxed_str())
    }
}
