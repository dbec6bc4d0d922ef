//! What stands in an account with our ownership tags on it, asked of the Resource Groups Tagging API: one list over nearly all services.
//!
//! Source: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html>.

use std::collections::BTreeMap;

use aws_sdk_resourcegroupstagging::types::{ResourceTagMapping, TagFilter};
use runbook_modules::{
    error::CallError,
    target::{EFFECT_TAG, Listing, Marked, Place, RUN_TAG, STEP_TAG},
};

use super::{Clients, classify};

/// Where what has no region is listed.
pub const GLOBAL: &str = "us-east-1";

/// What the list has not.
const UNSEEN: [&str; 4] = [
    "IAM roles, users and instance profiles: AWS lists none of them by tag",
    "what carries no tags: routes, attachments, rules, DNS records, registered instances; they go with what they belong to",
    "objects and Helm releases inside clusters; they go with their cluster",
    "what controllers inside clusters made: it carries their tags",
];

/// Everything with our tags in the region of the clients; with `global`, only what has no region.
pub async fn tagged(clients: &Clients, place: &Place, global: bool) -> Result<Listing, CallError> {
    let filter = TagFilter::builder().key(RUN_TAG).build();
    let mut pages = clients.tagging.get_resources().tag_filters(filter).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(resource) = pages.next().await {
        found.extend(
            marked(&resource.map_err(classify)?, place, &clients.region)
                .filter(|(_, everywhere)| *everywhere || !global),
        );
    }
    let found = found.into_iter().map(|(marked, _)| marked).collect();
    Ok(Listing { found, unseen: UNSEEN.map(str::to_owned).to_vec(), lags: true })
}

/// What a row says, and whether it has no region.
fn marked(row: &ResourceTagMapping, place: &Place, region: &str) -> Option<(Marked, bool)> {
    let arn = Arn::of(row.resource_arn()?)?;
    let tags: BTreeMap<&str, &str> = row.tags().iter().map(|tag| (tag.key(), tag.value())).collect();
    let text = |name: &str| tags.get(name).map(|value| (*value).to_owned()).unwrap_or_default();
    let marked = Marked {
        kind: arn.kind(),
        id: arn.id().to_owned(),
        name: text("Name"),
        place: Place { region: region.to_owned(), ..place.clone() },
        run: text(RUN_TAG),
        step: text(STEP_TAG),
        effect: text(EFFECT_TAG),
    };
    Some((marked, arn.region.is_empty()))
}

/// `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`.
struct Arn<'a> {
    service: &'a str,
    region: &'a str,
    resource: &'a str,
    whole: &'a str,
}

impl<'a> Arn<'a> {
    fn of(whole: &'a str) -> Option<Self> {
        let mut parts = whole.splitn(6, ':').skip(2);
        let (service, region, _account) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { service, region, resource: parts.next()?, whole })
    }

    fn noun(&self) -> &'a str {
        self.resource.split(['/', ':']).next().unwrap_or_default()
    }

    /// Our kind, as far as we have one; else the service and its own word.
    fn kind(&self) -> String {
        let own = match (self.service, self.noun()) {
            ("ec2", "natgateway") => "nat_gateway",
            ("ec2", "elastic-ip") => "address",
            ("iam", "oidc-provider") => "open_id_connect_provider",
            ("route53", "hostedzone") => "hosted_zone",
            ("servicediscovery", "namespace") => "private_dns_namespace",
            ("s3", _) => "bucket",
            ("cloudwatch", "alarm") => "metric_alarm",
            (_, noun) => return format!("{}.{}", self.service, noun.replace('-', "_")),
        };
        format!("{}.{own}", self.service)
    }

    /// What it is read by: the last part; the whole for what goes by its ARN.
    fn id(&self) -> &'a str {
        match self.service {
            "iam" | "acm" | "elasticloadbalancing" | "secretsmanager" | "wafv2" => self.whole,
            // An alarm's name may hold slashes.
            "cloudwatch" => self.resource.strip_prefix("alarm:").unwrap_or(self.resource),
            _ => self.resource.rsplit('/').next().unwrap_or(self.resource),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_tells_kind_and_id() {
        for (arn, kind, id) in [
            ("arn:aws:ec2:us-east-1:1:vpc/vpc-1", "ec2.vpc", "vpc-1"),
            ("arn:aws:ec2:us-east-1:1:natgateway/nat-1", "ec2.nat_gateway", "nat-1"),
            ("arn:aws:s3:::notes", "s3.bucket", "notes"),
            ("arn:aws:cloudwatch:us-east-1:1:alarm:alarm:jobs/old", "cloudwatch.metric_alarm", "alarm:jobs/old"),
            ("arn:aws:iam::1:oidc-provider/x", "iam.open_id_connect_provider", "arn:aws:iam::1:oidc-provider/x"),
        ] {
            let told = Arn::of(arn).unwrap();
            assert_eq!((told.kind().as_str(), told.id()), (kind, id), "{arn}");
        }
    }
}
