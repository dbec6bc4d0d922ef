//! RDS subnet groups, parameter groups, option groups, and the engine versions.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, Seen, holds, is, list, text},
    lab::Lab,
};

/// What a subnet group in two zones of a new VPC is made of.
fn asked(lab: &Lab) -> Result<Value, Other> {
    let vpc = lab.vpc()?;
    let subnets = [lab.subnet(&vpc, 1, 'a')?, lab.subnet(&vpc, 2, 'b')?];
    Ok(json!({
        "db_subnet_group_name": lab.name("data"), "db_subnet_group_description": "conformance", "subnet_ids": subnets,
    }))
}

/// A subnet group of this case's own: its name.
pub fn subnets(lab: &Lab) -> Result<String, Other> {
    lab.make("rds.create_db_subnet_group", asked(lab)?)?;
    Ok(lab.name("data"))
}

/// What a parameter group of a family is made of.
pub fn parameters(lab: &Lab, family: &str) -> Value {
    json!({
        "db_parameter_group_name": lab.name("tuned"), "db_parameter_group_family": family, "description": "conformance",
    })
}

/// The same for clusters.
pub fn cluster_parameters(lab: &Lab, family: &str) -> Value {
    json!({
        "db_cluster_parameter_group_name": lab.name("tuned"), "db_parameter_group_family": family,
        "description": "conformance",
    })
}

fn options(lab: &Lab, major: &str) -> Value {
    json!({
        "option_group_name": lab.name("extras"), "engine_name": "mysql", "major_engine_version": major,
        "option_group_description": "conformance",
    })
}

/// Settings for a parameter group.
fn settings(field: &str, name: String) -> Value {
    let parameter = json!({ "parameter_name": "rds.force_ssl", "parameter_value": "1" });
    json!({ field: name, "parameters": [parameter] })
}

const GROUP: &str = "db_parameter_group_name";
const CLUSTER_GROUP: &str = "db_cluster_parameter_group_name";

fn subnets_refused(lab: &Lab, ids: Value, code: &str) -> Seen {
    let mut input = asked(lab)?;
    input["subnet_ids"] = ids;
    lab.refused("rds.create_db_subnet_group", input, &[code])
}

