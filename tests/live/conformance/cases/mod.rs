//! The cases, one file for each group of kinds.

use super::case::Case;

mod access;
mod accounts;
mod addons;
mod addresses;
mod alarms;
mod bucket_settings;
mod buckets;
mod certificates;
mod clusters;
mod databases;
mod db_clusters;
mod db_groups;
mod db_proxies;
mod flow_logs;
mod gateways;
mod groups;
mod instances;
mod interfaces;
mod keys;
mod launch_templates;
mod listeners;
mod load_balancers;
mod log_groups;
mod namespaces;
mod nat_gateways;
mod nodegroups;
mod parameters;
mod peerings;
mod policies;
mod profiles;
mod queues;
mod quotas;
mod records;
mod region;
mod repositories;
mod roles;
mod routes;
mod rules;
mod scaling;
mod secrets;
mod services;
mod snapshots;
mod subnets;
mod users;
mod volumes;
mod vpcs;
mod web_acls;
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
        snapshots::CASES,
        launch_templates::CASES,
        flow_logs::CASES,
        region::CASES,
        roles::CASES,
        policies::CASES,
        users::CASES,
        profiles::CASES,
        clusters::CASES,
        nodegroups::CASES,
        addons::CASES,
        access::CASES,
        zones::CASES,
        records::CASES,
        namespaces::CASES,
        services::CASES,
        instances::CASES,
        buckets::CASES,
        bucket_settings::CASES,
        queues::CASES,
        rules::CASES,
        log_groups::CASES,
        keys::CASES,
        secrets::CASES,
        repositories::CASES,
        certificates::CASES,
        load_balancers::CASES,
        listeners::CASES,
        web_acls::CASES,
        db_groups::CASES,
        databases::CASES,
        db_clusters::CASES,
        db_proxies::CASES,
        alarms::CASES,
        parameters::CASES,
        scaling::CASES,
        accounts::CASES,
        quotas::CASES,
    ]
    .into_iter()
    .flatten()
    .collect()
}
