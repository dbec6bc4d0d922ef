//! What the sandbox's EKS answers and refuses.

use runbook_modules::error::Class;
use serde_json::{Value, json};

use crate::testing::{Lab, code, text};

struct Site {
    lab: Lab,
    vpc: String,
    subnets: Vec<String>,
    role: String,
}

fn site() -> Site {
    let lab = Lab::new();
    let (vpc, subnets) = lab.network(&["us-east-1a", "us-east-1b"]);
    let role = lab.role("control-plane");
    Site { lab, vpc, subnets, role }
}

impl Site {
    fn cluster(&self) -> Value {
        json!({ "name": "c", "role_arn": self.role, "resources_vpc_config": { "subnet_ids": self.subnets, "endpoint_private_access": true } })
    }

    fn nodes(&self) -> Value {
        let scaling = json!({ "min_size": 1, "desired_size": 2, "max_size": 3 });
        json!({ "cluster_name": "c", "nodegroup_name": "n", "node_role": self.role, "subnets": self.subnets, "scaling_config": scaling })
    }

    fn count(&self, operation: &str, field: &str) -> usize {
        let found = self.lab.call(operation, json!({ "filters": { "vpc-id": [self.vpc] } })).unwrap();
        found[field].as_array().map_or(0, Vec::len)
    }
}

#[test]
fn a_cluster_comes_with_endpoint_issuer_security_group_and_interfaces() {
    let site = site();
    let at_once = site.lab.call("eks.create_cluster", site.cluster()).unwrap();
    assert_eq!(at_once["status"], "CREATING");
    let made = site.lab.settle("eks.create_cluster", &site.cluster(), &at_once);
    assert_eq!(made["status"], "ACTIVE");
    assert_eq!((made["id"].as_str(), made["region"].as_str()), (Some("c"), Some("us-east-1")));
    assert!(text(&made, "endpoint").starts_with("https://"));
    assert!(text(&made, "identity.oidc.issuer").starts_with("https://oidc.eks.us-east-1.amazonaws.com/id/"));
    assert!(!text(&made, "certificate_authority.data").is_empty());
    assert_eq!(text(&made, "resources_vpc_config.vpc_id"), site.vpc);
    let group = text(&made, "resources_vpc_config.cluster_security_group_id");
    assert!(site.lab.read("ec2.security_group", json!({ "group_id": group })).is_some());
    assert_eq!(site.count("ec2.describe_network_interfaces", "network_interfaces"), 2);
    assert_eq!(site.lab.call("eks.list_clusters", json!({})).unwrap(), json!({ "clusters": ["c"] }));

    assert_eq!(code(site.lab.delete("ec2.subnet", json!({ "subnet_id": site.subnets[0] }))), "DependencyViolation");
    site.lab.delete("eks.cluster", json!({ "name": "c" })).unwrap();
    assert_eq!(site.count("ec2.describe_network_interfaces", "network_interfaces"), 0);
    assert_eq!(site.lab.read("ec2.security_group", json!({ "group_id": group })), None);
    assert_eq!(code(site.lab.call("eks.describe_cluster", json!({ "name": "c" }))), "ResourceNotFoundException");
}

#[test]
fn what_eks_refuses_of_a_cluster() {
    let site = site();
    let mut input = site.cluster();
    input["role_arn"] = json!("arn:aws:iam::123456789012:role/nobody");
    assert_eq!(code(site.lab.call("eks.create_cluster", input)), "InvalidParameterException");
    let mut input = site.cluster();
    input["resources_vpc_config"]["subnet_ids"] = json!([site.subnets[0]]);
    let error = site.lab.call("eks.create_cluster", input).unwrap_err();
    assert_eq!(error.message, "Subnets specified must be in at least two different AZs");
    let mut input = site.cluster();
    input["version"] = json!("1.11");
    assert_eq!(code(site.lab.call("eks.create_cluster", input)), "InvalidParameterException");

    let lab = Lab::new();
    let (_, subnets) = lab.network(&["us-east-1a", "us-east-1e"]);
    let input = json!({ "name": "c", "role_arn": lab.role("r"), "resources_vpc_config": { "subnet_ids": subnets } });
    assert_eq!(code(lab.call("eks.create_cluster", input)), "UnsupportedAvailabilityZoneException");
}

