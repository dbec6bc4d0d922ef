//! Where an answer holds values that must not be kept as they stand: in the `Secret`s of a cluster ([`crate::k8s::secret`]), and in the
//! `SecureString`s of Systems Manager's Parameter Store.

use serde_json::Value;

use crate::k8s::{self, types::text};

/// Begins the names of values that came from a cluster.
pub const CLUSTER: &str = "cluster/";

/// Begins the names of values that came from Parameter Store.
const PARAMETER: &str = "parameter/";

/// Calls `with` for each such value in an answer, however deep it stands: with a name that tells where from, and the value's place. What
/// stands there need not be a text.
///
/// # Errors
/// The first of `with`.
pub fn values<E>(answer: &mut Value, with: &mut dyn FnMut(&str, &mut Value) -> Result<(), E>) -> Result<(), E> {
    match answer {
        Value::Array(list) => list.iter_mut().try_for_each(|item| values(item, with)),
        Value::Object(_) if k8s::secret::is(answer) => {
            k8s::secret::values(answer, &mut |name, value| with(&format!("{CLUSTER}{name}"), value))
        }
        Value::Object(_) if is_secure_string(answer) => {
            let name = format!("{PARAMETER}{}", text(answer, "name").trim_start_matches('/'));
            with(&name, &mut answer["value"])
        }
        Value::Object(fields) => fields.values_mut().try_for_each(|item| values(item, with)),
        _ => Ok(()),
    }
}

/// A parameter as GetParameter describes it. Not every endpoint tells the ARN.
fn is_secure_string(answer: &Value) -> bool {
    text(answer, "type") == "SecureString" && answer.get("value").is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

    fn met(answer: &mut Value) -> Vec<String> {
        let mut met = Vec::new();
        values(answer, &mut |name, value| {
            met.push(name.to_owned());
            *value = Value::Null;
            Ok::<(), ()>(())
        })
        .unwrap();
        met
    }

    #[test]
    fn of_a_cluster_only_values_of_secrets_are_met() {
        let secret = |data: Value| {
            let annotations = json!({LAST_APPLIED: "{…}", "other": "stays"});
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "n", "name": "s", "annotations": annotations}, "data": data})
        };
        let mut answer = json!([
            {"done": true, "object": secret(json!({"a": "YQ=="}))},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "b"}},
            {"apiVersion": "example.com/v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"a": "b"}},
        ]);
        assert_eq!(met(&mut answer), ["cluster/n/s/a", "cluster/n/s/last applied"]);
        assert_eq!(answer[0]["object"]["data"], json!({"a": null}));
        assert_eq!(answer[0]["object"]["metadata"]["annotations"]["other"], "stays");
        assert_eq!((&answer[1]["data"]["a"], &answer[2]["data"]["a"]), (&json!("b"), &json!("b")));
    }

    #[test]
    fn of_parameters_only_secure_strings_are_met() {
        let parameter = |kind: &str| {
            let arn = "arn:aws:ssm:us-east-1:123456789012:parameter/prod/db";
            json!({"name": "/prod/db", "type": kind, "value": "v", "arn": arn})
        };
        let mut answer = json!({"parameters": [parameter("SecureString"), parameter("String")]});
        assert_eq!(met(&mut answer), ["parameter/prod/db"]);
        assert_eq!((&answer["parameters"][0]["value"], &answer["parameters"][1]["value"]), (&json!(null), &json!("v")));
        let mut bare = json!({"type": "SecureString", "value": "v"});
        assert_eq!(met(&mut bare), ["parameter/"], "however little is told of it");
    }
}
