//! Elastic Load Balancing, version 2: load balancers that take their time, and their network interfaces, which moto does not make.
//!
//! An interface holds its subnet and its security groups, and that of a public load balancer the internet gateway too, for a while
//! longer than the load balancer stands. Whoever takes a network down too early is told so, here as on AWS.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::{
    answer::Answer,
    emulator::{Incoming, Json},
    parse::{Call, Credential},
    pending,
    shared::Shared,
    xml::Element,
};

const SERVICE: &str = "elasticloadbalancing";
/// Where a described load balancer has its security groups.
const GROUPS: &[&str] = &["SecurityGroups"];

#[derive(Debug)]
struct Balancer {
    active: Instant,
    network: bool,
    vpc: String,
    public: bool,
    interfaces: Vec<String>,
}

/// The load balancers, by ARN, until their interfaces are gone.
#[derive(Debug, Default)]
pub struct Balancers {
    all: Mutex<BTreeMap<String, Balancer>>,
    /// Creations one by one, so that two of one name cannot pass each other.
    creating: tokio::sync::Mutex<()>,
}

impl Balancers {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Balancer>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What EC2 calls the type of a network interface of a load balancer; none for other interfaces.
    pub fn type_of(&self, interface: &str) -> Option<&'static str> {
        let all = self.all();
        let owner = all.values().find(|one| one.interfaces.iter().any(|id| id == interface))?;
        Some(if owner.network { "network_load_balancer" } else { "interface" })
    }

    /// Whether a public load balancer has addresses in a VPC.
    pub fn public_in(&self, vpc: &str) -> bool {
        self.all().values().any(|one| one.public && one.vpc == vpc && !one.interfaces.is_empty())
    }
}

/// Answers a request to the service.
pub(super) async fn answer(shared: &Arc<Shared>, incoming: &Incoming, call: &Call) -> Answer {
    // Version 1 has operations of the same names, with a LoadBalancerName.
    match call.operation.as_str() {
        "CreateLoadBalancer" if !call.text("Name").is_empty() => create(shared, incoming, call).await,
        "DeleteLoadBalancer" if !call.text("LoadBalancerArn").is_empty() => delete(shared, incoming, call).await,
        "DescribeLoadBalancers" => described(shared, shared.emulators.forward(incoming, call).await),
        _ => shared.emulators.forward(incoming, call).await,
    }
}

async fn create(shared: &Arc<Shared>, incoming: &Incoming, call: &Call) -> Answer {
    let _one_by_one = shared.balancers.creating.lock().await;
    let asked = [("Names.member.1", call.text("Name"))];
    if let Ok(found) = shared.emulators.form(&call.credential, SERVICE, "DescribeLoadBalancers", &asked).await
        && let Some(standing) = found.items(&["DescribeLoadBalancersResult", "LoadBalancers"]).first()
    {
        return again(call, standing);
    }
    let answer = shared.emulators.forward(incoming, call).await;
    let document = answer.document();
    if let Some(made) = document.items(&["CreateLoadBalancerResult", "LoadBalancers"]).first() {
        let balancer = Balancer {
            active: pending::due(shared.pending.load_balancer),
            network: made.at(&["Type"]) == "network",
            vpc: made.at(&["VpcId"]).to_owned(),
            public: made.at(&["Scheme"]) != "internal",
            interfaces: interfaces(shared, call, made).await,
        };
        shared.balancers.all().insert(made.at(&["LoadBalancerArn"]).to_owned(), balancer);
    }
    answer
}

