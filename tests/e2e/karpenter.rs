//! Reducto is undone when its Karpenter is gone: what that made is found by its tags, and nobody else's is touched.

use serde_json::json;

use crate::{
    harness::{Place, Said},
    reducto::{PASSING, calls, kinds, rehearsed, steps},
    trials::wedges::account::{Change, Documents, change, documents, key, stands, without},
};

const CONTROLLER: &str = "k8s.object|reducto-ai|apps/v1/Deployment/kube-system/karpenter";
const PODS: &str = "k8s.object|reducto-ai|v1/Pod/kube-system/karpenter-";

const CONSENT: [&str; 4] = [
    "--also",
    "k8s://reducto-ai/karpenter.sh/v1/NodePool//default",
    "--also",
    "k8s://reducto-ai/karpenter.k8s.aws/v1/EC2NodeClass//default",
];
/// What only looks like this cluster's pool: another cluster's, another region's, a person's.
const THEIRS: &str = r#"given:
  - kind: ec2.instance
    id: i-0theirs
    place: us-east-1
    state: running
    body: { instance_id: i-0theirs, state: { name: running } }
    tags: { karpenter.sh/nodepool: default, kubernetes.io/cluster/theirs: owned }
  - kind: ec2.launch_template
    id: lt-0theirs
    place: us-east-1
    body: { launch_template_id: lt-0theirs, name: karpenter.k8s.aws/2 }
    tags: { karpenter.sh/nodepool: default, kubernetes.io/cluster/theirs: owned }
  - kind: iam.instance_profile
    id: reducto-ai_elsewhere
    body: { instance_profile_name: reducto-ai_elsewhere, path: / }
    tags: { kubernetes.io/cluster/reducto-ai: owned, karpenter.k8s.aws/ec2nodeclass: default, topology.kubernetes.io/region: eu-west-1 }
  - kind: iam.instance_profile
    id: reducto-ai_by_hand
    body: { instance_profile_name: reducto-ai_by_hand, path: / }
"#;
/// The template of which Karpenter makes the instance.
const TEMPLATE: &str = r#"      - kind: ec2.launch_template
        id: lt-0sim${cluster}
        body: { launch_template_id: "lt-0sim${cluster}", name: karpenter.k8s.aws/1 }
        tags: { karpenter.sh/nodepool: default, "kubernetes.io/cluster/${cluster}": owned }
      - kind: ec2.instance
"#;
const MADE: [&str; 3] = ["ec2.instance", "ec2.launch_template", "iam.instance_profile"];

/// A run that is done, with all that Karpenter makes, and with others' things beside.
fn done() -> Place {
    let place = Place::new();
    rehearsed(&place, &[("given:\n", THEIRS), ("      - kind: ec2.instance\n", TEMPLATE)]);
    steps(&place, &PASSING);
    for kind in MADE {
        assert!(kinds(&place).contains(kind), "{kind}");
    }
    place
}

/// Somebody changes the world.
fn changed(place: &Place, how: impl Fn(&Documents) -> Vec<Change>) {
    let changes = how(&documents(place).expect("the world"));
    assert!(!changes.is_empty(), "nothing to change");
    change(place, &changes).expect("another world");
}

/// Somebody deletes the controller, and its pods go with it.
fn without_controller() -> Place {
    let place = done();
    changed(&place, |there| {
        let gone = there.keys().filter(|key| *key == CONTROLLER || key.starts_with(PODS));
        gone.map(|key| (key.clone(), None)).collect()
    });
    place
}

fn undo(place: &Place, code: i32, more: &[&str]) -> Said {
    place.expect(code, ["undo", "latest", "--yes"].iter().chain(more).copied())
}

/// Nothing is left of the run, and all of the others'.
fn ended(place: &Place) {
    assert_eq!(kinds(place).into_iter().collect::<Vec<_>>(), [""; 0], "undo left something");
    theirs_stand(place);
}

