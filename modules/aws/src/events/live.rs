//! PutRule, DescribeRule, DeleteRule; PutTargets, ListTargetsByRule, RemoveTargets.

use aws_sdk_eventbridge::types::{RuleState, Tag, Target};
use runbook_modules::error::{CallError, Class};
use serde_json::{Value, json};

use super::{
    rule::{self, pattern},
    targets,
};
use crate::live::{
    Call, Clients, Driver, Sent, classify,
    convert::{Described, built, field},
    error,
};

pub(super) struct Rule;
pub(super) struct Targets;
pub(super) struct ListTargets;

/// EventBridge has no code of its own for a rule that still has targets.
fn deleting(error: CallError) -> CallError {
    let held = error.code == "ValidationException" && error.message.contains("has targets");
    if held { CallError { class: Class::Blocked, ..error } } else { error }
}

fn none_if_missing<T>(found: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match found {
        Err(error) if error.class == Class::NotFound => Ok(None),
        other => other.map(Some),
    }
}

fn bus(at: &Value) -> Option<String> {
    Some(field(at, "event_bus_name").to_owned()).filter(|bus| !bus.is_empty())
}

impl Driver for Rule {
    /// PutRule overwrites what stands, so it is looked for first.
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: rule::Input = sent.typed()?;
        if self.read(clients, sent.input).await?.is_some() {
            let text = format!("A rule named {} stands already", input.name);
            return Err(CallError::new(Class::AlreadyExists, "ResourceAlreadyExistsException", text));
        }
        let tags = sent.tags.iter().map(|(key, value)| built(Tag::builder().key(key).value(value).build()));
        let request = clients
            .events
            .put_rule()
            .name(&input.name)
            .set_event_bus_name(input.event_bus_name)
            .set_event_pattern(input.event_pattern.map(|pattern| pattern.text()))
            .set_schedule_expression(input.schedule_expression)
            .set_state(input.state.as_deref().map(RuleState::from))
            .set_description(input.description)
            .set_tags(Some(tags.collect::<Result<_, _>>()?));
        let answer = request.send().await.map_err(classify)?;
        let mut made = pattern(sent.input);
        for (name, value) in [("id", json!(input.name)), ("arn", json!(answer.rule_arn())), ("tags", json!(sent.tags))]
        {
            made[name] = value;
        }
        Ok(made)
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let name = field(at, "name");
        let request = clients.events.describe_rule().name(name).set_event_bus_name(bus(at));
        let Some(found) = none_if_missing(request.send().await.map_err(classify))? else { return Ok(None) };
        let listed = match found.arn() {
            Some(arn) => clients.events.list_tags_for_resource().resource_arn(arn).send().await.map_err(classify)?.tags,
            None => None,
        };
        let tags = listed.unwrap_or_default();
        let described = Described::new()
            .text("id", Some(name))
            .text("name", Some(name))
            .text("arn", found.arn())
            .text("event_bus_name", found.event_bus_name())
            .text("event_pattern", found.event_pattern())
            .text("schedule_expression", found.schedule_expression())
            .text("state", found.state())
            .text("description", found.description())
            .tags(tags.iter().map(|tag| (Some(tag.key()), Some(tag.value()))));
        Ok(Some(pattern(&described.done())))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let request = clients.events.delete_rule().name(field(at, "name")).set_event_bus_name(bus(at));
        request.send().await.map_err(classify).map_err(deleting).map(|_| ())
    }

    async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
        let found = list(clients, field(at, "name"), bus(at)).await.unwrap_or_default();
        found.iter().map(|target| format!("target {} ({})", field(target, "id"), field(target, "arn"))).collect()
    }
}

async fn list(clients: &Clients, rule: &str, bus: Option<String>) -> Result<Vec<Value>, CallError> {
    let mut all = Vec::new();
    let mut next = None;
    loop {
        let request = clients.events.list_targets_by_rule().rule(rule).set_event_bus_name(bus.clone());
        let page = request.set_next_token(next).send().await.map_err(classify)?;
        all.extend(page.targets().iter().map(|target| {
            Described::new()
                .text("id", Some(target.id()))
                .text("arn", Some(target.arn()))
                .text("role_arn", target.role_arn())
                .text("input", target.input())
                .done()
        }));
        next = page.next_token;
        if next.is_none() {
            return Ok(all);
        }
    }
}

