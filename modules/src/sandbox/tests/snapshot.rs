//! Two worlds compared.

use serde_json::{Value, json};

use super::{Bench, simple::NET};
use crate::{
    k8s::object::Object,
    sandbox::snapshot::{by_effect, snapshot},
};

fn build(run: &str, first: &[&str]) -> Bench {
    let mut bench = Bench::with_cluster("");
    bench.run = run.into();
    // Other ids, another order, another time.
    for token in first {
        let at = json!({"net_id": bench.create(&NET, &format!("{run}{token}"), json!({"cidr": "x"})).unwrap()["id"]});
        bench.delete(&NET, &at, None).unwrap();
    }
    let net = bench.create(&NET, &format!("{run}1"), json!({"cidr": "10.0.0.0/16"})).unwrap();
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"net": net["id"]}});
    bench.create(&Object, &format!("{run}2"), map).unwrap();
    let labels = json!({"app": "web"});
    let mut web = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "web"}});
    web["spec"] = json!({"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {}}, "volumeClaimTemplates": [
        {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "8Gi"}}}},
    ]});
    bench.create(&Object, &format!("{run}3"), web).unwrap();
    bench
}

#[test]
fn two_runs_of_the_same_leave_the_same_world() {
    let one = snapshot(&*build("run-a", &[]).store).unwrap();
    let other = snapshot(&*build("run-b", &["x", "y", "z"]).store).unwrap();
    let lines = |world: &Value| world.as_array().unwrap().iter().map(Value::to_string).collect::<Vec<_>>();
    assert_eq!(lines(&one), lines(&other));
    assert!(one.to_string().contains("10.0.0.0/16"), "what was asked for stays");
}

#[test]
fn a_duplicate_shows_in_the_world_and_by_its_effect() {
    let bench = build("run-a", &[]);
    let before = snapshot(&*bench.store).unwrap();
    assert!(by_effect(&*bench.store, Some("run-a")).unwrap().values().all(|keys| keys.len() == 1));
    let mut again = None;
    bench.edit(|world, now| {
        let net = world.list("t.net", "us-east-1", now).next().unwrap().clone();
        again = net.tags.get(crate::target::EFFECT_TAG).cloned();
        let id = world.new_id("net-");
        world.put(crate::sandbox::world::Object { id, ..net });
    });
    let effects = by_effect(&*bench.store, Some("run-a")).unwrap();
    assert_eq!(effects[&again.unwrap()].len(), 2);
    assert_ne!(snapshot(&*bench.store).unwrap(), before);
    assert!(by_effect(&*bench.store, Some("run-b")).unwrap().is_empty());
}
