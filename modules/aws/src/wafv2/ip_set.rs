//! `wafv2.ip_set`: addresses that rules name. Operators change them later: that is no drift, and nothing writes over it.

use std::time::Duration;

use ipnet::IpNet;
use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Identity, Kind, Meta, same_fields},
    sandbox::{
        sim::{Sim, SimCall, Simple},
        world::World,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{check_scope, uuid};
use crate::{
    row::{Difference, Row, at_once, text},
    simulate::digits,
};

/// What makes an IP set. See <https://docs.aws.amazon.com/waf/latest/APIReference/API_CreateIPSet.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in its scope.
    pub name: String,
    /// `REGIONAL` (load balancers) or `CLOUDFRONT` (then the region is us-east-1).
    pub scope: String,
    /// `IPV4` or `IPV6`; a set holds one of the two.
    pub ip_address_version: String,
    /// The first addresses, as blocks: `192.0.2.0/24`. May be empty.
    pub addresses: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
}

/// The constant facts.
pub static META: Meta = Meta {
    name: "wafv2.ip_set",
    create: "create_ip_set",
    operations: ("CreateIPSet", "DeleteIPSet"),
    doc: "Makes a set of addresses for the rules of web ACLs.\n\nThe addresses are those it begins with: what operators add and take \
          away later is no drift. See the [WAF reference](https://docs.aws.amazon.com/waf/latest/APIReference/API_CreateIPSet.html).",
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
        let input = input::parse::<Input>(value)?;
        check_scope(value)?;
        let four = match input.ip_address_version.as_str() {
            "IPV4" => true,
            "IPV6" => false,
            other => {
                let why = format!("must be IPV4 or IPV6, not {other:?}");
                return Err(InputError::new("ip_address_version", why));
            }
        };
        check_addresses(&input.addresses, four)
    },
    locator: &["id", "name", "scope"],
    along: &[],
    parents: &[],
    judge: at_once,
    differences,
    sim: &SIM,
};

fn check_addresses(addresses: &[String], four: bool) -> Result<(), InputError> {
    let fits = |address: &String| address.parse::<IpNet>().is_ok_and(|net| net.addr().is_ipv4() == four);
    match addresses.iter().position(|address| !fits(address)) {
        None => Ok(()),
        Some(at) => {
            let version = if four { "IPv4" } else { "IPv6" };
            let why = format!("{:?} is no {version} block like 192.0.2.0/24 or 2001:db8::/32", addresses[at]);
            Err(InputError::new(format!("addresses.{at}"), why))
        }
    }
}

/// The addresses belong to the operators.
fn differences(input: &Value, described: &Value) -> Vec<Difference> {
    let mut input = input.clone();
    if let Value::Object(map) = &mut input {
        map.remove("addresses");
    }
    same_fields(&input, described)
}

static SIM: Simple = Simple {
    id: |call| uuid(call.token),
    unique: (&["scope", "name"], "WAFDuplicateItemException"),
    blocked: "WAFAssociatedItemException",
    missing: "WAFNonexistentItemException",
    describe: |_, call, id| {
        let (region, account, name) = (&call.place.region, call.account, call.text("name"));
        let scope = call.text("scope").to_lowercase();
        json!({
            "arn": format!("arn:aws:wafv2:{region}:{account}:{scope}/ipset/{name}/{id}"), "lock_token": uuid(&format!("{id}1")),
        })
    },
    ..Simple::DEFAULT
};

/// Which IP set is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its scope.
    pub scope: String,
}

/// `wafv2.get_ip_set`.
pub static GET: Operation = Operation {
    name: "wafv2.get_ip_set",
    operation: "GetIPSet",
    doc: "Describes an IP set, with its addresses.\n\nSee the \
          [WAF reference](https://docs.aws.amazon.com/waf/latest/APIReference/API_GetIPSet.html).",
    class: Class::Read,
    schema: input::schema::<Get>,
    check: input::check::<Get>,
    token: None,
    settle: None,
    sim: |world, call| standing(world, call),
};

fn standing(world: &World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let found = SIM.read(&KIND as &dyn Kind, world, call);
    found.ok_or_else(|| CallError::not_found(SIM.missing, format!("there is no IP set {}", call.text("name"))))
}

/// What changes an IP set. See <https://docs.aws.amazon.com/waf/latest/APIReference/API_UpdateIPSet.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its scope.
    pub scope: String,
    /// All its addresses from now on.
    pub addresses: Vec<String>,
}

/// `wafv2.update_ip_set`.
pub static UPDATE: Operation = Operation {
    name: "wafv2.update_ip_set",
    operation: "UpdateIPSet",
    doc: "Puts other addresses into an IP set: all those given, and no others. The lock token is read anew.\n\nSee the \
          [WAF reference](https://docs.aws.amazon.com/waf/latest/APIReference/API_UpdateIPSet.html).",
    class: Class::Update,
    schema: input::schema::<Update>,
    check: |value| {
        let input = input::parse::<Update>(value)?;
        check_addresses(&input.addresses, input.addresses.first().is_none_or(|first| !first.contains(':')))
    },
    token: None,
    settle: None,
    sim: |world, call| {
        let key = json!({ "id": call.text("id"), "name": call.text("name"), "scope": call.text("scope") });
        let found = standing(world, &SimCall { input: &key, ..*call })?;
        let next = uuid(&digits(text(&found, "lock_token"), 32));
        let addresses = call.input["addresses"].clone();
        world.change(META.name, &call.place.region, call.text("id"), |set| {
            set.body["addresses"] = addresses;
            set.body["lock_token"] = next.into();
        });
        Ok(json!({}))
    },
};
