//! `cloudwatch.describe_alarms`.

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

use super::{
    metric_alarm::META,
    simulate::{COMPOSITE, SIM},
};
use crate::row::untagged;

/// Which alarms. See <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these; a name that no alarm bears is left out, and without any name nothing is asked.
    pub alarm_names: Option<Vec<String>>,
    /// Only those whose name begins so; not together with `alarm_names`.
    pub alarm_name_prefix: Option<String>,
    /// Only those in this state: `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state_value: Option<String>,
    /// `MetricAlarm`, `CompositeAlarm` or both; `MetricAlarm` when left out. All alarms share one namespace.
    pub alarm_types: Option<Vec<String>>,
}

impl Describe {
    /// Whether alarms of a type are asked for. An empty list of names names none.
    pub(super) fn wants(&self, kind: &str) -> bool {
        self.alarm_names.as_ref().is_none_or(|names| !names.is_empty())
            && self.alarm_types.as_ref().map_or(kind == METRIC, |kinds| kinds.iter().any(|one| one == kind))
    }
}

/// An alarm on a metric.
pub(super) const METRIC: &str = "MetricAlarm";
/// An alarm on other alarms.
pub(super) const OF_ALARMS: &str = "CompositeAlarm";

/// The states of an alarm.
const STATES: [&str; 3] = ["OK", "ALARM", "INSUFFICIENT_DATA"];

/// `cloudwatch.describe_alarms`.
pub static DESCRIBE: Operation = Operation {
    name: "cloudwatch.describe_alarms",
    operation: "DescribeAlarms",
    doc: "Lists alarms, as `#{metric_alarms: [...], composite_alarms: [...]}`: maps with `alarm_name`, `state_value` and what they were made \
          of, without tags. Alarms on other alarms are listed when `alarm_types` names them; on the sandbox they stand under `given:` in the \
          rehearsal file (`kind: cloudwatch.composite_alarm`).\n\nSee the \
          [CloudWatch reference](https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html).",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: |value| {
        let asked: Describe = input::parse(value)?;
        if asked.alarm_names.is_some() && asked.alarm_name_prefix.is_some() {
            return Err(InputError::new("alarm_name_prefix", "cannot be given together with alarm_names"));
        }
        let kinds = asked.alarm_types.iter().flatten();
        if let Some(other) = kinds.into_iter().find(|kind| ![METRIC, OF_ALARMS].contains(&kind.as_str())) {
            return Err(InputError::new("alarm_types", format!("must name {METRIC} or {OF_ALARMS}, not {other:?}")));
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
    let asked: Describe = input::parse(call.input).map_err(|e| CallError::refused("InvalidInput", e.to_string()))?;
    let fits = |alarm: &&Object| {
        asked.alarm_names.as_ref().is_none_or(|names| names.contains(&alarm.id))
            && alarm.id.starts_with(call.text("alarm_name_prefix"))
            && asked.state_value.as_ref().is_none_or(|state| alarm.state(call.now_ms) == state)
    };
    let plain = |alarm: &Object| untagged(SIM.0.description(alarm, call.now_ms));
    let listed = |word: &str, kind: &str, places: &[&str]| -> Value {
        let all = places.iter().flat_map(|place| world.list(kind, place, call.now_ms));
        all.filter(|_| asked.wants(word)).filter(fits).map(plain).collect()
    };
    let region = call.place.region.as_str();
    Ok(json!({
        "metric_alarms": listed(METRIC, META.name, &[region]),
        "composite_alarms": listed(OF_ALARMS, COMPOSITE, &[region, ""]),
    }))
}
