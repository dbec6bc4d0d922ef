//! The yearly rotation of a key's material.

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    sandbox::{sim::SimCall, world::World},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::key;
use crate::row::text;

/// Which key, and how often.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Enable {
    /// The key's id or ARN.
    pub key_id: String,
    /// Days between rotations, 90 to 2560; 365 when left out.
    pub rotation_period_in_days: Option<i32>,
}

/// `kms.enable_key_rotation`.
pub static ENABLE: Operation = Operation {
    name: "kms.enable_key_rotation",
    operation: "EnableKeyRotation",
    doc: "Has KMS rotate the material of a symmetric key. Nothing needs to be encrypted again.\n\nSee the \
          [KMS reference](https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html).",
    class: Class::Update,
    schema: input::schema::<Enable>,
    check: |value| {
        input::check::<Enable>(value)?;
        match value.get("rotation_period_in_days").and_then(Value::as_i64) {
            Some(days) if !(90..=2560).contains(&days) => {
                Err(InputError::new("rotation_period_in_days", format!("must be between 90 and 2560 days, not {days}")))
            }
            _ => Ok(()),
        }
    },
    token: None,
    settle: None,
    sim: enable,
};

fn enable(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let key = key::usable(world, call, call.text("key_id"))?;
    if text(&key.body, "key_spec") != "SYMMETRIC_DEFAULT" {
        let text = format!("You cannot enable automatic rotation of {}: it is not symmetric.", text(&key.body, "arn"));
        return Err(CallError::refused("UnsupportedOperationException", text));
    }
    let (id, days) = (key.id.clone(), call.input.get("rotation_period_in_days").cloned().unwrap_or_else(|| 365.into()));
    world.change(key::META.name, &call.place.region, &id, |key| {
        key.body["key_rotation_enabled"] = true.into();
        key.body["rotation_period_in_days"] = days;
    });
    Ok(json!({}))
}

/// `kms.get_key_rotation_status`.
pub static STATUS: Operation = Operation {
    name: "kms.get_key_rotation_status",
    operation: "GetKeyRotationStatus",
    doc: "Says whether a key rotates: `#{key_rotation_enabled, rotation_period_in_days}`.\n\nSee the \
          [KMS reference](https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html).",
    class: Class::Read,
    schema: input::schema::<key::Which>,
    check: input::check::<key::Which>,
    token: None,
    settle: None,
    sim: |world, call| {
        let body = &key::simulated(world, call, call.text("key_id"))?.body;
        let of = |field: &str| body.get(field).cloned().unwrap_or_default();
        Ok(json!({
            "key_id": body["key_id"], "key_rotation_enabled": of("key_rotation_enabled"),
            "rotation_period_in_days": of("rotation_period_in_days"),
        }))
    },
};
