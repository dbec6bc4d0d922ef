//! `kms.key`: a key of the account's own.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Health, Identity, Meta, same_fields},
    sandbox::{
        sim::{SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::policy;
use crate::{
    iam::document::{self, Document},
    row::{Row, judge_state, once_told, text},
};

/// What makes a key. See <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// What the key is for.
    pub description: Option<String>,
    /// Who may use and manage it; when left out, the account may, and its IAM policies say who.
    pub policy: Option<Document>,
    /// `ENCRYPT_DECRYPT` (when left out), `SIGN_VERIFY`, `GENERATE_VERIFY_MAC` or `KEY_AGREEMENT`.
    pub key_usage: Option<String>,
    /// `SYMMETRIC_DEFAULT` when left out; `RSA_2048`, `ECC_NIST_P256`, `HMAC_256` and the like.
    pub key_spec: Option<String>,
    /// Whether it can be replicated to other regions.
    pub multi_region: Option<bool>,
    /// Ours: for how many days a deletion can be taken back, 7 to 30; 30 when left out, as with AWS.
    pub pending_window_in_days: Option<i32>,
}

pub(super) static META: Meta = Meta {
    name: "kms.key",
    create: "create_key",
    operations: ("CreateKey", "ScheduleKeyDeletion"),
    doc: "Makes a KMS key.\n\nA key cannot be deleted at once: undo schedules its deletion, `pending_window_in_days` ahead, and counts it \
          as gone from then on; `kms.cancel_key_deletion` takes it back. What it encrypted is unreadable afterwards. Rotation is switched \
          on by `kms.enable_key_rotation`. See the \
          [KMS reference](https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html).",
    identity: Identity::Tag,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: Some("KMS key"),
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        input::check::<Input>(value)?;
        document::check(value, "policy")?;
        match value.get("pending_window_in_days").and_then(Value::as_i64) {
            Some(days) if !(7..=30).contains(&days) => {
                Err(InputError::new("pending_window_in_days", format!("must be between 7 and 30 days, not {days}")))
            }
            _ => Ok(()),
        }
    },
    locator: &["key_id"],
    along: &["pending_window_in_days"],
    parents: &[],
    judge: |described| {
        let waiting = ["PendingDeletion", "PendingReplicaDeletion"];
        let broken = ["Disabled", "Unavailable", "PendingImport"];
        match judge_state(text(described, "key_state"), None, &["Enabled"], &broken, &waiting) {
            Health::Ready => once_told(described, "policy"),
            other => other,
        }
    },
    differences: |input, described| same_fields(&document::with_normal(input, "policy"), described),
    sim: &SIM,
};

static SIM: Simple = Simple {
    prefix: "key-",
    state_field: "key_state",
    states: ("", "Enabled", "PendingDeletion"),
    missing: "NotFoundException",
    check: |_, call| {
        fits(call)?;
        policy::refuse(call)
    },
    describe: |_, call, id| {
        let given = |field: &str, otherwise: &str| match call.text(field) {
            "" => Value::from(otherwise),
            given => Value::from(given),
        };
        json!({
            "key_id": id, "arn": format!("arn:aws:kms:{}:{}:key/{id}", call.place.region, call.account),
            "enabled": true, "description": call.text("description"), "key_manager": "CUSTOMER",
            "key_usage": given("key_usage", "ENCRYPT_DECRYPT"), "key_spec": given("key_spec", "SYMMETRIC_DEFAULT"),
            "multi_region": call.input.get("multi_region").cloned().unwrap_or(Value::Bool(false)),
            "policy": policy::of(call), "key_rotation_enabled": false,
        })
    },
    made: |world, call, object| {
        let body = document::with_normal(&object.body, "policy");
        world.change(META.name, &call.place.region, &object.id, |key| key.body = body);
    },
    deleted: |world, call, object| {
        let days = object.body.get("pending_window_in_days").and_then(Value::as_i64).unwrap_or(30);
        let until = call.now_ms + days * 24 * 3_600_000;
        world.change(META.name, &call.place.region, &object.id, |key| key.body["deletion_date_ms"] = until.into());
    },
    // A second time: it is scheduled already, which the live call takes for done too.
    delete_other: |world, call| {
        let scheduled = simulated(world, call, call.text("key_id")).is_ok_and(|key| key.gone_at.is_some());
        scheduled.then_some(Ok(()))
    },
    ..Simple::DEFAULT
};

