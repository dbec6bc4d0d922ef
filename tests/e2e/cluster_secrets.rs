//! Secrets that a cluster holds: a run that reads, copies and replaces one keeps no value of it in clear, and undo puts it back exactly.

use serde_json::Value;

use crate::{harness::Place, redis_ha::world};

/// A cluster with a Secret in it, as somebody else made it.
const THEIRS: &str = r#"const AWS = aws(#{ region: "us-east-1" });
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ cidr_block: "10.0.0.0/16" }));
let a = step("a", || AWS.ec2.create_subnet(#{ vpc_id: vpc.id, cidr_block: "10.0.1.0/24", availability_zone: "us-east-1a" }));
let b = step("b", || AWS.ec2.create_subnet(#{ vpc_id: vpc.id, cidr_block: "10.0.2.0/24", availability_zone: "us-east-1b" }));
let role = step("role", || AWS.iam.create_role(#{ role_name: "r", assume_role_policy_document: #{
    Version: "2012-10-17",
    Statement: [#{ Effect: "Allow", Action: "sts:AssumeRole", Principal: #{ Service: "eks.amazonaws.com" } }],
} }));
let cluster = step("cluster", || AWS.eks.create_cluster(#{
    name: "c", role_arn: role.arn, resources_vpc_config: #{ subnet_ids: [a.id, b.id] },
}));
step("secret", || k8s(cluster).apply(#{
    apiVersion: "v1", kind: "Secret", metadata: #{ name: "db", namespace: "default" },
    stringData: #{ user: "admin", password: "SENTINEL-of-the-cluster" },
}));
"#;
const OURS: &str = r#"let k = k8s(#{ name: "c", region: "us-east-1" });
let db = step("read", || k.get(#{ kind: "Secret", name: "db" }));
step("copy", || k.apply(#{
    apiVersion: "v1", kind: "Secret", metadata: #{ name: "copy", namespace: "default" },
    stringData: #{ password: db.stringData.password, url: "redis://:" + db.stringData.password },
}));
step("replace", || k.apply(#{
    apiVersion: "v1", kind: "Secret", metadata: #{ name: "db", namespace: "default" }, stringData: #{ user: "root" },
}));
let all = step("list", || k.list(#{ kind: "Secret", namespace: "default" }));
output("db", db);
print(`${db}`);
step("stops", || fail(`with ${db.stringData.password}`));
"#;

fn secret(place: &Place, name: &str) -> Value {
    let world = world(place);
    let objects = world["objects"].as_array().cloned().unwrap_or_default();
    let found = objects.into_iter().find(|object| object["body"]["metadata"]["name"] == name);
    found.map(|mut object| object["body"]["stringData"].take()).unwrap_or_default()
}

/// All that is said while `ours.rhai` runs, and told of it afterwards.
pub fn all_said(place: &Place) -> String {
    let asked = [
        &["run", "ours.rhai", "--sandbox", "--speed", "0"][..],
        &["show", "latest"],
        &["logs", "latest", "--json"],
        &["output", "latest", "db"],
    ];
    let told = asked.map(|args| place.run(args));
    told.map(|told| format!("{}\n{}\n", told.out, told.err)).concat()
}

#[test]
fn they_are_sealed_in_the_journal_and_put_back_exactly() {
    let place = Place::new();
    place.write("theirs.rhai", THEIRS);
    place.expect(0, ["run", "theirs.rhai", "--sandbox", "--speed", "0", "-q"]);
    let before = secret(&place, "db");
    assert_eq!(before["password"], "SENTINEL-of-the-cluster");
    // Their journal is not here: what is found then is ours.
    let state = place.state();
    for name in ["runs.db", "runs.db-wal", "runs.db-shm"] {
        let _ = std::fs::remove_file(state.join(name));
    }
    place.write("ours.rhai", OURS);
    let said = all_said(&place);
    assert!(said.contains("RB0323"), "{said}");
    let journal = std::fs::read(state.join("runs.db")).expect("the journal");
    for text in ["SENTINEL", "U0VOVElORU", "NFTlRJTkVM"] {
        assert!(!said.contains(text), "{text} was said:\n{said}");
        assert!(!journal.windows(text.len()).any(|window| window == text.as_bytes()), "{text} is in the journal");
    }
    assert_eq!(secret(&place, "db")["user"], "root");
    place.expect(0, ["undo", "latest", "--yes"]);
    assert_eq!(secret(&place, "db"), before, "not put back exactly");
    assert_eq!(secret(&place, "copy"), Value::Null);
}
