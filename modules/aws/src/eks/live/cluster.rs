//! CreateCluster, DescribeCluster, ListClusters, DeleteCluster.

use aws_sdk_eks::types::{
    self, AuthenticationMode, CreateAccessConfigRequest, EncryptionConfig, KubernetesNetworkConfigRequest, LogSetup,
    Logging, Provider, SupportType, UpgradePolicyRequest, VpcConfigRequest,
};
use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::{deleting, health, none_if_missing};
use crate::{
    eks::cluster::{self, Input},
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{self, Described, field, texts},
        empty,
    },
};

pub(in crate::eks) struct Cluster;
pub(in crate::eks) struct DescribeCluster;
pub(in crate::eks) struct ListClusters;

fn described(found: &types::Cluster, region: &str) -> Value {
    let vpc = found.resources_vpc_config().map(|vpc| {
        Described::new()
            .value("subnet_ids", Some(texts(vpc.subnet_ids())))
            .value("security_group_ids", Some(texts(vpc.security_group_ids())))
            .text("cluster_security_group_id", vpc.cluster_security_group_id())
            .text("vpc_id", vpc.vpc_id())
            .value("endpoint_public_access", Some(vpc.endpoint_public_access()))
            .value("endpoint_private_access", Some(vpc.endpoint_private_access()))
            .value("public_access_cidrs", Some(texts(vpc.public_access_cidrs())))
            .done()
    });
    let network = found.kubernetes_network_config().map(|network| {
        Described::new()
            .text("service_ipv4_cidr", network.service_ipv4_cidr())
            .text("ip_family", network.ip_family().map(types::IpFamily::as_str))
            .done()
    });
    let access = found.access_config().map(|access| {
        let admin = access.bootstrap_cluster_creator_admin_permissions();
        Described::new()
            .text("authentication_mode", access.authentication_mode().map(AuthenticationMode::as_str))
            .value("bootstrap_cluster_creator_admin_permissions", admin)
            .done()
    });
    let issuer = found.identity().and_then(|identity| identity.oidc()).and_then(|oidc| oidc.issuer());
    let issues = found.health().map(|health| health.issues()).unwrap_or_default().iter();
    let issues = issues.map(|issue| {
        let code = issue.code().map(types::ClusterIssueCode::as_str).unwrap_or_default();
        (code.to_owned(), issue.message().unwrap_or_default().to_owned())
    });
    let upgrade = found.upgrade_policy().and_then(|policy| policy.support_type()).map(SupportType::as_str);
    Described::new()
        .text("id", found.name())
        .text("name", found.name())
        .text("arn", found.arn())
        .text("region", Some(region))
        .text("status", found.status().map(types::ClusterStatus::as_str))
        .text("version", found.version())
        .text("platform_version", found.platform_version())
        .text("endpoint", found.endpoint())
        .text("role_arn", found.role_arn())
        .value("certificate_authority", found.certificate_authority().map(|ca| json!({ "data": ca.data() })))
        .value("identity", issuer.map(|issuer| json!({ "oidc": { "issuer": issuer } })))
        .value("resources_vpc_config", vpc)
        .value("kubernetes_network_config", network)
        .value("access_config", access)
        .value("upgrade_policy", upgrade.map(|support| json!({ "support_type": support })))
        .value("deletion_protection", found.deletion_protection())
        .value("health", Some(health(issues)))
        .tag_map(found.tags())
        .done()
}

fn vpc_config(vpc: cluster::VpcConfig) -> VpcConfigRequest {
    VpcConfigRequest::builder()
        .set_subnet_ids(Some(vpc.subnet_ids))
        .set_security_group_ids(vpc.security_group_ids)
        .set_endpoint_public_access(vpc.endpoint_public_access)
        .set_endpoint_private_access(vpc.endpoint_private_access)
        .set_public_access_cidrs(vpc.public_access_cidrs)
        .build()
}

fn access_config(access: cluster::AccessConfig) -> CreateAccessConfigRequest {
    let mode = access.authentication_mode.map(|mode| AuthenticationMode::from(mode.word()));
    CreateAccessConfigRequest::builder()
        .set_authentication_mode(mode)
        .set_bootstrap_cluster_creator_admin_permissions(access.bootstrap_cluster_creator_admin_permissions)
        .build()
}

fn network_config(network: cluster::NetworkConfig) -> KubernetesNetworkConfigRequest {
    KubernetesNetworkConfigRequest::builder()
        .set_service_ipv4_cidr(network.service_ipv4_cidr)
        .set_ip_family(network.ip_family.map(|family| family.as_str().into()))
        .build()
}

fn logging(logging: cluster::Logging) -> Logging {
    let setup = |setup: cluster::LogSetup| {
        let kinds = setup.types.iter().map(|kind| kind.as_str().into()).collect();
        LogSetup::builder().set_types(Some(kinds)).enabled(setup.enabled).build()
    };
    Logging::builder().set_cluster_logging(Some(logging.cluster_logging.into_iter().map(setup).collect())).build()
}

fn encryption(one: cluster::Encryption) -> EncryptionConfig {
    let provider = Provider::builder().key_arn(one.provider.key_arn).build();
    EncryptionConfig::builder().provider(provider).build()
}

async fn describe(clients: &Clients, name: &str) -> Result<Value, CallError> {
    let answer = clients.eks.describe_cluster().name(name).send().await.map_err(classify)?;
    answer.cluster().map(|found| described(found, &clients.region)).ok_or_else(|| empty("cluster"))
}

impl Driver for Cluster {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Input = sent.typed()?;
        let upgrade = input
            .upgrade_policy
            .map(|policy| UpgradePolicyRequest::builder().support_type(policy.support_type.as_str().into()).build());
        let request = clients
            .eks
            .create_cluster()
            .name(input.name)
            .role_arn(input.role_arn)
            .resources_vpc_config(vpc_config(input.resources_vpc_config))
            .set_version(input.version)
            .set_access_config(input.access_config.map(access_config))
            .set_bootstrap_self_managed_addons(input.bootstrap_self_managed_addons)
            .set_kubernetes_network_config(input.kubernetes_network_config.map(network_config))
            .set_logging(input.logging.map(logging))
            .set_encryption_config(input.encryption_config.map(|all| all.into_iter().map(encryption).collect()))
            .set_upgrade_policy(upgrade)
            .set_deletion_protection(input.deletion_protection)
            .client_request_token(sent.token)
            .set_tags(Some(convert::hash_map(sent.tags)));
        let answer = request.send().await.map_err(classify)?;
        answer.cluster().map(|made| described(made, &clients.region)).ok_or_else(|| empty("cluster"))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        none_if_missing(describe(clients, field(at, "name")).await)
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let found = self.read(clients, sent.input).await?;
        Ok(found.into_iter().filter(|found| field(found, "status") != "DELETING").collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let answer = clients.eks.delete_cluster().name(field(at, "name")).send().await;
        deleting(answer.map_err(classify).map(|_| ()))
    }

    async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
        let groups = super::nodegroup::names(clients, field(at, "name")).await.unwrap_or_default();
        groups.iter().map(|name| format!("node group {name}")).collect()
    }
}

impl Call for DescribeCluster {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        describe(clients, field(sent.input, "name")).await
    }
}

impl Call for ListClusters {
    async fn call(&self, clients: &Clients, _: &Sent<'_>) -> Result<Value, CallError> {
        let pages = clients.eks.list_clusters().into_paginator().items().send();
        let names: Vec<String> = pages.try_collect().await.map_err(classify)?;
        Ok(json!({ "clusters": names }))
    }
}
