//! Route tables: `create_route_table`, `describe_route_tables`.

use std::time::Duration;

use runbook_modules::{
    error::{CallError, Class as ErrorClass},
    input,
    operation::{Class, Operation},
    resource::{Identity, Meta, same_fields},
    sandbox::{
        sim::{Ref, SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{REMEMBERED, filter::Filters, simulate};
use crate::row::{Row, at_once};

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
    along: &[],
    parents: &["vpc_id"],
    judge: at_once,
    differences: same_fields,
    sim: &Simple {
        prefix: "rtb-",
        refs: &[Ref { field: "vpc_id", kind: "ec2.vpc", missing: "InvalidVpcID.NotFound", owned: false }],
        token: true,
        missing: "InvalidRouteTableID.NotFound",
        describe: |world, call, id| {
            let vpc = simulate::get(world, call, "ec2.vpc", call.text("vpc_id"));
            contents(call, id, vpc.map_or("", |vpc| simulate::body(vpc, "cidr_block")))
        },
        check_delete: |_, _, table| {
            let associations = table.body.get("associations").and_then(Value::as_array);
            match associations.into_iter().flatten().any(|association| association["main"] == true) {
                false => Ok(()),
                true => {
                    let message = format!("The routeTable '{}' has dependencies and cannot be deleted.", table.id);
                    Err(CallError::new(ErrorClass::Blocked, "DependencyViolation", message)
                        .hint("it is its VPC's main route table and goes with the VPC"))
                }
            }
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

/// The SDK calls.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::{Filter, ResourceType, Route, RouteTable, RouteTableAssociation};
    use runbook_modules::error::CallError;
    use serde_json::Value;

    use super::super::wire::{self, Listed};
    use crate::live::{
        Clients, Driver, Sent, classify,
        convert::{Described, field},
        empty,
    };

    /// Route tables.
    pub struct RouteTables;

    fn described(table: &RouteTable) -> Value {
        Described::new()
            .text("id", table.route_table_id())
            .text("route_table_id", table.route_table_id())
            .text("vpc_id", table.vpc_id())
            .text("owner_id", table.owner_id())
            .list("routes", table.routes(), route)
            .list("associations", table.associations(), association)
            .list("propagating_vgws", table.propagating_vgws(), |vgw| {
                Described::new().text("gateway_id", vgw.gateway_id()).done()
            })
            .tags(wire::pairs(table.tags()))
            .done()
    }

    fn route(route: &Route) -> Value {
        Described::new()
            .text("destination_cidr_block", route.destination_cidr_block())
            .text("destination_ipv6_cidr_block", route.destination_ipv6_cidr_block())
            .text("destination_prefix_list_id", route.destination_prefix_list_id())
            .text("gateway_id", route.gateway_id())
            .text("nat_gateway_id", route.nat_gateway_id())
            .text("vpc_peering_connection_id", route.vpc_peering_connection_id())
            .text("network_interface_id", route.network_interface_id())
            .text("transit_gateway_id", route.transit_gateway_id())
            .text("instance_id", route.instance_id())
            .text("state", route.state())
            .text("origin", route.origin())
            .done()
    }

    fn association(association: &RouteTableAssociation) -> Value {
        let state = association.association_state().map(|state| {
            Described::new().text("state", state.state()).text("status_message", state.status_message()).done()
        });
        Described::new()
            .text("route_table_association_id", association.route_table_association_id())
            .text("route_table_id", association.route_table_id())
            .text("subnet_id", association.subnet_id())
            .text("gateway_id", association.gateway_id())
            .value("main", association.main())
            .value("association_state", state)
            .done()
    }

    impl Listed for RouteTables {
        const IDS: &'static str = "route_table_ids";
        const ANSWER: &'static str = "route_tables";

        async fn list(clients: &Clients, ids: Vec<String>, filters: Vec<Filter>) -> Result<Vec<Value>, CallError> {
            let call = clients.ec2.describe_route_tables();
            let call = call.set_route_table_ids(wire::some(ids)).set_filters(wire::some(filters));
            let tables = call.into_paginator().items().send().try_collect().await.map_err(classify)?;
            Ok(tables.iter().map(described).collect())
        }
    }

    impl Driver for RouteTables {
        async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            let call = clients
                .ec2
                .create_route_table()
                .client_token(sent.token)
                .vpc_id(input.vpc_id)
                .tag_specifications(wire::tags(ResourceType::RouteTable, sent));
            let answer = call.send().await.map_err(wire::making)?;
            answer.route_table().map(described).ok_or_else(|| empty("route table"))
        }

        async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
            wire::one::<Self>(clients, field(at, "route_table_id")).await
        }

        async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
            Self::list(clients, Vec::new(), vec![wire::by_effect(sent)]).await
        }

        async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
            let call = clients.ec2.delete_route_table().route_table_id(field(at, "route_table_id"));
            call.send().await.map_err(classify)?;
            Ok(())
        }

        async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
            let table = self.read(clients, at).await.ok().flatten();
            let associations = table.as_ref().and_then(|table| table.get("associations")).and_then(Value::as_array);
            let each = |a: &Value| format!("{} of {}", field(a, "route_table_association_id"), field(a, "subnet_id"));
            associations.into_iter().flatten().map(each).collect()
        }
    }
}
