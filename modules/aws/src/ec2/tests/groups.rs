//! Security groups and their rules.

use runbook_modules::resource::Kind;
use serde_json::{Value, json};

use super::Bench;
use crate::ec2::{
    network_interface::NETWORK_INTERFACE,
    security_group::{self, SECURITY_GROUP},
    security_group_rules::{EGRESS, INGRESS},
};

fn group(bench: &mut Bench, vpc: &str, name: &str) -> Value {
    bench.make(&SECURITY_GROUP, json!({ "vpc_id": vpc, "group_name": name, "description": "test" }))
}

fn admitted(bench: &mut Bench, group: &Value) -> Value {
    let listed = bench.call(&security_group::DESCRIBE, json!({ "group_ids": [group["id"]] })).expect("listed");
    listed["security_groups"][0]["ip_permissions"].clone()
}

#[test]
fn names_are_unique_in_a_vpc_and_the_default_group_stays() {
    let mut bench = Bench::new();
    let vpc = bench.vpc("10.5.0.0/16");
    let web = group(&mut bench, &vpc, "web");
    assert_eq!(web["name"], "web");
    let again = json!({ "vpc_id": vpc, "group_name": "web", "description": "other" });
    assert_eq!(bench.refused(&SECURITY_GROUP, again), "InvalidGroup.Duplicate");
    let own = bench.call(&security_group::DESCRIBE, json!({ "filters": { "group-name": "default" } })).expect("listed");
    assert_eq!(bench.delete(&SECURITY_GROUP, &own["security_groups"][0]), Err("CannotDelete".to_owned()));
    assert_eq!(bench.delete(&SECURITY_GROUP, &web), Ok(()));
}

#[test]
fn a_call_adds_what_is_missing_and_its_undo_takes_exactly_that_away() {
    let mut bench = Bench::new();
    let vpc = bench.vpc("10.5.0.0/16");
    let web = group(&mut bench, &vpc, "web");
    let first = json!({ "group_id": web["id"], "ip_permissions": [
        { "ip_protocol": "-1", "ip_ranges": [{ "cidr_ip": "10.5.0.0/16" }], "user_id_group_pairs": [{ "group_id": web["id"] }] },
    ] });
    let first = bench.make(&INGRESS, first);
    assert_eq!(first["security_group_rule_ids"].as_array().map(Vec::len), Some(2));
    let before = admitted(&mut bench, &web);

    let more = json!({ "group_id": web["id"], "ip_permissions": [
        { "ip_protocol": "-1", "cidr_blocks": ["10.5.0.0/16", "10.6.0.0/16"] },
        { "ip_protocol": "tcp", "from_port": 6379, "to_port": 6379, "cidr_ip": "10.7.0.0/16", "description": "redis" },
    ] });
    let second = bench.make(&INGRESS, more.clone());
    assert_eq!(second["security_group_rule_ids"].as_array().map(Vec::len), Some(2), "10.5.0.0/16 stood already");
    let nothing = bench.make(&INGRESS, more);
    assert_eq!(nothing["security_group_rule_ids"], json!([]));
    assert_eq!(bench.delete(&INGRESS, &nothing), Ok(()));
    assert_eq!(bench.delete(&INGRESS, &second), Ok(()));
    assert_eq!(admitted(&mut bench, &web), before);
    assert_eq!(bench.delete(&INGRESS, &first), Ok(()));
    assert_eq!(admitted(&mut bench, &web), json!([]));
}

#[test]
fn a_rule_that_somebody_took_away_is_drift_and_more_rules_are_none() {
    let input = json!({ "group_id": "sg-1", "ip_permissions": [{ "ip_protocol": "-1", "cidr_blocks": ["10.5.0.0/16", "10.6.0.0/16"] }] });
    let rule = |block: &str| json!({ "ip_protocol": "-1", "from_port": -1, "to_port": -1, "cidr_ipv4": block });
    let all = json!({ "security_group_rules": [rule("10.5.0.0/16"), rule("10.6.0.0/16"), rule("10.9.0.0/16")] });
    assert_eq!(INGRESS.differences(&input, &all), Vec::new());
    let less = json!({ "security_group_rules": [rule("10.5.0.0/16")] });
    assert_eq!(
        INGRESS.differences(&input, &less),
        vec![("ip_permissions".to_owned(), rule("10.6.0.0/16"), Value::Null)]
    );
}

#[test]
fn a_group_that_is_named_or_used_elsewhere_stays() {
    let mut bench = Bench::new();
    let vpc = bench.vpc("10.5.0.0/16");
    let subnet = bench.subnet(&vpc, "10.5.1.0/24");
    let (web, data) = (group(&mut bench, &vpc, "web"), group(&mut bench, &vpc, "data"));
    let from = |id: &Value| json!({ "group_id": data["id"], "ip_permissions": [{ "ip_protocol": "tcp", "from_port": 1, "to_port": 2, "source_group": id }] });
    let rule = bench.make(&INGRESS, from(&web["id"]));
    assert_eq!(bench.refused(&INGRESS, from(&json!("sg-0"))), "InvalidGroup.NotFound");
    let eni = bench.make(&NETWORK_INTERFACE, json!({ "subnet_id": subnet, "groups": [data["id"]] }));
    assert_eq!(bench.delete(&SECURITY_GROUP, &web), Err("DependencyViolation".to_owned()));
    assert_eq!(bench.delete(&SECURITY_GROUP, &data), Err("DependencyViolation".to_owned()));
    assert_eq!(bench.delete(&INGRESS, &rule), Ok(()));
    assert_eq!(bench.delete(&SECURITY_GROUP, &web), Ok(()));
    assert_eq!(bench.delete(&NETWORK_INTERFACE, &eni), Ok(()));
    assert_eq!(bench.delete(&SECURITY_GROUP, &data), Ok(()));
}

#[test]
fn egress_has_rules_of_its_own() {
    let mut bench = Bench::new();
    let vpc = bench.vpc("10.5.0.0/16");
    let web = group(&mut bench, &vpc, "web");
    let everything =
        json!({ "group_id": web["id"], "ip_permissions": [{ "ip_protocol": "-1", "cidr_ip": "0.0.0.0/0" }] });
    let made = bench.make(&EGRESS, everything.clone());
    assert_eq!(made["security_group_rule_ids"], json!([]), "AWS gives every group this rule");
    let made = bench.make(&INGRESS, everything);
    assert_eq!(made["security_group_rule_ids"].as_array().map(Vec::len), Some(1));
}
