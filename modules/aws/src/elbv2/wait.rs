//! Waits for load balancers that others make or take down: a controller in a cluster.

use std::collections::BTreeMap;

use runbook_modules::{
    error::{CallError, Class as Trouble},
    input::{self, InputError},
    operation::{Class, Operation, Settle},
    resource::{Health, Kind},
    sandbox::{sim::SimCall, world::World},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::load_balancer::{self, Describe};
use crate::row::text;

/// Which load balancers are waited for: at least one of these.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Those with these ARNs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancer_arns: Option<Vec<String>>,
    /// The one with this DNS name, as the status of a Service or Ingress tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_name: Option<String>,
    /// Those in this VPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc_id: Option<String>,
    /// Those with all of these tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

impl Which {
    /// The describe call that reads them. ARNs are sorted out afterwards: one that is gone must not be an error.
    pub fn describe(&self) -> Describe {
        Describe { vpc_id: self.vpc_id.clone(), tags: self.tags.clone(), ..Describe::default() }
    }

    /// Whether a description is of one that is waited for.
    pub fn means(&self, described: &Value) -> bool {
        let arn = text(described, "load_balancer_arn");
        let host = text(described, "dns_name");
        self.load_balancer_arns.as_ref().is_none_or(|arns| arns.iter().any(|one| one == arn))
            && self.dns_name.as_deref().is_none_or(|name| name.eq_ignore_ascii_case(host))
    }
}

fn check(value: &Value) -> Result<(), InputError> {
    let which: Which = input::parse(value)?;
    let none = which.load_balancer_arns.is_none() && which.dns_name.is_none();
    match none && which.vpc_id.is_none() && which.tags.is_none() {
        true => Err(InputError::new("", "say which: load_balancer_arns, dns_name, vpc_id or tags")),
        false => Ok(()),
    }
}

/// What a wait answers for what stands now: `#{done, waiting_for, load_balancers}`.
pub fn answer(found: &[Value], gone: bool) -> Value {
    let waiting: Vec<String> = found
        .iter()
        .filter_map(|described| {
            let name = text(described, "load_balancer_name");
            match (gone, load_balancer::KIND.judge(described)) {
                (false, Health::Ready) => None,
                (false, Health::Pending(why) | Health::Failed(why) | Health::Deleting(why)) => {
                    Some(format!("{name} is {why}"))
                }
                (true, _) => Some(format!("{name} stands")),
            }
        })
        .collect();
    let failed = !gone && found.iter().any(|one| matches!(load_balancer::KIND.judge(one), Health::Failed(_)));
    let done = waiting.is_empty() && (gone || !found.is_empty());
    let why = if found.is_empty() && !gone { "no load balancer yet".to_owned() } else { waiting.join("; ") };
    json!({ "done": done, "failed": failed, "waiting_for": why, "load_balancers": found })
}

fn judge(answer: &Value) -> Health {
    let why = text(answer, "waiting_for").to_owned();
    match (answer["done"] == true, answer["failed"] == true) {
        (true, _) => Health::Ready,
        (_, true) => Health::Failed(why),
        _ => Health::Pending(why),
    }
}

fn look(world: &World, call: &SimCall<'_>, gone: bool) -> Result<Value, CallError> {
    let which = Which::deserialize(call.input)
        .map_err(|error| CallError::new(Trouble::Refused, "ValidationError", error.to_string()))?;
    let mut found = load_balancer::described(world, call, &which.describe())?;
    found.retain(|described| which.means(described));
    Ok(answer(&found, gone))
}

/// The operation `elbv2.wait_load_balancer_available`.
pub static AVAILABLE: Operation = Operation {
    name: "elbv2.wait_load_balancer_available",
    operation: "DescribeLoadBalancers",
    doc: "Waits until a load balancer stands and is active, as `#{load_balancers: [...]}`. \
          [DescribeLoadBalancers](https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancers.html)",
    class: Class::Read,
    schema: input::schema::<Which>,
    check,
    token: None,
    settle: Some(Settle { poll: "elbv2.wait_load_balancer_available", input: |input, _| input.clone(), judge }),
    sim: |world, call| look(world, call, false),
};

/// The operation `elbv2.wait_load_balancers_deleted`.
pub static DELETED: Operation = Operation {
    name: "elbv2.wait_load_balancers_deleted",
    operation: "DescribeLoadBalancers",
    doc: "Waits until none of these load balancers is left, naming those that are. \
          [DescribeLoadBalancers](https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancers.html)",
    class: Class::Read,
    schema: input::schema::<Which>,
    check,
    token: None,
    settle: Some(Settle { poll: "elbv2.wait_load_balancers_deleted", input: |input, _| input.clone(), judge }),
    sim: |world, call| look(world, call, true),
};