fn theirs_stand(place: &Place) {
    let there = documents(place).expect("the world");
    for key in [
        "ec2.instance|us-east-1|i-0theirs",
        "ec2.launch_template|us-east-1|lt-0theirs",
        "iam.instance_profile||reducto-ai_elsewhere",
        "iam.instance_profile||reducto-ai_by_hand",
    ] {
        assert!(there.get(key).is_some_and(stands), "{key}");
    }
}

#[test]
fn what_karpenter_made_goes_and_what_it_holds_needs_a_persons_word() {
    let place = without_controller();
    let said = undo(&place, 7, &[]);
    let told: String = said.err.split_whitespace().collect();
    for words in [
        "its instance i-0simreducto-ai is terminated",
        "its launch template karpenter.k8s.aws/1 is deleted",
        "its instance profile reducto-ai_karpenter is deleted",
        CONSENT[1],
        CONSENT[3],
    ] {
        assert!(told.contains(&words.replace(' ', "")), "no {words:?} in\n{}", said.err);
    }
    let left = kinds(&place);
    assert!(left.contains("eks.cluster") && !MADE.iter().any(|kind| left.contains(*kind)), "{left:?}");
    theirs_stand(&place);
    undo(&place, 0, &CONSENT);
    ended(&place);
}

#[test]
fn with_a_persons_word_one_undo_is_enough_wherever_it_is_killed() {
    let place = without_controller();
    undo(&place, 0, &CONSENT);
    ended(&place);
    let all = calls(&place);
    let of = |op: &str| all.iter().position(|call| call == op).map(|at| at + 1).unwrap_or_else(|| panic!("no {op}"));
    for (fault, op) in [
        ("kill-before", "ec2.terminate_instances"),
        ("kill-after", "ec2.terminate_instances"),
        ("lost", "ec2.terminate_instances"),
        ("kill-after", "ec2.delete_launch_template"),
        ("kill-before", "iam.delete_instance_profile"),
    ] {
        let place = without_controller();
        let fault = format!("{fault}:{}", of(op));
        let said = place.run(["undo", "latest", "--yes", "--fault", &fault].iter().chain(&CONSENT));
        assert_eq!(said.code == 0, fault.starts_with("lost"), "{fault}: {}", said.err);
        undo(&place, 0, &CONSENT);
        ended(&place);
    }
}

#[test]
fn a_controller_without_a_ready_pod_is_gone_too() {
    let place = done();
    changed(&place, |there| {
        let mut controller = there[CONTROLLER].clone();
        // Its new pods wait for it.
        let settings = json!([{ "name": "settings", "configMap": { "name": "gone" } }]);
        controller["body"]["spec"]["template"]["spec"]["volumes"] = settings;
        vec![(CONTROLLER.to_owned(), Some(controller))]
    });
    let said = undo(&place, 0, &CONSENT);
    assert!(said.err.contains("its instance i-0simreducto-ai is terminated"), "{}", said.err);
    ended(&place);
}

#[test]
fn where_the_controller_runs_it_does_the_work() {
    let place = done();
    undo(&place, 0, &[]);
    assert!(!calls(&place).contains(&"ec2.terminate_instances".to_owned()));
    theirs_stand(&place);
}

#[test]
fn what_a_cluster_that_is_gone_leaves_of_karpenter_goes() {
    let place = done();
    changed(&place, |there| {
        let inside =
            there.iter().filter(|(_, object)| object["place"] == "reducto-ai").map(|(key, _)| (key.clone(), None));
        let cluster = key(there, "eks.cluster").expect("a cluster");
        inside.chain(without(there, cluster)).collect()
    });
    let said = undo(&place, 7, &[]);
    assert!(said.err.contains("its instance i-0simreducto-ai is terminated"), "{}", said.err);
    let left = kinds(&place);
    assert!(!MADE.iter().any(|kind| left.contains(*kind)), "{left:?}");
    theirs_stand(&place);
}
