//! Drift: every owned resource is read again and compared with what was asked for. Nothing is changed.

use std::sync::Arc;

use runbook_modules::{resource::Health, target::Place};
use serde_json::Value;

use super::standing;
use crate::{
    effect::Act,
    error::Halt,
    run::{scope::Scope, session::Session},
};

/// A resource that is not as it was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// The step that made it.
    pub step: String,
    /// Kind.
    pub kind: String,
    /// Id.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// How it differs.
    pub difference: Difference,
}

/// How a resource differs.
#[derive(Debug, Clone, PartialEq)]
pub enum Difference {
    /// It does not exist any more.
    Gone,
    /// A field has another value than was asked for.
    Field {
        /// Which, dotted.
        field: String,
        /// What was asked for.
        asked: Value,
        /// What it is.
        found: Value,
    },
    /// It is not usable; the reason.
    NotReady(String),
    /// It could not be read; the reason.
    Unreadable(String),
}

/// Reads everything that the run owns again.
///
/// # Errors
/// A stop. What cannot be read is a drift of its own.
pub fn verify(session: &Arc<Session>) -> Result<Vec<Drift>, Halt> {
    let mut drifts = Vec::new();
    for effect in standing(session) {
        let Some(owned) = &effect.owned else { continue };
        let mut add = |difference: Difference| {
            drifts.push(Drift {
                step: effect.key.step.clone(),
                kind: owned.kind.clone(),
                id: owned.id.clone(),
                name: owned.name.clone(),
                difference,
            });
        };
        let Some(kind) = session.table.kind(&owned.kind) else {
            add(Difference::Unreadable(format!("this program knows no kind {}", owned.kind)));
            continue;
        };
        let scope = Scope::undoing(session, &effect.key.step);
        let act = Act::new(&scope, &owned.kind, kind.meta().operations.0, &owned.name, &effect.site);
        let place: Place = serde_json::from_value(owned.place.clone()).unwrap_or_default();
        match look(session, &act, kind, &place, &owned.locator) {
            Ok(None) => add(Difference::Gone),
            Ok(Some(described)) => {
                let asked = session.vault.as_answered(&owned.input);
                for (field, asked, found) in kind.differences(&asked, &described) {
                    add(Difference::Field { field, asked, found });
                }
                match kind.judge(&described) {
                    Health::Ready => {}
                    Health::Pending(why) | Health::Failed(why) | Health::Deleting(why) => {
                        add(Difference::NotReady(why))
                    }
                }
            }
            Err(Halt::Failure(failure)) => add(Difference::Unreadable(failure.message)),
            Err(stop) => return Err(stop),
        }
    }
    Ok(drifts)
}

fn look(
    session: &Session, act: &Act<'_>, kind: &'static dyn runbook_modules::resource::Kind, place: &Place, at: &Value,
) -> Result<Option<Value>, Halt> {
    match &place.cluster {
        Some(cluster) if super::row::cluster_gone(session, act, cluster)? => Ok(None),
        _ => act.read(kind, place, at),
    }
}
