//! Creations whose answer tells a secret once (an access key): it is sealed before anything is recorded, and what an unknown outcome
//! left behind is deleted, because its secret is lost with its answer.
//!
//! Nothing marks such a thing as ours. So the intent notes what stands before, and only what was added since counts.

use runbook_modules::{
    error::{CallError, Class},
    resource::{Identity, Kind},
    target::Place,
};
use runbook_state::record::{EffectKey, EffectState};
use serde_json::{Value, json};

use super::{
    act::{Act, Deed},
    prepare::Asked,
    report::id_of,
    resolve::{Found, Verdict},
};
use crate::{
    error::{Halt, Stop},
    run::{scope::Scope, vault::Vault},
};

/// Whether a kind tells a secret once.
pub(super) fn is(kind: &dyn Kind) -> bool {
    matches!(kind.meta().identity, Identity::OneShot { .. })
}

/// What stands under the same natural key before the first creation is sent, for the intent.
pub(super) fn noted(act: &Act<'_>, kind: &'static dyn Kind, place: &Place, asked: &Asked) -> Result<Value, Halt> {
    let looking = Deed {
        key: EffectKey { step: act.scope.key.clone(), ordinal: 0, generation: 0 },
        token: String::new(),
        input: asked.input.clone(),
        place: place.clone(),
        tags: asked.tags.clone(),
        prior: None,
        first_ms: act.now_ms(),
        since_ms: act.now_ms(),
    };
    let standing = act.find(kind, &looking)?;
    Ok(json!({ "stood": standing.iter().map(id_of).collect::<Vec<_>>() }))
}

/// Of what was found, what was not there before and belongs to no other effect of the run.
pub(super) fn added(scope: &Scope, kind: &dyn Kind, deed: &Deed, mut found: Vec<Value>) -> Vec<Value> {
    if !is(kind) {
        return found;
    }
    let stood = deed.prior.as_ref().and_then(|prior| prior.get("stood")).and_then(Value::as_array);
    let effects = scope.session.history.effects();
    let owned = |id: &str| {
        let mut rows = effects.iter().filter(|effect| effect.state != EffectState::Undone && effect.key != deed.key);
        rows.any(|effect| effect.owned.as_ref().is_some_and(|owned| owned.kind == kind.meta().name && owned.id == id))
    };
    found.retain(|described| {
        let id = id_of(described);
        !owned(&id) && stood.is_none_or(|stood| !stood.iter().any(|before| before == id.as_str()))
    });
    found
}

/// Deletes what was made and whose secret is lost; then nothing stands. Deleting again is harmless, so nothing is recorded.
pub(super) fn lost(act: &Act<'_>, kind: &'static dyn Kind, deed: &Deed, found: &Found) -> Result<Verdict, Halt> {
    let id = id_of(&found.described);
    let Some(at) = kind.locate(&deed.input, &found.described) else {
        return Err(Stop::Unresolved(Box::new(act.unresolved("RB0415", format!("{id} cannot be located")))).into());
    };
    act.scope.session.still_ours()?;
    act.patiently(&deed.place, || match act.send_delete(kind, &deed.place, &at, None) {
        Err(error) if error.class != Class::NotFound => Err(error),
        _ => Ok(Value::Null),
    })?;
    Ok(Verdict::Absent(format!("{id} was made and its secret lost with the answer; it was deleted")))
}

/// The description with its secret sealed in the vault and a placeholder in its place.
///
/// # Errors
/// An unknown outcome when it cannot be kept: what was made is of no use.
pub(super) fn sealed(vault: &Vault, kind: &dyn Kind, token: &str, mut described: Value) -> Result<Value, CallError> {
    let Identity::OneShot { secret } = kind.meta().identity else { return Ok(described) };
    if let Some(value) = described.get(secret).and_then(Value::as_str) {
        let name = format!("{}/{}", kind.meta().name, token.get(..16).unwrap_or(token));
        let placeholder = vault.insert(&name, value).map_err(|error| {
            let text = format!("the secret of the answer could not be kept: {error}");
            CallError::new(Class::Unknown, "NotSealed", text)
        })?;
        described[secret] = Value::from(placeholder);
    }
    Ok(described)
}
