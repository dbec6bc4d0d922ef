//! A process that dies while it puts back what stood there before: it is put back once.

use serde_json::Value;

use crate::{harness::Place, redis_ha::world};

const ZONE: &str = r#"const AWS = aws(#{ region: "us-east-1" });
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ cidr_block: "10.0.0.0/16" }));
let zone = step("zone", || AWS.route53.create_hosted_zone(#{ name: "demo.local", vpc: #{ vpc_id: vpc.id, vpc_region: "us-east-1" } }));
step("record", || AWS.route53.upsert_record_set(#{
    hosted_zone_id: zone.id, name: "a.demo.local", type: "A", ttl: 60, resource_records: ["10.0.0.1"],
}));
output("zone", zone.id);
"#;
const CHANGE: &str = r#"const P = params(#{ zone: string() });
const AWS = aws(#{ region: "us-east-1" });
step("record", || AWS.route53.upsert_record_set(#{
    hosted_zone_id: P.zone, name: "a.demo.local", type: "A", ttl: 300, resource_records: ["10.0.0.2"],
}));
"#;

/// A record that one run has made and another one has changed.
fn changed() -> Place {
    let place = Place::new();
    place.write("zone.rhai", ZONE);
    place.write("change.rhai", CHANGE);
    place.expect(0, ["run", "zone.rhai", "--sandbox", "--speed", "0", "-q"]);
    let zone = place.expect(0, ["output", "latest", "zone"]).out;
    let param = format!("zone={}", zone.trim());
    place.expect(0, ["run", "change.rhai", "--sandbox", "--speed", "0", "-q", "-p", &param]);
    assert_eq!(ttl(&place), 300);
    place
}

fn ttl(place: &Place) -> Value {
    let world = world(place);
    let objects = world["objects"].as_array().cloned().unwrap_or_default();
    let record = objects
        .into_iter()
        .find(|object| object["kind"] == "route53.record_set" && object.to_string().contains("a.demo.local"));
    let text = record.expect("the record").to_string();
    if text.contains("\"ttl\":300") {
        300.into()
    } else {
        Value::from(if text.contains("\"ttl\":60") { 60 } else { 0 })
    }
}

fn calls(place: &Place) -> Vec<Value> {
    world(place)["calls"].as_array().cloned().unwrap_or_default()
}

#[test]
fn it_is_put_back_once_whenever_the_process_dies() {
    let n = calls(&changed()).len() + 1;
    for (fault, sent_again) in [("kill-before", true), ("kill-after", false), ("lost", false), ("drop", true)] {
        let place = changed();
        let said = place.run(["undo", "latest", "--yes", "-q", "--fault", &format!("{fault}:{n}")]);
        assert_eq!(said.code, if fault.starts_with("kill") { -1 } else { 0 }, "{fault}: {}", said.err);
        let said = place.expect(0, ["undo", "latest", "--yes"]);
        assert_eq!(ttl(&place), 60, "{fault}: {}", said.err);
        let later = calls(&place).len() + 1 - n;
        // One that kills before its call leaves no trace of it.
        let all = usize::from(fault != "kill-before") + usize::from(sent_again);
        assert_eq!(later, all, "{fault}: {:#?}", calls(&place));
    }
}
