//! CreateInstanceProfile and its like; AddRoleToInstanceProfile, RemoveRoleFromInstanceProfile; those that others made.

use aws_sdk_iam::types;
use runbook_modules::error::{CallError, Class};
use serde_json::{Value, json};

use super::{none_if_missing, pairs, tags};
use crate::{
    iam::{
        instance_profile::{Add, Input},
        instance_profiles::List,
    },
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, field},
        empty,
    },
    row::untagged,
};

pub(in crate::iam) struct InstanceProfile;
pub(in crate::iam) struct InstanceProfileRole;
pub(in crate::iam) struct ListInstanceProfiles;
pub(in crate::iam) struct GetInstanceProfile;
pub(in crate::iam) struct DeleteInstanceProfile;

fn described(profile: &types::InstanceProfile) -> Value {
    let roles: Vec<&str> = profile.roles().iter().map(types::Role::role_name).collect();
    Described::new()
        .text("id", Some(profile.instance_profile_name()))
        .text("name", Some(profile.instance_profile_name()))
        .text("instance_profile_name", Some(profile.instance_profile_name()))
        .text("arn", Some(profile.arn()))
        .text("instance_profile_id", Some(profile.instance_profile_id()))
        .text("path", Some(profile.path()))
        .value("roles", Some(roles))
        .tags(pairs(profile.tags()))
        .done()
}

async fn get(clients: &Clients, name: &str) -> Result<Value, CallError> {
    let request = clients.iam.get_instance_profile().instance_profile_name(name);
    let answer = request.send().await.map_err(classify)?;
    answer.instance_profile().map(described).ok_or_else(|| empty("instance profile"))
}

async fn take_out(clients: &Clients, profile: &str, role: &str) -> Result<(), CallError> {
    let request = clients.iam.remove_role_from_instance_profile().instance_profile_name(profile);
    request.role_name(role).send().await.map_err(classify).map(|_| ())
}

impl Driver for InstanceProfile {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Input = sent.typed()?;
        let request = clients.iam.create_instance_profile().instance_profile_name(input.instance_profile_name);
        let request = request.set_path(input.path).set_tags(Some(tags(sent)?));
        let answer = request.send().await.map_err(classify)?;
        answer.instance_profile().map(described).ok_or_else(|| empty("instance profile"))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        none_if_missing(get(clients, field(at, "instance_profile_name")).await)
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let request = clients.iam.delete_instance_profile().instance_profile_name(field(at, "instance_profile_name"));
        request.send().await.map_err(classify).map(|_| ())
    }
}

fn placed(profile: &str, role: &str) -> Value {
    json!({
        "id": format!("{profile}/{role}"), "name": role, "instance_profile_name": profile, "role_name": role,
    })
}

impl Driver for InstanceProfileRole {
    /// A profile that holds its role already says LimitExceeded.
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let Add { instance_profile_name, role_name } = sent.typed()?;
        let request = clients.iam.add_role_to_instance_profile().instance_profile_name(&instance_profile_name);
        match request.role_name(&role_name).send().await.map_err(classify) {
            Ok(_) => Ok(placed(&instance_profile_name, &role_name)),
            Err(error) if error.code == "LimitExceeded" && self.read(clients, sent.input).await?.is_some() => {
                Err(CallError { class: Class::AlreadyExists, ..error })
            }
            Err(error) => Err(error),
        }
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let (profile, role) = (field(at, "instance_profile_name"), field(at, "role_name"));
        let found = none_if_missing(get(clients, profile).await)?;
        let roles = found.as_ref().and_then(|found| found.get("roles")).and_then(Value::as_array);
        let holds = roles.is_some_and(|roles| roles.iter().any(|one| one == role));
        Ok(holds.then(|| placed(profile, role)))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        take_out(clients, field(at, "instance_profile_name"), field(at, "role_name")).await
    }
}

impl Call for ListInstanceProfiles {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let List { path_prefix } = sent.typed()?;
        let pages = clients.iam.list_instance_profiles().set_path_prefix(path_prefix).into_paginator().items().send();
        let all: Vec<types::InstanceProfile> = pages.try_collect().await.map_err(classify)?;
        let listed: Value = all.iter().map(|profile| untagged(described(profile))).collect();
        Ok(json!({ "instance_profiles": listed }))
    }
}

impl Call for GetInstanceProfile {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        get(clients, field(sent.input, "instance_profile_name")).await
    }
}

impl Call for DeleteInstanceProfile {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let name = field(sent.input, "instance_profile_name");
        let found = get(clients, name).await?;
        for role in found["roles"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            none_if_missing(take_out(clients, name, role).await)?;
        }
        InstanceProfile.delete(clients, sent.input, None).await.map(|()| json!({}))
    }
}
