//! All kinds and operations by name. The engine puts the parts together (AWS, Kubernetes, Helm) and asks only this.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{input::InputError, operation::Operation, resource::Kind};

/// One script function.
#[derive(Clone, Copy)]
pub enum Binding {
    /// Makes a resource.
    Create(&'static dyn Kind),
    /// Anything else.
    Call(&'static Operation),
}

impl Binding {
    /// The JSON schema of its input.
    pub fn schema(self) -> Value {
        match self {
            Self::Create(kind) => kind.schema(),
            Self::Call(operation) => (operation.schema)(),
        }
    }

    /// Checks an input without any target.
    ///
    /// # Errors
    /// The field that does not fit.
    pub fn check(self, input: &Value) -> Result<(), InputError> {
        match self {
            Self::Create(kind) => kind.check(input),
            Self::Call(operation) => (operation.check)(input),
        }
    }
}

/// The table: kinds by name, and script functions by `service.function`.
#[derive(Default)]
pub struct Table {
    kinds: BTreeMap<&'static str, &'static dyn Kind>,
    bindings: BTreeMap<String, Binding>,
}

impl Table {
    /// Adds kinds and operations, e.g. those of one service.
    pub fn add(&mut self, kinds: &[&'static dyn Kind], operations: &[&'static Operation]) {
        for kind in kinds {
            let meta = kind.meta();
            self.kinds.insert(meta.name, *kind);
            let service = meta.name.split('.').next().unwrap_or_default();
            self.bindings.insert(format!("{service}.{}", meta.create), Binding::Create(*kind));
        }
        for operation in operations {
            self.bindings.insert(operation.name.to_owned(), Binding::Call(operation));
        }
    }

    /// A kind by the name that inventory rows hold.
    pub fn kind(&self, name: &str) -> Option<&'static dyn Kind> {
        self.kinds.get(name).copied()
    }

    /// A script function by `service.function`.
    pub fn binding(&self, name: &str) -> Option<Binding> {
        self.bindings.get(name).copied()
    }

    /// All kinds, by name.
    pub fn kinds(&self) -> impl Iterator<Item = &'static dyn Kind> + '_ {
        self.kinds.values().copied()
    }

    /// All script functions, by name.
    pub fn bindings(&self) -> impl Iterator<Item = (&str, Binding)> + '_ {
        self.bindings.iter().map(|(name, binding)| (name.as_str(), *binding))
    }
}
