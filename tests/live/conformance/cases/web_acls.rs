//! WAF: IP sets, web ACLs, what they protect and where they log.

use serde_json::{Value, json};

use super::load_balancers::balancer;
use crate::conformance::{
    case::{Case, Other, Seen, holds, is, list, text},
    lab::Lab,
};

fn set(lab: &Lab) -> Value {
    json!({
        "name": lab.name("office"), "scope": "REGIONAL", "ip_address_version": "IPV4", "addresses": ["192.0.2.0/24"],
    })
}

fn seen(name: &str) -> Value {
    json!({ "sampled_requests_enabled": true, "cloud_watch_metrics_enabled": true, "metric_name": name })
}

fn acl(lab: &Lab, rules: Value) -> Value {
    json!({
        "name": lab.name("web"), "scope": "REGIONAL", "default_action": { "allow": {} }, "rules": rules,
        "visibility_config": seen("web"),
    })
}

/// A rule that refuses the addresses of a set.
fn blocking(set: &Value) -> Value {
    json!([{
        "name": "block", "priority": 1, "action": { "block": {} }, "visibility_config": seen("block"),
        "statement": { "ip_set_reference_statement": { "arn": set } },
    }])
}

/// The locator of an IP set or a web ACL.
fn at(made: &Value) -> Value {
    json!({ "id": made["id"], "name": made["name"], "scope": "REGIONAL" })
}

fn nowhere(lab: &Lab) -> Value {
    json!({ "id": "01234567-89ab-cdef-0123-456789abcdef", "name": lab.name("none"), "scope": "REGIONAL" })
}

/// A web ACL without rules.
fn empty(lab: &Lab) -> Result<Value, Other> {
    lab.make("wafv2.create_web_acl", acl(lab, json!([])))
}

/// A web ACL before a load balancer: both.
fn associated(lab: &Lab) -> Result<(Value, Value), Other> {
    let (acl, balancer) = (empty(lab)?, balancer(lab)?["load_balancer_arn"].clone());
    lab.make("wafv2.associate_web_acl", json!({ "web_acl_arn": acl["arn"], "resource_arn": balancer }))?;
    Ok((acl, balancer))
}

fn of(lab: &Lab, balancer: &Value) -> Result<Value, Other> {
    lab.call("wafv2.get_web_acl_for_resource", json!({ "resource_arn": balancer })).ok()
}

/// A web ACL that logs into a new log group: the input.
fn logging(lab: &Lab) -> Result<Value, Other> {
    let group = json!({ "log_group_name": lab.name("aws-waf-logs-web") });
    let group = lab.make("logs.create_log_group", group)?["arn"].clone();
    let configuration = json!({ "resource_arn": empty(lab)?["arn"], "log_destination_configs": [group] });
    Ok(json!({ "logging_configuration": configuration }))
}

/// A call about what does not exist.
fn missing(lab: &Lab, function: &str, input: Value) -> Seen {
    lab.refused(function, input, &["WAFNonexistentItemException"])
}

const NO_ACL: &str = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/none/01234567-89ab-cdef-0123-456789abcdef";
const NO_SET: &str = "arn:aws:wafv2:us-east-1:123456789012:regional/ipset/none/01234567-89ab-cdef-0123-456789abcdef";

