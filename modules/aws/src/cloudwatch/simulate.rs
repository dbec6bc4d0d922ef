//! How the sandbox simulates alarms: an upsert that leaves state and tags of the alarm that stood there.

use runbook_modules::{
    error::CallError,
    resource::Kind,
    sandbox::{
        sim::{Sim, SimCall, Simple},
        world::World,
    },
};
use serde_json::{Value, json};

use super::metric_alarm::{META, not_replaced};
use crate::simulate::Upsert;

pub(super) static SIM: Upsert = Upsert(Simple {
    id: |call| call.text("alarm_name").to_owned(),
    state_field: "state_value",
    missing: "ResourceNotFound",
    describe: |_, call, id| {
        let listed = |field: &str| call.input.get(field).cloned().unwrap_or_else(|| json!([]));
        json!({
            "name": id, "arn": format!("arn:aws:cloudwatch:{}:{}:alarm:{id}", call.place.region, call.account),
            "actions_enabled": call.input.get("actions_enabled").cloned().unwrap_or(true.into()),
            "threshold": call.input.get("threshold").and_then(Value::as_f64),
            "dimensions": listed("dimensions"), "alarm_actions": listed("alarm_actions"),
            "ok_actions": listed("ok_actions"), "insufficient_data_actions": listed("insufficient_data_actions"),
        })
    },
    ..Simple::DEFAULT
});

/// World objects of this kind are alarms on other alarms, which nothing here makes: a rehearsal file gives them.
pub(super) const COMPOSITE: &str = "cloudwatch.composite_alarm";

/// Alarms. What the sandbox's metrics say never breaches anything.
pub struct Alarms;

impl Sim for Alarms {
    fn create(&self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
        let (region, name) = (call.place.region.as_str(), call.text("alarm_name"));
        if [region, ""].iter().any(|place| world.get(COMPOSITE, place, name, call.now_ms).is_some()) {
            return Err(not_replaced(name, "a rule over other alarms"));
        }
        let before =
            world.get(META.name, region, name, call.now_ms).map(|alarm| (alarm.states.clone(), alarm.tags.clone()));
        SIM.create(kind, world, call)?;
        let period = call.input.get("period").and_then(Value::as_i64).unwrap_or(60) * 1_000;
        world.change(META.name, region, name, |alarm| match before {
            Some((states, tags)) => (alarm.states, alarm.tags) = (states, tags),
            None => {
                let seen = call.now_ms + period;
                alarm.states = vec![(call.now_ms, "INSUFFICIENT_DATA".to_owned()), (seen, "OK".to_owned())];
            }
        });
        self.read(kind, world, call).ok_or_else(|| CallError::not_found("ResourceNotFound", name))
    }

    fn read(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<Value> {
        SIM.read(kind, world, call)
    }

    fn find(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<Value> {
        SIM.find(kind, world, call)
    }

    fn delete(
        &self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>, put_back: Option<&Value>,
    ) -> Result<(), CallError> {
        SIM.delete(kind, world, call, put_back)
    }

    fn next_change(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<i64> {
        SIM.next_change(kind, world, call)
    }

    fn obstacles(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<String> {
        SIM.obstacles(kind, world, call)
    }
}
