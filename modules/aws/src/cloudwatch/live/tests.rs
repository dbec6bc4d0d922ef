//! The shape of the requests to CloudWatch, on the real SDK client, which speaks CBOR.

use runbook_modules::error::Class;
use serde_json::{Value, json};

use crate::{
    cloudwatch::{call, driver},
    live::testing::{Seen, Wire, cbor_answer, sent, tags},
};

const ARN: &str = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:old";

fn alarm() -> Value {
    json!({
        "alarm_name": "old", "namespace": "AWS/SQS", "metric_name": "ApproximateAgeOfOldestMessage",
        "dimensions": [{ "name": "QueueName", "value": "jobs" }], "statistic": "Maximum", "period": 60,
        "evaluation_periods": 3, "datapoints_to_alarm": 2, "threshold": 600, "comparison_operator": "GreaterThanThreshold",
        "treat_missing_data": "notBreaching", "alarm_actions": ["arn:aws:sns:us-east-1:123456789012:ops"],
    })
}

/// One as CloudWatch describes it.
fn standing(more: Value) -> Value {
    let mut found = json!({
        "AlarmName": "old", "AlarmArn": ARN, "ActionsEnabled": true, "StateValue": "OK", "Namespace": "AWS/SQS",
        "MetricName": "ApproximateAgeOfOldestMessage", "Dimensions": [{ "Name": "QueueName", "Value": "jobs" }],
        "Statistic": "Maximum", "Period": 60, "EvaluationPeriods": 3, "DatapointsToAlarm": 2, "Threshold": 600.0,
        "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
        "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:ops"], "OKActions": [],
    });
    for (field, value) in more.as_object().into_iter().flatten() {
        found[field] = value.clone();
    }
    json!({ "MetricAlarms": [found] })
}

fn operation(seen: &Seen) -> String {
    seen.path().rsplit('/').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn put_metric_alarm_looks_first_and_sends_the_tags() {
    let wire = Wire::answering([cbor_answer(200, json!({ "MetricAlarms": [] })), cbor_answer(200, json!({}))]);
    let (input, tags) = (alarm(), tags());
    let made = driver("cloudwatch.metric_alarm").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&made["id"], made.get("arn")), (&json!("old"), None));
    let seen = wire.seen();
    assert_eq!(seen.iter().map(operation).collect::<Vec<_>>(), ["DescribeAlarms", "PutMetricAlarm"]);
    assert_eq!(seen[0].cbor()["AlarmNames"], json!(["old"]));
    let body = seen[1].cbor();
    assert_eq!((&body["AlarmName"], &body["Threshold"], &body["Period"]), (&json!("old"), &json!(600.0), &json!(60)));
    assert_eq!(body["Dimensions"], json!([{ "Name": "QueueName", "Value": "jobs" }]));
    assert_eq!(body["AlarmActions"], input["alarm_actions"]);
    assert_eq!((body.get("Unit"), body.get("ActionsEnabled")), (None, None), "what is not said is left to CloudWatch");
    assert_eq!(body["Tags"].as_array().map(Vec::len), Some(tags.len()));
}

#[tokio::test]
async fn an_alarm_is_read_with_its_tags_and_is_what_was_asked_for() {
    let tagged = json!({ "Tags": [{ "Key": "team", "Value": "ops" }] });
    let wire = Wire::answering([
        cbor_answer(200, standing(json!({}))),
        cbor_answer(200, tagged),
        cbor_answer(200, json!({ "MetricAlarms": [] })),
    ]);
    let kind = driver("cloudwatch.metric_alarm").unwrap();
    let at = json!({ "alarm_name": "old" });
    let found = kind.read(&wire.clients, &at).await.unwrap().unwrap();
    assert_eq!(
        (&found["arn"], &found["state_value"], &found["tags"]),
        (&json!(ARN), &json!("OK"), &json!({ "team": "ops" }))
    );
    assert_eq!(found["ok_actions"], json!([]));
    use runbook_modules::resource::Kind as _;
    let kind_differences = |asked: &Value| crate::cloudwatch::metric_alarm::KIND.differences(asked, &found);
    assert_eq!(kind_differences(&alarm()), []);
    let mut told = alarm();
    told["ok_actions"] = json!(["arn:aws:sns:us-east-1:123456789012:ok"]);
    assert_eq!(kind_differences(&told)[0].0, "ok_actions", "an action that somebody took away is drift");
    assert_eq!(kind.read(&wire.clients, &at).await.unwrap(), None);
    assert_eq!(wire.seen()[1].cbor(), json!({ "ResourceARN": ARN }));
}

