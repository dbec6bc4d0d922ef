//! `iam.access_key`: a pair of keys of an IAM user; its secret half is told once.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input,
    resource::{Identity, Kind, Meta, same_fields},
    sandbox::{
        sim::{Ref, Sim, SimCall, Simple},
        world::World,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    row::{Row, at_once},
    simulate::{digits, having},
};

/// What makes an access key. See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Whose key it is.
    pub user_name: String,
}

/// The field that is told once.
const SECRET: &str = "secret_access_key";

static META: Meta = Meta {
    name: "iam.access_key",
    create: "create_access_key",
    operations: ("CreateAccessKey", "DeleteAccessKey"),
    doc: "Makes an access key: `access_key_id`, and the secret `secret_access_key`, which IAM tells once and which is sealed from then on.\n\n\
          When the answer is lost, so is the secret: the key that was made is deleted, and another one made. A user has two at most. See the \
          [IAM reference](https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html).",
    identity: Identity::OneShot { secret: SECRET },
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row<Told> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    locator: &["user_name", "access_key_id"],
    along: &[],
    parents: &["user_name"],
    judge: at_once,
    differences: same_fields,
    sim: &Told,
};

/// The most that a user has.
const MOST: usize = 2;

static SIM: Simple = Simple {
    prefix: "AKIA",
    global: true,
    refs: &[Ref { field: "user_name", kind: "iam.user", missing: "NoSuchEntity", owned: false }],
    missing: "NoSuchEntity",
    check: |world, call| {
        let user = call.text("user_name");
        match having(world, META.name, "", call.now_ms, "user_name", user).count() < MOST {
            true => Ok(()),
            false => {
                Err(CallError::refused("LimitExceeded", format!("Cannot exceed quota for AccessKeysPerUser: {MOST}"))
                    .hint(format!("{user} has two access keys; delete the one that nobody uses")))
            }
        }
    },
    describe: |_, _, id| json!({ "access_key_id": id, "status": "Active" }),
    taggable: false,
    ..Simple::DEFAULT
};

/// The creation alone tells the secret; no tags tell whose effect a key is.
pub struct Told;

impl Sim for Told {
    fn create(&self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
        let mut made = SIM.create(kind, world, call)?;
        made[SECRET] = format!("SIMULATED{}", digits(call.token, 31)).into();
        Ok(made)
    }

    fn read(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<Value> {
        SIM.read(kind, world, call)
    }

    /// All keys of the user.
    fn find(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<Value> {
        let keys = having(world, META.name, "", call.now_ms, "user_name", call.text("user_name"));
        keys.map(|key| SIM.description(key, call.now_ms)).collect()
    }

    fn delete(
        &self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>, _: Option<&Value>,
    ) -> Result<(), CallError> {
        SIM.delete(kind, world, call, None)
    }

    fn next_change(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<i64> {
        SIM.next_change(kind, world, call)
    }

    fn obstacles(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<String> {
        SIM.obstacles(kind, world, call)
    }

    fn taggable(&self) -> bool {
        SIM.taggable
    }
}
