//! DescribeDBEngineVersions.

use aws_sdk_rds::types::DbEngineVersion;
use runbook_modules::error::CallError;
use serde_json::Value;

use super::sorted;
use crate::{
    live::{Call, Clients, Sent, classify, convert::Described},
    rds::engine_versions::Describe,
};

pub(in crate::rds) struct EngineVersions;

fn version(one: &DbEngineVersion) -> Value {
    Described::new()
        .text("engine", one.engine())
        .text("engine_version", one.engine_version())
        .text("major_engine_version", one.major_engine_version())
        .text("db_parameter_group_family", one.db_parameter_group_family())
        .text("status", one.status())
        .done()
}

impl Call for EngineVersions {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let Describe { engine, engine_version, db_parameter_group_family, default_only } = sent.typed()?;
        let request = clients.rds.describe_db_engine_versions().set_engine(engine).set_engine_version(engine_version);
        let request = request.set_db_parameter_group_family(db_parameter_group_family).set_default_only(default_only);
        let all: Vec<DbEngineVersion> =
            request.into_paginator().items().send().try_collect().await.map_err(classify).map_err(sorted)?;
        Ok(Described::new().list("db_engine_versions", &all, version).done())
    }
}
