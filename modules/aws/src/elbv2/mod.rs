//! Elastic Load Balancing, version 2: one file a kind, with its describe call beside it. In a script the service is `elbv2`.
//!
//! * [`tags`]: `describe_tags`, and which of what is described carries certain tags.
//! * [`wait`]: waits for load balancers that others make or take down.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

pub mod listener;
#[cfg(feature = "live")]
mod live;
pub mod load_balancer;
pub mod tags;
pub mod target_group;
pub mod target_health;
#[cfg(test)]
mod tests;
pub mod wait;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(
        &[&load_balancer::KIND, &target_group::KIND, &listener::KIND],
        &[
            &load_balancer::DESCRIBE,
            &load_balancer::DELETE,
            &target_group::DESCRIBE,
            &target_group::DELETE,
            &target_health::DESCRIBE,
            &listener::DESCRIBE,
            &tags::DESCRIBE,
            &wait::AVAILABLE,
            &wait::DELETED,
        ],
    );
}

/// The live calls of a kind.
#[cfg(feature = "live")]
pub fn driver(kind: &str) -> Option<&'static dyn DynDriver> {
    Some(match kind {
        "elbv2.load_balancer" => &live::LoadBalancer,
        "elbv2.target_group" => &live::TargetGroup,
        "elbv2.listener" => &live::Listener,
        _ => return None,
    })
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    Some(match operation {
        "elbv2.describe_load_balancers" => &live::DescribeLoadBalancers,
        "elbv2.delete_load_balancer" => &live::DeleteLoadBalancer,
        "elbv2.describe_target_groups" => &live::DescribeTargetGroups,
        "elbv2.delete_target_group" => &live::DeleteTargetGroup,
        "elbv2.describe_target_health" => &live::DescribeTargetHealth,
        "elbv2.describe_listeners" => &live::DescribeListeners,
        "elbv2.describe_tags" => &live::DescribeTags,
        "elbv2.wait_load_balancer_available" => &live::Wait { gone: false },
        "elbv2.wait_load_balancers_deleted" => &live::Wait { gone: true },
        _ => return None,
    })
}
