//! The shape of the requests to WAF, on the real SDK client.

use runbook_modules::{error::Class, resource::Kind};
use serde_json::{Value, json};

use crate::{
    live::testing::{Answer, Wire, json_answer, sent, tag_json, tags},
    wafv2::{call, driver, ip_set, web_acl},
};

const SET: &str = "arn:aws:wafv2:us-east-1:123456789012:regional/ipset/blacklist/i1";
const ACL: &str = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/web/a1";
const BALANCER: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/a/1";

fn tag_list(arn: &str) -> Answer {
    let list: Value = tags().iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    json_answer(200, json!({ "TagInfoForResource": { "ResourceARN": arn, "TagList": list } }))
}

fn summary(id: &str, name: &str, arn: &str) -> Answer {
    json_answer(200, json!({ "Summary": { "Id": id, "Name": name, "ARN": arn, "LockToken": "t1" } }))
}

fn set(addresses: &[&str]) -> Answer {
    let set =
        json!({ "Id": "i1", "Name": "blacklist", "ARN": SET, "IPAddressVersion": "IPV4", "Addresses": addresses });
    json_answer(200, json!({ "IPSet": set, "LockToken": "t2" }))
}

fn ip_set_input() -> Value {
    json!({ "name": "blacklist", "scope": "REGIONAL", "ip_address_version": "IPV4", "addresses": [] })
}

fn missing() -> Answer {
    json_answer(400, json!({ "__type": "WAFNonexistentItemException", "Message": "none" }))
}

fn seen(name: &str) -> Value {
    json!({ "sampled_requests_enabled": true, "cloud_watch_metrics_enabled": true, "metric_name": name })
}

fn acl_input() -> Value {
    let decode = json!([{ "priority": 0, "type": "URL_DECODE" }]);
    let fields = [
        json!({ "query_string": {} }),
        json!({ "uri_path": {} }),
        json!({ "body": { "oversize_handling": "CONTINUE" } }),
        json!({ "single_header": { "name": "authorization" } }),
        json!({ "cookies": { "match_scope": "ALL", "oversize_handling": "CONTINUE" } }),
    ];
    let sqli: Value = fields
        .iter()
        .map(|field| json!({ "sqli_match_statement": { "field_to_match": field, "text_transformations": decode } }))
        .collect();
    let xss = json!({ "xss_match_statement": { "field_to_match": fields[0], "text_transformations": decode } });
    let size = json!({ "size_constraint_statement": {
        "field_to_match": fields[2], "comparison_operator": "LE", "size": 8192, "text_transformations": decode,
    } });
    let over = json!({ "name": "NoUserAgent_HEADER", "action_to_use": { "count": {} } });
    let common = json!({ "managed_rule_group_statement": {
        "vendor_name": "AWS", "name": "AWSManagedRulesCommonRuleSet", "rule_action_overrides": [over],
    } });
    let not = json!({ "not_statement": { "statement": { "ip_set_reference_statement": { "arn": SET } } } });
    let rule = |name: &str, priority: i32, statement: Value, action: &str| json!({ "name": name, "priority": priority, "statement": statement, "action": { action: {} }, "visibility_config": seen(name) });
    json!({
        "name": "web", "scope": "REGIONAL", "default_action": { "allow": {} }, "visibility_config": seen("web"),
        "rules": [
            rule("size", 1, size, "count"),
            { "name": "common", "priority": 2, "statement": common, "override_action": { "none": {} }, "visibility_config": seen("common") },
            rule("rate", 5, json!({ "rate_based_statement": { "limit": 2000, "aggregate_key_type": "IP", "evaluation_window_sec": 300 } }), "block"),
            rule("not", 6, json!({ "and_statement": { "statements": [not, xss] } }), "allow"),
            rule("sqli", 9, json!({ "or_statement": { "statements": sqli } }), "block"),
        ],
    })
}

#[tokio::test]
async fn an_ip_set_is_made_read_and_deleted_with_a_fresh_lock_token() {
    let done = json_answer(200, json!({}));
    let wire = Wire::answering([
        summary("i1", "blacklist", SET),
        set(&["192.0.2.0/24"]),
        tag_list(SET),
        set(&["192.0.2.0/24"]),
        tag_list(SET),
        done,
    ]);
    let (input, tags) = (ip_set_input(), tags());
    let kind = driver("wafv2.ip_set").unwrap();
    let made = kind.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    let at = ip_set::KIND.locate(&input, &made).unwrap();
    assert_eq!(at, json!({ "id": "i1", "name": "blacklist", "scope": "REGIONAL" }));
    let read = kind.read(&wire.clients, &at).await.unwrap().unwrap();
    assert_eq!(read["tags"], tag_json());
    assert_eq!(ip_set::KIND.differences(&input, &read), [], "addresses are the operators'");
    kind.delete(&wire.clients, &at, None).await.unwrap();
    let seen = wire.seen();
    assert_eq!(seen[0].target, "AWSWAF_20190729.CreateIPSet");
    assert!(seen[0].json()["Tags"].as_array().unwrap().iter().any(|tag| tag["Key"] == "runbook:effect"));
    assert_eq!(seen[5].target, "AWSWAF_20190729.DeleteIPSet");
    assert_eq!(seen[5].json()["LockToken"], "t2");
}

