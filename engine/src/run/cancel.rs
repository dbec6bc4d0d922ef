//! Parking and stopping: asked by a signal, by `runbook cancel`, by a lost lease, or by a failed sibling branch.

use runbook_seeded::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use crate::error::Stop;

/// The run's wish to stop, shared by everything that waits. It cannot be taken back.
#[derive(Clone, Default)]
pub struct Cancel {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    asked: Option<Asked>,
    /// Called when it is asked: whoever sleeps looks again.
    wake: Vec<Box<dyn Fn() + Send>>,
}

#[derive(Clone)]
enum Asked {
    Park(String),
    Fenced(String),
}

impl Cancel {
    /// Asks to park; the first reason stays.
    pub fn ask(&self, why: &str) {
        let mut inner = self.lock();
        inner.asked.get_or_insert_with(|| Asked::Park(why.to_owned()));
        inner.wake.iter().for_each(|wake| wake());
    }

    /// The lease is lost: stronger than a wish to park.
    pub fn fence(&self, why: &str) {
        let mut inner = self.lock();
        inner.asked = Some(Asked::Fenced(why.to_owned()));
        inner.wake.iter().for_each(|wake| wake());
    }

    /// The reason, once asked.
    pub fn asked(&self) -> Option<String> {
        self.lock().asked.as_ref().map(|(Asked::Park(why) | Asked::Fenced(why))| why.clone())
    }

    /// How everything that looks here must end.
    pub fn stop(&self) -> Option<Stop> {
        self.lock().asked.as_ref().map(|asked| match asked {
            Asked::Park(why) => Stop::Parked(why.clone()),
            Asked::Fenced(why) => Stop::Fenced(why.clone()),
        })
    }

    /// Has something called when it is asked, at once if it was. It must not ask anything of this `Cancel`.
    pub fn on_ask(&self, wake: impl Fn() + Send + 'static) {
        let mut inner = self.lock();
        if inner.asked.is_some() {
            wake();
        }
        inner.wake.push(Box::new(wake));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Branches that fail together: after the first failure the others start no effect, abandon their waits and park.
#[derive(Default)]
pub struct Group {
    /// The group of the enclosing branch.
    pub outer: Option<Arc<Group>>,
    failed: AtomicBool,
}

impl Group {
    /// A group inside another one.
    pub fn within(outer: &Arc<Group>) -> Self {
        Self { outer: Some(outer.clone()), failed: false.into() }
    }

    /// A branch has failed.
    pub fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    /// Whether a branch of this or an enclosing group has failed.
    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed) || self.outer.as_ref().is_some_and(|outer| outer.failed())
    }
}
