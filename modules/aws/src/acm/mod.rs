//! Certificate Manager: [`certificate`], and the wait for its validation. In a script the service is `acm`.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

pub mod certificate;
#[cfg(feature = "live")]
mod live;
mod simulate;
#[cfg(test)]
mod tests;
pub mod validated;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(&[&certificate::KIND], &[&certificate::DESCRIBE, &certificate::LIST, &validated::WAIT]);
}

/// The live calls of a kind.
#[cfg(feature = "live")]
pub fn driver(kind: &str) -> Option<&'static dyn DynDriver> {
    match kind {
        "acm.certificate" => Some(&live::Certificate),
        _ => None,
    }
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    Some(match operation {
        "acm.describe_certificate" => &live::DescribeCertificate,
        "acm.list_certificates" => &live::ListCertificates,
        "acm.wait_certificate_validated" => &live::DescribeCertificate,
        _ => return None,
    })
}
