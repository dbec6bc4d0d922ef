//! AWS resource kinds and operations, one file a kind, by service. Always compiled; the official SDK behind the feature `live`.
//!
//! `ec2/vpc.rs` and its like hold the typed input, the kind (or operation) and how the sandbox simulates it; the SDK calls stand
//! in the service's folder `live`. [`live`] holds what those share: clients, error classes, the target. [`row`] and [`simulate`]
//! hold what the kinds share.

use runbook_modules::table::Table;

pub mod account;
pub mod acm;
pub mod autoscaling;
pub mod cloudwatch;
pub mod ec2;
pub mod ecr;
pub mod eks;
pub mod elbv2;
pub mod events;
pub mod iam;
pub mod kms;
#[cfg(feature = "live")]
pub mod live;
pub mod logs;
pub mod rds;
pub mod route53;
pub mod row;
pub mod s3;
pub mod secretsmanager;
pub mod servicediscovery;
pub mod servicequotas;
pub mod simulate;
pub mod sqs;
pub mod ssm;
pub mod sts;
#[cfg(test)]
mod testing;
pub mod wafv2;

/// Adds everything to the table.
pub fn register(table: &mut Table) {
    account::register(table);
    acm::register(table);
    autoscaling::register(table);
    cloudwatch::register(table);
    ec2::register(table);
    eks::register(table);
    elbv2::register(table);
    events::register(table);
    iam::register(table);
    kms::register(table);
    logs::register(table);
    rds::register(table);
    route53::register(table);
    s3::register(table);
    secretsmanager::register(table);
    servicediscovery::register(table);
    servicequotas::register(table);
    sqs::register(table);
    ssm::register(table);
    sts::register(table);
    wafv2::register(table);
    ecr::register(table);
}
