//! RDS Proxy: proxies and the databases behind them.

use serde_json::{Value, json};

use super::{databases::instance, secrets::secret};
use crate::conformance::{
    case::{Case, Other, Seen, holds, is, list, text},
    lab::Lab,
};

/// What a proxy in two zones of a new VPC is made of.
fn asked(lab: &Lab) -> Result<Value, Other> {
    let vpc = lab.vpc()?;
    asked_in(lab, json!([lab.subnet(&vpc, 1, 'a')?, lab.subnet(&vpc, 2, 'b')?]))
}

fn asked_in(lab: &Lab, subnets: Value) -> Result<Value, Other> {
    let auth = json!({ "auth_scheme": "SECRETS", "secret_arn": secret(lab)?["arn"], "iam_auth": "DISABLED" });
    Ok(json!({
        "db_proxy_name": lab.name("pool"), "engine_family": "POSTGRESQL", "auth": [auth], "vpc_subnet_ids": subnets,
        "role_arn": lab.role("proxy", "rds.amazonaws.com")?,
    }))
}

fn at(lab: &Lab) -> Value {
    json!({ "db_proxy_name": lab.name("pool") })
}

/// A proxy and an instance in the same VPC: what puts the one before the other.
fn pair(lab: &Lab) -> Result<Value, Other> {
    instance(lab)?;
    let group = lab.standing("rds.db_subnet_group", json!({ "db_subnet_group_name": lab.name("data") }))?;
    lab.make("rds.create_db_proxy", asked_in(lab, group["subnet_ids"].clone())?)?;
    Ok(targets(lab, "orders"))
}

fn targets(lab: &Lab, noun: &str) -> Value {
    json!({ "db_proxy_name": lab.name("pool"), "db_instance_identifiers": [lab.name(noun)] })
}

/// A proxy that is refused because of one field.
fn refused(lab: &Lab, field: &str, value: Value, codes: &[&str]) -> Seen {
    let mut input = asked(lab)?;
    input[field] = value;
    lab.refused("rds.create_db_proxy", input, codes)
}

fn listed(lab: &Lab) -> Result<Value, Other> {
    lab.call("rds.describe_db_proxy_targets", at(lab)).ok()
}

pub const CASES: &[Case] = &[
    Case {
        name: "a proxy is described as it was made",
        aws: "`available` in the end, with an endpoint, in the VPC of its subnets; the tags",
        page: "rds/CreateDBProxy",
        run: |lab| {
            let made = lab.make("rds.create_db_proxy", asked(lab)?)?;
            is(&made, "status", "available")?;
            let start = format!("{}.proxy-", lab.name("pool"));
            holds(text(&made, "endpoint").starts_with(&start), "another endpoint")?;
            holds(text(&made, "vpc_id").starts_with("vpc-"), "no VPC")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a second proxy of the same name",
        aws: "`DBProxyAlreadyExistsFault`",
        page: "rds/CreateDBProxy",
        run: |lab| lab.refused_again("rds.create_db_proxy", asked(lab)?, &["DBProxyAlreadyExistsFault"]),
    },
    Case {
        name: "a proxy in one zone",
        aws: "`InvalidSubnet`: two at least",
        page: "rds/CreateDBProxy",
        run: |lab| refused(lab, "vpc_subnet_ids", json!([lab.subnet(&lab.vpc()?, 1, 'a')?]), &["InvalidSubnet"]),
    },
    Case {
        name: "a proxy in a subnet that does not exist",
        aws: "`InvalidSubnet`",
        page: "rds/CreateDBProxy",
        run: |lab| refused(lab, "vpc_subnet_ids", json!(["subnet-0123456789abcdef0"]), &["InvalidSubnet"]),
    },
    Case {
        name: "a database is put behind a proxy",
        aws: "listed, `AVAILABLE` in the end, with the endpoint of the database",
        page: "rds/RegisterDBProxyTargets",
        run: |lab| {
            let input = pair(lab)?;
            holds(list(&listed(lab)?, "targets").is_empty(), "a target at first")?;
            lab.make("rds.register_db_proxy_targets", input)?;
            let found = listed(lab)?;
            is(&found, "targets.0.rds_resource_id", lab.name("orders"))?;
            is(&found, "targets.0.type", "RDS_INSTANCE")?;
            is(&found, "targets.0.target_health.state", "AVAILABLE")
        },
    },
    Case {
        name: "a database is put behind a proxy twice",
        aws: "`DBProxyTargetAlreadyRegisteredFault`",
        page: "rds/RegisterDBProxyTargets",
        run: |lab| {
            let codes = ["DBProxyTargetAlreadyRegisteredFault"];
            lab.refused_again("rds.register_db_proxy_targets", pair(lab)?, &codes)
        },
    },
    Case {
        name: "a database that does not exist is put behind a proxy",
        aws: "`DBInstanceNotFound`",
        page: "rds/RegisterDBProxyTargets",
        run: |lab| {
            lab.make("rds.create_db_proxy", asked(lab)?)?;
            lab.refused("rds.register_db_proxy_targets", targets(lab, "none"), &["DBInstanceNotFound"])
        },
    },
    Case {
        name: "a database is put behind a proxy that does not exist",
        aws: "`DBProxyNotFoundFault`",
        page: "rds/RegisterDBProxyTargets",
        run: |lab| {
            instance(lab)?;
            lab.refused("rds.register_db_proxy_targets", targets(lab, "orders"), &["DBProxyNotFoundFault"])
        },
    },
    Case {
        name: "the databases behind a proxy that does not exist",
        aws: "`DBProxyNotFoundFault`",
        page: "rds/DescribeDBProxyTargets",
        run: |lab| lab.refused("rds.describe_db_proxy_targets", at(lab), &["DBProxyNotFoundFault"]),
    },
    Case {
        name: "a database is taken from a proxy twice",
        aws: "none is listed; then `DBProxyTargetNotFoundFault`",
        page: "rds/DeregisterDBProxyTargets",
        run: |lab| {
            let input = pair(lab)?;
            lab.make("rds.register_db_proxy_targets", input.clone())?;
            lab.deleted_twice("rds.db_proxy_targets", input, &["DBProxyTargetNotFoundFault"])?;
            holds(list(&listed(lab)?, "targets").is_empty(), "still listed")
        },
    },
    Case {
        name: "a proxy is deleted twice",
        aws: "`deleting` for some minutes, then `DBProxyNotFoundFault`",
        page: "rds/DeleteDBProxy",
        run: |lab| {
            lab.make("rds.create_db_proxy", asked(lab)?)?;
            lab.delete("rds.db_proxy", at(lab)).ok()?;
            is(&lab.standing("rds.db_proxy", at(lab))?, "status", "deleting")?;
            lab.gone("rds.db_proxy", at(lab))?;
            lab.delete("rds.db_proxy", at(lab)).refused(&["DBProxyNotFoundFault"])
        },
    },
];
