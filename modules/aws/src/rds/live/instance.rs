//! CreateDBInstance, DescribeDBInstances, ModifyDBInstance, DeleteDBInstance.

use aws_sdk_rds::types::{DbInstance, SourceType};
use runbook_modules::{
    error::{CallError, Class},
    resource::Kind as _,
};
use serde_json::Value;

use super::{deleting, explained, is_unborn, lifting, none_if_missing, pairs, sorted, tags};
use crate::{
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, field, texts},
        empty,
    },
    rds::{
        db_instance::{Describe, Input, KIND},
        guarded::{flag, protected, snapshot},
        modify,
    },
};

pub(in crate::rds) struct Instance;
pub(in crate::rds) struct DescribeInstances;
pub(in crate::rds) struct ModifyInstance;

fn described(instance: &DbInstance) -> Value {
    let endpoint = instance
        .endpoint()
        .map(|endpoint| Described::new().text("address", endpoint.address()).value("port", endpoint.port()).done());
    let groups = instance.vpc_security_groups().iter();
    let groups: Vec<&str> = groups.filter_map(|group| group.vpc_security_group_id()).collect();
    let subnets = instance.db_subnet_group();
    let parameters = instance.db_parameter_groups().first().and_then(|group| group.db_parameter_group_name());
    let options = instance.option_group_memberships().first().and_then(|group| group.option_group_name());
    let secret = instance.master_user_secret().and_then(|secret| secret.secret_arn());
    Described::new()
        .text("id", instance.db_instance_identifier())
        .text("name", instance.db_instance_identifier())
        .text("arn", instance.db_instance_arn())
        .text("db_instance_identifier", instance.db_instance_identifier())
        .text("db_instance_status", instance.db_instance_status())
        .text("dbi_resource_id", instance.dbi_resource_id())
        .text("db_instance_class", instance.db_instance_class())
        .text("engine", instance.engine())
        .text("engine_version", instance.engine_version())
        .text("db_cluster_identifier", instance.db_cluster_identifier())
        .value("endpoint", endpoint)
        .text("master_username", instance.master_username())
        .text("master_user_secret_arn", secret)
        .text("db_name", instance.db_name())
        .value("allocated_storage", instance.allocated_storage())
        .value("max_allocated_storage", instance.max_allocated_storage())
        .text("storage_type", instance.storage_type())
        .value("iops", instance.iops())
        .value("storage_encrypted", instance.storage_encrypted())
        .text("kms_key_id", instance.kms_key_id())
        .value("vpc_security_group_ids", Some(groups))
        .text("db_subnet_group_name", subnets.and_then(|group| group.db_subnet_group_name()))
        .text("vpc_id", subnets.and_then(|group| group.vpc_id()))
        .text("availability_zone", instance.availability_zone())
        .value("multi_az", instance.multi_az())
        .value("publicly_accessible", instance.publicly_accessible())
        .text("db_parameter_group_name", parameters)
        .text("option_group_name", options)
        .value("backup_retention_period", instance.backup_retention_period())
        .text("preferred_backup_window", instance.preferred_backup_window())
        .text("preferred_maintenance_window", instance.preferred_maintenance_window())
        .value("auto_minor_version_upgrade", instance.auto_minor_version_upgrade())
        .value("copy_tags_to_snapshot", instance.copy_tags_to_snapshot())
        .value("enable_iam_database_authentication", instance.iam_database_authentication_enabled())
        .value("enable_performance_insights", instance.performance_insights_enabled())
        .value("performance_insights_retention_period", instance.performance_insights_retention_period())
        .value("monitoring_interval", instance.monitoring_interval())
        .text("monitoring_role_arn", instance.monitoring_role_arn())
        .value("enable_cloudwatch_logs_exports", Some(texts(instance.enabled_cloudwatch_logs_exports())))
        .text("ca_certificate_identifier", instance.ca_certificate_identifier())
        .value("deletion_protection", instance.deletion_protection())
        .tags(pairs(instance.tag_list()))
        .done()
}

async fn describe(clients: &Clients, name: Option<String>) -> Result<Vec<Value>, CallError> {
    let pages = clients.rds.describe_db_instances().set_db_instance_identifier(name).into_paginator();
    let all: Vec<DbInstance> = pages.items().send().try_collect().await.map_err(classify).map_err(sorted)?;
    Ok(all.iter().map(described).collect())
}

