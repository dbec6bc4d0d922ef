//! The service `servicediscovery` (AWS Cloud Map): one file a kind, [`operation`] for what is carried out later.

use std::time::Duration;

use runbook_modules::{resource::Identity, table::Table};

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

pub mod instance;
#[cfg(feature = "live")]
mod live;
pub mod namespace;
pub mod operation;
pub mod service;
#[cfg(test)]
mod tests;

/// For how long Cloud Map is trusted to remember a CreatorRequestId; it documents no time.
const REMEMBERED: Duration = Duration::from_secs(1800);

/// The same CreatorRequestId gives the first one again; the name is the natural key.
const TOKEN: Identity = Identity::Token { field: "creator_request_id", safe: REMEMBERED, key: true };

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(
        &[&namespace::HTTP, &namespace::PRIVATE_DNS, &service::KIND, &instance::KIND],
        &[
            &namespace::LIST,
            &namespace::DELETE,
            &service::LIST,
            &service::DELETE,
            &instance::LIST,
            &instance::DISCOVER,
            &instance::DEREGISTER,
            &operation::GET,
        ],
    );
}

/// The live calls of a kind.
#[cfg(feature = "live")]
pub fn driver(kind: &str) -> Option<&'static dyn DynDriver> {
    Some(match kind {
        "servicediscovery.http_namespace" => &live::HttpNamespace,
        "servicediscovery.private_dns_namespace" => &live::PrivateDnsNamespace,
        "servicediscovery.service" => &live::Service,
        "servicediscovery.instance" => &live::Instance,
        _ => return None,
    })
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    Some(match operation {
        "servicediscovery.list_namespaces" => &live::ListNamespaces,
        "servicediscovery.delete_namespace" => &live::DeleteNamespace,
        "servicediscovery.list_services" => &live::ListServices,
        "servicediscovery.delete_service" => &live::DeleteService,
        "servicediscovery.list_instances" => &live::ListInstances,
        "servicediscovery.discover_instances" => &live::DiscoverInstances,
        "servicediscovery.deregister_instance" => &live::DeregisterInstance,
        "servicediscovery.get_operation" => &live::GetOperation,
        _ => return None,
    })
}
