//! The service `wafv2`: web ACLs, the IP sets in their rules, what they protect, and where they log.
//!
//! Changes and deletions carry a lock token, which is read again each time: nothing of it is kept.
//!
//! * [`ip_set`]: addresses, which operators change later.
//! * [`web_acl`] with its [`rule`]s.
//! * [`association`], [`logging`]: one of each for a resource or web ACL.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

pub mod association;
pub mod ip_set;
#[cfg(feature = "live")]
mod live;
pub mod logging;
pub mod rule;
#[cfg(test)]
mod tests;
pub mod web_acl;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(
        &[&ip_set::KIND, &web_acl::KIND, &association::KIND, &logging::KIND],
        &[&ip_set::GET, &ip_set::UPDATE, &web_acl::GET, &association::GET],
    );
}

/// The live calls of a kind.
#[cfg(feature = "live")]
pub fn driver(kind: &str) -> Option<&'static dyn DynDriver> {
    Some(match kind {
        "wafv2.ip_set" => &live::IpSet,
        "wafv2.web_acl" => &live::WebAcl,
        "wafv2.web_acl_association" => &live::Association,
        "wafv2.logging_configuration" => &live::Logging,
        _ => return None,
    })
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    Some(match operation {
        "wafv2.get_ip_set" => &live::GetIpSet,
        "wafv2.update_ip_set" => &live::UpdateIpSet,
        "wafv2.get_web_acl" => &live::GetWebAcl,
        "wafv2.get_web_acl_for_resource" => &live::GetForResource,
        _ => return None,
    })
}

/// Refuses a scope that WAF does not know.
fn check_scope(value: &serde_json::Value) -> Result<(), runbook_modules::input::InputError> {
    match crate::row::text(value, "scope") {
        "REGIONAL" | "CLOUDFRONT" => Ok(()),
        other => {
            let why = format!("must be REGIONAL or CLOUDFRONT, not {other:?}");
            Err(runbook_modules::input::InputError::new("scope", why))
        }
    }
}

/// An id as WAF gives them: a UUID, always the same for a token.
fn uuid(token: &str) -> String {
    let digits = crate::simulate::digits(token, 32);
    format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
}