pub const CASES: &[Case] = &[
    Case {
        name: "a subnet group is described as it was made",
        aws: "`Complete`, with the VPC of its subnets, an ARN with its name, the tags",
        page: "rds/CreateDBSubnetGroup",
        run: |lab| {
            let made = lab.make("rds.create_db_subnet_group", asked(lab)?)?;
            is(&made, "subnet_group_status", "Complete")?;
            holds(text(&made, "vpc_id").starts_with("vpc-"), "no VPC")?;
            holds(text(&made, "arn").ends_with(&format!(":subgrp:{}", lab.name("data"))), "another ARN")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a second subnet group of the same name",
        aws: "`DBSubnetGroupAlreadyExists`",
        page: "rds/CreateDBSubnetGroup",
        run: |lab| lab.refused_again("rds.create_db_subnet_group", asked(lab)?, &["DBSubnetGroupAlreadyExists"]),
    },
    Case {
        name: "a subnet group in one zone",
        aws: "`DBSubnetGroupDoesNotCoverEnoughAZs`: two at least",
        page: "rds/CreateDBSubnetGroup",
        run: |lab| {
            let vpc = lab.vpc()?;
            let ids = json!([lab.subnet(&vpc, 1, 'a')?, lab.subnet(&vpc, 2, 'a')?]);
            subnets_refused(lab, ids, "DBSubnetGroupDoesNotCoverEnoughAZs")
        },
    },
    Case {
        name: "a subnet group of subnets that do not exist",
        aws: "`InvalidSubnet`",
        page: "rds/CreateDBSubnetGroup",
        run: |lab| subnets_refused(lab, json!(["subnet-0123456789abcdef0"]), "InvalidSubnet"),
    },
    Case {
        name: "a subnet group over two VPCs",
        aws: "`InvalidSubnet`",
        page: "rds/CreateDBSubnetGroup",
        run: |lab| {
            let ids = json!([lab.subnet(&lab.vpc()?, 1, 'a')?, lab.subnet(&lab.vpc()?, 1, 'b')?]);
            subnets_refused(lab, ids, "InvalidSubnet")
        },
    },
    Case {
        name: "a subnet group is deleted twice",
        aws: "`DBSubnetGroupNotFoundFault`",
        page: "rds/DeleteDBSubnetGroup",
        run: |lab| {
            let at = json!({ "db_subnet_group_name": subnets(lab)? });
            lab.deleted_twice("rds.db_subnet_group", at, &["DBSubnetGroupNotFoundFault"])
        },
    },
    Case {
        name: "a parameter group is described as it was made",
        aws: "its family, an ARN with its name, the tags",
        page: "rds/CreateDBParameterGroup",
        run: |lab| {
            let made = lab.make("rds.create_db_parameter_group", parameters(lab, "postgres16"))?;
            holds(text(&made, "arn").ends_with(&format!(":pg:{}", lab.name("tuned"))), "another ARN")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a second parameter group of the same name",
        aws: "`DBParameterGroupAlreadyExists`",
        page: "rds/CreateDBParameterGroup",
        run: |lab| {
            let input = parameters(lab, "postgres16");
            lab.refused_again("rds.create_db_parameter_group", input, &["DBParameterGroupAlreadyExists"])
        },
    },
    Case {
        name: "a parameter group of a family that does not exist",
        aws: "`InvalidParameterValue`",
        page: "rds/CreateDBParameterGroup",
        run: |lab| {
            lab.refused("rds.create_db_parameter_group", parameters(lab, "postgres999"), &["InvalidParameterValue"])
        },
    },
    Case {
        name: "a parameter is set",
        aws: "accepted, with the group's name",
        page: "rds/ModifyDBParameterGroup",
        run: |lab| {
            lab.make("rds.create_db_parameter_group", parameters(lab, "postgres16"))?;
            let input = settings(GROUP, lab.name("tuned"));
            is(&lab.call("rds.modify_db_parameter_group", input).ok()?, GROUP, lab.name("tuned"))
        },
    },
    Case {
        name: "a parameter of a group that does not exist is set",
        aws: "`DBParameterGroupNotFound`",
        page: "rds/ModifyDBParameterGroup",
        run: |lab| {
            let input = settings(GROUP, lab.name("none"));
            lab.refused("rds.modify_db_parameter_group", input, &["DBParameterGroupNotFound"])
        },
    },
    Case {
        name: "a parameter group is deleted twice",
        aws: "`DBParameterGroupNotFound`",
        page: "rds/DeleteDBParameterGroup",
        run: |lab| {
            lab.make("rds.create_db_parameter_group", parameters(lab, "postgres16"))?;
            let at = json!({ GROUP: lab.name("tuned") });
            lab.deleted_twice("rds.db_parameter_group", at, &["DBParameterGroupNotFound"])
        },
    },
    Case {
        name: "a parameter group of clusters is described as it was made",
        aws: "its family, an ARN with its name, the tags",
        page: "rds/CreateDBClusterParameterGroup",
        run: |lab| {
            let input = cluster_parameters(lab, "aurora-postgresql16");
            let made = lab.make("rds.create_db_cluster_parameter_group", input)?;
            holds(text(&made, "arn").ends_with(&format!(":cluster-pg:{}", lab.name("tuned"))), "another ARN")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a second parameter group of clusters of the same name",
        aws: "`DBParameterGroupAlreadyExists`",
        page: "rds/CreateDBClusterParameterGroup",
        run: |lab| {
            let input = cluster_parameters(lab, "aurora-postgresql16");
            lab.refused_again("rds.create_db_cluster_parameter_group", input, &["DBParameterGroupAlreadyExists"])
        },
    },
    Case {
        name: "a parameter of clusters is set",
        aws: "accepted, with the group's name",
        page: "rds/ModifyDBClusterParameterGroup",
        run: |lab| {
            let input = cluster_parameters(lab, "aurora-postgresql16");
            lab.make("rds.create_db_cluster_parameter_group", input)?;
            let input = settings(CLUSTER_GROUP, lab.name("tuned"));
            let answer = lab.call("rds.modify_db_cluster_parameter_group", input).ok()?;
            is(&answer, CLUSTER_GROUP, lab.name("tuned"))
        },
    },
    Case {
        name: "a parameter of a group of clusters that does not exist is set",
        aws: "`DBParameterGroupNotFound`",
        page: "rds/ModifyDBClusterParameterGroup",
        run: |lab| {
            let input = settings(CLUSTER_GROUP, lab.name("none"));
            lab.refused("rds.modify_db_cluster_parameter_group", input, &["DBParameterGroupNotFound"])
        },
    },
    Case {
        name: "a parameter group of clusters is deleted twice",
        aws: "`DBParameterGroupNotFound`",
        page: "rds/DeleteDBClusterParameterGroup",
        run: |lab| {
            let input = cluster_parameters(lab, "aurora-postgresql16");
            lab.make("rds.create_db_cluster_parameter_group", input)?;
            let at = json!({ CLUSTER_GROUP: lab.name("tuned") });
            lab.deleted_twice("rds.db_cluster_parameter_group", at, &["DBParameterGroupNotFound"])
        },
    },
    Case {
        name: "an option group is described as it was made",
        aws: "its engine and major version, an ARN with its name, no options, the tags",
        page: "rds/CreateOptionGroup",
        run: |lab| {
            let made = lab.make("rds.create_option_group", options(lab, "8.0"))?;
            holds(text(&made, "arn").ends_with(&format!(":og:{}", lab.name("extras"))), "another ARN")?;
            holds(list(&made, "options").is_empty(), "some options")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a second option group of the same name",
        aws: "`OptionGroupAlreadyExistsFault`",
        page: "rds/CreateOptionGroup",
        run: |lab| {
            lab.refused_again("rds.create_option_group", options(lab, "8.0"), &["OptionGroupAlreadyExistsFault"])
        },
    },
    Case {
        name: "an option group of a version that does not exist",
        aws: "`InvalidParameterCombination`, or `InvalidParameterValue`",
        page: "rds/CreateOptionGroup",
        run: |lab| {
            let codes = ["InvalidParameterCombination", "InvalidParameterValue"];
            lab.refused("rds.create_option_group", options(lab, "99.0"), &codes)
        },
    },
    Case {
        name: "an option group is deleted twice",
        aws: "`OptionGroupNotFoundFault`",
        page: "rds/DeleteOptionGroup",
        run: |lab| {
            lab.make("rds.create_option_group", options(lab, "8.0"))?;
            let at = json!({ "option_group_name": lab.name("extras") });
            lab.deleted_twice("rds.option_group", at, &["OptionGroupNotFoundFault"])
        },
    },
    Case {
        name: "the default version of an engine",
        aws: "one, with its family",
        page: "rds/DescribeDBEngineVersions",
        run: |lab| {
            let input = json!({ "engine": "postgres", "default_only": true });
            let found = lab.call("rds.describe_db_engine_versions", input).ok()?;
            let count = list(&found, "db_engine_versions").len();
            holds(count == 1, format!("{count} versions"))?;
            let family = text(&found, "db_engine_versions.0.db_parameter_group_family");
            holds(family.starts_with("postgres"), "another family")
        },
    },
    Case {
        name: "the versions of a family",
        aws: "those of the family",
        page: "rds/DescribeDBEngineVersions",
        run: |lab| {
            let input = json!({ "engine": "postgres", "db_parameter_group_family": "postgres16" });
            let found = lab.call("rds.describe_db_engine_versions", input).ok()?;
            let all = list(&found, "db_engine_versions");
            let fits = all.iter().all(|one| text(one, "engine_version").starts_with("16."));
            holds(!all.is_empty() && fits, "finds none, or others")
        },
    },
];
