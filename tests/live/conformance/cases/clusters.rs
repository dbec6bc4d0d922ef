//! EKS clusters, and the versions that EKS offers.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, Seen, holds, is, list, text},
    lab::Lab,
};

/// What a cluster in two zones is made of.
pub fn asked(lab: &Lab) -> Result<Value, Other> {
    let vpc = lab.vpc()?;
    let subnets = [lab.subnet(&vpc, 1, 'a')?, lab.subnet(&vpc, 2, 'b')?];
    Ok(json!({
        "name": lab.name("web"), "role_arn": lab.role("cluster", "eks.amazonaws.com")?,
        "resources_vpc_config": { "subnet_ids": subnets },
    }))
}

/// A cluster that is refused because of one field.
fn refused(lab: &Lab, field: &str, value: Value) -> Seen {
    let mut input = asked(lab)?;
    input[field] = value;
    lab.call("eks.create_cluster", input).refused(&["InvalidParameterException"])
}

pub const CASES: &[Case] = &[
    Case {
        name: "a cluster is described as it was made",
        aws: "`ACTIVE` in the end, with endpoint, certificate authority, OIDC issuer, security group, VPC, the tags",
        page: "eks/CreateCluster",
        run: |lab| {
            let made = lab.make("eks.create_cluster", asked(lab)?)?;
            is(&made, "status", "ACTIVE")?;
            holds(text(&made, "arn").ends_with(&format!(":cluster/{}", lab.name("web"))), "another ARN")?;
            holds(text(&made, "endpoint").starts_with("https://"), "no endpoint")?;
            holds(!text(&made, "certificate_authority.data").is_empty(), "no certificate authority")?;
            holds(text(&made, "identity.oidc.issuer").starts_with("https://"), "no OIDC issuer (https)")?;
            let group = text(&made, "resources_vpc_config.cluster_security_group_id");
            holds(group.starts_with("sg-"), "no cluster security group")?;
            holds(text(&made, "resources_vpc_config.vpc_id").starts_with("vpc-"), "no VPC")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a cluster is creating at first",
        aws: "`CREATING`, for some ten minutes",
        page: "eks/CreateCluster",
        run: |lab| {
            lab.call("eks.create_cluster", asked(lab)?).ok()?;
            is(&lab.call("eks.describe_cluster", json!({ "name": lab.name("web") })).ok()?, "status", "CREATING")
        },
    },
    Case {
        name: "the security group of a cluster",
        aws: "EKS makes it in the VPC, tagged with the cluster's name",
        page: "eks/VpcConfigResponse",
        run: |lab| {
            let made = lab.make("eks.create_cluster", asked(lab)?)?;
            let group = made["resources_vpc_config"]["cluster_security_group_id"].clone();
            let found = lab.standing("ec2.security_group", json!({ "group_id": group }))?;
            is(&found, "vpc_id", made["resources_vpc_config"]["vpc_id"].clone())?;
            holds(
                found["tags"][format!("kubernetes.io/cluster/{}", lab.name("web"))] == "owned",
                "not tagged as the cluster's",
            )
        },
    },
    Case {
        name: "two clusters have two OIDC issuers",
        aws: "each cluster has its own",
        page: "eks/OIDC",
        run: |lab| {
            let mut input = asked(lab)?;
            let one = lab.make("eks.create_cluster", input.clone())?;
            input["name"] = lab.name("data").into();
            let two = lab.make("eks.create_cluster", input)?;
            holds(one["identity"]["oidc"]["issuer"] != two["identity"]["oidc"]["issuer"], "the same issuer")?;
            let found = lab.call("eks.list_clusters", json!({})).ok()?;
            let listed = |noun: &str| list(&found, "clusters").contains(&lab.name(noun).into());
            holds(listed("web") && listed("data"), "not both are listed")
        },
    },
    Case {
        name: "a second cluster of the same name",
        aws: "`ResourceInUseException`",
        page: "eks/CreateCluster",
        run: |lab| {
            let input = asked(lab)?;
            lab.make("eks.create_cluster", input.clone())?;
            lab.call("eks.create_cluster", input).refused(&["ResourceInUseException"])
        },
    },
    Case {
        name: "the same request for a cluster, with the same token",
        aws: "the same cluster again",
        page: "eks/CreateCluster",
        run: |lab| {
            let (input, token) = (asked(lab)?, lab.token());
            let made = lab.with_token(&token, "eks.create_cluster", input.clone()).ok()?;
            let again = lab.with_token(&token, "eks.create_cluster", input).ok()?;
            is(&again, "arn", made["arn"].clone())
        },
    },
    Case {
        name: "a cluster in one zone only",
        aws: "`InvalidParameterException`: two zones at least",
        page: "eks/CreateCluster",
        run: |lab| {
            let mut input = asked(lab)?;
            input["resources_vpc_config"]["subnet_ids"].as_array_mut().map(Vec::pop);
            lab.call("eks.create_cluster", input).refused(&["InvalidParameterException"])
        },
    },
    Case {
        name: "a cluster in a subnet that does not exist",
        aws: "`InvalidParameterException`",
        page: "eks/CreateCluster",
        run: |lab| {
            let subnets = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"];
            refused(lab, "resources_vpc_config", json!({ "subnet_ids": subnets }))
        },
    },
    Case {
        name: "a cluster with a role that does not exist",
        aws: "`InvalidParameterException`",
        page: "eks/CreateCluster",
        run: |lab| refused(lab, "role_arn", "arn:aws:iam::123456789012:role/none".into()),
    },
    Case {
        name: "a cluster of a version that does not exist",
        aws: "`InvalidParameterException`",
        page: "eks/CreateCluster",
        run: |lab| refused(lab, "version", "1.999".into()),
    },
    Case {
        name: "a cluster whose name begins with a dash",
        aws: "`InvalidParameterException`: letters and digits first",
        page: "eks/CreateCluster",
        run: |lab| refused(lab, "name", "-web".into()),
    },
    Case {
        name: "a cluster that does not exist is described",
        aws: "`ResourceNotFoundException`",
        page: "eks/DescribeCluster",
        run: |lab| {
            lab.call("eks.describe_cluster", json!({ "name": lab.name("web") })).refused(&["ResourceNotFoundException"])
        },
    },
    Case {
        name: "a cluster is deleting at first, then gone",
        aws: "`DELETING` for some minutes",
        page: "eks/DeleteCluster",
        run: |lab| {
            lab.make("eks.create_cluster", asked(lab)?)?;
            lab.delete("eks.cluster", json!({ "name": lab.name("web") })).ok()?;
            is(&lab.standing("eks.cluster", json!({ "name": lab.name("web") }))?, "status", "DELETING")?;
            lab.gone("eks.cluster", json!({ "name": lab.name("web") }))
        },
    },
    Case {
        name: "a cluster that does not exist is deleted",
        aws: "`ResourceNotFoundException`",
        page: "eks/DeleteCluster",
        run: |lab| {
            lab.delete("eks.cluster", json!({ "name": lab.name("web") })).refused(&["ResourceNotFoundException"])
        },
    },
    Case {
        name: "the subnet of a cluster is deleted",
        aws: "`DependencyViolation`: the control plane's network interfaces stand in it",
        page: "ec2/DeleteSubnet",
        run: |lab| {
            let input = asked(lab)?;
            lab.make("eks.create_cluster", input.clone())?;
            let at = json!({ "subnet_id": input["resources_vpc_config"]["subnet_ids"][0] });
            lab.delete("ec2.subnet", at).refused(&["DependencyViolation"])
        },
    },
    Case {
        name: "the versions that EKS offers",
        aws: "exactly one is the default",
        page: "eks/DescribeClusterVersions",
        run: |lab| {
            let found = lab.call("eks.describe_cluster_versions", json!({})).ok()?;
            let defaults = list(&found, "cluster_versions").iter().filter(|one| one["default_version"] == true).count();
            holds(defaults == 1, format!("{defaults} defaults"))
        },
    },
];
