//! EKS node groups.

use serde_json::{Value, json};

use super::clusters;
use crate::conformance::{
    case::{Case, Other, holds, is, list, text},
    lab::Lab,
};

/// What a node group of a new cluster is made of.
pub fn asked(lab: &Lab) -> Result<Value, Other> {
    let cluster = clusters::asked(lab)?;
    lab.make("eks.create_cluster", cluster.clone())?;
    Ok(json!({
        "cluster_name": lab.name("web"), "nodegroup_name": "nodes", "node_role": lab.role("nodes", "ec2.amazonaws.com")?,
        "subnets": cluster["resources_vpc_config"]["subnet_ids"],
        "scaling_config": { "min_size": 2, "max_size": 4, "desired_size": 3 },
    }))
}

fn at(lab: &Lab) -> Value {
    json!({ "cluster_name": lab.name("web"), "nodegroup_name": "nodes" })
}

pub const CASES: &[Case] = &[
    Case {
        name: "a node group is described as it was made",
        aws: "`ACTIVE` in the end; t3.medium, 20 GiB, ON_DEMAND when nothing is said; the cluster's version; the tags",
        page: "eks/CreateNodegroup",
        run: |lab| {
            let made = lab.make("eks.create_nodegroup", asked(lab)?)?;
            is(&made, "status", "ACTIVE")?;
            is(&made, "scaling_config.desired_size", 3)?;
            is(&made, "instance_types.0", "t3.medium")?;
            is(&made, "disk_size", 20)?;
            is(&made, "capacity_type", "ON_DEMAND")?;
            let cluster = lab.standing("eks.cluster", json!({ "name": lab.name("web") }))?;
            is(&made, "version", cluster["version"].clone())?;
            lab.tagged(&made)?;
            let found = lab.call("eks.list_nodegroups", json!({ "cluster_name": lab.name("web") })).ok()?;
            is(&found, "nodegroups.0", "nodes")
        },
    },
    Case {
        name: "a node group is creating at first",
        aws: "`CREATING`, for some minutes",
        page: "eks/CreateNodegroup",
        run: |lab| {
            lab.call("eks.create_nodegroup", asked(lab)?).ok()?;
            is(&lab.call("eks.describe_nodegroup", at(lab)).ok()?, "status", "CREATING")
        },
    },
    Case {
        name: "the auto scaling group of a node group",
        aws: "named in the node group's resources",
        page: "eks/NodegroupResources",
        run: |lab| {
            let made = lab.make("eks.create_nodegroup", asked(lab)?)?;
            holds(!text(&made, "resources.auto_scaling_groups.0.name").is_empty(), "no auto scaling group")
        },
    },
    Case {
        name: "a second node group of the same name",
        aws: "`ResourceInUseException`",
        page: "eks/CreateNodegroup",
        run: |lab| {
            let input = asked(lab)?;
            lab.make("eks.create_nodegroup", input.clone())?;
            lab.call("eks.create_nodegroup", input).refused(&["ResourceInUseException"])
        },
    },
    Case {
        name: "the same request for a node group, with the same token",
        aws: "the same node group again",
        page: "eks/CreateNodegroup",
        run: |lab| {
            let (input, token) = (asked(lab)?, lab.token());
            let made = lab.with_token(&token, "eks.create_nodegroup", input.clone()).ok()?;
            let again = lab.with_token(&token, "eks.create_nodegroup", input).ok()?;
            is(&again, "arn", made["arn"].clone())
        },
    },
    Case {
        name: "a node group in a cluster that does not exist",
        aws: "`ResourceNotFoundException`",
        page: "eks/CreateNodegroup",
        run: |lab| {
            let mut input = asked(lab)?;
            input["cluster_name"] = lab.name("data").into();
            lab.call("eks.create_nodegroup", input).refused(&["ResourceNotFoundException"])
        },
    },
    Case {
        name: "a node group with a role that does not exist",
        aws: "`InvalidParameterException`",
        page: "eks/CreateNodegroup",
        run: |lab| {
            let mut input = asked(lab)?;
            input["node_role"] = "arn:aws:iam::123456789012:role/none".into();
            lab.call("eks.create_nodegroup", input).refused(&["InvalidParameterException"])
        },
    },
    Case {
        name: "a node group in a subnet that does not exist",
        aws: "`InvalidParameterException`",
        page: "eks/CreateNodegroup",
        run: |lab| {
            let mut input = asked(lab)?;
            input["subnets"] = json!(["subnet-0123456789abcdef0"]);
            lab.call("eks.create_nodegroup", input).refused(&["InvalidParameterException"])
        },
    },
    Case {
        name: "a node group that does not exist is described",
        aws: "`ResourceNotFoundException`",
        page: "eks/DescribeNodegroup",
        run: |lab| {
            asked(lab)?;
            lab.call("eks.describe_nodegroup", at(lab)).refused(&["ResourceNotFoundException"])
        },
    },
    Case {
        name: "the node groups of a cluster that does not exist",
        aws: "`ResourceNotFoundException`",
        page: "eks/ListNodegroups",
        run: |lab| {
            let input = json!({ "cluster_name": lab.name("web") });
            lab.call("eks.list_nodegroups", input).refused(&["ResourceNotFoundException"])
        },
    },
    Case {
        name: "a cluster with a node group is deleted",
        aws: "`ResourceInUseException`",
        page: "eks/DeleteCluster",
        run: |lab| {
            lab.make("eks.create_nodegroup", asked(lab)?)?;
            lab.delete("eks.cluster", json!({ "name": lab.name("web") })).refused(&["ResourceInUseException"])
        },
    },
    Case {
        name: "a node group is deleting at first, then gone",
        aws: "`DELETING` for some minutes",
        page: "eks/DeleteNodegroup",
        run: |lab| {
            lab.make("eks.create_nodegroup", asked(lab)?)?;
            lab.delete("eks.nodegroup", at(lab)).ok()?;
            is(&lab.standing("eks.nodegroup", at(lab))?, "status", "DELETING")?;
            lab.gone("eks.nodegroup", at(lab))?;
            let found = lab.call("eks.list_nodegroups", json!({ "cluster_name": lab.name("web") })).ok()?;
            holds(list(&found, "nodegroups").is_empty(), "still listed")
        },
    },
    Case {
        name: "a node group that does not exist is deleted",
        aws: "`ResourceNotFoundException`",
        page: "eks/DeleteNodegroup",
        run: |lab| {
            asked(lab)?;
            lab.delete("eks.nodegroup", at(lab)).refused(&["ResourceNotFoundException"])
        },
    },
];