impl Driver for Instance {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Input = sent.typed()?;
        let request = clients
            .rds
            .create_db_instance()
            .db_instance_identifier(input.db_instance_identifier)
            .db_instance_class(input.db_instance_class)
            .engine(input.engine)
            .set_engine_version(input.engine_version)
            .set_db_cluster_identifier(input.db_cluster_identifier)
            .set_allocated_storage(input.allocated_storage)
            .set_max_allocated_storage(input.max_allocated_storage)
            .set_storage_type(input.storage_type)
            .set_iops(input.iops)
            .set_storage_encrypted(input.storage_encrypted)
            .set_kms_key_id(input.kms_key_id)
            .set_db_name(input.db_name)
            .set_master_username(input.master_username)
            .set_master_user_password(input.master_user_password)
            .set_manage_master_user_password(input.manage_master_user_password)
            .set_port(input.port)
            .set_vpc_security_group_ids(input.vpc_security_group_ids)
            .set_db_subnet_group_name(input.db_subnet_group_name)
            .set_availability_zone(input.availability_zone)
            .set_multi_az(input.multi_az)
            .set_publicly_accessible(input.publicly_accessible)
            .set_db_parameter_group_name(input.db_parameter_group_name)
            .set_option_group_name(input.option_group_name)
            .set_backup_retention_period(input.backup_retention_period)
            .set_preferred_backup_window(input.preferred_backup_window)
            .set_preferred_maintenance_window(input.preferred_maintenance_window)
            .set_auto_minor_version_upgrade(input.auto_minor_version_upgrade)
            .set_copy_tags_to_snapshot(input.copy_tags_to_snapshot)
            .set_enable_iam_database_authentication(input.enable_iam_database_authentication)
            .set_enable_performance_insights(input.enable_performance_insights)
            .set_performance_insights_retention_period(input.performance_insights_retention_period)
            .set_monitoring_interval(input.monitoring_interval)
            .set_monitoring_role_arn(input.monitoring_role_arn)
            .set_enable_cloudwatch_logs_exports(input.enable_cloudwatch_logs_exports)
            .set_ca_certificate_identifier(input.ca_certificate_identifier)
            .set_promotion_tier(input.promotion_tier)
            .set_deletion_protection(input.deletion_protection)
            .set_tags(tags(sent));
        let answer = request.send().await.map_err(classify).map_err(sorted)?;
        answer.db_instance().map(described).ok_or_else(|| empty("DB instance"))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let name = field(at, "db_instance_identifier").to_owned();
        let found = none_if_missing(describe(clients, Some(name)).await)?.and_then(|found| found.into_iter().next());
        let Some(found) = found else { return Ok(None) };
        Ok(Some(explained(clients, SourceType::DbInstance, &KIND.judge(&found), found).await))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let found = self.read(clients, sent.input).await?;
        Ok(found.into_iter().filter(|found| field(found, "db_instance_status") != "deleting").collect())
    }

    /// A protected instance is deleted in two calls: this one lifts the protection and is blocked, the next one deletes.
    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let name = field(at, "db_instance_identifier");
        let Some(found) = self.read(clients, at).await? else {
            return Err(CallError::new(Class::NotFound, "DBInstanceNotFound", format!("DBInstance {name} not found.")));
        };
        if field(&found, "db_instance_status") == "deleting" {
            return Ok(());
        }
        let unborn = is_unborn(&found, &KIND.judge(&found), "endpoint");
        if flag(&found, "deletion_protection") && (unborn || flag(at, "lift_deletion_protection")) {
            let request = clients.rds.modify_db_instance().db_instance_identifier(name);
            let request = request.deletion_protection(false).apply_immediately(true);
            request.send().await.map_err(classify).map_err(deleting)?;
            return Err(lifting(name));
        }
        let mut request = clients.rds.delete_db_instance().db_instance_identifier(name);
        if field(&found, "db_cluster_identifier").is_empty() {
            let last = snapshot(at, name, field(&found, "dbi_resource_id")).filter(|_| !unborn);
            let backups = at.get("delete_automated_backups").and_then(Value::as_bool);
            request = request.skip_final_snapshot(last.is_none()).set_delete_automated_backups(backups);
            request = request.set_final_db_snapshot_identifier(last);
        } else {
            request = request.skip_final_snapshot(true);
        }
        request.send().await.map_err(classify).map_err(deleting).map(|_| ())
    }

    async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
        let found = self.read(clients, at).await.ok().flatten();
        let held = found.is_some_and(|found| flag(&found, "deletion_protection"));
        if held { vec![protected("db", field(at, "db_instance_identifier"))] } else { Vec::new() }
    }
}

impl Call for DescribeInstances {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let Describe { db_instance_identifier } = sent.typed()?;
        Ok(Described::new().value("db_instances", Some(describe(clients, db_instance_identifier).await?)).done())
    }
}

impl Call for ModifyInstance {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: modify::Instance = sent.typed()?;
        let request = clients
            .rds
            .modify_db_instance()
            .db_instance_identifier(input.db_instance_identifier)
            .set_apply_immediately(input.apply_immediately)
            .set_deletion_protection(input.deletion_protection)
            .set_db_instance_class(input.db_instance_class)
            .set_engine_version(input.engine_version)
            .set_allow_major_version_upgrade(input.allow_major_version_upgrade)
            .set_allocated_storage(input.allocated_storage)
            .set_max_allocated_storage(input.max_allocated_storage)
            .set_multi_az(input.multi_az)
            .set_backup_retention_period(input.backup_retention_period)
            .set_db_parameter_group_name(input.db_parameter_group_name)
            .set_vpc_security_group_ids(input.vpc_security_group_ids)
            .set_master_user_password(input.master_user_password);
        let answer = request.send().await.map_err(classify).map_err(sorted)?;
        answer.db_instance().map(described).ok_or_else(|| empty("DB instance"))
    }
}
