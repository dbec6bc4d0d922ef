//! What the live calls share. SDK retries are off in every client: the engine owns retries, since only it knows what may
//! be sent again.
//!
//! * [`clients`]: the SDK clients of one place.
//! * [`credentials`]: which ones are in use, and fresh ones.
//! * [`error`]: what AWS answered, sorted into classes.
//! * [`convert`]: AWS's types as JSON.
//! * [`driver`]: what a kind and an operation implement.
//! * [`eks_access`]: how the API server of an EKS cluster is reached.
//! * [`hollow`]: answers that are none.
//! * [`skew`]: a clock that is not AWS's.
//! * [`tagged`]: what carries our tags.
//! * [`target`]: the target itself, which finds the calls of a kind or operation here.

use std::collections::BTreeMap;

use runbook_modules::error::CallError;
use serde_json::Value;

pub mod clients;
pub mod convert;
pub mod credentials;
pub mod driver;
pub mod eks_access;
pub mod error;
pub mod hollow;
pub mod skew;
pub mod tagged;
pub mod target;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unreached;

pub use clients::Clients;
pub use driver::{Call, Driver, DynCall, DynDriver};
pub use error::{classify, empty};
pub use target::Live;

/// What a live creation or operation carries: the checked input with the values of secrets in it, the token, the tags.
pub struct Sent<'a> {
    /// The input.
    pub input: &'a Value,
    /// The idempotency token, 64 characters.
    pub token: &'a str,
    /// Tags for the same request.
    pub tags: &'a BTreeMap<String, String>,
}

impl Sent<'_> {
    /// The typed form of the input.
    ///
    /// # Errors
    /// `InvalidInput`, when the input was not checked before or a secret's value does not fit its field.
    pub fn typed<T: serde::de::DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_value(self.input.clone()).map_err(|e| CallError::refused("InvalidInput", e.to_string()))
    }
}

/// The live calls of a kind, by its name.
pub fn driver(kind: &str) -> Option<&'static dyn DynDriver> {
    match kind.split_once('.')?.0 {
        "account" => crate::account::driver(kind),
        "acm" => crate::acm::driver(kind),
        "autoscaling" => crate::autoscaling::driver(kind),
        "cloudwatch" => crate::cloudwatch::driver(kind),
        "ec2" => crate::ec2::driver(kind),
        "ecr" => crate::ecr::driver(kind),
        "eks" => crate::eks::driver(kind),
        "elbv2" => crate::elbv2::driver(kind),
        "events" => crate::events::driver(kind),
        "iam" => crate::iam::driver(kind),
        "kms" => crate::kms::driver(kind),
        "logs" => crate::logs::driver(kind),
        "rds" => crate::rds::driver(kind),
        "route53" => crate::route53::driver(kind),
        "s3" => crate::s3::driver(kind),
        "secretsmanager" => crate::secretsmanager::driver(kind),
        "servicediscovery" => crate::servicediscovery::driver(kind),
        "servicequotas" => crate::servicequotas::driver(kind),
        "sqs" => crate::sqs::driver(kind),
        "ssm" => crate::ssm::driver(kind),
        "sts" => crate::sts::driver(kind),
        "wafv2" => crate::wafv2::driver(kind),
        _ => None,
    }
}

/// The live call of an operation, by its name.
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    match operation.split_once('.')?.0 {
        "account" => crate::account::call(operation),
        "acm" => crate::acm::call(operation),
        "autoscaling" => crate::autoscaling::call(operation),
        "cloudwatch" => crate::cloudwatch::call(operation),
        "ec2" => crate::ec2::call(operation),
        "ecr" => crate::ecr::call(operation),
        "eks" => crate::eks::call(operation),
        "elbv2" => crate::elbv2::call(operation),
        "events" => crate::events::call(operation),
        "iam" => crate::iam::call(operation),
        "kms" => crate::kms::call(operation),
        "logs" => crate::logs::call(operation),
        "rds" => crate::rds::call(operation),
        "route53" => crate::route53::call(operation),
        "s3" => crate::s3::call(operation),
        "secretsmanager" => crate::secretsmanager::call(operation),
        "servicediscovery" => crate::servicediscovery::call(operation),
        "servicequotas" => crate::servicequotas::call(operation),
        "sqs" => crate::sqs::call(operation),
        "ssm" => crate::ssm::call(operation),
        "sts" => crate::sts::call(operation),
        "wafv2" => crate::wafv2::call(operation),
        _ => None,
    }
}
