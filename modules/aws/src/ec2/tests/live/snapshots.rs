//! Snapshots and groups that others made, on the real SDK client.

use super::*;

const SNAPSHOT: &str = "<snapshotId>snap-1</snapshotId><volumeId>vol-1</volumeId><volumeSize>8</volumeSize>\
                        <status>completed</status><encrypted>true</encrypted><ownerId>1</ownerId>";

fn listed(xml: &str) -> Answer {
    let item = if xml.is_empty() { String::new() } else { format!("<item>{xml}</item>") };
    answer("DescribeSnapshots", &format!("<snapshotSet>{item}</snapshotSet>"))
}

#[test]
fn a_snapshot_is_made_with_our_tags_and_read() {
    let input = json!({ "volume_id": "vol-1", "description": "before" });
    let made = create("ec2.snapshot", input, vec![answer("CreateSnapshot", &format!("{SNAPSHOT}{}", tag_set()))]);
    assert_eq!(made.fields(Some("snapshot")), json!({ "VolumeId": "vol-1", "Description": "before" }));
    assert_eq!(made.answer.map(|one| one["id"].clone()), Ok(json!("snap-1")));
    let there = read("ec2.snapshot", json!({ "snapshot_id": "snap-1" }), vec![listed(SNAPSHOT)]);
    assert_eq!(there.fields(None), json!({ "Owner.1": "self", "SnapshotId.1": "snap-1" }));
    let described = there.answer.ok().flatten().unwrap_or_default();
    assert_eq!((&described["state"], &described["volume_size"]), (&json!("completed"), &json!(8)));
    let deleted = delete("ec2.snapshot", json!({ "snapshot_id": "snap-1" }), vec![answer("DeleteSnapshot", "")]);
    assert_eq!(deleted.fields(None), json!({ "SnapshotId": "snap-1" }));
}

#[test]
fn a_kept_snapshot_is_looked_for_first() {
    let input = json!({ "volume_id": "vol-1", "snapshot_name": "data" });
    let there = call("ec2.keep_snapshot", input.clone(), vec![listed(SNAPSHOT)]);
    assert_eq!(
        (there.actions(), there.answer),
        (vec!["DescribeSnapshots".to_owned()], Ok(json!({ "snapshot_id": "snap-1" })))
    );
    let made = call("ec2.keep_snapshot", input, vec![listed(""), answer("CreateSnapshot", SNAPSHOT)]);
    assert_eq!(made.actions(), ["DescribeSnapshots", "CreateSnapshot"]);
    let form = made.seen[1].form();
    assert_eq!((form["VolumeId"].as_str(), form["TagSpecification.1.ResourceType"].as_str()), ("vol-1", "snapshot"));
    assert!(form.values().any(|value| value == "runbook:kept"), "{form:?}");
    assert!(!form.values().any(|value| value == "runbook:effect"), "it is no effect's: {form:?}");
}

#[test]
fn a_group_of_others_is_deleted_or_blocked() {
    let input = json!({ "group_id": "sg-1" });
    let gone =
        call("ec2.delete_security_group", input.clone(), vec![answer("DeleteSecurityGroup", "<return>true</return>")]);
    assert_eq!((gone.fields(None), gone.answer), (json!({ "GroupId": "sg-1" }), Ok(json!({}))));
    let held =
        call("ec2.delete_security_group", input, vec![refusal(400, "DependencyViolation", "has a dependent object")]);
    assert_eq!(class(held), Some(Class::Blocked));
}
