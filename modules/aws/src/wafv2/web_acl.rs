//! `wafv2.web_acl`: the rules that requests must pass.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Health, Identity, Kind, Meta, same_fields},
    sandbox::sim::{Sim, Simple},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    association, check_scope, ip_set,
    rule::{self, Nothing, Rule, Visibility},
    uuid,
};
use crate::{
    row::{Difference, Row, at_once, text},
    simulate::having,
};

/// What makes a web ACL. See <https://docs.aws.amazon.com/waf/latest/APIReference/API_CreateWebACL.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in its scope.
    pub name: String,
    /// `REGIONAL` (load balancers) or `CLOUDFRONT` (then the region is us-east-1).
    pub scope: String,
    /// What happens to a request that no rule ends.
    pub default_action: DefaultAction,
    /// The rules.
    pub rules: Vec<Rule>,
    /// What is measured and sampled.
    pub visibility_config: Visibility,
    /// What it is for.
    pub description: Option<String>,
}

/// One of these: `#{ allow: #{} }`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DefaultAction {
    /// Let through.
    Allow(Nothing),
    /// Refused.
    Block(Nothing),
}

/// The constant facts.
pub static META: Meta = Meta {
    name: "wafv2.web_acl",
    create: "create_web_acl",
    operations: ("CreateWebACL", "DeleteWebACL"),
    doc: "Makes a web ACL.\n\nIt cannot be deleted while something is associated with it. See the \
          [WAF reference](https://docs.aws.amazon.com/waf/latest/APIReference/API_CreateWebACL.html).",
    identity: Identity::Key,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: Some("WAF web ACL (with its rules)"),
    replaces: false,
    shared: false,
};

static ROW: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        let input = input::parse::<Input>(value)?;
        check_scope(value)?;
        rule::check(&input.rules)
    },
    locator: &["id", "name", "scope"],
    along: &[],
    parents: &[],
    judge: at_once,
    differences,
    sim: &SIM,
};

/// The kind. Its parents, the IP sets, stand deep in its rules.
pub static KIND: Acl = Acl;

/// A web ACL as a kind.
pub struct Acl;

impl Kind for Acl {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn schema(&self) -> Value {
        ROW.schema()
    }

    fn check(&self, input: &Value) -> Result<(), InputError> {
        Kind::check(&ROW, input)
    }

    fn locate(&self, input: &Value, described: &Value) -> Option<Value> {
        ROW.locate(input, described)
    }

    fn parents(&self, input: &Value) -> Vec<String> {
        rule::ip_sets(&input["rules"]).into_iter().map(str::to_owned).collect()
    }

    fn judge(&self, described: &Value) -> Health {
        Kind::judge(&ROW, described)
    }

    fn differences(&self, input: &Value, described: &Value) -> Vec<Difference> {
        differences(input, described)
    }

    fn sim(&self) -> &dyn Sim {
        &SIM
    }
}

fn differences(input: &Value, described: &Value) -> Vec<Difference> {
    let normal = |value: &Value| {
        let mut value = value.clone();
        if let Some(rules) = value.get_mut("rules") {
            *rules = rule::normal(rules);
        }
        value
    };
    same_fields(&normal(input), &normal(described))
}

static SIM: Simple = Simple {
    id: |call| uuid(call.token),
    unique: (&["scope", "name"], "WAFDuplicateItemException"),
    blocked: "WAFAssociatedItemException",
    missing: "WAFNonexistentItemException",
    check: |world, call| {
        let known =
            |arn: &&str| having(world, ip_set::META.name, &call.place.region, call.now_ms, "arn", arn).next().is_some();
        match rule::ip_sets(&call.input["rules"]).into_iter().find(|arn| !known(arn)) {
            None => Ok(()),
            Some(arn) => Err(CallError::refused("WAFNonexistentItemException", format!("there is no IP set {arn}"))),
        }
    },
    describe: |_, call, id| {
        let (region, account, name) = (&call.place.region, call.account, call.text("name"));
        let scope = call.text("scope").to_lowercase();
        json!({
            "arn": format!("arn:aws:wafv2:{region}:{account}:{scope}/webacl/{name}/{id}"),
            "lock_token": uuid(&format!("{id}1")), "rules": rule::normal(&call.input["rules"]),
        })
    },
    made: |world, call, acl| {
        let sets: Vec<String> = rule::ip_sets(&call.input["rules"])
            .into_iter()
            .flat_map(|arn| having(world, ip_set::META.name, &call.place.region, call.now_ms, "arn", arn))
            .map(|set| set.key())
            .collect();
        world.change(META.name, &acl.place, &acl.id, |acl| acl.refs.extend(sets));
    },
    holders: |world, call, acl| association::of(world, call, text(&acl.body, "arn")),
    check_delete: |world, call, acl| {
        let held = association::of(world, call, text(&acl.body, "arn"));
        match held.first() {
            None => Ok(()),
            Some(resource) => {
                let text = format!("WAF couldn't delete {}: it is associated with {resource}", acl.id);
                Err(CallError::new(runbook_modules::error::Class::Blocked, "WAFAssociatedItemException", text))
            }
        }
    },
    ..Simple::DEFAULT
};

/// `wafv2.get_web_acl`.
pub static GET: Operation = Operation {
    name: "wafv2.get_web_acl",
    operation: "GetWebACL",
    doc: "Describes a web ACL, with its rules.\n\nSee the \
          [WAF reference](https://docs.aws.amazon.com/waf/latest/APIReference/API_GetWebACL.html).",
    class: Class::Read,
    schema: input::schema::<ip_set::Get>,
    check: input::check::<ip_set::Get>,
    token: None,
    settle: None,
    sim: |world, call| {
        let found = SIM.read(&KIND as &dyn Kind, world, call);
        found.ok_or_else(|| CallError::not_found(SIM.missing, format!("there is no web ACL {}", call.text("name"))))
    },
};
