//! PutMetricAlarm, DescribeAlarms, ListTagsForResource, DeleteAlarms.

use aws_sdk_cloudwatch::types::{
    self, AlarmType, ComparisonOperator, Dimension, StandardUnit, StateValue, Statistic, Tag,
};
use runbook_modules::error::{CallError, Class};
use serde_json::{Value, json};

use crate::{
    cloudwatch::{
        describe::{Describe, METRIC, OF_ALARMS},
        metric_alarm::{Input, not_replaced},
    },
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, field, texts},
    },
};

#[cfg(test)]
mod tests;

pub(in crate::cloudwatch) struct MetricAlarm;
pub(in crate::cloudwatch) struct DescribeAlarms;

fn described(alarm: &types::MetricAlarm) -> Described {
    let dimension = |dimension: &Dimension| json!({ "name": dimension.name(), "value": dimension.value() });
    Described::new()
        .text("id", alarm.alarm_name())
        .text("name", alarm.alarm_name())
        .text("alarm_name", alarm.alarm_name())
        .text("arn", alarm.alarm_arn())
        .text("alarm_description", alarm.alarm_description())
        .text("state_value", alarm.state_value().map(StateValue::as_str))
        .text("namespace", alarm.namespace())
        .text("metric_name", alarm.metric_name())
        .text("statistic", alarm.statistic().map(Statistic::as_str))
        .text("extended_statistic", alarm.extended_statistic())
        .value("period", alarm.period())
        .value("evaluation_periods", alarm.evaluation_periods())
        .value("datapoints_to_alarm", alarm.datapoints_to_alarm())
        .value("threshold", alarm.threshold())
        .text("comparison_operator", alarm.comparison_operator().map(ComparisonOperator::as_str))
        .text("treat_missing_data", alarm.treat_missing_data())
        .text("unit", alarm.unit().map(StandardUnit::as_str))
        .value("actions_enabled", alarm.actions_enabled())
        .value("alarm_actions", Some(texts(alarm.alarm_actions())))
        .value("ok_actions", Some(texts(alarm.ok_actions())))
        .value("insufficient_data_actions", Some(texts(alarm.insufficient_data_actions())))
        .list("dimensions", alarm.dimensions(), dimension)
}

/// What an alarm has beside our fields, out of which it could not be put back.
fn beyond(alarm: &types::MetricAlarm) -> Option<&'static str> {
    let others = [
        (!alarm.metrics().is_empty(), "metric math or an anomaly model"),
        (alarm.evaluation_criteria().is_some(), "a query"),
        (alarm.evaluation_window().is_some(), "an evaluation window"),
        (alarm.warm_up_configuration().is_some(), "a time to warm up"),
        (alarm.action_configuration().is_some(), "a configuration of its actions"),
        (alarm.evaluate_low_sample_count_percentile().is_some(), "a rule for few samples"),
    ];
    others.into_iter().find(|(has, _)| *has).map(|(_, what)| what)
}

/// An alarm on other alarms.
fn of_alarms(alarm: &types::CompositeAlarm) -> Value {
    Described::new()
        .text("id", alarm.alarm_name())
        .text("name", alarm.alarm_name())
        .text("alarm_name", alarm.alarm_name())
        .text("arn", alarm.alarm_arn())
        .text("alarm_description", alarm.alarm_description())
        .text("state_value", alarm.state_value().map(StateValue::as_str))
        .text("alarm_rule", alarm.alarm_rule())
        .value("actions_enabled", alarm.actions_enabled())
        .value("alarm_actions", Some(texts(alarm.alarm_actions())))
        .value("ok_actions", Some(texts(alarm.ok_actions())))
        .value("insufficient_data_actions", Some(texts(alarm.insufficient_data_actions())))
        .done()
}

/// Alarms, by what they watch.
#[derive(Default)]
struct Alarms {
    metric: Vec<types::MetricAlarm>,
    composite: Vec<types::CompositeAlarm>,
}

/// CloudWatch takes an empty list of names or types for none at all, and lists every alarm: it is not asked then.
async fn list(clients: &Clients, asked: Describe) -> Result<Alarms, CallError> {
    let mut found = Alarms::default();
    let kinds: Vec<AlarmType> =
        [METRIC, OF_ALARMS].into_iter().filter(|kind| asked.wants(kind)).map(AlarmType::from).collect();
    if kinds.is_empty() {
        return Ok(found);
    }
    let request = clients
        .cloudwatch
        .describe_alarms()
        .set_alarm_types(Some(kinds))
        .set_alarm_names(asked.alarm_names)
        .set_alarm_name_prefix(asked.alarm_name_prefix)
        .set_state_value(asked.state_value.as_deref().map(StateValue::from));
    let mut pages = request.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(classify)?;
        found.metric.extend(page.metric_alarms.unwrap_or_default());
        found.composite.extend(page.composite_alarms.unwrap_or_default());
    }
    Ok(found)
}

