//! What a run makes and undo leaves, because it is the account's from then on.

use serde_json::Value;

use crate::{harness::Place, redis_ha::world};

const SCRIPT: &str = r#"const AWS = aws(#{ region: "us-east-1" });
step("off", || if AWS.account.get_region_opt_status(#{ region_name: "eu-south-1" }).region_opt_status != "DISABLED" { fail("on") });
step("on", || AWS.account.enable_region(#{ region_name: "eu-south-1" }));
step("on already", || AWS.account.enable_region(#{ region_name: "us-west-2" }));
step("vpc", || AWS.ec2.create_vpc(#{ cidr_block: "10.0.0.0/16" }));
"#;

#[test]
fn a_region_that_was_enabled_stays_enabled() {
    let place = Place::new();
    place.write("region.rhai", SCRIPT);
    place.expect(0, ["run", "region.rhai", "--sandbox", "--speed", "0", "-q"]);
    place.expect(0, ["verify", "latest"]);
    let said = place.expect(0, ["undo", "latest", "--yes"]);
    assert!(said.err.contains("eu-south-1") && said.err.contains("the account's"), "{}", said.err);
    let objects = world(&place)["objects"].as_array().cloned().unwrap_or_default();
    let left: Vec<&Value> = objects.iter().map(|object| &object["kind"]).collect();
    assert_eq!(left, ["account.region"], "only the region is left");
    let calls = world(&place)["calls"].as_array().cloned().unwrap_or_default();
    let ops: Vec<&str> = calls.iter().filter_map(|call| call["op"].as_str()).collect();
    assert!(!ops.contains(&"delete account.region"), "{ops:?}");
}
