//! EKS add-ons, and the versions that EKS offers of them.

use serde_json::{Value, json};

use super::clusters;
use crate::conformance::{
    case::{Case, Other, holds, is, list, text},
    lab::Lab,
};

/// What an add-on of a new cluster is made of.
fn asked(lab: &Lab) -> Result<Value, Other> {
    lab.make("eks.create_cluster", clusters::asked(lab)?)?;
    Ok(at(lab))
}

fn at(lab: &Lab) -> Value {
    json!({ "cluster_name": lab.name("web"), "addon_name": "vpc-cni" })
}

/// Another version for the add-on: the newest for its cluster, which is not the default.
fn newer(lab: &Lab) -> Result<Value, Other> {
    let cluster = lab.call("eks.describe_cluster", json!({ "name": lab.name("web") })).ok()?;
    let input = json!({ "addon_name": "vpc-cni", "kubernetes_version": cluster["version"] });
    let found = lab.call("eks.describe_addon_versions", input).ok()?;
    let mut asked = at(lab);
    asked["addon_version"] = found["addons"][0]["addon_versions"][0]["addon_version"].clone();
    Ok(asked)
}

pub const CASES: &[Case] = &[
    Case {
        name: "an add-on is described as it was made",
        aws: "`ACTIVE` in the end, with a version when none is named, the tags",
        page: "eks/CreateAddon",
        run: |lab| {
            let made = lab.make("eks.create_addon", asked(lab)?)?;
            is(&made, "status", "ACTIVE")?;
            holds(text(&made, "addon_version").starts_with('v'), "no version")?;
            holds(text(&made, "arn").contains(&format!(":addon/{}/vpc-cni/", lab.name("web"))), "another ARN")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "an add-on is creating at first",
        aws: "`CREATING`",
        page: "eks/CreateAddon",
        run: |lab| {
            lab.call("eks.create_addon", asked(lab)?).ok()?;
            is(&lab.call("eks.describe_addon", at(lab)).ok()?, "status", "CREATING")
        },
    },
    Case {
        name: "an add-on whose pods find no node",
        aws: "`DEGRADED`",
        page: "eks/Addon",
        run: |lab| {
            let mut input = asked(lab)?;
            input["addon_name"] = "coredns".into();
            lab.call("eks.create_addon", input.clone()).ok()?;
            lab.pass(std::time::Duration::from_secs(60));
            is(&lab.call("eks.describe_addon", input).ok()?, "status", "DEGRADED")
        },
    },
    Case {
        name: "a second add-on of the same name",
        aws: "`ResourceInUseException`",
        page: "eks/CreateAddon",
        run: |lab| {
            let input = asked(lab)?;
            lab.make("eks.create_addon", input.clone())?;
            lab.call("eks.create_addon", input).refused(&["ResourceInUseException"])
        },
    },
    Case {
        name: "the same request for an add-on, with the same token",
        aws: "the same add-on again",
        page: "eks/CreateAddon",
        run: |lab| {
            let (input, token) = (asked(lab)?, lab.token());
            let made = lab.with_token(&token, "eks.create_addon", input.clone()).ok()?;
            let again = lab.with_token(&token, "eks.create_addon", input).ok()?;
            is(&again, "arn", made["arn"].clone())
        },
    },
    Case {
        name: "an add-on that EKS does not offer",
        aws: "`InvalidParameterException`",
        page: "eks/CreateAddon",
        run: |lab| {
            let mut input = asked(lab)?;
            input["addon_name"] = "no-such-addon".into();
            lab.call("eks.create_addon", input).refused(&["InvalidParameterException"])
        },
    },
    Case {
        name: "a version of an add-on that EKS does not offer",
        aws: "`InvalidParameterException`",
        page: "eks/CreateAddon",
        run: |lab| {
            let mut input = asked(lab)?;
            input["addon_version"] = "v0.0.1-eksbuild.1".into();
            lab.call("eks.create_addon", input).refused(&["InvalidParameterException"])
        },
    },
    Case {
        name: "an add-on in a cluster that does not exist",
        aws: "`ResourceNotFoundException`",
        page: "eks/CreateAddon",
        run: |lab| lab.call("eks.create_addon", at(lab)).refused(&["ResourceNotFoundException"]),
    },
    Case {
        name: "an add-on that does not exist is described",
        aws: "`ResourceNotFoundException`",
        page: "eks/DescribeAddon",
        run: |lab| {
            asked(lab)?;
            lab.call("eks.describe_addon", at(lab)).refused(&["ResourceNotFoundException"])
        },
    },
    Case {
        name: "an add-on gets another version",
        aws: "an update `InProgress`, and the add-on with the version when it has come through",
        page: "eks/UpdateAddon",
        run: |lab| {
            lab.make("eks.create_addon", asked(lab)?)?;
            let input = newer(lab)?;
            let made = lab.call("eks.update_addon", input.clone()).ok()?;
            is(&made, "update.status", "InProgress")?;
            is(&lab.settled("eks.update_addon", &input, &made)?.0, "addon_version", input["addon_version"].clone())?;
            let poll = json!({ "name": lab.name("web"), "addon_name": "vpc-cni", "update_id": made["update_id"] });
            is(&lab.call("eks.describe_update", poll).ok()?, "status", "Successful")
        },
    },
    Case {
        name: "an add-on gets another version while it is being updated",
        aws: "`ResourceInUseException`",
        page: "eks/UpdateAddon",
        run: |lab| {
            lab.make("eks.create_addon", asked(lab)?)?;
            lab.call("eks.update_addon", newer(lab)?).ok()?;
            lab.refused("eks.update_addon", newer(lab)?, &["ResourceInUseException"])
        },
    },
    Case {
        name: "an add-on gets a version that EKS does not offer",
        aws: "`InvalidParameterException`",
        page: "eks/UpdateAddon",
        run: |lab| {
            let mut input = asked(lab)?;
            lab.make("eks.create_addon", input.clone())?;
            input["addon_version"] = "v0.0.1-eksbuild.1".into();
            lab.refused("eks.update_addon", input, &["InvalidParameterException"])
        },
    },
    Case {
        name: "an add-on that does not exist gets another version",
        aws: "`ResourceNotFoundException`; nothing is there to be put back either",
        page: "eks/UpdateAddon",
        run: |lab| {
            asked(lab)?;
            lab.delete("eks.addon_settings", at(lab)).refused(&["ResourceNotFoundException"])?;
            lab.refused("eks.update_addon", newer(lab)?, &["ResourceNotFoundException"])
        },
    },
    Case {
        name: "an add-on is deleting at first, then gone",
        aws: "`DELETING`",
        page: "eks/DeleteAddon",
        run: |lab| {
            lab.make("eks.create_addon", asked(lab)?)?;
            lab.delete("eks.addon", at(lab)).ok()?;
            is(&lab.standing("eks.addon", at(lab))?, "status", "DELETING")?;
            lab.gone("eks.addon", at(lab))
        },
    },
    Case {
        name: "an add-on that does not exist is deleted",
        aws: "`ResourceNotFoundException`",
        page: "eks/DeleteAddon",
        run: |lab| {
            asked(lab)?;
            lab.delete("eks.addon", at(lab)).refused(&["ResourceNotFoundException"])
        },
    },
    Case {
        name: "a cluster with an add-on is deleted",
        aws: "accepted: add-ons go with their cluster",
        page: "eks/DeleteCluster",
        run: |lab| {
            lab.make("eks.create_addon", asked(lab)?)?;
            lab.delete("eks.cluster", json!({ "name": lab.name("web") })).ok()?;
            lab.gone("eks.cluster", json!({ "name": lab.name("web") }))
        },
    },
    Case {
        name: "the versions of an add-on for a Kubernetes version",
        aws: "each with the Kubernetes versions that it fits; one is the default",
        page: "eks/DescribeAddonVersions",
        run: |lab| {
            let cluster = lab.make("eks.create_cluster", clusters::asked(lab)?)?;
            let input = json!({ "addon_name": "vpc-cni", "kubernetes_version": cluster["version"] });
            let found = lab.call("eks.describe_addon_versions", input).ok()?;
            is(&found, "addons.0.addon_name", "vpc-cni")?;
            let versions = list(&found, "addons.0.addon_versions");
            let default = |one: &&Value| one["compatibilities"][0]["default_version"] == true;
            let defaults = versions.iter().filter(default).count();
            holds(defaults == 1, format!("{defaults} defaults"))
        },
    },
];
