//! Route tables: `create_route_table`, `describe_route_tables`.

use std::time::Duration;

use runbook_modules::{
    input,
    operation::{Class, Operation},
    resource::{Health, Identity, Meta, same_fields},
    sandbox::{
        sim::{Ref, SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{REMEMBERED, filter::Filters, row::Row, simulate};

/// Input of `create_route_table`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRouteTable.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The VPC.
    pub vpc_id: String,
}

/// The kind `ec2.route_table`.
pub static ROUTE_TABLE: Row = Row {
    meta: &Meta {
        name: "ec2.route_table",
        create: "create_route_table",
        operations: ("CreateRouteTable", "DeleteRouteTable"),
        doc: "Makes a route table with the local route; `create_route` adds routes, `associate_route_table` gives it to a subnet. \
              [CreateRouteTable](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRouteTable.html)",
        identity: Identity::Token { field: "client_token", safe: REMEMBERED, key: false },
        usual: (Duration::ZERO, Duration::ZERO),
        cost: None,
        replaces: false,
        shared: false,
    },
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    locator: &["route_table_id"],
    parents: &["vpc_id"],
    judge: |_| Health::Ready,
    differences: same_fields,
    sim: Simple {
        prefix: "rtb-",
        refs: &[Ref { field: "vpc_id", kind: "ec2.vpc", missing: "InvalidVpcID.NotFound", owned: false }],
        token: true,
        missing: "InvalidRouteTableID.NotFound",
        describe: |world, call, id| {
            let vpc = simulate::get(world, call, "ec2.vpc", call.text("vpc_id"));
            contents(call, id, vpc.map_or("", |vpc| simulate::body(vpc, "cidr_block")))
        },
        ..Simple::DEFAULT
    },
};

fn contents(call: &SimCall<'_>, id: &str, block: &str) -> Value {
    let local = json!({
        "destination_cidr_block": block, "gateway_id": "local", "state": "active", "origin": "CreateRouteTable",
    });
    json!({ "route_table_id": id, "owner_id": call.account, "routes": [local], "associations": [], "propagating_vgws": [] })
}

/// The main route table that AWS makes with a VPC.
pub fn put_main(world: &mut World, call: &SimCall<'_>, vpc: &Object) {
    let id = world.new_id("rtb-");
    let association = world.new_id("rtbassoc-");
    let mut body = contents(call, &id, simulate::body(vpc, "cidr_block"));
    if let Value::Object(map) = &mut body {
        map.insert("id".to_owned(), id.as_str().into());
        map.insert("vpc_id".to_owned(), vpc.id.as_str().into());
        simulate::push(
            map,
            "associations",
            json!({
                "route_table_association_id": association, "route_table_id": id, "main": true,
                "association_state": { "state": "associated" },
            }),
        );
    }
    simulate::put_owned(world, call, ROUTE_TABLE.meta.name, &id, vpc, body);
}

/// Input of `describe_route_tables`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRouteTables.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these ids; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route_table_ids: Option<Vec<String>>,
    /// Filters by AWS's names, e.g. `#{"vpc-id": vpc.id, "association.main": "true"}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// The operation `ec2.describe_route_tables`.
pub static DESCRIBE: Operation = Operation {
    name: "ec2.describe_route_tables",
    operation: "DescribeRouteTables",
    doc: "Lists route tables with their routes and associations, as `#{route_tables: [...]}`. \
          [DescribeRouteTables](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRouteTables.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        let aliases = &[
            ("association.main", "associations.main"),
            ("association.subnet-id", "associations.subnet_id"),
            ("association.route-table-id", "associations.route_table_id"),
            ("association.route-table-association-id", "associations.route_table_association_id"),
            ("route.destination-cidr-block", "routes.destination_cidr_block"),
            ("route.gateway-id", "routes.gateway_id"),
            ("route.nat-gateway-id", "routes.nat_gateway_id"),
            ("route.vpc-peering-connection-id", "routes.vpc_peering_connection_id"),
            ("route.state", "routes.state"),
            ("route.origin", "routes.origin"),
        ];
        simulate::describe(&ROUTE_TABLE, world, call, "route_table_ids", "route_tables", aliases)
    },
};
