//! `runbook world`

use clap::Args;
use runbook_modules::target::RUN_TAG;
use serde_json::{Value, json};

use super::{context::Context, error::Problem, exit::Exit};
use crate::{targets, ui::table::Table};

/// Show what stands on the sandbox, whoever made it. With --json: ids replaced by names, so that two worlds can be compared.
#[derive(Debug, Args)]
pub struct World {}

/// Shows.
///
/// # Errors
/// RB0606 when the world cannot be read.
pub fn run(context: &Context, _: &World) -> Result<Exit, Problem> {
    let world = targets::stored_world(&context.state_dir()?)?;
    if context.common.json {
        let calls = world.as_ref().map(|world| world.state.calls()).unwrap_or_default();
        let objects = world.as_ref().map_or_else(|| json!([]), |world| world.snapshot.clone());
        context.answer_json(json!({ "v": 1, "objects": objects, "calls": calls }));
        return Ok(Exit::Ok);
    }
    let look = &context.out;
    let mut table = Table::new(&["KIND", "ID", "PLACE", "STATE", "RUN"]);
    let mut rows = 0;
    if let Some(world) = &world {
        let now = world.state.clock;
        for object in world.state.all(now).filter(|object| !object.kind.starts_with("rehearsal.")) {
            rows += 1;
            let label = object.body.pointer("/metadata/labels").and_then(|labels| labels.get("runbook/run"));
            let run =
                object.tags.get(RUN_TAG).map(String::as_str).or(label.and_then(Value::as_str)).unwrap_or_default();
            table.row(vec![
                look.shown(&object.kind),
                look.shown(&object.id),
                look.shown(&object.place),
                look.shown(object.state(now)),
                look.shown(run.get(..4).unwrap_or(run)),
            ]);
        }
    }
    if rows == 0 {
        context.say("nothing stands on the sandbox\n");
    } else {
        context.answer(&table.draw(look, context.wide()));
    }
    Ok(Exit::Ok)
}
