//! Who may enter an EKS cluster: access entries, pod identities, the endpoint.

use std::time::Duration;

use serde_json::{Value, json};

use super::clusters;
use crate::conformance::{
    case::{Case, Other, Seen, is, text},
    lab::Lab,
};

/// A cluster of this case's own that knows access entries.
fn cluster(lab: &Lab) -> Result<String, Other> {
    let mut input = clusters::asked(lab)?;
    input["access_config"] = json!({ "authentication_mode": "API" });
    lab.make("eks.create_cluster", input)?;
    Ok(lab.name("web"))
}

/// What an access entry of a new role in a new cluster is made of.
fn entry(lab: &Lab) -> Result<Value, Other> {
    Ok(json!({ "cluster_name": cluster(lab)?, "principal_arn": lab.role("ops", "ec2.amazonaws.com")? }))
}

/// What the identity of a service account in a new cluster is made of.
fn identity(lab: &Lab) -> Result<Value, Other> {
    Ok(json!({
        "cluster_name": cluster(lab)?, "namespace": "default", "service_account": "api",
        "role_arn": lab.role("api", "pods.eks.amazonaws.com")?,
    }))
}

fn identity_at(made: &Value) -> Value {
    json!({ "cluster_name": made["cluster_name"], "association_id": made["association_id"] })
}

/// A request that is refused because of one field.
fn refused(lab: &Lab, function: &str, mut input: Value, field: &str, value: &str, code: &str) -> Seen {
    input[field] = value.into();
    lab.refused(function, input, &[code])
}

/// Opens the endpoint inside the VPC.
fn open(name: &str) -> Value {
    json!({ "name": name, "resources_vpc_config": { "endpoint_private_access": true } })
}

const NO_ROLE: &str = "arn:aws:iam::123456789012:role/none";

