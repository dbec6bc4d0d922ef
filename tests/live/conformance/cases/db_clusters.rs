//! Aurora clusters and their instances.

use serde_json::{Value, json};

use super::db_groups::{cluster_parameters, subnets};
use crate::conformance::{
    case::{Case, Other, Seen, holds, is, list, text},
    lab::Lab,
};

/// What a cluster is made of, without a network of its own.
fn bare(lab: &Lab) -> Value {
    json!({
        "db_cluster_identifier": lab.name("ledger"), "engine": "aurora-postgresql",
        "master_username": "keeper", "master_user_password": "a-long-password",
    })
}

fn at(lab: &Lab) -> Value {
    json!({ "db_cluster_identifier": lab.name("ledger"), "skip_final_snapshot": true })
}

fn which(name: String) -> Value {
    json!({ "db_cluster_identifier": name })
}

/// A member of the cluster.
fn member(lab: &Lab, noun: &str, engine: &str) -> Value {
    json!({
        "db_instance_identifier": lab.name(noun), "db_cluster_identifier": lab.name("ledger"), "engine": engine,
        "db_instance_class": "db.t4g.medium",
    })
}

/// A cluster that is refused because of one field.
fn refused(lab: &Lab, field: &str, value: Value, code: &str) -> Seen {
    let mut input = bare(lab);
    input[field] = value;
    lab.refused("rds.create_db_cluster", input, &[code])
}

/// A cluster with a member.
fn peopled(lab: &Lab) -> Result<Value, Other> {
    lab.make("rds.create_db_cluster", bare(lab))?;
    lab.make("rds.create_db_instance", member(lab, "first", "aurora-postgresql"))
}

fn described(lab: &Lab) -> Result<Value, Other> {
    lab.standing("rds.db_cluster", at(lab))
}