pub const CASES: &[Case] = &[
    Case {
        name: "an IP set is described as it was made",
        aws: "an ARN with scope, name and id; its addresses, a lock token, the tags",
        page: "wafv2/CreateIPSet",
        run: |lab| {
            let made = lab.make("wafv2.create_ip_set", set(lab))?;
            let end = format!(":regional/ipset/{}/{}", lab.name("office"), text(&made, "id"));
            holds(text(&made, "arn").ends_with(&end), "another ARN")?;
            lab.tagged(&made)?;
            let found = lab.call("wafv2.get_ip_set", at(&made)).ok()?;
            is(&found, "addresses", json!(["192.0.2.0/24"]))?;
            holds(!text(&found, "lock_token").is_empty(), "no lock token")
        },
    },
    Case {
        name: "a second IP set of the same name",
        aws: "`WAFDuplicateItemException`",
        page: "wafv2/CreateIPSet",
        run: |lab| lab.refused_again("wafv2.create_ip_set", set(lab), &["WAFDuplicateItemException"]),
    },
    Case {
        name: "the addresses of an IP set are changed",
        aws: "the new ones replace all of them; the lock token is another one",
        page: "wafv2/UpdateIPSet",
        run: |lab| {
            let made = lab.make("wafv2.create_ip_set", set(lab))?;
            let mut input = at(&made);
            input["addresses"] = json!(["198.51.100.0/24", "203.0.113.7/32"]);
            lab.call("wafv2.update_ip_set", input).ok()?;
            let found = lab.call("wafv2.get_ip_set", at(&made)).ok()?;
            let mut has: Vec<&str> = list(&found, "addresses").iter().filter_map(Value::as_str).collect();
            has.sort_unstable();
            holds(has == ["198.51.100.0/24", "203.0.113.7/32"], "other addresses")?;
            holds(found["lock_token"] != made["lock_token"], "the same lock token")
        },
    },
    Case {
        name: "an IP set that does not exist",
        aws: "`WAFNonexistentItemException`",
        page: "wafv2/GetIPSet",
        run: |lab| missing(lab, "wafv2.get_ip_set", nowhere(lab)),
    },
    Case {
        name: "an IP set that does not exist is changed",
        aws: "`WAFNonexistentItemException`",
        page: "wafv2/UpdateIPSet",
        run: |lab| {
            let mut input = nowhere(lab);
            input["addresses"] = json!([]);
            missing(lab, "wafv2.update_ip_set", input)
        },
    },
    Case {
        name: "an IP set is deleted twice",
        aws: "`WAFNonexistentItemException`",
        page: "wafv2/DeleteIPSet",
        run: |lab| {
            let made = lab.make("wafv2.create_ip_set", set(lab))?;
            lab.deleted_twice("wafv2.ip_set", at(&made), &["WAFNonexistentItemException"])
        },
    },
    Case {
        name: "an IP set that a web ACL names is deleted",
        aws: "`WAFAssociatedItemException`",
        page: "wafv2/DeleteIPSet",
        run: |lab| {
            let made = lab.make("wafv2.create_ip_set", set(lab))?;
            lab.make("wafv2.create_web_acl", acl(lab, blocking(&made["arn"])))?;
            lab.delete("wafv2.ip_set", at(&made)).refused(&["WAFAssociatedItemException"])
        },
    },
    Case {
        name: "a web ACL is described as it was made",
        aws: "an ARN with scope, name and id; its rules, the tags",
        page: "wafv2/CreateWebACL",
        run: |lab| {
            let set = lab.make("wafv2.create_ip_set", set(lab))?["arn"].clone();
            let made = lab.make("wafv2.create_web_acl", acl(lab, blocking(&set)))?;
            let end = format!(":regional/webacl/{}/{}", lab.name("web"), text(&made, "id"));
            holds(text(&made, "arn").ends_with(&end), "another ARN")?;
            lab.tagged(&made)?;
            let found = lab.call("wafv2.get_web_acl", at(&made)).ok()?;
            is(&found, "rules.0.statement.ip_set_reference_statement.arn", set)
        },
    },
    Case {
        name: "a second web ACL of the same name",
        aws: "`WAFDuplicateItemException`",
        page: "wafv2/CreateWebACL",
        run: |lab| lab.refused_again("wafv2.create_web_acl", acl(lab, json!([])), &["WAFDuplicateItemException"]),
    },
    Case {
        name: "a web ACL that names an IP set that does not exist",
        aws: "`WAFNonexistentItemException`",
        page: "wafv2/CreateWebACL",
        run: |lab| missing(lab, "wafv2.create_web_acl", acl(lab, blocking(&NO_SET.into()))),
    },
    Case {
        name: "a web ACL that does not exist",
        aws: "`WAFNonexistentItemException`",
        page: "wafv2/GetWebACL",
        run: |lab| missing(lab, "wafv2.get_web_acl", nowhere(lab)),
    },
    Case {
        name: "a web ACL is deleted twice",
        aws: "`WAFNonexistentItemException`",
        page: "wafv2/DeleteWebACL",
        run: |lab| lab.deleted_twice("wafv2.web_acl", at(&empty(lab)?), &["WAFNonexistentItemException"]),
    },
    Case {
        name: "a web ACL that protects a load balancer is deleted",
        aws: "`WAFAssociatedItemException`",
        page: "wafv2/DeleteWebACL",
        run: |lab| {
            let (acl, _) = associated(lab)?;
            lab.delete("wafv2.web_acl", at(&acl)).refused(&["WAFAssociatedItemException"])
        },
    },
    Case {
        name: "a web ACL protects a load balancer",
        aws: "none at first, then this one",
        page: "wafv2/GetWebACLForResource",
        run: |lab| {
            let balancer = balancer(lab)?["load_balancer_arn"].clone();
            holds(of(lab, &balancer)?["web_acl"].is_null(), "a web ACL at first")?;
            let acl = empty(lab)?;
            lab.make("wafv2.associate_web_acl", json!({ "web_acl_arn": acl["arn"], "resource_arn": balancer }))?;
            is(&of(lab, &balancer)?, "web_acl.arn", acl["arn"].clone())
        },
    },
    Case {
        name: "another web ACL protects a load balancer",
        aws: "it replaces the first one",
        page: "wafv2/AssociateWebACL",
        run: |lab| {
            let (_, balancer) = associated(lab)?;
            let mut second = acl(lab, json!([]));
            second["name"] = lab.name("second").into();
            let second = lab.make("wafv2.create_web_acl", second)?["arn"].clone();
            lab.make("wafv2.associate_web_acl", json!({ "web_acl_arn": second, "resource_arn": balancer }))?;
            is(&of(lab, &balancer)?, "web_acl.arn", second)
        },
    },
    Case {
        name: "a web ACL that does not exist protects a load balancer",
        aws: "`WAFNonexistentItemException`",
        page: "wafv2/AssociateWebACL",
        run: |lab| {
            let resource = balancer(lab)?["load_balancer_arn"].clone();
            missing(lab, "wafv2.associate_web_acl", json!({ "web_acl_arn": NO_ACL, "resource_arn": resource }))
        },
    },
    Case {
        name: "a load balancer is protected no more",
        aws: "no web ACL; the web ACL can then be deleted",
        page: "wafv2/DisassociateWebACL",
        run: |lab| {
            let (acl, balancer) = associated(lab)?;
            let association = json!({ "resource_arn": balancer });
            lab.delete("wafv2.web_acl_association", association.clone()).ok()?;
            lab.gone("wafv2.web_acl_association", association)?;
            lab.delete("wafv2.web_acl", at(&acl)).ok()
        },
    },
    Case {
        name: "a web ACL logs into a log group, then into another",
        aws: "the second one replaces the first",
        page: "wafv2/PutLoggingConfiguration",
        run: |lab| {
            let mut input = logging(lab)?;
            lab.make("wafv2.put_logging_configuration", input.clone())?;
            let group = json!({ "log_group_name": lab.name("aws-waf-logs-api") });
            let group = lab.make("logs.create_log_group", group)?["arn"].clone();
            input["logging_configuration"]["log_destination_configs"] = json!([group]);
            lab.make("wafv2.put_logging_configuration", input.clone())?;
            let at = json!({ "resource_arn": input["logging_configuration"]["resource_arn"] });
            let found = lab.standing("wafv2.logging_configuration", at)?;
            is(&found, "logging_configuration.log_destination_configs", json!([group]))
        },
    },
    Case {
        name: "a web ACL that does not exist logs",
        aws: "`WAFNonexistentItemException`",
        page: "wafv2/PutLoggingConfiguration",
        run: |lab| {
            let mut input = logging(lab)?;
            input["logging_configuration"]["resource_arn"] = NO_ACL.into();
            missing(lab, "wafv2.put_logging_configuration", input)
        },
    },
    Case {
        name: "a web ACL logs no more, twice",
        aws: "`WAFNonexistentItemException`; the log group stands",
        page: "wafv2/DeleteLoggingConfiguration",
        run: |lab| {
            let input = logging(lab)?;
            lab.make("wafv2.put_logging_configuration", input.clone())?;
            let at = json!({ "resource_arn": input["logging_configuration"]["resource_arn"] });
            lab.deleted_twice("wafv2.logging_configuration", at, &["WAFNonexistentItemException"])?;
            lab.standing("logs.log_group", json!({ "log_group_name": lab.name("aws-waf-logs-web") })).map(|_| ())
        },
    },
];
