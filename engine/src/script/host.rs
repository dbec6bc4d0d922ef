//! What the native functions of one program share.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rhai::{FnPtr, GlobalRuntimeState};
use runbook_state::record::Site;
use serde_json::{Map, Value};

use super::{limits::Limits, params::ParamSpec};

/// A closure in the source: which file, and the names of what it takes, its captures first.
#[derive(Debug, Clone)]
pub struct Closure {
    /// The file.
    pub file: Arc<str>,
    /// Captures, then parameters.
    pub takes: Vec<String>,
}

/// An undo closure that was met while a run was recalled.
#[derive(Clone)]
pub struct Met {
    /// The step it belongs to.
    pub step: String,
    /// Where it stands.
    pub site: Site,
    /// The closure, with copies of its captures.
    pub closure: FnPtr,
    /// The place in the journal up to which the step had come, for one that stands among the step's calls (`on_undo`).
    pub after: Option<u64>,
    /// What it is called with: the step's recorded output, or nothing.
    pub output: Option<Value>,
    /// The modules and functions that it sees.
    pub global: GlobalRuntimeState,
}

/// Shared by the native functions of one program, on all threads of a run.
pub struct Host {
    /// The files that `file()` gives.
    pub texts: BTreeMap<String, Arc<str>>,
    /// Every closure by Rhai's name for it.
    pub closures: BTreeMap<String, Closure>,
    /// What it may use up.
    pub limits: Limits,
    /// The heap when the run began, in bytes.
    pub base: usize,
    given: Option<Map<String, Value>>,
    declared: Mutex<Option<Vec<ParamSpec>>>,
    met: Mutex<Vec<Met>>,
}

impl Host {
    /// A host for one run; without parameters it only looks at the declaration.
    pub fn new(
        texts: BTreeMap<String, Arc<str>>, closures: BTreeMap<String, Closure>, limits: Limits,
        given: Option<Map<String, Value>>,
    ) -> Self {
        Self {
            texts,
            closures,
            limits,
            base: super::memory::allocated(),
            given,
            declared: Mutex::default(),
            met: Mutex::default(),
        }
    }

    /// The value given for a parameter.
    pub fn given(&self, name: &str) -> Option<&Value> {
        self.given.as_ref()?.get(name).filter(|value| !value.is_null())
    }

    /// Takes the declaration. True: that was all that was wanted.
    pub fn declare(&self, specs: &[ParamSpec]) -> bool {
        *lock(&self.declared) = Some(specs.to_vec());
        self.given.is_none()
    }

    /// The declaration, once met.
    pub fn declared(&self) -> Option<Vec<ParamSpec>> {
        lock(&self.declared).clone()
    }

    /// Whether only the declaration is looked at.
    pub fn only_declares(&self) -> bool {
        self.given.is_none()
    }

    /// Takes an undo closure.
    pub fn meet(&self, met: Met) {
        lock(&self.met).push(met);
    }

    /// The undo closures met so far.
    pub fn met(&self) -> Vec<Met> {
        lock(&self.met).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
