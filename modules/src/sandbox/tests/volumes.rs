//! Volumes that stand before their claims.

use serde_json::{Value, json};

use super::Bench;
use crate::{
    k8s::{object::Object, operations},
    resource::Kind,
    sandbox::world::Object as Thing,
};

fn volume(name: &str, class: &str, zone: &str) -> Value {
    let zone = json!({"key": "topology.ebs.csi.aws.com/zone", "operator": "In", "values": [zone]});
    json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": class,
            "persistentVolumeReclaimPolicy": "Retain", "csi": {"driver": "ebs.csi.aws.com", "volumeHandle": "vol-1"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [zone]}]}},
        },
    })
}

fn claim(name: &str, class: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": class, "resources": {"requests": {"storage": "1Gi"}}},
    })
}

fn phase(bench: &Bench, kind: &str, name: &str) -> String {
    let found = bench.call(&operations::GET, json!({"kind": kind, "name": name})).unwrap();
    found["status"]["phase"].as_str().unwrap_or_default().to_owned()
}

fn disk(bench: &Bench) -> String {
    let mut state = String::new();
    bench.edit(|world, now| state = world.get("ec2.volume", "us-east-1", "vol-1", now).unwrap().state(now).to_owned());
    state
}

#[test]
fn a_claim_takes_a_volume_of_its_class_and_leaves_it_behind() {
    let bench = Bench::with_cluster("");
    bench.edit(|world, now| {
        world.put(Thing {
            kind: "ec2.volume".into(),
            place: "us-east-1".into(),
            id: "vol-1".into(),
            body: json!({}),
            tags: Default::default(),
            token: String::new(),
            input: Value::Null,
            refs: Vec::new(),
            owner: None,
            states: vec![(now, "available".into())],
            gone_at: None,
        });
    });
    bench.create(&Object, "c", claim("data", "manual")).unwrap();
    bench.pass(60);
    assert_eq!(phase(&bench, "PersistentVolumeClaim", "data"), "Pending", "no class makes a volume for it");
    bench.create(&Object, "v", volume("v1", "manual", "us-east-1b")).unwrap();
    bench.pass(10);
    assert_eq!(phase(&bench, "PersistentVolumeClaim", "data"), "Bound");
    assert_eq!((phase(&bench, "PersistentVolume", "v1"), disk(&bench)), ("Bound".into(), "in-use".into()));

    let labels = json!({"app": "db"});
    let volumes = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]);
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "db"}, "spec": {"selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "db", "image": "i"}], "volumes": volumes}}},
    });
    bench.create(&Object, "d", deployment).unwrap();
    bench.pass(30);
    let pods = bench.call(&operations::LIST, json!({"kind": "Pod", "label_selector": "app=db"})).unwrap();
    assert_eq!(
        (&pods[0]["spec"]["nodeName"], &pods[0]["status"]["phase"]),
        (&json!("n2"), &json!("Running")),
        "the zone's node"
    );

    bench.call(&operations::DELETE, json!({"kind": "Deployment", "name": "db"})).unwrap();
    let at = Object.locate(&claim("data", "manual"), &Value::Null).unwrap();
    bench.delete(&Object, &at, None).unwrap();
    bench.pass(30);
    assert_eq!((phase(&bench, "PersistentVolume", "v1"), disk(&bench)), ("Released".into(), "available".into()));
}
