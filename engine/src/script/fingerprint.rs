//! Whether a finished step's code is still the same in an edited script, whatever its comments, white space and place.
//!
//! A fingerprint covers the step's closure, the closures inside it, the functions that they call (also in other files), and the
//! constants that they name. Rhai's hashes differ from process to process: a fingerprint is never stored, it is computed from the
//! stored and the edited script in one process.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
};

use rhai::{AST, ASTNode, Expr, FnCallExpr, FnPtr, ScriptFuncDef, Stmt};
use runbook_seeded::mutant;
use runbook_state::record::Site;
use sha2::{Digest, Sha256};

use super::{
    load::{Loaded, module_file},
    program::Program,
    raise::place,
};
use crate::run::{history::Step, session::Edits, version};

/// Hashes what code says: positions (`u16`), Rhai's own hashes (`u64`) and the made-up names of closures are left out.
struct Code(Sha256);

impl Hasher for Code {
    fn write(&mut self, bytes: &[u8]) {
        if !bytes.starts_with(b"anon$") {
            self.0.update(bytes);
        }
    }

    fn write_u16(&mut self, _: u16) {}

    fn write_u64(&mut self, _: u64) {}

    fn write_i64(&mut self, number: i64) {
        self.0.update(number.to_le_bytes());
    }

    fn finish(&self) -> u64 {
        0
    }
}

/// Fingerprints by program (the new one is none of the earlier ones) and place.
type Known = BTreeMap<(Option<usize>, Site), Option<[u8; 32]>>;

/// Compares earlier programs of a run with the one that it goes on with.
pub struct Compared {
    earlier: Vec<(Arc<str>, Arc<Program>)>,
    new: Arc<Program>,
    known: Mutex<Known>,
}

impl Compared {
    /// Earlier programs, oldest first, against the new one. A step of an unknown version is looked for in the last one.
    pub fn new(earlier: Vec<Arc<Program>>, new: Arc<Program>) -> Self {
        let earlier = earlier.into_iter().map(|program| (version::of(program.files()), program)).collect();
        Self { earlier, new, known: Mutex::default() }
    }

    /// Names of the files that differ in more than comments and white space.
    pub fn changed_files(&self) -> Vec<String> {
        let old = self.earlier.last().map(|(_, program)| whole(&program.loaded)).unwrap_or_default();
        let new = whole(&self.new.loaded);
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        names.into_iter().filter(|name| old.get(*name) != new.get(*name)).cloned().collect()
    }

    fn fingerprint(&self, earlier: Option<usize>, site: &Site) -> Option<[u8; 32]> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let program = earlier.and_then(|at| self.earlier.get(at)).map_or(&self.new, |(_, program)| program);
        *known.entry((earlier, site.clone())).or_insert_with(|| of_call(&program.loaded, site))
    }
}

impl Edits for Compared {
    fn same_code(&self, _step: &str, known: &Step, new: &Site) -> bool {
        if mutant!("edits-not-compared") {
            return true;
        }
        let from = match &known.version.script {
            Some(script) => self.earlier.iter().rposition(|(version, _)| version == script),
            None => self.earlier.len().checked_sub(1),
        };
        // A script that the store does not have: the step runs once more, against its record.
        let Some(from) = from else { return false };
        let old = self.fingerprint(Some(from), &known.site);
        old.is_some() && old == self.fingerprint(None, new)
    }
}

fn whole(loaded: &Loaded) -> BTreeMap<String, [u8; 32]> {
    let digest = |file: &runbook_state::store::File| match loaded.scripts.get(&file.name) {
        None => Sha256::digest(&file.content).into(),
        Some(ast) => {
            let mut code = Code(Sha256::new());
            ast.statements().hash(&mut code);
            let mut functions: Vec<&ScriptFuncDef> =
                ast.shared_lib().iter_script_fn_info().map(|(.., function)| &**function).collect();
            functions.sort_by_key(|function| {
                let at = function.body.start_position();
                (at.line(), at.position())
            });
            for function in functions {
                one_function(ast, function, &mut code);
            }
            code.0.finalize().into()
        }
    };
    loaded.files.iter().map(|file| (file.name.clone(), digest(file))).collect()
}

/// A function alone, to walk its body.
pub(super) fn alone(ast: &AST, name: &str, takes: usize) -> AST {
    // Not `clone_functions_only_filtered`: in Rhai 1.27 its filter is passed over, and all functions are cloned.
    let mut one = ast.clone_functions_only();
    one.retain_functions(|_, _, known, params| known == name && params == takes);
    one
}

fn one_function(ast: &AST, function: &ScriptFuncDef, code: &mut Code) {
    function.name.as_bytes().hash(code);
    function.params.len().hash(code);
    for name in &function.params {
        name.as_str().hash(code);
    }
    alone(ast, &function.name, function.params.len()).walk(&mut |path: &[ASTNode]| {
        if let [ASTNode::Stmt(statement)] = path {
            statement.hash(code);
        }
        true
    });
}