async fn put(clients: &Clients, at: &Value) -> Result<(), CallError> {
    let input: targets::Input =
        serde_json::from_value(at.clone()).map_err(|e| CallError::refused("InvalidInput", e.to_string()))?;
    let target = |target: targets::Target| {
        let built_one = Target::builder().id(target.id).arn(target.arn).set_role_arn(target.role_arn);
        built(built_one.set_input(target.input).build())
    };
    let request = clients.events.put_targets().rule(input.rule).set_event_bus_name(input.event_bus_name);
    let targets = input.targets.into_iter().map(target).collect::<Result<_, _>>()?;
    let answer = request.set_targets(Some(targets)).send().await.map_err(classify)?;
    failed(answer.failed_entries().iter().map(|entry| [entry.target_id(), entry.error_code(), entry.error_message()]))
}

async fn remove(clients: &Clients, at: &Value, ids: Vec<String>) -> Result<(), CallError> {
    let request = clients.events.remove_targets().rule(field(at, "rule")).set_event_bus_name(bus(at));
    let answer = request.set_ids(Some(ids)).send().await.map_err(classify)?;
    failed(answer.failed_entries().iter().map(|entry| [entry.target_id(), entry.error_code(), entry.error_message()]))
}

/// EventBridge answers 200 and names the entries that it refused. What it says of a target sorts the failure as a code of its own would;
/// that somebody else changes the rule in this moment passes.
fn failed<'a>(mut entries: impl Iterator<Item = [Option<&'a str>; 3]>) -> Result<(), CallError> {
    let Some([id, code, message]) = entries.next() else { return Ok(()) };
    let (code, message) = (code.unwrap_or("FailedEntry"), message.unwrap_or_default());
    let class = match code {
        "ConcurrentModificationException" => Class::Throttled,
        code => error::class(400, code, message),
    };
    Err(CallError::new(class, code, format!("target {}: {message}", id.unwrap_or_default())))
}

fn described(at: &Value, targets: Vec<Value>) -> Value {
    let rule = field(at, "rule");
    let mut found = json!({ "id": targets::id(at), "name": rule, "rule": rule, "targets": targets });
    if let Some(bus) = bus(at) {
        found["event_bus_name"] = bus.into();
    }
    found
}

impl Driver for Targets {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        put(clients, sent.input).await?;
        let targets = sent.input.get("targets").and_then(Value::as_array).cloned();
        Ok(described(sent.input, targets.unwrap_or_default()))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let mut found = none_if_missing(list(clients, field(at, "rule"), bus(at)).await)?.unwrap_or_default();
        let wanted = targets::ids(at);
        found.retain(|target| wanted.iter().any(|id| id == field(target, "id")));
        Ok((!found.is_empty()).then(|| described(at, found)))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    /// Targets that were there before are put back, and those that were not are removed.
    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError> {
        let mut added = targets::ids(at);
        if let Some(before) = put_back {
            let kept = targets::ids(before);
            added.retain(|id| !kept.contains(id));
        }
        if !added.is_empty() {
            remove(clients, at, added).await?;
        }
        let Some(targets) = put_back.and_then(|before| before.get("targets")) else { return Ok(()) };
        let mut before = json!({ "rule": field(at, "rule"), "targets": targets });
        if let Some(bus) = bus(at) {
            before["event_bus_name"] = bus.into();
        }
        put(clients, &before).await
    }
}

impl Call for ListTargets {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let targets::List { rule, event_bus_name } = sent.typed()?;
        Ok(json!({ "targets": list(clients, &rule, event_bus_name).await? }))
    }
}

#[cfg(test)]
mod tests {
    use runbook_modules::{error::Class, resource::Kind as _};
    use serde_json::json;

    use crate::{
        events::{driver, targets::KIND},
        live::testing::{Answer, Wire, json_answer, sent, tags},
    };

    fn error(code: &str, message: &str) -> Answer {
        json_answer(400, json!({ "__type": code, "message": message }))
    }