#[test]
fn the_token_gives_the_same_cluster_again_and_another_one_is_a_second() {
    let site = site();
    let token = "a".repeat(64);
    let first = site.lab.with_token(&token, "eks.create_cluster", site.cluster()).unwrap();
    let again = site.lab.with_token(&token, "eks.create_cluster", site.cluster()).unwrap();
    assert_eq!(first["arn"], again["arn"]);
    let mut other = site.cluster();
    other["version"] = json!("1.34");
    assert_eq!(site.lab.with_token(&token, "eks.create_cluster", other).unwrap_err().class, Class::TokenMismatch);
    let second = site.lab.call("eks.create_cluster", site.cluster()).unwrap_err();
    assert_eq!((second.class, second.code.as_str()), (Class::AlreadyExists, "ResourceInUseException"));
}

#[test]
fn a_cluster_with_nodes_is_not_deleted() {
    let site = site();
    let error = site.lab.call("eks.create_nodegroup", site.nodes()).unwrap_err();
    assert_eq!(error.code, "ResourceNotFoundException");
    site.lab.call("eks.create_cluster", site.cluster()).unwrap();
    assert_eq!(code(site.lab.call("eks.create_nodegroup", site.nodes())), "InvalidRequestException");
    site.lab.pass(700);
    let made = site.lab.make("eks.create_nodegroup", site.nodes());
    assert_eq!(made["status"], "ACTIVE");
    assert_eq!(site.count("ec2.describe_network_interfaces", "network_interfaces"), 4);
    let listed = site.lab.call("eks.list_nodegroups", json!({ "cluster_name": "c" })).unwrap();
    assert_eq!(listed, json!({ "nodegroups": ["n"] }));

    let error = site.lab.delete("eks.cluster", json!({ "name": "c" })).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Blocked, "ResourceInUseException"));
    site.lab.delete("eks.nodegroup", json!({ "cluster_name": "c", "nodegroup_name": "n" })).unwrap();
    site.lab.delete("eks.cluster", json!({ "name": "c" })).unwrap();
    assert_eq!(site.count("ec2.describe_network_interfaces", "network_interfaces"), 0);
}

#[test]
fn an_addon_without_nodes_is_degraded_until_they_come() {
    let site = site();
    site.lab.make("eks.create_cluster", site.cluster());
    let input = json!({ "cluster_name": "c", "addon_name": "aws-ebs-csi-driver", "resolve_conflicts": "OVERWRITE" });
    let at_once = site.lab.call("eks.create_addon", input.clone()).unwrap();
    assert_eq!(at_once["status"], "CREATING");
    site.lab.pass(60);
    let at = json!({ "cluster_name": "c", "addon_name": "aws-ebs-csi-driver" });
    assert_eq!(site.lab.call("eks.describe_addon", at.clone()).unwrap()["status"], "DEGRADED");
    site.lab.make("eks.create_nodegroup", site.nodes());
    assert_eq!(site.lab.settle("eks.create_addon", &input, &at_once)["status"], "ACTIVE");
    assert_eq!(
        site.lab.make("eks.create_addon", json!({ "cluster_name": "c", "addon_name": "vpc-cni" }))["status"],
        "ACTIVE"
    );
    assert_eq!(code(site.lab.call("eks.create_addon", at)), "ResourceInUseException");
}

#[test]
fn an_update_of_an_addon_takes_its_time_and_is_put_back() {
    let site = site();
    site.lab.make("eks.create_cluster", site.cluster());
    let newer = json!({ "cluster_name": "c", "addon_name": "vpc-cni", "addon_version": "v1.21.1-eksbuild.2" });
    assert_eq!(code(site.lab.call("eks.update_addon", newer.clone())), "ResourceNotFoundException");
    let role = site.lab.role("cni");
    let input = json!({ "cluster_name": "c", "addon_name": "vpc-cni", "service_account_role_arn": role });
    let before = site.lab.make("eks.create_addon", input);
    let token = "cd".repeat(32);
    let made = site.lab.with_token(&token, "eks.update_addon", newer.clone()).unwrap();
    assert_eq!((&made["status"], &made["update"]["type"]), (&json!("UPDATING"), &json!("AddonUpdate")));
    let again = site.lab.with_token(&token, "eks.update_addon", newer.clone()).unwrap();
    assert_eq!(again["update_id"], made["update_id"]);
    assert_eq!(code(site.lab.call("eks.update_addon", newer.clone())), "ResourceInUseException", "one at a time");
    let after = site.lab.settle("eks.update_addon", &newer, &made);
    assert_eq!((&after["addon_version"], &after["status"]), (&newer["addon_version"], &json!("ACTIVE")));
    assert_eq!(after["service_account_role_arn"], role, "what is left out stays");
    let poll = json!({ "name": "c", "addon_name": "vpc-cni", "update_id": made["update_id"] });
    assert_eq!(site.lab.call("eks.describe_update", poll).unwrap()["status"], "Successful");

    let at = site.lab.locate("eks.addon_settings", &newer, &made).unwrap();
    assert_eq!(code(site.lab.delete("eks.addon_settings", at.clone())), "ResourceNotFoundException");
    site.lab.put_back("eks.addon_settings", at.clone(), Some(&before)).unwrap();
    let now = site.lab.read("eks.addon_settings", at).unwrap();
    assert_eq!(now["addon_version"], before["addon_version"]);
    let mut unknown = newer;
    unknown["addon_version"] = json!("v9");
    assert_eq!(code(site.lab.call("eks.update_addon", unknown)), "InvalidParameterException");
    let nothing = json!({ "cluster_name": "c", "addon_name": "vpc-cni", "resolve_conflicts": "PRESERVE" });
    assert_eq!(site.lab.check("eks.update_addon", nothing).unwrap_err().path, "addon_version");
}

