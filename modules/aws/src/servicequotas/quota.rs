//! `servicequotas.get_service_quota`: how much of something the account may have. No kind: nothing is raised.

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    sandbox::{sim::SimCall, world::World},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::known;
use crate::{row::text, simulate::body};

/// Which quota. See <https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// The service's code, e.g. `vpc`, `ec2`, `elasticloadbalancing`.
    pub service_code: String,
    /// The quota's code, e.g. `L-F678F1CE` for VPCs per region.
    pub quota_code: String,
}

/// `servicequotas.get_service_quota`.
pub static GET: Operation = Operation {
    name: "servicequotas.get_service_quota",
    operation: "GetServiceQuota",
    doc: "Reads the quota that applies to the account in the region: `value`, `quota_name`, `unit`, `adjustable`.\n\nWhere AWS has no value of \
          the account's own, its default is read. How much of it is in use does not stand in it. The sandbox knows the quotas that the \
          shipped runbooks ask for, with AWS's defaults, except for the processors of on-demand instances, of which an account has as many as \
          AWS came to give it: there the value is made up. Another value stands under `given:` in the rehearsal file \
          (`kind: servicequotas.quota`). See the \
          [Service Quotas reference](https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html).",
    class: Class::Read,
    schema: input::schema::<Get>,
    check: |value| {
        input::check::<Get>(value)?;
        ["service_code", "quota_code"].into_iter().try_for_each(|field| code(field, text(value, field)))
    },
    token: None,
    settle: None,
    sim: |world, call| get(world, call),
};

fn code(field: &str, value: &str) -> Result<(), InputError> {
    let allowed = value.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    if !allowed || !value.starts_with(|c: char| c.is_ascii_alphabetic()) || value.len() > 63 {
        return Err(InputError::new(field, format!("must be a code of letters, digits and -, not {value:?}")));
    }
    Ok(())
}

/// The kind of what a rehearsal file gives: its id is `SERVICE/CODE`.
const KIND: &str = "servicequotas.quota";

fn get(world: &World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let (service, code) = (call.text("service_code"), call.text("quota_code"));
    let id = format!("{service}/{code}");
    let known = known::quota(service, code);
    let given = [call.place.region.as_str(), ""].iter().find_map(|place| world.get(KIND, place, &id, call.now_ms));
    if let Some(error) = given.map(|given| body(given, "error")).filter(|error| !error.is_empty()) {
        return Err(CallError::refused(error, format!("{error} stands in the rehearsal file for the quota {id}")));
    }
    let value = given.and_then(|given| given.body.get("value")).filter(|value| value.is_number());
    let value = value.cloned().or(known.map(|(_, value)| value.into()));
    let missing = || CallError::not_found("NoSuchResourceException", format!("The quota {id} does not exist"));
    let value = value.ok_or_else(missing)?;
    Ok(json!({
        "id": id, "service_code": service, "quota_code": code, "quota_name": known.map_or(code, |(name, _)| name),
        "value": value, "unit": "None", "adjustable": true,
    }))
}
