//! `runbook params RUNBOOK`

use clap::Args;
use serde_json::{Value, json};

use super::{context::Context, error::Problem, exit::Exit, sources};
use crate::{
    script::params::ParamSpec,
    ui::{
        finale,
        look::{Look, Mark},
        table::Table,
        text::quoted,
    },
};

/// Show a runbook's parameters: type, default, range, what each is for.
#[derive(Debug, Args)]
pub struct Params {
    /// Runbook: a path, or a name.
    pub runbook: String,
}

/// Prints the table.
///
/// # Errors
/// When the runbook is not found or its declaration is wrong.
pub fn run(context: &Context, args: &Params) -> Result<Exit, Problem> {
    let program = sources::open(&args.runbook)?;
    let specs = program.params().map_err(|failure| sources::problem(&program, failure))?;
    if context.common.json {
        context.answer_json(json!({ "v": 1, "runbook": program.name(), "params": specs }));
        return Ok(Exit::Ok);
    }
    let look = &context.out;
    let mut table = Table::new(&["PARAMETER", "TYPE", "DEFAULT", "ALLOWED", "WHAT IT IS"]);
    for spec in &specs {
        let kind = serde_json::to_value(spec.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
        table.row(vec![
            look.shown(&spec.name),
            kind.unwrap_or_default(),
            default(spec, look),
            allowed(spec, look),
            look.shown(&spec.help),
        ]);
    }
    context.answer(&table.draw(look, context.wide()));
    let next = [format!("runbook run {} -p NAME=VALUE --sandbox", quoted(&args.runbook))];
    context.say(&format!("\n{}", finale::next(&context.err, &next)));
    Ok(Exit::Ok)
}

fn default(spec: &ParamSpec, look: &Look) -> String {
    match (&spec.default, spec.generate) {
        (_, Some(length)) => format!("generated ({length})"),
        (Some(Value::String(text)), _) if text.is_empty() => "\"\"".to_owned(),
        (Some(Value::String(text)), _) => look.shown(text),
        (Some(value), _) => look.shown(&value.to_string()),
        (None, _) if spec.optional => look.mark(Mark::None).to_owned(),
        (None, _) => "required".to_owned(),
    }
}

fn allowed(spec: &ParamSpec, look: &Look) -> String {
    if !spec.choices.is_empty() {
        let choices =
            spec.choices.iter().map(|choice| choice.as_str().map_or_else(|| choice.to_string(), str::to_owned));
        return look.shown(&choices.collect::<Vec<_>>().join(" | "));
    }
    spec.range.map(|(from, to)| format!("{from}{}{to}", look.mark(Mark::To))).unwrap_or_default()
}
