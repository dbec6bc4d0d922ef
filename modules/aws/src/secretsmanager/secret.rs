//! `secretsmanager.secret`: a secret with its first value.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Identity, Meta},
    sandbox::{
        sim::{SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    row::{Difference, Row, at_once, text, unordered},
    simulate::digits,
};

/// What makes a secret. See <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in account and region.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Id, ARN or alias of the key that encrypts it; AWS's own `aws/secretsmanager` when left out.
    pub kms_key_id: Option<String>,
    /// The value: text, often JSON. Left out, the secret has no value yet.
    pub secret_string: Option<String>,
    /// Ours: for how many days a deletion can be taken back, 7 to 30; 30 when left out, as with AWS. The name stays taken so long.
    pub recovery_window_in_days: Option<i64>,
    /// Ours: whether undo deletes it at once and for good, so that the name is free.
    pub force_delete_without_recovery: Option<bool>,
}

pub(super) static META: Meta = Meta {
    name: "secretsmanager.secret",
    create: "create_secret",
    operations: ("CreateSecret", "DeleteSecret"),
    doc: "Makes a secret with its first value.\n\nThe name of a deleted secret stays taken for its recovery window: a second one is refused \
          until `secretsmanager.restore_secret` brings the first one back, or `secretsmanager.delete_secret` with \
          `force_delete_without_recovery` ends it. The value is never read back. See the \
          [Secrets Manager reference](https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html).",
    identity: Identity::Token { field: "client_request_token", safe: Duration::from_secs(3600), key: true },
    usual: (Duration::ZERO, Duration::ZERO),
    cost: Some("secret"),
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        input::check::<Input>(value)?;
        check_name(value)?;
        check_deletion(value)
    },
    locator: &["name"],
    along: &["recovery_window_in_days", "force_delete_without_recovery"],
    parents: &["kms_key_id"],
    judge: at_once,
    differences,
    sim: &SIM,
};

fn check_name(value: &Value) -> Result<(), InputError> {
    let name = text(value, "name");
    if !name.is_empty() && name.len() <= 512 && name.chars().all(|c| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c))
    {
        return Ok(());
    }
    Err(InputError::new("name", format!("must be 1 to 512 letters, digits and /_+=.@-, not {name:?}")))
}

/// A window and an end at once exclude each other.
fn check_deletion(value: &Value) -> Result<(), InputError> {
    let window = value.get("recovery_window_in_days").and_then(Value::as_i64);
    let wrong = |why: String| Err(InputError::new("recovery_window_in_days", why));
    match window {
        Some(_) if value["force_delete_without_recovery"] == true => {
            wrong("cannot be given together with force_delete_without_recovery".to_owned())
        }
        Some(days) if !(7..=30).contains(&days) => wrong(format!("must be between 7 and 30 days, not {days}")),
        _ => Ok(()),
    }
}

/// The value is not read back, and a key is described as it was given or by its ARN.
fn differences(input: &Value, described: &Value) -> Vec<Difference> {
    let mut input = input.clone();
    if let Value::Object(map) = &mut input {
        map.remove("secret_string");
    }
    let same_key = |asked: &Value, found: &Value| {
        let end = |value: &Value| value.as_str().and_then(|id| id.rsplit('/').next()).unwrap_or_default().to_owned();
        end(asked) == end(found)
    };
    let mut found = unordered(&input, described);
    found.retain(|(field, asked, has)| field != "kms_key_id" || !same_key(asked, has));
    found
}

static SIM: Simple = Simple {
    id: |call| call.text("name").to_owned(),
    unique: (&["name"], "ResourceExistsException"),
    token: true,
    missing: "ResourceNotFoundException",
    check,
    describe: |_, call, id| {
        let unique = digits(id, 6);
        let arn = format!("arn:aws:secretsmanager:{}:{}:secret:{id}-{unique}", call.place.region, call.account);
        let mut body = json!({ "name": id, "arn": arn });
        if call.input.get("secret_string").is_some() {
            body["version_id"] = call.token.into();
            body["version_ids_to_stages"] = json!({ call.token: ["AWSCURRENT"] });
        }
        body
    },
    made: |world, call, object| {
        world.change(META.name, &call.place.region, &object.id, |secret| {
            if let Value::Object(body) = &mut secret.body {
                body.remove("secret_string");
            }
        });
    },
    deleted: |world, call, object| {
        let forced = object.body["force_delete_without_recovery"] == true;
        let days = object.body.get("recovery_window_in_days").and_then(Value::as_i64).unwrap_or(30);
        forget(world, call, &object.id, forced, days);
    },
    delete_other: |_, call| forced(call).then_some(Ok(())),
    ..Simple::DEFAULT
};

/// Whether a deletion is for good: then what does not exist is no error.
fn forced(call: &SimCall<'_>) -> bool {
    call.input["force_delete_without_recovery"] == true
}

fn check(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    if pending(world, call, call.text("name")).is_some() {
        let text = "You can't create this secret because a secret with this name is already scheduled for deletion.";
        return Err(with_way_out(CallError::refused("InvalidRequestException", text), call.text("name")));
    }
    match call.text("kms_key_id") {
        "" => Ok(()),
        id => crate::kms::key::simulated(world, call, id).map(|_| ()).map_err(|_| {
            let text = format!("Could not find the KMS key {id}");
            CallError::refused("EncryptionFailure", text)
        }),
    }
}

