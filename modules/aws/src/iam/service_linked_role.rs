//! `iam.service_linked_role`: the one role of an account with which a service of AWS acts for it.

use std::time::Duration;

use runbook_modules::{
    input::{self, InputError},
    resource::{Identity, Meta, same_fields},
    sandbox::sim::{SimCall, Simple},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::row::{Row, at_once};

/// What makes the role. See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceLinkedRole.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The service, e.g. `spot.amazonaws.com`.
    pub aws_service_name: String,
    /// What it is for.
    pub description: Option<String>,
}

static META: Meta = Meta {
    name: "iam.service_linked_role",
    create: "create_service_linked_role",
    operations: ("CreateServiceLinkedRole", "DeleteServiceLinkedRole"),
    doc: "Makes the role with which a service acts for the account.\n\nAn account has one for each service: one that stands already is \
          used, and stays when the run is undone. See the \
          [IAM reference](https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceLinkedRole.html).",
    identity: Identity::Key,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: false,
    shared: true,
};

/// The kind.
pub static KIND: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| match input::parse::<Input>(value)?.aws_service_name.ends_with(".amazonaws.com") {
        true => Ok(()),
        false => Err(InputError::new("aws_service_name", "must end in .amazonaws.com")),
    },
    locator: &["aws_service_name"],
    along: &["role_name"],
    parents: &[],
    judge: at_once,
    differences: |input, described| same_fields(&json!({ "aws_service_name": input["aws_service_name"] }), described),
    sim: &SIM,
};

/// The names that services gave their roles; others have one made of the service's name.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html>
const NAMES: [(&str, &str); 6] = [
    ("autoscaling", "AutoScaling"),
    ("eks", "AmazonEKS"),
    ("eks-nodegroup", "AmazonEKSNodegroup"),
    ("elasticloadbalancing", "ElasticLoadBalancing"),
    ("rds", "RDS"),
    ("spot", "EC2Spot"),
];

fn name(call: &SimCall<'_>) -> String {
    let service = call.text("aws_service_name").trim_end_matches(".amazonaws.com");
    let known = NAMES.iter().find(|(known, _)| *known == service).map_or(service, |(_, name)| name);
    format!("AWSServiceRoleFor{known}")
}

static SIM: Simple = Simple {
    id: name,
    global: true,
    unique: (&["aws_service_name"], "InvalidInput"),
    missing: "NoSuchEntity",
    describe: |_, call, id| {
        let path = format!("/aws-service-role/{}/", call.text("aws_service_name"));
        json!({ "role_name": id, "name": id, "path": path, "arn": format!("arn:aws:iam::{}:role{path}{id}", call.account) })
    },
    ..Simple::DEFAULT
};
