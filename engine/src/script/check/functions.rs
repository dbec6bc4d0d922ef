//! Plain functions, methods, and functions of modules: whether there is one, and whether it takes so many arguments.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Engine, Expr, FnAccess, FnCallExpr, FnPtr, Map, Position};
use runbook_modules::input::nearest;

use super::{Script, tree};
use crate::{error::Failure, script::respell};

/// What Rhai itself takes for a function.
const KEYWORDS: [&str; 11] =
    ["print", "debug", "type_of", "is_shared", "Fn", "call", "curry", "is_def_var", "is_def_fn", "eval", "this"];

/// The functions that are not a script's own: name, and how many arguments they may have.
pub(super) struct Functions(BTreeMap<String, BTreeSet<usize>>);

impl Functions {
    /// Those of an engine.
    pub(super) fn of(engine: &Engine) -> Self {
        let mut all: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        let one =
            |function: rhai::FuncInfo<'_>| Some((function.metadata.name.to_string(), function.metadata.num_params));
        for (name, takes) in engine.collect_fn_metadata(None, one, true) {
            all.entry(name).or_default().insert(takes);
        }
        Self(all)
    }

    /// Whether there is one of this name.
    pub(super) fn native(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn takes(&self, name: &str) -> BTreeSet<usize> {
        self.0.get(name).cloned().unwrap_or_default()
    }
}

pub(super) fn check(script: &Script<'_>) -> Vec<Failure> {
    let imports = tree::imports(script.ast);
    let fields = fields(script);
    let mut found = Vec::new();
    script.ast.walk(&mut |path: &[ASTNode<'_>]| {
        match path.last() {
            Some(ASTNode::Expr(Expr::MethodCall(call, at))) => found.extend(method(script, call, *at, &fields)),
            node => {
                if let Some((call, at)) = tree::call(node) {
                    found.extend(if call.is_qualified() {
                        in_module(script, call, at, &imports)
                    } else {
                        plain(script, call, at)
                    });
                }
            }
        }
        true
    });
    found
}

fn plain(script: &Script<'_>, call: &FnCallExpr, at: Position) -> Option<Failure> {
    let name = call.name.as_str();
    let nameable = name.starts_with(|first: char| first.is_alphabetic() || first == '_');
    if !nameable || call.op_token.is_some() || KEYWORDS.contains(&name) || script.declared.has(name) {
        return None;
    }
    let own = tree::functions(script.ast).filter(|(known, _)| *known == name).map(|(_, takes)| takes);
    let takes: BTreeSet<usize> = script.functions.takes(name).into_iter().chain(own).collect();
    if takes.is_empty() {
        return Some(unknown(script, name, at));
    }
    (!takes.contains(&call.args.len())).then(|| arguments(script, name, &takes, call.args.len(), at))
}

fn unknown(script: &Script<'_>, name: &str, at: Position) -> Failure {
    let own: BTreeSet<&str> = tree::functions(script.ast).map(|(name, _)| name).collect();
    let nameable = |name: &&str| !name.contains('$') && !respell::ours(name);
    let native: Vec<&str> = script.functions.0.keys().map(String::as_str).filter(nameable).collect();
    let mut failure = script.wrong("RB0103", format!("there is no function {name}"), "unknown function", at);
    for near in nearest(name, own.into_iter().chain(native)) {
        failure = failure.hint(format!("did you mean {near}?"));
    }
    failure
}

fn arguments(script: &Script<'_>, name: &str, takes: &BTreeSet<usize>, given: usize, at: Position) -> Failure {
    let takes: Vec<String> = takes.iter().map(usize::to_string).collect();
    let noun = if takes == ["1"] { "argument" } else { "arguments" };
    let message = format!("{name} takes {} {noun}, not {given}", takes.join(" or "));
    script.wrong("RB0105", message, "wrong number of arguments", at)
}

/// A method is unknown when no function and no field of any map has this name.
fn method(script: &Script<'_>, call: &FnCallExpr, at: Position, fields: &BTreeSet<String>) -> Option<Failure> {
    let name = call.name.as_str();
    let own = tree::functions(script.ast).any(|(known, _)| known == name);
    let known = own || script.functions.native(name) || KEYWORDS.contains(&name) || fields.contains(name);
    (!known).then(|| unknown(script, name, at))
}

/// All fields that the runbook's files give to maps.
fn fields(script: &Script<'_>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut look = |ast: &AST| {
        ast.walk(&mut |path: &[ASTNode<'_>]| {
            match path.last() {
                Some(ASTNode::Expr(Expr::Map(map, _))) => {
                    names.extend(map.0.iter().map(|(field, _)| field.name.to_string()));
                }
                Some(ASTNode::Expr(Expr::Property(property, _))) => {
                    names.extend(property.2.strip_prefix(respell::MARK).map(str::to_owned));
                }
                Some(ASTNode::Expr(Expr::DynamicConstant(value, _))) => {
                    if let Some(map) = value.read_lock::<Map>() {
                        names.extend(map.keys().map(ToString::to_string));
                    } else if let Some(closure) = value.read_lock::<FnPtr>() {
                        names.insert(closure.fn_name().to_owned());
                    }
                }
                _ => {}
            }
            true
        });
    };
    script.loaded.scripts.values().for_each(&mut look);
    names
}

fn in_module(
    script: &Script<'_>, call: &FnCallExpr, at: Position, imports: &std::collections::BTreeMap<String, String>,
) -> Option<Failure> {
    let alias = call.namespace.root();
    let [_] = &call.namespace.path[..] else { return None };
    let file = imports.get(alias)?;
    let module = script.loaded.scripts.get(file)?;
    let all = || {
        let all = module.shared_lib().iter_script_fn_info().map(|(_, access, name, takes, _)| (access, name, takes));
        all.filter(|(_, name, _)| !name.starts_with("anon$"))
    };
    let name = call.name.as_str();
    let takes: BTreeSet<usize> = all()
        .filter(|(access, known, _)| *access == FnAccess::Public && *known == name)
        .map(|(_, _, takes)| takes)
        .collect();
    if takes.contains(&call.args.len()) {
        return None;
    }
    if !takes.is_empty() {
        return Some(arguments(script, &format!("{alias}::{name}"), &takes, call.args.len(), at));
    }
    if all().any(|(_, known, _)| known == name) {
        let message = format!("{name} is private in {file}");
        return Some(script.wrong("RB0103", message, "not for other files", at));
    }
    let public: BTreeSet<&str> = all().filter(|(a, ..)| *a == FnAccess::Public).map(|(_, name, _)| name).collect();
    let mut failure = script.wrong("RB0103", format!("there is no function {name} in {file}"), "unknown function", at);
    let near = nearest(name, public.iter().copied());
    for near in &near {
        failure = failure.hint(format!("did you mean {alias}::{near}?"));
    }
    if near.is_empty() && !public.is_empty() {
        failure = failure.hint(format!("it has {}", public.into_iter().collect::<Vec<_>>().join(", ")));
    }
    Some(failure)
}
