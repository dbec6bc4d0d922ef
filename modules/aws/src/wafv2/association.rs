//! `wafv2.web_acl_association`: the web ACL that protects a load balancer or another regional resource; at most one.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation},
    resource::{Identity, Meta, same_fields},
    sandbox::{
        sim::{SimCall, Simple},
        world::World,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::web_acl;
use crate::{
    row::{Row, at_once},
    simulate::{Upsert, body, having},
};

/// What associates a web ACL with a resource. See <https://docs.aws.amazon.com/waf/latest/APIReference/API_AssociateWebACL.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// ARN of the web ACL, of scope REGIONAL.
    pub web_acl_arn: String,
    /// ARN of the resource: an application load balancer, an API stage …
    pub resource_arn: String,
}

/// The constant facts.
pub static META: Meta = Meta {
    name: "wafv2.web_acl_association",
    create: "associate_web_acl",
    operations: ("AssociateWebACL", "DisassociateWebACL"),
    doc: "Protects a resource with a web ACL.\n\nA resource has one web ACL: another one that stood there is put back by undo. A load \
          balancer of the AWS Load Balancer Controller gets its web ACL by the annotation `alb.ingress.kubernetes.io/wafv2-acl-arn` \
          and not so: the controller takes off what no annotation asks for. See the \
          [WAF reference](https://docs.aws.amazon.com/waf/latest/APIReference/API_AssociateWebACL.html).",
    identity: Identity::Repeat,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: true,
    shared: false,
};

/// The kind.
pub static KIND: Row<Upsert> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    locator: &["resource_arn"],
    along: &[],
    parents: &["web_acl_arn", "resource_arn"],
    judge: at_once,
    differences: same_fields,
    sim: &SIM,
};

static SIM: Upsert = Upsert(Simple {
    id: |call| call.text("resource_arn").to_owned(),
    missing: "WAFNonexistentItemException",
    check: |world, call| {
        if !call.text("web_acl_arn").contains(":regional/webacl/") {
            let text =
                "Error reason: The ARN isn't valid. A valid ARN is that of a regional web ACL, field: WEB_ACL_ARN";
            return Err(CallError::refused("WAFInvalidParameterException", text));
        }
        match acl(world, call, call.text("web_acl_arn")) {
            Some(_) => Ok(()),
            None => Err(CallError::refused("WAFNonexistentItemException", "AWS WAF couldn't find the web ACL")),
        }
    },
    taggable: false,
    ..Simple::DEFAULT
});

/// The web ACL with an ARN.
pub fn acl(world: &World, call: &SimCall<'_>, arn: &str) -> Option<Value> {
    let found = having(world, web_acl::META.name, &call.place.region, call.now_ms, "arn", arn).next()?;
    Some(json!({ "id": found.id, "name": found.body["name"], "arn": arn }))
}

/// The resources that a web ACL protects, by ARN.
pub fn of(world: &World, call: &SimCall<'_>, arn: &str) -> Vec<String> {
    let found = having(world, META.name, &call.place.region, call.now_ms, "web_acl_arn", arn);
    found.map(|association| body(association, "resource_arn").to_owned()).collect()
}

/// Which resource is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// Its ARN.
    pub resource_arn: String,
}

/// `wafv2.get_web_acl_for_resource`.
pub static GET: Operation = Operation {
    name: "wafv2.get_web_acl_for_resource",
    operation: "GetWebACLForResource",
    doc: "Says which web ACL protects a resource, as `#{web_acl: #{id, name, arn}}`; an empty map when none does.\n\nSee the \
          [WAF reference](https://docs.aws.amazon.com/waf/latest/APIReference/API_GetWebACLForResource.html).",
    class: Class::Read,
    schema: input::schema::<Get>,
    check: input::check::<Get>,
    token: None,
    settle: None,
    sim: |world, call| {
        let held = world.get(META.name, &call.place.region, call.text("resource_arn"), call.now_ms);
        let found = held.and_then(|association| acl(world, call, body(association, "web_acl_arn")));
        Ok(found.map_or_else(|| json!({}), |acl| json!({ "web_acl": acl })))
    },
};
