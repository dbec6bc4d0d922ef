//! The Auto Scaling groups of the sandbox's node groups.

use serde_json::{Value, json};

use crate::testing::Lab;

fn groups(lab: &Lab, input: Value) -> Vec<Value> {
    let found = lab.call("autoscaling.describe_auto_scaling_groups", input).unwrap();
    found["auto_scaling_groups"].as_array().unwrap().clone()
}

/// A cluster `c` with a node group in three subnets of two zones: its description.
fn nodes(lab: &Lab) -> Value {
    let (_, subnets) = lab.network(&["us-east-1a", "us-east-1b", "us-east-1a"]);
    let role = lab.role("control-plane");
    let network = json!({ "subnet_ids": subnets });
    lab.make("eks.create_cluster", json!({ "name": "c", "role_arn": role, "resources_vpc_config": network }));
    let input = json!({
        "cluster_name": "c", "nodegroup_name": "n", "node_role": role, "subnets": subnets,
        "instance_types": ["t3.large"], "scaling_config": { "min_size": 1, "desired_size": 3, "max_size": 5 },
    });
    let made = lab.call("eks.create_nodegroup", input.clone()).unwrap();
    let before = groups(lab, json!({}));
    assert_eq!(before[0]["instances"][0]["lifecycle_state"], "Pending");
    lab.settle("eks.create_nodegroup", &input, &made)
}

#[test]
fn a_node_group_has_its_group() {
    let lab = Lab::new();
    assert_eq!(groups(&lab, json!({})), [] as [Value; 0]);
    let nodegroup = nodes(&lab);
    let name = &nodegroup["resources"]["auto_scaling_groups"][0]["name"];
    let found = groups(&lab, json!({ "auto_scaling_group_names": [name] }));
    let group = &found[0];
    let unique = name.as_str().unwrap().strip_prefix("eks-n-").unwrap();
    let lengths: Vec<usize> = unique.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12], "{unique}");
    assert!(nodegroup["arn"].as_str().unwrap().ends_with(&format!("/n/{unique}")), "{nodegroup}");
    assert_eq!((&group["min_size"], &group["desired_capacity"], &group["max_size"]), (&json!(1), &json!(3), &json!(5)));
    assert_eq!(group["availability_zones"], json!(["us-east-1a", "us-east-1b"]));
    let instances = group["instances"].as_array().unwrap();
    let zones: Vec<_> = instances.iter().map(|instance| instance["availability_zone"].as_str().unwrap()).collect();
    assert_eq!(zones, ["us-east-1a", "us-east-1b", "us-east-1a"]);
    assert!(instances.iter().all(|one| one["lifecycle_state"] == "InService" && one["instance_type"] == "t3.large"));
    assert_ne!(instances[0]["instance_id"], instances[2]["instance_id"]);
    let tags = json!({
        "eks:cluster-name": "c", "eks:nodegroup-name": "n", "k8s.io/cluster-autoscaler/enabled": "true",
        "k8s.io/cluster-autoscaler/c": "owned", "kubernetes.io/cluster/c": "owned",
    });
    assert_eq!(group["tags"], tags);
    lab.delete("eks.nodegroup", json!({ "cluster_name": "c", "nodegroup_name": "n" })).unwrap();
    assert_eq!(groups(&lab, json!({})), [] as [Value; 0]);
}

#[test]
fn groups_are_found_by_name_and_tag() {
    let lab = Lab::new();
    nodes(&lab);
    let count = |input: Value| groups(&lab, input).len();
    assert_eq!(count(json!({ "auto_scaling_group_names": [] })), 1);
    assert_eq!(count(json!({ "auto_scaling_group_names": ["other"] })), 0);
    for (filters, expected) in [
        (json!({ "tag:eks:cluster-name": "c" }), 1),
        (json!({ "tag:eks:cluster-name": ["b", "c"], "tag:eks:nodegroup-name": "n" }), 1),
        (json!({ "tag:eks:cluster-name": "c", "tag:eks:nodegroup-name": "m" }), 0),
        (json!({ "tag:eks:cluster-name": "*" }), 0),
        (json!({ "tag-key": "k8s.io/cluster-autoscaler/c" }), 1),
        (json!({ "tag-value": "owned" }), 1),
        (json!({ "tag-value": "c", "tag-key": "none" }), 0),
    ] {
        assert_eq!(count(json!({ "filters": filters })), expected, "{filters}");
    }
    let wrong = json!({ "filters": { "vpc-id": "vpc-1" } });
    let error = lab.check("autoscaling.describe_auto_scaling_groups", wrong).unwrap_err();
    assert_eq!(error.path, "filters.vpc-id");
}
