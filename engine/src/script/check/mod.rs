//! What can be seen to be wrong in a script without running it. Only what is certain is told: a value whose kind the text does not
//! say fits everywhere.
//!
//! * `names`: two steps of one name side by side.
//! * `calls`: operations that there are not; `fields`: the literal input of those that there are.
//! * `functions`: functions that there are not, here or in a module, and arguments that they do not take.
//! * `parameters`: parameters that are not declared.
//! * `outside`: calls that no step encloses.
//! * `tree`: what these ask of a script's tree.

mod calls;
mod fields;
mod functions;
mod names;
mod outside;
mod parameters;
mod tree;

use rhai::{AST, Engine, Position};
use runbook_modules::table::Table;
use runbook_state::record::Site;

use self::{functions::Functions, tree::Declared};
use super::{load::Loaded, raise};
use crate::error::Failure;

/// One file of a runbook, and what is known beside it.
struct Script<'a> {
    loaded: &'a Loaded,
    table: &'a Table,
    functions: &'a Functions,
    file: &'a str,
    ast: &'a AST,
    declared: Declared,
}

/// All mistakes: the root's first, each file's in the order of its lines. `engine` knows every function.
pub fn check(loaded: &Loaded, table: &Table, engine: &Engine) -> Vec<Failure> {
    let functions = Functions::of(engine);
    let files = loaded.files.iter().filter_map(|file| loaded.scripts.get_key_value(&file.name));
    let scripts: Vec<Script<'_>> = files
        .map(|(file, ast)| Script { loaded, table, functions: &functions, file, ast, declared: Declared::of(ast) })
        .collect();
    let mut found = Vec::new();
    for script in &scripts {
        // Of two words on one place the first stands.
        let parts = [names::check, calls::check, functions::check, parameters::check];
        let mut here: Vec<Failure> = parts.into_iter().flat_map(|part| part(script)).collect();
        here.sort_by_key(place);
        here.dedup_by_key(|failure| place(failure));
        found.extend(here);
    }
    let known: Vec<_> = found.iter().map(place).collect();
    found.extend(outside::check(&scripts).into_iter().filter(|failure| !known.contains(&place(failure))));
    found
}

fn place(failure: &Failure) -> (String, u32, u32) {
    failure.sites.first().map(|site| (site.file.clone(), site.line, site.column)).unwrap_or_default()
}

impl Script<'_> {
    fn site(&self, at: Position) -> Site {
        raise::place(self.file, at)
    }

    fn wrong(&self, code: &str, message: impl Into<String>, cause: &str, at: Position) -> Failure {
        let mut failure = Failure::new(code, message).at(&self.site(at));
        cause.clone_into(&mut failure.cause);
        failure
    }
}