pub const CASES: &[Case] = &[
    Case {
        name: "an access entry is described as it was made",
        aws: "STANDARD when nothing is said; the name in Kubernetes is that of the role's sessions; the tags",
        page: "eks/CreateAccessEntry",
        run: |lab| {
            let input = entry(lab)?;
            let made = lab.make("eks.create_access_entry", input.clone())?;
            is(&made, "type", "STANDARD")?;
            let role = text(&input, "principal_arn").replace(":iam:", ":sts:").replace(":role/", ":assumed-role/");
            is(&made, "username", format!("{role}/{{{{SessionName}}}}"))?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "an access entry with groups and a name",
        aws: "as they were asked for",
        page: "eks/CreateAccessEntry",
        run: |lab| {
            let mut input = entry(lab)?;
            input["kubernetes_groups"] = json!(["operators"]);
            input["username"] = "ops".into();
            is(&lab.make("eks.create_access_entry", input)?, "kubernetes_groups.0", "operators")
        },
    },
    Case {
        name: "an access entry of nodes",
        aws: "named by their DNS names, in the group `system:nodes`",
        page: "eks/AccessEntry",
        run: |lab| {
            let mut input = entry(lab)?;
            input["type"] = "EC2_LINUX".into();
            let made = lab.make("eks.create_access_entry", input)?;
            is(&made, "username", "system:node:{{EC2PrivateDNSName}}")?;
            is(&made, "kubernetes_groups.0", "system:nodes")
        },
    },
    Case {
        name: "a second access entry of a role",
        aws: "`ResourceInUseException`",
        page: "eks/CreateAccessEntry",
        run: |lab| lab.refused_again("eks.create_access_entry", entry(lab)?, &["ResourceInUseException"]),
    },
    Case {
        name: "an access entry of a role that does not exist",
        aws: "`InvalidParameterException`",
        page: "eks/CreateAccessEntry",
        run: |lab| {
            let code = "InvalidParameterException";
            refused(lab, "eks.create_access_entry", entry(lab)?, "principal_arn", NO_ROLE, code)
        },
    },
    Case {
        name: "an access entry in a cluster that does not exist",
        aws: "`ResourceNotFoundException`",
        page: "eks/CreateAccessEntry",
        run: |lab| {
            let arn = lab.role("ops", "ec2.amazonaws.com")?;
            let input = json!({ "cluster_name": lab.name("web"), "principal_arn": arn });
            lab.refused("eks.create_access_entry", input, &["ResourceNotFoundException"])
        },
    },
    Case {
        name: "an access entry in a cluster that knows its config map only",
        aws: "`InvalidRequestException`",
        page: "eks/CreateAccessEntry",
        run: |lab| {
            let mut input = clusters::asked(lab)?;
            input["access_config"] = json!({ "authentication_mode": "CONFIG_MAP" });
            lab.make("eks.create_cluster", input)?;
            let arn = lab.role("ops", "ec2.amazonaws.com")?;
            let input = json!({ "cluster_name": lab.name("web"), "principal_arn": arn });
            lab.refused("eks.create_access_entry", input, &["InvalidRequestException"])
        },
    },
    Case {
        name: "an access entry is deleted twice",
        aws: "`ResourceNotFoundException`",
        page: "eks/DeleteAccessEntry",
        run: |lab| {
            let at = entry(lab)?;
            lab.make("eks.create_access_entry", at.clone())?;
            lab.deleted_twice("eks.access_entry", at, &["ResourceNotFoundException"])
        },
    },
    Case {
        name: "a service account gets a role",
        aws: "the association is described as it was made, with an id; the tags",
        page: "eks/CreatePodIdentityAssociation",
        run: |lab| {
            let made = lab.make("eks.create_pod_identity_association", identity(lab)?)?;
            is(&made, "service_account", "api")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a service account gets a second role",
        aws: "`ResourceInUseException`",
        page: "eks/CreatePodIdentityAssociation",
        run: |lab| {
            lab.refused_again("eks.create_pod_identity_association", identity(lab)?, &["ResourceInUseException"])
        },
    },
    Case {
        name: "the same request for the role of a service account, with the same token",
        aws: "the same association again",
        page: "eks/CreatePodIdentityAssociation",
        run: |lab| lab.same_again("eks.create_pod_identity_association", identity(lab)?, "association_id"),
    },
    Case {
        name: "a service account gets a role in a cluster that does not exist",
        aws: "`ResourceNotFoundException`",
        page: "eks/CreatePodIdentityAssociation",
        run: |lab| {
            let input = json!({
                "cluster_name": lab.name("none"), "namespace": "default", "service_account": "api",
                "role_arn": lab.role("api", "pods.eks.amazonaws.com")?,
            });
            lab.refused("eks.create_pod_identity_association", input, &["ResourceNotFoundException"])
        },
    },
    Case {
        name: "the role of a service account is taken away twice",
        aws: "`ResourceNotFoundException`, or `NotFoundException`",
        page: "eks/DeletePodIdentityAssociation",
        run: |lab| {
            let made = lab.make("eks.create_pod_identity_association", identity(lab)?)?;
            let codes = ["ResourceNotFoundException", "NotFoundException"];
            lab.deleted_twice("eks.pod_identity_association", identity_at(&made), &codes)
        },
    },
    Case {
        name: "the endpoint of a cluster is opened inside its VPC",
        aws: "an update, `InProgress`, then `Successful`; the cluster shows it",
        page: "eks/UpdateClusterConfig",
        run: |lab| {
            let name = cluster(lab)?;
            let update = lab.call("eks.update_cluster_config", open(&name)).ok()?;
            is(&update, "status", "InProgress")?;
            let which = json!({ "name": name, "update_id": update["id"] });
            is(&lab.call("eks.describe_update", which.clone()).ok()?, "type", "EndpointAccessUpdate")?;
            lab.pass(Duration::from_secs(120));
            is(&lab.call("eks.describe_update", which).ok()?, "status", "Successful")?;
            let cluster = lab.standing("eks.cluster", json!({ "name": name }))?;
            is(&cluster, "resources_vpc_config.endpoint_private_access", true)
        },
    },
    Case {
        name: "the endpoint of a cluster is made what it is",
        aws: "`InvalidParameterException`, or `InvalidRequestException`: nothing would change",
        page: "eks/UpdateClusterConfig",
        run: |lab| {
            let input = json!({ "name": cluster(lab)?, "resources_vpc_config": { "endpoint_public_access": true } });
            let codes = ["InvalidParameterException", "InvalidRequestException"];
            lab.refused("eks.update_cluster_config", input, &codes)
        },
    },
    Case {
        name: "the endpoint of a cluster is changed while it is being changed",
        aws: "`ResourceInUseException`: one update at a time",
        page: "eks/UpdateClusterConfig",
        run: |lab| {
            let name = cluster(lab)?;
            lab.call("eks.update_cluster_config", open(&name)).ok()?;
            let input = json!({ "name": name, "resources_vpc_config": { "endpoint_public_access": false } });
            lab.refused("eks.update_cluster_config", input, &["ResourceInUseException"])
        },
    },
    Case {
        name: "the endpoint of a cluster that does not exist is changed",
        aws: "`ResourceNotFoundException`",
        page: "eks/UpdateClusterConfig",
        run: |lab| lab.refused("eks.update_cluster_config", open(&lab.name("none")), &["ResourceNotFoundException"]),
    },
    Case {
        name: "an update that does not exist is described",
        aws: "`ResourceNotFoundException`",
        page: "eks/DescribeUpdate",
        run: |lab| {
            let input = json!({ "name": cluster(lab)?, "update_id": "01234567-89ab-cdef-0123-456789abcdef" });
            lab.refused("eks.describe_update", input, &["ResourceNotFoundException"])
        },
    },
];
