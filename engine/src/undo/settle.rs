//! Before anything is deleted: intents whose outcome is not known. What they made is found and becomes a row; what they did not is
//! retired. One whose operation this program does not know (another build began the run) is left, and named.

use std::sync::Arc;

use runbook_modules::table::Binding;
use runbook_state::record::EffectState;

use super::{Left, Options, UndoReport, select::within};
use crate::{
    effect::{Act, resolve},
    error::{Halt, Stop},
    run::{scope::Scope, session::Session},
};

/// Settles all of them, one after the other: most share one settle time.
pub(super) fn settle(session: &Arc<Session>, options: &Options, report: &mut UndoReport) -> Result<(), Halt> {
    for effect in session.history.effects() {
        let open = matches!(effect.state, EffectState::Intent | EffectState::Unknown);
        let chosen = options.step.as_deref().is_none_or(|step| within(&effect.key.step, step));
        if !open || !chosen {
            continue;
        }
        let (tags, input) = (effect.tags.value(), effect.input.value());
        let name = tags.get("Name").or_else(|| input.get("name"));
        let name = name.and_then(serde_json::Value::as_str).unwrap_or_default();
        let left = |kind: &str, why: String| Left {
            step: effect.key.step.clone(),
            kind: kind.to_owned(),
            id: String::new(),
            name: name.to_owned(),
            why,
            blockers: Vec::new(),
            cost: None,
        };
        let kind = match session.table.binding(&effect.op) {
            Some(Binding::Create(kind)) => kind,
            Some(_) => continue,
            None => {
                let why = format!("it may stand: this program knows no operation {}", effect.op);
                report.left.push(left(&effect.op, why));
                continue;
            }
        };
        let scope = Scope::undoing(session, &effect.key.step);
        let act = Act::new(&scope, &effect.op, kind.meta().operations.0, name, &effect.site);
        match resolve::settle(&act, kind, &effect) {
            Ok(()) => {}
            Err(Halt::Failure(failure) | Halt::Stop(Stop::Unresolved(failure))) => {
                report.left.push(left(kind.meta().name, format!("{}: {}", failure.message, failure.cause)));
            }
            Err(stop) => return Err(stop),
        }
    }
    Ok(())
}