#[test]
fn addon_versions_have_a_default_for_each_kubernetes_version() {
    let lab = Lab::new();
    let query = json!({ "addon_name": "vpc-cni", "kubernetes_version": "1.34" });
    let found = lab.call("eks.describe_addon_versions", query).unwrap();
    let versions = found["addons"][0]["addon_versions"].as_array().unwrap();
    let default = |v: &&Value| v["compatibilities"][0]["default_version"] == true;
    assert_eq!(versions.iter().filter(default).count(), 1);
    assert_eq!(versions[0]["compatibilities"][0]["cluster_version"], "1.34");
    let none = lab.call("eks.describe_addon_versions", json!({ "addon_name": "vpc-cni", "kubernetes_version": "1.1" }));
    assert_eq!(none.unwrap(), json!({ "addons": [] }));
    let default = lab.call("eks.describe_cluster_versions", json!({ "default_only": true })).unwrap();
    assert_eq!(default["cluster_versions"].as_array().map(Vec::len), Some(1));
}

#[test]
fn the_parents_of_a_cluster_are_its_role_and_subnets() {
    let site = site();
    let parents = site.lab.parents("eks.cluster", &site.cluster());
    assert!(parents.contains(&"control-plane".to_owned()) && parents.contains(&site.subnets[1]), "{parents:?}");
}

#[test]
fn an_access_entry_lets_a_standing_role_into_a_cluster_that_knows_entries() {
    let site = site();
    let mut cluster = site.cluster();
    cluster["access_config"] = json!({ "authentication_mode": "API" });
    site.lab.make("eks.create_cluster", cluster);
    let entry = |role: &str| json!({ "cluster_name": "c", "principal_arn": role, "type": "EC2_LINUX" });
    let made = site.lab.make("eks.create_access_entry", entry(&site.lab.role("karpenter-node")));
    assert_eq!(made["kubernetes_groups"], json!(["system:nodes"]));
    let person = json!({ "cluster_name": "c", "principal_arn": site.lab.role("ops") });
    let person = site.lab.make("eks.create_access_entry", person);
    assert_eq!(person["username"], "arn:aws:sts::123456789012:assumed-role/ops/{{SessionName}}");
    let missing = site.lab.call("eks.create_access_entry", entry("arn:aws:iam::123456789012:role/x"));
    assert_eq!(code(missing), "InvalidParameterException");
    site.lab.delete("eks.cluster", json!({ "name": "c" })).unwrap();
    let at = json!({ "cluster_name": "c", "principal_arn": made["principal_arn"] });
    assert_eq!(site.lab.read("eks.access_entry", at), None, "it goes with its cluster");
}

#[test]
fn a_service_account_has_one_association() {
    let site = site();
    site.lab.make("eks.create_cluster", site.cluster());
    let input = json!({
        "cluster_name": "c", "namespace": "kube-system", "service_account": "karpenter", "role_arn": site.lab.role("karpenter"),
    });
    let made = site.lab.make("eks.create_pod_identity_association", input.clone());
    assert!(made["association_id"].as_str().is_some_and(|id| id.starts_with("a-")), "{made}");
    assert_eq!(code(site.lab.call("eks.create_pod_identity_association", input.clone())), "ResourceInUseException");
    assert_eq!(site.lab.find("eks.pod_identity_association", &"f".repeat(64), input).len(), 1);
    let at = json!({ "cluster_name": "c", "association_id": made["association_id"] });
    site.lab.delete("eks.pod_identity_association", at).unwrap();
}