#[tokio::test]
async fn an_ip_set_is_found_by_its_name_in_the_pages() {
    let page = |name: &str, next: &str| {
        json_answer(200, json!({ "IPSets": [{ "Name": name, "Id": "i1" }], "NextMarker": next }))
    };
    let wire = Wire::answering([page("other", "m"), page("blacklist", ""), set(&[]), tag_list(SET), page("other", "")]);
    let (input, tags) = (ip_set_input(), tags());
    let kind = driver("wafv2.ip_set").unwrap();
    assert_eq!(kind.find(&wire.clients, &sent(&input, &tags)).await.unwrap()[0]["arn"], SET);
    assert_eq!(kind.find(&wire.clients, &sent(&input, &tags)).await.unwrap(), Vec::<Value>::new());
    assert_eq!(wire.seen()[1].json()["NextMarker"], "m");
}

#[tokio::test]
async fn an_update_reads_the_lock_token_first() {
    let wire = Wire::answering([set(&[]), tag_list(SET), json_answer(200, json!({}))]);
    let input = json!({ "id": "i1", "name": "blacklist", "scope": "REGIONAL", "addresses": ["192.0.2.0/24"] });
    let tags = tags();
    call("wafv2.update_ip_set").unwrap().call(&wire.clients, &sent(&input, &tags)).await.unwrap();
    let body = wire.seen()[2].json();
    assert_eq!((&body["LockToken"], &body["Addresses"]), (&json!("t2"), &json!(["192.0.2.0/24"])));
}

#[tokio::test]
async fn every_statement_goes_out_and_comes_back_as_it_was_asked_for() {
    let wire = Wire::answering([summary("a1", "web", ACL)]);
    let (input, tags) = (acl_input(), tags());
    let kind = driver("wafv2.web_acl").unwrap();
    let made = kind.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!(web_acl::KIND.differences(&input, &made), []);
    let mut acl = wire.seen()[0].json();
    assert_eq!(acl["Rules"][4]["Statement"]["OrStatement"]["Statements"].as_array().unwrap().len(), 5);
    assert_eq!(acl["Rules"][1]["OverrideAction"], json!({ "None": {} }));
    assert_eq!(acl["Rules"][2]["Statement"]["RateBasedStatement"]["Limit"], 2000);

    // WAF answers the rules in the very form of the request.
    acl["Id"] = "a1".into();
    acl["ARN"] = ACL.into();
    let wire = Wire::answering([json_answer(200, json!({ "WebACL": acl, "LockToken": "t3" })), tag_list(ACL)]);
    let at = web_acl::KIND.locate(&input, &made).unwrap();
    let read = kind.read(&wire.clients, &at).await.unwrap().unwrap();
    assert_eq!(web_acl::KIND.differences(&input, &read), []);
    assert_eq!(read["lock_token"], "t3");
}

#[tokio::test]
async fn what_is_associated_holds_a_web_acl() {
    let acl = json!({ "WebACL": { "Id": "a1", "Name": "web", "ARN": ACL, "Capacity": 1 }, "LockToken": "t" });
    let wire = Wire::answering([
        json_answer(200, acl.clone()),
        tag_list(ACL),
        json_answer(400, json!({ "__type": "WAFAssociatedItemException", "Message": "in use" })),
        json_answer(200, acl),
        tag_list(ACL),
        json_answer(200, json!({ "ResourceArns": [BALANCER] })),
    ]);
    let at = json!({ "id": "a1", "name": "web", "scope": "REGIONAL" });
    let kind = driver("wafv2.web_acl").unwrap();
    let held = kind.delete(&wire.clients, &at, None).await.unwrap_err();
    assert_eq!((held.class, held.code.as_str()), (Class::Blocked, "WAFAssociatedItemException"));
    assert_eq!(kind.obstacles(&wire.clients, &at).await, [BALANCER]);
}

#[tokio::test]
async fn an_association_is_made_read_and_put_back() {
    let done = || json_answer(200, json!({}));
    let acl = json!({ "WebACL": { "Id": "a1", "Name": "web", "ARN": ACL, "Capacity": 1 } });
    let wire = Wire::answering([done(), json_answer(200, acl), done(), done(), json_answer(200, json!({}))]);
    let (input, tags) = (json!({ "web_acl_arn": ACL, "resource_arn": BALANCER }), tags());
    let kind = driver("wafv2.web_acl_association").unwrap();
    kind.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    let at = json!({ "resource_arn": BALANCER });
    assert_eq!(kind.read(&wire.clients, &at).await.unwrap().unwrap()["web_acl_arn"], ACL);
    kind.delete(&wire.clients, &at, Some(&json!({ "web_acl_arn": "other" }))).await.unwrap();
    kind.delete(&wire.clients, &at, None).await.unwrap();
    let got = call("wafv2.get_web_acl_for_resource").unwrap().call(&wire.clients, &sent(&at, &tags)).await.unwrap();
    assert_eq!(got, json!({}));
    let seen = wire.seen();
    assert_eq!(seen[2].json(), json!({ "WebACLArn": "other", "ResourceArn": BALANCER }));
    assert_eq!(seen[3].target, "AWSWAF_20190729.DisassociateWebACL");
}

#[tokio::test]
async fn logging_is_put_read_and_gone() {
    let place = "arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-web";
    let asked = json!({ "ResourceArn": ACL, "LogDestinationConfigs": [place] });
    let answer = || json_answer(200, json!({ "LoggingConfiguration": asked.clone() }));
    let wire = Wire::answering([answer(), answer(), missing()]);
    let inside = json!({ "resource_arn": ACL, "log_destination_configs": [place] });
    let (input, tags) = (json!({ "logging_configuration": inside }), tags());
    let kind = driver("wafv2.logging_configuration").unwrap();
    kind.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!(kind.find(&wire.clients, &sent(&input, &tags)).await.unwrap()[0]["logging_configuration"], inside);
    assert_eq!(kind.read(&wire.clients, &json!({ "resource_arn": ACL })).await.unwrap(), None);
    assert_eq!(wire.seen()[0].json()["LoggingConfiguration"], asked);
}
