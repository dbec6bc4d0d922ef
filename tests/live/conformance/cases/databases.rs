//! RDS instances.

use serde_json::{Value, json};

use super::db_groups::{parameters, subnets};
use crate::conformance::{
    case::{Case, Other, Seen, holds, is, list, text},
    lab::Lab,
};

/// What an instance is made of, without a network of its own.
fn bare(lab: &Lab) -> Value {
    json!({
        "db_instance_identifier": lab.name("orders"), "db_instance_class": "db.t4g.micro", "engine": "postgres",
        "allocated_storage": 20, "master_username": "keeper", "master_user_password": "a-long-password",
    })
}

/// What an instance in a new VPC is made of.
fn asked(lab: &Lab) -> Result<Value, Other> {
    let mut input = bare(lab);
    input["db_subnet_group_name"] = subnets(lab)?.into();
    Ok(input)
}

/// An instance of this case's own: its locator, with no last snapshot.
pub fn instance(lab: &Lab) -> Result<Value, Other> {
    lab.make("rds.create_db_instance", asked(lab)?)?;
    Ok(at(lab))
}

fn at(lab: &Lab) -> Value {
    json!({ "db_instance_identifier": lab.name("orders"), "skip_final_snapshot": true })
}

fn which(name: String) -> Value {
    json!({ "db_instance_identifier": name })
}

/// An instance that is refused because of one field.
fn refused(lab: &Lab, field: &str, value: Value, codes: &[&str]) -> Seen {
    let mut input = bare(lab);
    input[field] = value;
    lab.refused("rds.create_db_instance", input, codes)
}

