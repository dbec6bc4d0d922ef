//! Where a `Secret` holds its values. Base64 hides nothing: what stands there must not be kept as it stands.

use serde_json::Value;

use super::types::text;

/// What `kubectl apply` leaves behind holds the whole object once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Whether an answer, or a part of one, is a `Secret`.
pub fn is(answer: &Value) -> bool {
    text(answer, "kind") == "Secret" && text(answer, "apiVersion") == "v1"
}

/// Calls `with` for each value of a `Secret`: with a name that tells which, and the value's place. What stands there need not be a text.
///
/// # Errors
/// The first of `with`.
pub fn values<E>(object: &mut Value, with: &mut dyn FnMut(&str, &mut Value) -> Result<(), E>) -> Result<(), E> {
    let namespace = Some(text(object, "metadata.namespace")).filter(|namespace| !namespace.is_empty());
    let name = format!("{}/{}", namespace.unwrap_or("default"), text(object, "metadata.name"));
    for field in ["data", "stringData"] {
        if let Some(Value::Object(values)) = object.get_mut(field) {
            for (key, value) in values {
                with(&format!("{name}/{key}"), value)?;
            }
        }
    }
    match object.pointer_mut("/metadata/annotations").and_then(|all| all.get_mut(LAST_APPLIED)) {
        Some(value) => with(&format!("{name}/last applied"), value),
        None => Ok(()),
    }
}
