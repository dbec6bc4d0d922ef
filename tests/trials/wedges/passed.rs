//! What must not hold an undo, nor what comes after it: each ends with nothing left, and without a name that clashes.

use serde_json::Value;

use super::{
    super::{Make, Tried, UNDO, expect, world},
    Ended,
    account::{change, documents, ours, stands, without},
    held::{RUN, Told, emptied, told},
    obstacles::theirs_held,
    scripts::{self, AWS},
};
use crate::harness::Place;

type One = fn(Make<'_>) -> Tried<Ended>;

/// All of them.
pub const ALL: &[(&str, One)] = &[
    ("a log group appears by itself", log_group),
    ("a secret and a key wait for the end of their deletion, and are made again", scheduled),
    ("a queue is made again within 60 s", queue),
    ("a resource was deleted by hand", by_hand),
    ("a service-linked role is shared", shared),
    ("a cluster is gone before its Kubernetes objects", without_cluster),
    ("a person lets go what a finalizer holds", let_go),
];

fn made(make: Make<'_>, script: &str) -> Tried<Place> {
    let place = make();
    place.write("s.rhai", script);
    expect(&place, 0, &RUN)?;
    Ok(place)
}

/// An undo that comes to its end.
fn undone(place: &Place) -> Tried<Told> {
    told(&expect(place, 0, &[&UNDO[..], &["--json"]].concat())?)
}

fn ended(minutes: f64, most: f64) -> Tried<Ended> {
    if minutes > most {
        return Err(format!("it took {minutes:.1} minutes, the most is {most}"));
    }
    Ok(Ended { minutes, left: 0 })
}

/// EKS makes it, so the run does not own it and leaves it; the next run takes it over, and its undo takes it away.
fn log_group(make: Make<'_>) -> Tried<Ended> {
    const GROUP: &str = "logs.log_group|us-east-1|/aws/eks/wedge/cluster";
    let place = made(make, &scripts::cluster("", scripts::LOGGING, ""))?;
    let before = documents(&place)?.remove(GROUP).ok_or("EKS made no log group")?;
    let minutes = undone(&place)?.minutes;
    if documents(&place)?.get(GROUP) != Some(&before) {
        return Err("the log group is not the run's and was not left as it was".to_owned());
    }
    let others = world(&place)?["objects"].as_array().map_or(0, Vec::len);
    if others != 1 {
        return Err(format!("{others} things are left, not the log group alone"));
    }
    place.write("s.rhai", &scripts::cluster(scripts::LOG_GROUP, scripts::LOGGING, ""));
    let said = expect(&place, 1, &RUN)?;
    if !said.err.contains("RB0410") {
        return Err(format!("a foreign log group was taken without a word:\n{}", said.err));
    }
    emptied_but(&place, 1)?;
    place.write("s.rhai", &scripts::cluster(scripts::ADOPTED_LOG_GROUP, scripts::LOGGING, ""));
    expect(&place, 0, &RUN)?;
    emptied(&place)?;
    ended(minutes, 10.0)
}

fn emptied_but(place: &Place, most: usize) -> Tried<()> {
    expect(place, 0, &UNDO)?;
    let left = world(place)?["objects"].clone();
    if left.as_array().map_or(0, Vec::len) == most { Ok(()) } else { Err(format!("left: {left}")) }
}

/// The secret's name is taken until its window is over; the refusal says so, and the run goes on once somebody has freed it.
fn scheduled(make: Make<'_>) -> Tried<Ended> {
    let place = made(make, &scripts::secret("recovery_window_in_days: 7"))?;
    let minutes = undone(&place)?.minutes;
    let said = expect(&place, 1, &RUN)?;
    for text in ["scheduled for deletion", "restore_secret", "force_delete_without_recovery"] {
        if !said.err.split_whitespace().collect::<Vec<_>>().join(" ").contains(text) {
            return Err(format!("no {text:?} in\n{}", said.err));
        }
    }
    let mut secrets = documents(&place)?;
    secrets.retain(|_, object| object["kind"] == "secretsmanager.secret");
    let ended_for_good = secrets.into_iter().map(|(key, mut object)| {
        object["body"]["recoverable_until_ms"] = Value::Null;
        (key, Some(object))
    });
    change(&place, &ended_for_good.collect::<Vec<_>>())?;
    expect(&place, 0, &["resume", "latest"])?;
    emptied(&place)?;
    ended(minutes, 1.0)
}

/// The second run waits for as long as SQS asks, and no longer than it must.
fn queue(make: Make<'_>) -> Tried<Ended> {
    let place = made(make, &[AWS, scripts::QUEUE].concat())?;
    undone(&place)?;
    let again = told(&expect(&place, 0, &["run", "s.rhai", "--sandbox", "--speed", "0", "--json"])?)?;
    if again.minutes < 0.9 {
        return Err(format!("it did not wait: {:.2} minutes", again.minutes));
    }
    emptied(&place)?;
    ended(again.minutes, 1.5)
}

/// Each resource of the network, with what needs it.
fn by_hand(make: Make<'_>) -> Tried<Ended> {
    let script = [AWS, scripts::NETWORK].concat();
    let keys = |place: &Place| -> Tried<Vec<String>> {
        Ok(documents(place)?.into_iter().filter(|(_, object)| ours(object)).map(|(key, _)| key).collect())
    };
    let count = keys(&made(make, &script)?)?.len();
    let mut minutes: f64 = 0.0;
    for nth in 0..count {
        let place = made(make, &script)?;
        let key = keys(&place)?.swap_remove(nth);
        change(&place, &without(&documents(&place)?, &key))?;
        minutes = minutes.max(undone(&place).map_err(|why| format!("{key}: {why}"))?.minutes);
        emptied(&place).map_err(|why| format!("{key}: {why}"))?;
    }
    ended(minutes, 5.0)
}

/// It stood before, so it stays, and that is said.
fn shared(make: Make<'_>) -> Tried<Ended> {
    const ROLE: &str = "AWSServiceRoleForEC2Spot";
    let place = make();
    place.write(
        "s.rehearsal.yaml",
        &format!(
            "given:\n  - {{ kind: iam.service_linked_role, id: {ROLE}, body: {{ aws_service_name: spot.amazonaws.com, role_name: {ROLE} }} }}\n"
        ),
    );
    place.write("s.rhai", &[AWS, scripts::SHARED_ROLE, scripts::QUEUE].concat());
    expect(&place, 0, &RUN)?;
    let told = undone(&place)?;
    let named = |kept: &Value| kept["id"] == ROLE && kept["why"].as_str().is_some_and(|why| why.contains("shared"));
    if !told.kept.iter().any(named) || told.kept.len() != 1 {
        return Err(format!("the role is not told as kept: {:?}", told.kept));
    }
    let stays = documents(&place)?.values().any(|object| object["id"] == ROLE && stands(object));
    if !stays {
        return Err("the shared role was deleted".to_owned());
    }
    emptied(&place)?;
    ended(told.minutes, 1.0)
}

/// Somebody deleted the cluster: its objects are gone with it, and nobody asks an API server that does not answer.
fn without_cluster(make: Make<'_>) -> Tried<Ended> {
    let place = made(make, &scripts::cluster("", "", scripts::NAMESPACE))?;
    let all = documents(&place)?;
    let mut gone = without(&all, "eks.cluster|us-east-1|wedge");
    let inside = all.keys().filter(|key| key.split('|').nth(1) == Some("wedge"));
    gone.extend(inside.map(|key| (key.clone(), None)));
    change(&place, &gone)?;
    let minutes = undone(&place)?.minutes;
    emptied(&place)?;
    ended(minutes, 5.0)
}

/// One script made and undone so many times in the same account: a bucket, a secret, a queue, a key with a name, a role.
///
/// # Errors
/// A name that clashes, or what is left.
pub fn cycles(make: Make<'_>, count: usize) -> Tried<()> {
    let bucket = "step(\"bucket\", || AWS.s3.create_bucket(#{ bucket: \"wedge-data\", encrypted_with: key.arn }));\n";
    let secret = scripts::secret("force_delete_without_recovery: true");
    let place = make();
    place.write("s.rhai", &[secret.as_str(), bucket, scripts::QUEUE, scripts::ROLE].concat());
    for cycle in 1..=count {
        let within = |why: String| format!("cycle {cycle}: {why}");
        expect(&place, 0, &RUN).map_err(within)?;
        emptied(&place).map_err(within)?;
    }
    Ok(())
}

/// Somebody's ConfigMap in the run's namespace, held by a finalizer that nobody removes: the undo that it holds up names the way out, which
/// takes that one object, and no namespace over the head of what it holds.
fn let_go(make: Make<'_>) -> Tried<Ended> {
    let place = made(make, &scripts::cluster("", "", scripts::NAMESPACE))?;
    change(&place, &theirs_held(&documents(&place)?)?)?;
    let held = told(&expect(&place, 7, &[&UNDO[..], &["--json"]].concat())?)?;
    let blockers: String = held.left.iter().map(|left| left["blockers"].to_string()).collect();
    let address = "k8s://wedge/v1/ConfigMap/wedge/theirs";
    if !blockers.contains(&format!("--also {address}`")) {
        return Err(format!("the way out is not named: {:?}", held.left));
    }
    let said = expect(&place, 7, &[&UNDO[..], &["--also", "k8s://wedge/v1/Namespace//wedge"]].concat())?;
    if !said.err.contains("NamespaceHolds") {
        return Err(format!("the namespace was let go:\n{}", said.err));
    }
    let wrong = expect(&place, 1, &[&UNDO[..], &["--also", "k8s://other/v1/ConfigMap/wedge/theirs"]].concat())?;
    if !wrong.err.contains("RB0504") {
        return Err(format!("another cluster's address is no mistake:\n{}", wrong.err));
    }
    let minutes = told(&expect(&place, 0, &[&UNDO[..], &["--json", "--also", address]].concat())?)?.minutes;
    let left = &world(&place)?["objects"];
    if !left.as_array().is_some_and(Vec::is_empty) {
        return Err(format!("left: {left}"));
    }
    ended(minutes, 15.0)
}
