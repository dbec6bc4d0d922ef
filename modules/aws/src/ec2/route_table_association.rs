//! A subnet's (or gateway's) route table: `associate_route_table`. Deleting it disassociates.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    resource::{Identity, Meta, same_fields},
    sandbox::{
        sim::{Ref, SimCall, Simple},
        world::World,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::simulate;
use crate::row::{Row, judge_state, text};

/// Input of `associate_route_table`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateRouteTable.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The route table.
    pub route_table_id: String,
    /// The subnet that uses it from now on, instead of the main one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet_id: Option<String>,
    /// Or a gateway of the VPC: an edge association.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_id: Option<String>,
}

/// The kind `ec2.route_table_association`.
pub static ASSOCIATION: Row = Row {
    meta: &Meta {
        name: "ec2.route_table_association",
        create: "associate_route_table",
        operations: ("AssociateRouteTable", "DisassociateRouteTable"),
        doc: "Gives a subnet (or a gateway) its route table. A subnet has one at most; without, it uses the VPC's main one. \
              [AssociateRouteTable](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateRouteTable.html)",
        identity: Identity::Key,
        usual: (Duration::ZERO, Duration::ZERO),
        cost: None,
        replaces: false,
        shared: false,
    },
    schema: input::schema::<Input>,
    check: |map| {
        let typed = input::parse::<Input>(map)?;
        match (typed.subnet_id, typed.gateway_id) {
            (Some(_), None) | (None, Some(_)) => Ok(()),
            _ => Err(InputError::new("", "needs either subnet_id or gateway_id")),
        }
    },
    locator: &["route_table_association_id"],
    along: &[],
    parents: &["route_table_id", "subnet_id", "gateway_id"],
    judge: |described| {
        let reason = described.get("association_state").and_then(|state| state.get("status_message"));
        let state = text(described, "association_state.state");
        judge_state(state, reason, &["associated", ""], &["failed"], &["disassociating", "disassociated"])
    },
    differences: same_fields,
    sim: &Simple {
        prefix: "rtbassoc-",
        refs: &[
            Ref {
                field: "route_table_id",
                kind: "ec2.route_table",
                missing: "InvalidRouteTableID.NotFound",
                owned: false,
            },
            Ref { field: "subnet_id", kind: "ec2.subnet", missing: "InvalidSubnetID.NotFound", owned: true },
            Ref {
                field: "gateway_id",
                kind: "ec2.internet_gateway",
                missing: "InvalidGatewayID.NotFound",
                owned: true,
            },
        ],
        unique: (&["subnet_id", "gateway_id"], "Resource.AlreadyAssociated"),
        missing: "InvalidAssociationID.NotFound",
        check: refuse,
        describe: |_, _, id| {
            json!({
                "route_table_association_id": id, "association_id": id, "main": false,
                "association_state": { "state": "associated" },
            })
        },
        made: |world, call, made| {
            let mut entry = made.body.clone();
            if let Some(map) = entry.as_object_mut() {
                map.remove("id");
                map.remove("association_id");
            }
            simulate::change(world, call, "ec2.route_table", call.text("route_table_id"), |map| {
                simulate::push(map, "associations", entry);
            });
        },
        deleted: |world, call, gone| {
            simulate::change(world, call, "ec2.route_table", simulate::body(gone, "route_table_id"), |map| {
                simulate::drop_entries(map, "associations", |a| text(a, "route_table_association_id") == gone.id);
            });
        },
        taggable: false,
        ..Simple::DEFAULT
    },
};

fn refuse(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    let (table, subnet) = (call.text("route_table_id"), call.text("subnet_id"));
    let vpc = |kind, id| simulate::get(world, call, kind, id).map(|o| simulate::body(o, "vpc_id"));
    if subnet.is_empty() || vpc("ec2.route_table", table) == vpc("ec2.subnet", subnet) {
        return Ok(());
    }
    let message = format!("Route table {table} and subnet {subnet} belong to different networks");
    Err(CallError::refused("InvalidParameterValue", message))
}

/// The SDK calls.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::Filter;
    use runbook_modules::error::CallError;
    use serde_json::Value;

    use super::super::{
        route_table::live::RouteTables,
        wire::{self, Listed},
    };
    use crate::live::{
        Clients, Driver, Sent, classify,
        convert::{Described, field},
        empty,
    };

    /// Associations.
    pub struct Associations;

    /// The association in the tables that pass a filter, with this field.
    async fn with(clients: &Clients, filter: Filter, name: &str, value: &str) -> Result<Option<Value>, CallError> {
        let tables = RouteTables::list(clients, Vec::new(), vec![filter]).await?;
        let all = tables.iter().filter_map(|table| table.get("associations")?.as_array()).flatten();
        let mut here = all
            .filter(|a| field(a, name) == value)
            .filter(|a| a.get("association_state").is_none_or(|state| field(state, "state") != "disassociated"));
        Ok(here.next().map(|association| {
            let id = field(association, "route_table_association_id");
            let mut map = association.clone();
            map["id"] = id.into();
            map["association_id"] = id.into();
            map
        }))
    }

    impl Driver for Associations {
        async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            let call = clients
                .ec2
                .associate_route_table()
                .route_table_id(&input.route_table_id)
                .set_subnet_id(input.subnet_id.clone())
                .set_gateway_id(input.gateway_id.clone());
            let answer = call.send().await.map_err(wire::making)?;
            let id = answer.association_id().ok_or_else(|| empty("association id"))?;
            let state = answer.association_state().map(|state| {
                Described::new().text("state", state.state()).text("status_message", state.status_message()).done()
            });
            Ok(Described::new()
                .text("id", Some(id))
                .text("route_table_association_id", Some(id))
                .text("association_id", Some(id))
                .text("route_table_id", Some(&input.route_table_id))
                .text("subnet_id", input.subnet_id.as_ref())
                .text("gateway_id", input.gateway_id.as_ref())
                .value("main", Some(false))
                .value("association_state", state)
                .done())
        }

        async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
            let id = field(at, "route_table_association_id");
            let filter = wire::by("association.route-table-association-id", id);
            with(clients, filter, "route_table_association_id", id).await
        }

        async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
            let name = if field(sent.input, "subnet_id").is_empty() { "gateway_id" } else { "subnet_id" };
            let of = field(sent.input, name);
            let filter = wire::by(format!("association.{}", name.replace('_', "-")), of);
            Ok(with(clients, filter, name, of).await?.into_iter().collect())
        }

        async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
            let call = clients.ec2.disassociate_route_table().association_id(field(at, "route_table_association_id"));
            call.send().await.map_err(classify)?;
            Ok(())
        }
    }
}
