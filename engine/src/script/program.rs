//! A runbook with all its files, compiled.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use runbook_modules::table::Table;
use runbook_state::{record::Site, store::File};
use serde_json::{Map, Value};

use super::params::{BoundParams, ParamSpec};
use crate::{
    error::{Failure, Halt},
    run::{scope::Scope, session::Edits},
};

/// A runbook: the root script, what it imports, the files it reads.
pub struct Program {}

/// An undo closure of a step, rebuilt by recalling the run ([`Program::run`] in `Mode::Recall`).
pub struct Hook {
    /// The step it belongs to.
    pub step: String,
    /// Where it stands.
    pub site: Site,
    /// Runs it; bindings inside it go through the scope given.
    pub run: Box<dyn Fn(&Arc<Scope>) -> Result<(), Halt> + Send + Sync>,
}

impl Program {
    /// Opens a runbook: `name_or_path` is a path first, then `NAME(.rhai)` in one of the folders of `search`, then the
    /// copy embedded in the program.
    ///
    /// # Errors
    /// Not found (with the nearest names), not readable, not parsable, an import or file outside the runbook's folder.
    pub fn open(name_or_path: &str, search: &[PathBuf]) -> Result<Self, Failure> {
        let _ = (name_or_path, search);
        Err(Failure::new("RB0101", "not written yet"))
    }

    /// A runbook out of stored files, the root first.
    ///
    /// # Errors
    /// As [`Program::open`].
    pub fn from_files(files: &[File]) -> Result<Self, Failure> {
        let _ = files;
        Err(Failure::new("RB0101", "not written yet"))
    }

    /// The names that [`Program::open`] knows without a path: the folders' and the embedded ones, sorted.
    pub fn names(search: &[PathBuf]) -> Vec<String> {
        let _ = search;
        Vec::new()
    }

    /// The runbook's name, `redis-ha`.
    pub fn name(&self) -> &str {
        ""
    }

    /// All files, by content, the root first: imports, files read, and the rehearsal file if there is one.
    pub fn files(&self) -> &[File] {
        &[]
    }

    /// The text of a script file by the name that [`Site::file`] holds.
    pub fn source(&self, file: &str) -> Option<&str> {
        let _ = file;
        None
    }

    /// The first comment block (`//!`) of the root script.
    pub fn doc(&self) -> String {
        String::new()
    }

    /// The text of `NAME.rehearsal.yaml`.
    pub fn rehearsal(&self) -> Option<String> {
        None
    }

    /// The declared parameters, in the order of their names.
    ///
    /// # Errors
    /// When the declaration itself is wrong.
    pub fn params(&self) -> Result<Vec<ParamSpec>, Failure> {
        Ok(Vec::new())
    }

    /// Checks the values given on the command line (`given`, texts) and in a customer file against the declaration.
    ///
    /// # Errors
    /// RB0201 an unknown or missing parameter, RB0202 a value that does not fit.
    pub fn bind_params(
        &self, given: &BTreeMap<String, String>, from_file: &Map<String, Value>,
    ) -> Result<BoundParams, Failure> {
        let _ = (given, from_file);
        Ok(BoundParams::default())
    }

    /// Everything that can be seen to be wrong without running: unknown functions, operations and fields, missing files.
    pub fn check(&self, table: &Table) -> Vec<Failure> {
        let _ = table;
        Vec::new()
    }

    /// Runs the script. `params`: name to value, secrets as placeholders.
    ///
    /// # Errors
    /// What ended it.
    pub fn run(&self, scope: &Arc<Scope>, params: &Value) -> Result<(), Halt> {
        let _ = (scope, params);
        Ok(())
    }

    /// The undo closures met by the last [`Program::run`] in `Mode::Recall`, in the order they were met.
    pub fn hooks(&self) -> Vec<Hook> {
        Vec::new()
    }
}

/// Compares a stored and an edited program, for `resume --edited`.
pub struct Compared {}

impl Compared {
    /// The stored program against the new one.
    pub fn new(old: Arc<Program>, new: Arc<Program>) -> Self {
        let _ = (old, new);
        Self {}
    }

    /// Names of the files that differ in more than comments and white space.
    pub fn changed_files(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Edits for Compared {
    fn same_code(&self, _step: &str, _old: &Site, _new: &Site) -> bool {
        false
    }
}
