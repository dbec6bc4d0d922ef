//! CloudWatch's alarms on metrics.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, holds, is, list, text},
    lab::Lab,
};

fn alarm(lab: &Lab, threshold: i64) -> Value {
    json!({
        "alarm_name": lab.name("old"), "namespace": "AWS/SQS", "metric_name": "ApproximateAgeOfOldestMessage",
        "dimensions": [{ "name": "QueueName", "value": "jobs" }], "statistic": "Maximum", "period": 60,
        "evaluation_periods": 3, "datapoints_to_alarm": 2, "threshold": threshold,
        "comparison_operator": "GreaterThanThreshold", "treat_missing_data": "notBreaching",
    })
}

fn at(lab: &Lab) -> Value {
    json!({ "alarm_name": lab.name("old") })
}

pub const CASES: &[Case] = &[
    Case {
        name: "an alarm is described as it was made",
        aws: "an ARN with its name, its actions enabled, the state `INSUFFICIENT_DATA`, the tags",
        page: "cloudwatch/PutMetricAlarm",
        run: |lab| {
            let made = lab.make("cloudwatch.put_metric_alarm", alarm(lab, 600))?;
            holds(text(&made, "arn").ends_with(&format!(":alarm:{}", lab.name("old"))), "another ARN")?;
            is(&made, "actions_enabled", true)?;
            is(&made, "datapoints_to_alarm", 2)?;
            lab.tagged(&made)?;
            is(&made, "state_value", "INSUFFICIENT_DATA")
        },
    },
    Case {
        name: "an alarm of a name that is taken",
        aws: "overwrites the first one whole, which keeps its tags",
        page: "cloudwatch/PutMetricAlarm",
        run: |lab| {
            lab.make("cloudwatch.put_metric_alarm", alarm(lab, 600))?;
            let mut other = alarm(lab, 60);
            if let Value::Object(fields) = &mut other {
                fields.remove("treat_missing_data");
                fields.remove("datapoints_to_alarm");
            }
            lab.make("cloudwatch.put_metric_alarm", other)?;
            let now = lab.standing("cloudwatch.metric_alarm", at(lab))?;
            is(&now, "threshold", 60.0)?;
            holds(now.get("datapoints_to_alarm").is_none(), "`datapoints_to_alarm` stays")?;
            lab.tagged(&now)
        },
    },
    Case {
        name: "alarms by the beginning of their names, and by names that none bears",
        aws: "those that begin so; none",
        page: "cloudwatch/DescribeAlarms",
        run: |lab| {
            lab.make("cloudwatch.put_metric_alarm", alarm(lab, 600))?;
            let found = lab.call("cloudwatch.describe_alarms", json!({ "alarm_name_prefix": lab.name("old") })).ok()?;
            let named = |alarm| text(alarm, "alarm_name").starts_with(&lab.name("old"));
            let alarms = list(&found, "metric_alarms");
            holds(!alarms.is_empty() && alarms.iter().all(named), "other alarms")?;
            let none = lab.call("cloudwatch.describe_alarms", json!({ "alarm_names": [lab.name("none")] })).ok()?;
            holds(list(&none, "metric_alarms").is_empty(), "other alarms")
        },
    },
    Case {
        name: "an alarm is deleted",
        aws: "it is gone",
        page: "cloudwatch/DeleteAlarms",
        run: |lab| {
            lab.make("cloudwatch.put_metric_alarm", alarm(lab, 600))?;
            lab.delete("cloudwatch.metric_alarm", at(lab)).ok()?;
            lab.gone("cloudwatch.metric_alarm", at(lab))
        },
    },
];
