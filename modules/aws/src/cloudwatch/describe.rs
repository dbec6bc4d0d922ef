//! `cloudwatch.describe_alarms`.

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    sandbox::{sim::SimCall, world::World},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{metric_alarm::META, simulate::SIM};

/// Which alarms. See <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these; a name that no alarm bears is left out.
    pub alarm_names: Option<Vec<String>>,
    /// Only those whose name begins so; not together with `alarm_names`.
    pub alarm_name_prefix: Option<String>,
    /// Only those in this state: `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state_value: Option<String>,
}

/// The states of an alarm.
const STATES: [&str; 3] = ["OK", "ALARM", "INSUFFICIENT_DATA"];

/// `cloudwatch.describe_alarms`.
pub static DESCRIBE: Operation = Operation {
    name: "cloudwatch.describe_alarms",
    operation: "DescribeAlarms",
    doc: "Lists the alarms on metrics, as `#{metric_alarms: [...]}`: maps with `alarm_name`, `state_value` and what they were made of, without \
          tags.\n\nSee the \
          [CloudWatch reference](https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html).",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: |value| {
        let asked: Describe = input::parse(value)?;
        if asked.alarm_names.is_some() && asked.alarm_name_prefix.is_some() {
            return Err(InputError::new("alarm_name_prefix", "cannot be given together with alarm_names"));
        }
        match asked.state_value {
            Some(state) if !STATES.contains(&state.as_str()) => {
                Err(InputError::new("state_value", format!("must be one of {}, not {state:?}", STATES.join(", "))))
            }
            _ => Ok(()),
        }
    },
    token: None,
    settle: None,
    sim: |world, call| describe(world, call),
};

fn describe(world: &World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let names = call.input.get("alarm_names").and_then(Value::as_array).filter(|names| !names.is_empty());
    let (prefix, state) = (call.text("alarm_name_prefix"), call.text("state_value"));
    let alarms = world.list(META.name, &call.place.region, call.now_ms).filter(|alarm| {
        names.is_none_or(|names| names.contains(&json!(alarm.id)))
            && alarm.id.starts_with(prefix)
            && (state.is_empty() || alarm.state(call.now_ms) == state)
    });
    let plain = alarms.map(|alarm| {
        let mut described = SIM.0.description(alarm, call.now_ms);
        if let Value::Object(fields) = &mut described {
            fields.remove("tags");
        }
        described
    });
    Ok(json!({ "metric_alarms": plain.collect::<Value>() }))
}
