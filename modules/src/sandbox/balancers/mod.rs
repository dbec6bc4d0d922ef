//! What the AWS Load Balancer Controller does in a cluster where it runs: a network load balancer for a Service, an application
//! load balancer for an Ingress or for a group of them, and their end.
//!
//! * [`wanted`]: which load balancers the objects of a cluster ask for. Pure.
//! * [`build`]: their parts in AWS (`elbv2.load_balancer`, listeners, target groups, security groups, network interfaces).
//!
//! The work is found again by the controller's own tags, so nothing is kept but the time at which a finalizer comes off.
//! Source: <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/>.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    controllers::RECORD,
    facts::is_ready,
    k8s::{CLUSTER, OBJECT, delete, of_kind},
    simple::begin_deletion,
    world::{Object, World, key},
};
use crate::k8s::{finalizers, types::text};
pub use wanted::{Stack, handled};

pub mod build;
mod wanted;

/// World objects of this kind are load balancers; the id is the ARN.
pub const LOAD_BALANCER: &str = "elbv2.load_balancer";
/// World objects of this kind are target groups; the id is the ARN.
pub const TARGET_GROUP: &str = "elbv2.target_group";
/// World objects of this kind are listeners; the id is the ARN.
pub const LISTENER: &str = "elbv2.listener";
/// The controller's tag with the name of its cluster.
pub const CLUSTER_TAG: &str = "elbv2.k8s.aws/cluster";

/// The controller's Deployment.
const CONTROLLER: &str = "aws-load-balancer-controller";
/// From the end of the last Service or Ingress to that of its load balancer,
const BALANCER_GONE_MS: i64 = 4_000;
/// of its target groups,
const TARGETS_GONE_MS: i64 = 6_000;
/// of its network interfaces,
const INTERFACES_GONE_MS: i64 = 30_000;
/// of its security groups,
const GROUPS_GONE_MS: i64 = 32_000;
/// and of the finalizer, which comes off last.
const RELEASED_MS: i64 = 35_000;

/// Does what the controllers of all clusters have to do by now.
pub fn advance(world: &mut World, now_ms: i64) {
    let clusters: Vec<String> =
        world.of_kind(CLUSTER).filter(|o| o.exists(now_ms)).map(|cluster| cluster.id.clone()).collect();
    for cluster in clusters {
        if !is_running(world, &cluster, now_ms) {
            continue;
        }
        for stack in wanted::stacks(world, &cluster, now_ms) {
            if stack.staying.is_empty() {
                leave(world, &cluster, &stack, now_ms);
                continue;
            }
            keep(world, &cluster, &stack, now_ms);
            for gone in &stack.leaving {
                release(world, &cluster, &stack, gone, now_ms);
            }
        }
    }
}

/// Whether a cluster's controller stands.
fn controller<'a>(world: &'a World, cluster: &str, now_ms: i64) -> Option<&'a Object> {
    of_kind(world, cluster, "Deployment", now_ms)
        .find(|o| text(&o.body, "metadata.name") == CONTROLLER && o.gone_at.is_none() && o.exists(now_ms))
}

/// Whether it stands and is ready.
pub fn is_running(world: &World, cluster: &str, now_ms: i64) -> bool {
    controller(world, cluster, now_ms).is_some_and(|deployment| is_ready(world, deployment, now_ms))
}

/// Why a Service has no load balancer yet, for people.
pub fn why_none(world: &World, cluster: &str, service: &Object, now_ms: i64) -> Option<String> {
    if !is_running(world, cluster, now_ms) {
        return Some("no load balancer yet: the AWS Load Balancer Controller does not run".to_owned());
    }
    let stack = Stack::of(world, cluster, service, now_ms)?;
    build::subnets(world, cluster, &stack, now_ms).err()
}

/// The address that a Service or Ingress gets, once its load balancer is there.
pub fn address(world: &World, cluster: &str, object: &Object, now_ms: i64) -> Option<String> {
    let stack = Stack::of(world, cluster, object, now_ms)?;
    let balancer = parts(world, cluster, &stack, LOAD_BALANCER).find(|o| o.exists(now_ms) && o.gone_at.is_none())?;
    Some(text(&balancer.body, "dns_name").to_owned())
}

/// What the webhook puts into a new Service: its class, so that nothing else makes a load balancer for it.
pub fn admit(world: &World, cluster: &str, object: &mut Value, now_ms: i64) {
    let asks = text(object, "kind") == "Service" && text(object, "spec.type") == "LoadBalancer";
    if asks && text(object, "spec.loadBalancerClass").is_empty() && is_running(world, cluster, now_ms) {
        object["spec"]["loadBalancerClass"] = wanted::SERVICE_CLASS.into();
    }
}

/// Whether its webhook refuses new Services and Ingresses: it is registered, and nobody answers yet.
pub fn refuses(world: &World, cluster: &str, now_ms: i64) -> bool {
    controller(world, cluster, now_ms).is_some() && !is_running(world, cluster, now_ms)
}

