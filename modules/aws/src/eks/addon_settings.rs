//! `eks.addon_settings`: version, role and settings of an add-on that stands, changed by `update_addon` and put back by undo.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    resource::{Health, Identity, Kind, Meta},
    sandbox::{
        sim::{Sim, SimCall},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{addon, cluster, update};
use crate::row::{Row, text};

/// What changes an add-on. See <https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateAddon.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The cluster's name.
    pub cluster_name: String,
    /// The add-on's name, e.g. `vpc-cni`.
    pub addon_name: String,
    /// The version; the one that stands when left out.
    pub addon_version: Option<String>,
    /// ARN of the role for the add-on's service account; the one that stands when left out.
    pub service_account_role_arn: Option<String>,
    /// What happens to settings that somebody changed in the cluster: `NONE`, `OVERWRITE` or `PRESERVE`.
    pub resolve_conflicts: Option<String>,
    /// The add-on's own settings: JSON or YAML text; those that stand when left out.
    pub configuration_values: Option<String>,
}

/// What of an add-on is changed, and put back.
pub(super) const FIELDS: [&str; 3] = ["addon_version", "service_account_role_arn", "configuration_values"];

static META: Meta = Meta {
    name: "eks.addon_settings",
    create: "update_addon",
    operations: ("UpdateAddon", "UpdateAddon"),
    doc: "Changes version, role or settings of an add-on that stands, and waits until that has come through.\n\nWhat is left out stays. \
          Undo puts back what stood before. See the \
          [EKS reference](https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateAddon.html).",
    identity: Identity::Token { field: "client_request_token", safe: Duration::from_secs(12 * 3600), key: true },
    usual: (Duration::from_secs(90), Duration::ZERO),
    cost: None,
    replaces: true,
    shared: false,
};

/// The kind.
pub static KIND: Row<Settings> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        input::check::<Input>(value)?;
        addon::check_conflicts(value)?;
        match FIELDS.iter().any(|field| value.get(field).is_some_and(|given| !given.is_null())) {
            true => Ok(()),
            false => Err(InputError::new("addon_version", "nothing is changed: give a version, a role or settings")),
        }
    },
    locator: &["cluster_name", "addon_name"],
    along: &["update_id", "resolve_conflicts"],
    parents: &["eks.cluster cluster_name", "service_account_role_arn"],
    judge,
    differences: addon::differences,
    sim: &Settings,
};

/// By the update, as long as it is known, then by the add-on.
fn judge(described: &Value) -> Health {
    match described.get("update").map(update::judge) {
        None | Some(Health::Ready) => match text(described, "status") {
            "UPDATING" => Health::Pending("UPDATING".to_owned()),
            "UPDATE_FAILED" => Health::Failed(cluster::with_issues("UPDATE_FAILED", described)),
            _ => cluster::judge(described),
        },
        Some(health) => health,
    }
}

/// The answer to a request: the add-on as it is going to be.
pub(super) fn taken(mut stands: Value, asked: &Value, update: Value) -> Value {
    for field in FIELDS {
        if let Some(value) = asked.get(field).filter(|value| !value.is_null()) {
            stands[field] = value.clone();
        }
    }
    stands["status"] = "UPDATING".into();
    stands["update_id"] = update["id"].clone();
    stands["update"] = update;
    stands
}

/// How the sandbox simulates it: the fields of the add-on itself are changed.
pub struct Settings;

fn change(world: &mut World, call: &SimCall<'_>, of: &Object, to: impl Fn(&str) -> Option<Value>) {
    world.change(addon::META.name, &call.place.region, &of.id, |addon| {
        let end = match addon.states.last() {
            _ if call.doomed => "UPDATE_FAILED",
            Some((_, state)) if state == "DEGRADED" => "DEGRADED",
            _ => "ACTIVE",
        };
        addon.states.retain(|(from, _)| *from <= call.now_ms);
        let states = [(call.now_ms, "UPDATING"), (call.now_ms + update::TAKES_MS, end)];
        addon.states.extend(states.map(|(from, state)| (from, state.to_owned())));
        let Some(fields) = addon.body.as_object_mut().filter(|_| !call.doomed) else { return };
        for field in FIELDS {
            match to(field) {
                Some(value) => fields.insert(field.to_owned(), value),
                None => fields.remove(field),
            };
        }
    });
}

impl Sim for Settings {
    fn create(&self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
        let of = addon::standing(world, call)?.clone();
        let stands = self.read(kind, world, call).unwrap_or_default();
        if let Some(first) = update::begun(world, call) {
            return Ok(taken(stands, call.input, first));
        }
        addon::check(world, call)?;
        update::one_at_a_time(world, call, "Addon", &of)?;
        let given = |field: &str| call.input.get(field).filter(|value| !value.is_null()).cloned();
        let params = FIELDS.into_iter().filter_map(|field| Some(json!({ "type": field, "value": given(field)? })));
        let begun = update::begin(world, call, &of, "AddonUpdate", params.collect());
        change(world, call, &of, |field| given(field).or_else(|| of.body.get(field).cloned()));
        Ok(taken(stands, call.input, begun))
    }

    fn read(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<Value> {
        let mut found = addon::described(world, call)?;
        if let Some(update) = update::standing(world, call, call.text("update_id")) {
            found["update_id"] = update["id"].clone();
            found["update"] = update;
        }
        Some(found)
    }

    fn find(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<Value> {
        self.read(kind, world, call).into_iter().collect()
    }

    fn delete(
        &self, _: &dyn Kind, world: &mut World, call: &SimCall<'_>, put_back: Option<&Value>,
    ) -> Result<(), CallError> {
        let of = addon::standing(world, call)?.clone();
        let Some(before) = put_back else { return Err(addon::nothing_before()) };
        change(world, call, &of, |field| before.get(field).cloned());
        Ok(())
    }

    fn next_change(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<i64> {
        addon::standing(world, call).ok()?.next_change(call.now_ms)
    }

    fn obstacles(&self, _: &dyn Kind, _: &World, _: &SimCall<'_>) -> Vec<String> {
        Vec::new()
    }

    fn can_fail(&self) -> bool {
        true
    }
}
