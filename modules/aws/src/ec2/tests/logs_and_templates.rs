//! Flow logs and launch templates.

use runbook_modules::resource::Kind;
use serde_json::{Value, json};

use crate::testing::{Lab, code};

fn flow_log(lab: &Lab) -> Value {
    let (vpc, _) = lab.network(&[]);
    json!({
        "resource_ids": [vpc], "resource_type": "VPC", "traffic_type": "ALL", "log_group_name": "flow",
        "deliver_logs_permission_arn": lab.role("flow"),
    })
}

#[test]
fn a_flow_log_is_made_once_for_a_vpc_and_holds_what_it_needs() {
    let lab = Lab::new();
    let input = flow_log(&lab);
    let made = lab.make("ec2.create_flow_logs", input.clone());
    assert_eq!((&made["flow_log_status"], &made["max_aggregation_interval"]), (&json!("ACTIVE"), &json!(600)));
    assert_eq!(code(lab.call("ec2.create_flow_logs", input.clone())), "FlowLogAlreadyExists");
    let parents = lab.parents("ec2.flow_log", &input);
    assert!(
        parents.contains(&"flow".to_owned()) && parents.contains(&made["resource_id"].as_str().unwrap().to_owned())
    );
    let mine = json!({ "filters": { "resource-id": made["resource_id"] } });
    assert_eq!(lab.call("ec2.describe_flow_logs", mine).unwrap()["flow_logs"].as_array().unwrap().len(), 1);
    lab.delete("ec2.flow_log", json!({ "flow_log_id": made["id"] })).unwrap();
    assert_eq!(lab.read("ec2.flow_log", json!({ "flow_log_id": made["id"] })), None);
}

#[test]
fn a_flow_log_needs_its_role_and_one_vpc() {
    let lab = Lab::new();
    let mut input = flow_log(&lab);
    input["deliver_logs_permission_arn"] = "arn:aws:iam::123456789012:role/none".into();
    assert_eq!(code(lab.call("ec2.create_flow_logs", input.clone())), "InvalidParameter");
    input["resource_ids"] = json!([]);
    assert_eq!(lab.check("ec2.create_flow_logs", input).unwrap_err().path, "resource_ids");
}

#[test]
fn a_launch_template_has_one_name_and_keeps_its_data() {
    let lab = Lab::new();
    let (vpc, _) = lab.network(&[]);
    let group = json!({ "group_name": "nodes", "description": "nodes", "vpc_id": vpc });
    let group = lab.make("ec2.create_security_group", group);
    let disk =
        json!({ "device_name": "/dev/xvda", "ebs": { "volume_size": 50, "volume_type": "gp3", "encrypted": true } });
    let input = json!({ "launch_template_name": "apps", "launch_template_data": {
        "metadata_options": { "http_tokens": "required", "http_put_response_hop_limit": 2 },
        "block_device_mappings": [disk], "security_group_ids": [group["id"]],
    } });
    let made = lab.make("ec2.create_launch_template", input.clone());
    assert_eq!(json!(lab.parents("ec2.launch_template", &input)), json!([group["id"]]));
    let error = lab.call("ec2.create_launch_template", input.clone());
    assert_eq!(code(error), "InvalidLaunchTemplateName.AlreadyExistsException");
    let mut changed = made.clone();
    changed["launch_template_data"]["metadata_options"]["http_tokens"] = "optional".into();
    let drift = crate::ec2::launch_template::LAUNCH_TEMPLATE.differences(&input, &changed);
    assert_eq!(drift[0].0, "launch_template_data.metadata_options.http_tokens");
    let mut foreign = input;
    foreign["launch_template_name"] = "other".into();
    foreign["launch_template_data"]["security_group_ids"] = json!(["sg-none"]);
    assert_eq!(code(lab.call("ec2.create_launch_template", foreign)), "InvalidGroup.NotFound");
    lab.delete("ec2.launch_template", json!({ "launch_template_id": made["id"] })).unwrap();
}
