//! `cloudwatch.metric_alarm`: an alarm on one metric.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input,
    resource::{Identity, Meta},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{check, simulate::Alarms};
use crate::row::{Difference, Row, once_told, unordered};

/// What makes an alarm. See <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in account and region.
    pub alarm_name: String,
    /// What it is for, and what to do about it.
    pub alarm_description: Option<String>,
    /// The metric's namespace, e.g. `AWS/SQS`.
    pub namespace: String,
    /// The metric's name, e.g. `ApproximateAgeOfOldestMessage`.
    pub metric_name: String,
    /// Which of the metric's series: `[#{ name: "QueueName", value: "jobs" }]`. All of them must be named, or another metric is watched.
    pub dimensions: Option<Vec<Dimension>>,
    /// `SampleCount`, `Average`, `Sum`, `Minimum` or `Maximum`; or else `extended_statistic`.
    pub statistic: Option<String>,
    /// A percentile or trimmed statistic, e.g. `p99`, `tm90`, `IQM`, `TM(10%:90%)`.
    pub extended_statistic: Option<String>,
    /// Seconds over which a value of the metric is taken: 10, 20, 30 or a multiple of 60.
    pub period: i32,
    /// Over how many periods the metric is compared with the threshold.
    pub evaluation_periods: i32,
    /// How many of these must breach it; all when left out.
    pub datapoints_to_alarm: Option<i32>,
    /// With what it is compared.
    pub threshold: f64,
    /// `GreaterThanOrEqualToThreshold`, `GreaterThanThreshold`, `LessThanThreshold` or `LessThanOrEqualToThreshold`.
    pub comparison_operator: String,
    /// What a missing value counts as: `breaching`, `notBreaching`, `ignore` or `missing`; `missing` when left out.
    pub treat_missing_data: Option<String>,
    /// The metric's unit, e.g. `Seconds`. Best left out: with a unit that the metric is not published in, the alarm never has data.
    pub unit: Option<String>,
    /// Whether a change of state does anything; true when left out.
    pub actions_enabled: Option<bool>,
    /// ARNs of what is told or done when it goes to ALARM; five at most.
    pub alarm_actions: Option<Vec<String>>,
    /// The same, when it goes to OK.
    pub ok_actions: Option<Vec<String>>,
    /// The same, when it goes to INSUFFICIENT_DATA.
    pub insufficient_data_actions: Option<Vec<String>>,
}

/// A part of a metric's identity.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

pub(super) static META: Meta = Meta {
    name: "cloudwatch.metric_alarm",
    create: "put_metric_alarm",
    operations: ("PutMetricAlarm", "DeleteAlarms"),
    doc: "Makes an alarm on a metric, or changes the one of that name.\n\nIt is there at once, in the state INSUFFICIENT_DATA until it has seen \
          a period. An alarm that stood under the name is put back by undo; it keeps its own tags, since CloudWatch gives an alarm tags only \
          when it makes it. One made of metric math, of a query or of an anomaly model is not replaced: it could not be put back. See the \
          [CloudWatch reference](https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html).",
    identity: Identity::Repeat,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: Some("alarm"),
    replaces: true,
    shared: false,
};

/// The kind.
pub static KIND: Row<Alarms> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: check::input,
    locator: &["alarm_name"],
    along: &[],
    parents: &["alarm_actions", "ok_actions", "insufficient_data_actions"],
    judge: |described| once_told(described, "arn"),
    differences,
    sim: &Alarms,
};

/// Another alarm stands under the name, out of whose description it could not be put back.
pub(super) fn not_replaced(name: &str, of: &str) -> CallError {
    let text = format!("an alarm named {name} stands, with {of}: undo could not put it back");
    CallError::refused("AlarmNotReplaced", text).hint("give yours another name")
}

/// A threshold is a number, whole or not, and the order of dimensions says nothing.
fn differences(input: &Value, described: &Value) -> Vec<Difference> {
    unordered(&normal(input), &normal(described))
}

fn normal(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(threshold) = value.get("threshold").and_then(Value::as_f64) {
        value["threshold"] = json!(threshold);
    }
    if let Some(Value::Array(dimensions)) = value.get_mut("dimensions") {
        dimensions.sort_by_key(Value::to_string);
    }
    value
}
