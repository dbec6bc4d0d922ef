//! What an alarm may be made of, told before anything is sent.

use runbook_modules::input::{self, InputError};
use serde_json::Value;

use super::metric_alarm::Input;

const STATISTICS: &[&str] = &["SampleCount", "Average", "Sum", "Minimum", "Maximum"];

/// Those for a threshold. The three for bands need an anomaly model.
const OPERATORS: &[&str] =
    &["GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"];

const MISSING: &[&str] = &["breaching", "notBreaching", "ignore", "missing"];

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html>
const UNITS: &[&str] = &[
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

fn wrong(field: &str, why: String) -> Result<(), InputError> {
    Err(InputError::new(field, why))
}

/// Checks an input.
pub(super) fn input(value: &Value) -> Result<(), InputError> {
    let alarm: Input = input::parse(value)?;
    length("alarm_name", &alarm.alarm_name, 255)?;
    length("namespace", &alarm.namespace, 255)?;
    length("metric_name", &alarm.metric_name, 255)?;
    if alarm.namespace.starts_with(':') {
        return wrong("namespace", "must not begin with a colon".to_owned());
    }
    statistic(&alarm)?;
    one_of("comparison_operator", Some(&alarm.comparison_operator), OPERATORS)?;
    one_of("treat_missing_data", alarm.treat_missing_data.as_deref(), MISSING)?;
    one_of("unit", alarm.unit.as_deref(), UNITS)?;
    periods(&alarm)?;
    let dimensions = alarm.dimensions.as_deref().unwrap_or_default();
    if dimensions.len() > 30 {
        return wrong("dimensions", format!("{} given; a metric has 30 at most", dimensions.len()));
    }
    for (n, dimension) in dimensions.iter().enumerate() {
        length(&format!("dimensions.{n}.name"), &dimension.name, 255)?;
        length(&format!("dimensions.{n}.value"), &dimension.value, 1024)?;
        if dimensions[..n].iter().any(|before| before.name == dimension.name) {
            return wrong(&format!("dimensions.{n}.name"), format!("{} is given twice", dimension.name));
        }
    }
    actions("alarm_actions", alarm.alarm_actions.as_deref())?;
    actions("ok_actions", alarm.ok_actions.as_deref())?;
    actions("insufficient_data_actions", alarm.insufficient_data_actions.as_deref())
}

fn length(field: &str, text: &str, most: usize) -> Result<(), InputError> {
    match text.chars().count() {
        0 => wrong(field, "must not be empty".to_owned()),
        count if count > most => wrong(field, format!("has {count} characters, {most} at most")),
        _ if text.chars().any(|c| c.is_ascii_control()) => wrong(field, "must not hold control characters".to_owned()),
        _ => Ok(()),
    }
}

fn one_of(field: &str, given: Option<&str>, known: &[&str]) -> Result<(), InputError> {
    match given {
        Some(word) if !known.contains(&word) => {
            wrong(field, format!("must be one of {}, not {word:?}", known.join(", ")))
        }
        _ => Ok(()),
    }
}

fn statistic(alarm: &Input) -> Result<(), InputError> {
    match (alarm.statistic.as_deref(), alarm.extended_statistic.as_deref()) {
        (Some(_), None) => one_of("statistic", alarm.statistic.as_deref(), STATISTICS),
        (None, Some(extended)) if is_extended(extended) => Ok(()),
        (None, Some(extended)) => wrong(
            "extended_statistic",
            format!("must be like p99, tm90, tc90, ts90, wm90, IQM, PR(0:100) or TM(10%:90%), not {extended:?}"),
        ),
        (None, None) => wrong("statistic", "give statistic or extended_statistic".to_owned()),
        (Some(_), Some(_)) => wrong("extended_statistic", "cannot be given together with statistic".to_owned()),
    }
}

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html>
fn is_extended(text: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    let percent = |text: &str| number(text).is_some_and(|number| (0.0..=100.0).contains(&number));
    if text == "IQM" {
        return true;
    }
    if let Some((name, bounds)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let Some((low, high)) = bounds.split_once(':') else { return false };
        let fits = |bound: &str| bound.is_empty() || number(bound.strip_suffix('%').unwrap_or(bound)).is_some();
        return ["PR", "TM", "TC", "TS", "WM"].contains(&name) && fits(low) && fits(high) && low.len() + high.len() > 0;
    }
    ["p", "tm", "tc", "ts", "wm"].into_iter().any(|name| text.strip_prefix(name).is_some_and(percent))
}

fn periods(alarm: &Input) -> Result<(), InputError> {
    let (period, count) = (i64::from(alarm.period), i64::from(alarm.evaluation_periods));
    if !matches!(period, 10 | 20 | 30) && (period < 60 || period % 60 != 0) {
        return wrong("period", format!("must be 10, 20, 30 or a multiple of 60 seconds, not {period}"));
    }
    if count < 1 {
        return wrong("evaluation_periods", format!("must be at least 1, not {count}"));
    }
    let (most, long) =
        if period < HOUR { (DAY, "a day, with a period below an hour") } else { (7 * DAY, "seven days") };
    if period * count > most {
        return wrong("evaluation_periods", format!("{count} periods of {period} seconds are longer than {long}"));
    }
    match alarm.datapoints_to_alarm {
        Some(points) if !(1..=alarm.evaluation_periods).contains(&points) => {
            wrong("datapoints_to_alarm", format!("must be between 1 and the {count} evaluation_periods, not {points}"))
        }
        _ => Ok(()),
    }
}

fn actions(field: &str, given: Option<&[String]>) -> Result<(), InputError> {
    let given = given.unwrap_or_default();
    if given.len() > 5 {
        return wrong(field, format!("{} given; a state has 5 at most", given.len()));
    }
    match given.iter().position(|action| !action.starts_with("arn:")) {
        Some(n) => wrong(&format!("{field}.{n}"), format!("must be an ARN, not {:?}", given[n])),
        None => Ok(()),
    }
}
