//! Where an answer of a cluster holds the values of a `Secret`. Base64 hides nothing: what stands there must not be kept as it stands.

use serde_json::Value;

use super::types::text;

/// What `kubectl apply` leaves behind holds the whole object once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Calls `with` for each value of each `Secret` in an answer, however deep it stands: with a name that tells which, and the value's
/// place. What stands there need not be a text.
///
/// # Errors
/// The first of `with`.
pub fn values<E>(answer: &mut Value, with: &mut dyn FnMut(&str, &mut Value) -> Result<(), E>) -> Result<(), E> {
    match answer {
        Value::Array(list) => list.iter_mut().try_for_each(|item| values(item, with)),
        Value::Object(_) if text(answer, "kind") == "Secret" && text(answer, "apiVersion") == "v1" => one(answer, with),
        Value::Object(fields) => fields.values_mut().try_for_each(|item| values(item, with)),
        _ => Ok(()),
    }
}

fn one<E>(object: &mut Value, with: &mut dyn FnMut(&str, &mut Value) -> Result<(), E>) -> Result<(), E> {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_values_of_secrets_are_met() {
        let secret = |data: Value| {
            let annotations = json!({LAST_APPLIED: "{…}", "other": "stays"});
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "n", "name": "s", "annotations": annotations}, "data": data})
        };
        let mut answer = json!([
            {"done": true, "object": secret(json!({"a": "YQ=="}))},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "b"}},
            {"apiVersion": "example.com/v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"a": "b"}},
        ]);
        let mut met = Vec::new();
        values(&mut answer, &mut |name, value| {
            met.push(name.to_owned());
            *value = Value::Null;
            Ok::<(), ()>(())
        })
        .unwrap();
        assert_eq!(met, ["n/s/a", "n/s/last applied"]);
        assert_eq!(answer[0]["object"]["data"], json!({"a": null}));
        assert_eq!(answer[0]["object"]["metadata"]["annotations"]["other"], "stays");
        assert_eq!((&answer[1]["data"]["a"], &answer[2]["data"]["a"]), (&json!("b"), &json!("b")));
    }
}
