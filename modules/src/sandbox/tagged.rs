//! What stands in the sandbox's world with ownership tags on it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::world::{Object, World};
use crate::{
    table::Table,
    target::{EFFECT_TAG, Listing, Marked, Place, RUN_TAG, STEP_TAG},
};

/// Everything that carries them, at a time. The kinds tell which of them cannot.
pub fn tagged(world: &World, kinds: Option<&Table>, now_ms: i64) -> Listing {
    let kind = |object: &Object| kinds.and_then(|kinds| kinds.kind(&object.kind));
    let taggable = |object: &&Object| kind(object).is_none_or(|kind| kind.sim().taggable());
    let found = world.all(now_ms).filter(taggable).filter_map(marked).collect();
    Listing { found, unseen: Vec::new(), lags: false }
}

fn marked(object: &Object) -> Option<Marked> {
    let tags = own(object);
    let text = |name: &str| tags.get(name).cloned().unwrap_or_default();
    let run = text(RUN_TAG);
    if run.is_empty() || object.kind.starts_with("rehearsal.") {
        return None;
    }
    // Where it is: a cluster for what stands in one.
    let in_cluster = ["k8s.", "helm."].iter().any(|service| object.kind.starts_with(service));
    let place = if in_cluster {
        Place { cluster: Some(object.place.clone()), ..Place::default() }
    } else {
        Place { region: object.place.clone(), ..Place::default() }
    };
    let name = tags.get("Name").cloned().or_else(|| Some(object.body.get("name")?.as_str()?.to_owned()));
    Some(Marked {
        kind: object.kind.clone(),
        id: object.id.clone(),
        name: name.unwrap_or_default(),
        place,
        run,
        step: text(STEP_TAG),
        effect: text(EFFECT_TAG),
    })
}

/// Its tags; of a Kubernetes object its labels and annotations, which is what an API server would give.
fn own(object: &Object) -> BTreeMap<String, String> {
    let Some(metadata) = object.body.get("metadata") else { return object.tags.clone() };
    let texts = |place: &str| metadata.get(place).and_then(Value::as_object).into_iter().flatten();
    let ours =
        |name: &str| name.strip_prefix("runbook/").map_or_else(|| name.to_owned(), |rest| format!("runbook:{rest}"));
    let all = texts("labels").chain(texts("annotations"));
    all.filter_map(|(name, value)| Some((ours(name), value.as_str()?.to_owned()))).collect()
}
