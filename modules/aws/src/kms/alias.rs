//! `kms.alias`: a name of a key.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Identity, Meta, same_fields},
    sandbox::{
        sim::{SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::key;
use crate::{
    row::{Row, once_told, text},
    simulate::body,
};

/// What makes an alias. See <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, `alias/…`, unique in account and region; not `alias/aws/…`, which is AWS's own.
    pub alias_name: String,
    /// The key's id or ARN.
    pub target_key_id: String,
}

pub(super) static META: Meta = Meta {
    name: "kms.alias",
    create: "create_alias",
    operations: ("CreateAlias", "DeleteAlias"),
    doc: "Gives a key a name.\n\nUndo takes the alias away before the key: a key whose deletion is scheduled would keep the name taken. See \
          the [KMS reference](https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html).",
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
        input::check::<Input>(value)?;
        let name = text(value, "alias_name");
        let wrong = |why: &str| Err(InputError::new("alias_name", format!("{why}, not {name:?}")));
        let rest = name.strip_prefix("alias/").unwrap_or_default();
        if rest.is_empty() || rest.starts_with("aws/") {
            return wrong("must begin with alias/, and not with alias/aws/");
        }
        match name.chars().all(|c| c.is_ascii_alphanumeric() || "/_-".contains(c)) && name.len() <= 256 {
            true => Ok(()),
            false => wrong("must have at most 256 letters, digits, /, _ and -"),
        }
    },
    locator: &["alias_name"],
    along: &[],
    parents: &["target_key_id"],
    judge: |described| once_told(described, "arn"),
    differences: |input, described| same_fields(&short(input), &short(described)),
    sim: &SIM,
};

/// With the key by its id: an alias is made with id or ARN, and always described with the id.
fn short(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some((_, id)) = value.get("target_key_id").and_then(Value::as_str).and_then(|arn| arn.rsplit_once('/')) {
        let id = Value::from(id);
        value["target_key_id"] = id;
    }
    value
}

static SIM: Simple = Simple {
    id: |call| call.text("alias_name").to_owned(),
    unique: (&["alias_name"], "AlreadyExistsException"),
    missing: "NotFoundException",
    check: |world, call| key::usable(world, call, call.text("target_key_id")).map(|_| ()),
    describe: |_, call, id| {
        let arn = format!("arn:aws:kms:{}:{}:{id}", call.place.region, call.account);
        json!({ "name": id, "arn": arn, "alias_arn": arn })
    },
    made: |world, call, object| {
        let body = short(&object.body);
        world.change(META.name, &call.place.region, &object.id, |alias| alias.body = body);
    },
    taggable: false,
    ..Simple::DEFAULT
};

/// Whose aliases are asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only those of this key.
    pub key_id: Option<String>,
}

/// `kms.list_aliases`.
pub static LIST: Operation = Operation {
    name: "kms.list_aliases",
    operation: "ListAliases",
    doc: "Lists the aliases of the region, or of one key, as `#{aliases: [...]}`: maps with `alias_name`, `alias_arn` and \
          `target_key_id`.\n\nSee the [KMS reference](https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html).",
    class: Class::Read,
    schema: input::schema::<List>,
    check: input::check::<List>,
    token: None,
    settle: None,
    sim: list,
};

fn list(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let only = match call.text("key_id") {
        "" => None,
        name => Some(key::simulated(world, call, name)?.id.clone()),
    };
    let described = |alias: &Object| {
        let of = |field: &str| Value::from(body(alias, field));
        json!({ "alias_name": alias.id, "alias_arn": of("arn"), "target_key_id": of("target_key_id") })
    };
    let all = world.list(META.name, &call.place.region, call.now_ms);
    let chosen = all.filter(|alias| only.as_deref().is_none_or(|id| body(alias, "target_key_id") == id));
    Ok(json!({ "aliases": chosen.map(described).collect::<Value>() }))
}
