//! Makes an inventory comparable: no times, no addresses that are drawn by lot, names and ordinals in place of ids.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::ids::{RUN, is_id, masked, name, words};

/// Fields that differ from run to run, or that say the same as another.
const VOLATILE: &[&str] = &[
    "createTime",
    "creationTime",
    "attachTime",
    "macAddress",
    "publicIp",
    "publicDnsName",
    "privateIpAddress",
    "privateIpAddressesSet",
    "privateDnsName",
    "ownerId",
    "requesterId",
    "availableIpAddressCount",
    "dhcpOptionsId",
    "CreateDate",
    "RoleId",
    "PolicyId",
    "createdAt",
    "modifiedAt",
    "RoleLastUsed",
    "UpdateDate",
    "AttachmentCount",
    "association",
    "privateIp",
    "CreatorRequestId",
    "CallerReference",
    "expirationTime",
    "InstancesRevision",
    "ipOwnerId",
    "networkInterfaceOwnerId",
    "ResourceRecordSetCount",
];

/// The items by kind.
pub fn told(items: &BTreeMap<(String, String), Value>) -> Value {
    let mut plain: Vec<(&str, &str, String, Value)> = items
        .iter()
        .map(|((kind, id), value)| {
            let value = without(value);
            (kind.as_str(), id.as_str(), name(&value), value)
        })
        .collect();
    // An order that no id has a part in, so that ordinals are the same in every run.
    plain.sort_by_cached_key(|(kind, _, name, value)| ((*kind).to_owned(), name.clone(), masked(&value.to_string())));
    let mut names = Names::default();
    for (kind, id, name, _) in &plain {
        names.give(kind, id, name);
    }
    let mut told: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (kind, _, _, value) in &plain {
        told.entry(kind).or_default().push(names.replaced(value));
    }
    let sorted = told.into_iter().map(|(kind, mut values)| {
        values.sort_by_cached_key(Value::to_string);
        (kind.to_owned(), Value::Array(values))
    });
    Value::Object(sorted.collect::<Map<_, _>>())
}

/// Without what is volatile and what is empty; lists in an order of their own.
fn without(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, _)| !VOLATILE.contains(&key.as_str()));
            let kept = kept.map(|(key, value)| (key.clone(), without(value)));
            Value::Object(kept.filter(|(_, value)| !matches!(value, Value::Null) && value != "").collect())
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().filter(|item| !is_run_tag(item)).map(without).collect();
            items.sort_by_cached_key(|item| masked(&item.to_string()));
            Value::Array(items)
        }
        other => other.clone(),
    }
}

fn is_run_tag(item: &Value) -> bool {
    let key = item.get("key").or_else(|| item.get("Key")).and_then(Value::as_str);
    key.is_some_and(|key| RUN.contains(&key))
}

/// What each id is called.
#[derive(Default)]
struct Names {
    given: BTreeMap<String, String>,
    counts: BTreeMap<String, usize>,
}

impl Names {
    fn give(&mut self, kind: &str, id: &str, name: &str) {
        // What is known by its name keeps it.
        if !is_id(id) && kind != "route53.hosted_zone" {
            return;
        }
        let short = kind.rsplit('.').next().unwrap_or(kind);
        let called = match name {
            "" => format!("{short}#{}", self.next(short)),
            name => {
                // Two things of one name are told apart by their place.
                match self.next(&format!("{short}:{name}")) {
                    1 => format!("{short}:{name}"),
                    place => format!("{short}:{name}#{place}"),
                }
            }
        };
        self.given.insert(id.to_owned(), called);
    }

    fn next(&mut self, what: &str) -> usize {
        let count = self.counts.entry(what.to_owned()).or_default();
        *count += 1;
        *count
    }

    fn replaced(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                let call = |word: &str| match self.given.get(word) {
                    Some(called) => called.clone(),
                    None if is_id(word) => format!("{}-*", word.rsplit_once('-').map_or("", |(kind, _)| kind)),
                    None => word.to_owned(),
                };
                Value::String(words(text).into_iter().map(call).collect())
            }
            Value::Array(items) => {
                let mut items: Vec<Value> = items.iter().map(|item| self.replaced(item)).collect();
                items.sort_by_cached_key(Value::to_string);
                Value::Array(items)
            }
            Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), self.replaced(value))).collect(),
            other => other.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(vpc: &str, subnets: [&str; 2]) -> Value {
        let tags = json!([{ "key": "Name", "value": "a" }, { "key": "runbook:run", "value": vpc }]);
        let subnet = |id: &str, block: &str| json!({ "subnetId": id, "vpcId": vpc, "cidrBlock": block });
        told(&BTreeMap::from([
            (("ec2.vpc".into(), vpc.into()), json!({ "vpcId": vpc, "tagSet": tags, "createTime": vpc })),
            (("ec2.subnet".into(), subnets[0].into()), subnet(subnets[0], "10.0.2.0/24")),
            (("ec2.subnet".into(), subnets[1].into()), subnet(subnets[1], "10.0.1.0/24")),
        ]))
    }

    #[test]
    fn two_runs_with_other_ids_are_told_the_same() {
        let first = run("vpc-0a1b2c3d4e5f60718", ["subnet-00000000000000001", "subnet-00000000000000002"]);
        let second = run("vpc-ffffffffffffffff0", ["subnet-0000000000000000b", "subnet-0000000000000000a"]);
        assert_eq!(first, second);
        assert_eq!(first["ec2.vpc"][0], json!({ "vpcId": "vpc:a", "tagSet": [{ "key": "Name", "value": "a" }] }));
        assert_eq!(
            first["ec2.subnet"][0],
            json!({ "subnetId": "subnet#1", "vpcId": "vpc:a", "cidrBlock": "10.0.1.0/24" })
        );
    }
}
