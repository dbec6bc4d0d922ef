//! EventBridge rules and their targets.

use serde_json::{Value, json};

use super::queues::queue;
use crate::conformance::{
    case::{Case, Other, Seen, holds, is, list, text},
    lab::Lab,
};

fn rule(lab: &Lab) -> Value {
    json!({ "name": lab.name("events"), "event_pattern": { "source": ["aws.health"] } })
}

fn scheduled(lab: &Lab, expression: &str) -> Value {
    json!({ "name": lab.name("nightly"), "schedule_expression": expression, "state": "DISABLED" })
}

/// A rule that sends to a queue: the input of its targets.
fn targets(lab: &Lab) -> Result<Value, Other> {
    lab.make("events.put_rule", rule(lab))?;
    let input = json!({ "rule": lab.name("events"), "targets": [{ "id": "jobs", "arn": queue(lab)?["arn"] }] });
    lab.make("events.put_targets", input.clone())?;
    Ok(input)
}

fn listed(lab: &Lab) -> Result<Value, Other> {
    lab.call("events.list_targets_by_rule", json!({ "rule": lab.name("events") })).ok()
}

fn no_schedule(lab: &Lab, expression: &str) -> Seen {
    lab.refused("events.put_rule", scheduled(lab, expression), &["ValidationException"])
}

pub const CASES: &[Case] = &[
    Case {
        name: "a rule is described as it was made",
        aws: "an ARN with its name, its pattern, ENABLED when nothing is said, the tags",
        page: "events/PutRule",
        run: |lab| {
            let made = lab.make("events.put_rule", rule(lab))?;
            holds(text(&made, "arn").ends_with(&format!(":rule/{}", lab.name("events"))), "another ARN")?;
            is(&made, "state", "ENABLED")?;
            is(&made, "event_pattern.source.0", "aws.health")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a rule that runs by the clock, switched off",
        aws: "DISABLED, with its schedule",
        page: "events/PutRule",
        run: |lab| {
            let made = lab.make("events.put_rule", scheduled(lab, "cron(0 12 * * ? *)"))?;
            is(&made, "state", "DISABLED")?;
            is(&made, "schedule_expression", "cron(0 12 * * ? *)")
        },
    },
    Case {
        name: "a rule that stands is put again",
        aws: "overwritten; our call asks first and answers `ResourceAlreadyExistsException`",
        page: "events/PutRule",
        run: |lab| lab.refused_again("events.put_rule", rule(lab), &["ResourceAlreadyExistsException"]),
    },
    Case {
        name: "a pattern whose value is no list",
        aws: "`InvalidEventPatternException`",
        page: "events/PutRule",
        run: |lab| {
            let mut input = rule(lab);
            input["event_pattern"]["source"] = "aws.health".into();
            lab.refused("events.put_rule", input, &["InvalidEventPatternException"])
        },
    },
    Case {
        name: "a schedule without its words",
        aws: "`ValidationException`",
        page: "events/PutRule",
        run: |lab| no_schedule(lab, "5 minutes"),
    },
    Case {
        name: "a schedule of five fields",
        aws: "`ValidationException`: cron takes six",
        page: "events/PutRule",
        run: |lab| no_schedule(lab, "cron(0 12 * * *)"),
    },
    Case {
        name: "a rate of one minutes",
        aws: "`ValidationException`: `rate(1 minute)`",
        page: "events/PutRule",
        run: |lab| no_schedule(lab, "rate(1 minutes)"),
    },
    Case {
        name: "a rule gets a target",
        aws: "listed with its id and ARN",
        page: "events/PutTargets",
        run: |lab| {
            let input = targets(lab)?;
            is(&listed(lab)?, "targets", input["targets"].clone())
        },
    },
    Case {
        name: "a target is put again with another ARN",
        aws: "it replaces the first one",
        page: "events/PutTargets",
        run: |lab| {
            let mut input = targets(lab)?;
            let other = json!({ "queue_name": lab.name("other") });
            input["targets"][0]["arn"] = lab.make("sqs.create_queue", other)?["arn"].clone();
            lab.make("events.put_targets", input.clone())?;
            is(&listed(lab)?, "targets", input["targets"].clone())
        },
    },
    Case {
        name: "a second target beside the first",
        aws: "both are listed",
        page: "events/PutTargets",
        run: |lab| {
            let mut input = targets(lab)?;
            input["targets"][0]["id"] = "second".into();
            lab.make("events.put_targets", input)?;
            let count = list(&listed(lab)?, "targets").len();
            holds(count == 2, format!("{count} are listed"))
        },
    },
    Case {
        name: "a rule that does not exist gets a target",
        aws: "`ResourceNotFoundException`",
        page: "events/PutTargets",
        run: |lab| {
            let input = json!({ "rule": lab.name("none"), "targets": [{ "id": "jobs", "arn": queue(lab)?["arn"] }] });
            lab.refused("events.put_targets", input, &["ResourceNotFoundException"])
        },
    },
    Case {
        name: "the targets of a rule that does not exist",
        aws: "`ResourceNotFoundException`",
        page: "events/ListTargetsByRule",
        run: |lab| {
            let input = json!({ "rule": lab.name("none") });
            lab.refused("events.list_targets_by_rule", input, &["ResourceNotFoundException"])
        },
    },
    Case {
        name: "a target is taken from a rule",
        aws: "none is listed",
        page: "events/RemoveTargets",
        run: |lab| {
            let at = targets(lab)?;
            lab.delete("events.targets", at.clone()).ok()?;
            lab.gone("events.targets", at)?;
            holds(list(&listed(lab)?, "targets").is_empty(), "still listed")
        },
    },
    Case {
        name: "a rule with a target is deleted",
        aws: "`ValidationException`: its targets go first",
        page: "events/DeleteRule",
        run: |lab| {
            targets(lab)?;
            lab.delete("events.rule", json!({ "name": lab.name("events") })).refused(&["ValidationException"])
        },
    },
    Case {
        name: "a rule is deleted",
        aws: "gone",
        page: "events/DeleteRule",
        run: |lab| {
            lab.make("events.put_rule", rule(lab))?;
            let at = json!({ "name": lab.name("events") });
            lab.delete("events.rule", at.clone()).ok()?;
            lab.gone("events.rule", at)
        },
    },
];
