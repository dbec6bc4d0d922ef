//! EC2: networks, and what stands in them. One file a kind, with the describe call of the same noun beside it.
//!
//! * [`simulate`]: what the simulated kinds share.
//! * [`cidr`], [`filter`], [`rules`]: blocks, describe filters, rules of security groups.
//! * `wire`: what the live calls share (feature `live`).

use std::time::Duration;

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};
#[cfg(feature = "live")]
use wire::List;

pub mod accept_vpc_peering_connection;
pub mod address;
pub mod availability_zone;
pub mod cidr;
pub mod delete_launch_template;
pub mod delete_security_group;
pub mod filter;
pub mod flow_log;
pub mod instance;
pub mod instance_type;
pub mod instance_type_offering;
pub mod internet_gateway;
pub mod internet_gateway_attachment;
pub mod keep_snapshot;
pub mod launch_template;
pub mod modify_subnet_attribute;
pub mod modify_vpc_attribute;
pub mod modify_vpc_peering_connection_options;
pub mod nat_gateway;
pub mod network_interface;
pub mod route;
pub mod route_table;
pub mod route_table_association;
pub mod rules;
pub mod security_group;
pub mod security_group_rules;
pub mod simulate;
pub mod snapshot;
pub mod subnet;
pub mod terminate_instances;
#[cfg(test)]
mod tests;
pub mod volume;
pub mod vpc;
pub mod vpc_peering_connection;
#[cfg(feature = "live")]
pub mod wire;

/// For how long EC2 is trusted to remember a client token. Nobody promises a time; idempotency.md assumes twelve hours.
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
            &flow_log::FLOW_LOG,
            &launch_template::LAUNCH_TEMPLATE,
            &snapshot::SNAPSHOT,
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
            &flow_log::DESCRIBE,
            &launch_template::DESCRIBE,
            &snapshot::DESCRIBE,
            &keep_snapshot::KEEP,
            &instance::DESCRIBE,
            &instance_type::DESCRIBE,
            &terminate_instances::TERMINATE,
            &availability_zone::DESCRIBE,
            &instance_type_offering::DESCRIBE,
            &delete_security_group::DELETE,
            &delete_launch_template::DELETE,
            &modify_vpc_attribute::MODIFY,
            &modify_subnet_attribute::MODIFY,
            &accept_vpc_peering_connection::ACCEPT,
            &modify_vpc_peering_connection_options::OPTIONS,
        ],
    );
}

/// The live calls of a kind.
#[cfg(feature = "live")]
pub fn driver(kind: &str) -> Option<&'static dyn DynDriver> {
    Some(match kind {
        "ec2.vpc" => &vpc::live::Vpcs,
        "ec2.subnet" => &subnet::live::Subnets,
        "ec2.internet_gateway" => &internet_gateway::live::InternetGateways,
        "ec2.internet_gateway_attachment" => &internet_gateway_attachment::live::Attachments,
        "ec2.address" => &address::live::Addresses,
        "ec2.nat_gateway" => &nat_gateway::live::NatGateways,
        "ec2.route_table" => &route_table::live::RouteTables,
        "ec2.route" => &route::live::Routes,
        "ec2.route_table_association" => &route_table_association::live::Associations,
        "ec2.vpc_peering_connection" => &vpc_peering_connection::live::Peerings,
        "ec2.security_group" => &security_group::live::SecurityGroups,
        "ec2.security_group_ingress" => &security_group_rules::live::Rules { egress: false },
        "ec2.security_group_egress" => &security_group_rules::live::Rules { egress: true },
        "ec2.network_interface" => &network_interface::live::NetworkInterfaces,
        "ec2.flow_log" => &flow_log::live::FlowLogs,
        "ec2.launch_template" => &launch_template::live::LaunchTemplates,
        "ec2.volume" => &volume::live::Volumes,
        "ec2.snapshot" => &snapshot::live::Snapshots,
        _ => return None,
    })
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    Some(match operation {
        "ec2.describe_vpcs" => &List::<vpc::live::Vpcs>::NEW,
        "ec2.describe_subnets" => &List::<subnet::live::Subnets>::NEW,
        "ec2.describe_internet_gateways" => &List::<internet_gateway::live::InternetGateways>::NEW,
        "ec2.describe_addresses" => &List::<address::live::Addresses>::NEW,
        "ec2.describe_nat_gateways" => &List::<nat_gateway::live::NatGateways>::NEW,
        "ec2.describe_route_tables" => &List::<route_table::live::RouteTables>::NEW,
        "ec2.describe_vpc_peering_connections" => &List::<vpc_peering_connection::live::Peerings>::NEW,
        "ec2.describe_security_groups" => &List::<security_group::live::SecurityGroups>::NEW,
        "ec2.describe_network_interfaces" => &List::<network_interface::live::NetworkInterfaces>::NEW,
        "ec2.describe_flow_logs" => &List::<flow_log::live::FlowLogs>::NEW,
        "ec2.describe_launch_templates" => &List::<launch_template::live::LaunchTemplates>::NEW,
        "ec2.describe_volumes" => &List::<volume::live::Volumes>::NEW,
        "ec2.describe_snapshots" => &List::<snapshot::live::Snapshots>::NEW,
        "ec2.keep_snapshot" => &keep_snapshot::live::Keep,
        "ec2.delete_security_group" => &delete_security_group::live::Delete,
        "ec2.delete_launch_template" => &delete_launch_template::live::Delete,
        "ec2.describe_instances" => &List::<instance::live::Reservations>::NEW,
        "ec2.describe_instance_types" => &List::<instance_type::live::Types>::NEW,
        "ec2.terminate_instances" => &terminate_instances::live::Terminate,
        "ec2.describe_availability_zones" => &List::<availability_zone::live::Zones>::NEW,
        "ec2.describe_instance_type_offerings" => &instance_type_offering::live::Offerings,
        "ec2.modify_vpc_attribute" => &modify_vpc_attribute::live::Modify,
        "ec2.modify_subnet_attribute" => &modify_subnet_attribute::live::Modify,
        "ec2.accept_vpc_peering_connection" => &accept_vpc_peering_connection::live::Accept,
        "ec2.modify_vpc_peering_connection_options" => &modify_vpc_peering_connection_options::live::Modify,
        _ => return None,
    })
}