/// Refuses a usage that keys of the spec do not have.
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html#KMS-CreateKey-request-KeyUsage>
fn fits(call: &SimCall<'_>) -> Result<(), CallError> {
    let given = |field: &str, otherwise: &'static str| match call.text(field) {
        "" => otherwise.to_owned(),
        given => given.to_owned(),
    };
    let (spec, usage) = (given("key_spec", "SYMMETRIC_DEFAULT"), given("key_usage", "ENCRYPT_DECRYPT"));
    let usages: &[&str] = match spec.split('_').next().unwrap_or_default() {
        "SYMMETRIC" => &["ENCRYPT_DECRYPT"],
        "HMAC" => &["GENERATE_VERIFY_MAC"],
        "RSA" => &["ENCRYPT_DECRYPT", "SIGN_VERIFY"],
        "ECC" => &["SIGN_VERIFY", "KEY_AGREEMENT"],
        _ => return Ok(()),
    };
    match usages.contains(&usage.as_str()) {
        true => Ok(()),
        false => Err(CallError::refused(
            "ValidationException",
            format!("KeyUsage {usage} is not compatible with KeySpec {spec}"),
        )),
    }
}

/// A key by its id, ARN or alias, be its deletion scheduled or not.
///
/// # Errors
/// NotFoundException.
pub fn simulated<'w>(world: &'w World, call: &SimCall<'_>, name: &str) -> Result<&'w Object, CallError> {
    let region = &call.place.region;
    let alias = name.rsplit_once(':').map_or(name, |(_, last)| last);
    let target = world.get(super::alias::META.name, region, alias, call.now_ms);
    let id = target.map_or(name, |alias| crate::simulate::body(alias, "target_key_id"));
    let found = world.stored(META.name, region).find(|key| {
        let deleted = key.body.get("deletion_date_ms").and_then(Value::as_i64);
        (key.id == id || text(&key.body, "arn") == id) && deleted.is_none_or(|at| call.now_ms < at)
    });
    found.ok_or_else(|| {
        let text = format!("Key 'arn:aws:kms:{region}:{}:key/{id}' does not exist", call.account);
        CallError::not_found("NotFoundException", text)
    })
}

/// A key that can be used.
///
/// # Errors
/// NotFoundException; KMSInvalidStateException while its deletion is scheduled.
pub fn usable<'w>(world: &'w World, call: &SimCall<'_>, name: &str) -> Result<&'w Object, CallError> {
    let key = simulated(world, call, name)?;
    match key.gone_at {
        None => Ok(key),
        Some(_) => {
            let text = format!("{} is pending deletion.", text(&key.body, "arn"));
            Err(CallError::refused("KMSInvalidStateException", text).hint("kms.cancel_key_deletion takes it back"))
        }
    }
}

/// Which key is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Its id, ARN or alias (`alias/…`).
    pub key_id: String,
}

/// `kms.describe_key`.
pub static DESCRIBE: Operation = Operation {
    name: "kms.describe_key",
    operation: "DescribeKey",
    doc: "Describes a key, also one whose deletion is scheduled: its `key_state` is then PendingDeletion.\n\nSee the \
          [KMS reference](https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html).",
    class: Class::Read,
    schema: input::schema::<Which>,
    check: input::check::<Which>,
    token: None,
    settle: None,
    sim: |world, call| {
        let key = simulated(world, call, call.text("key_id"))?;
        let mut described = SIM.description(key, call.now_ms);
        if key.gone_at.is_some() {
            described["key_state"] = "PendingDeletion".into();
            described["enabled"] = false.into();
        }
        Ok(described)
    },
};

/// `kms.cancel_key_deletion`.
pub static CANCEL_DELETION: Operation = Operation {
    name: "kms.cancel_key_deletion",
    operation: "CancelKeyDeletion",
    doc: "Takes back the scheduled deletion of a key. It is disabled then, as AWS leaves it.\n\nSee the \
          [KMS reference](https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html).",
    class: Class::Update,
    schema: input::schema::<Which>,
    check: input::check::<Which>,
    token: None,
    settle: None,
    sim: |world, call| {
        let id = simulated(world, call, call.text("key_id"))?.id.clone();
        let arn = world.change(META.name, &call.place.region, &id, |key| {
            if key.gone_at.take().is_some() {
                key.states = vec![(call.now_ms, "Disabled".to_owned())];
                key.body["enabled"] = false.into();
                key.body["deletion_date_ms"] = Value::Null;
            }
            text(&key.body, "arn").to_owned()
        });
        Ok(json!({ "key_id": arn }))
    },
};
