//! `ssm.get_parameter`: a parameter with its value. No kind: nothing is written.

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    sandbox::{
        sim::SimCall,
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::public;
use crate::{
    row::text,
    simulate::{body, digits},
};

/// Which parameter. See <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// Its name or ARN, e.g. `/prod/db/password`; `NAME:VERSION` asks for a version.
    pub name: String,
    /// Whether the value of a SecureString comes in clear; else it comes encrypted.
    pub with_decryption: Option<bool>,
}

/// `ssm.get_parameter`.
pub static GET: Operation = Operation {
    name: "ssm.get_parameter",
    operation: "GetParameter",
    doc: "Reads a parameter: `name`, `type`, `value`, `version`, `arn`.\n\nThe value of a `SecureString` is a secret: it is sealed, and the \
          script holds a placeholder. AWS's public parameters are read in the same way, e.g. the newest image of EKS at \
          `/aws/service/eks/optimized-ami/1.35/amazon-linux-2023/x86_64/standard/recommended/image_id`. The sandbox knows those of EKS, \
          Bottlerocket and Amazon Linux 2023; others stand under `given:` in the rehearsal file (`kind: ssm.parameter`). See the \
          [Systems Manager reference](https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html).",
    class: Class::Read,
    schema: input::schema::<Get>,
    check: |value| {
        input::check::<Get>(value)?;
        let name = text(value, "name");
        let allowed = name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-/:".contains(c));
        if name.is_empty() || name.len() > 2048 || !allowed {
            return Err(InputError::new("name", format!("must be 1 to 2048 letters, digits and _.-/:, not {name:?}")));
        }
        Ok(())
    },
    token: None,
    settle: None,
    sim: |world, call| get(world, call),
};

/// The kind of what a rehearsal file gives.
const KIND: &str = "ssm.parameter";

fn get(world: &World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let Asked { name, version, place } = Asked::of(call.text("name"));
    let missing = || CallError::not_found("ParameterNotFound", format!("Parameter {name} not found."));
    let region = call.place.region.as_str();
    let account = match place {
        Some((elsewhere, _)) if elsewhere != region => return Err(missing()),
        Some((_, account)) if !["", call.account].contains(&account) => {
            let text =
                format!("not authorized to perform ssm:GetParameter on {}: no policy allows it", call.text("name"));
            return Err(CallError::refused("AccessDeniedException", text));
        }
        place => place.map(|(_, account)| account),
    };
    let given = [region, ""].iter().find_map(|place| world.get(KIND, place, name, call.now_ms));
    let found = match given.filter(|_| account != Some("")) {
        Some(given) => described(call, name, given),
        None => {
            let value = public::value(name, region).filter(|_| account.is_none_or(str::is_empty));
            of_aws(name, &value.ok_or_else(missing)?, region)
        }
    };
    let stands = found["version"].to_string();
    match version {
        Some(version) if version != stands => {
            let text = format!("Systems Manager could not find version {version} of {name}.");
            Err(CallError::not_found("ParameterVersionNotFound", text))
        }
        _ => Ok(found),
    }
}

/// What is asked for, by a name or by an ARN.
struct Asked<'a> {
    name: &'a str,
    version: Option<&'a str>,
    /// Region and account of an ARN; AWS's public parameters have no account.
    place: Option<(&'a str, &'a str)>,
}

impl<'a> Asked<'a> {
    /// A parameter with a path keeps its first slash in the ARN.
    fn of(asked: &'a str) -> Self {
        let parts: Vec<&str> = asked.splitn(6, ':').collect();
        let (name, place) = match parts[..] {
            ["arn", _, "ssm", region, account, resource] => {
                let path = resource.strip_prefix("parameter").unwrap_or(resource);
                let plain = path.matches('/').count() == 1;
                (if plain { path.trim_start_matches('/') } else { path }, Some((region, account)))
            }
            _ => (asked, None),
        };
        match name.split_once(':') {
            Some((name, version)) => Self { name, version: Some(version), place },
            None => Self { name, version: None, place },
        }
    }
}

fn of_aws(name: &str, value: &str, region: &str) -> Value {
    json!({
        "name": name, "type": "String", "value": value, "version": 1, "data_type": "text",
        "arn": format!("arn:aws:ssm:{region}::parameter{name}"),
    })
}

/// A parameter of the customer's, as the rehearsal file has it.
fn described(call: &SimCall<'_>, name: &str, given: &Object) -> Value {
    let kind = if body(given, "type").is_empty() { "String" } else { body(given, "type") };
    let clear = kind != "SecureString" || call.input["with_decryption"] == true;
    let value = if clear { body(given, "value").to_owned() } else { format!("AQICAHh{}", digits(name, 64)) };
    let slash = if name.starts_with('/') { "" } else { "/" };
    json!({
        "name": name, "type": kind, "value": value, "data_type": "text",
        "version": given.body.get("version").and_then(Value::as_i64).unwrap_or(1),
        "arn": format!("arn:aws:ssm:{}:{}:parameter{slash}{name}", call.place.region, call.account),
    })
}
