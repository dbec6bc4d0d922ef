//! Parking and stopping: asked by a signal, by `runbook cancel`, by a lost lease, or by a failed sibling branch.

use std::sync::{Arc, Condvar, Mutex};

/// The run's wish to stop, shared by everything that waits.
#[derive(Clone, Default)]
pub struct Cancel {
    inner: Arc<(Mutex<Option<String>>, Condvar)>,
}

impl Cancel {
    /// Asks to park; the first reason stays.
    pub fn ask(&self, why: &str) {
        let mut asked = self.inner.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        asked.get_or_insert_with(|| why.to_owned());
        self.inner.1.notify_all();
    }

    /// The reason, once asked.
    pub fn asked(&self) -> Option<String> {
        self.inner.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

/// Branches that fail together: after the first failure the others start no effect, abandon their waits and park.
#[derive(Default)]
pub struct Group {
    /// The group of the enclosing branch.
    pub outer: Option<Arc<Group>>,
    failed: std::sync::atomic::AtomicBool,
}

impl Group {
    /// A group inside another one.
    pub fn within(outer: &Arc<Group>) -> Self {
        Self { outer: Some(outer.clone()), failed: false.into() }
    }

    /// A branch has failed.
    pub fn fail(&self) {
        self.failed.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    /// Whether a branch of this or an enclosing group has failed.
    pub fn failed(&self) -> bool {
        self.failed.load(std::sync::atomic::Ordering::Relaxed)
            || self.outer.as_ref().is_some_and(|outer| outer.failed())
    }
}
