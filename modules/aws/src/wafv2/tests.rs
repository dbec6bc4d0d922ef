//! What the sandbox's WAF answers and refuses.

use runbook_modules::error::Class;
use serde_json::{Value, json};

use crate::testing::{Lab, code};

fn set(lab: &Lab, name: &str) -> Value {
    lab.make("wafv2.create_ip_set", ip_set(name))
}

fn ip_set(name: &str) -> Value {
    json!({ "name": name, "scope": "REGIONAL", "ip_address_version": "IPV4", "addresses": [] })
}

fn seen(name: &str) -> Value {
    json!({ "sampled_requests_enabled": true, "cloud_watch_metrics_enabled": true, "metric_name": name })
}

fn acl(sets: &[&Value]) -> Value {
    let statement = |set: &&Value| json!({ "ip_set_reference_statement": { "arn": set["arn"] } });
    let either = json!({ "or_statement": { "statements": sets.iter().map(statement).collect::<Value>() } });
    let rate = json!({ "rate_based_statement": { "limit": 2000, "aggregate_key_type": "IP" } });
    json!({
        "name": "web", "scope": "REGIONAL", "default_action": { "allow": {} }, "visibility_config": seen("web"),
        "rules": [
            { "name": "rate", "priority": 5, "statement": rate, "action": { "block": {} }, "visibility_config": seen("rate") },
            { "name": "sets", "priority": 4, "statement": either, "action": { "block": {} }, "visibility_config": seen("sets") },
        ],
    })
}

const BALANCER: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/a/1";

#[test]
fn the_addresses_of_a_set_are_the_operators() {
    let lab = Lab::new();
    let made = set(&lab, "blacklist");
    let key = json!({ "id": made["id"], "name": "blacklist", "scope": "REGIONAL" });
    let mut more = key.clone();
    more["addresses"] = json!(["192.0.2.0/24"]);
    lab.call("wafv2.update_ip_set", more).unwrap();
    let now = lab.call("wafv2.get_ip_set", key).unwrap();
    assert_eq!(now["addresses"], json!(["192.0.2.0/24"]));
    assert_ne!(now["lock_token"], made["lock_token"]);
    assert_eq!(lab.drift("wafv2.ip_set", &ip_set("blacklist"), &now), Vec::<String>::new());
}

#[test]
fn a_second_set_of_the_name_is_refused_and_the_first_is_found() {
    let lab = Lab::new();
    let made = set(&lab, "s");
    let error = lab.call("wafv2.create_ip_set", ip_set("s")).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::AlreadyExists, "WAFDuplicateItemException"));
    assert_eq!(lab.find("wafv2.ip_set", &"f".repeat(64), ip_set("s"))[0]["id"], made["id"]);
}

#[test]
fn blocks_are_of_the_sets_version() {
    let lab = Lab::new();
    let with = |version: &str, address: &str| {
        let input = json!({ "name": "s", "scope": "REGIONAL", "ip_address_version": version, "addresses": [address] });
        lab.check("wafv2.create_ip_set", input).map_err(|e| e.path)
    };
    assert_eq!(with("IPV4", "192.0.2.0/24"), Ok(()));
    assert_eq!(with("IPV6", "2001:db8::/32"), Ok(()));
    assert_eq!(with("IPV4", "2001:db8::/32"), Err("addresses.0".to_owned()));
    assert_eq!(with("IPV6", "192.0.2.1"), Err("addresses.0".to_owned()));
    assert_eq!(with("IPV5", "192.0.2.0/24"), Err("ip_address_version".to_owned()));
}

