//! An instance that a controller such as Karpenter starts: with a network interface in a subnet, which it holds until it is terminated.

use serde_json::{Value, json};

use super::{find, unless};
use crate::standins::{
    aws::Aws,
    kube_objects::{at, items, text},
    xml::Element,
};

/// By this tag Karpenter finds subnets.
const DISCOVERY: &str = "karpenter.sh/discovery";
/// No emulator looks at it.
const IMAGE: &str = "ami-0123456789abcdef0";

/// Starts an instance with the item's tags; one that runs with all of them is it already.
pub(super) async fn put(aws: &Aws, item: &Value) -> Result<Option<Value>, String> {
    let tags: Vec<(&str, &str)> = at(item, "tags").as_object().into_iter().flatten().filter_map(tag).collect();
    if tags.is_empty() {
        return Err(format!("the instance {} has no tags, by which it could be found again", text(item, "id")));
    }
    if running(aws, &tags).await? {
        return Ok(None);
    }
    let mut asked: Vec<(String, String)> =
        [("ImageId", IMAGE), ("MinCount", "1"), ("MaxCount", "1"), ("InstanceType", text(item, "body.instance_type"))]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
    asked.extend(interface(aws, item).await?);
    asked.push(("TagSpecification.1.ResourceType".to_owned(), "instance".to_owned()));
    for ((key, value), place) in tags.iter().zip(1..) {
        asked.push((format!("TagSpecification.1.Tag.{place}.Key"), (*key).to_owned()));
        asked.push((format!("TagSpecification.1.Tag.{place}.Value"), (*value).to_owned()));
    }
    let asked: Vec<(&str, &str)> = asked.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let started = aws.query("ec2", "RunInstances", &asked).await?;
    Ok(Some(json!({ "id": started.text("instancesSet/item/instanceId") })))
}

pub(super) async fn remove(aws: &Aws, what: &Value) -> Result<(), String> {
    let ended = aws.query("ec2", "TerminateInstances", &[("InstanceId.1", text(what, "id"))]).await;
    // moto terminates an instance once: then it misses its interface.
    unless(ended, &["InvalidInstanceID.NotFound", "InvalidNetworkInterfaceID.NotFound"]).map(|_| ())
}

fn tag<'a>((key, value): (&'a String, &'a Value)) -> Option<(&'a str, &'a str)> {
    Some((key.as_str(), value.as_str()?))
}

async fn running(aws: &Aws, tags: &[(&str, &str)]) -> Result<bool, String> {
    let mut asked: Vec<(String, String)> = vec![
        ("Filter.1.Name".to_owned(), "instance-state-name".to_owned()),
        ("Filter.1.Value.1".to_owned(), "pending".to_owned()),
        ("Filter.1.Value.2".to_owned(), "running".to_owned()),
    ];
    for ((key, value), place) in tags.iter().zip(2..) {
        asked.push((format!("Filter.{place}.Name"), format!("tag:{key}")));
        asked.push((format!("Filter.{place}.Value.1"), (*value).to_owned()));
    }
    let asked: Vec<(&str, &str)> = asked.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let found = aws.query("ec2", "DescribeInstances", &asked).await?;
    Ok(!found.all("reservationSet/item/instancesSet/item").is_empty())
}

/// Its interface: with the security groups that it refers to, in a subnet of their VPC, one that Karpenter would find if there is any.
async fn interface(aws: &Aws, item: &Value) -> Result<Vec<(String, String)>, String> {
    let mut groups: Vec<Value> = Vec::new();
    for reference in items(item, "refs").iter().filter_map(Value::as_str) {
        let Some(name) = reference.strip_prefix("ec2.security_group ") else {
            return Err(format!("the testbed ties no instance to {reference}"));
        };
        let found = find::find(aws, "ec2.security_group", name).await?;
        groups.push(found.ok_or_else(|| format!("there is no {reference} for an instance"))?);
    }
    let Some(first) = groups.first() else {
        return Err(format!(
            "the instance {} names no security group in refs, so its VPC is unknown",
            text(item, "id")
        ));
    };
    let vpc = text(first, "vpc_id");
    let asked = [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", vpc)];
    let described = aws.query("ec2", "DescribeSubnets", &asked).await?;
    let discovered = |subnet: &&Element| subnet.all("tagSet/item").iter().any(|tag| tag.text("key") == DISCOVERY);
    let subnets = described.all("subnetSet/item");
    let subnet = subnets.iter().min_by_key(|subnet| (!discovered(subnet), subnet.text("availabilityZone").to_owned()));
    let subnet = subnet.ok_or_else(|| format!("{vpc} has no subnet for an instance"))?;
    let mut asked = vec![
        ("DeviceIndex".to_owned(), "0"),
        ("SubnetId".to_owned(), subnet.text("subnetId")),
        ("DeleteOnTermination".to_owned(), "true"),
    ];
    asked.extend(groups.iter().zip(1..).map(|(group, place)| (format!("SecurityGroupId.{place}"), text(group, "id"))));
    Ok(asked.into_iter().map(|(key, value)| (format!("NetworkInterface.1.{key}"), value.to_owned())).collect())
}
