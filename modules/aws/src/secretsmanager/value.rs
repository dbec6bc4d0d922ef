//! Later values of a secret.

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation},
    sandbox::{sim::SimCall, world::World},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::secret;
use crate::row::text;

/// A value for a secret.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Put {
    /// The secret's name or ARN.
    pub secret_id: String,
    /// The value.
    pub secret_string: String,
}

/// `secretsmanager.put_secret_value`.
pub static PUT: Operation = Operation {
    name: "secretsmanager.put_secret_value",
    operation: "PutSecretValue",
    doc: "Gives a secret a new value; the one before stays as AWSPREVIOUS. Answers the `version_id`.\n\nSee the \
          [Secrets Manager reference](https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html).",
    class: Class::Update,
    schema: input::schema::<Put>,
    check: input::check::<Put>,
    token: Some("client_request_token"),
    settle: None,
    sim: put,
};

fn put(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let found = secret::standing(world, call, call.text("secret_id"))?;
    let (id, arn, before) =
        (found.id.clone(), text(&found.body, "arn").to_owned(), text(&found.body, "version_id").to_owned());
    world.change(secret::META.name, &call.place.region, &id, |secret| {
        if before != call.token {
            let mut stages = json!({ call.token: ["AWSCURRENT"] });
            if !before.is_empty() {
                stages[before.as_str()] = json!(["AWSPREVIOUS"]);
            }
            secret.body["version_ids_to_stages"] = stages;
            secret.body["version_id"] = call.token.into();
        }
    });
    Ok(json!({ "name": id, "arn": arn, "version_id": call.token }))
}
