//! An object as the API server has it, in the shape that the sandbox gives too.

use std::collections::BTreeMap;

use runbook_modules::{
    k8s::{
        object::with_identity,
        types::{self, Type, text},
    },
    target::{EFFECT_TAG, RUN_TAG, STEP_TAG},
};
use serde_json::Value;

/// The description of an object: the object itself without its `managedFields`, with `id`, `name` and `tags`.
pub fn describe(mut object: Value, kind: &Type) -> Value {
    object["apiVersion"] = kind.api_version.as_str().into();
    object["kind"] = kind.kind.as_str().into();
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.remove("managedFields");
    }
    let id =
        types::id(&kind.api_version, &kind.kind, text(&object, "metadata.namespace"), text(&object, "metadata.name"));
    let tags = tags(&object);
    with_identity(object, &id, &tags)
}

/// Whose an object is: our labels and annotations, as tags.
pub fn tags(object: &Value) -> BTreeMap<String, String> {
    let read = |place: &str, name: &str| object["metadata"][place][name].as_str().map(str::to_owned);
    let ours = [
        (RUN_TAG, read("labels", "runbook/run")),
        (EFFECT_TAG, read("labels", "runbook/effect")),
        (STEP_TAG, read("annotations", "runbook/step")),
    ];
    ours.into_iter().filter_map(|(tag, value)| Some((tag.to_owned(), value?))).collect()
}

/// Whether an object is on its way out.
pub fn is_deleting(object: &Value) -> bool {
    !text(object, "metadata.deletionTimestamp").is_empty()
}
