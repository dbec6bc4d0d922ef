//! Snapshots, volumes in use, and groups that others made.

use serde_json::json;

use super::{
    super::{
        delete_security_group,
        keep_snapshot::KEEP,
        network_interface::NETWORK_INTERFACE,
        security_group::SECURITY_GROUP,
        snapshot::{DESCRIBE, SNAPSHOT},
        volume::VOLUME,
    },
    Bench,
};

#[test]
fn a_snapshot_outlives_its_volume() {
    let mut bench = Bench::new();
    assert_eq!(bench.refused(&SNAPSHOT, json!({ "volume_id": "vol-0" })), "InvalidVolume.NotFound");
    let volume = bench.make(&VOLUME, json!({ "availability_zone": "us-east-1a", "size": 8, "encrypted": true }));
    let snapshot = bench.make(&SNAPSHOT, json!({ "volume_id": volume["id"], "description": "before" }));
    assert_eq!((&snapshot["state"], &snapshot["volume_size"]), (&json!("completed"), &json!(8)));
    assert_eq!(bench.delete(&VOLUME, &volume), Ok(()));
    assert_eq!(bench.count(&DESCRIBE, "snapshots", json!({ "filters": { "volume-id": volume["id"] } })), 1);
    assert_eq!(bench.delete(&SNAPSHOT, &snapshot), Ok(()));
}

#[test]
fn of_a_volume_one_snapshot_is_kept_and_it_is_no_effects() {
    let mut bench = Bench::new();
    let volume = bench.id(&VOLUME, json!({ "availability_zone": "us-east-1a", "size": 8 }));
    let input = json!({ "volume_id": volume, "snapshot_name": "data" });
    let first = bench.call(&KEEP, input.clone()).unwrap();
    assert_eq!(bench.call(&KEEP, input).unwrap(), first, "doing it again makes no second one");
    let found = bench.call(&DESCRIBE, json!({})).unwrap();
    assert_eq!(found["snapshots"].as_array().map(Vec::len), Some(1));
    assert_eq!(found["snapshots"][0]["tags"], json!({ "Name": "data", "runbook:kept": volume }));
    let settle = KEEP.settle.unwrap();
    assert!(matches!((settle.judge)(&found), runbook_modules::resource::Health::Pending(_)));
    bench.pass(60);
    let found = bench.call(&DESCRIBE, (settle.input)(&json!({}), &first)).unwrap();
    assert_eq!((settle.judge)(&found), runbook_modules::resource::Health::Ready);
}

#[test]
fn a_group_that_an_interface_holds_is_not_deleted_by_hand() {
    let mut bench = Bench::new();
    let vpc = bench.vpc("10.5.0.0/16");
    let subnet = bench.subnet(&vpc, "10.5.1.0/24");
    let group = bench.id(&SECURITY_GROUP, json!({ "vpc_id": vpc, "group_name": "k8s-web", "description": "d" }));
    let eni = bench.make(&NETWORK_INTERFACE, json!({ "subnet_id": subnet, "groups": [group] }));
    let gone = |bench: &mut Bench| {
        bench.call(&delete_security_group::DELETE, json!({ "group_id": group })).map(|_| ()).map_err(|e| e.code)
    };
    assert_eq!(gone(&mut bench), Err("DependencyViolation".to_owned()));
    assert_eq!(bench.delete(&NETWORK_INTERFACE, &eni), Ok(()));
    assert_eq!(gone(&mut bench), Ok(()));
}
