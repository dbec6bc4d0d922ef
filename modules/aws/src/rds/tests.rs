//! What the sandbox's RDS answers and refuses.

use runbook_modules::{
    error::Class,
    resource::{Health, Kind},
};
use serde_json::{Value, json};

use super::{db_instance, guarded::snapshot};
use crate::testing::{Lab, code, text};

struct Site {
    lab: Lab,
    group: String,
}

fn site() -> Site {
    let lab = Lab::new();
    let (vpc, subnets) = lab.network(&["us-east-1a", "us-east-1b"]);
    let input = json!({ "group_name": "db", "description": "databases", "vpc_id": vpc });
    let group = text(&lab.make("ec2.create_security_group", input), "id");
    let input =
        json!({ "db_subnet_group_name": "s", "db_subnet_group_description": "databases", "subnet_ids": subnets });
    lab.make("rds.create_db_subnet_group", input);
    Site { lab, group }
}

impl Site {
    fn instance(&self, more: Value) -> Value {
        let mut input = json!({
            "db_instance_identifier": "orders", "db_instance_class": "db.t4g.medium", "engine": "postgres", "engine_version": "16",
            "allocated_storage": 20, "master_username": "app", "master_user_password": "placeholder",
            "db_subnet_group_name": "s", "vpc_security_group_ids": [self.group], "skip_final_snapshot": true,
        });
        for (field, value) in more.as_object().into_iter().flatten() {
            input[field] = value.clone();
        }
        input
    }

    fn interfaces(&self) -> usize {
        let all = self.lab.call("ec2.describe_network_interfaces", json!({})).unwrap();
        all["network_interfaces"].as_array().map_or(0, Vec::len)
    }

    /// Deletes an instance as undo does: by what the inventory keeps.
    fn undo(
        &self, kind: &str, row: &dyn Kind, input: &Value, made: &Value,
    ) -> Result<(), runbook_modules::error::CallError> {
        self.lab.delete(kind, row.locate(input, made).unwrap())
    }
}

#[test]
fn an_instance_has_an_endpoint_and_no_password() {
    let site = site();
    let made = site.lab.make("rds.create_db_instance", site.instance(json!({ "multi_az": true })));
    assert_eq!((&made["db_instance_status"], &made["engine_version"]), (&json!("available"), &json!("16.10")));
    assert!(text(&made, "endpoint.address").starts_with("orders.c"), "{made}");
    assert!(made.get("master_user_password").is_none() && made.get("skip_final_snapshot").is_none(), "{made}");
    assert_eq!(site.interfaces(), 2, "one in each of two zones");
    let found = site.lab.call("rds.describe_db_instances", json!({ "db_instance_identifier": "orders" })).unwrap();
    assert_eq!(found["db_instances"][0]["arn"], "arn:aws:rds:us-east-1:123456789012:db:orders");
}

#[test]
fn names_are_keys() {
    let site = site();
    let input = site.instance(json!({}));
    site.lab.make("rds.create_db_instance", input.clone());
    let error = site.lab.call("rds.create_db_instance", input.clone()).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::AlreadyExists, "DBInstanceAlreadyExists"));
    assert_eq!(site.lab.find("rds.db_instance", &"f".repeat(64), input).len(), 1);
}

