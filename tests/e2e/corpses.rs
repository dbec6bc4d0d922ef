//! What was taken and then failed for good: the error says why in the target's own words, a resume deletes what is left and makes it
//! again, once; undo leaves nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{harness::Place, redis_ha::world};

const SCRIPT: &str = r#"const AWS = aws(#{ region: "us-east-1" });
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ cidr_block: "10.0.0.0/16" }));
let subnets = step("subnets", || [["10.0.1.0/24", "us-east-1a"], ["10.0.2.0/24", "us-east-1b"]].map(|one|
    AWS.ec2.create_subnet(#{ vpc_id: vpc.id, cidr_block: one[0], availability_zone: one[1] }).id));
let role = step("role", || AWS.iam.create_role(#{
    role_name: "r", assume_role_policy_document: #{ Version: "2012-10-17", Statement: [] },
}));
step("way out", || {
    let gateway = AWS.ec2.create_internet_gateway(#{});
    AWS.ec2.attach_internet_gateway(#{ internet_gateway_id: gateway.id, vpc_id: vpc.id });
    let address = AWS.ec2.allocate_address(#{});
    AWS.ec2.create_nat_gateway(#{ subnet_id: subnets[0], allocation_id: address.id })
});
step("cluster", || AWS.eks.create_cluster(#{ name: "c", role_arn: role.arn, resources_vpc_config: #{ subnet_ids: subnets } }));
step("nodes", || AWS.eks.create_nodegroup(#{ cluster_name: "c", nodegroup_name: "n", node_role: role.arn, subnets: subnets }));
step("addon", || AWS.eks.create_addon(#{ cluster_name: "c", addon_name: "coredns" }));
step("settings", || AWS.eks.update_addon(#{
    cluster_name: "c", addon_name: "coredns", addon_version: "v1.14.0-eksbuild.2",
}));
step("balancer", || AWS.elbv2.create_load_balancer(#{ name: "web", subnets: subnets }));
step("certificate", || AWS.acm.request_certificate(#{ domain_name: "web.example.com" }));
step("databases", || {
    let group = AWS.rds.create_db_subnet_group(#{ db_subnet_group_name: "s", db_subnet_group_description: "s", subnet_ids: subnets });
    AWS.rds.create_db_instance(#{
        db_instance_identifier: "orders", db_instance_class: "db.t4g.medium", engine: "postgres", allocated_storage: 20,
        master_username: "app", manage_master_user_password: true, db_subnet_group_name: group.id, skip_final_snapshot: true,
    });
    AWS.rds.create_db_cluster(#{
        db_cluster_identifier: "notes", engine: "aurora-postgresql", master_username: "app", manage_master_user_password: true,
        db_subnet_group_name: group.id, skip_final_snapshot: true,
    })
});
"#;

/// What can fail after it was taken: how it is made, and what is said of it then.
const KINDS: [(&str, &str, &str); 8] = [
    ("ec2.create_nat_gateway", "ec2.nat_gateway", "insufficient free addresses"),
    ("eks.create_cluster", "eks.cluster", "FAILED: InsufficientFreeAddresses: One or more of the subnets"),
    ("eks.create_nodegroup", "eks.nodegroup", "CREATE_FAILED: NodeCreationFailure: Instances failed to join"),
    ("eks.create_addon", "eks.addon", "CREATE_FAILED: ConfigurationConflict: Conflicts found"),
    ("elbv2.create_load_balancer", "elbv2.load_balancer", "not enough free IP addresses"),
    ("acm.request_certificate", "acm.certificate", "FAILED: ADDITIONAL_VERIFICATION_REQUIRED"),
    (
        "rds.create_db_instance",
        "rds.db_instance",
        "incompatible-network: The DB instance is in an incompatible network",
    ),
    ("rds.create_db_cluster", "rds.db_cluster", "inaccessible-encryption-credentials: The KMS key"),
];

fn calls(place: &Place) -> Vec<Value> {
    world(place)["calls"].as_array().cloned().unwrap_or_default()
}

fn count(place: &Place, op: &str) -> usize {
    calls(place).iter().filter(|call| call["op"] == op && call["outcome"] != "InjectedFault").count()
}

/// How many stand of each kind.
fn standing(place: &Place) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for object in world(place)["objects"].as_array().into_iter().flatten() {
        *counts.entry(object["kind"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    counts
}

const RUN: [&str; 5] = ["run", "all.rhai", "--sandbox", "--speed", "0"];

fn written() -> Place {
    let place = Place::new();
    place.write("all.rhai", SCRIPT);
    place
}

/// A run in which the creation by `op` has failed after it was taken.
fn failed(calm: &Place, op: &str, words: &str) -> Place {
    let n = calls(calm).iter().position(|call| call["op"] == op).map(|at| at + 1).expect(op);
    let place = written();
    let said = place.expect(1, RUN.into_iter().chain(["--fault", &format!("fails:{n}")]));
    let text = said.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("RB0416") && text.contains("did not become usable"), "{op}: {}", said.err);
    assert!(text.contains(words), "{op}: {}", said.err);
    place
}

#[test]
fn what_failed_after_it_was_taken_is_deleted_and_made_again_once() {
    let calm = written();
    calm.expect(0, RUN);
    for (op, kind, words) in KINDS {
        let place = failed(&calm, op, words);
        assert_eq!(standing(&place).get(kind), Some(&1), "{op}: what is left stands, and is owned");
        place.expect(0, ["resume", "latest"]);
        assert_eq!(standing(&place), standing(&calm), "{op}");
        assert_eq!((count(&place, op), count(&place, &format!("delete {kind}"))), (2, 1), "{op}: {:#?}", calls(&place));
        place.expect(0, ["verify", "latest"]);
        place.expect(0, ["undo", "latest", "--yes"]);
        assert_eq!(world(&place)["objects"], json!([]), "{op}");

        let place = failed(&calm, op, words);
        place.expect(0, ["undo", "latest", "--yes"]);
        assert_eq!(world(&place)["objects"], json!([]), "{op}: undone without a resume");
    }
}

#[test]
fn it_is_made_again_once_whenever_the_process_dies() {
    let calm = written();
    calm.expect(0, RUN);
    let (op, kind, words) = KINDS[2];
    // Its deletion comes first, its second creation next.
    for (fault, after) in [
        ("kill-before", 1),
        ("kill-after", 1),
        ("lost", 1),
        ("kill-before", 2),
        ("kill-after", 2),
        ("lost", 2),
        ("fails", 2),
    ] {
        let place = failed(&calm, op, words);
        let fault = format!("{fault}:{}", calls(&place).len() + after);
        let said = place.run(["resume", "latest", "--fault", &fault]);
        if said.code != 0 {
            place.expect(0, ["resume", "latest"]);
        }
        assert_eq!(standing(&place), standing(&calm), "{fault}: {}", said.err);
        assert_eq!(standing(&place)[kind], 1, "{fault}");
        place.expect(0, ["undo", "latest", "--yes"]);
        assert_eq!(world(&place)["objects"], json!([]), "{fault}");
    }
}

#[test]
fn a_change_that_did_not_come_through_is_made_again_and_put_back_once() {
    let calm = written();
    calm.expect(0, RUN);
    let (op, back) = ("eks.update_addon", "delete eks.addon_settings");
    let place = failed(&calm, op, "ConfigurationConflict: Conflicts found");
    place.expect(0, ["resume", "latest"]);
    assert_eq!((count(&place, op), count(&place, back)), (2, 0), "the old version stood: {:#?}", calls(&place));
    place.expect(0, ["verify", "latest"]);
    place.expect(0, ["undo", "latest", "--yes"]);
    assert_eq!((&world(&place)["objects"], count(&place, back)), (&json!([]), 1));
}

#[test]
fn a_call_whose_work_cannot_fail_so_is_refused() {
    let place = written();
    let said = place.expect(1, RUN.into_iter().chain(["--fault", "fails:1"]));
    assert!(said.err.contains("InjectedFault"), "{}", said.err);
}
