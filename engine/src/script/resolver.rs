//! Gives `import` the modules that were read when the program was opened; nothing is read from the disk while a script runs.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use rhai::{AST, Engine, EvalAltResult, Module, ModuleResolver, Position, Scope, Shared};

use super::{load::module_file, raise};
use crate::error::Failure;

/// The compiled modules of one program, and those of this run that were evaluated.
pub struct Modules {
    compiled: Arc<BTreeMap<String, AST>>,
    evaluated: Mutex<BTreeMap<String, Shared<Module>>>,
}

impl Modules {
    /// Modules by file name.
    pub fn new(compiled: Arc<BTreeMap<String, AST>>) -> Self {
        Self { compiled, evaluated: Mutex::default() }
    }
}

impl ModuleResolver for Modules {
    fn resolve(
        &self, engine: &Engine, source: Option<&str>, path: &str, position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let file = module_file(path);
        let lock = || self.evaluated.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = lock().get(&file) {
            return Ok(module.clone());
        }
        let Some(ast) = self.compiled.get(&file) else {
            let failure = Failure::new("RB0108", format!("import {path:?}: not among the runbook's files"));
            return Err(raise::mistake(failure.at(&raise::place(source.unwrap_or_default(), position))));
        };
        // Evaluated outside the lock: a module imports others.
        let module = Module::eval_ast_as_new(Scope::new(), ast, engine)
            .map_err(|error| Box::new(EvalAltResult::ErrorInModule(file.clone(), error, position)))?;
        Ok(lock().entry(file).or_insert_with(|| module.into()).clone())
    }
}