/// The fingerprint of the call of `step`, `check`, `parallel` or `each` at a place.
fn of_call(loaded: &Loaded, site: &Site) -> Option<[u8; 32]> {
    let ast = loaded.scripts.get(&site.file)?;
    let mut digest = None;
    ast.walk(&mut |path: &[ASTNode]| {
        let found = match path.last() {
            Some(ASTNode::Stmt(Stmt::FnCall(call, at)) | ASTNode::Expr(Expr::FnCall(call, at))) => {
                (place(&site.file, *at) == *site).then_some(call)
            }
            _ => None,
        };
        if let Some(call) = found {
            let mut walk = Walk { loaded, code: Code(Sha256::new()), met: BTreeSet::new() };
            for arg in &call.args {
                walk.expression(&site.file, arg, false);
            }
            digest = Some(walk.code.0.finalize().into());
        }
        digest.is_none()
    });
    digest
}

struct Walk<'a> {
    loaded: &'a Loaded,
    code: Code,
    met: BTreeSet<(String, String, usize)>,
}

impl Walk<'_> {
    /// An expression outside a function whose code is hashed as a whole: only its leaves count, since the places of variables change
    /// with what stands above. `inside`: the code is hashed already, and only what it refers to is followed.
    fn expression(&mut self, file: &str, expression: &Expr, inside: bool) {
        expression.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
            self.node(file, path, inside);
            true
        });
    }

    fn node(&mut self, file: &str, path: &[ASTNode], inside: bool) {
        match path.last() {
            Some(
                ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _)),
            ) => {
                if !inside {
                    (path.len(), call.name.as_str()).hash(&mut self.code);
                }
                self.call(file, call);
            }
            Some(ASTNode::Expr(Expr::Variable(variable, _, _))) => {
                let name = variable.1.as_str();
                if !inside {
                    (path.len(), name).hash(&mut self.code);
                }
                // The root of an empty path panics.
                let namespace = if variable.2.is_empty() { "" } else { variable.2.root() };
                self.variable(file, namespace, name);
            }
            Some(ASTNode::Expr(Expr::DynamicConstant(value, _))) => {
                if let Some(closure) = value.read_lock::<FnPtr>() {
                    self.function(file, closure.fn_name(), None);
                } else if !inside {
                    value.to_string().hash(&mut self.code);
                }
            }
            Some(ASTNode::Expr(leaf)) if !inside && leaf.is_constant() => leaf.hash(&mut self.code),
            Some(ASTNode::Expr(Expr::Map(map, _))) if !inside => {
                for (name, _) in &map.0 {
                    name.name.as_str().hash(&mut self.code);
                }
            }
            Some(ASTNode::Expr(Expr::Property(property, _))) if !inside => property.2.as_str().hash(&mut self.code),
            _ => {}
        }
    }

    fn call(&mut self, file: &str, call: &FnCallExpr) {
        if call.name == "Fn" {
            if let Some(Expr::StringConstant(name, _)) = call.args.first() {
                self.function(file, name, None);
            }
        } else if !call.is_qualified() {
            self.function(file, &call.name, Some(call.args.len()));
        } else if let Some(module) = self.module(file, call.namespace.root()) {
            self.function(&module, &call.name, Some(call.args.len()));
        }
    }

    /// The file that a file imports under a name.
    fn module(&self, file: &str, alias: &str) -> Option<String> {
        self.loaded.scripts.get(file)?.statements().iter().find_map(|statement| match statement {
            Stmt::Import(import, _) if import.1.as_str() == alias => match &import.0 {
                Expr::StringConstant(path, _) => Some(module_file(path)),
                _ => None,
            },
            _ => None,
        })
    }

    fn function(&mut self, file: &str, name: &str, takes: Option<usize>) {
        let loaded = self.loaded;
        let Some(ast) = loaded.scripts.get(file) else { return };
        for (_, _, known, params, function) in ast.shared_lib().iter_script_fn_info() {
            if known != name || takes.is_some_and(|takes| takes != params && !name.starts_with("anon$")) {
                continue;
            }
            if !self.met.insert((file.to_owned(), name.to_owned(), params)) {
                continue;
            }
            one_function(ast, function, &mut self.code);
            alone(ast, known, params).walk(&mut |path: &[ASTNode]| {
                self.node(file, path, true);
                true
            });
        }
    }

    /// A constant that is named from a function, or a closure kept in a variable: what it was defined as counts.
    fn variable(&mut self, file: &str, namespace: &str, name: &str) {
        let home = match namespace {
            "" | "global" => file.to_owned(),
            alias => match self.module(file, alias) {
                Some(module) => module,
                None => return,
            },
        };
        let loaded = self.loaded;
        let Some(ast) = loaded.scripts.get(&home) else { return };
        for statement in ast.statements() {
            let Stmt::Var(definition, ..) = statement else { continue };
            if definition.0.as_str() != name || (namespace.is_empty() && !holds_closure(&definition.1)) {
                continue;
            }
            if self.met.insert((home.clone(), format!("let {name}"), 0)) {
                self.expression(&home, &definition.1, false);
            }
        }
    }
}

/// Whether an expression is a closure, or a call that gives one its captures.
fn holds_closure(expression: &Expr) -> bool {
    let mut holds = false;
    expression.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
        if let Some(ASTNode::Expr(Expr::DynamicConstant(value, _))) = path.last() {
            holds |= value.is_fnptr();
        }
        !holds
    });
    holds
}
