//! Flow logs and launch templates.

use super::*;

fn set(name: &str, item: &str) -> String {
    format!("<{name}><item>{item}</item></{name}>")
}

#[test]
fn flow_log() {
    let input = json!({
        "resource_ids": ["vpc-1"], "resource_type": "VPC", "traffic_type": "ALL", "log_group_name": "flow",
        "deliver_logs_permission_arn": "arn:r",
    });
    let made = create("ec2.flow_log", input.clone(), vec![answer("CreateFlowLogs", &set("flowLogIdSet", "fl-1"))]);
    let made_fields = json!({
        "ClientToken": TOKEN, "ResourceId.1": "vpc-1", "ResourceType": "VPC", "TrafficType": "ALL", "LogGroupName": "flow",
        "LogDestinationType": "cloud-watch-logs", "DeliverLogsPermissionArn": "arn:r",
    });
    assert_eq!(made.actions(), ["CreateFlowLogs"]);
    let mut form = made.fields(None);
    let fields = form.as_object_mut().expect("a form");
    fields.retain(|name, _| !name.starts_with("TagSpecification"));
    assert_eq!(form, made_fields);
    assert_eq!(made.answer.expect("made")["id"], "fl-1");

    let refused =
        "<error><code>FlowLogAlreadyExists</code><message>there</message></error><resourceId>vpc-1</resourceId>";
    let said = create("ec2.flow_log", input.clone(), vec![answer("CreateFlowLogs", &set("unsuccessful", refused))]);
    assert_eq!(class(said), Some(Class::Refused), "a refusal that comes with status 200");

    let log = format!(
        "<flowLogId>fl-1</flowLogId><flowLogStatus>ACTIVE</flowLogStatus><resourceId>vpc-1</resourceId>\
         <trafficType>ALL</trafficType><logGroupName>flow</logGroupName><deliverLogsPermissionArn>arn:r</deliverLogsPermissionArn>\
         <logDestinationType>cloud-watch-logs</logDestinationType><maxAggregationInterval>600</maxAggregationInterval>{}",
        tag_set()
    );
    let there = read(
        "ec2.flow_log",
        json!({ "flow_log_id": "fl-1" }),
        vec![answer("DescribeFlowLogs", &set("flowLogSet", &log))],
    );
    assert_eq!(there.fields(None), json!({ "FlowLogId.1": "fl-1" }));
    let described = there.answer.ok().flatten().unwrap_or_default();
    assert_eq!(ec2::flow_log::FLOW_LOG.differences(&input, &described), Vec::new());
    assert_eq!(described["tags"], tag_json());
    let deleted =
        delete("ec2.flow_log", json!({ "flow_log_id": "fl-1" }), vec![answer("DeleteFlowLogs", "<unsuccessful/>")]);
    assert_eq!((deleted.fields(None), deleted.answer), (json!({ "FlowLogId.1": "fl-1" }), Ok(())));
}

#[test]
fn launch_template() {
    let disk =
        json!({ "device_name": "/dev/xvda", "ebs": { "volume_size": 50, "volume_type": "gp3", "encrypted": true } });
    let input = json!({ "launch_template_name": "apps", "launch_template_data": {
        "metadata_options": { "http_tokens": "required", "http_put_response_hop_limit": 2 },
        "block_device_mappings": [disk], "security_group_ids": ["sg-2", "sg-1"],
    } });
    let template = format!(
        "<launchTemplateId>lt-1</launchTemplateId><launchTemplateName>apps</launchTemplateName>\
         <defaultVersionNumber>1</defaultVersionNumber><latestVersionNumber>1</latestVersionNumber>{}",
        tag_set()
    );
    let answered = answer("CreateLaunchTemplate", &format!("<launchTemplate>{template}</launchTemplate>"));
    let made = create("ec2.launch_template", input.clone(), vec![answered]);
    let form = made.fields(Some("launch-template"));
    for (field, value) in [
        ("ClientToken", TOKEN),
        ("LaunchTemplateName", "apps"),
        ("LaunchTemplateData.MetadataOptions.HttpTokens", "required"),
        ("LaunchTemplateData.MetadataOptions.HttpPutResponseHopLimit", "2"),
        ("LaunchTemplateData.BlockDeviceMapping.1.DeviceName", "/dev/xvda"),
        ("LaunchTemplateData.BlockDeviceMapping.1.Ebs.VolumeSize", "50"),
        ("LaunchTemplateData.SecurityGroupId.1", "sg-2"),
    ] {
        assert_eq!(form[field], value, "{field} in {form}");
    }
    assert_eq!(made.answer.expect("made")["launch_template_id"], "lt-1");

    let data = "<launchTemplateData><metadataOptions><httpTokens>required</httpTokens>\
                <httpPutResponseHopLimit>2</httpPutResponseHopLimit></metadataOptions><blockDeviceMappingSet><item>\
                <deviceName>/dev/xvda</deviceName><ebs><encrypted>true</encrypted><volumeSize>50</volumeSize>\
                <volumeType>gp3</volumeType></ebs></item></blockDeviceMappingSet>\
                <securityGroupIdSet><item>sg-1</item><item>sg-2</item></securityGroupIdSet></launchTemplateData>";
    let answers = vec![
        answer("DescribeLaunchTemplates", &set("launchTemplates", &template)),
        answer("DescribeLaunchTemplateVersions", &set("launchTemplateVersionSet", data)),
    ];
    let there = read("ec2.launch_template", json!({ "launch_template_id": "lt-1" }), answers);
    let described = there.answer.ok().flatten().unwrap_or_default();
    assert_eq!(ec2::launch_template::LAUNCH_TEMPLATE.differences(&input, &described), Vec::new());
    let gone = vec![refusal(400, "InvalidLaunchTemplateId.NotFoundException", "gone")];
    assert_eq!(read("ec2.launch_template", json!({ "launch_template_id": "lt-1" }), gone).answer, Ok(None));
    let deleted = vec![answer("DeleteLaunchTemplate", &format!("<launchTemplate>{template}</launchTemplate>"))];
    let deleted = delete("ec2.launch_template", json!({ "launch_template_id": "lt-1" }), deleted);
    assert_eq!(deleted.fields(None), json!({ "LaunchTemplateId": "lt-1" }));
}
