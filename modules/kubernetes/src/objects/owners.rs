//! Which fields of an object a manager owns, and what they become when it gives them up.
//!
//! Source: <https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>: `metadata.managedFields`, where `f:name`
//! is a field, `k:{…}` an item of a list by its keys, `v:…` an item by its value, and `.` the thing itself.

use serde_json::{Map, Value};

/// What an object becomes when the fields that a manager applied are put back to what they were in `before`. Fields of `before` that
/// are missing now, because the manager took them away, are put back too; everything else stays.
pub fn put_back(there: &Value, before: &Value, manager: &str) -> Value {
    let mut wanted = there.clone();
    let entries = there["metadata"]["managedFields"].as_array().into_iter().flatten();
    for entry in entries.filter(|entry| entry["manager"] == manager && entry["operation"] == "Apply") {
        restore(&mut wanted, Some(before), &entry["fieldsV1"]);
    }
    complete(&mut wanted, before);
    wanted
}

fn restore(into: &mut Value, before: Option<&Value>, owned: &Value) {
    let Some(owned) = owned.as_object() else { return };
    for (key, below) in owned {
        let Some((how, rest)) = key.split_once(':') else { continue };
        match (how, &mut *into) {
            ("f", Value::Object(fields)) => restore_field(fields, rest, before, below),
            ("k", Value::Array(items)) => restore_item(items, rest, before, below),
            ("v", Value::Array(items)) => {
                let value: Value = serde_json::from_str(rest).unwrap_or_default();
                if !before.and_then(Value::as_array).is_some_and(|list| list.contains(&value)) {
                    items.retain(|item| *item != value);
                }
            }
            _ => {}
        }
    }
}

fn restore_field(fields: &mut Map<String, Value>, name: &str, before: Option<&Value>, below: &Value) {
    let was = before.and_then(|before| before.get(name));
    let whole = below.as_object().is_none_or(Map::is_empty);
    match (fields.get_mut(name), was) {
        (Some(now), was) if !whole => {
            restore(now, was, below);
            if was.is_none() && is_empty(now) {
                fields.remove(name);
            }
        }
        (_, Some(was)) => {
            fields.insert(name.to_owned(), was.clone());
        }
        (_, None) => {
            fields.remove(name);
        }
    }
}

fn restore_item(items: &mut Vec<Value>, keys: &str, before: Option<&Value>, below: &Value) {
    let Ok(Value::Object(keys)) = serde_json::from_str(keys) else { return };
    let is_it = |item: &Value| keys.iter().all(|(key, value)| item.get(key) == Some(value));
    let was = before.and_then(Value::as_array).and_then(|list| list.iter().find(|item| is_it(item)));
    match (items.iter().position(is_it), was) {
        (Some(at), Some(was)) => restore(&mut items[at], Some(was), below),
        (Some(at), None) => {
            items.remove(at);
        }
        (None, Some(was)) => items.push(was.clone()),
        (None, None) => {}
    }
}

/// What stood before and is missing now.
fn complete(into: &mut Value, before: &Value) {
    let (Value::Object(into), Value::Object(before)) = (into, before) else { return };
    for (name, was) in before {
        match into.get_mut(name) {
            Some(now) => complete(now, was),
            None => {
                into.insert(name.clone(), was.clone());
            }
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::put_back;

    fn applied(mut object: Value, fields: Value) -> Value {
        object["metadata"]["managedFields"] = json!([{"manager": "runbook", "operation": "Apply", "fieldsV1": fields}, {"manager": "kubectl", "operation": "Update"}]);
        object
    }

    #[test]
    fn fields_that_were_set_are_put_back_and_others_stay() {
        let before = json!({"metadata": {"name": "c"}, "data": {"ours": "old", "gone": "x"}});
        let there = applied(
            json!({"metadata": {"name": "c", "labels": {"runbook/run": "r", "theirs": "1"}}, "data": {"ours": "new", "made": "m", "later": "l"}}),
            json!({"f:metadata": {"f:labels": {"f:runbook/run": {}}}, "f:data": {"f:ours": {}, "f:made": {}}}),
        );
        let back = put_back(&there, &before, "runbook");
        assert_eq!(back["data"], json!({"ours": "old", "later": "l", "gone": "x"}));
        assert_eq!(back["metadata"]["labels"], json!({"theirs": "1"}));
    }

    #[test]
    fn items_of_lists_are_found_by_their_keys() {
        let before = json!({"spec": {"ports": [{"port": 80, "protocol": "TCP", "targetPort": 1}]}, "metadata": {"finalizers": ["a"]}});
        let there = applied(
            json!({
                "spec": {"ports": [{"port": 80, "protocol": "TCP", "targetPort": 2}, {"port": 90, "protocol": "TCP"}]},
                "metadata": {"finalizers": ["a", "b"]},
            }),
            json!({
                "f:spec": {"f:ports": {
                    "k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}, "f:targetPort": {}},
                    "k:{\"port\":90,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}},
                }},
                "f:metadata": {"f:finalizers": {"v:\"b\"": {}}},
            }),
        );
        let back = put_back(&there, &before, "runbook");
        assert_eq!(back["spec"], before["spec"]);
        assert_eq!(back["metadata"]["finalizers"], json!(["a"]));
    }

    #[test]
    fn a_map_that_only_we_made_goes() {
        let there = applied(
            json!({"metadata": {"name": "c", "labels": {"a": "b"}}}),
            json!({"f:metadata": {"f:labels": {".": {}, "f:a": {}}}}),
        );
        assert_eq!(put_back(&there, &json!({"metadata": {"name": "c"}}), "runbook")["metadata"].get("labels"), None);
    }
}
