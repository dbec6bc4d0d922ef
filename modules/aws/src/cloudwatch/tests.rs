//! What the sandbox's CloudWatch answers, and what is refused before it is asked.

use runbook_modules::resource::Kind;
use serde_json::{Value, json};

use super::metric_alarm::KIND;
use crate::testing::{Lab, code};

fn alarm(threshold: impl Into<Value>) -> Value {
    json!({
        "alarm_name": "old", "namespace": "AWS/SQS", "metric_name": "ApproximateAgeOfOldestMessage",
        "dimensions": [{ "name": "QueueName", "value": "jobs" }], "statistic": "Maximum", "period": 300,
        "evaluation_periods": 3, "threshold": threshold.into(), "comparison_operator": "GreaterThanThreshold",
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut input = alarm(600);
    input[field] = value;
    input
}

fn at() -> Value {
    json!({ "alarm_name": "old" })
}

#[test]
fn an_alarm_has_no_data_until_a_period_has_passed() {
    let lab = Lab::new();
    let made = lab.make("cloudwatch.put_metric_alarm", alarm(600));
    assert_eq!(made["arn"], "arn:aws:cloudwatch:us-east-1:123456789012:alarm:old");
    assert_eq!((&made["state_value"], &made["threshold"]), (&json!("INSUFFICIENT_DATA"), &json!(600.0)));
    assert_eq!(made["actions_enabled"], true);
    lab.pass(301);
    assert_eq!(lab.read("cloudwatch.metric_alarm", at()).unwrap()["state_value"], "OK");
    lab.delete("cloudwatch.metric_alarm", at()).unwrap();
    assert_eq!(lab.read("cloudwatch.metric_alarm", at()), None);
    assert_eq!(code(lab.delete("cloudwatch.metric_alarm", at())), "ResourceNotFound");
}

#[test]
fn what_stood_there_keeps_its_state_and_tags_and_is_put_back() {
    let lab = Lab::new();
    let before = lab.make("cloudwatch.put_metric_alarm", alarm(600));
    lab.pass(301);
    let made = lab.make("cloudwatch.put_metric_alarm", alarm(60));
    assert_eq!((&made["state_value"], &made["tags"]), (&json!("OK"), &before["tags"]));
    assert_eq!(lab.drift("cloudwatch.metric_alarm", &alarm(600), &made), ["threshold"]);
    lab.put_back("cloudwatch.metric_alarm", at(), Some(&before)).unwrap();
    let now = lab.read("cloudwatch.metric_alarm", at()).unwrap();
    assert_eq!((&now["threshold"], &now["state_value"]), (&json!(600.0), &json!("OK")));
}

#[test]
fn alarms_are_listed_by_name_and_state() {
    let lab = Lab::new();
    lab.make("cloudwatch.put_metric_alarm", alarm(600));
    lab.pass(301);
    lab.make("cloudwatch.put_metric_alarm", with("alarm_name", "young".into()));
    let names = |input: Value| {
        let found = lab.call("cloudwatch.describe_alarms", input).unwrap();
        let alarms = found["metric_alarms"].as_array().unwrap().clone();
        assert!(alarms.iter().all(|alarm| alarm.get("tags").is_none()), "{found}");
        alarms.iter().map(|alarm| alarm["alarm_name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(json!({})), ["old", "young"]);
    assert_eq!(names(json!({ "alarm_names": ["young", "none"] })), ["young"]);
    assert_eq!(names(json!({ "alarm_name_prefix": "o" })), ["old"]);
    assert_eq!(names(json!({ "state_value": "INSUFFICIENT_DATA" })), ["young"]);
    assert_eq!(names(json!({ "alarm_names": [] })), [""; 0], "no name is not every name");
    let both = json!({ "alarm_names": ["old"], "alarm_name_prefix": "o" });
    assert_eq!(lab.check("cloudwatch.describe_alarms", both).unwrap_err().path, "alarm_name_prefix");
    let state = lab.check("cloudwatch.describe_alarms", json!({ "state_value": "FINE" })).unwrap_err();
    assert_eq!(state.path, "state_value");
}

#[test]
fn an_alarm_on_alarms_bears_its_name_alone() {
    let lab = Lab::new();
    let rule = json!({ "alarm_name": "old", "alarm_rule": "ALARM(a) OR ALARM(b)" });
    lab.put_object("cloudwatch.composite_alarm", "us-east-1", "old", rule);
    let error = lab.call("cloudwatch.put_metric_alarm", alarm(600)).unwrap_err();
    assert_eq!(error.code, "AlarmNotReplaced");
    assert!(error.message.contains("a rule over other alarms"), "{error}");
    lab.make("cloudwatch.put_metric_alarm", with("alarm_name", "new".into()));
    let count = |input: Value| {
        let found = lab.call("cloudwatch.describe_alarms", input).unwrap();
        ["metric_alarms", "composite_alarms"].map(|list| found[list].as_array().map_or(0, Vec::len))
    };
    assert_eq!(count(json!({})), [1, 0]);
    assert_eq!(count(json!({ "alarm_types": ["MetricAlarm", "CompositeAlarm"] })), [1, 1]);
    assert_eq!(count(json!({ "alarm_types": ["CompositeAlarm"], "alarm_names": ["old", "new"] })), [0, 1]);
    let wrong = lab.check("cloudwatch.describe_alarms", json!({ "alarm_types": ["LogAlarm"] })).unwrap_err();
    assert_eq!(wrong.path, "alarm_types");
}

#[test]
fn a_whole_number_and_the_order_of_dimensions_are_no_drift() {
    let two = |one: &str, other: &str| json!([{ "name": one, "value": "x" }, { "name": other, "value": "x" }]);
    let (mut asked, mut found) = (with("dimensions", two("a", "b")), with("dimensions", two("b", "a")));
    asked["threshold"] = json!(5);
    found["threshold"] = json!(5.0);
    assert_eq!(KIND.differences(&asked, &found), []);
    found["threshold"] = json!(5.5);
    assert_eq!(KIND.differences(&asked, &found)[0].0, "threshold");
}

#[test]
fn wrong_words_and_periods_are_told_before_anything_is_sent() {
    let long = "x".repeat(256);
    for (field, value, path, says) in [
        ("alarm_name", json!(""), "alarm_name", "empty"),
        ("alarm_name", json!(long), "alarm_name", "256 characters"),
        ("namespace", json!(":x"), "namespace", "colon"),
        ("statistic", json!("Mean"), "statistic", "SampleCount, Average"),
        ("statistic", Value::Null, "statistic", "give statistic or extended_statistic"),
        ("extended_statistic", json!("p99"), "extended_statistic", "together"),
        ("comparison_operator", json!("GreaterThanUpperThreshold"), "comparison_operator", "LessThanThreshold"),
        ("treat_missing_data", json!("notbreaching"), "treat_missing_data", "notBreaching"),
        ("unit", json!("seconds"), "unit", "Seconds"),
        ("period", json!(45), "period", "multiple of 60"),
        ("period", json!(0), "period", "multiple of 60"),
        ("evaluation_periods", json!(0), "evaluation_periods", "at least 1"),
        ("evaluation_periods", json!(289), "evaluation_periods", "a day"),
        ("datapoints_to_alarm", json!(4), "datapoints_to_alarm", "between 1 and the 3"),
        ("alarm_actions", json!(["ops"]), "alarm_actions.0", "ARN"),
        ("ok_actions", json!(["arn:a", "arn:b", "arn:c", "arn:d", "arn:e", "arn:f"]), "ok_actions", "5 at most"),
        (
            "dimensions",
            json!([{ "name": "q", "value": "a" }, { "name": "q", "value": "b" }]),
            "dimensions.1.name",
            "twice",
        ),
    ] {
        let error = KIND.check(&with(field, value.clone())).unwrap_err();
        assert_eq!(error.path, path, "{field}: {value}");
        assert!(error.message.contains(says), "{field}: {value}: {}", error.message);
    }
    let mut weeks = with("period", json!(3600));
    for (count, fits) in [(168, true), (169, false)] {
        weeks["evaluation_periods"] = json!(count);
        assert_eq!(KIND.check(&weeks).is_ok(), fits, "{count} hours");
    }
    for fits in [10, 20, 30, 60, 86400] {
        let mut input = with("period", json!(fits));
        input["evaluation_periods"] = json!(1);
        KIND.check(&input).unwrap_or_else(|e| panic!("{fits}: {e}"));
    }
}

#[test]
fn extended_statistics_are_percentiles_and_trimmed_ones() {
    let extended = |text: &str| {
        let mut input = with("extended_statistic", json!(text));
        input.as_object_mut().unwrap().remove("statistic");
        KIND.check(&input)
    };
    for fits in ["p99", "p99.9", "tm90", "tc5", "ts0", "wm100", "IQM", "PR(0:100)", "TM(10%:90%)", "TS(:80%)"] {
        extended(fits).unwrap_or_else(|e| panic!("{fits}: {e}"));
    }
    for wrong in ["", "p", "p101", "99", "x90", "pnan", "iqm", "PR(0)", "PR(:)", "XX(1:2)", "TM(a:b)"] {
        assert_eq!(extended(wrong).unwrap_err().path, "extended_statistic", "{wrong}");
    }
}