#[test]
fn what_rds_refuses_is_refused() {
    let site = site();
    let refused = |more: Value| code(site.lab.call("rds.create_db_instance", site.instance(more)));
    assert_eq!(refused(json!({ "engine_version": "16.99" })), "InvalidParameterCombination");
    assert_eq!(refused(json!({ "db_subnet_group_name": "x" })), "DBSubnetGroupNotFoundFault");
    assert_eq!(refused(json!({ "vpc_security_group_ids": ["sg-x"] })), "InvalidParameterValue");
    assert_eq!(refused(json!({ "master_username": "admin" })), "InvalidParameterValue");
    assert_eq!(refused(json!({ "master_user_password": "a-short" })), "InvalidParameterValue");
    assert_eq!(refused(json!({ "max_allocated_storage": 20 })), "InvalidParameterCombination");
    assert_eq!(refused(json!({ "engine": "aurora-postgresql" })), "InvalidParameterCombination");
    let group =
        json!({ "db_parameter_group_name": "p", "db_parameter_group_family": "postgres17", "description": "p" });
    site.lab.make("rds.create_db_parameter_group", group);
    assert_eq!(refused(json!({ "db_parameter_group_name": "p" })), "InvalidParameterCombination");
    let (_, subnets) = Lab::new().network(&["us-east-1a", "us-east-1b"]);
    let one = json!({ "db_subnet_group_name": "t", "db_subnet_group_description": "t", "subnet_ids": [subnets[0]] });
    assert_eq!(code(site.lab.call("rds.create_db_subnet_group", one)), "DBSubnetGroupDoesNotCoverEnoughAZs");
}

#[test]
fn an_input_is_checked_before_anything_is_sent() {
    let site = site();
    let wrong = |more: Value| db_instance::KIND.check(&site.instance(more)).unwrap_err().path;
    assert_eq!(wrong(json!({ "db_instance_identifier": "Orders" })), "db_instance_identifier");
    assert_eq!(wrong(json!({ "multi_az": true, "availability_zone": "us-east-1a" })), "availability_zone");
    assert_eq!(wrong(json!({ "monitoring_interval": 30 })), "monitoring_role_arn");
    assert_eq!(wrong(json!({ "manage_master_user_password": true })), "master_user_password");
    assert_eq!(wrong(json!({ "db_cluster_identifier": "c" })), "allocated_storage");
    assert_eq!(wrong(json!({ "final_db_snapshot_identifier": "last" })), "final_db_snapshot_identifier");
}

#[test]
fn a_protected_instance_is_left_and_said_why_until_that_is_lifted() {
    let site = site();
    let input = site.instance(json!({ "deletion_protection": true }));
    let made = site.lab.make("rds.create_db_instance", input.clone());
    let at = db_instance::KIND.locate(&input, &made).unwrap();
    assert_eq!(at, json!({ "db_instance_identifier": "orders", "skip_final_snapshot": true }));
    let error = site.lab.delete("rds.db_instance", at.clone()).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Refused, "InvalidParameterCombination"));
    let held = site.lab.obstacles("rds.db_instance", &at);
    assert!(held.len() == 1 && held[0].contains("--also rds:db:orders"), "{held:?}");
    let lift = json!({ "db_instance_identifier": "orders", "deletion_protection": false, "apply_immediately": true });
    assert_eq!(site.lab.call("rds.modify_db_instance", lift).unwrap()["deletion_protection"], false);
    site.undo("rds.db_instance", &db_instance::KIND, &input, &made).unwrap();
    assert_eq!((site.lab.read("rds.db_instance", at), site.interfaces()), (None, 0));
}

#[test]
fn a_persons_word_lifts_the_protection_after_a_last_snapshot() {
    let site = site();
    site.lab.make("rds.create_db_instance", site.instance(json!({ "deletion_protection": true })));
    let said = json!({ "db_instance_identifier": "orders", "lift_deletion_protection": true });
    assert!(site.lab.read("rds.db_instance", said.clone()).is_some());
    site.lab.delete("rds.db_instance", said.clone()).unwrap();
    assert_eq!(site.lab.read("rds.db_instance", said), None);
}

#[test]
fn undo_lifts_the_protection_when_the_script_allows_it() {
    let site = site();
    let input = site.instance(json!({ "deletion_protection": true, "lift_deletion_protection": true }));
    let made = site.lab.make("rds.create_db_instance", input.clone());
    site.undo("rds.db_instance", &db_instance::KIND, &input, &made).unwrap();
    assert_eq!(site.interfaces(), 0);
}