/// The targets of a target group that a controller made: address, port and whether the pod is ready.
pub fn targets(world: &World, group: &Object, now_ms: i64) -> Vec<(String, i64, bool)> {
    let tag = |name: &str| group.tags.get(name).map(String::as_str).unwrap_or_default();
    let cluster = tag(CLUSTER_TAG);
    let Some((namespace, rest)) = text(&group.input, "service").split_once('/') else { return Vec::new() };
    let service = super::k8s::one(world, cluster, "Service", namespace, rest, now_ms);
    let Some(service) = service.filter(|service| service.gone_at.is_none()) else { return Vec::new() };
    let port = group.body["port"].as_i64().unwrap_or_default();
    super::k8s::endpoints::pods(world, cluster, service, now_ms)
        .map(|pod| (text(&pod.body, "status.podIP").to_owned(), port, pod.state(now_ms) == "Running"))
        .collect()
}

/// The parts of a stack, by the controller's tags.
fn parts<'a>(world: &'a World, cluster: &str, stack: &Stack, kind: &'a str) -> impl Iterator<Item = &'a Object> {
    let tags = stack.tags(cluster);
    world.of_kind(kind).filter(move |o| tags.iter().all(|(tag, value)| o.tags.get(tag) == Some(value)))
}

/// Makes what a stack still lacks, and takes away what it no longer asks for.
fn keep(world: &mut World, cluster: &str, stack: &Stack, now_ms: i64) {
    for member in &stack.staying {
        let held = finalizers::of(&member.body);
        if !held.contains(&stack.finalizer) {
            world.change(OBJECT, cluster, &member.id, |object| {
                let list: Vec<String> = held.into_iter().chain([stack.finalizer.clone()]).collect();
                object.body["metadata"]["finalizers"] = list.into();
            });
        }
    }
    build::build(world, cluster, stack, now_ms);
}

/// Takes a stack down whose last member is on its way out, and lets the members go when all is gone.
fn leave(world: &mut World, cluster: &str, stack: &Stack, now_ms: i64) {
    let record = format!("{}/{}", if stack.network { "nlb" } else { "alb" }, stack.name);
    let due = world.by_key(&key(RECORD, cluster, &record)).and_then(|o| o.states.last().map(|(at, _)| *at));
    match due {
        None if parts(world, cluster, stack, LOAD_BALANCER).all(|o| o.gone_at.is_some()) => {
            for gone in &stack.leaving {
                release(world, cluster, stack, gone, now_ms);
            }
        }
        None => {
            take_down(world, cluster, stack, now_ms);
            note(world, cluster, &record, now_ms, now_ms + RELEASED_MS);
        }
        Some(due) if due <= now_ms => {
            world.remove(&key(RECORD, cluster, &record));
            for gone in &stack.leaving {
                release(world, cluster, stack, gone, due);
            }
        }
        Some(_) => {}
    }
}

fn release(world: &mut World, cluster: &str, stack: &Stack, gone: &Object, at: i64) {
    delete::remove_finalizers(world, cluster, &gone.id, std::slice::from_ref(&stack.finalizer), at);
}

fn take_down(world: &mut World, cluster: &str, stack: &Stack, now_ms: i64) {
    let mut ends: Vec<(String, i64)> = Vec::new();
    for (kind, after) in
        [(LOAD_BALANCER, BALANCER_GONE_MS), (TARGET_GROUP, TARGETS_GONE_MS), ("ec2.security_group", GROUPS_GONE_MS)]
    {
        let standing = parts(world, cluster, stack, kind).filter(|o| o.gone_at.is_none());
        ends.extend(standing.map(|o| (o.key(), now_ms + after)));
    }
    // By what AWS writes into them: those of a load balancer that the controller adopted bear none of its tags.
    let balancers = parts(world, cluster, stack, LOAD_BALANCER).filter_map(|o| o.id.split_once("loadbalancer/"));
    let descriptions: Vec<String> = balancers.map(|(_, rest)| format!("ELB {rest}")).collect();
    let interfaces = world.of_kind("ec2.network_interface").filter(|o| o.gone_at.is_none());
    let theirs = interfaces.filter(|o| descriptions.iter().any(|about| about == text(&o.body, "description")));
    ends.extend(theirs.map(|o| (o.key(), now_ms + INTERFACES_GONE_MS)));
    let others = world.of_kind(LOAD_BALANCER).any(|o| {
        o.gone_at.is_none()
            && o.tags.get(CLUSTER_TAG).is_some_and(|tag| tag == cluster)
            && !ends.iter().any(|(key, _)| *key == o.key())
    });
    if !others {
        ends.extend(build::shared_group(world, cluster).map(|key| (key, now_ms + GROUPS_GONE_MS)));
    }
    for (key, at) in ends {
        begin_deletion(world, &key, now_ms, "", at);
    }
}

/// Writes down when something of a cluster is due, so that a wait knows how long to sleep.
fn note(world: &mut World, cluster: &str, id: &str, now_ms: i64, due: i64) {
    world.put(Object {
        kind: RECORD.to_owned(),
        place: cluster.to_owned(),
        id: id.to_owned(),
        body: Value::Null,
        tags: BTreeMap::new(),
        token: String::new(),
        input: Value::Null,
        refs: Vec::new(),
        owner: None,
        states: vec![(now_ms, String::new()), (due, "due".to_owned())],
        gone_at: None,
    });
}
