//! AWS objects as rehearsal files ask for them.

use serde_json::{Map, Value, json};

use crate::standins::{
    aws::Aws,
    kube_objects::{items, text},
    xml::Element,
};

/// Lists of EC2: kind, action, where the items stand, their id.
const EC2: &[(&str, &str, &str, &str)] = &[
    ("ec2.vpc", "DescribeVpcs", "vpcSet/item", "vpcId"),
    ("ec2.subnet", "DescribeSubnets", "subnetSet/item", "subnetId"),
    ("ec2.security_group", "DescribeSecurityGroups", "securityGroupInfo/item", "groupId"),
];

/// The object of that id, ARN, name or tag Name.
pub(super) async fn find(aws: &Aws, kind: &str, name: &str) -> Result<Option<Value>, String> {
    Ok(all(aws, kind).await?.into_iter().find(|one| is(one, name)))
}

fn is(one: &Value, name: &str) -> bool {
    let same = |field: &str| text(one, field).trim_end_matches('.') == name.trim_end_matches('.');
    !name.is_empty() && (["id", "arn", "name"].into_iter().any(same) || one["tags"]["Name"] == name)
}

/// All of a kind, each with `id` and its fields.
pub(super) async fn all(aws: &Aws, kind: &str) -> Result<Vec<Value>, String> {
    Ok(match kind {
        "elbv2.load_balancer" => {
            let found = aws.query("elasticloadbalancing", "DescribeLoadBalancers", &[]).await?;
            found.all("DescribeLoadBalancersResult/LoadBalancers/member").into_iter().map(balancer).collect()
        }
        "route53.hosted_zone" => {
            let found = aws.route53("/hostedzone", None).await?;
            found.all("HostedZones/HostedZone").into_iter().map(zone).collect()
        }
        "wafv2.web_acl" => {
            let asked = json!({ "Scope": "REGIONAL" });
            let found = aws.target("wafv2", "AWSWAF_20190729.ListWebACLs", &asked).await?;
            let acl = |acl: &Value| json!({ "id": acl["Id"], "arn": acl["ARN"], "name": acl["Name"] });
            items(&found, "WebACLs").iter().map(acl).collect()
        }
        "ecr.repository" => {
            let operation = "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories";
            let found = aws.target("ecr", operation, &json!({})).await?;
            items(&found, "repositories").iter().map(repository).collect()
        }
        _ => {
            let known = EC2.iter().find(|(known, ..)| *known == kind);
            let (_, action, path, id) =
                known.ok_or_else(|| format!("the testbed finds no {kind} for a rehearsal file (rehearsed/aws)"))?;
            let found = aws.query("ec2", action, &[]).await?;
            found.all(path).into_iter().map(|item| in_vpc(item, id)).collect()
        }
    })
}

fn balancer(found: &Element) -> Value {
    let field = |name: &str| found.text(name).to_owned();
    json!({
        "id": field("LoadBalancerArn"), "arn": field("LoadBalancerArn"), "name": field("LoadBalancerName"),
        "dns_name": field("DNSName"), "canonical_hosted_zone_id": field("CanonicalHostedZoneId"), "vpc_id": field("VpcId"),
    })
}

fn zone(found: &Element) -> Value {
    let id = found.text("Id").trim_start_matches("/hostedzone/");
    json!({ "id": id, "arn": format!("arn:aws:route53:::hostedzone/{id}"), "name": found.text("Name") })
}

fn repository(found: &Value) -> Value {
    json!({
        "id": found["repositoryName"], "arn": found["repositoryArn"], "name": found["repositoryName"],
        "repository_uri": found["repositoryUri"],
    })
}

fn in_vpc(found: &Element, id: &str) -> Value {
    let tags = found.all("tagSet/item");
    let tags: Map<String, Value> =
        tags.iter().map(|tag| (tag.text("key").to_owned(), tag.text("value").into())).collect();
    json!({ "id": found.text(id), "name": found.text("groupName"), "vpc_id": found.text("vpcId"), "tags": tags })
}
