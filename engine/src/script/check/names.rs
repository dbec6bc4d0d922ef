//! Literal names of the steps that stand one after the other in one block.

use std::collections::HashMap;

use rhai::{ASTNode, Expr, Position, Stmt};

use super::{Script, tree};
use crate::error::Failure;

pub(super) fn check(script: &Script<'_>) -> Vec<Failure> {
    let mut found = Vec::new();
    beside(script, script.ast.statements(), &mut found);
    script.ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Stmt(Stmt::Block(block))) = path.last() {
            beside(script, block.statements(), &mut found);
        }
        true
    });
    for function in script.ast.iter_fn_def() {
        let mut statements: Vec<Stmt> = Vec::new();
        let Some(body) = tree::body(script.ast, &function.name, Some(function.params.len())) else { continue };
        body.walk(&mut |path: &[ASTNode<'_>]| {
            if let [ASTNode::Stmt(statement)] = path {
                statements.push((*statement).clone());
            }
            true
        });
        beside(script, &statements, &mut found);
    }
    found
}

fn beside(script: &Script<'_>, statements: &[Stmt], found: &mut Vec<Failure>) {
    let mut seen: HashMap<String, Position> = HashMap::new();
    for statement in statements {
        let (call, at) = match statement {
            Stmt::FnCall(call, at) => (call, *at),
            Stmt::Expr(expr) => match &**expr {
                Expr::FnCall(call, at) => (call, *at),
                _ => continue,
            },
            Stmt::Var(var, ..) => match &var.1 {
                Expr::FnCall(call, at) => (call, *at),
                _ => continue,
            },
            _ => continue,
        };
        if !call.namespace.is_empty() || !["step", "check"].contains(&call.name.as_str()) {
            continue;
        }
        let Some(Expr::StringConstant(name, ..)) = call.args.first() else { continue };
        if let Some(first) = seen.insert(name.to_string(), at) {
            let message = format!("two steps of this run have the key {name:?}");
            let failure = script.wrong("RB0301", message, "another step here has this name already", at);
            found.push(failure.at(&script.site(first)).hint("give each a name of its own"));
        }
    }
}
