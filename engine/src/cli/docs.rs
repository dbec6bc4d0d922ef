//! `runbook docs`

use clap::Args;
use runbook_modules::{operation::Class, table::Binding};
use serde_json::{Value, json};

use super::{context::Context, error::Problem, exit::Exit};
use crate::{
    targets,
    ui::{
        look::{Ink, Look},
        table::Table,
    },
};

/// List what a script can call, or describe one binding with its fields.
#[derive(Debug, Args)]
pub struct Docs {
    /// Binding, e.g. ec2.create_vpc, or the beginning of some.
    pub binding: Option<String>,
}

/// Prints.
///
/// # Errors
/// RB0211 for a name that nothing begins with.
pub fn run(context: &Context, args: &Docs) -> Result<Exit, Problem> {
    let table = targets::table();
    let wanted = args.binding.as_deref().unwrap_or_default();
    let wanted = wanted.strip_prefix("aws.").unwrap_or(wanted);
    if let Some(binding) = table.binding(wanted) {
        let schema = binding.schema();
        if context.common.json {
            context.answer_json(json!({ "v": 1, "name": wanted, "doc": doc(binding), "input": schema }));
        } else {
            context.answer(&page(wanted, binding, &schema, &context.out));
        }
        return Ok(Exit::Ok);
    }
    let found: Vec<(&str, Binding)> = table.bindings().filter(|(name, _)| name.starts_with(wanted)).collect();
    if found.is_empty() {
        let nearest = runbook_modules::input::nearest(wanted, table.bindings().map(|(name, _)| name));
        let problem = Problem::usage("RB0211", format!("there is no binding {wanted}")).next("runbook docs");
        return Err(if nearest.is_empty() {
            problem
        } else {
            problem.hint(format!("near it: {}", nearest.join(", ")))
        });
    }
    if context.common.json {
        let list: Vec<Value> =
            found.iter().map(|(name, b)| json!({ "name": name, "does": what(*b), "doc": first(doc(*b)) })).collect();
        context.answer_json(json!({ "v": 1, "bindings": list }));
        return Ok(Exit::Ok);
    }
    let mut list = Table::new(&["BINDING", "DOES", "WHAT"]);
    for (name, binding) in found {
        list.row(vec![name.to_owned(), what(binding).to_owned(), first(doc(binding)).to_owned()]);
    }
    context.answer(&list.draw(&context.out, context.wide()));
    Ok(Exit::Ok)
}

fn doc(binding: Binding) -> &'static str {
    match binding {
        Binding::Create(kind) => kind.meta().doc,
        Binding::Call(operation) => operation.doc,
    }
}

fn what(binding: Binding) -> &'static str {
    match binding {
        Binding::Create(_) => "make",
        Binding::Call(operation) => match operation.class {
            Class::Read => "read",
            Class::Update => "update",
            Class::Delete => "delete",
            Class::Exec => "exec",
        },
    }
}

fn first(doc: &str) -> &str {
    doc.lines().next().unwrap_or_default()
}

fn page(name: &str, binding: Binding, schema: &Value, look: &Look) -> String {
    let mut out = format!("{}\n\n{}\n\n", look.ink(Ink::Bold, name), doc(binding).trim());
    let required: Vec<&str> =
        schema["required"].as_array().map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default();
    let mut fields = Table::new(&["FIELD", "TYPE", "", "WHAT"]);
    for (field, shape) in schema["properties"].as_object().into_iter().flatten() {
        let kind = match &shape["type"] {
            Value::String(kind) => kind.clone(),
            Value::Array(kinds) => {
                kinds.iter().filter_map(Value::as_str).filter(|k| *k != "null").collect::<Vec<_>>().join(" | ")
            }
            _ => "map".to_owned(),
        };
        let need = if required.contains(&field.as_str()) { "required" } else { "" };
        let about = shape["description"].as_str().unwrap_or_default().replace('\n', " ");
        fields.row(vec![field.clone(), kind, need.to_owned(), about]);
    }
    out += &fields.draw(look, false);
    out
}
