//! `describe_instances`. No kind: node groups make the instances.

use runbook_modules::{
    input,
    operation::{Class, Operation},
    sandbox::sim::Simple,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{filter::Filters, simulate};

/// Input of `describe_instances`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these ids; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_ids: Option<Vec<String>>,
    /// Filters by AWS's names, e.g. `#{"vpc-id": vpc.id, "instance-state-name": "running"}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// The operation `ec2.describe_instances`.
pub static DESCRIBE: Operation = Operation {
    name: "ec2.describe_instances",
    operation: "DescribeInstances",
    doc: "Lists instances, as `#{reservations: [#{instances: [...]}]}`. \
          [DescribeInstances](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        let aliases = &[("instance-state-name", "state.name"), ("availability-zone", "placement.availability_zone")];
        let instances = simulate::describe_kind("ec2.instance", &INSTANCE, world, call, "instance_ids", aliases)?;
        let each = |instance: Value| json!({ "owner_id": call.account, "instances": [instance] });
        let reservations: Vec<Value> = instances.into_iter().map(each).collect();
        Ok(json!({ "reservations": reservations }))
    },
};

/// How the sandbox describes an instance that a node group put into the world.
static INSTANCE: Simple =
    Simple { prefix: "i-", state_field: "state.name", missing: "InvalidInstanceID.NotFound", ..Simple::DEFAULT };

/// The SDK call.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::{Filter, Instance, Reservation};
    use runbook_modules::error::CallError;
    use serde_json::Value;

    use super::super::wire::{self, Listed};
    use crate::live::{Clients, classify, convert::Described};

    /// Instances, by reservation.
    pub struct Reservations;

    fn described(instance: &Instance) -> Value {
        let state = instance.state().map(|state| Described::new().text("name", state.name()).done());
        let placement =
            instance.placement().map(|at| Described::new().text("availability_zone", at.availability_zone()).done());
        Described::new()
            .text("id", instance.instance_id())
            .text("instance_id", instance.instance_id())
            .text("instance_type", instance.instance_type())
            .text("instance_lifecycle", instance.instance_lifecycle())
            .text("image_id", instance.image_id())
            .value("state", state)
            .value("placement", placement)
            .text("vpc_id", instance.vpc_id())
            .text("subnet_id", instance.subnet_id())
            .text("private_ip_address", instance.private_ip_address())
            .text("public_ip_address", instance.public_ip_address())
            .text("private_dns_name", instance.private_dns_name())
            .time("launch_time", instance.launch_time())
            .list("security_groups", instance.security_groups(), |group| {
                Described::new().text("group_id", group.group_id()).text("group_name", group.group_name()).done()
            })
            .tags(wire::pairs(instance.tags()))
            .done()
    }

    fn reservation(reservation: &Reservation) -> Value {
        Described::new()
            .text("owner_id", reservation.owner_id())
            .list("instances", reservation.instances(), described)
            .done()
    }

    impl Listed for Reservations {
        const IDS: &'static str = "instance_ids";
        const ANSWER: &'static str = "reservations";

        async fn list(clients: &Clients, ids: Vec<String>, filters: Vec<Filter>) -> Result<Vec<Value>, CallError> {
            let call = clients.ec2.describe_instances();
            let call = call.set_instance_ids(wire::some(ids)).set_filters(wire::some(filters));
            let reservations = call.into_paginator().items().send().try_collect().await.map_err(classify)?;
            Ok(reservations.iter().map(reservation).collect())
        }
    }
}
