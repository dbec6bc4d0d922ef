//! CreateServiceLinkedRole, ListRoles, DeleteServiceLinkedRole.

use aws_sdk_iam::types::Role;
use runbook_modules::error::{CallError, Class};
use serde_json::Value;

use super::pairs;
use crate::{
    iam::service_linked_role::Input,
    live::{
        Clients, Driver, Sent, classify,
        convert::{Described, field},
        empty,
    },
};

pub(in crate::iam) struct ServiceLinkedRole;

fn described(role: &Role, service: &str) -> Value {
    Described::new()
        .text("id", Some(role.role_name()))
        .text("name", Some(role.role_name()))
        .text("role_name", Some(role.role_name()))
        .text("aws_service_name", Some(service))
        .text("path", Some(role.path()))
        .text("arn", Some(role.arn()))
        .tags(pairs(role.tags()))
        .done()
}

impl Driver for ServiceLinkedRole {
    /// IAM has no code of its own for one that stands.
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let Input { aws_service_name, description } = sent.typed()?;
        let request = clients.iam.create_service_linked_role().aws_service_name(&aws_service_name);
        let answer = request.set_description(description).send().await.map_err(classify).map_err(|error| {
            let taken = error.code == "InvalidInput" && error.message.contains("has been taken");
            if taken { CallError { class: Class::AlreadyExists, ..error } } else { error }
        })?;
        answer.role().map(|role| described(role, &aws_service_name)).ok_or_else(|| empty("role"))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let service = field(at, "aws_service_name");
        let pages = clients.iam.list_roles().path_prefix(format!("/aws-service-role/{service}/")).into_paginator();
        let all: Vec<Role> = pages.items().send().try_collect().await.map_err(classify)?;
        let wanted = field(at, "role_name");
        let mut all = all.iter().filter(|role| wanted.is_empty() || role.role_name() == wanted);
        Ok(all.next().map(|role| described(role, service)))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let request = clients.iam.delete_service_linked_role().role_name(field(at, "role_name"));
        request.send().await.map_err(classify).map(|_| ())
    }
}
