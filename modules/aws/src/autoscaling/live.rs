//! DescribeAutoScalingGroups.

use aws_sdk_autoscaling::types::{AutoScalingGroup, Filter, Instance};
use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::group::Describe;
use crate::live::{
    Call, Clients, Sent, classify,
    convert::{Described, texts},
};

pub(super) struct DescribeGroups;

fn instance(instance: &Instance) -> Value {
    Described::new()
        .text("instance_id", instance.instance_id())
        .text("instance_type", instance.instance_type())
        .text("availability_zone", instance.availability_zone())
        .text("lifecycle_state", instance.lifecycle_state().map(|state| state.as_str()))
        .text("health_status", instance.health_status())
        .value("protected_from_scale_in", instance.protected_from_scale_in())
        .done()
}

fn described(group: &AutoScalingGroup) -> Value {
    Described::new()
        .text("id", group.auto_scaling_group_name())
        .text("name", group.auto_scaling_group_name())
        .text("auto_scaling_group_name", group.auto_scaling_group_name())
        .text("arn", group.auto_scaling_group_arn())
        .value("min_size", group.min_size())
        .value("max_size", group.max_size())
        .value("desired_capacity", group.desired_capacity())
        .value("availability_zones", Some(texts(group.availability_zones())))
        .text("vpc_zone_identifier", group.vpc_zone_identifier())
        .text("health_check_type", group.health_check_type())
        .text("status", group.status())
        .list("instances", group.instances(), instance)
        .tags(group.tags().iter().map(|tag| (tag.key(), tag.value())))
        .done()
}

impl Call for DescribeGroups {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let Describe { auto_scaling_group_names, filters } = sent.typed()?;
        let filters = filters.map(|filters| {
            let filter = |(name, values): (String, crate::ec2::filter::Values)| {
                Filter::builder().name(name).set_values(Some(values.list())).build()
            };
            filters.into_iter().map(filter).collect()
        });
        let request = clients.autoscaling.describe_auto_scaling_groups().set_filters(filters);
        let pages = request.set_auto_scaling_group_names(auto_scaling_group_names).into_paginator().items().send();
        let found: Vec<AutoScalingGroup> = pages.try_collect().await.map_err(classify)?;
        Ok(json!({ "auto_scaling_groups": found.iter().map(described).collect::<Value>() }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        autoscaling::call,
        live::testing::{Wire, sent, tags, xml_answer},
    };

    fn page(name: &str, next: &str) -> String {
        format!(
            "<DescribeAutoScalingGroupsResponse xmlns=\"http://autoscaling.amazonaws.com/doc/2011-01-01/\">\
             <DescribeAutoScalingGroupsResult><AutoScalingGroups><member>\
             <AutoScalingGroupName>{name}</AutoScalingGroupName><AutoScalingGroupARN>arn:{name}</AutoScalingGroupARN>\
             <MinSize>1</MinSize><MaxSize>3</MaxSize><DesiredCapacity>2</DesiredCapacity><DefaultCooldown>300</DefaultCooldown>\
             <AvailabilityZones><member>us-east-1a</member></AvailabilityZones><HealthCheckType>EC2</HealthCheckType>\
             <CreatedTime>2026-01-01T00:00:00Z</CreatedTime><VPCZoneIdentifier>subnet-1,subnet-2</VPCZoneIdentifier>\
             <Instances><member><InstanceId>i-1</InstanceId><InstanceType>t3.medium</InstanceType>\
             <AvailabilityZone>us-east-1a</AvailabilityZone><LifecycleState>InService</LifecycleState>\
             <HealthStatus>Healthy</HealthStatus><ProtectedFromScaleIn>false</ProtectedFromScaleIn></member></Instances>\
             <Tags><member><Key>eks:cluster-name</Key><Value>c</Value><PropagateAtLaunch>true</PropagateAtLaunch>\
             <ResourceId>{name}</ResourceId><ResourceType>auto-scaling-group</ResourceType></member></Tags>\
             </member></AutoScalingGroups>{next}</DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>"
        )
    }

    #[tokio::test]
    async fn groups_are_asked_for_by_name_and_tag_page_by_page() {
        let first = page("eks-n-1", "<NextToken>more</NextToken>");
        let wire = Wire::answering([xml_answer(&first), xml_answer(&page("eks-n-2", ""))]);
        let filters = json!({ "tag:eks:cluster-name": "c", "tag-key": ["a", "b"] });
        let input = json!({ "auto_scaling_group_names": ["eks-n-1", "eks-n-2"], "filters": filters });
        let tags = tags();
        let describe = call("autoscaling.describe_auto_scaling_groups").unwrap();
        let found = describe.call(&wire.clients, &sent(&input, &tags)).await.unwrap();
        let groups = found["auto_scaling_groups"].as_array().unwrap();
        let names: Vec<_> = groups.iter().map(|group| group["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["eks-n-1", "eks-n-2"]);
        assert_eq!((&groups[0]["min_size"], &groups[0]["desired_capacity"]), (&json!(1), &json!(2)));
        assert_eq!(groups[0]["instances"][0]["lifecycle_state"], "InService");
        assert_eq!((&groups[0]["tags"], groups[0].get("status")), (&json!({ "eks:cluster-name": "c" }), None));
        let seen = wire.seen();
        let form = seen[0].form();
        let field = |name: &str| form.get(name).map(String::as_str);
        assert_eq!(field("Action"), Some("DescribeAutoScalingGroups"));
        assert_eq!(field("AutoScalingGroupNames.member.2"), Some("eks-n-2"));
        assert_eq!(
            (field("Filters.member.1.Name"), field("Filters.member.1.Values.member.2")),
            (Some("tag-key"), Some("b"))
        );
        assert_eq!(field("Filters.member.2.Name"), Some("tag:eks:cluster-name"));
        assert_eq!(seen[1].form()["NextToken"], "more");
    }
}