/// Says how a name that is scheduled for deletion becomes free.
pub(super) fn with_way_out(error: CallError, name: &str) -> CallError {
    let ways = [
        format!("secretsmanager.restore_secret(#{{ secret_id: \"{name}\" }}) brings the old one back"),
        format!(
            "secretsmanager.delete_secret(#{{ secret_id: \"{name}\", force_delete_without_recovery: true }}) frees the name for good"
        ),
    ];
    ways.into_iter().fold(error, CallError::hint)
}

/// A secret of that name or ARN whose recovery window is open.
fn pending<'w>(world: &'w World, call: &SimCall<'_>, name: &str) -> Option<&'w Object> {
    let named = |secret: &&Object| secret.id == name || text(&secret.body, "arn") == name;
    let open = |secret: &&Object| {
        secret.body.get("recoverable_until_ms").and_then(Value::as_i64).is_some_and(|at| call.now_ms < at)
    };
    world.stored(META.name, &call.place.region).filter(named).find(open)
}

/// Deletes a secret: recoverable for some days, or for good.
fn forget(world: &mut World, call: &SimCall<'_>, id: &str, forced: bool, days: i64) {
    world.change(META.name, &call.place.region, id, |secret| {
        secret.gone_at = Some(call.now_ms);
        let until = if forced { Value::Null } else { (call.now_ms + days * 24 * 3_600_000).into() };
        secret.body["recoverable_until_ms"] = until;
    });
}

/// A secret by name or ARN, whose value may be changed.
///
/// # Errors
/// InvalidRequestException while its deletion is scheduled; ResourceNotFoundException.
pub(super) fn standing<'w>(world: &'w World, call: &SimCall<'_>, name: &str) -> Result<&'w Object, CallError> {
    if pending(world, call, name).is_some() {
        let text = "You can't perform this operation on the secret because it was marked for deletion.";
        return Err(CallError::refused("InvalidRequestException", text));
    }
    simulated(world, call, name)
}

/// A secret by name or ARN.
///
/// # Errors
/// ResourceNotFoundException.
fn simulated<'w>(world: &'w World, call: &SimCall<'_>, name: &str) -> Result<&'w Object, CallError> {
    let mut all = world.list(META.name, &call.place.region, call.now_ms);
    all.find(|secret| secret.id == name || text(&secret.body, "arn") == name).ok_or_else(|| {
        CallError::not_found("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    })
}

/// Which secret is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Its name or ARN.
    pub secret_id: String,
}

/// `secretsmanager.describe_secret`.
pub static DESCRIBE: Operation = Operation {
    name: "secretsmanager.describe_secret",
    operation: "DescribeSecret",
    doc: "Describes a secret, never its value. While its recovery window is open the answer has a `deleted_date`; `version_ids_to_stages` says \
          whether it has a value (`AWSCURRENT`).\n\nSee the \
          [Secrets Manager reference](https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html).",
    class: Class::Read,
    schema: input::schema::<Which>,
    check: input::check::<Which>,
    token: None,
    settle: None,
    sim: |world, call| {
        if let Some(secret) = pending(world, call, call.text("secret_id")) {
            let mut described = SIM.description(secret, call.now_ms);
            described["deleted_date"] = secret.gone_at.into();
            return Ok(described);
        }
        simulated(world, call, call.text("secret_id")).map(|secret| SIM.description(secret, call.now_ms))
    },
};

/// `secretsmanager.restore_secret`.
pub static RESTORE: Operation = Operation {
    name: "secretsmanager.restore_secret",
    operation: "RestoreSecret",
    doc: "Takes back the deletion of a secret whose recovery window is open.\n\nSee the \
          [Secrets Manager reference](https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RestoreSecret.html).",
    class: Class::Update,
    schema: input::schema::<Which>,
    check: input::check::<Which>,
    token: None,
    settle: None,
    sim: |world, call| {
        let name = call.text("secret_id");
        let id = match pending(world, call, name) {
            Some(secret) => secret.id.clone(),
            None => simulated(world, call, name)?.id.clone(),
        };
        let arn = world.change(META.name, &call.place.region, &id, |secret| {
            secret.gone_at = None;
            secret.body["recoverable_until_ms"] = Value::Null;
            text(&secret.body, "arn").to_owned()
        });
        Ok(json!({ "name": id, "arn": arn }))
    },
};

/// Which secret goes, and how.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// Its name or ARN.
    pub secret_id: String,
    /// For how many days it can be taken back, 7 to 30; 30 when left out.
    pub recovery_window_in_days: Option<i64>,
    /// Ends it at once and for good.
    pub force_delete_without_recovery: Option<bool>,
}

/// `secretsmanager.delete_secret`.
pub static DELETE: Operation = Operation {
    name: "secretsmanager.delete_secret",
    operation: "DeleteSecret",
    doc: "Deletes a secret that this run does not own, or ends one whose recovery window is open.\n\nSee the \
          [Secrets Manager reference](https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html).",
    class: Class::Delete,
    schema: input::schema::<Delete>,
    check: |value| {
        input::check::<Delete>(value)?;
        check_deletion(value)
    },
    token: None,
    settle: None,
    sim: |world, call| {
        let name = call.text("secret_id");
        let id = match pending(world, call, name) {
            Some(secret) => secret.id.clone(),
            None => match simulated(world, call, name) {
                Err(_) if forced(call) => return Ok(json!({ "name": name })),
                found => found?.id.clone(),
            },
        };
        let days = call.input.get("recovery_window_in_days").and_then(Value::as_i64).unwrap_or(30);
        forget(world, call, &id, forced(call), days);
        Ok(json!({ "name": id }))
    },
};
