//! EC2: networks, and what stands in them. One file a kind, with the describe call of the same noun beside it.
//!
//! * [`row`]: a kind as data; [`simulate`]: what the simulated kinds share.
//! * [`cidr`], [`filter`], [`rules`]: blocks, describe filters, rules of security groups.

use std::time::Duration;

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{Call, Driver};

pub mod accept_vpc_peering_connection;
pub mod address;
pub mod availability_zone;
pub mod cidr;
pub mod filter;
pub mod instance;
pub mod instance_type_offering;
pub mod internet_gateway;
pub mod internet_gateway_attachment;
pub mod modify_subnet_attribute;
pub mod modify_vpc_attribute;
pub mod modify_vpc_peering_connection_options;
pub mod nat_gateway;
pub mod network_interface;
pub mod route;
pub mod route_table;
pub mod route_table_association;
pub mod row;
pub mod rules;
pub mod security_group;
pub mod security_group_rules;
pub mod simulate;
pub mod subnet;
pub mod volume;
pub mod vpc;
pub mod vpc_peering_connection;

/// For how long EC2 is trusted to remember a client token. Its documentation names no time; a day is what its examples imply, and
/// half of that is assumed.
pub const REMEMBERED: Duration = Duration::from_secs(12 * 3600);

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(
        &[
            &vpc::VPC,
            &subnet::SUBNET,
            &internet_gateway::INTERNET_GATEWAY,
            &internet_gateway_attachment::ATTACHMENT,
            &address::ADDRESS,
            &nat_gateway::NAT_GATEWAY,
            &route_table::ROUTE_TABLE,
            &route::ROUTE,
            &route_table_association::ASSOCIATION,
            &vpc_peering_connection::PEERING,
            &security_group::SECURITY_GROUP,
            &security_group_rules::INGRESS,
            &security_group_rules::EGRESS,
            &network_interface::NETWORK_INTERFACE,
            &volume::VOLUME,
        ],
        &[
            &vpc::DESCRIBE,
            &subnet::DESCRIBE,
            &internet_gateway::DESCRIBE,
            &address::DESCRIBE,
            &nat_gateway::DESCRIBE,
            &route_table::DESCRIBE,
            &vpc_peering_connection::DESCRIBE,
            &security_group::DESCRIBE,
            &network_interface::DESCRIBE,
            &volume::DESCRIBE,
            &instance::DESCRIBE,
            &availability_zone::DESCRIBE,
            &instance_type_offering::DESCRIBE,
            &modify_vpc_attribute::MODIFY,
            &modify_subnet_attribute::MODIFY,
            &accept_vpc_peering_connection::ACCEPT,
            &modify_vpc_peering_connection_options::OPTIONS,
        ],
    );
}

/// The live calls of a kind.
#[cfg(feature = "live")]
pub fn driver(kind: &str) -> Option<&'static dyn Driver> {
    let _ = kind;
    None
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn Call> {
    let _ = operation;
    None
}