pub const CASES: &[Case] = &[
    Case {
        name: "an instance is described as it was made",
        aws: "`available` in the end, with endpoint and port, in the group's VPC, in one zone, closed, backed up a day; the tags",
        page: "rds/CreateDBInstance",
        run: |lab| {
            let made = lab.make("rds.create_db_instance", asked(lab)?)?;
            is(&made, "db_instance_status", "available")?;
            holds(
                text(&made, "endpoint.address").starts_with(&format!("{}.", lab.name("orders"))),
                "another endpoint",
            )?;
            is(&made, "endpoint.port", 5432)?;
            is(&made, "multi_az", false)?;
            is(&made, "storage_encrypted", false)?;
            is(&made, "deletion_protection", false)?;
            is(&made, "backup_retention_period", 1)?;
            holds(made["master_user_password"].is_null(), "the password is told")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "an instance is creating at first",
        aws: "`creating`, for some minutes",
        page: "rds/CreateDBInstance",
        run: |lab| is(&lab.call("rds.create_db_instance", asked(lab)?).ok()?, "db_instance_status", "creating"),
    },
    Case {
        name: "a second instance of the same name",
        aws: "`DBInstanceAlreadyExists`",
        page: "rds/CreateDBInstance",
        run: |lab| lab.refused_again("rds.create_db_instance", bare(lab), &["DBInstanceAlreadyExists"]),
    },
    Case {
        name: "an instance in a subnet group that does not exist",
        aws: "`DBSubnetGroupNotFoundFault`",
        page: "rds/CreateDBInstance",
        run: |lab| refused(lab, "db_subnet_group_name", lab.name("none").into(), &["DBSubnetGroupNotFoundFault"]),
    },
    Case {
        name: "an instance with a parameter group that does not exist",
        aws: "`DBParameterGroupNotFound`",
        page: "rds/CreateDBInstance",
        run: |lab| refused(lab, "db_parameter_group_name", lab.name("none").into(), &["DBParameterGroupNotFound"]),
    },
    Case {
        name: "an instance with a parameter group of another family",
        aws: "`InvalidParameterCombination`",
        page: "rds/CreateDBInstance",
        run: |lab| {
            lab.make("rds.create_db_parameter_group", parameters(lab, "mysql8.0"))?;
            refused(lab, "db_parameter_group_name", lab.name("tuned").into(), &["InvalidParameterCombination"])
        },
    },
    Case {
        name: "an instance with an option group that does not exist",
        aws: "`OptionGroupNotFoundFault`",
        page: "rds/CreateDBInstance",
        run: |lab| refused(lab, "option_group_name", lab.name("none").into(), &["OptionGroupNotFoundFault"]),
    },
    Case {
        name: "an instance of an engine that does not exist",
        aws: "`InvalidParameterValue`",
        page: "rds/CreateDBInstance",
        run: |lab| refused(lab, "engine", "slate".into(), &["InvalidParameterValue"]),
    },
    Case {
        name: "an instance with less storage than its type takes",
        aws: "`InvalidParameterValue`, or `InvalidParameterCombination`: 20 GiB at least",
        page: "rds/CreateDBInstance",
        run: |lab| {
            refused(lab, "allocated_storage", 1.into(), &["InvalidParameterValue", "InvalidParameterCombination"])
        },
    },
    Case {
        name: "an instance whose first user has a name of the engine's own",
        aws: "`InvalidParameterValue`",
        page: "rds/CreateDBInstance",
        run: |lab| refused(lab, "master_username", "rdsadmin".into(), &["InvalidParameterValue"]),
    },
    Case {
        name: "an instance whose first user has a password of seven characters",
        aws: "`InvalidParameterValue`: eight at least",
        page: "rds/CreateDBInstance",
        run: |lab| refused(lab, "master_user_password", "a-short".into(), &["InvalidParameterValue"]),
    },
    Case {
        name: "an instance by its name",
        aws: "this one",
        page: "rds/DescribeDBInstances",
        run: |lab| {
            lab.make("rds.create_db_instance", bare(lab))?;
            let found = lab.call("rds.describe_db_instances", which(lab.name("orders"))).ok()?;
            holds(list(&found, "db_instances").len() == 1, "finds others")?;
            is(&found, "db_instances.0.db_instance_identifier", lab.name("orders"))
        },
    },
    Case {
        name: "an instance that does not exist is described",
        aws: "`DBInstanceNotFound`",
        page: "rds/DescribeDBInstances",
        run: |lab| lab.refused("rds.describe_db_instances", which(lab.name("none")), &["DBInstanceNotFound"]),
    },
    Case {
        name: "an instance is changed",
        aws: "described with the change in the end",
        page: "rds/ModifyDBInstance",
        run: |lab| {
            lab.make("rds.create_db_instance", bare(lab))?;
            let input = json!({
                "db_instance_identifier": lab.name("orders"), "apply_immediately": true, "backup_retention_period": 7,
            });
            lab.call("rds.modify_db_instance", input).ok()?;
            let found = lab.standing("rds.db_instance", at(lab))?;
            is(&found, "backup_retention_period", 7)
        },
    },
    Case {
        name: "an instance that does not exist is changed",
        aws: "`DBInstanceNotFound`",
        page: "rds/ModifyDBInstance",
        run: |lab| lab.refused("rds.modify_db_instance", which(lab.name("none")), &["DBInstanceNotFound"]),
    },
    Case {
        name: "a protected instance is deleted",
        aws: "`InvalidParameterCombination`",
        page: "rds/DeleteDBInstance",
        run: |lab| {
            let mut input = bare(lab);
            input["deletion_protection"] = true.into();
            lab.make("rds.create_db_instance", input)?;
            lab.delete("rds.db_instance", at(lab)).refused(&["InvalidParameterCombination"])
        },
    },
    Case {
        name: "an instance is deleting at first, then gone",
        aws: "`deleting` for some minutes",
        page: "rds/DeleteDBInstance",
        run: |lab| {
            lab.make("rds.create_db_instance", bare(lab))?;
            lab.delete("rds.db_instance", at(lab)).ok()?;
            is(&lab.standing("rds.db_instance", at(lab))?, "db_instance_status", "deleting")?;
            lab.gone("rds.db_instance", at(lab))
        },
    },
    Case {
        name: "an instance that does not exist is deleted",
        aws: "`DBInstanceNotFound`",
        page: "rds/DeleteDBInstance",
        run: |lab| lab.delete("rds.db_instance", at(lab)).refused(&["DBInstanceNotFound"]),
    },
    Case {
        name: "the subnet group of an instance is deleted",
        aws: "`InvalidDBSubnetGroupStateFault`",
        page: "rds/DeleteDBSubnetGroup",
        run: |lab| {
            instance(lab)?;
            let group = json!({ "db_subnet_group_name": lab.name("data") });
            lab.delete("rds.db_subnet_group", group).refused(&["InvalidDBSubnetGroupStateFault"])
        },
    },
    Case {
        name: "the parameter group of an instance is deleted",
        aws: "`InvalidDBParameterGroupState`",
        page: "rds/DeleteDBParameterGroup",
        run: |lab| {
            lab.make("rds.create_db_parameter_group", parameters(lab, "postgres16"))?;
            let mut input = bare(lab);
            input["engine_version"] = "16".into();
            input["db_parameter_group_name"] = lab.name("tuned").into();
            lab.make("rds.create_db_instance", input)?;
            let group = json!({ "db_parameter_group_name": lab.name("tuned") });
            lab.delete("rds.db_parameter_group", group).refused(&["InvalidDBParameterGroupState"])
        },
    },
];