#[tokio::test]
async fn what_stood_before_is_put_back_as_it_was_described() {
    let wire = Wire::answering([
        cbor_answer(
            200,
            standing(json!({ "OKActions": ["arn:aws:sns:us-east-1:123456789012:ok"], "Unit": "Seconds" })),
        ),
        cbor_answer(200, json!({ "Tags": [] })),
        cbor_answer(200, json!({})),
        cbor_answer(200, json!({})),
    ]);
    let (kind, at) = (driver("cloudwatch.metric_alarm").unwrap(), json!({ "alarm_name": "old" }));
    let before = kind.read(&wire.clients, &at).await.unwrap().unwrap();
    kind.delete(&wire.clients, &at, Some(&before)).await.unwrap();
    kind.delete(&wire.clients, &at, None).await.unwrap();
    let seen = wire.seen();
    let body = seen[2].cbor();
    assert_eq!((operation(&seen[2]).as_str(), body.get("Tags")), ("PutMetricAlarm", None));
    assert_eq!(
        (&body["OKActions"][0], &body["Unit"]),
        (&json!("arn:aws:sns:us-east-1:123456789012:ok"), &json!("Seconds"))
    );
    assert_eq!((&body["ActionsEnabled"], &body["Threshold"]), (&json!(true), &json!(600.0)));
    assert_eq!(body.get("AlarmActions").and_then(|actions| actions.get(1)), None);
    assert_eq!((operation(&seen[3]), seen[3].cbor()), ("DeleteAlarms".to_owned(), json!({ "AlarmNames": ["old"] })));
}

#[tokio::test]
async fn what_could_not_be_put_back_is_not_replaced() {
    let maths = json!({ "Metrics": [{ "Id": "e1", "Expression": "m1 / m2" }] });
    for (more, why) in
        [(maths, "metric math"), (json!({ "EvaluateLowSampleCountPercentile": "ignore" }), "few samples")]
    {
        let wire = Wire::answering([cbor_answer(200, standing(more))]);
        let (input, tags) = (alarm(), tags());
        let kind = driver("cloudwatch.metric_alarm").unwrap();
        let error = kind.create(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (Class::Refused, "AlarmNotReplaced"));
        assert!(error.message.contains(why), "{error}");
        assert_eq!(wire.seen().len(), 1, "nothing was changed");
    }
}

#[tokio::test]
async fn an_alarm_on_alarms_of_the_same_name_is_not_replaced_and_listed_when_asked_for() {
    let composite = || {
        let alarm = json!({ "AlarmName": "old", "AlarmArn": ARN, "AlarmRule": "ALARM(a)", "StateValue": "OK" });
        cbor_answer(200, json!({ "MetricAlarms": [], "CompositeAlarms": [alarm] }))
    };
    let wire = Wire::answering([composite(), composite()]);
    let (input, tags) = (alarm(), tags());
    let kind = driver("cloudwatch.metric_alarm").unwrap();
    let error = kind.create(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
    assert_eq!(error.code, "AlarmNotReplaced");
    let list = call("cloudwatch.describe_alarms").unwrap();
    let asked = json!({ "alarm_types": ["CompositeAlarm"] });
    let found = list.call(&wire.clients, &sent(&asked, &tags)).await.unwrap();
    assert_eq!(found["composite_alarms"][0]["alarm_rule"], "ALARM(a)");
    let seen = wire.seen();
    assert_eq!(seen[0].cbor()["AlarmTypes"], json!(["MetricAlarm", "CompositeAlarm"]));
    assert_eq!(seen[1].cbor()["AlarmTypes"], json!(["CompositeAlarm"]));
    let none = list.call(&wire.clients, &sent(&json!({ "alarm_names": [] }), &tags)).await.unwrap();
    assert_eq!(none, json!({ "metric_alarms": [], "composite_alarms": [] }));
    assert_eq!(wire.seen().len(), 2, "no name is not every name: nothing is asked");
}

#[tokio::test]
async fn alarms_are_listed_page_by_page_and_one_that_is_gone_is_not_found() {
    let mut first = standing(json!({}));
    first["NextToken"] = json!("more");
    let gone = json!({ "__type": "com.amazonaws.cloudwatch#ResourceNotFound", "message": "no" });
    let wire =
        Wire::answering([cbor_answer(200, first), cbor_answer(200, standing(json!({}))), cbor_answer(404, gone)]);
    let (input, tags) = (json!({ "alarm_name_prefix": "o", "state_value": "OK" }), tags());
    let found = call("cloudwatch.describe_alarms").unwrap().call(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!(found["metric_alarms"].as_array().map(Vec::len), Some(2));
    assert_eq!(found["metric_alarms"][0].get("tags"), None);
    let at = json!({ "alarm_name": "old" });
    let error = driver("cloudwatch.metric_alarm").unwrap().delete(&wire.clients, &at, None).await.unwrap_err();
    assert_eq!(error.class, Class::NotFound, "{error}");
    let seen = wire.seen();
    let body = seen[0].cbor();
    assert_eq!((&body["AlarmNamePrefix"], &body["StateValue"]), (&json!("o"), &json!("OK")));
    assert_eq!((&body["AlarmTypes"], &seen[1].cbor()["NextToken"]), (&json!(["MetricAlarm"]), &json!("more")));
}