#[test]
fn a_set_that_a_rule_names_outlives_the_web_acl() {
    let lab = Lab::new();
    let (one, two) = (set(&lab, "v4"), set(&lab, "v6"));
    let input = acl(&[&one, &two]);
    let made = lab.make("wafv2.create_web_acl", input.clone());
    assert_eq!(made["rules"][0]["name"], "sets", "in the order of priorities");
    assert_eq!(json!(lab.parents("wafv2.web_acl", &input)), json!([one["arn"], two["arn"]]));
    let key = |made: &Value| json!({ "id": made["id"], "name": made["name"], "scope": "REGIONAL" });
    let held = lab.delete("wafv2.ip_set", key(&one)).unwrap_err();
    assert_eq!((held.class, held.code.as_str()), (Class::Blocked, "WAFAssociatedItemException"));
    lab.delete("wafv2.web_acl", key(&made)).unwrap();
    lab.delete("wafv2.ip_set", key(&one)).unwrap();
    assert_eq!(code(lab.call("wafv2.create_web_acl", input)), "WAFNonexistentItemException");
}

#[test]
fn a_web_acl_that_protects_something_is_not_deleted() {
    let lab = Lab::new();
    let made = lab.make("wafv2.create_web_acl", acl(&[]));
    let at = json!({ "resource_arn": BALANCER });
    assert_eq!(lab.call("wafv2.get_web_acl_for_resource", at.clone()).unwrap(), json!({}));
    lab.make("wafv2.associate_web_acl", json!({ "web_acl_arn": made["arn"], "resource_arn": BALANCER }));
    let found = lab.call("wafv2.get_web_acl_for_resource", at.clone()).unwrap();
    assert_eq!(found["web_acl"]["arn"], made["arn"]);
    let key = json!({ "id": made["id"], "name": "web", "scope": "REGIONAL" });
    let held = lab.delete("wafv2.web_acl", key.clone()).unwrap_err();
    assert_eq!((held.class, held.code.as_str()), (Class::Blocked, "WAFAssociatedItemException"));
    lab.delete("wafv2.web_acl_association", at).unwrap();
    lab.delete("wafv2.web_acl", key).unwrap();
    let gone = json!({ "web_acl_arn": made["arn"], "resource_arn": BALANCER });
    assert_eq!(code(lab.call("wafv2.associate_web_acl", gone)), "WAFNonexistentItemException");
}

#[test]
fn logs_go_to_a_group_of_the_fitting_name() {
    let lab = Lab::new();
    let made = lab.make("wafv2.create_web_acl", acl(&[]));
    let to = |group: &str| {
        let place = format!("arn:aws:logs:us-east-1:123456789012:log-group:{group}");
        json!({ "logging_configuration": { "resource_arn": made["arn"], "log_destination_configs": [place] } })
    };
    for wrong in ["web-logs", "aws-waf-logs-web:*"] {
        let error = lab.check("wafv2.put_logging_configuration", to(wrong)).unwrap_err();
        assert_eq!(error.path, "logging_configuration.log_destination_configs");
    }
    lab.make("wafv2.put_logging_configuration", to("aws-waf-logs-web"));
    let at = json!({ "resource_arn": made["arn"] });
    assert!(lab.read("wafv2.logging_configuration", at.clone()).is_some());
    lab.delete("wafv2.logging_configuration", at.clone()).unwrap();
    assert_eq!(lab.read("wafv2.logging_configuration", at), None);
}

#[test]
fn rules_are_checked_before_anything_is_sent() {
    let lab = Lab::new();
    let wrong = |change: fn(&mut Value)| {
        let mut input = acl(&[]);
        change(&mut input);
        lab.check("wafv2.create_web_acl", input).unwrap_err().path
    };
    assert_eq!(wrong(|acl| acl["rules"][1]["priority"] = 5.into()), "rules.1.priority");
    assert_eq!(wrong(|acl| acl["rules"][1]["name"] = "rate".into()), "rules.1.name");
    assert_eq!(wrong(|acl| acl["rules"][0]["action"] = Value::Null), "rules.0.action");
    assert_eq!(wrong(|acl| acl["scope"] = "GLOBAL".into()), "scope");
    let group =
        json!({ "managed_rule_group_statement": { "vendor_name": "AWS", "name": "AWSManagedRulesCommonRuleSet" } });
    let lab = Lab::new();
    let mut input = acl(&[]);
    input["rules"][0]["statement"] = group;
    assert_eq!(lab.check("wafv2.create_web_acl", input).unwrap_err().path, "rules.0.override_action");
}
