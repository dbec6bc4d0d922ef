//! Instances and launch templates that others made.

use runbook_modules::resource::Health;
use serde_json::{Value, json};

use super::super::terminate_instances::TERMINATE;
use crate::testing::{Lab, code};

#[test]
fn those_that_are_gone_do_not_keep_the_others() {
    let lab = Lab::new();
    for id in ["i-1", "i-2", "i-3"] {
        lab.put_object("ec2.instance", "us-east-1", id, json!({ "instance_id": id }));
    }
    let terminate = |ids: &[&str]| lab.call("ec2.terminate_instances", json!({ "instance_ids": ids }));
    let ending = terminate(&["i-1", "i-none", "i-2"]).unwrap();
    assert_eq!(ending["terminating_instances"].as_array().map(Vec::len), Some(2));
    terminate(&["i-1"]).unwrap();
    lab.pass(60);
    let left = lab.call("ec2.describe_instances", json!({})).unwrap();
    let left = left["reservations"].as_array().unwrap().clone();
    assert_eq!((left.len(), &left[0]["instances"][0]["instance_id"]), (1, &json!("i-3")));
    assert_eq!(code(terminate(&["i-1", "i-none"])), "InvalidInstanceID.NotFound");
    let none = json!({ "instance_ids": [] });
    assert_eq!(lab.check("ec2.terminate_instances", none).unwrap_err().path, "instance_ids");
}

#[test]
fn it_is_done_when_all_are_terminated() {
    let settle = TERMINATE.settle.unwrap();
    let asked = (settle.input)(&json!({ "instance_ids": ["i-1", "i-2"] }), &Value::Null);
    assert_eq!(asked, json!({ "filters": { "instance-id": ["i-1", "i-2"] } }));
    let judge = |states: &[&str]| {
        let one =
            |(state, n)| json!({ "instances": [{ "instance_id": format!("i-{n}"), "state": { "name": state } }] });
        let reservations: Value = states.iter().zip(1..).map(one).collect();
        (settle.judge)(&json!({ "reservations": reservations }))
    };
    assert_eq!(judge(&[]), Health::Ready);
    assert_eq!(judge(&["terminated", "terminated"]), Health::Ready);
    assert_eq!(judge(&["terminated", "shutting-down"]), Health::Pending("shutting down i-2".to_owned()));
}

#[test]
fn a_launch_template_is_deleted_by_hand() {
    let lab = Lab::new();
    let input = json!({ "launch_template_name": "apps", "launch_template_data": {} });
    let made = lab.make("ec2.create_launch_template", input);
    let at = json!({ "launch_template_id": made["id"] });
    lab.call("ec2.delete_launch_template", at.clone()).unwrap();
    assert_eq!(lab.read("ec2.launch_template", at.clone()), None);
    assert_eq!(code(lab.call("ec2.delete_launch_template", at)), "InvalidLaunchTemplateId.NotFoundException");
}
