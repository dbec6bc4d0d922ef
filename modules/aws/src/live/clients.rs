//! The SDK clients of one place, and how their configuration is found: region, profile, assumed role, endpoints.

use std::{collections::BTreeMap, time::Duration};

use aws_config::{BehaviorVersion, Region, sts::AssumeRoleProvider};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::BeforeTransmitInterceptorContextMut},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{config_bag::ConfigBag, retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, service_config::ServiceConfigKey};
use runbook_modules::target::Place;

use super::{credentials::Source, hollow::NoHollowAnswers};

/// The clients of one place (region, profile, role).
#[derive(Debug)]
pub struct Clients {
    /// Account Management.
    pub account: aws_sdk_account::Client,
    /// Certificate Manager.
    pub acm: aws_sdk_acm::Client,
    /// Auto Scaling.
    pub autoscaling: aws_sdk_autoscaling::Client,
    /// CloudWatch.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// EC2.
    pub ec2: aws_sdk_ec2::Client,
    /// ECR.
    pub ecr: aws_sdk_ecr::Client,
    /// EKS.
    pub eks: aws_sdk_eks::Client,
    /// Elastic Load Balancing, version 2.
    pub elbv2: aws_sdk_elasticloadbalancingv2::Client,
    /// EventBridge.
    pub events: aws_sdk_eventbridge::Client,
    /// IAM.
    pub iam: aws_sdk_iam::Client,
    /// KMS.
    pub kms: aws_sdk_kms::Client,
    /// CloudWatch Logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// RDS.
    pub rds: aws_sdk_rds::Client,
    /// Route 53.
    pub route53: aws_sdk_route53::Client,
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// Secrets Manager.
    pub secretsmanager: aws_sdk_secretsmanager::Client,
    /// Cloud Map.
    pub servicediscovery: aws_sdk_servicediscovery::Client,
    /// Service Quotas.
    pub servicequotas: aws_sdk_servicequotas::Client,
    /// SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// Systems Manager.
    pub ssm: aws_sdk_ssm::Client,
    /// STS.
    pub sts: aws_sdk_sts::Client,
    /// Resource Groups Tagging.
    pub tagging: aws_sdk_resourcegroupstagging::Client,
    /// WAF, version 2.
    pub wafv2: aws_sdk_wafv2::Client,
    /// The region; empty when neither the place nor the configuration names one.
    pub region: String,
    /// The endpoints that were configured instead of AWS's own, in one line.
    pub endpoint: Option<String>,
    /// The endpoint that was configured for STS instead of AWS's own.
    pub sts_endpoint: Option<String>,
    /// Signs what no client signs: the token of an EKS cluster.
    pub signer: Option<SharedCredentialsProvider>,
    /// The credentials in use; None for clients that were given theirs.
    pub credentials: Option<Source>,
}

impl Clients {
    /// Loads the configuration of a place (environment, profiles, SSO, roles) and builds its clients. Credentials are
    /// fetched with the first call, from the given source or else from where the configuration says.
    pub async fn load(place: &Place, source: Option<&Source>) -> Self {
        let mut config = load(place, &place.region).await;
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        if region.is_empty() {
            // Who we are is asked before the script names its regions, and roles are assumed in one; every region of a partition
            // answers the same.
            config = load(place, "us-east-1").await;
        }
        if let (Some(role), None) = (&place.assume_role, source) {
            let provider = AssumeRoleProvider::builder(role).session_name("runbook").configure(&config).build().await;
            config = config.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build();
        }
        let credentials = source.cloned().or_else(|| Source::of(&config));
        if let Some(source) = &credentials {
            config = source.in_place(config);
        }
        Self { region, credentials, ..Self::new(&config) }
    }

