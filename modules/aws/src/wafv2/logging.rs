//! `wafv2.logging_configuration`: where a web ACL logs the requests it sees.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    resource::{Identity, Meta, same_fields},
    sandbox::sim::Simple,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::association;
use crate::{
    row::{Row, at_once, text},
    simulate::Upsert,
};

/// What sets it. See <https://docs.aws.amazon.com/waf/latest/APIReference/API_PutLoggingConfiguration.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// All of it: what stood there is replaced.
    pub logging_configuration: Configuration,
}

/// Where a web ACL logs. See <https://docs.aws.amazon.com/waf/latest/APIReference/API_LoggingConfiguration.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// ARN of the web ACL.
    pub resource_arn: String,
    /// ARN of a log group, stream or bucket, without `:*` at its end; WAF takes one. Its name begins with `aws-waf-logs-`.
    pub log_destination_configs: Vec<String>,
}

static META: Meta = Meta {
    name: "wafv2.logging_configuration",
    create: "put_logging_configuration",
    operations: ("PutLoggingConfiguration", "DeleteLoggingConfiguration"),
    doc: "Says where a web ACL logs.\n\nAnother place that stood there is put back by undo. See the \
          [WAF reference](https://docs.aws.amazon.com/waf/latest/APIReference/API_PutLoggingConfiguration.html).",
    identity: Identity::Repeat,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: true,
    shared: false,
};

/// The kind.
pub static KIND: Row<Upsert> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        let places = input::parse::<Input>(value)?.logging_configuration.log_destination_configs;
        let wrong = |why: &str| Err(InputError::new("logging_configuration.log_destination_configs", why));
        match &places[..] {
            [place] if place.ends_with(":*") => wrong("WAF takes the log group's ARN without `:*` at its end"),
            [place] if name(place).starts_with("aws-waf-logs-") => Ok(()),
            [_] => wrong("the name of the log group, stream or bucket must begin with aws-waf-logs-"),
            _ => wrong("WAF takes exactly one"),
        }
    },
    locator: &["logging_configuration.resource_arn"],
    along: &[],
    parents: &["logging_configuration.resource_arn", "logging_configuration.log_destination_configs"],
    judge: at_once,
    differences: same_fields,
    sim: &SIM,
};

/// The name at the end of an ARN.
fn name(arn: &str) -> &str {
    arn.rsplit([':', '/']).next().unwrap_or_default()
}

static SIM: Upsert = Upsert(Simple {
    id: |call| match call.text("resource_arn") {
        "" => text(call.input, "logging_configuration.resource_arn").to_owned(),
        arn => arn.to_owned(),
    },
    missing: "WAFNonexistentItemException",
    check: |world, call| {
        let arn = text(call.input, "logging_configuration.resource_arn");
        match association::acl(world, call, arn) {
            Some(_) => Ok(()),
            None => Err(CallError::refused("WAFNonexistentItemException", format!("there is no web ACL {arn}"))),
        }
    },
    describe: |_, call, _| json!({ "resource_arn": text(call.input, "logging_configuration.resource_arn") }),
    taggable: false,
    ..Simple::DEFAULT
});
