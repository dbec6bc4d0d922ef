//! The service `route53`: one file a kind, [`change`] for what comes through later.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

pub mod change;
pub mod hosted_zone;
#[cfg(feature = "live")]
mod live;
pub mod record_set;
#[cfg(test)]
mod tests;
pub mod vpc_association;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(
        &[&hosted_zone::KIND, &vpc_association::KIND, &record_set::KIND],
        &[&change::GET, &hosted_zone::GET, &hosted_zone::LIST_BY_NAME, &record_set::LIST, &record_set::DELETE],
    );
}

/// The live calls of a kind.
#[cfg(feature = "live")]
pub fn driver(kind: &str) -> Option<&'static dyn DynDriver> {
    Some(match kind {
        "route53.hosted_zone" => &live::HostedZone,
        "route53.vpc_association" => &live::VpcAssociation,
        "route53.record_set" => &live::RecordSet,
        _ => return None,
    })
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    Some(match operation {
        "route53.get_change" => &live::GetChange,
        "route53.get_hosted_zone" => &live::GetHostedZone,
        "route53.list_hosted_zones_by_name" => &live::ListByName,
        "route53.list_resource_record_sets" => &live::ListRecordSets,
        "route53.delete_record_sets" => &live::DeleteRecordSets,
        _ => return None,
    })
}
