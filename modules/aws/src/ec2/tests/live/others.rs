//! Instances and launch templates that others made, on the real SDK client.

use super::*;

fn ending(id: &str) -> Answer {
    let item = format!(
        "<item><instanceId>{id}</instanceId><currentState><code>32</code><name>shutting-down</name></currentState></item>"
    );
    answer("TerminateInstances", &format!("<instancesSet>{item}</instancesSet>"))
}

fn missing() -> Answer {
    refusal(400, "InvalidInstanceID.NotFound", "The instance ID 'i-1' does not exist")
}

#[test]
fn instances_are_terminated() {
    let said = call("ec2.terminate_instances", json!({ "instance_ids": ["i-1", "i-2"] }), vec![ending("i-1")]);
    assert_eq!(said.fields(None), json!({ "InstanceId.1": "i-1", "InstanceId.2": "i-2" }));
    let told = json!([{ "instance_id": "i-1", "current_state": { "name": "shutting-down" } }]);
    assert_eq!(said.answer, Ok(json!({ "terminating_instances": told })));
}

#[test]
fn one_that_is_gone_does_not_keep_the_others() {
    let input = || json!({ "instance_ids": ["i-1", "i-2"] });
    let instances = "<reservationSet><item><instancesSet><item><instanceId>i-2</instanceId></item></instancesSet></item></reservationSet>";
    let answers = vec![missing(), answer("DescribeInstances", instances), ending("i-2")];
    let said = call("ec2.terminate_instances", input(), answers);
    assert_eq!(said.actions(), ["TerminateInstances", "DescribeInstances", "TerminateInstances"]);
    let form = said.seen[1].form();
    let field = |name: &str| form[name].as_str();
    assert_eq!(
        [field("Filter.1.Name"), field("Filter.1.Value.1"), field("Filter.1.Value.2")],
        ["instance-id", "i-1", "i-2"]
    );
    assert_eq!(said.fields(None), json!({ "InstanceId.1": "i-2" }));

    let none = vec![missing(), answer("DescribeInstances", "<reservationSet/>")];
    assert_eq!(class(call("ec2.terminate_instances", input(), none)), Some(Class::NotFound), "which counts as done");
    let kept = vec![refusal(400, "OperationNotPermitted", "Modify its 'disableApiTermination' instance attribute")];
    assert_eq!(class(call("ec2.terminate_instances", input(), kept)), Some(Class::Refused));
}

#[test]
fn a_launch_template_is_deleted() {
    let input = json!({ "launch_template_id": "lt-1" });
    let said = call("ec2.delete_launch_template", input, vec![answer("DeleteLaunchTemplate", "")]);
    assert_eq!((said.fields(None), said.answer), (json!({ "LaunchTemplateId": "lt-1" }), Ok(json!({}))));
}