    /// Clients of an emulator, with made-up credentials: nothing is read from the environment, so that a test can speak to
    /// several emulators at once.
    pub fn of_emulator(endpoint: &str, region: &str) -> Self {
        let credentials = Credentials::new("test", "test", None, None, "emulator");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(endpoint)
            .region(Region::new(region.to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(retries())
            .timeout_config(timeouts())
            .build();
        Self::new(&config)
    }

    /// Builds the clients of a configuration.
    pub fn new(config: &SdkConfig) -> Self {
        // A client of a service, whose hollow answers are refused.
        macro_rules! client {
            ($service:ident) => {
                client!($service, $service::config::Builder::from(config))
            };
            ($service:ident, $config:expr) => {
                $service::Client::from_conf($config.interceptor(NoHollowAnswers).build())
            };
        }
        let mut cloud_map = aws_sdk_servicediscovery::config::Builder::from(config);
        if endpoint(config, "ServiceDiscovery").is_some() {
            cloud_map = cloud_map.interceptor(PlainHost);
        }
        // A custom endpoint such as `localhost` has no host of its own for each bucket.
        let s3 = aws_sdk_s3::config::Builder::from(config).force_path_style(endpoint(config, "S3").is_some());
        Self {
            account: client!(aws_sdk_account),
            acm: client!(aws_sdk_acm),
            autoscaling: client!(aws_sdk_autoscaling),
            cloudwatch: client!(aws_sdk_cloudwatch),
            ec2: client!(aws_sdk_ec2),
            ecr: client!(aws_sdk_ecr),
            eks: client!(aws_sdk_eks),
            elbv2: client!(aws_sdk_elasticloadbalancingv2),
            events: client!(aws_sdk_eventbridge),
            iam: client!(aws_sdk_iam),
            kms: client!(aws_sdk_kms),
            logs: client!(aws_sdk_cloudwatchlogs),
            rds: client!(aws_sdk_rds),
            s3: client!(aws_sdk_s3, s3),
            secretsmanager: client!(aws_sdk_secretsmanager),
            sqs: client!(aws_sdk_sqs),
            ssm: client!(aws_sdk_ssm),
            tagging: client!(aws_sdk_resourcegroupstagging),
            wafv2: client!(aws_sdk_wafv2),
            route53: client!(aws_sdk_route53),
            servicediscovery: client!(aws_sdk_servicediscovery, cloud_map),
            servicequotas: client!(aws_sdk_servicequotas),
            sts: client!(aws_sdk_sts),
            region: config.region().map(ToString::to_string).unwrap_or_default(),
            endpoint: endpoints(config),
            sts_endpoint: endpoint(config, "STS"),
            signer: config.credentials_provider(),
            credentials: None,
        }
    }
}

/// None: the SDK cannot know whether what got no answer was executed. Whoever sends again looks first.
fn retries() -> RetryConfig {
    RetryConfig::disabled()
}

async fn load(place: &Place, region: &str) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).retry_config(retries()).timeout_config(timeouts());
    if !region.is_empty() {
        loader = loader.region(Region::new(region.to_owned()));
    }
    if let Some(profile) = &place.profile {
        loader = loader.profile_name(profile);
    }
    loader.load().await
}

/// The service ids under which an endpoint of its own can be configured.
const SERVICES: [&str; 22] = [
    "Account",
    "ACM",
    "Auto Scaling",
    "CloudWatch",
    "CloudWatch Logs",
    "EC2",
    "ECR",
    "EKS",
    "Elastic Load Balancing v2",
    "EventBridge",
    "IAM",
    "KMS",
    "RDS",
    "Route 53",
    "S3",
    "Secrets Manager",
    "Service Quotas",
    "ServiceDiscovery",
    "SQS",
    "SSM",
    "STS",
    "WAFV2",
];

/// The endpoint configured for a service: `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL`, or the profile's.
fn endpoint(config: &SdkConfig, service: &str) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let own = key.ok().and_then(|key| config.service_config()?.load_config(key));
    own.or_else(|| config.endpoint_url().map(str::to_owned))
}

/// The configured endpoints in one line: `http://localhost:4566` for all services, else each with its services.
fn endpoints(config: &SdkConfig) -> Option<String> {
    let mut services: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for service in SERVICES {
        if let Some(endpoint) = endpoint(config, service) {
            services.entry(endpoint).or_default().push(service);
        }
    }
    let parts: Vec<String> = services
        .into_iter()
        .map(
            |(endpoint, of)| {
                if of.len() == SERVICES.len() { endpoint } else { format!("{endpoint} ({})", of.join(", ")) }
            },
        )
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// A call that hangs longer has an unknown outcome. AWS answers each of ours within seconds; what takes minutes (a cluster)
/// is answered at once and then read again.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_secs(60))
        .operation_attempt_timeout(Duration::from_secs(90))
        .operation_timeout(Duration::from_secs(120))
        .build()
}

/// Takes the host prefix off again that Cloud Map puts before its endpoint (`data-` for DiscoverInstances): a custom endpoint
/// such as `localhost` has no such host.
#[derive(Debug)]
struct PlainHost;

impl Intercept for PlainHost {
    fn name(&self) -> &'static str {
        "PlainHost"
    }

    fn modify_before_signing(
        &self, context: &mut BeforeTransmitInterceptorContextMut<'_>, _: &RuntimeComponents, _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let plain = request.uri().replacen("://data-", "://", 1);
        request.set_uri(plain)?;
        Ok(())
    }
}
