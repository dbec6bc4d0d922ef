//! Calls of bindings: whether there is such an operation, and whether its literal input fits.

use std::collections::BTreeMap;

use rhai::{ASTNode, Expr, FnCallExpr, Position};
use runbook_modules::{
    input::nearest,
    table::{Binding, Table},
};

use super::{Script, fields, tree};
use crate::{error::Failure, script::handles::HANDLES};

/// A call of a binding, as far as the text says that it is one.
pub(super) struct Call<'a> {
    /// `ec2.create_vpc`.
    pub(super) name: String,
    pub(super) call: &'a FnCallExpr,
    pub(super) at: Position,
}

pub(super) fn check(script: &Script<'_>) -> Vec<Failure> {
    let handles = handles(script);
    let mut found = Vec::new();
    script.ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Expr(expression)) = path.last()
            && let Some(call) = of(expression, script.table, &handles)
        {
            match script.table.binding(&call.name) {
                Some(binding) => input(script, &call, binding, &mut found),
                // Perhaps a map that has a field of a service's name.
                None if script.functions.native(&call.call.name) && !is_binding(script.table, &call.call.name) => {}
                None => found.push(unknown(script, &call)),
            }
        }
        true
    });
    found
}

/// The variables of a file that are certainly such a handle, with its service: `let k = k8s(…)`.
pub(super) fn handles(script: &Script<'_>) -> BTreeMap<String, &'static str> {
    script.declared.once().filter_map(|(name, first)| Some((name.to_owned(), handle(first)?))).collect()
}

/// The service of the handle that an expression makes.
fn handle(expression: &Expr) -> Option<&'static str> {
    let Expr::FnCall(made, _) = expression else { return None };
    HANDLES.into_iter().find(|name| made.name.as_str() == *name && made.namespace.is_empty())
}

/// The call of a binding that an expression is: `….ec2.create_vpc(#{…})`, `….helm.status(#{…})`, `k8s(…).list(#{…})`.
pub(super) fn of<'a>(
    expression: &'a Expr, table: &Table, handles: &BTreeMap<String, &'static str>,
) -> Option<Call<'a>> {
    let Expr::Dot(dot, ..) = expression else { return None };
    let (call, at) = tree::method(&dot.rhs)?;
    let service = match &dot.lhs {
        Expr::Property(property, _) if serves(table, &property.2) => property.2.as_str(),
        Expr::Variable(variable, ..) if variable.2.is_empty() => handles.get(variable.1.as_str()).copied()?,
        made => handle(made)?,
    };
    Some(Call { name: format!("{service}.{}", call.name), call, at })
}

/// Whether a property is a service. Kubernetes, GitHub and Cloudflare are none: their calls are made on the handle itself.
fn serves(table: &Table, property: &str) -> bool {
    let services = table.bindings().filter_map(|(name, _)| name.split_once('.')).map(|(service, _)| service);
    !HANDLES.contains(&property) && services.into_iter().any(|service| service == property)
}

fn is_binding(table: &Table, function: &str) -> bool {
    table.bindings().any(|(name, _)| name.split_once('.').is_some_and(|(_, known)| known == function))
}

fn unknown(script: &Script<'_>, call: &Call<'_>) -> Failure {
    let name = &call.name;
    let (service, function) = name.split_once('.').unwrap_or(("", name));
    let known = script.table.bindings().filter_map(|(known, _)| known.strip_prefix(service)?.strip_prefix('.'));
    let mut failure = script.wrong("RB0111", format!("there is no {name}"), "no such operation", call.at);
    for near in nearest(function, known) {
        failure = failure.hint(format!("did you mean {near}?"));
    }
    failure.hint(format!("runbook docs {service}. lists what there is"))
}

fn input(script: &Script<'_>, call: &Call<'_>, binding: Binding, found: &mut Vec<Failure>) {
    let name = &call.name;
    // `apply` takes texts and lists as well, and the rest in a second map.
    let [input] = &call.call.args[..] else { return };
    for wrong in fields::misfits(&binding.schema(), input) {
        let at = if wrong.at.is_none() { call.at } else { wrong.at };
        let mut failure = script.wrong("RB0401", format!("{name}: {}", wrong.error), &wrong.error.message, at);
        failure.op.clone_from(name);
        for near in &wrong.error.nearest {
            failure = failure.hint(format!("did you mean {near}?"));
        }
        found.push(failure.hint(format!("runbook docs {name} lists its fields")));
    }
}