    #[tokio::test]
    async fn put_rule_looks_first_and_sends_the_pattern_as_text() {
        let wire = Wire::answering([
            error("ResourceNotFoundException", "no"),
            json_answer(200, json!({ "RuleArn": "arn:r" })),
        ]);
        let (input, tags) = (json!({ "name": "r", "event_pattern": { "source": ["aws.ec2"] } }), tags());
        let made = driver("events.rule").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap();
        assert_eq!((&made["id"], &made["arn"]), (&json!("r"), &json!("arn:r")));
        let (seen, body) = (&wire.seen()[1], wire.seen()[1].json());
        assert_eq!((seen.target.as_str(), &body["Name"]), ("AWSEvents.PutRule", &json!("r")));
        assert_eq!(body["EventPattern"], r#"{"source":["aws.ec2"]}"#);
        assert_eq!(body["Tags"].as_array().map(Vec::len), Some(tags.len()));
    }

    #[tokio::test]
    async fn a_rule_with_targets_is_blocked_and_one_that_stands_is_not_overwritten() {
        let wire = Wire::answering([
            json_answer(200, json!({ "Name": "r", "Arn": "arn:r", "EventPattern": "{}" })),
            json_answer(200, json!({ "Tags": [{ "Key": "Name", "Value": "web" }] })),
            error("ValidationException", "Rule can't be deleted since it has targets."),
        ]);
        let (rule, at, tags) = (driver("events.rule").unwrap(), json!({ "name": "r", "event_pattern": {} }), tags());
        let exists = rule.create(&wire.clients, &sent(&at, &tags)).await.unwrap_err();
        assert_eq!(exists.class, Class::AlreadyExists);
        assert_eq!(rule.delete(&wire.clients, &at, None).await.unwrap_err().class, Class::Blocked);
    }

    #[tokio::test]
    async fn targets_are_put_listed_put_back_and_removed() {
        let wire = Wire::answering([
            json_answer(200, json!({ "FailedEntryCount": 0, "FailedEntries": [] })),
            json_answer(200, json!({ "Targets": [{ "Id": "q", "Arn": "arn:q" }, { "Id": "x", "Arn": "arn:x" }] })),
            json_answer(200, json!({})),
            json_answer(200, json!({})),
        ]);
        let (targets, tags) = (driver("events.targets").unwrap(), tags());
        let input = json!({ "rule": "r", "targets": [{ "id": "q", "arn": "arn:q" }] });
        let made = targets.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
        assert_eq!(made.get("tags"), None, "nothing marks a target: undo tells one of a lost answer by what it holds");
        assert_eq!(targets.read(&wire.clients, &input).await.unwrap(), Some(made), "others' targets are not ours");
        let before = json!({ "targets": [{ "id": "q", "arn": "arn:before" }] });
        targets.delete(&wire.clients, &input, Some(&before)).await.unwrap();
        targets.delete(&wire.clients, &input, None).await.unwrap();
        let bodies: Vec<_> = wire.seen().iter().map(|seen| seen.json()).collect();
        assert_eq!(bodies[2]["Targets"], json!([{ "Id": "q", "Arn": "arn:before" }]));
        assert_eq!((&bodies[3]["Ids"], wire.seen()[3].target.as_str()), (&json!(["q"]), "AWSEvents.RemoveTargets"));
    }

    /// A call sets one target, so what EventBridge refuses of it is all of it: nothing is set that nobody owns.
    #[tokio::test]
    async fn a_refused_target_is_the_whole_call_and_what_passes_is_sent_again() {
        let (targets, tags) = (driver("events.targets").unwrap(), tags());
        let input = json!({ "rule": "r", "targets": [{ "id": "q", "arn": "arn:q" }] });
        let mut two = input.clone();
        two["targets"] = json!([{ "id": "q", "arn": "arn:q" }, { "id": "x", "arn": "arn:x" }]);
        let error = KIND.check(&two).unwrap_err();
        assert_eq!(error.path, "targets", "EventBridge would set one where it refuses the other: {error}");
        for (code, class) in [
            ("AccessDenied", Class::Refused),
            ("ResourceNotFoundException", Class::NotFound),
            ("ThrottlingException", Class::Throttled),
            ("ConcurrentModificationException", Class::Throttled),
            ("InternalFailure", Class::Unknown),
        ] {
            let entry = json!({ "TargetId": "q", "ErrorCode": code, "ErrorMessage": "no" });
            let wire = Wire::answering([json_answer(200, json!({ "FailedEntryCount": 1, "FailedEntries": [entry] }))]);
            let error = targets.create(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
            assert_eq!((error.class, error.code.as_str(), error.message.as_str()), (class, code, "target q: no"));
        }
    }

    #[tokio::test]
    async fn undo_removes_what_was_added_beside_what_it_puts_back() {
        let wire = Wire::answering([json_answer(200, json!({})), json_answer(200, json!({}))]);
        let at = json!({ "rule": "r", "targets": [{ "id": "q", "arn": "arn:q" }, { "id": "new", "arn": "arn:new" }] });
        let before = json!({ "targets": [{ "id": "q", "arn": "arn:before" }] });
        driver("events.targets").unwrap().delete(&wire.clients, &at, Some(&before)).await.unwrap();
        let seen = wire.seen();
        assert_eq!((seen[0].target.as_str(), &seen[0].json()["Ids"]), ("AWSEvents.RemoveTargets", &json!(["new"])));
        assert_eq!(seen[1].target, "AWSEvents.PutTargets");
        assert_eq!(seen[1].json()["Targets"], json!([{ "Id": "q", "Arn": "arn:before" }]));
    }
}
