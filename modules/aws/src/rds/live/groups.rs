//! Subnet groups, parameter groups, option groups.

use aws_sdk_rds::types::{ApplyMethod, Parameter, Tag};
use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::{deleting, none_if_missing, pairs, sorted, tags, tags_of};
use crate::{
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, field},
        empty,
    },
    rds::{db_cluster_parameter_group, db_parameter_group, db_subnet_group, option_group},
};

pub(in crate::rds) struct SubnetGroup;
pub(in crate::rds) struct ParameterGroup;
pub(in crate::rds) struct ClusterParameterGroup;
pub(in crate::rds) struct OptionGroup;
pub(in crate::rds) struct ModifyParameters;
pub(in crate::rds) struct ModifyClusterParameters;

fn subnet_group(group: &aws_sdk_rds::types::DbSubnetGroup, tags: &[Tag]) -> Value {
    let subnets: Vec<&str> = group.subnets().iter().filter_map(|subnet| subnet.subnet_identifier()).collect();
    Described::new()
        .text("id", group.db_subnet_group_name())
        .text("name", group.db_subnet_group_name())
        .text("arn", group.db_subnet_group_arn())
        .text("db_subnet_group_name", group.db_subnet_group_name())
        .text("db_subnet_group_description", group.db_subnet_group_description())
        .text("vpc_id", group.vpc_id())
        .text("subnet_group_status", group.subnet_group_status())
        .value("subnet_ids", Some(subnets))
        .tags(pairs(tags))
        .done()
}

impl Driver for SubnetGroup {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: db_subnet_group::Input = sent.typed()?;
        let request = clients
            .rds
            .create_db_subnet_group()
            .db_subnet_group_name(input.db_subnet_group_name)
            .db_subnet_group_description(input.db_subnet_group_description)
            .set_subnet_ids(Some(input.subnet_ids))
            .set_tags(tags(sent));
        let answer = request.send().await.map_err(classify).map_err(sorted)?;
        let tags = tags(sent).unwrap_or_default();
        answer.db_subnet_group().map(|group| subnet_group(group, &tags)).ok_or_else(|| empty("DB subnet group"))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let request = clients.rds.describe_db_subnet_groups().db_subnet_group_name(field(at, "db_subnet_group_name"));
        let answer = none_if_missing(request.send().await.map_err(classify).map_err(sorted))?;
        let Some(group) = answer.as_ref().and_then(|answer| answer.db_subnet_groups().first()) else { return Ok(None) };
        let tags = tags_of(clients, group.db_subnet_group_arn()).await?;
        Ok(Some(subnet_group(group, &tags)))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let request = clients.rds.delete_db_subnet_group().db_subnet_group_name(field(at, "db_subnet_group_name"));
        request.send().await.map_err(classify).map_err(deleting).map(|_| ())
    }
}

fn parameter_group(group: &aws_sdk_rds::types::DbParameterGroup, tags: &[Tag]) -> Value {
    Described::new()
        .text("id", group.db_parameter_group_name())
        .text("name", group.db_parameter_group_name())
        .text("arn", group.db_parameter_group_arn())
        .text("db_parameter_group_name", group.db_parameter_group_name())
        .text("db_parameter_group_family", group.db_parameter_group_family())
        .text("description", group.description())
        .tags(pairs(tags))
        .done()
}

impl Driver for ParameterGroup {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: db_parameter_group::Input = sent.typed()?;
        let request = clients
            .rds
            .create_db_parameter_group()
            .db_parameter_group_name(input.db_parameter_group_name)
            .db_parameter_group_family(input.db_parameter_group_family)
            .description(input.description)
            .set_tags(tags(sent));
        let answer = request.send().await.map_err(classify).map_err(sorted)?;
        let tags = tags(sent).unwrap_or_default();
        answer
            .db_parameter_group()
            .map(|group| parameter_group(group, &tags))
            .ok_or_else(|| empty("DB parameter group"))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let name = field(at, "db_parameter_group_name");
        let request = clients.rds.describe_db_parameter_groups().db_parameter_group_name(name);
        let answer = none_if_missing(request.send().await.map_err(classify).map_err(sorted))?;
        let Some(group) = answer.as_ref().and_then(|answer| answer.db_parameter_groups().first()) else {
            return Ok(None);
        };
        let tags = tags_of(clients, group.db_parameter_group_arn()).await?;
        Ok(Some(parameter_group(group, &tags)))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let name = field(at, "db_parameter_group_name");
        let request = clients.rds.delete_db_parameter_group().db_parameter_group_name(name);
        request.send().await.map_err(classify).map_err(deleting).map(|_| ())
    }
}

