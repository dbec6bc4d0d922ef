//! `eks.pod_identity_association`: the role of a service account, given through EKS's Pod Identity agent.

use std::time::Duration;

use runbook_modules::{
    input,
    resource::{Identity, Meta, same_fields},
    sandbox::sim::{Ref, Simple},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::cluster_sim;
use crate::row::{Row, at_once};

/// What gives a service account a role.
/// See <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreatePodIdentityAssociation.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The cluster's name. It needs the add-on `eks-pod-identity-agent`.
    pub cluster_name: String,
    /// The service account's namespace, which need not exist yet.
    pub namespace: String,
    /// The service account, which need not exist yet.
    pub service_account: String,
    /// ARN of the role; it trusts `pods.eks.amazonaws.com` with sts:AssumeRole and sts:TagSession.
    pub role_arn: String,
}

pub(super) static META: Meta = Meta {
    name: "eks.pod_identity_association",
    create: "create_pod_identity_association",
    operations: ("CreatePodIdentityAssociation", "DeletePodIdentityAssociation"),
    doc: "Gives a service account a role.\n\nSee the \
          [EKS reference](https://docs.aws.amazon.com/eks/latest/APIReference/API_CreatePodIdentityAssociation.html).",
    identity: Identity::Token { field: "client_request_token", safe: Duration::from_secs(12 * 3600), key: true },
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    locator: &["cluster_name", "association_id"],
    along: &[],
    parents: &["eks.cluster cluster_name", "role_arn"],
    judge: at_once,
    differences: same_fields,
    sim: &SIM,
};

static SIM: Simple = Simple {
    prefix: "a-",
    refs: &[Ref { field: "cluster_name", kind: "eks.cluster", missing: "ResourceNotFoundException", owned: true }],
    unique: (&["cluster_name", "namespace", "service_account"], "ResourceInUseException"),
    token: true,
    missing: "ResourceNotFoundException",
    check: |world, call| {
        cluster_sim::active(world, call)?;
        cluster_sim::check_role(world, call, "role_arn")
    },
    describe: |_, call, id| {
        let (region, account, cluster) = (&call.place.region, call.account, call.text("cluster_name"));
        json!({
            "association_id": id, "name": format!("{}/{}", call.text("namespace"), call.text("service_account")),
            "arn": format!("arn:aws:eks:{region}:{account}:podidentityassociation/{cluster}/{id}"),
        })
    },
    ..Simple::DEFAULT
};
