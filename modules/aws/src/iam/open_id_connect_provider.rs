//! `iam.open_id_connect_provider`: an identity provider that roles can trust.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Identity, Kind, Meta},
    sandbox::{
        sim::{Sim, SimCall, Simple},
        world::World,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::row::{Row, once_told, text, unordered};

/// What makes a provider. See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The issuer, `https://…`; one provider for each in an account.
    pub url: String,
    /// Who the tokens are for, e.g. `sts.amazonaws.com`.
    #[serde(default)]
    pub client_id_list: Vec<String>,
    /// Thumbprints of the issuer's certificate. IAM finds them itself when left out.
    #[serde(default)]
    pub thumbprint_list: Vec<String>,
}

static META: Meta = Meta {
    name: "iam.open_id_connect_provider",
    create: "create_open_id_connect_provider",
    operations: ("CreateOpenIDConnectProvider", "DeleteOpenIDConnectProvider"),
    doc: "Makes an OpenID Connect provider.\n\nAn account has one for each issuer: one that stands already is used, and stays when \
          the run is undone. See the \
          [IAM reference](https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html).",
    identity: Identity::Key,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: false,
    shared: true,
};

static SIM: Simple = Simple {
    id: |call| {
        format!("arn:aws:iam::{}:oidc-provider/{}", call.account, call.text("url").trim_start_matches("https://"))
    },
    global: true,
    unique: (&["url"], "EntityAlreadyExists"),
    missing: "NoSuchEntity",
    describe: |_, call, id| {
        let thumbprints =
            call.input.get("thumbprint_list").filter(|list| list.as_array().is_some_and(|l| !l.is_empty()));
        let found = json!(["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"]);
        json!({ "arn": id, "thumbprint_list": thumbprints.unwrap_or(&found) })
    },
    ..Simple::DEFAULT
};

/// The kind.
pub static KIND: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        input::check::<Input>(value)?;
        match text(value, "url").starts_with("https://") {
            true => Ok(()),
            false => Err(InputError::new("url", "must begin with https://")),
        }
    },
    locator: &["arn"],
    along: &[],
    parents: &[],
    judge: |described| once_told(described, "thumbprint_list"),
    differences: unordered,
    sim: &SIM,
};

/// Which provider is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// The provider's ARN.
    pub open_id_connect_provider_arn: String,
}

/// `iam.get_open_id_connect_provider`.
pub static GET: Operation = Operation {
    name: "iam.get_open_id_connect_provider",
    operation: "GetOpenIDConnectProvider",
    doc: "Describes an OpenID Connect provider.\n\nSee the \
          [IAM reference](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetOpenIDConnectProvider.html).",
    class: Class::Read,
    schema: input::schema::<Get>,
    check: input::check::<Get>,
    token: None,
    settle: None,
    sim: get,
};

fn get(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let arn = call.text("open_id_connect_provider_arn");
    let at = json!({ "arn": arn });
    SIM.read(&KIND as &dyn Kind, world, &SimCall { input: &at, ..*call })
        .ok_or_else(|| CallError::not_found("NoSuchEntity", format!("OpenIDConnect Provider not found for arn {arn}")))
}
