//! Which nodes a pod may run on: labels that it selects, taints that it tolerates, and what a node group gives its nodes.

use serde_json::{Map, Value, json};

use super::super::world::{Object, World};
use crate::k8s::types::text;

/// Whether a pod selects a node and tolerates its taints.
pub fn fits(pod: &Value, node: &Value) -> bool {
    let labels = &node["metadata"]["labels"];
    let selected = pod["spec"]["nodeSelector"]
        .as_object()
        .into_iter()
        .flatten()
        .all(|(name, value)| labels.get(name) == Some(value));
    let taints = node["spec"]["taints"].as_array().into_iter().flatten();
    selected && taints.filter(|taint| text(taint, "effect") != "PreferNoSchedule").all(|taint| tolerated(pod, taint))
}

fn tolerated(pod: &Value, taint: &Value) -> bool {
    let mut tolerations = pod["spec"]["tolerations"].as_array().into_iter().flatten();
    tolerations.any(|one| {
        let same = |field: &str| text(one, field).is_empty() || text(one, field) == text(taint, field);
        let value = text(one, "operator") == "Exists" || text(one, "value") == text(taint, "value");
        same("key") && same("effect") && value
    })
}

/// The labels and taints that a node group gives its nodes, and how many pods one of them takes.
pub fn of_group(world: &World, cluster: &str, nodegroup: &str) -> (Map<String, Value>, Value, u32) {
    let is = |o: &&Object| {
        o.kind == "eks.nodegroup"
            && text(&o.body, "cluster_name") == cluster
            && text(&o.body, "nodegroup_name") == nodegroup
    };
    let body = world.everything().find(is).map(|group| group.body.clone()).unwrap_or_default();
    let labels = body["labels"].as_object().cloned().unwrap_or_default();
    let taints = body["taints"].as_array().into_iter().flatten().map(|taint| {
        let effect = match text(taint, "effect") {
            "NO_EXECUTE" => "NoExecute",
            "PREFER_NO_SCHEDULE" => "PreferNoSchedule",
            _ => "NoSchedule",
        };
        json!({"key": taint["key"], "value": taint["value"], "effect": effect})
    });
    let taints: Vec<Value> = taints.collect();
    let pods = most_pods(body["instance_types"][0].as_str().unwrap_or_default());
    (labels, if taints.is_empty() { Value::Null } else { taints.into() }, pods)
}

/// As many as the CNI has addresses for:
/// <https://github.com/awslabs/amazon-eks-ami/blob/main/nodeadm/internal/kubelet/eni-max-pods.txt>.
fn most_pods(instance_type: &str) -> u32 {
    match instance_type.split_once('.').map_or("", |(_, size)| size) {
        "nano" | "micro" => 4,
        "small" => 11,
        "medium" => 17,
        "large" => 29,
        _ => 58,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::fits;

    #[test]
    fn a_pod_runs_where_it_selects_and_tolerates() {
        let node = json!({
            "metadata": {"labels": {"workload-type": "database"}},
            "spec": {"taints": [{"key": "workload-type", "value": "database", "effect": "NoSchedule"}]},
        });
        let open = json!({"metadata": {"labels": {}}, "spec": {}});
        let pod = |selector: Value, tolerations: Value| json!({"spec": {"nodeSelector": selector, "tolerations": tolerations}});
        let database = json!({"workload-type": "database"});
        let equal = json!([{"key": "workload-type", "operator": "Equal", "value": "database", "effect": "NoSchedule"}]);
        let any = json!([{"operator": "Exists"}]);
        assert!(fits(&pod(database.clone(), equal.clone()), &node));
        assert!(fits(&pod(Value::Null, any), &node));
        assert!(!fits(&pod(database.clone(), Value::Null), &node), "it selects, and does not tolerate");
        assert!(!fits(&pod(database, equal), &open), "it tolerates, and selects another one");
        assert!(fits(&pod(Value::Null, Value::Null), &open) && !fits(&pod(Value::Null, Value::Null), &node));
    }
}
