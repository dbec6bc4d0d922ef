//! The cases, one file for each group of kinds.

use super::case::Case;

mod addons;
mod addresses;
mod clusters;
mod gateways;
mod groups;
mod instances;
mod interfaces;
mod namespaces;
mod nat_gateways;
mod nodegroups;
mod peerings;
mod policies;
mod records;
mod region;
mod roles;
mod routes;
mod services;
mod subnets;
mod volumes;
mod vpcs;
mod zones;

/// Every case, by service.
pub fn all() -> Vec<&'static Case> {
    [
        vpcs::CASES,
        subnets::CASES,
        gateways::CASES,
        addresses::CASES,
        nat_gateways::CASES,
        routes::CASES,
        peerings::CASES,
        groups::CASES,
        interfaces::CASES,
        volumes::CASES,
        region::CASES,
        roles::CASES,
        policies::CASES,
        clusters::CASES,
        nodegroups::CASES,
        addons::CASES,
        zones::CASES,
        records::CASES,
        namespaces::CASES,
        services::CASES,
        instances::CASES,
    ]
    .into_iter()
    .flatten()
    .collect()
}
