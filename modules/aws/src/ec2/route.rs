//! Routes: `create_route`.

use std::time::Duration;

use runbook_modules::{
    error::{CallError, Class},
    input::{self, InputError},
    resource::{Health, Identity, Meta, same_fields},
    sandbox::{
        sim::{Ref, SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{cidr::Cidr, simulate};
use crate::row::{Row, text};

/// Input of `create_route`: a destination and one target. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The route table.
    pub route_table_id: String,
    /// Where the traffic goes, e.g. `0.0.0.0/0`.
    pub destination_cidr_block: Cidr,
    /// Target: an internet gateway (or a virtual private gateway) of the VPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_id: Option<String>,
    /// Target: a NAT gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nat_gateway_id: Option<String>,
    /// Target: a peering connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc_peering_connection_id: Option<String>,
    /// Target: a network interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_interface_id: Option<String>,
    /// Target: a transit gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transit_gateway_id: Option<String>,
}

/// The fields of which a route has exactly one: the kind in the sandbox, and the code when it does not exist.
const TARGETS: &[(&str, &str, &str)] = &[
    ("gateway_id", "ec2.internet_gateway", "InvalidGatewayID.NotFound"),
    ("nat_gateway_id", "ec2.nat_gateway", "InvalidNatGatewayID.NotFound"),
    ("vpc_peering_connection_id", "ec2.vpc_peering_connection", "InvalidVpcPeeringConnectionID.NotFound"),
    ("network_interface_id", "ec2.network_interface", "InvalidNetworkInterfaceID.NotFound"),
    ("transit_gateway_id", "ec2.transit_gateway", "InvalidTransitGatewayID.NotFound"),
];

/// The kind `ec2.route`.
pub static ROUTE: Row = Row {
    meta: &Meta {
        name: "ec2.route",
        create: "create_route",
        operations: ("CreateRoute", "DeleteRoute"),
        doc: "Adds a route to a route table: a destination and exactly one target.\n\nIt is ready when it is `active`; a route \
              to a peering connection that was not accepted yet is a `blackhole`. \
              [CreateRoute](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html)",
        identity: Identity::Key,
        usual: (Duration::ZERO, Duration::ZERO),
        cost: None,
        replaces: false,
        shared: false,
    },
    schema: input::schema::<Input>,
    check: |map| {
        input::check::<Input>(map)?;
        match TARGETS.iter().filter(|(field, ..)| map.get(*field).is_some_and(|v| !v.is_null())).count() {
            1 => Ok(()),
            0 => Err(InputError::new(
                "",
                "a route needs a target: gateway_id, nat_gateway_id, vpc_peering_connection_id, …",
            )),
            _ => Err(InputError::new("", "a route has one target only")),
        }
    },
    locator: &["route_table_id", "destination_cidr_block"],
    along: &[],
    parents: &[
        "route_table_id",
        "gateway_id",
        "nat_gateway_id",
        "vpc_peering_connection_id",
        "network_interface_id",
        "transit_gateway_id",
    ],
    judge: |described| match text(described, "state") {
        "blackhole" => Health::Pending("blackhole: its target is not active".to_owned()),
        _ => Health::Ready,
    },
    differences: |input, described| {
        let mut found = same_fields(input, described);
        for (field, ..) in TARGETS {
            if let (Some(asked), None) = (input.get(*field), described.get(*field)) {
                found.push(((*field).to_owned(), asked.clone(), Value::Null));
            }
        }
        found
    },
    sim: &Simple {
        id: |call| id(call.text("route_table_id"), call.text("destination_cidr_block")),
        refs: &[Ref {
            field: "route_table_id",
            kind: "ec2.route_table",
            missing: "InvalidRouteTableID.NotFound",
            owned: true,
        }],
        unique: (&[], "RouteAlreadyExists"),
        missing: "InvalidRoute.NotFound",
        check: refuse,
        describe: |world, call, _| json!({ "state": state(world, call), "origin": "CreateRoute" }),
        made: |world, call, made| {
            let mut entry = made.body.clone();
            if let Value::Object(map) = &mut entry {
                map.remove("id");
                map.remove("route_table_id");
            }
            simulate::change(world, call, "ec2.route_table", call.text("route_table_id"), |map| {
                simulate::push(map, "routes", entry);
            });
        },
        deleted: |world, call, gone| {
            let destination = simulate::body(gone, "destination_cidr_block");
            simulate::change(world, call, "ec2.route_table", simulate::body(gone, "route_table_id"), |map| {
                simulate::drop_entries(map, "routes", |r| text(r, "destination_cidr_block") == destination);
            });
        },
        delete_other: |world, call| local(world, call).map(Err),
        taggable: false,
        ..Simple::DEFAULT
    },
};

/// The refusal when the local route is to go, which came with the table.
fn local(world: &World, call: &SimCall<'_>) -> Option<CallError> {
    let destination = call.text("destination_cidr_block");
    let table = simulate::get(world, call, "ec2.route_table", call.text("route_table_id"))?;
    let own = |r: &Value| text(r, "gateway_id") == "local" && text(r, "destination_cidr_block") == destination;
    table.body.get("routes")?.as_array()?.iter().find(|route| own(route))?;
    let message = format!("cannot remove local route {destination} in route table {}", table.id);
    Some(CallError::refused("InvalidParameterValue", message))
}

/// The id that we give a route: AWS has none. The table's id and the destination.
pub fn id(table: &str, destination: &str) -> String {
    format!("{table}/{destination}")
}

fn target<'a>(call: &SimCall<'a>) -> Option<(&'static str, &'static str, &'static str, &'a str)> {
    TARGETS.iter().find_map(|(field, kind, missing)| Some((*field, *kind, *missing, call.input.get(*field)?.as_str()?)))
}

fn refuse(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    let table = simulate::get(world, call, "ec2.route_table", call.text("route_table_id"));
    let vpc = table.map(|table| simulate::body(table, "vpc_id")).unwrap_or_default();
    let destination = call.text("destination_cidr_block");
    let local = simulate::get(world, call, "ec2.vpc", vpc).map(|vpc| simulate::body(vpc, "cidr_block"));
    if local == Some(destination) {
        let message = format!("The route identified by {destination} already exists.");
        return Err(
            CallError::new(Class::AlreadyExists, "RouteAlreadyExists", message).hint("it is the VPC's local route")
        );
    }
    let Some((field, kind, missing, id)) = target(call) else { return Ok(()) };
    let Some(there) = anywhere(world, call, kind, id) else {
        return Err(CallError::refused(
            missing,
            format!("The {} ID '{id}' does not exist", field.trim_end_matches("_id")),
        ));
    };
    let network = match field {
        "gateway_id" => simulate::list(world, call, "ec2.internet_gateway_attachment")
            .find(|attached| simulate::body(attached, "internet_gateway_id") == id)
            .map_or("", |attached| simulate::body(attached, "vpc_id")),
        "vpc_peering_connection_id" if simulate::body(there, "peer_vpc_id") == vpc => vpc,
        _ => simulate::body(there, "vpc_id"),
    };
    if network == vpc {
        return Ok(());
    }
    let noun = field.trim_end_matches("_id").replace('_', " ");
    let message = format!("route table {} and {noun} {id} belong to different networks", call.text("route_table_id"));
    Err(CallError::refused("InvalidParameterValue", message))
}

/// A peering connection lives in the requester's region and is seen from both.
fn anywhere<'w>(world: &'w World, call: &SimCall<'_>, kind: &str, id: &str) -> Option<&'w Object> {
    simulate::get(world, call, kind, id).or_else(|| world.all(call.now_ms).find(|o| o.kind == kind && o.id == id))
}

fn state(world: &World, call: &SimCall<'_>) -> &'static str {
    let Some((_, kind, _, id)) = target(call) else { return "blackhole" };
    match anywhere(world, call, kind, id).map(|there| there.state(call.now_ms)) {
        Some("" | "active" | "available" | "in-use" | "pending" | "provisioning") => "active",
        _ => "blackhole",
    }
}

/// Sets the state of all routes to a target: a blackhole when it goes away, active when it comes.
pub fn set_state(world: &mut World, call: &SimCall<'_>, field: &str, target: &str, state: &str) {
    let hit: Vec<(String, String, String)> = world
        .all(call.now_ms)
        .filter(|o| o.kind == ROUTE.meta.name && simulate::body(o, field) == target)
        .map(|o| (o.place.clone(), o.id.clone(), simulate::body(o, "route_table_id").to_owned()))
        .collect();
    for (place, id, table) in hit {
        world.change(ROUTE.meta.name, &place, &id, |route| {
            if let Value::Object(map) = &mut route.body {
                map.insert("state".to_owned(), state.into());
            }
        });
        world.change("ec2.route_table", &place, &table, |table| {
            let routes = table.body.get_mut("routes").and_then(Value::as_array_mut);
            for route in routes.into_iter().flatten().filter(|r| text(r, field) == target) {
                if let Value::Object(map) = route {
                    map.insert("state".to_owned(), state.into());
                }
            }
        });
    }
}

/// The SDK calls.
#[cfg(feature = "live")]
pub mod live {
    use runbook_modules::error::CallError;
    use serde_json::{Value, json};

    use super::super::{route_table::live::RouteTables, wire};
    use crate::live::{Clients, Driver, Sent, classify, convert::field};

    /// Routes.
    pub struct Routes;

    fn described(table: &str, route: &Value) -> Value {
        let mut map = route.clone();
        map["id"] = super::id(table, field(route, "destination_cidr_block")).into();
        map["route_table_id"] = table.into();
        map
    }

    impl Driver for Routes {
        async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            let call = clients
                .ec2
                .create_route()
                .route_table_id(&input.route_table_id)
                .destination_cidr_block(input.destination_cidr_block.0.to_string())
                .set_gateway_id(input.gateway_id)
                .set_nat_gateway_id(input.nat_gateway_id)
                .set_vpc_peering_connection_id(input.vpc_peering_connection_id)
                .set_network_interface_id(input.network_interface_id)
                .set_transit_gateway_id(input.transit_gateway_id);
            call.send().await.map_err(wire::making)?;
            let mut route = sent.input.clone();
            route["origin"] = json!("CreateRoute");
            Ok(described(&input.route_table_id, &route))
        }

        /// The local route came with the table and is not ours, even with the same destination.
        async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
            let (id, destination) = (field(at, "route_table_id"), field(at, "destination_cidr_block"));
            let table = wire::one::<RouteTables>(clients, id).await?;
            let routes = table.as_ref().and_then(|table| table.get("routes")).and_then(Value::as_array);
            let here = routes.into_iter().flatten().find(|route| {
                field(route, "destination_cidr_block") == destination && field(route, "origin") != "CreateRouteTable"
            });
            Ok(here.map(|route| described(id, route)))
        }

        async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
            Ok(self.read(clients, sent.input).await?.into_iter().collect())
        }

        async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
            let call = clients
                .ec2
                .delete_route()
                .route_table_id(field(at, "route_table_id"))
                .destination_cidr_block(field(at, "destination_cidr_block"));
            call.send().await.map_err(classify)?;
            Ok(())
        }
    }
}