/// The alarms of a name. There is one at most, of any type.
async fn named(clients: &Clients, name: &str) -> Result<Alarms, CallError> {
    let kinds = [METRIC, OF_ALARMS].map(str::to_owned).to_vec();
    let asked = Describe {
        alarm_names: Some(vec![name.to_owned()]),
        alarm_name_prefix: None,
        state_value: None,
        alarm_types: Some(kinds),
    };
    let mut found = list(clients, asked).await?;
    found.metric.retain(|alarm| alarm.alarm_name() == Some(name));
    found.composite.retain(|alarm| alarm.alarm_name() == Some(name));
    Ok(found)
}

async fn put(clients: &Clients, alarm: Input, tags: Option<Vec<Tag>>) -> Result<(), CallError> {
    let dimensions = alarm.dimensions.filter(|dimensions| !dimensions.is_empty()).map(|dimensions| {
        dimensions.into_iter().map(|one| Dimension::builder().name(one.name).value(one.value).build()).collect()
    });
    let actions = |actions: Option<Vec<String>>| actions.filter(|actions| !actions.is_empty());
    let request = clients
        .cloudwatch
        .put_metric_alarm()
        .alarm_name(alarm.alarm_name)
        .set_alarm_description(alarm.alarm_description)
        .namespace(alarm.namespace)
        .metric_name(alarm.metric_name)
        .set_dimensions(dimensions)
        .set_statistic(alarm.statistic.as_deref().map(Statistic::from))
        .set_extended_statistic(alarm.extended_statistic)
        .period(alarm.period)
        .evaluation_periods(alarm.evaluation_periods)
        .set_datapoints_to_alarm(alarm.datapoints_to_alarm)
        .threshold(alarm.threshold)
        .comparison_operator(ComparisonOperator::from(alarm.comparison_operator.as_str()))
        .set_treat_missing_data(alarm.treat_missing_data)
        .set_unit(alarm.unit.as_deref().map(StandardUnit::from))
        .set_actions_enabled(alarm.actions_enabled)
        .set_alarm_actions(actions(alarm.alarm_actions))
        .set_ok_actions(actions(alarm.ok_actions))
        .set_insufficient_data_actions(actions(alarm.insufficient_data_actions))
        .set_tags(tags);
    request.send().await.map_err(classify).map(|_| ())
}

/// The input that makes what a description tells of.
fn again(before: &Value) -> Result<Input, CallError> {
    let mut fields = before.clone();
    if let Value::Object(fields) = &mut fields {
        for told in ["id", "name", "arn", "state_value", "tags"] {
            fields.remove(told);
        }
    }
    serde_json::from_value(fields).map_err(|e| CallError::refused("InvalidInput", e.to_string()))
}

impl Driver for MetricAlarm {
    /// PutMetricAlarm overwrites what stands, so it is looked for first: what could not be put back is not replaced. It answers nothing.
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Input = sent.typed()?;
        let name = input.alarm_name.clone();
        let stands = named(clients, &name).await?;
        if !stands.composite.is_empty() {
            return Err(not_replaced(&name, "a rule over other alarms"));
        }
        if let Some(of) = stands.metric.first().and_then(beyond) {
            return Err(not_replaced(&name, of));
        }
        let tags = sent.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        put(clients, input, Some(tags.collect())).await?;
        let mut made = sent.input.clone();
        for (field, value) in [("id", json!(name)), ("name", json!(name)), ("tags", json!(sent.tags))] {
            made[field] = value;
        }
        Ok(made)
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let found = named(clients, field(at, "alarm_name")).await?;
        let Some(alarm) = found.metric.first() else { return Ok(None) };
        let request = clients.cloudwatch.list_tags_for_resource().set_resource_arn(alarm.alarm_arn.clone());
        let tags = match request.send().await.map_err(classify) {
            Err(error) if error.class == Class::NotFound => return Ok(None),
            tags => tags?,
        };
        Ok(Some(described(alarm).tags(tags.tags().iter().map(|tag| (tag.key(), tag.value()))).done()))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError> {
        if let Some(before) = put_back {
            return put(clients, again(before)?, None).await;
        }
        let request = clients.cloudwatch.delete_alarms().alarm_names(field(at, "alarm_name"));
        request.send().await.map_err(classify).map(|_| ())
    }
}

impl Call for DescribeAlarms {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let found = list(clients, sent.typed()?).await?;
        let metric: Value = found.metric.iter().map(|alarm| described(alarm).done()).collect();
        Ok(
            json!({ "metric_alarms": metric, "composite_alarms": found.composite.iter().map(of_alarms).collect::<Value>() }),
        )
    }
}
