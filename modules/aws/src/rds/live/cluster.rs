//! CreateDBCluster, DescribeDBClusters, ModifyDBCluster, DeleteDBCluster.

use aws_sdk_rds::types::{DbCluster, ServerlessV2ScalingConfiguration, SourceType};
use runbook_modules::{
    error::{CallError, Class},
    resource::Kind as _,
};
use serde_json::{Value, json};

use super::{deleting, explained, is_unborn, lifting, none_if_missing, pairs, sorted, tags};
use crate::{
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, field, texts},
        empty,
    },
    rds::{
        db_cluster::{Describe, Input, KIND, Scaling},
        guarded::{flag, protected, snapshot},
        modify,
    },
};

pub(in crate::rds) struct Cluster;
pub(in crate::rds) struct DescribeClusters;
pub(in crate::rds) struct ModifyCluster;

fn described(cluster: &DbCluster) -> Value {
    let groups = cluster.vpc_security_groups().iter();
    let groups: Vec<&str> = groups.filter_map(|group| group.vpc_security_group_id()).collect();
    let scaling = cluster
        .serverless_v2_scaling_configuration()
        .map(|scaling| json!({ "min_capacity": scaling.min_capacity(), "max_capacity": scaling.max_capacity() }));
    let secret = cluster.master_user_secret().and_then(|secret| secret.secret_arn());
    Described::new()
        .text("id", cluster.db_cluster_identifier())
        .text("name", cluster.db_cluster_identifier())
        .text("arn", cluster.db_cluster_arn())
        .text("db_cluster_identifier", cluster.db_cluster_identifier())
        .text("db_cluster_resource_id", cluster.db_cluster_resource_id())
        .text("status", cluster.status())
        .text("engine", cluster.engine())
        .text("engine_version", cluster.engine_version())
        .text("database_name", cluster.database_name())
        .text("endpoint", cluster.endpoint())
        .text("reader_endpoint", cluster.reader_endpoint())
        .value("port", cluster.port())
        .text("master_username", cluster.master_username())
        .text("master_user_secret_arn", secret)
        .text("db_subnet_group_name", cluster.db_subnet_group())
        .text("db_cluster_parameter_group_name", cluster.db_cluster_parameter_group())
        .value("vpc_security_group_ids", Some(groups))
        .value("storage_encrypted", cluster.storage_encrypted())
        .text("kms_key_id", cluster.kms_key_id())
        .value("backup_retention_period", cluster.backup_retention_period())
        .time("earliest_restorable_time", cluster.earliest_restorable_time())
        .text("preferred_backup_window", cluster.preferred_backup_window())
        .text("preferred_maintenance_window", cluster.preferred_maintenance_window())
        .value("enable_cloudwatch_logs_exports", Some(texts(cluster.enabled_cloudwatch_logs_exports())))
        .value("enable_iam_database_authentication", cluster.iam_database_authentication_enabled())
        .value("copy_tags_to_snapshot", cluster.copy_tags_to_snapshot())
        .value("serverless_v2_scaling_configuration", scaling)
        .value("deletion_protection", cluster.deletion_protection())
        .list("db_cluster_members", cluster.db_cluster_members(), |member| {
            Described::new()
                .text("db_instance_identifier", member.db_instance_identifier())
                .value("is_cluster_writer", member.is_cluster_writer())
                .done()
        })
        .tags(pairs(cluster.tag_list()))
        .done()
}

async fn describe(clients: &Clients, name: Option<String>) -> Result<Vec<Value>, CallError> {
    let pages = clients.rds.describe_db_clusters().set_db_cluster_identifier(name).into_paginator();
    let all: Vec<DbCluster> = pages.items().send().try_collect().await.map_err(classify).map_err(sorted)?;
    Ok(all.iter().map(described).collect())
}

fn scaling(scaling: Scaling) -> ServerlessV2ScalingConfiguration {
    let Scaling { min_capacity, max_capacity } = scaling;
    ServerlessV2ScalingConfiguration::builder().min_capacity(min_capacity).max_capacity(max_capacity).build()
}

