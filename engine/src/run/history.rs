//! The journal in memory, as replay asks for it.

/// What earlier processes recorded, by key.
#[derive(Debug, Default)]
pub struct History {}
