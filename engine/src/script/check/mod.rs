//! What can be seen to be wrong in a script without running it: operations and fields that there are not, where the script says
//! them literally, and two steps of one name side by side.

use std::collections::{BTreeSet, HashMap};

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};
use runbook_modules::{
    input::nearest,
    table::{Binding, Table},
};
use runbook_state::record::Site;
use serde_json::Value;

use super::load::Loaded;
use crate::error::Failure;

/// Fields that the engine takes out of every input.
const OURS: [&str; 4] = ["name", "tags", "wait", "timeout"];
/// Handles whose functions are bindings; other services are those of the table.
const HELM: &str = "helm";

/// All mistakes, file by file.
pub fn check(loaded: &Loaded, table: &Table) -> Vec<Failure> {
    let mut found = Vec::new();
    for (file, ast) in loaded.scripts.iter() {
        let mut looked = Looked { file, table, found: Vec::new() };
        looked.calls(ast);
        looked.names(ast.statements());
        ast.walk(&mut |path: &[ASTNode<'_>]| {
            if let Some(ASTNode::Stmt(Stmt::Block(block))) = path.last() {
                looked.names(block.statements());
            }
            true
        });
        for function in ast.iter_fn_def() {
            let mut body: Vec<Stmt> = Vec::new();
            super::fingerprint::alone(ast, &function.name, function.params.len()).walk(&mut |path: &[ASTNode<
                '_,
            >]| {
                if let [ASTNode::Stmt(statement)] = path {
                    body.push((*statement).clone());
                }
                true
            });
            looked.names(&body);
        }
        found.append(&mut looked.found);
    }
    found
}

struct Looked<'a> {
    file: &'a str,
    table: &'a Table,
    found: Vec<Failure>,
}

impl Looked<'_> {
    fn site(&self, at: Position) -> Site {
        let number = |n: Option<usize>| n.and_then(|n| u32::try_from(n).ok()).unwrap_or_default();
        Site { file: self.file.to_owned(), line: number(at.line()), column: number(at.position()) }
    }

    /// Calls of bindings: `….ec2.create_vpc(#{…})`.
    fn calls(&mut self, ast: &AST) {
        ast.walk(&mut |path: &[ASTNode<'_>]| {
            let Some(ASTNode::Expr(Expr::Dot(dot, ..))) = path.last() else { return true };
            let Expr::Property(property, ..) = &dot.lhs else { return true };
            let service = property.2.as_str();
            let call = match &dot.rhs {
                Expr::MethodCall(call, at) => Some((call, *at)),
                Expr::Dot(inner, ..) | Expr::Index(inner, ..) => match &inner.lhs {
                    Expr::MethodCall(call, at) => Some((call, *at)),
                    _ => None,
                },
                _ => None,
            };
            if let Some((call, at)) = call.filter(|_| self.serves(service)) {
                self.call(service, call, at);
            }
            true
        });
    }

    fn serves(&self, service: &str) -> bool {
        service == HELM || self.services().contains(service)
    }

    fn services(&self) -> BTreeSet<&str> {
        let names = self.table.bindings().filter_map(|(name, _)| name.split_once('.'));
        names.map(|(service, _)| service).filter(|service| *service != "k8s").collect()
    }

    fn call(&mut self, service: &str, call: &FnCallExpr, at: Position) {
        let name = format!("{service}.{}", call.name);
        let Some(binding) = self.table.binding(&name) else {
            let known = self.table.bindings().filter_map(|(known, _)| known.strip_prefix(service)?.strip_prefix('.'));
            let mut failure = Failure::new("RB0111", format!("there is no {name}")).at(&self.site(at));
            failure.cause = "no such operation".to_owned();
            for near in nearest(&call.name, known) {
                failure = failure.hint(format!("did you mean {near}?"));
            }
            self.found.push(failure.hint(format!("runbook docs {service}. lists what there is")));
            return;
        };
        let schema = match binding {
            Binding::Create(kind) => kind.schema(),
            Binding::Call(operation) => (operation.schema)(),
        };
        let fields: Vec<(String, Position)> = match call.args.first() {
            Some(Expr::Map(map, ..)) => map.0.iter().map(|(field, _)| (field.name.to_string(), field.pos)).collect(),
            Some(Expr::DynamicConstant(constant, at)) => match constant.read_lock::<rhai::Map>() {
                Some(map) => map.keys().map(|field| (field.to_string(), *at)).collect(),
                None => return,
            },
            _ => return,
        };
        for (field, at) in fields {
            self.field(&name, &field, at, &schema);
        }
    }

    fn field(&mut self, name: &str, field: &str, at: Position, schema: &Value) {
        let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        let Some(known) = schema.get("properties").and_then(Value::as_object).filter(|_| closed) else { return };
        if known.contains_key(field) || OURS.contains(&field) {
            return;
        }
        let mut failure = Failure::new("RB0401", format!("{name}: {field}: unknown field")).at(&self.site(at));
        failure.cause = "no such field".to_owned();
        name.clone_into(&mut failure.op);
        for near in nearest(field, known.keys().map(String::as_str).chain(OURS)) {
            failure = failure.hint(format!("did you mean {near}?"));
        }
        let known: Vec<&str> = known.keys().map(String::as_str).collect();
        self.found.push(failure.hint(format!("it takes {}", known.join(", "))));
    }

    /// Literal names of the steps that stand one after the other in one block.
    fn names(&mut self, statements: &[Stmt]) {
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
                let mut failure = Failure::new("RB0301", format!("two steps of this run have the key {name:?}"))
                    .at(&self.site(at))
                    .at(&self.site(first));
                failure.cause = "another step here has this name already".to_owned();
                self.found.push(failure.hint("give each a name of its own"));
            }
        }
    }
}
