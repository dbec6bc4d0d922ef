//! The service `iam`: one file a kind.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

pub mod access_key;
pub mod document;
pub mod instance_profile;
pub mod instance_profiles;
#[cfg(feature = "live")]
mod live;
pub mod open_id_connect_provider;
pub mod policy;
pub mod role;
pub mod role_policy;
pub mod role_policy_attachment;
pub mod service_linked_role;
#[cfg(test)]
mod tests;
pub mod user;
pub mod user_policy;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(
        &[
            &role::KIND,
            &role_policy_attachment::KIND,
            &role_policy::KIND,
            &policy::KIND,
            &open_id_connect_provider::KIND,
            &user::KIND,
            &user_policy::KIND,
            &access_key::KIND,
            &instance_profile::KIND,
            &instance_profile::ROLE,
            &service_linked_role::KIND,
        ],
        &[
            &role::GET,
            &role_policy_attachment::LIST,
            &open_id_connect_provider::GET,
            &instance_profiles::LIST,
            &instance_profiles::GET,
            &instance_profiles::DELETE,
        ],
    );
}

/// The live calls of a kind.
#[cfg(feature = "live")]
pub fn driver(kind: &str) -> Option<&'static dyn DynDriver> {
    Some(match kind {
        "iam.role" => &live::Role,
        "iam.role_policy_attachment" => &live::Attachment,
        "iam.role_policy" => &live::RolePolicy,
        "iam.policy" => &live::Policy,
        "iam.open_id_connect_provider" => &live::Provider,
        "iam.user" => &live::User,
        "iam.user_policy" => &live::UserPolicy,
        "iam.access_key" => &live::AccessKey,
        "iam.instance_profile" => &live::InstanceProfile,
        "iam.instance_profile_role" => &live::InstanceProfileRole,
        "iam.service_linked_role" => &live::ServiceLinkedRole,
        _ => return None,
    })
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    Some(match operation {
        "iam.get_role" => &live::GetRole,
        "iam.list_attached_role_policies" => &live::ListAttached,
        "iam.get_open_id_connect_provider" => &live::GetProvider,
        "iam.list_instance_profiles" => &live::ListInstanceProfiles,
        "iam.get_instance_profile" => &live::GetInstanceProfile,
        "iam.delete_instance_profile" => &live::DeleteInstanceProfile,
        _ => return None,
    })
}
