//! Parameters that are read and not declared: `const P = params(#{…})`, `P.regoin`.

use std::collections::BTreeMap;

use rhai::{ASTNode, Expr};
use runbook_modules::input::nearest;

use super::Script;
use crate::{error::Failure, script::respell};

pub(super) fn check(script: &Script<'_>) -> Vec<Failure> {
    let declared: BTreeMap<&str, Vec<&str>> =
        script.declared.once().filter_map(|(name, first)| Some((name, names(first)?))).collect();
    let mut found = Vec::new();
    script.ast.walk(&mut |path: &[ASTNode<'_>]| {
        let read = match path.last() {
            Some(ASTNode::Expr(Expr::Dot(parts, ..))) => match &parts.rhs {
                Expr::Property(property, at) => Some((&parts.lhs, property.2.as_str(), *at)),
                Expr::Dot(inner, ..) | Expr::Index(inner, ..) => match &inner.lhs {
                    Expr::Property(property, at) => Some((&parts.lhs, property.2.as_str(), *at)),
                    _ => None,
                },
                _ => None,
            },
            Some(ASTNode::Expr(Expr::Index(parts, ..))) => match &parts.rhs {
                Expr::StringConstant(name, at) => Some((&parts.lhs, name.as_str(), *at)),
                _ => None,
            },
            _ => None,
        };
        if let Some((Expr::Variable(variable, ..), field, at)) = read
            && (variable.2.is_empty() || variable.2.root() == "global")
            && let Some(known) = declared.get(variable.1.as_str())
        {
            if field.starts_with(respell::MARK) {
                let failure = script.wrong("RB0105", "a parameter cannot be assigned", "assigned here", at);
                found.push(failure.hint("Keep what differs in a variable of its own: let mine = P.name;"));
                return true;
            }
            if known.contains(&field) {
                return true;
            }
            let message = format!("the runbook declares no parameter {field}");
            let mut failure = script.wrong("RB0104", message, "not declared", at);
            let near = nearest(field, known.iter().copied());
            for near in &near {
                failure = failure.hint(format!("did you mean {near}?"));
            }
            if near.is_empty() {
                failure = failure.hint(format!("it declares {}", known.join(", ")));
            }
            found.push(failure);
        }
        true
    });
    found
}

/// The parameters of a declaration.
fn names(first: &Expr) -> Option<Vec<&str>> {
    let Expr::FnCall(call, _) = first else { return None };
    match (call.name.as_str(), call.args.first()) {
        ("params", Some(Expr::Map(map, _))) if !call.is_qualified() => {
            Some(map.0.iter().map(|(name, _)| name.name.as_str()).collect())
        }
        _ => None,
    }
}