pub const CASES: &[Case] = &[
    Case {
        name: "a cluster of databases is described as it was made",
        aws: "`available` in the end, with an endpoint to write and one to read, without members, backed up a day; the tags",
        page: "rds/CreateDBCluster",
        run: |lab| {
            let mut input = bare(lab);
            input["db_subnet_group_name"] = subnets(lab)?.into();
            let made = lab.make("rds.create_db_cluster", input)?;
            is(&made, "status", "available")?;
            is(&made, "port", 5432)?;
            holds(
                text(&made, "endpoint").starts_with(&format!("{}.cluster-", lab.name("ledger"))),
                "another endpoint",
            )?;
            holds(text(&made, "reader_endpoint").contains(".cluster-ro-"), "another endpoint to read")?;
            holds(list(&made, "db_cluster_members").is_empty(), "members")?;
            is(&made, "backup_retention_period", 1)?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a cluster of databases is creating at first",
        aws: "`creating`, for some minutes",
        page: "rds/CreateDBCluster",
        run: |lab| is(&lab.call("rds.create_db_cluster", bare(lab)).ok()?, "status", "creating"),
    },
    Case {
        name: "a second cluster of databases of the same name",
        aws: "`DBClusterAlreadyExistsFault`",
        page: "rds/CreateDBCluster",
        run: |lab| lab.refused_again("rds.create_db_cluster", bare(lab), &["DBClusterAlreadyExistsFault"]),
    },
    Case {
        name: "a cluster of databases in a subnet group that does not exist",
        aws: "`DBSubnetGroupNotFoundFault`",
        page: "rds/CreateDBCluster",
        run: |lab| refused(lab, "db_subnet_group_name", lab.name("none").into(), "DBSubnetGroupNotFoundFault"),
    },
    Case {
        name: "a cluster of databases with a parameter group that does not exist",
        aws: "`DBClusterParameterGroupNotFound`",
        page: "rds/CreateDBCluster",
        run: |lab| {
            let code = "DBClusterParameterGroupNotFound";
            refused(lab, "db_cluster_parameter_group_name", lab.name("none").into(), code)
        },
    },
    Case {
        name: "a cluster of databases of an engine that does not exist",
        aws: "`InvalidParameterValue`",
        page: "rds/CreateDBCluster",
        run: |lab| refused(lab, "engine", "aurora-slate".into(), "InvalidParameterValue"),
    },
    Case {
        name: "a cluster of databases that does not exist is described",
        aws: "`DBClusterNotFoundFault`",
        page: "rds/DescribeDBClusters",
        run: |lab| lab.refused("rds.describe_db_clusters", which(lab.name("none")), &["DBClusterNotFoundFault"]),
    },
    Case {
        name: "instances join a cluster",
        aws: "both are members; the first one writes",
        page: "rds/DBClusterMember",
        run: |lab| {
            peopled(lab)?;
            lab.make("rds.create_db_instance", member(lab, "second", "aurora-postgresql"))?;
            let found = described(lab)?;
            let members = list(&found, "db_cluster_members");
            holds(members.len() == 2, format!("{} members", members.len()))?;
            let writes = |noun: &str| {
                members
                    .iter()
                    .find(|one| text(one, "db_instance_identifier") == lab.name(noun))
                    .map(|one| one["is_cluster_writer"] == true)
            };
            holds(writes("first") == Some(true) && writes("second") == Some(false), "another one writes")
        },
    },
    Case {
        name: "an instance joins a cluster that does not exist",
        aws: "`DBClusterNotFoundFault`",
        page: "rds/CreateDBInstance",
        run: |lab| {
            let input = member(lab, "first", "aurora-postgresql");
            lab.refused("rds.create_db_instance", input, &["DBClusterNotFoundFault"])
        },
    },
    Case {
        name: "an instance of another engine joins a cluster",
        aws: "`InvalidParameterValue`, or `InvalidParameterCombination`",
        page: "rds/CreateDBInstance",
        run: |lab| {
            lab.make("rds.create_db_cluster", bare(lab))?;
            let codes = ["InvalidParameterValue", "InvalidParameterCombination"];
            lab.refused("rds.create_db_instance", member(lab, "first", "aurora-mysql"), &codes)
        },
    },
    Case {
        name: "a cluster of databases is changed",
        aws: "described with the change in the end",
        page: "rds/ModifyDBCluster",
        run: |lab| {
            lab.make("rds.create_db_cluster", bare(lab))?;
            let input = json!({
                "db_cluster_identifier": lab.name("ledger"), "apply_immediately": true, "backup_retention_period": 7,
            });
            lab.call("rds.modify_db_cluster", input).ok()?;
            is(&described(lab)?, "backup_retention_period", 7)
        },
    },
    Case {
        name: "a cluster of databases that does not exist is changed",
        aws: "`DBClusterNotFoundFault`",
        page: "rds/ModifyDBCluster",
        run: |lab| lab.refused("rds.modify_db_cluster", which(lab.name("none")), &["DBClusterNotFoundFault"]),
    },
    Case {
        name: "a cluster of databases with a member is deleted",
        aws: "`InvalidDBClusterStateFault`",
        page: "rds/DeleteDBCluster",
        run: |lab| {
            peopled(lab)?;
            lab.delete("rds.db_cluster", at(lab)).refused(&["InvalidDBClusterStateFault"])
        },
    },
    Case {
        name: "a protected cluster of databases is deleted",
        aws: "`InvalidParameterCombination`",
        page: "rds/DeleteDBCluster",
        run: |lab| {
            let mut input = bare(lab);
            input["deletion_protection"] = true.into();
            lab.make("rds.create_db_cluster", input)?;
            lab.delete("rds.db_cluster", at(lab)).refused(&["InvalidParameterCombination"])
        },
    },
    Case {
        name: "a cluster of databases is deleting at first, then gone",
        aws: "`deleting` for some minutes",
        page: "rds/DeleteDBCluster",
        run: |lab| {
            lab.make("rds.create_db_cluster", bare(lab))?;
            lab.delete("rds.db_cluster", at(lab)).ok()?;
            is(&described(lab)?, "status", "deleting")?;
            lab.gone("rds.db_cluster", at(lab))
        },
    },
    Case {
        name: "a cluster of databases that does not exist is deleted",
        aws: "`DBClusterNotFoundFault`",
        page: "rds/DeleteDBCluster",
        run: |lab| lab.delete("rds.db_cluster", at(lab)).refused(&["DBClusterNotFoundFault"]),
    },
    Case {
        name: "the parameter group of a cluster is deleted",
        aws: "`InvalidDBParameterGroupState`",
        page: "rds/DeleteDBClusterParameterGroup",
        run: |lab| {
            let group = cluster_parameters(lab, "aurora-postgresql16");
            lab.make("rds.create_db_cluster_parameter_group", group)?;
            let mut input = bare(lab);
            input["engine_version"] = "16".into();
            input["db_cluster_parameter_group_name"] = lab.name("tuned").into();
            lab.make("rds.create_db_cluster", input)?;
            let group = json!({ "db_cluster_parameter_group_name": lab.name("tuned") });
            lab.delete("rds.db_cluster_parameter_group", group).refused(&["InvalidDBParameterGroupState"])
        },
    },
];
