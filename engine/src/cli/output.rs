//! `runbook output RUN [NAME]`

use clap::Args;
use runbook_state::record::Record;
use serde_json::{Map, Value, json};

use super::{context::Context, error::Problem, exit::Exit, state_dir};
use crate::{
    run::vault::Vault,
    ui::{
        finale,
        text::{measure, quoted},
    },
};

/// Print a run's outputs; a secret only with --reveal.
#[derive(Debug, Args)]
pub struct Output {
    /// Run: a unique prefix of its id, or latest.
    pub run: String,
    /// Only this one, bare.
    pub name: Option<String>,
    /// Open sealed values.
    #[arg(long)]
    pub reveal: bool,
}

/// Prints.
///
/// # Errors
/// RB0212 for an output that the run does not have, RB0702 when a secret cannot be opened.
pub fn run(context: &Context, args: &Output) -> Result<Exit, Problem> {
    let store = context.existing()?;
    let run = context.find(&store, &args.run)?;
    let short = context.short(store.as_ref(), &run.id);
    let mut outputs = Map::new();
    for entry in store.journal(&run.id)? {
        if let Record::Output { name, value } = entry.record {
            outputs.insert(name, value);
        }
    }
    if let Some(name) = &args.name {
        let Some(value) = outputs.remove(name) else {
            let nearest = runbook_modules::input::nearest(name, outputs.keys().map(String::as_str));
            let problem = Problem::usage("RB0212", format!("run {short} has no output {name}"));
            let names: Vec<&str> = outputs.keys().map(String::as_str).collect();
            let known = if nearest.is_empty() { names.join(", ") } else { nearest.join(", ") };
            return Err(if known.is_empty() { problem } else { problem.hint(format!("it has {known}")) });
        };
        outputs = Map::from_iter([(name.clone(), value)]);
    }
    let mut value = Value::Object(outputs);
    if args.reveal {
        let vault = Vault::open(&run.id, store, state_dir::key()?)
            .map_err(|error| Problem::usage("RB0702", error.to_string()))?;
        value = vault.reveal(&value).map_err(|why| Problem::usage("RB0702", why))?;
    }
    print(context, args, &short, &value);
    Ok(Exit::Ok)
}

fn print(context: &Context, args: &Output, short: &str, value: &Value) {
    let Value::Object(outputs) = value else { return };
    let look = &context.out;
    let reveal = |name: &str| format!("runbook output {short} {} --reveal{}", quoted(name), context.options());
    if context.common.json {
        let answer = json!({ "v": 1, "outputs": outputs });
        // Revealed values are what was asked for: they are not masked again.
        let answer = if args.reveal { answer } else { crate::ui::json::masked(answer) };
        context.answer(&format!("{answer}\n"));
        return;
    }
    if let (Some(name), Some(value)) = (&args.name, args.name.as_ref().and_then(|name| outputs.get(name))) {
        let text = match value {
            // What was revealed goes out byte for byte: it may be piped on.
            Value::String(text) if args.reveal => text.clone(),
            value => finale::value_text(value, &reveal(name), look),
        };
        context.answer(&(text + "\n"));
        return;
    }
    let width = outputs.keys().map(|name| measure(&look.shown(name))).max().unwrap_or(0);
    for (name, value) in outputs {
        let text = finale::value_text(value, &reveal(name), look);
        context.answer(&format!("{}  {text}\n", look.pad(&look.shown(name), width)));
    }
}
