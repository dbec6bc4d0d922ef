//! The Auto Scaling groups that EKS makes.

use serde_json::json;

use super::nodegroups;
use crate::conformance::case::{Case, holds, is, list, text};

pub const CASES: &[Case] = &[
    Case {
        name: "the Auto Scaling group of a node group",
        aws: "named in DescribeNodegroup, of the sizes asked for, with instances, and tags that name cluster and node group",
        page: "autoscaling/DescribeAutoScalingGroups",
        run: |lab| {
            let mut input = nodegroups::asked(lab)?;
            input["scaling_config"] = json!({ "min_size": 1, "desired_size": 2, "max_size": 3 });
            let made = lab.make("eks.create_nodegroup", input)?;
            let name = text(&made, "resources.auto_scaling_groups.0.name").to_owned();
            holds(name.starts_with("eks-"), "named otherwise in DescribeNodegroup")?;
            let input = json!({ "auto_scaling_group_names": [name] });
            let found = lab.call("autoscaling.describe_auto_scaling_groups", input).ok()?;
            let groups = list(&found, "auto_scaling_groups");
            holds(groups.len() == 1, format!("{} groups of that name", groups.len()))?;
            is(&groups[0], "min_size", 1)?;
            is(&groups[0], "desired_capacity", 2)?;
            is(&groups[0], "max_size", 3)?;
            holds(list(&groups[0], "instances").len() == 2, "other instances")?;
            let tag = |name: &str| groups[0]["tags"][name].as_str().unwrap_or_default().to_owned();
            holds(tag("eks:cluster-name") == lab.name("web") && tag("eks:nodegroup-name") == "nodes", "other tags")
        },
    },
    Case {
        name: "an Auto Scaling group that does not exist, by name and by tag",
        aws: "an empty list",
        page: "autoscaling/DescribeAutoScalingGroups",
        run: |lab| {
            for input in [
                json!({ "auto_scaling_group_names": [lab.name("none")] }),
                json!({ "filters": { "tag:eks:cluster-name": lab.name("none") } }),
            ] {
                let found = lab.call("autoscaling.describe_auto_scaling_groups", input).ok()?;
                holds(list(&found, "auto_scaling_groups").is_empty(), "other groups")?;
            }
            Ok(())
        },
    },
];