#[test]
fn a_last_snapshot_has_a_name_of_its_own_each_time() {
    let site = site();
    let input = site.instance(json!({ "skip_final_snapshot": false, "final_db_snapshot_identifier": "last" }));
    for refused in [false, true] {
        let made = site.lab.make("rds.create_db_instance", input.clone());
        let end = site.undo("rds.db_instance", &db_instance::KIND, &input, &made);
        assert_eq!(end.err().map(|error| error.code), refused.then(|| "DBSnapshotAlreadyExists".to_owned()));
    }
    let named = |resource: &str| snapshot(&json!({}), "orders", resource);
    assert_eq!(named("db-ABCDEFGHIJKL"), Some("orders-final-abcdefgh".to_owned()));
    assert_ne!(named("db-ABCDEFGHIJKL"), named("db-MNOPQRSTUVWX"));
    assert_eq!(snapshot(&json!({ "skip_final_snapshot": true }), "orders", "db-A"), None);
}

#[test]
fn a_subnet_group_in_use_is_not_deleted() {
    let site = site();
    site.lab.make("rds.create_db_instance", site.instance(json!({})));
    let error = site.lab.delete("rds.db_subnet_group", json!({ "db_subnet_group_name": "s" })).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Blocked, "InvalidDBSubnetGroupStateFault"));
}

#[test]
fn an_aurora_cluster_goes_after_its_instances() {
    let site = site();
    let group = json!({ "db_cluster_parameter_group_name": "p", "db_parameter_group_family": "aurora-postgresql16", "description": "p" });
    site.lab.make("rds.create_db_cluster_parameter_group", group);
    let setting =
        json!({ "parameter_name": "rds.force_ssl", "parameter_value": "1", "apply_method": "pending-reboot" });
    let set = json!({ "db_cluster_parameter_group_name": "p", "parameters": [setting] });
    site.lab.call("rds.modify_db_cluster_parameter_group", set).unwrap();
    let cluster = json!({
        "db_cluster_identifier": "notes", "engine": "aurora-postgresql", "engine_version": "16", "database_name": "notes",
        "master_username": "app", "master_user_password": "placeholder", "db_subnet_group_name": "s",
        "vpc_security_group_ids": [site.group], "db_cluster_parameter_group_name": "p", "storage_encrypted": true,
        "skip_final_snapshot": true,
    });
    let made = site.lab.make("rds.create_db_cluster", cluster.clone());
    assert!(text(&made, "reader_endpoint").starts_with("notes.cluster-ro-"), "{made}");
    for name in ["notes-1", "notes-2"] {
        let member = json!({
            "db_instance_identifier": name, "db_instance_class": "db.t4g.medium", "engine": "aurora-postgresql",
            "db_cluster_identifier": "notes",
        });
        assert_eq!(site.lab.make("rds.create_db_instance", member)["storage_encrypted"], true);
    }
    let found = site.lab.call("rds.describe_db_clusters", json!({ "db_cluster_identifier": "notes" })).unwrap();
    let members = &found["db_clusters"][0]["db_cluster_members"];
    assert_eq!((&members[0]["is_cluster_writer"], &members[1]["is_cluster_writer"]), (&json!(true), &json!(false)));

    let at = super::db_cluster::KIND.locate(&cluster, &made).unwrap();
    let error = site.lab.delete("rds.db_cluster", at.clone()).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Blocked, "InvalidDBClusterStateFault"));
    for name in ["notes-1", "notes-2"] {
        site.lab.delete("rds.db_instance", json!({ "db_instance_identifier": name })).unwrap();
    }
    site.lab.delete("rds.db_cluster", at).unwrap();
    assert_eq!(site.interfaces(), 0);
}

