//! `elbv2.listener`: a port of a load balancer; `describe_listeners`.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Identity, Meta},
    sandbox::{
        balancers::LISTENER,
        sim::{Ref, SimCall, Simple},
        world::{World, key},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{load_balancer, target_group};
use crate::{
    row::{Row, at_once, text, unordered},
    simulate::digits,
};

/// Input of `create_listener`.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The load balancer.
    pub load_balancer_arn: String,
    /// The port.
    pub port: i32,
    /// `HTTP`, `HTTPS`, `TCP`, `TLS`, `UDP` or `TCP_UDP`.
    pub protocol: String,
    /// What is done with what comes in.
    pub default_actions: Vec<Action>,
    /// The certificate, for HTTPS and TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificates: Option<Vec<Certificate>>,
    /// The security policy, for HTTPS and TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_policy: Option<String>,
}

/// What is done with a request. <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// `forward` or `redirect`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it is forwarded to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_group_arn: Option<String>,
    /// Where it is redirected to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_config: Option<Redirect>,
}

/// A redirection. <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// `HTTP_301` or `HTTP_302`.
    pub status_code: String,
    /// `HTTPS`, say; the request's without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The port as text; the request's without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// The host; the request's without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

/// A certificate. <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Certificate.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Its ARN.
    pub certificate_arn: String,
}

pub(super) static META: Meta = Meta {
    name: LISTENER,
    create: "create_listener",
    operations: ("CreateListener", "DeleteListener"),
    doc: "Makes a listener: a port of a load balancer, and where it sends what comes in. It goes with its load balancer. \
          [CreateListener](https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html)",
    identity: Identity::Key,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        let typed: Input = input::parse(value)?;
        let secured = matches!(typed.protocol.as_str(), "HTTPS" | "TLS");
        if secured && typed.certificates.as_ref().is_none_or(Vec::is_empty) {
            return Err(InputError::new("certificates", format!("{} needs a certificate", typed.protocol)));
        }
        match typed.default_actions.is_empty() {
            true => Err(InputError::new("default_actions", "must say what is done with what comes in")),
            false => Ok(()),
        }
    },
    locator: &["listener_arn"],
    along: &[],
    parents: &["load_balancer_arn"],
    judge: at_once,
    differences: unordered,
    sim: &SIM,
};

/// The ARNs of an input's list of maps.
fn arns<'a>(input: &'a Value, list: &str, field: &'static str) -> impl Iterator<Item = &'a str> + use<'a> {
    let list = input.get(list).and_then(Value::as_array).into_iter().flatten();
    list.map(move |entry| text(entry, field)).filter(|arn| !arn.is_empty())
}

fn refuse(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    let there = |kind: &str, arn: &str| world.get(kind, &call.place.region, arn, call.now_ms).is_some();
    for arn in arns(call.input, "default_actions", "target_group_arn") {
        let Some(group) = world.get(target_group::META.name, &call.place.region, arn, call.now_ms) else {
            return Err(CallError::refused("TargetGroupNotFound", format!("Target groups '{arn}' not found")));
        };
        let senders = group.body["load_balancer_arns"].as_array().into_iter().flatten();
        if senders.filter_map(Value::as_str).any(|balancer| balancer != call.text("load_balancer_arn")) {
            let text =
                format!("The following target groups cannot be associated with more than one load balancer: {arn}");
            return Err(CallError::refused("TargetGroupAssociationLimit", text));
        }
    }
    for arn in arns(call.input, "certificates", "certificate_arn") {
        if arn.starts_with("arn:aws:acm:") && !there("acm.certificate", arn) {
            return Err(CallError::refused("CertificateNotFound", format!("Certificate ARN '{arn}' is not valid")));
        }
    }
    Ok(())
}

static SIM: Simple = Simple {
    id: |call| {
        let balancer = call.text("load_balancer_arn").replacen(":loadbalancer/", ":listener/", 1);
        format!("{balancer}/{}", digits(call.token, 16))
    },
    refs: &[Ref {
        field: "load_balancer_arn",
        kind: load_balancer::META.name,
        missing: "LoadBalancerNotFound",
        owned: true,
    }],
    unique: (&["load_balancer_arn", "port"], "DuplicateListener"),
    missing: "ListenerNotFound",
    repeats: true,
    check: refuse,
    describe: |_, _, id| json!({ "arn": id, "listener_arn": id }),
    made: |world, call, made| {
        let region = &call.place.region;
        let groups = arns(call.input, "default_actions", "target_group_arn").map(|arn| (target_group::META.name, arn));
        let certificates = arns(call.input, "certificates", "certificate_arn").map(|arn| ("acm.certificate", arn));
        let refs: Vec<String> = groups.chain(certificates).map(|(kind, arn)| key(kind, region, arn)).collect();
        world.change(META.name, region, &made.id, |listener| listener.refs.extend(refs));
        target_group::note_senders(world, call);
    },
    deleted: |world, call, _| target_group::note_senders(world, call),
    ..Simple::DEFAULT
};

/// Input of `describe_listeners`.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeListeners.html>
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Those of this load balancer.
    pub load_balancer_arn: String,
}

/// The operation `elbv2.describe_listeners`.
pub static DESCRIBE: Operation = Operation {
    name: "elbv2.describe_listeners",
    operation: "DescribeListeners",
    doc: "Lists the listeners of a load balancer, as `#{listeners: [...]}`. \
          [DescribeListeners](https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeListeners.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        let balancer = call.text("load_balancer_arn");
        if world.get(load_balancer::META.name, &call.place.region, balancer, call.now_ms).is_none() {
            let text = format!("Load balancer '{balancer}' not found");
            return Err(CallError::not_found("LoadBalancerNotFound", text));
        }
        let all = world.list(META.name, &call.place.region, call.now_ms);
        let found = all.filter(|o| text(&o.body, "load_balancer_arn") == balancer);
        Ok(json!({ "listeners": found.map(|o| SIM.description(o, call.now_ms)).collect::<Value>() }))
    },
};
