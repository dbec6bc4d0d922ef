//! What the checks ask of a script's tree.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Expr, FnCallExpr, FnPtr, Position, Stmt};

use crate::script::{fingerprint, load::module_file};

/// Rhai's name for giving a closure its captures.
const CURRY: &str = "curry";

/// What a file declares under each name: variables with what they are first, parameters and the like without.
pub(super) struct Declared(BTreeMap<String, Vec<Option<Expr>>>);

impl Declared {
    /// Looks through a whole file.
    pub(super) fn of(ast: &AST) -> Self {
        let mut all: BTreeMap<String, Vec<Option<Expr>>> = BTreeMap::new();
        let mut captured: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut add = |name: &str, first: Option<Expr>| all.entry(name.to_owned()).or_default().push(first);
        ast.walk(&mut |path: &[ASTNode<'_>]| {
            match path.last() {
                Some(ASTNode::Stmt(Stmt::Var(variable, ..))) => add(&variable.0.name, Some(variable.1.clone())),
                Some(ASTNode::Stmt(Stmt::For(each, _))) => {
                    add(&each.0.name, None);
                    if let Some(counter) = &each.1 {
                        add(&counter.name, None);
                    }
                }
                Some(ASTNode::Stmt(Stmt::TryCatch(parts, _))) => {
                    if let Expr::Variable(variable, ..) = &parts.expr {
                        add(&variable.1, None);
                    }
                }
                Some(ASTNode::Expr(Expr::FnCall(call, _))) if call.name == CURRY => {
                    let Some(closure) = call.args.first().and_then(closure) else { return true };
                    let names = call.args.iter().skip(1).filter_map(|arg| match arg {
                        Expr::Variable(variable, ..) => Some(variable.1.to_string()),
                        _ => None,
                    });
                    captured.entry(closure).or_default().extend(names);
                }
                _ => {}
            }
            true
        });
        for (_, _, name, _, function) in ast.shared_lib().iter_script_fn_info() {
            let captured = captured.get(name);
            for parameter in &function.params {
                // A capture is the variable outside.
                if !captured.is_some_and(|names| names.contains(parameter.as_str())) {
                    all.entry(parameter.to_string()).or_default().push(None);
                }
            }
        }
        Self(all)
    }

    /// Whether anything has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The names that mean one variable in the whole file, with what it is first.
    pub(super) fn once(&self) -> impl Iterator<Item = (&str, &Expr)> {
        self.0.iter().filter_map(|(name, all)| match &all[..] {
            [Some(first)] => Some((name.as_str(), first)),
            _ => None,
        })
    }
}

/// The closure that an expression is.
pub(super) fn closure(expression: &Expr) -> Option<String> {
    match expression {
        Expr::DynamicConstant(value, _) => value.read_lock::<FnPtr>().map(|closure| closure.fn_name().to_owned()),
        _ => None,
    }
}

/// The call that a node is, without the one that only gives a closure its captures. A statement that is one call is met twice.
pub(super) fn call<'a>(node: Option<&ASTNode<'a>>) -> Option<(&'a FnCallExpr, Position)> {
    match node {
        Some(ASTNode::Stmt(Stmt::FnCall(call, at)) | ASTNode::Expr(Expr::FnCall(call, at))) if call.name != CURRY => {
            Some((call, *at))
        }
        _ => None,
    }
}

/// A method call as the right side of a dot, alone or with more after it.
pub(super) fn method(right: &Expr) -> Option<(&FnCallExpr, Position)> {
    match right {
        Expr::MethodCall(call, at) => Some((call, *at)),
        Expr::Dot(inner, ..) | Expr::Index(inner, ..) => match &inner.lhs {
            Expr::MethodCall(call, at) => Some((call, *at)),
            _ => None,
        },
        _ => None,
    }
}

/// The files that a file imports, by the names that it gives them.
pub(super) fn imports(ast: &AST) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = path.last()
            && let Expr::StringConstant(file, _) = &import.0
        {
            found.insert(import.1.as_str().to_owned(), module_file(file));
        }
        true
    });
    found
}

/// Functions of a file by name and number of parameters, closures left out.
pub(super) fn functions(ast: &AST) -> impl Iterator<Item = (&str, usize)> {
    let all = ast.shared_lib().iter_script_fn_info();
    all.map(|(_, _, name, takes, _)| (name, takes)).filter(|(name, _)| !name.starts_with("anon$"))
}

/// The body of a function or closure.
pub(super) fn body(ast: &AST, name: &str, takes: Option<usize>) -> Option<AST> {
    let all = ast.shared_lib().iter_script_fn_info();
    let mut fitting =
        all.filter(|(_, _, known, params, _)| *known == name && takes.is_none_or(|takes| takes == *params));
    fitting.next().map(|(_, _, _, params, _)| fingerprint::alone(ast, name, params))
}