#[test]
fn a_proxy_reaches_its_instance() {
    let site = site();
    site.lab.make("rds.create_db_instance", site.instance(json!({})));
    let subnets = site.lab.call("ec2.describe_subnets", json!({})).unwrap();
    let subnets: Vec<&Value> = subnets["subnets"].as_array().unwrap().iter().map(|subnet| &subnet["id"]).collect();
    let proxy = json!({
        "db_proxy_name": "orders", "engine_family": "POSTGRESQL", "role_arn": site.lab.role("proxy"), "vpc_subnet_ids": subnets,
        "auth": [{ "auth_scheme": "SECRETS", "secret_arn": "arn:s", "iam_auth": "DISABLED" }], "require_tls": true,
    });
    let targets = json!({ "db_proxy_name": "orders", "db_instance_identifiers": ["orders"] });
    assert_eq!(code(site.lab.call("rds.register_db_proxy_targets", targets.clone())), "DBProxyNotFoundFault");
    site.lab.make("rds.create_db_proxy", proxy);
    let at_once = site.lab.call("rds.register_db_proxy_targets", targets.clone()).unwrap();
    assert_eq!(at_once["state"], "REGISTERING");
    site.lab.settle("rds.register_db_proxy_targets", &targets, &at_once);
    let found = site.lab.call("rds.describe_db_proxy_targets", json!({ "db_proxy_name": "orders" })).unwrap();
    assert_eq!(found["targets"][0]["target_health"]["state"], "AVAILABLE");
    site.lab.delete("rds.db_proxy", json!({ "db_proxy_name": "orders" })).unwrap();
    assert_eq!(site.lab.read("rds.db_proxy_targets", json!({ "db_proxy_name": "orders" })), None);
}

#[test]
fn what_failed_before_its_first_use_goes_without_snapshot_and_protection() {
    let site = site();
    let lab = site.lab.failing();
    let input = site.instance(json!({ "deletion_protection": true, "skip_final_snapshot": false }));
    let made = lab.call("rds.create_db_instance", input.clone()).unwrap();
    let failed = lab.settle("rds.create_db_instance", &input, &made);
    let Health::Failed(why) = db_instance::KIND.judge(&failed) else { panic!("{failed}") };
    assert!(why.starts_with("incompatible-network: The DB instance is in"), "{why}");
    let at = db_instance::KIND.locate(&input, &made).unwrap();
    assert_eq!(lab.obstacles("rds.db_instance", &at), [""; 0]);
    lab.delete("rds.db_instance", at).unwrap();
    assert!(!lab.everything().iter().any(|kind| kind == "rds.db_snapshot"), "{:?}", lab.everything());
}

#[test]
fn parents_of_the_same_name_are_told_apart_by_their_kind() {
    let site = site();
    let parents = site.lab.parents("rds.db_instance", &site.instance(json!({ "db_cluster_identifier": "s" })));
    assert_eq!(parents, ["rds.db_cluster s", "rds.db_subnet_group s", site.group.as_str()]);
}

#[test]
fn states_are_judged_as_rds_means_them() {
    let judged = |status: &str| db_instance::KIND.judge(&json!({ "db_instance_status": status }));
    assert_eq!((judged("backing-up"), judged("available")), (Health::Ready, Health::Ready));
    assert_eq!(
        judged("configuring-enhanced-monitoring"),
        Health::Pending("configuring-enhanced-monitoring".to_owned())
    );
    assert_eq!(judged("incompatible-network"), Health::Failed("incompatible-network".to_owned()));
    let told = json!({ "db_instance_status": "incompatible-network", "status_reason": "no subnet left" });
    assert_eq!(db_instance::KIND.judge(&told), Health::Failed("incompatible-network: no subnet left".to_owned()));
    assert_eq!(judged("deleting"), Health::Deleting("deleting".to_owned()));
}

#[test]
fn versions_are_listed_by_engine_and_major_version() {
    let lab = Lab::new();
    let query = json!({ "engine": "postgres", "engine_version": "16" });
    let found = lab.call("rds.describe_db_engine_versions", query).unwrap();
    let versions = found["db_engine_versions"].as_array().unwrap();
    assert!(versions.iter().all(|version| version["db_parameter_group_family"] == "postgres16"), "{versions:?}");
    assert_eq!(versions.last().unwrap()["engine_version"], "16.10", "the newest is the last");
    let none = lab.call("rds.describe_db_engine_versions", json!({ "engine": "postgres", "engine_version": "9.6" }));
    assert_eq!(none.unwrap(), json!({ "db_engine_versions": [] }));
}
