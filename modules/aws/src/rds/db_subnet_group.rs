//! `rds.db_subnet_group`: the subnets that databases may stand in.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input,
    resource::{Identity, Meta},
    sandbox::{
        sim::{Ref, SimCall, Simple},
        world::World,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::simulate::{arn, check_name, texts};
use crate::{
    row::{Row, at_once, unordered},
    simulate::body,
};

/// What makes a subnet group. See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in the region, in lower case.
    pub db_subnet_group_name: String,
    /// What it is for; AWS wants one.
    pub db_subnet_group_description: String,
    /// Subnets of one VPC in at least two zones.
    pub subnet_ids: Vec<String>,
}

pub(super) static META: Meta = Meta {
    name: "rds.db_subnet_group",
    create: "create_db_subnet_group",
    operations: ("CreateDBSubnetGroup", "DeleteDBSubnetGroup"),
    doc: "Makes a group of subnets for databases.\n\nSee the \
          [RDS reference](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html).",
    identity: Identity::Key,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        input::check::<Input>(value)?;
        check_name(value, "db_subnet_group_name", 255)
    },
    locator: &["db_subnet_group_name"],
    along: &[],
    parents: &["subnet_ids"],
    judge: at_once,
    differences: unordered,
    sim: &SIM,
};

static SIM: Simple = Simple {
    id: |call| call.text("db_subnet_group_name").to_owned(),
    refs: &[Ref { field: "subnet_ids", kind: "ec2.subnet", missing: "InvalidSubnet", owned: false }],
    unique: (&["db_subnet_group_name"], "DBSubnetGroupAlreadyExists"),
    blocked: "InvalidDBSubnetGroupStateFault",
    missing: "DBSubnetGroupNotFoundFault",
    check,
    describe: |world, call, id| {
        let vpc = of_subnets(world, call, "vpc_id").first().copied().unwrap_or_default();
        json!({ "arn": arn(call, "subgrp", id), "name": id, "vpc_id": vpc, "subnet_group_status": "Complete" })
    },
    ..Simple::DEFAULT
};

fn of_subnets<'w>(world: &'w World, call: &SimCall<'_>, field: &str) -> Vec<&'w str> {
    let subnets = texts(call.input, "subnet_ids").into_iter();
    let found = subnets.filter_map(|id| world.get("ec2.subnet", &call.place.region, id, call.now_ms));
    let mut values: Vec<&str> = found.map(|subnet| body(subnet, field)).collect();
    values.sort_unstable();
    values.dedup();
    values
}

fn check(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    if of_subnets(world, call, "vpc_id").len() > 1 {
        return Err(CallError::refused("InvalidSubnet", "The subnets are not all in the same VPC."));
    }
    if of_subnets(world, call, "availability_zone").len() < 2 {
        let text = "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: one. Add \
                    subnets to cover at least 2 AZs.";
        return Err(CallError::refused("DBSubnetGroupDoesNotCoverEnoughAZs", text));
    }
    Ok(())
}
