//! Rules as resources: `authorize_security_group_ingress` and `authorize_security_group_egress`.
//!
//! One call makes one resource: the rules that it added. A rule that stands already is left alone and stays somebody else's, since
//! AWS refuses a whole call for one duplicate (`InvalidPermission.Duplicate`). Deleting the resource revokes exactly the added rules.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    resource::{Health, Identity, Meta},
    sandbox::{
        sim::{Ref, SimCall, Simple},
        world::{Object, World, key},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    row::{Difference, Row},
    rules::{self, Permission, Rule, Source},
    simulate,
};

/// Input of `authorize_security_group_ingress` and `authorize_security_group_egress`.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The security group.
    pub group_id: String,
    /// What is allowed.
    pub ip_permissions: Vec<Permission>,
}

/// The kind `ec2.security_group_ingress`.
pub static INGRESS: Row = Row {
    meta: &Meta {
        name: "ec2.security_group_ingress",
        create: "authorize_security_group_ingress",
        operations: ("AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"),
        doc: "Admits traffic to a security group.\n\nRules that stand already are left alone; undo takes away only what this call \
              added. \
              [AuthorizeSecurityGroupIngress](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html)",
        ..META
    },
    sim: Simple {
        describe: |world, call, id| describe(world, call, id, false),
        made: |world, call, made| add(world, call, made, false),
        deleted: |world, call, gone| take_away(world, call, gone, false),
        ..SIM
    },
    ..ROW
};

/// The kind `ec2.security_group_egress`.
pub static EGRESS: Row = Row {
    meta: &Meta {
        name: "ec2.security_group_egress",
        create: "authorize_security_group_egress",
        operations: ("AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress"),
        doc: "Lets traffic out of a security group.\n\nRules that stand already are left alone; undo takes away only what this \
              call added. \
              [AuthorizeSecurityGroupEgress](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupEgress.html)",
        ..META
    },
    sim: Simple {
        describe: |world, call, id| describe(world, call, id, true),
        made: |world, call, made| add(world, call, made, true),
        deleted: |world, call, gone| take_away(world, call, gone, true),
        ..SIM
    },
    ..ROW
};

const META: Meta = Meta {
    name: "",
    create: "",
    operations: ("", ""),
    doc: "",
    identity: Identity::Key,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: false,
    shared: false,
};

const ROW: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check,
    locator: &["group_id", "security_group_rule_ids"],
    parents: &["group_id"],
    judge: |_| Health::Ready,
    differences,
    sim: SIM,
};

const SIM: Simple = Simple {
    prefix: "sgr-",
    refs: &[Ref { field: "group_id", kind: "ec2.security_group", missing: "InvalidGroup.NotFound", owned: true }],
    missing: "InvalidPermission.NotFound",
    check: sources_exist,
    ..Simple::DEFAULT
};

fn check(map: &Value) -> Result<(), InputError> {
    rules::check(&input::parse::<Input>(map)?.ip_permissions)
}

/// The rules that an input asks for.
pub fn asked(input: &Value) -> Vec<Rule> {
    let permissions = input.get("ip_permissions").and_then(|list| Vec::<Permission>::deserialize(list).ok());
    rules::flatten(&permissions.unwrap_or_default())
}

/// What of the asked rules does not stand yet.
pub fn missing(asked: Vec<Rule>, standing: &[Rule]) -> Vec<Rule> {
    asked.into_iter().filter(|rule| !standing.contains(rule)).collect()
}

/// A rule that is asked for and does not stand in the group, whoever made it. More rules in the group are no difference.
fn differences(input: &Value, described: &Value) -> Vec<Difference> {
    let Some(list) = described.get("security_group_rules").and_then(Value::as_array) else { return Vec::new() };
    let standing: Vec<Rule> = list.iter().filter_map(Rule::of).collect();
    let missing = missing(asked(input), &standing);
    missing.iter().map(|rule| ("ip_permissions".to_owned(), rule.described(), Value::Null)).collect()
}

fn field(egress: bool) -> &'static str {
    if egress { "ip_permissions_egress" } else { "ip_permissions" }
}

fn standing(group: Option<&Object>, egress: bool) -> Vec<Rule> {
    group.and_then(|group| group.body.get(field(egress))).map(rules::ungrouped).unwrap_or_default()
}

fn sources_exist(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    for rule in asked(call.input) {
        if let Source::Group(id) = &rule.source
            && simulate::get(world, call, "ec2.security_group", id).is_none()
        {
            let message = format!("The security group '{id}' does not exist");
            return Err(CallError::refused("InvalidGroup.NotFound", message));
        }
    }
    Ok(())
}

fn describe(world: &World, call: &SimCall<'_>, id: &str, egress: bool) -> Value {
    let group = simulate::get(world, call, "ec2.security_group", call.text("group_id"));
    let before = standing(group, egress);
    let added = missing(asked(call.input), &before);
    let rule_id = |i: usize| match i {
        0 => id.to_owned(),
        _ => format!("sgr-0{}", &hex::encode(Sha256::digest(format!("{id}{i}")))[..16]),
    };
    let ids: Vec<String> = (0..added.len()).map(rule_id).collect();
    let one = |rule: &Rule, id: Option<&String>| {
        let mut map = rule.described();
        map["group_id"] = call.text("group_id").into();
        map["is_egress"] = egress.into();
        if let Some(id) = id {
            map["security_group_rule_id"] = id.as_str().into();
        }
        map
    };
    let own = added.iter().zip(&ids).map(|(rule, id)| one(rule, Some(id)));
    let list: Vec<Value> = before.iter().map(|rule| one(rule, None)).chain(own).collect();
    json!({ "security_group_rule_ids": ids, "security_group_rules": list })
}

/// The rules that a simulated resource added.
fn own(object: &Object) -> Vec<Rule> {
    let ids = object.body.get("security_group_rule_ids").and_then(Value::as_array);
    let mine =
        |rule: &&Value| rule.get("security_group_rule_id").is_some_and(|id| ids.is_some_and(|ids| ids.contains(id)));
    let list = object.body.get("security_group_rules").and_then(Value::as_array);
    list.into_iter().flatten().filter(mine).filter_map(Rule::of).collect()
}

fn add(world: &mut World, call: &SimCall<'_>, made: &Object, egress: bool) {
    let group = call.text("group_id");
    let own = own(made);
    let mut all = standing(simulate::get(world, call, "ec2.security_group", group), egress);
    all.extend(own.iter().cloned());
    simulate::change(world, call, "ec2.security_group", group, |map| {
        map.insert(field(egress).to_owned(), rules::grouped(&all));
    });
    let others = own.iter().filter_map(|rule| match &rule.source {
        Source::Group(id) if id != group => Some(key("ec2.security_group", &call.place.region, id)),
        _ => None,
    });
    let others: Vec<String> = others.collect();
    world.change(&made.kind, &made.place, &made.id, |made| made.refs.extend(others));
}

fn take_away(world: &mut World, call: &SimCall<'_>, gone: &Object, egress: bool) {
    let group = simulate::body(gone, "group_id");
    let own = own(gone);
    let mut left = standing(simulate::get(world, call, "ec2.security_group", group), egress);
    left.retain(|rule| !own.contains(rule));
    simulate::change(world, call, "ec2.security_group", group, |map| {
        map.insert(field(egress).to_owned(), rules::grouped(&left));
    });
}
