//! The SDK calls of IAM.

use aws_sdk_iam::types::Tag;
use runbook_modules::error::{CallError, Class};

use crate::live::{Sent, convert::built};

mod access_key;
mod instance_profile;
mod policy;
mod provider;
mod role;
mod role_policy;
mod service_linked_role;
#[cfg(test)]
mod tests;
mod user;

pub(super) use access_key::AccessKey;
pub(super) use instance_profile::{
    DeleteInstanceProfile, GetInstanceProfile, InstanceProfile, InstanceProfileRole, ListInstanceProfiles,
};
pub(super) use policy::Policy;
pub(super) use provider::{GetProvider, Provider};
pub(super) use role::{GetRole, Role};
pub(super) use role_policy::{Attachment, ListAttached, RolePolicy};
pub(super) use service_linked_role::ServiceLinkedRole;
pub(super) use user::{User, UserPolicy};

fn tags(sent: &Sent<'_>) -> Result<Vec<Tag>, CallError> {
    sent.tags.iter().map(|(key, value)| built(Tag::builder().key(key).value(value).build())).collect()
}

fn pairs(tags: &[Tag]) -> impl Iterator<Item = (Option<&str>, Option<&str>)> {
    tags.iter().map(|tag| (Some(tag.key()), Some(tag.value())))
}

fn none_if_missing<T>(found: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match found {
        Err(e) if e.class == Class::NotFound => Ok(None),
        other => other.map(Some),
    }
}
