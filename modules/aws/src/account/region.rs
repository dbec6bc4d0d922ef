//! `account.region`: a region that the account has switched on, and how a region stands.

use std::time::Duration;

use runbook_modules::{
    error::{CallError, Class as Failed},
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Health, Identity, Kind, Meta, same_fields},
    sandbox::{
        sim::{Sim, SimCall, Simple},
        world::World,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::regions;
use crate::row::{Row, judge_state, text};

/// Which region. See <https://docs.aws.amazon.com/accounts/latest/reference/API_EnableRegion.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its code, e.g. `eu-south-1`.
    pub region_name: String,
}

pub(super) static META: Meta = Meta {
    name: "account.region",
    create: "enable_region",
    operations: ("EnableRegion", ""),
    doc: "Switches a region on for the account and waits until it is ENABLED, which takes minutes, sometimes hours; it is waited for an hour and \
          a half, and a run that is resumed waits on.\n\nOne that is on already is \
          used as it is. Undo never switches a region off, also when the run switched it on: others of the account may have resources there by \
          then, which would become unreachable and go on costing. The call may be made from any region that is on. See the \
          [reference](https://docs.aws.amazon.com/accounts/latest/reference/API_EnableRegion.html).",
    identity: Identity::Key,
    usual: (Duration::from_secs(1800), Duration::ZERO),
    cost: None,
    replaces: false,
    shared: true,
};

/// The kind.
pub static KIND: Row<Regions> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check,
    locator: &["region_name"],
    along: &[],
    parents: &[],
    judge,
    differences: same_fields,
    sim: &Regions,
};

fn check(value: &Value) -> Result<(), InputError> {
    input::check::<Input>(value)?;
    let region = text(value, "region_name");
    let parts: Vec<&str> = region.split('-').collect();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase());
    let number = |part: &&str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
    match parts.split_last() {
        Some((last, [first, rest @ ..]))
            if number(last) && word(first) && !rest.is_empty() && rest.iter().all(word) =>
        {
            Ok(())
        }
        _ => Err(InputError::new("region_name", format!("must be a region's code like eu-south-1, not {region:?}"))),
    }
}

fn judge(described: &Value) -> Health {
    let state = text(described, "region_opt_status");
    judge_state(state, None, &["ENABLED", "ENABLED_BY_DEFAULT"], &[], &[])
}

/// Whether a region is on, or on its way to it: only then there is something to be used.
pub(super) fn is_on(status: &str) -> bool {
    matches!(status, "ENABLED" | "ENABLED_BY_DEFAULT" | "ENABLING")
}

/// How a region is described.
pub(super) fn described(region: &str, status: &str) -> Value {
    json!({ "id": region, "name": region, "region_name": region, "region_opt_status": status })
}

/// One that was switched on in the sandbox.
static SIM: Simple = Simple {
    id: |call| call.text("region_name").to_owned(),
    global: true,
    state_field: "region_opt_status",
    states: ("ENABLING", "ENABLED", ""),
    describe: |_, _, id| json!({ "name": id }),
    taggable: false,
    ..Simple::DEFAULT
};

/// Most regions are on without anybody having made anything.
pub struct Regions;

/// How a region stands in the sandbox: what was switched on (one that stands before the run is on), else as it is in a new account.
fn status(world: &World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let region = call.text("region_name");
    let switched = world.get(META.name, "", region, call.now_ms).map(|object| match object.state(call.now_ms) {
        "" => "ENABLED",
        state => state,
    });
    let anew = regions::status(region);
    match anew.filter(|status| is_on(status)).or(switched).or(anew) {
        Some(status) => Ok(described(region, status)),
        None => Err(CallError::refused("ValidationException", format!("{region} is not a valid region"))),
    }
}

impl Sim for Regions {
    fn create(&self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
        let found = status(world, call)?;
        sendable(call.text("region_name"), text(&found, "region_opt_status"))?;
        SIM.create(kind, world, call)
    }

    fn read(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<Value> {
        status(world, call).ok().filter(|found| is_on(text(found, "region_opt_status")))
    }

    fn find(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<Value> {
        self.read(kind, world, call).into_iter().collect()
    }

    fn delete(&self, _: &dyn Kind, _: &mut World, _: &SimCall<'_>, _: Option<&Value>) -> Result<(), CallError> {
        Err(never_off())
    }

    fn next_change(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<i64> {
        SIM.next_change(kind, world, call)
    }

    fn obstacles(&self, _: &dyn Kind, _: &World, _: &SimCall<'_>) -> Vec<String> {
        Vec::new()
    }

    fn taggable(&self) -> bool {
        SIM.taggable
    }
}

/// Whether a region that stands so can be switched on.
///
/// # Errors
/// `AlreadyExists` when it is on: whoever asked for it may use it. `NotYet` while it is being switched off.
pub(super) fn sendable(region: &str, status: &str) -> Result<(), CallError> {
    match status {
        "DISABLING" => {
            let why = format!("{region} is being switched off; only then can it be switched on");
            Err(CallError::new(Failed::NotYet, "RegionDisabling", why))
        }
        status if is_on(status) => {
            Err(CallError::new(Failed::AlreadyExists, "RegionEnabled", format!("{region} is on already")))
        }
        _ => Ok(()),
    }
}

/// No call of ours switches a region off.
pub(super) fn never_off() -> CallError {
    CallError::refused("RegionStays", "a region is never switched off: others of the account may have resources there")
}

/// `account.get_region_opt_status`.
pub static STATUS: Operation = Operation {
    name: "account.get_region_opt_status",
    operation: "GetRegionOptStatus",
    doc: "Says whether the account may use a region, in `region_opt_status`: `ENABLED`, `ENABLED_BY_DEFAULT`, `ENABLING`, `DISABLING` or \
          `DISABLED`.\n\nAsk from a region that is surely on (`us-east-1`): in one that is off every call is refused. See the \
          [reference](https://docs.aws.amazon.com/accounts/latest/reference/API_GetRegionOptStatus.html).",
    class: Class::Read,
    schema: input::schema::<Input>,
    check,
    token: None,
    settle: None,
    sim: |world, call| status(world, call),
};
