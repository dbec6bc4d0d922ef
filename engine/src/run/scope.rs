//! Where in the run a thread is.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use super::{cancel::Group, session::Session};

/// The innermost step or branch that a thread is in. Ordinals count within it, so that a branch's numbers do not depend on the others.
pub struct Scope {
    /// The run.
    pub session: Arc<Session>,
    /// The key: `redis1/network/vpc`; empty at the top.
    pub key: String,
    /// Whether a step encloses it: a binding may be called.
    pub in_step: bool,
    /// The attempt of the innermost step, from 1.
    pub attempt: u32,
    /// Matching mode: an edited step's effects and reads must answer from the record.
    pub matching: bool,
    /// The branches that fail together.
    pub group: Arc<Group>,
    /// Effects so far.
    pub effects: AtomicU32,
    /// Reads so far.
    pub observations: AtomicU32,
    /// Decisions so far.
    pub decisions: AtomicU32,
}

impl Scope {
    /// The next number of a counter.
    pub fn next(counter: &AtomicU32) -> u32 {
        counter.fetch_add(1, Ordering::Relaxed)
    }

    /// The key of a child: a `/` between, and `/` in a name written as `∕` (U+2215).
    pub fn child_key(&self, name: &str) -> String {
        let name = name.replace('/', "\u{2215}");
        if self.key.is_empty() { name } else { format!("{}/{name}", self.key) }
    }
}
