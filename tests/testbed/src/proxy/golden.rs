//! The oracle as lines for a golden file: operations and fields, without numbers, times, tokens, the run's own tags and ids.
//!
//! An id is called after what made it: by its tag `Name` or its own name (`vpc:redis1-vpc-us-east-1`), else by the request that
//! made it (`rtbassoc:{RouteTableId: …, SubnetId: …}`). So the lines are the same in every run, up to the order of parallel branches.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    ids::{RUN, is_id, name, words},
    log::Entry,
};
use crate::standins::aws::AGENT;

/// A line for each entry of the program's own (what controllers in the clusters call is theirs): service, operation, status when it is no success, fault, fields.
pub fn lines(entries: &[Entry]) -> Vec<String> {
    let mut called: BTreeMap<String, String> = BTreeMap::new();
    let mut lines = Vec::new();
    for entry in entries {
        let of_token = entry.token.as_ref().map(|(field, _)| *field);
        let fields = told(&without_token(entry.fields.clone(), of_token), &called);
        for id in &entry.made {
            let kind = match id.starts_with("/hostedzone/") {
                true => "zone",
                false => id.rsplit_once('-').map_or("", |(kind, _)| kind),
            };
            let after = match name(&entry.fields) {
                name if name.is_empty() => fields.to_string().replace('"', ""),
                name => name,
            };
            let known = format!("{kind}:{after}");
            called.entry(id.trim_start_matches("/hostedzone/").to_owned()).or_insert(known);
        }
        if entry.agent.starts_with(AGENT) {
            continue;
        }
        let status =
            entry.status.filter(|status| *status >= 300).map(|status| format!(" {status}")).unwrap_or_default();
        let fault = entry.fault.as_ref().map(|fault| format!(" {}", json!(fault.action))).unwrap_or_default();
        lines.push(format!("{} {}{status}{fault} {fields}", entry.service, entry.operation));
    }
    lines
}

fn without_token(mut fields: Value, token: Option<&str>) -> Value {
    if let (Some(map), Some(field)) = (fields.as_object_mut(), token) {
        map.insert(field.to_owned(), "*".into());
    }
    fields
}

fn told(value: &Value, called: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => {
            let call = |word: &str| match called.get(word) {
                Some(known) => known.clone(),
                None if is_id(word) => format!("{}-*", word.rsplit_once('-').map_or("", |(kind, _)| kind)),
                None => word.to_owned(),
            };
            Value::String(words(text).into_iter().map(call).collect())
        }
        Value::Array(items) => {
            let of_run = |item: &&Value| {
                let key = item.get("Key").or_else(|| item.get("key")).and_then(Value::as_str);
                key.is_some_and(|key| RUN.contains(&key))
            };
            items.iter().filter(|item| !of_run(item)).map(|item| told(item, called)).collect()
        }
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, _)| !RUN.contains(&key.as_str()));
            // Sorted: the order of a map's fields depends on how serde_json was built.
            let kept: BTreeMap<_, _> = kept.map(|(key, value)| (key.clone(), told(value, called))).collect();
            kept.into_iter().collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{By, Outcome},
        *,
    };

    fn entry(operation: &str, fields: Value, made: &[&str]) -> Entry {
        Entry {
            number: 1,
            at_ms: 0,
            service: "ec2".into(),
            operation: operation.into(),
            agent: "aws-sdk-rust".into(),
            account: "1".into(),
            region: "r".into(),
            fields,
            token: Some(("ClientToken", "t".into())),
            outcome: Outcome::Answered,
            status: Some(200),
            made: made.iter().map(|id| (*id).to_owned()).collect(),
            by: Some(By::Moto),
            fault: None,
        }
    }

    fn run(digit: char) -> Vec<String> {
        let id = |kind: &str| format!("{kind}-{}", digit.to_string().repeat(17));
        let tags = json!([{ "Tag": [{ "Key": "Name", "Value": "net" }, { "Key": "runbook:run", "Value": digit.to_string() }] }]);
        let vpc = json!({ "TagSpecification": tags, "ClientToken": digit.to_string() });
        lines(&[
            entry("CreateVpc", vpc, &[&id("vpc")]),
            entry("AssociateRouteTable", json!({ "SubnetId": id("subnet"), "VpcId": id("vpc") }), &[&id("rtbassoc")]),
            entry("DisassociateRouteTable", json!({ "AssociationId": id("rtbassoc") }), &[]),
        ])
    }

    #[test]
    fn two_runs_have_the_same_lines_and_ids_are_called_after_what_made_them() {
        assert_eq!(run('a'), run('b'));
        assert_eq!(
            run('a'),
            [
                r#"ec2 CreateVpc {"ClientToken":"*","TagSpecification":[{"Tag":[{"Key":"Name","Value":"net"}]}]}"#,
                r#"ec2 AssociateRouteTable {"ClientToken":"*","SubnetId":"subnet-*","VpcId":"vpc:net"}"#,
                r#"ec2 DisassociateRouteTable {"AssociationId":"rtbassoc:{ClientToken:*,SubnetId:subnet-*,VpcId:vpc:net}","ClientToken":"*"}"#,
            ]
        );
    }
}