/// A name that is taken: the same load balancer asked for once more is answered with itself.
fn again(call: &Call, standing: &Element) -> Answer {
    let or = |said: &str, default: &str| if said.is_empty() { default.to_owned() } else { said.to_owned() };
    let as_asked = |field: &str, default: &str| or(call.text(field), default) == or(standing.at(&[field]), default);
    let same = as_asked("Scheme", "internet-facing")
        && as_asked("Type", "application")
        && listed(call, "Subnets") == subnets(standing)
        && listed(call, "SecurityGroups") == sorted(standing.items(GROUPS).iter().map(|group| group.text.as_str()));
    if same {
        let list = Element::of("LoadBalancers", vec![standing.clone()]);
        let result = Element::of("CreateLoadBalancerResult", vec![list]);
        return Answer::xml(&Element::of("CreateLoadBalancerResponse", vec![result]));
    }
    let name = call.text("Name");
    let text = format!("A load balancer with the same name '{name}' exists, but with different settings");
    Answer::error(call, 400, "DuplicateLoadBalancerName", &text)
}

fn listed(call: &Call, field: &str) -> Vec<String> {
    let list = call.fields.get(field).and_then(Value::as_array);
    sorted(list.into_iter().flatten().filter_map(Value::as_str))
}

fn subnets(standing: &Element) -> Vec<String> {
    sorted(standing.items(&["AvailabilityZones"]).iter().map(|zone| zone.at(&["SubnetId"])))
}

fn sorted<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut all: Vec<String> = texts.map(str::to_owned).collect();
    all.sort_unstable();
    all
}

/// One in each subnet, with the security groups of the load balancer; their ids.
async fn interfaces(shared: &Shared, call: &Call, made: &Element) -> Vec<String> {
    let arn = made.at(&["LoadBalancerArn"]);
    let about = format!("ELB {}", arn.split_once(":loadbalancer/").map_or(arn, |(_, rest)| rest));
    let groups: Vec<(String, &str)> = (1..)
        .zip(made.items(GROUPS))
        .map(|(place, group)| (format!("SecurityGroupId.{place}"), group.text.as_str()))
        .collect();
    let mut ids = Vec::new();
    for subnet in subnets(made) {
        let mut fields = vec![("SubnetId", subnet.as_str()), ("Description", about.as_str())];
        fields.extend(groups.iter().map(|(field, group)| (field.as_str(), *group)));
        let made = shared.emulators.form(&call.credential, "ec2", "CreateNetworkInterface", &fields).await;
        ids.extend(made.map(|made| made.at(&["networkInterface", "networkInterfaceId"]).to_owned()));
    }
    ids
}

/// moto calls a load balancer active as soon as somebody looks.
fn described(shared: &Shared, answer: Answer) -> Answer {
    if !answer.ok() {
        return answer;
    }
    let mut document = answer.document();
    let all = shared.balancers.all();
    document.each(&mut |element| {
        let Some(known) = all.get(element.at(&["LoadBalancerArn"])) else { return };
        let state = element.children.iter_mut().find(|child| child.name == "State");
        if let Some(state) = state.filter(|_| Instant::now() < known.active) {
            state.set("Code", "provisioning");
        }
    });
    drop(all);
    answer.with_document(&document)
}

async fn delete(shared: &Arc<Shared>, incoming: &Incoming, call: &Call) -> Answer {
    let answer = shared.emulators.forward(incoming, call).await;
    let arn = call.text("LoadBalancerArn").to_owned();
    if answer.ok() && shared.balancers.all().contains_key(&arn) {
        // Of its web ACL moto would go on telling.
        let target = Json::Target("AWSWAF_20190729.DisassociateWebACL");
        let _ = shared.emulators.json(&call.credential, "wafv2", target, &json!({ "ResourceArn": arn })).await;
        let due = pending::due(shared.pending.load_balancer);
        tokio::spawn(free(Arc::clone(shared), call.credential.clone(), arn, due));
    }
    answer
}

/// At its time, deletes the interfaces that a load balancer had.
async fn free(shared: Arc<Shared>, who: Credential, arn: String, due: Instant) {
    sleep_until(due).await;
    let Some(gone) = shared.balancers.all().remove(&arn) else { return };
    for id in &gone.interfaces {
        // One that is gone already is no matter.
        let _ = shared.emulators.form(&who, "ec2", "DeleteNetworkInterface", &[("NetworkInterfaceId", id)]).await;
    }
}
