//! Rules as resources: `authorize_security_group_ingress` and `authorize_security_group_egress`.
//!
//! One call makes one resource: the rules that it added. A rule that stands already is left alone and stays somebody else's, since
//! AWS refuses a whole call for one duplicate (`InvalidPermission.Duplicate`). Deleting the resource revokes exactly the added rules.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    resource::{Identity, Meta},
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
    rules::{self, Permission, Rule, Source},
    simulate,
};
use crate::row::{Difference, Row, at_once};

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
    sim: &Simple {
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
    sim: &Simple {
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
    along: &[],
    parents: &["group_id"],
    judge: at_once,
    differences,
    sim: &SIM,
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

/// The SDK calls.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::{
        Filter, IpPermission, IpRange, Ipv6Range, PrefixListId, ResourceType, SecurityGroupRule, UserIdGroupPair,
    };
    use runbook_modules::error::{CallError, Class};
    use serde_json::Value;

    use super::{
        super::wire,
        asked, missing,
        rules::{Rule, Source},
    };
    use crate::live::{
        Clients, Driver, Sent, classify,
        convert::{Described, field},
    };

    /// Rules in one direction.
    pub struct Rules {
        /// Out of the group.
        pub egress: bool,
    }

    fn described(rule: &SecurityGroupRule) -> Value {
        let group =
            rule.referenced_group_info().map(|group| Described::new().text("group_id", group.group_id()).done());
        Described::new()
            .text("security_group_rule_id", rule.security_group_rule_id())
            .text("group_id", rule.group_id())
            .value("is_egress", rule.is_egress())
            .text("ip_protocol", rule.ip_protocol())
            .value("from_port", rule.from_port())
            .value("to_port", rule.to_port())
            .text("cidr_ipv4", rule.cidr_ipv4())
            .text("cidr_ipv6", rule.cidr_ipv6())
            .value("referenced_group_info", group)
            .text("prefix_list_id", rule.prefix_list_id())
            .text("description", rule.description())
            .tags(wire::pairs(rule.tags()))
            .done()
    }

    /// The resource: its own rules by id, and all of the group's rules in this direction.
    fn resource(group: &str, own: &[&Value], all: &[Value]) -> Value {
        let ids: Vec<Value> = own.iter().map(|rule| field(rule, "security_group_rule_id").into()).collect();
        let tags = own.first().and_then(|rule| rule.get("tags")).cloned();
        Described::new()
            .text("id", Some(own.first().map_or(group, |rule| field(rule, "security_group_rule_id"))))
            .text("group_id", Some(group))
            .value("security_group_rule_ids", Some(ids))
            .value("security_group_rules", Some(all.to_vec()))
            .value("tags", tags)
            .done()
    }

    impl Rules {
        async fn of_group(&self, clients: &Clients, filters: Vec<Filter>) -> Result<Vec<Value>, CallError> {
            let call = clients.ec2.describe_security_group_rules().set_filters(Some(filters));
            let rules = call.into_paginator().items().send().try_collect().await.map_err(classify)?;
            let here = rules.iter().filter(|rule| rule.is_egress().unwrap_or_default() == self.egress);
            Ok(here.map(described).collect())
        }

        async fn send(
            &self, clients: &Clients, sent: &Sent<'_>, group: &str, rules: &[Rule],
        ) -> Result<Vec<SecurityGroupRule>, CallError> {
            let permissions: Vec<IpPermission> = rules.iter().map(permission).collect();
            let tags = wire::tags(ResourceType::SecurityGroupRule, sent);
            if self.egress {
                let call = clients.ec2.authorize_security_group_egress();
                let call = call.group_id(group).set_ip_permissions(Some(permissions)).tag_specifications(tags);
                Ok(call.send().await.map_err(wire::making)?.security_group_rules.unwrap_or_default())
            } else {
                let call = clients.ec2.authorize_security_group_ingress();
                let call = call.group_id(group).set_ip_permissions(Some(permissions)).tag_specifications(tags);
                Ok(call.send().await.map_err(wire::making)?.security_group_rules.unwrap_or_default())
            }
        }
    }

    /// The look at the group failed: nothing was sent yet.
    fn not_sent(error: CallError) -> CallError {
        let class = match error.class {
            Class::Unknown => Class::NotSent,
            Class::NotFound => Class::NotYet,
            other => other,
        };
        CallError { class, ..error }
    }

    /// One permission a rule: AWS groups them itself.
    fn permission(rule: &Rule) -> IpPermission {
        let description = rule.description.clone();
        let all = rule.ip_protocol == "-1";
        let permission = IpPermission::builder()
            .ip_protocol(&rule.ip_protocol)
            .set_from_port((!all).then_some(rule.from_port))
            .set_to_port((!all).then_some(rule.to_port));
        match &rule.source {
            Source::Ipv4(block) => {
                permission.ip_ranges(IpRange::builder().cidr_ip(block).set_description(description).build())
            }
            Source::Ipv6(block) => {
                permission.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(block).set_description(description).build())
            }
            Source::Group(id) => permission
                .user_id_group_pairs(UserIdGroupPair::builder().group_id(id).set_description(description).build()),
            Source::Prefixes(id) => permission
                .prefix_list_ids(PrefixListId::builder().prefix_list_id(id).set_description(description).build()),
        }
        .build()
    }

    impl Driver for Rules {
        async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let group = field(sent.input, "group_id");
            let mut all = self.of_group(clients, vec![wire::by("group-id", group)]).await.map_err(not_sent)?;
            let standing: Vec<Rule> = all.iter().filter_map(Rule::of).collect();
            let missing = missing(asked(sent.input), &standing);
            if missing.is_empty() {
                return Ok(resource(group, &[], &all));
            }
            let made = self.send(clients, sent, group, &missing).await?;
            let from = all.len();
            all.extend(made.iter().map(described));
            Ok(resource(group, &all[from..].iter().collect::<Vec<_>>(), &all))
        }

        async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
            let group = field(at, "group_id");
            let all = match self.of_group(clients, vec![wire::by("group-id", group)]).await {
                Err(e) if e.class == Class::NotFound => return Ok(None),
                other => other?,
            };
            let ids = wire::texts(at, "security_group_rule_ids");
            let own: Vec<&Value> =
                all.iter().filter(|rule| ids.iter().any(|id| id == field(rule, "security_group_rule_id"))).collect();
            Ok((ids.is_empty() || !own.is_empty()).then(|| resource(group, &own, &all)))
        }

        /// What this very request added: rules bear tags of their own.
        async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
            let group = field(sent.input, "group_id");
            let own = self.of_group(clients, vec![wire::by("group-id", group), wire::by_effect(sent)]).await?;
            if own.is_empty() {
                return Ok(Vec::new());
            }
            let all = self.of_group(clients, vec![wire::by("group-id", group)]).await?;
            Ok(vec![resource(group, &own.iter().collect::<Vec<_>>(), &all)])
        }

        /// A rule that is gone already would spoil the whole call, so it is left out.
        async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
            let group = field(at, "group_id");
            let there = self.read(clients, at).await?;
            let ids = there.map(|there| wire::texts(&there, "security_group_rule_ids")).unwrap_or_default();
            if ids.is_empty() {
                return Err(CallError::not_found(
                    "InvalidPermission.NotFound",
                    format!("none of the rules stands in {group}"),
                ));
            }
            if self.egress {
                let call = clients.ec2.revoke_security_group_egress().group_id(group);
                call.set_security_group_rule_ids(Some(ids)).send().await.map_err(classify)?;
            } else {
                let call = clients.ec2.revoke_security_group_ingress().group_id(group);
                call.set_security_group_rule_ids(Some(ids)).send().await.map_err(classify)?;
            }
            Ok(())
        }
    }
}
