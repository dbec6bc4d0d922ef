//! Stale reads: for a while, reads of a service answer as if a request had not been made.
//!
//! What was read before the request is answered again; what the request made is not found, and missing from lists.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use super::{
    answer::Answer,
    ids,
    parse::{Call, Protocol},
    xml::Element,
};

#[derive(Debug, Default)]
struct State {
    /// The last answer to each read.
    last: BTreeMap<String, Answer>,
    /// What is hidden at the moment.
    hidden: Vec<Hidden>,
}

#[derive(Debug)]
struct Hidden {
    service: String,
    reads: u32,
    before: BTreeMap<String, Answer>,
    made: Vec<String>,
}

/// What reads do not see yet.
#[derive(Debug, Default)]
pub struct Stale(Mutex<State>);

impl Stale {
    /// Forgets everything.
    pub fn clear(&self) {
        *self.state() = State::default();
    }

    /// Hides what a request will do: it is not executed yet.
    pub(super) fn begin(&self, call: &Call, reads: u32) {
        let mut state = self.state();
        let (before, made) = (state.last.clone(), named(call));
        state.hidden.push(Hidden { service: call.service.clone(), reads, before, made });
    }

    /// Hides what a request did.
    pub(super) fn begin_after(&self, call: &Call, answer: &Answer, reads: u32) {
        self.begin(call, reads);
        let made = ids::made(&call.fields, answer);
        if let Some(hidden) = self.state().hidden.last_mut() {
            hidden.made.extend(made);
        }
    }

    /// What a read answers.
    pub(super) fn read(&self, call: &Call, answer: Answer) -> Answer {
        let what = format!("{}:{}:{}:{}", call.service, call.operation, call.region(), call.fields);
        let mut state = self.state();
        let hidden = state.hidden.iter_mut().find(|hidden| hidden.service == call.service && hidden.reads > 0);
        let Some(hidden) = hidden else {
            state.last.insert(what, answer.clone());
            return answer;
        };
        hidden.reads -= 1;
        match hidden.before.get(&what) {
            Some(before) => before.clone(),
            None => without(call, answer, &hidden.made),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name under which a request makes something, where names are the keys.
fn named(call: &Call) -> Vec<String> {
    let keys = ["RoleName", "PolicyName", "nodegroupName", "addonName", "name"];
    let named = keys.iter().map(|key| call.text(key)).find(|name| !name.is_empty());
    named.filter(|_| call.operation.starts_with("Create")).map(str::to_owned).into_iter().collect()
}

fn mentions(value: &Value, made: &[String]) -> bool {
    ids::texts(value).iter().any(|text| made.iter().any(|id| id == text))
}

fn without(call: &Call, answer: Answer, made: &[String]) -> Answer {
    if mentions(&call.fields, made) {
        let (status, code) = missing(call, made);
        return Answer::error(call, status, code, &format!("{} does not exist", made.join(", ")));
    }
    match answer.value() {
        Value::Null => {
            let mut document = answer.document();
            document.each(&mut |element: &mut Element| {
                let listed = matches!(element.name.as_str(), name if name.ends_with("Set") || name.ends_with('s'));
                if listed {
                    element.children.retain(|child| !mentions(&child.json(), made));
                }
            });
            answer.with_document(&document)
        }
        mut value => {
            prune(&mut value, made);
            answer.with_value(&value)
        }
    }
}

fn prune(value: &mut Value, made: &[String]) {
    match value {
        Value::Array(items) => items.retain(|item| !mentions(item, made)),
        Value::Object(map) => map.values_mut().for_each(|item| prune(item, made)),
        _ => {}
    }
}

/// The service's way to say that something does not exist.
fn missing(call: &Call, made: &[String]) -> (u16, &'static str) {
    let kind = made.iter().find_map(|id| id.split_once('-')).map_or("", |(kind, _)| kind);
    match (call.service.as_str(), kind) {
        ("ec2", "vpc") => (400, "InvalidVpcID.NotFound"),
        ("ec2", "subnet") => (400, "InvalidSubnetID.NotFound"),
        ("ec2", "igw") => (400, "InvalidInternetGatewayID.NotFound"),
        ("ec2", "nat") => (400, "NatGatewayNotFound"),
        ("ec2", "rtb") => (400, "InvalidRouteTableID.NotFound"),
        ("ec2", "eipalloc") => (400, "InvalidAllocationID.NotFound"),
        ("ec2", "sg") => (400, "InvalidGroup.NotFound"),
        ("ec2", "pcx") => (400, "InvalidVpcPeeringConnectionID.NotFound"),
        ("ec2", "eni") => (400, "InvalidNetworkInterfaceID.NotFound"),
        ("ec2", "vol") => (400, "InvalidVolume.NotFound"),
        ("ec2", _) => (400, "InvalidID.NotFound"),
        ("route53", _) => (404, "NoSuchHostedZone"),
        ("servicediscovery", "ns") => (400, "NamespaceNotFound"),
        ("servicediscovery", _) => (400, "ServiceNotFound"),
        (_, _) if call.protocol == Protocol::Query => (404, "NoSuchEntity"),
        _ => (404, "ResourceNotFoundException"),
    }
}