fn cluster_group(group: &aws_sdk_rds::types::DbClusterParameterGroup, tags: &[Tag]) -> Value {
    Described::new()
        .text("id", group.db_cluster_parameter_group_name())
        .text("name", group.db_cluster_parameter_group_name())
        .text("arn", group.db_cluster_parameter_group_arn())
        .text("db_cluster_parameter_group_name", group.db_cluster_parameter_group_name())
        .text("db_parameter_group_family", group.db_parameter_group_family())
        .text("description", group.description())
        .tags(pairs(tags))
        .done()
}

impl Driver for ClusterParameterGroup {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: db_cluster_parameter_group::Input = sent.typed()?;
        let request = clients
            .rds
            .create_db_cluster_parameter_group()
            .db_cluster_parameter_group_name(input.db_cluster_parameter_group_name)
            .db_parameter_group_family(input.db_parameter_group_family)
            .description(input.description)
            .set_tags(tags(sent));
        let answer = request.send().await.map_err(classify).map_err(sorted)?;
        let tags = tags(sent).unwrap_or_default();
        answer
            .db_cluster_parameter_group()
            .map(|group| cluster_group(group, &tags))
            .ok_or_else(|| empty("DB cluster parameter group"))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let name = field(at, "db_cluster_parameter_group_name");
        let request = clients.rds.describe_db_cluster_parameter_groups().db_cluster_parameter_group_name(name);
        let answer = none_if_missing(request.send().await.map_err(classify).map_err(sorted))?;
        let Some(group) = answer.as_ref().and_then(|answer| answer.db_cluster_parameter_groups().first()) else {
            return Ok(None);
        };
        let tags = tags_of(clients, group.db_cluster_parameter_group_arn()).await?;
        Ok(Some(cluster_group(group, &tags)))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let name = field(at, "db_cluster_parameter_group_name");
        let request = clients.rds.delete_db_cluster_parameter_group().db_cluster_parameter_group_name(name);
        request.send().await.map_err(classify).map_err(deleting).map(|_| ())
    }
}

fn options(group: &aws_sdk_rds::types::OptionGroup, tags: &[Tag]) -> Value {
    let names: Vec<&str> = group.options().iter().filter_map(|option| option.option_name()).collect();
    Described::new()
        .text("id", group.option_group_name())
        .text("name", group.option_group_name())
        .text("arn", group.option_group_arn())
        .text("option_group_name", group.option_group_name())
        .text("option_group_description", group.option_group_description())
        .text("engine_name", group.engine_name())
        .text("major_engine_version", group.major_engine_version())
        .value("options", Some(names))
        .tags(pairs(tags))
        .done()
}

impl Driver for OptionGroup {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: option_group::Input = sent.typed()?;
        let request = clients
            .rds
            .create_option_group()
            .option_group_name(input.option_group_name)
            .engine_name(input.engine_name)
            .major_engine_version(input.major_engine_version)
            .option_group_description(input.option_group_description)
            .set_tags(tags(sent));
        let answer = request.send().await.map_err(classify).map_err(sorted)?;
        let tags = tags(sent).unwrap_or_default();
        answer.option_group().map(|group| options(group, &tags)).ok_or_else(|| empty("option group"))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let request = clients.rds.describe_option_groups().option_group_name(field(at, "option_group_name"));
        let answer = none_if_missing(request.send().await.map_err(classify).map_err(sorted))?;
        let Some(group) = answer.as_ref().and_then(|answer| answer.option_groups_list().first()) else {
            return Ok(None);
        };
        let tags = tags_of(clients, group.option_group_arn()).await?;
        Ok(Some(options(group, &tags)))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let request = clients.rds.delete_option_group().option_group_name(field(at, "option_group_name"));
        request.send().await.map_err(classify).map_err(deleting).map(|_| ())
    }
}

fn parameters(asked: Vec<db_parameter_group::Parameter>) -> Vec<Parameter> {
    let one = |asked: db_parameter_group::Parameter| {
        let method = asked.apply_method.as_deref().unwrap_or("immediate");
        let parameter =
            Parameter::builder().parameter_name(asked.parameter_name).parameter_value(asked.parameter_value);
        parameter.apply_method(ApplyMethod::from(method)).build()
    };
    asked.into_iter().map(one).collect()
}

impl Call for ModifyParameters {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: db_parameter_group::Modify = sent.typed()?;
        let request = clients.rds.modify_db_parameter_group().db_parameter_group_name(&input.db_parameter_group_name);
        let request = request.set_parameters(Some(parameters(input.parameters)));
        request.send().await.map_err(classify).map_err(sorted)?;
        Ok(json!({ "db_parameter_group_name": input.db_parameter_group_name }))
    }
}

impl Call for ModifyClusterParameters {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: db_cluster_parameter_group::Modify = sent.typed()?;
        let name = input.db_cluster_parameter_group_name;
        let request = clients.rds.modify_db_cluster_parameter_group().db_cluster_parameter_group_name(&name);
        let request = request.set_parameters(Some(parameters(input.parameters)));
        request.send().await.map_err(classify).map_err(sorted)?;
        Ok(json!({ "db_cluster_parameter_group_name": name }))
    }
}
