//! CreateNodegroup, DescribeNodegroup, ListNodegroups, DeleteNodegroup.

use aws_sdk_eks::types::{
    self, AmiTypes, CapacityTypes, LaunchTemplateSpecification, NodegroupScalingConfig, NodegroupUpdateConfig, Taint,
};
use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::{deleting, hash_map, health, none_if_missing};
use crate::{
    eks::nodegroup::{self, Input},
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{self, Described, field, texts},
        empty,
    },
};

pub(in crate::eks) struct Nodegroup;
pub(in crate::eks) struct DescribeNodegroup;
pub(in crate::eks) struct ListNodegroups;

fn described(found: &types::Nodegroup) -> Value {
    let (cluster, name) = (found.cluster_name().unwrap_or_default(), found.nodegroup_name().unwrap_or_default());
    let scaling = found.scaling_config().map(|scaling| {
        Described::new()
            .value("min_size", scaling.min_size())
            .value("max_size", scaling.max_size())
            .value("desired_size", scaling.desired_size())
            .done()
    });
    let updating = found.update_config().map(|update| {
        Described::new()
            .value("max_unavailable", update.max_unavailable())
            .value("max_unavailable_percentage", update.max_unavailable_percentage())
            .done()
    });
    let taint = |taint: &Taint| {
        let described = Described::new().text("key", taint.key()).text("value", taint.value());
        described.text("effect", taint.effect().map(types::TaintEffect::as_str)).done()
    };
    let groups = found.resources().map(|resources| {
        let groups: Vec<Value> = resources.auto_scaling_groups().iter().map(|g| json!({ "name": g.name() })).collect();
        json!({ "auto_scaling_groups": groups })
    });
    let issues = found.health().map(|health| health.issues()).unwrap_or_default().iter().map(|issue| {
        let code = issue.code().map(types::NodegroupIssueCode::as_str).unwrap_or_default();
        (code.to_owned(), issue.message().unwrap_or_default().to_owned())
    });
    let mut done = Described::new()
        .text("id", Some(&format!("{cluster}/{name}")))
        .text("name", Some(name))
        .text("arn", found.nodegroup_arn())
        .text("cluster_name", Some(cluster))
        .text("nodegroup_name", Some(name))
        .text("status", found.status().map(types::NodegroupStatus::as_str))
        .text("version", found.version())
        .text("release_version", found.release_version())
        .text("node_role", found.node_role())
        .value("subnets", Some(texts(found.subnets())))
        .value("instance_types", Some(texts(found.instance_types())))
        .value("disk_size", found.disk_size())
        .text("ami_type", found.ami_type().map(AmiTypes::as_str))
        .text("capacity_type", found.capacity_type().map(CapacityTypes::as_str))
        .value("scaling_config", scaling)
        .value("update_config", updating)
        .value("resources", groups)
        .value("health", Some(health(issues)))
        .tag_map(found.tags());
    if let Some(labels) = found.labels() {
        done = done.value("labels", Some(json!(labels)));
    }
    if !found.taints().is_empty() {
        done = done.list("taints", found.taints(), taint);
    }
    done.done()
}

async fn describe(clients: &Clients, at: &Value) -> Result<Value, CallError> {
    let request = clients.eks.describe_nodegroup().cluster_name(field(at, "cluster_name"));
    let answer = request.nodegroup_name(field(at, "nodegroup_name")).send().await.map_err(classify)?;
    answer.nodegroup().map(described).ok_or_else(|| empty("nodegroup"))
}

pub(super) async fn names(clients: &Clients, cluster: &str) -> Result<Vec<String>, CallError> {
    let pages = clients.eks.list_nodegroups().cluster_name(cluster).into_paginator().items().send();
    pages.try_collect().await.map_err(classify)
}

fn scaling(scaling: nodegroup::Scaling) -> NodegroupScalingConfig {
    NodegroupScalingConfig::builder()
        .set_min_size(scaling.min_size)
        .set_max_size(scaling.max_size)
        .set_desired_size(scaling.desired_size)
        .build()
}

fn updating(update: nodegroup::Updating) -> NodegroupUpdateConfig {
    NodegroupUpdateConfig::builder()
        .set_max_unavailable(update.max_unavailable)
        .set_max_unavailable_percentage(update.max_unavailable_percentage)
        .build()
}

fn taint(taint: nodegroup::Taint) -> Taint {
    Taint::builder().key(taint.key).set_value(taint.value).effect(taint.effect.as_str().into()).build()
}

fn template(template: nodegroup::LaunchTemplate) -> LaunchTemplateSpecification {
    LaunchTemplateSpecification::builder()
        .set_name(template.name)
        .set_id(template.id)
        .set_version(template.version)
        .build()
}

impl Driver for Nodegroup {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Input = sent.typed()?;
        let request = clients
            .eks
            .create_nodegroup()
            .cluster_name(input.cluster_name)
            .nodegroup_name(input.nodegroup_name)
            .node_role(input.node_role)
            .set_subnets(Some(input.subnets))
            .set_instance_types(input.instance_types)
            .set_disk_size(input.disk_size)
            .set_ami_type(input.ami_type.map(|kind| AmiTypes::from(kind.as_str())))
            .set_capacity_type(input.capacity_type.map(|kind| CapacityTypes::from(kind.as_str())))
            .set_scaling_config(input.scaling_config.map(scaling))
            .set_update_config(input.update_config.map(updating))
            .set_labels(input.labels.map(hash_map))
            .set_taints(input.taints.map(|taints| taints.into_iter().map(taint).collect()))
            .set_version(input.version)
            .set_release_version(input.release_version)
            .set_launch_template(input.launch_template.map(template))
            .client_request_token(sent.token)
            .set_tags(Some(convert::hash_map(sent.tags)));
        let answer = request.send().await.map_err(classify)?;
        answer.nodegroup().map(described).ok_or_else(|| empty("nodegroup"))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        none_if_missing(describe(clients, at).await)
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let found = self.read(clients, sent.input).await?;
        Ok(found.into_iter().filter(|found| field(found, "status") != "DELETING").collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let request = clients.eks.delete_nodegroup().cluster_name(field(at, "cluster_name"));
        let answer = request.nodegroup_name(field(at, "nodegroup_name")).send().await;
        deleting(answer.map_err(classify).map(|_| ()))
    }
}

impl Call for DescribeNodegroup {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        describe(clients, sent.input).await
    }
}

impl Call for ListNodegroups {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        Ok(json!({ "nodegroups": names(clients, field(sent.input, "cluster_name")).await? }))
    }
}