impl Driver for Cluster {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Input = sent.typed()?;
        let request = clients
            .rds
            .create_db_cluster()
            .db_cluster_identifier(input.db_cluster_identifier)
            .engine(input.engine)
            .set_engine_version(input.engine_version)
            .set_database_name(input.database_name)
            .master_username(input.master_username)
            .set_master_user_password(input.master_user_password)
            .set_manage_master_user_password(input.manage_master_user_password)
            .set_port(input.port)
            .set_db_subnet_group_name(input.db_subnet_group_name)
            .set_vpc_security_group_ids(input.vpc_security_group_ids)
            .set_db_cluster_parameter_group_name(input.db_cluster_parameter_group_name)
            .set_storage_encrypted(input.storage_encrypted)
            .set_kms_key_id(input.kms_key_id)
            .set_backup_retention_period(input.backup_retention_period)
            .set_preferred_backup_window(input.preferred_backup_window)
            .set_preferred_maintenance_window(input.preferred_maintenance_window)
            .set_enable_cloudwatch_logs_exports(input.enable_cloudwatch_logs_exports)
            .set_enable_iam_database_authentication(input.enable_iam_database_authentication)
            .set_copy_tags_to_snapshot(input.copy_tags_to_snapshot)
            .set_serverless_v2_scaling_configuration(input.serverless_v2_scaling_configuration.map(scaling))
            .set_deletion_protection(input.deletion_protection)
            .set_tags(tags(sent));
        let answer = request.send().await.map_err(classify).map_err(sorted)?;
        answer.db_cluster().map(described).ok_or_else(|| empty("DB cluster"))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let name = field(at, "db_cluster_identifier").to_owned();
        let found = none_if_missing(describe(clients, Some(name)).await)?.and_then(|found| found.into_iter().next());
        let Some(found) = found else { return Ok(None) };
        Ok(Some(explained(clients, SourceType::DbCluster, &KIND.judge(&found), found).await))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let found = self.read(clients, sent.input).await?;
        Ok(found.into_iter().filter(|found| field(found, "status") != "deleting").collect())
    }

    /// A protected cluster is deleted in two calls: this one lifts the protection and is blocked, the next one deletes.
    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let name = field(at, "db_cluster_identifier");
        let Some(found) = self.read(clients, at).await? else {
            return Err(CallError::new(
                Class::NotFound,
                "DBClusterNotFoundFault",
                format!("DBCluster {name} not found."),
            ));
        };
        if field(&found, "status") == "deleting" {
            return Ok(());
        }
        let unborn = is_unborn(&found, &KIND.judge(&found), "earliest_restorable_time");
        if flag(&found, "deletion_protection") && (unborn || flag(at, "lift_deletion_protection")) {
            let request = clients.rds.modify_db_cluster().db_cluster_identifier(name);
            let request = request.deletion_protection(false).apply_immediately(true);
            request.send().await.map_err(classify).map_err(deleting)?;
            return Err(lifting(name));
        }
        let last = snapshot(at, name, field(&found, "db_cluster_resource_id")).filter(|_| !unborn);
        let backups = at.get("delete_automated_backups").and_then(Value::as_bool);
        let request = clients.rds.delete_db_cluster().db_cluster_identifier(name).skip_final_snapshot(last.is_none());
        let request = request.set_delete_automated_backups(backups).set_final_db_snapshot_identifier(last);
        request.send().await.map_err(classify).map_err(deleting).map(|_| ())
    }

    async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
        let Ok(Some(found)) = self.read(clients, at).await else { return Vec::new() };
        let members = found.get("db_cluster_members").and_then(Value::as_array).into_iter().flatten();
        let mut held: Vec<String> =
            members.map(|member| format!("instance {}", field(member, "db_instance_identifier"))).collect();
        if flag(&found, "deletion_protection") {
            held.push(protected("cluster", field(at, "db_cluster_identifier")));
        }
        held
    }
}

impl Call for DescribeClusters {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let Describe { db_cluster_identifier } = sent.typed()?;
        Ok(json!({ "db_clusters": describe(clients, db_cluster_identifier).await? }))
    }
}

impl Call for ModifyCluster {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: modify::Cluster = sent.typed()?;
        let request = clients
            .rds
            .modify_db_cluster()
            .db_cluster_identifier(input.db_cluster_identifier)
            .set_apply_immediately(input.apply_immediately)
            .set_deletion_protection(input.deletion_protection)
            .set_engine_version(input.engine_version)
            .set_allow_major_version_upgrade(input.allow_major_version_upgrade)
            .set_backup_retention_period(input.backup_retention_period)
            .set_db_cluster_parameter_group_name(input.db_cluster_parameter_group_name)
            .set_vpc_security_group_ids(input.vpc_security_group_ids)
            .set_master_user_password(input.master_user_password);
        let answer = request.send().await.map_err(classify).map_err(sorted)?;
        answer.db_cluster().map(described).ok_or_else(|| empty("DB cluster"))
    }
}
