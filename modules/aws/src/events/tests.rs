//! What the sandbox's EventBridge answers and refuses.

use runbook_modules::{error::Class, resource::Kind};
use serde_json::{Value, json};

use super::rule;
use crate::testing::{Lab, code};

fn asked() -> Value {
    json!({ "name": "r", "event_pattern": { "source": ["aws.health"], "detail-type": ["AWS Health Event"] } })
}

fn targets(arn: &str) -> Value {
    json!({ "rule": "r", "targets": [{ "id": "queue", "arn": arn }] })
}

#[test]
fn a_rule_with_targets_is_not_deleted() {
    let lab = Lab::new();
    let made = lab.make("events.put_rule", asked());
    assert_eq!(
        (&made["arn"], &made["state"]),
        (&json!("arn:aws:events:us-east-1:123456789012:rule/r"), &json!("ENABLED"))
    );
    lab.make("events.put_targets", targets("arn:q"));
    let listed = lab.call("events.list_targets_by_rule", json!({ "rule": "r" })).unwrap();
    assert_eq!(listed, json!({ "targets": [{ "id": "queue", "arn": "arn:q" }] }));
    let error = lab.delete("events.rule", json!({ "name": "r" })).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Blocked, "ValidationException"));
    lab.delete("events.targets", targets("arn:q")).unwrap();
    lab.delete("events.rule", json!({ "name": "r" })).unwrap();
    assert_eq!(code(lab.call("events.put_targets", targets("arn:q"))), "ResourceNotFoundException");
}

#[test]
fn a_call_sets_one_target_and_owns_it() {
    let lab = Lab::new();
    lab.make("events.put_rule", asked());
    let two = json!({ "rule": "r", "targets": [{ "id": "a", "arn": "arn:a" }, { "id": "b", "arn": "arn:b" }] });
    let error = lab.check("events.put_targets", two).unwrap_err();
    assert_eq!((error.path.as_str(), error.message.contains("exactly one")), ("targets", true), "{error}");
    for id in ["a", "b"] {
        let input = json!({ "rule": "r", "targets": [{ "id": id, "arn": "arn:q" }] });
        let made = lab.make("events.put_targets", input.clone());
        let at = lab.locate("events.targets", &input, &made).unwrap();
        assert_eq!((&made["id"], &at["targets"]), (&json!(format!("r/{id}")), &input["targets"]));
    }
    lab.delete("events.targets", targets("arn:q")).unwrap_err();
    lab.delete("events.targets", json!({ "rule": "r", "targets": [{ "id": "a", "arn": "arn:q" }] })).unwrap();
    let left = lab.call("events.list_targets_by_rule", json!({ "rule": "r" })).unwrap();
    assert_eq!(left, json!({ "targets": [{ "id": "b", "arn": "arn:q" }] }));
}

#[test]
fn a_rule_that_stands_is_not_overwritten() {
    let lab = Lab::new();
    lab.make("events.put_rule", asked());
    assert_eq!(lab.call("events.put_rule", asked()).unwrap_err().class, Class::AlreadyExists);
}

#[test]
fn a_pattern_is_a_map_or_the_same_as_text() {
    let lab = Lab::new();
    let made = lab.make("events.put_rule", asked());
    let text = json!({ "name": "r", "event_pattern": asked()["event_pattern"].to_string() });
    assert_eq!(rule::KIND.differences(&text, &made), []);
    assert_eq!(rule::KIND.check(&json!({ "name": "r", "event_pattern": "x" })).unwrap_err().path, "event_pattern");
    assert_eq!(rule::KIND.check(&json!({ "name": "r" })).unwrap_err().path, "event_pattern");
}

#[test]
fn patterns_hold_lists_and_schedules_are_rates_or_six_fields() {
    let lab = Lab::new();
    let mut n = 0;
    let mut put = |field: &str, value: Value| {
        n += 1;
        lab.call("events.put_rule", json!({ "name": format!("r{n}"), field: value }))
    };
    assert!(put("event_pattern", json!({ "detail": { "state": ["running"] }, "source": ["a"] })).is_ok());
    for pattern in [json!({ "source": "a" }), json!({ "source": [] }), json!({ "detail": { "state": "running" } })] {
        assert_eq!(code(put("event_pattern", pattern)), "InvalidEventPatternException");
    }
    for schedule in ["rate(1 minute)", "rate(5 minutes)", "cron(0 12 * * ? *)"] {
        assert!(put("schedule_expression", schedule.into()).is_ok(), "{schedule}");
    }
    for schedule in ["rate(1 minutes)", "rate(0 minutes)", "rate(5 minute)", "cron(0 12 * * ?)", "5 minutes"] {
        assert_eq!(code(put("schedule_expression", schedule.into())), "ValidationException", "{schedule}");
    }
}