#[test]
fn the_endpoint_is_closed_by_an_update_that_takes_its_time() {
    let site = site();
    site.lab.make("eks.create_cluster", site.cluster());
    let close = |public: bool| json!({ "name": "c", "resources_vpc_config": { "endpoint_public_access": public, "endpoint_private_access": true } });
    let token = "ab".repeat(32);
    let made = site.lab.with_token(&token, "eks.update_cluster_config", close(false)).unwrap();
    assert_eq!((&made["type"], &made["status"]), (&json!("EndpointAccessUpdate"), &json!("InProgress")));
    assert_eq!(site.lab.with_token(&token, "eks.update_cluster_config", close(false)).unwrap()["id"], made["id"]);
    let open = json!({ "name": "c", "resources_vpc_config": { "endpoint_public_access": true } });
    assert_eq!(code(site.lab.call("eks.update_cluster_config", open)), "ResourceInUseException", "one at a time");
    site.lab.pass(91);
    let update = json!({ "name": "c", "update_id": made["id"] });
    assert_eq!(site.lab.call("eks.describe_update", update).unwrap()["status"], "Successful");
    let cluster = site.lab.call("eks.describe_cluster", json!({ "name": "c" })).unwrap();
    assert_eq!(cluster["resources_vpc_config"]["endpoint_public_access"], false);
    assert_eq!(code(site.lab.call("eks.update_cluster_config", close(false))), "InvalidParameterException");
}

#[test]
fn a_protected_cluster_is_not_deleted() {
    let site = site();
    let mut input = site.cluster();
    input["deletion_protection"] = json!(true);
    site.lab.make("eks.create_cluster", input);
    let error = site.lab.delete("eks.cluster", json!({ "name": "c" })).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Refused, "InvalidRequestException"));
}

#[test]
fn a_cluster_that_logs_makes_its_log_group_and_makes_it_again() {
    let site = site();
    let mut input = site.cluster();
    input["logging"] = json!({ "cluster_logging": [{ "types": ["api"], "enabled": true }] });
    let group = json!({ "log_group_name": "/aws/eks/c/cluster" });
    site.lab.make("eks.create_cluster", input.clone());
    assert!(site.lab.read("logs.log_group", group.clone()).is_some());
    site.lab.delete("logs.log_group", group.clone()).unwrap();
    assert_eq!(site.lab.read("logs.log_group", group.clone()), None);
    site.lab.pass(10);
    assert!(site.lab.read("logs.log_group", group.clone()).is_some(), "the cluster still writes");
    site.lab.delete("eks.cluster", json!({ "name": "c" })).unwrap();
    site.lab.delete("logs.log_group", group.clone()).unwrap();
    site.lab.pass(10);
    assert_eq!(site.lab.read("logs.log_group", group), None);
    assert!(site.lab.parents("eks.cluster", &input).contains(&"/aws/eks/c/cluster".to_owned()));
}

#[test]
fn a_node_group_whose_security_group_is_used_fails_to_be_deleted() {
    let site = site();
    site.lab.make("eks.create_cluster", site.cluster());
    site.lab.make("eks.create_nodegroup", site.nodes());
    let at = json!({ "cluster_name": "c", "nodegroup_name": "n" });
    let held = ["eks.nodegroup|us-east-1|c/n"];
    site.lab.put_holder("ec2.network_interface", "us-east-1", "eni-1", json!({}), &held);
    for _ in 0..2 {
        site.lab.delete("eks.nodegroup", at.clone()).unwrap();
        let left = site.lab.read("eks.nodegroup", at.clone()).unwrap();
        assert_eq!(
            (&left["status"], &left["health"]["issues"][0]["resource_ids"]),
            (&json!("DELETE_FAILED"), &json!(["eni-1"]))
        );
    }
    assert_eq!(site.lab.obstacles("eks.nodegroup", &at), ["ec2.network_interface eni-1"]);
    site.lab.take_object("ec2.network_interface|us-east-1|eni-1");
    site.lab.delete("eks.nodegroup", at.clone()).unwrap();
    assert_eq!(site.lab.read("eks.nodegroup", at), None);
}
