//! The names of what stands in the services that are only listed. What such a thing is like is told by the tests of the live code; the
//! inventory tells that it is there, once, and that it is gone.

use serde_json::{Value, json};

use super::{
    super::{emulator::Json, xml::Element},
    read::Reader,
};

/// Asked with a target and answered in JSON: kind, service, target, what is sent, where the list is, the name in an item.
const TARGETS: &[(&str, &str, &str, &str, &str, &str)] = &[
    ("sqs.queue", "sqs", "AmazonSQS.ListQueues", "{}", "QueueUrls", ""),
    ("kms.alias", "kms", "TrentService.ListAliases", "{}", "Aliases", "AliasName"),
    ("secretsmanager.secret", "secretsmanager", "secretsmanager.ListSecrets", "{}", "SecretList", "Name"),
    (
        "ecr.repository",
        "ecr",
        "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories",
        "{}",
        "repositories",
        "repositoryName",
    ),
    ("logs.log_group", "logs", "Logs_20140328.DescribeLogGroups", "{}", "logGroups", "logGroupName"),
    ("events.rule", "events", "AWSEvents.ListRules", "{}", "Rules", "Name"),
    ("wafv2.web_acl", "wafv2", "AWSWAF_20190729.ListWebACLs", r#"{"Scope":"REGIONAL"}"#, "WebACLs", "Name"),
    ("wafv2.ip_set", "wafv2", "AWSWAF_20190729.ListIPSets", r#"{"Scope":"REGIONAL"}"#, "IPSets", "Name"),
    (
        "wafv2.logging_configuration",
        "wafv2",
        "AWSWAF_20190729.ListLoggingConfigurations",
        r#"{"Scope":"REGIONAL"}"#,
        "LoggingConfigurations",
        "ResourceArn",
    ),
    (
        "cloudwatch.metric_alarm",
        "monitoring",
        "GraniteServiceVersion20100801.DescribeAlarms",
        "{}",
        "MetricAlarms",
        "AlarmName",
    ),
    ("acm.certificate", "acm", "CertificateManager.ListCertificates", "{}", "CertificateSummaryList", "DomainName"),
];

/// Asked with a form and answered in XML: kind, service, action, the list in the action's result, the name in an item.
const FORMS: &[(&str, &str, &str, &str, &str)] = &[
    ("rds.db_instance", "rds", "DescribeDBInstances", "DBInstances", "DBInstanceIdentifier"),
    ("rds.db_cluster", "rds", "DescribeDBClusters", "DBClusters", "DBClusterIdentifier"),
    ("rds.db_subnet_group", "rds", "DescribeDBSubnetGroups", "DBSubnetGroups", "DBSubnetGroupName"),
    ("rds.db_parameter_group", "rds", "DescribeDBParameterGroups", "DBParameterGroups", "DBParameterGroupName"),
    (
        "rds.db_cluster_parameter_group",
        "rds",
        "DescribeDBClusterParameterGroups",
        "DBClusterParameterGroups",
        "DBClusterParameterGroupName",
    ),
    ("rds.db_proxy", "rds", "DescribeDBProxies", "DBProxies", "DBProxyName"),
    ("elbv2.load_balancer", "elasticloadbalancing", "DescribeLoadBalancers", "LoadBalancers", "LoadBalancerName"),
    ("elbv2.target_group", "elasticloadbalancing", "DescribeTargetGroups", "TargetGroups", "TargetGroupName"),
];

/// The same, of a service without regions.
const GLOBAL: &[(&str, &str, &str, &str, &str)] = &[
    ("iam.user", "iam", "ListUsers", "Users", "UserName"),
    ("iam.instance_profile", "iam", "ListInstanceProfiles", "InstanceProfiles", "InstanceProfileName"),
];

impl Reader<'_> {
    /// What a region has.
    pub(super) async fn listed_here(&mut self) -> Result<(), String> {
        for (kind, service, target, sent, list, name) in TARGETS {
            let sent: Value = serde_json::from_str(sent).map_err(|error| error.to_string())?;
            let found = self.shared.emulators.json(&self.who, service, Json::Target(target), &sent).await?;
            for item in found[list].as_array().into_iter().flatten() {
                let named = if name.is_empty() { item } else { &item[name] };
                self.stands(kind, named.as_str().unwrap_or_default());
            }
        }
        for form in FORMS {
            self.form_list(form).await?;
        }
        self.keys().await
    }

    /// What an account has.
    pub(super) async fn listed_once(&mut self) -> Result<(), String> {
        for form in GLOBAL {
            self.form_list(form).await?;
        }
        let users: Vec<String> =
            self.items.keys().filter(|(kind, _)| kind == "iam.user").map(|(_, name)| name.clone()).collect();
        for user in users {
            let keys = self.form("iam", "ListAccessKeys", &[("UserName", &user)]).await?;
            for (place, _) in keys.items(&["ListAccessKeysResult", "AccessKeyMetadata"]).iter().enumerate() {
                self.stands("iam.access_key", &format!("{user}/{place}"));
            }
        }
        let buckets = self.shared.emulators.xml(&self.who, "s3", "/").await?;
        for bucket in buckets.items(&["Buckets"]) {
            self.stands("s3.bucket", bucket.at(&["Name"]));
        }
        Ok(())
    }

    async fn form_list(
        &mut self, (kind, service, action, list, name): &(&str, &str, &str, &str, &str),
    ) -> Result<(), String> {
        let found: Element = self.form(service, action, &[]).await?;
        for item in found.items(&[&format!("{action}Result"), list]) {
            self.stands(kind, item.at(&[name]));
        }
        Ok(())
    }

    /// Keys, but for those that wait for their deletion: as much gone as KMS lets a key be.
    async fn keys(&mut self) -> Result<(), String> {
        let listed =
            self.shared.emulators.json(&self.who, "kms", Json::Target("TrentService.ListKeys"), &json!({})).await?;
        for key in listed["Keys"].as_array().into_iter().flatten() {
            let asked = json!({ "KeyId": key["KeyId"] });
            let target = Json::Target("TrentService.DescribeKey");
            let found = self.shared.emulators.json(&self.who, "kms", target, &asked).await?;
            let about = &found["KeyMetadata"];
            // moto calls the keys that it makes for services the customer's.
            let of_aws = about["Description"].as_str().is_some_and(|text| text.starts_with("Default master key"));
            if about["KeyState"] != "PendingDeletion" && !of_aws {
                let id = key["KeyId"].as_str().unwrap_or_default();
                self.add("kms.key", id, json!({ "name": about["Description"] }));
            }
        }
        Ok(())
    }

    /// What AWS makes by itself at the first use (RDS' default parameter groups, KMS' aliases and keys for services) is nobody's.
    fn stands(&mut self, kind: &str, name: &str) {
        if name.starts_with("default.") || name.starts_with("alias/aws/") {
            return;
        }
        self.add(kind, name, json!({ "name": name }));
    }
}
