//! `rds.db_proxy`: a pool of connections before a database.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    resource::{Health, Identity, Meta},
    sandbox::{
        sim::{Ref, SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::simulate::{arn, check_groups, check_role, host, listen, texts};
use crate::{
    row::{Row, judge_state, text, unordered},
    simulate::{body, digits},
};

/// What makes a proxy. See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBProxy.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in the region.
    pub db_proxy_name: String,
    /// `POSTGRESQL`, `MYSQL` or `SQLSERVER`.
    pub engine_family: String,
    /// How it learns the users' passwords, one entry a secret.
    pub auth: Vec<Auth>,
    /// ARN of the role with which it reads the secrets.
    pub role_arn: String,
    /// Subnets of one VPC in at least two zones.
    pub vpc_subnet_ids: Vec<String>,
    /// Security groups.
    pub vpc_security_group_ids: Option<Vec<String>>,
    /// Whether clients must speak TLS.
    pub require_tls: Option<bool>,
    /// Seconds after which an idle client is dropped; 1800 when left out.
    pub idle_client_timeout: Option<i32>,
    /// Whether statements are logged, for at most 24 hours. They may hold secrets.
    pub debug_logging: Option<bool>,
}

/// How the proxy learns the password of a user.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// `SECRETS`.
    pub auth_scheme: Option<String>,
    /// ARN of the secret with `username` and `password`.
    pub secret_arn: Option<String>,
    /// Whether clients come with IAM's tokens: `DISABLED`, `REQUIRED` or `ENABLED`.
    pub iam_auth: Option<String>,
    /// How clients show their password, e.g. `POSTGRES_SCRAM_SHA_256`.
    pub client_password_auth_type: Option<String>,
    /// What it is for.
    pub description: Option<String>,
}

pub(super) static META: Meta = Meta {
    name: "rds.db_proxy",
    create: "create_db_proxy",
    operations: ("CreateDBProxy", "DeleteDBProxy"),
    doc: "Makes a proxy with an empty target group `default`, and waits until it is available.\n\nSee the \
          [RDS reference](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBProxy.html).",
    identity: Identity::Key,
    usual: (Duration::from_secs(300), Duration::from_secs(180)),
    cost: Some("RDS Proxy"),
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        let typed = input::parse::<Input>(value)?;
        let name = &typed.db_proxy_name;
        let letters = name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
        if !letters || !name.starts_with(|c: char| c.is_ascii_alphabetic()) || name.len() > 63 {
            let text = format!("{name:?} must be 1 to 63 letters, digits and hyphens, a letter first");
            return Err(InputError::new("db_proxy_name", text));
        }
        if typed.auth.is_empty() {
            return Err(InputError::new("auth", "needs at least one entry"));
        }
        match typed.engine_family.as_str() {
            "POSTGRESQL" | "MYSQL" | "SQLSERVER" => Ok(()),
            other => Err(InputError::new(
                "engine_family",
                format!("must be one of POSTGRESQL, MYSQL, SQLSERVER, not {other:?}"),
            )),
        }
    },
    locator: &["db_proxy_name"],
    along: &[],
    parents: &["role_arn", "vpc_subnet_ids", "vpc_security_group_ids"],
    judge,
    differences: unordered,
    sim: &SIM,
};

fn judge(described: &Value) -> Health {
    const FAILED: [&str; 2] = ["incompatible-network", "insufficient-resource-limits"];
    judge_state(text(described, "status"), None, &["available"], &FAILED, &["deleting"])
}

static SIM: Simple = Simple {
    id: |call| call.text("db_proxy_name").to_owned(),
    refs: &[Ref { field: "vpc_subnet_ids", kind: "ec2.subnet", missing: "InvalidSubnet", owned: false }],
    unique: (&["db_proxy_name"], "DBProxyAlreadyExistsFault"),
    state_field: "status",
    states: ("creating", "available", "deleting"),
    blocked: "InvalidDBProxyStateFault",
    missing: "DBProxyNotFoundFault",
    check,
    describe: |world, call, id| {
        json!({
            "arn": arn(call, "db-proxy", &format!("prx-{}", digits(id, 17))), "name": id, "vpc_id": vpc(world, call),
            "endpoint": host(call, id, "proxy-c"),
        })
    },
    made: |world, call, proxy: &Object| {
        let subnets: Vec<String> = texts(call.input, "vpc_subnet_ids").into_iter().map(str::to_owned).collect();
        listen(world, call, proxy, &subnets);
    },
    ..Simple::DEFAULT
};

fn vpc(world: &World, call: &SimCall<'_>) -> String {
    let first = texts(call.input, "vpc_subnet_ids").first().copied().unwrap_or_default();
    let subnet = world.get("ec2.subnet", &call.place.region, first, call.now_ms);
    subnet.map_or("", |subnet| body(subnet, "vpc_id")).to_owned()
}

fn check(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    check_role(world, call, "role_arn")?;
    check_groups(world, call, &vpc(world, call))?;
    let zones: std::collections::BTreeSet<&str> = texts(call.input, "vpc_subnet_ids")
        .into_iter()
        .filter_map(|id| world.get("ec2.subnet", &call.place.region, id, call.now_ms))
        .map(|subnet| body(subnet, "availability_zone"))
        .collect();
    if zones.len() < 2 {
        return Err(CallError::refused("InvalidSubnet", "RDS Proxy needs subnets in at least two Availability Zones."));
    }
    Ok(())
}
