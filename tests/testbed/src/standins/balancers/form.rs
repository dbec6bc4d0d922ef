//! Questions to AWS with lists in them, and what of the cluster's load balancers and target groups stands.

use std::collections::BTreeMap;

use super::super::{
    aws::{Aws, Refusal},
    xml::Element,
};

pub const ELB: &str = "elasticloadbalancing";
/// The controller's tag with the name of its cluster.
pub const CLUSTER_TAG: &str = "elbv2.k8s.aws/cluster";
/// How many ARNs a question about tags may name.
const TAGGED: usize = 20;

pub type Tags = BTreeMap<String, String>;

/// A question as a form.
#[derive(Debug, Clone, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    pub fn of(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    pub fn put(&mut self, key: &str, value: impl ToString) {
        self.0.push((key.to_owned(), value.to_string()));
    }

    /// A list: `KEY.member.1`, …; in EC2 without `member`.
    pub fn list<'a>(&mut self, key: &str, values: impl IntoIterator<Item = &'a str>) {
        for (place, value) in (1..).zip(values) {
            self.0.push((format!("{key}.{place}"), value.to_owned()));
        }
    }

    pub fn tags(&mut self, key: &str, tags: &Tags) {
        for (place, (name, value)) in (1..).zip(tags) {
            self.0.push((format!("{key}.{place}.Key"), name.clone()));
            self.0.push((format!("{key}.{place}.Value"), value.clone()));
        }
    }

    pub async fn ask(&self, aws: &Aws, service: &str, action: &str) -> Result<Element, Refusal> {
        let pairs: Vec<(&str, &str)> = self.0.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        aws.query(service, action, &pairs).await
    }
}

/// A load balancer or a target group.
#[derive(Debug, Clone)]
pub struct Part {
    pub arn: String,
    pub name: String,
    /// A load balancer's.
    pub host: String,
    pub tags: Tags,
}

/// The load balancers of a cluster, by the controller's tag.
pub async fn balancers(aws: &Aws, cluster: &str) -> Result<Vec<Part>, String> {
    let found = aws.query(ELB, "DescribeLoadBalancers", &[]).await?;
    of_cluster(aws, cluster, found.all("DescribeLoadBalancersResult/LoadBalancers/member"), "LoadBalancer").await
}

/// The target groups of a cluster, by the controller's tag.
pub async fn groups(aws: &Aws, cluster: &str) -> Result<Vec<Part>, String> {
    let found = aws.query(ELB, "DescribeTargetGroups", &[]).await?;
    of_cluster(aws, cluster, found.all("DescribeTargetGroupsResult/TargetGroups/member"), "TargetGroup").await
}

async fn of_cluster(aws: &Aws, cluster: &str, found: Vec<&Element>, kind: &str) -> Result<Vec<Part>, String> {
    let field = |one: &Element, name: &str| one.text(&format!("{kind}{name}")).to_owned();
    let mut parts: Vec<Part> = found
        .into_iter()
        .map(|one| Part {
            arn: field(one, "Arn"),
            name: field(one, "Name"),
            host: one.text("DNSName").to_owned(),
            tags: Tags::new(),
        })
        .collect();
    for some in parts.chunks_mut(TAGGED) {
        let mut form = Form::default();
        form.list("ResourceArns.member", some.iter().map(|part| part.arn.as_str()));
        let told = form.ask(aws, ELB, "DescribeTags").await?;
        for described in told.all("DescribeTagsResult/TagDescriptions/member") {
            let part = some.iter_mut().find(|part| part.arn == described.text("ResourceArn"));
            if let Some(part) = part {
                part.tags = tags(described, "Tags/member", "Key", "Value");
            }
        }
    }
    parts.retain(|part| part.tags.get(CLUSTER_TAG).is_some_and(|of| of == cluster));
    Ok(parts)
}

/// The tags in a description.
pub fn tags(described: &Element, path: &str, key: &str, value: &str) -> Tags {
    described.all(path).iter().map(|tag| (tag.text(key).to_owned(), tag.text(value).to_owned())).collect()
}
