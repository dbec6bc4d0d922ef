//! Calls of bindings that no step encloses, whichever way the script takes: those at the top of a file, in branches there, and in
//! functions that are called from there.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Expr};
use runbook_state::record::Site;

use super::{Script, calls, tree};
use crate::{error::Failure, script::bindings};

/// Functions that enclose what they are given, or keep it for later.
const ENCLOSE: [&str; 3] = ["step", "check", "on_undo"];
/// Functions that call a closure where they stand.
const CALL: [&str; 12] =
    ["parallel", "each", "map", "filter", "for_each", "some", "all", "find", "find_map", "reduce", "sort", "call"];

pub(super) fn check(scripts: &[Script<'_>]) -> Vec<Failure> {
    let mut walk = Walk { scripts, met: BTreeSet::new(), found: Vec::new() };
    if let Some(root) = scripts.first() {
        walk.file(root);
    }
    walk.found
}

struct Walk<'a> {
    scripts: &'a [Script<'a>],
    met: BTreeSet<(String, String, usize)>,
    found: Vec<Failure>,
}

impl<'a> Walk<'a> {
    /// The statements of a file, and of those that it imports at its top.
    fn file(&mut self, script: &'a Script<'a>) {
        if self.met.insert((script.file.to_owned(), String::new(), 0)) {
            self.body(script, &script.ast.clone_statements_only(), &[]);
            for file in tree::imports(&script.ast.clone_statements_only()).values() {
                self.script(file).into_iter().for_each(|script| self.file(script));
            }
        }
    }

    fn script(&self, file: &str) -> Option<&'a Script<'a>> {
        self.scripts.iter().find(|script| script.file == file)
    }

    /// Statements that no step encloses. `from`: the calls that lead here, innermost first.
    fn body(&mut self, script: &'a Script<'a>, body: &AST, from: &[Site]) {
        let handles = calls::handles(script);
        let imports: BTreeMap<String, String> = tree::imports(script.ast);
        let mut goes_on: Vec<(&'a Script<'a>, String, Option<usize>, Option<Site>)> = Vec::new();
        let mut found = Vec::new();
        body.walk(&mut |path: &[ASTNode<'_>]| {
            if let Some(ASTNode::Expr(expression)) = path.last() {
                if let Some(call) = calls::of(expression, script.table, &handles)
                    && script.table.binding(&call.name).is_some()
                {
                    let mut failure = bindings::outside(&call.name, &script.site(call.at));
                    failure.sites.extend_from_slice(from);
                    found.push(failure);
                }
                if let Some(closure) = tree::closure(expression)
                    && called_here(path)
                {
                    goes_on.push((script, closure, None, None));
                }
            }
            if let Some((call, at)) = tree::call(path.last()) {
                let site = Some(script.site(at));
                if !call.is_qualified() {
                    goes_on.push((script, call.name.to_string(), Some(call.args.len()), site));
                } else if let Some(module) = imports.get(call.namespace.root()).and_then(|file| self.script(file)) {
                    goes_on.push((module, call.name.to_string(), Some(call.args.len()), site));
                }
            }
            true
        });
        self.found.append(&mut found);
        for (script, name, takes, site) in goes_on {
            let Some(body) = tree::body(script.ast, &name, takes) else { continue };
            if self.met.insert((script.file.to_owned(), name, takes.unwrap_or(usize::MAX))) {
                let from: Vec<Site> = site.into_iter().chain(from.iter().cloned()).collect();
                self.body(script, &body, &from);
            }
        }
    }
}

/// Whether the innermost call around a closure is one that calls it at once. One that is kept in a variable is called who knows where.
fn called_here(path: &[ASTNode<'_>]) -> bool {
    let around = path.iter().rev().skip(1).find_map(|node| match node {
        ASTNode::Expr(Expr::MethodCall(call, _)) => Some(call.name.as_str()),
        node => tree::call(Some(node)).map(|(call, _)| call.name.as_str()),
    });
    around.is_some_and(|name| CALL.contains(&name) && !ENCLOSE.contains(&name))
}
