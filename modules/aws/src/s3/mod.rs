//! The service `s3`: buckets, what is set on them, and the objects in them.
//!
//! * [`bucket`]: the bucket, and when it may be emptied.
//! * [`object`]: the objects, which a run does not own.
//! * [`encryption`], [`lifecycle`], [`policy`], [`public_access`]: what is put on a bucket; undo puts back what stood there.
//! * [`versioning`]: cannot be taken back, only suspended, so it is a change and no kind.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

pub mod bucket;
pub mod encryption;
pub mod lifecycle;
#[cfg(feature = "live")]
mod live;
pub mod object;
pub mod policy;
pub mod public_access;
#[cfg(test)]
mod tests;
pub mod versioning;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(
        &[&bucket::KIND, &encryption::KIND, &lifecycle::KIND, &policy::KIND, &public_access::KIND],
        &[&bucket::HEAD, &bucket::LOCATION, &object::LIST, &object::DELETE, &versioning::PUT, &versioning::GET],
    );
}

/// The live calls of a kind.
#[cfg(feature = "live")]
pub fn driver(kind: &str) -> Option<&'static dyn DynDriver> {
    Some(match kind {
        "s3.bucket" => &live::Bucket,
        "s3.bucket_encryption" => &live::Encryption,
        "s3.bucket_lifecycle_configuration" => &live::Lifecycle,
        "s3.bucket_policy" => &live::Policy,
        "s3.public_access_block" => &live::PublicAccess,
        _ => return None,
    })
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    Some(match operation {
        "s3.head_bucket" => &live::Head,
        "s3.get_bucket_location" => &live::Location,
        "s3.list_objects_v2" => &live::ListObjects,
        "s3.delete_objects" => &live::DeleteObjects,
        "s3.put_bucket_versioning" => &live::PutVersioning,
        "s3.get_bucket_versioning" => &live::GetVersioning,
        _ => return None,
    })
}
