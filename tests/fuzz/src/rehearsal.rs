//! A rehearsal file: its reading, and what its rules make of a small world in which each finds what sets it off.

use std::{collections::BTreeMap, sync::Arc};

use runbook_engine::error::Failure;
use runbook_modules::{
    k8s::types::id,
    sandbox::{
        answers::{self, Asked},
        controllers,
        helm::RELEASE,
        k8s::{CLUSTER, OBJECT},
        rehearsal::{Pattern, Rehearsal},
        sim::SimCall,
        target::ACCOUNT,
        world::{Object, World},
    },
    target::Place,
};
use serde_json::{Value, json};

use super::{customer, told};

const FILE: &str = "s.rehearsal.yaml";
const HERE: &str = "c1";
const CALLS: [&str; 4] = ["k8s.exec", "k8s.run_pod", "k8s.logs", "helm.template"];
/// As many rules and answers of a file are tried.
const MOST: usize = 12;

/// Reads it and insists:
///
/// * a mistake is told in words that can be shown, with a line of the file;
/// * read twice it is the same, and a pattern written and read is the same;
/// * what it makes, when it is time and when its reason is gone, is a world that can be kept and read again.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let rehearsal = match Rehearsal::parse(text, FILE) {
        Ok(rehearsal) => rehearsal,
        Err(unusable) => {
            let lines = customer::lines(text);
            assert!(unusable.line.is_none_or(|line| (1..=lines).contains(&line)), "of {lines} lines: {unusable:?}");
            assert!(unusable.file == FILE && !unusable.message.trim().is_empty(), "{unusable:?}");
            told::failure(&Failure::new("RB0445", unusable.to_string()), &[]);
            return customer::within(&unusable.to_string(), text);
        }
    };
    assert!(Rehearsal::parse(text, FILE).is_ok_and(|again| again == rehearsal), "read twice it is another");
    for pattern in patterns(&rehearsal) {
        assert_eq!(pattern.to_string().parse::<Pattern>().as_ref(), Ok(pattern), "written and read it is another");
    }
    let examples = rehearsal.examples.clone();
    lived(&Arc::new(rehearsal.with_params(examples)));
}

fn patterns(rehearsal: &Rehearsal) -> impl Iterator<Item = &Pattern> {
    let made = rehearsal.makes.iter().flat_map(|make| make.needs.iter().chain(&make.when.k8s));
    made.chain(rehearsal.answers.iter().flat_map(|answer| &answer.needs))
}

/// The rules at work: at once, a minute and a year later, and when what set them off is gone.
fn lived(rehearsal: &Arc<Rehearsal>) {
    let mut now = 1_800_000_000_000;
    let mut world = World::load(Vec::new(), rehearsal.clone()).expect("an empty world");
    set_off(&mut world, rehearsal, now);
    for later in [0, 60_000, 365 * 86_400_000] {
        now += later;
        step(&mut world, rehearsal, now);
    }
    asked(&world, rehearsal, now);
    let triggers: Vec<String> =
        world.everything().filter(|object| object.token == "trigger").map(Object::key).collect();
    for key in triggers {
        if let Some(mut object) = world.by_key(&key).cloned() {
            object.begin_deletion(now, "", now);
            world.put(object);
        }
    }
    for later in [0, 60_000, 365 * 86_400_000] {
        now += later;
        step(&mut world, rehearsal, now);
    }
}

/// One look of the controllers, and the world written and read.
fn step(world: &mut World, rehearsal: &Arc<Rehearsal>, now: i64) {
    if let Err(why) = controllers::advance(world, now) {
        assert!(!why.trim().is_empty(), "nothing is said");
    }
    let all: Vec<(String, Value)> = world
        .everything()
        .map(|object| (object.key(), serde_json::to_value(object).expect("an object can be written")))
        .collect();
    let read = World::load(all, rehearsal.clone()).expect("a world can be read");
    assert!(read.everything().eq(world.everything()), "written and read it is another world");
    world.kept();
}

/// A cluster, and in it for each rule what its globs mean.
fn set_off(world: &mut World, rehearsal: &Rehearsal, now: i64) {
    for cluster in [HERE, "c2"] {
        put(world, CLUSTER, cluster, cluster, json!({"name": cluster, "region": "us-east-1"}), "", now);
    }
    for make in rehearsal.makes.iter().take(MOST) {
        match (&make.when.k8s, &make.when.helm) {
            (Some(pattern), _) => stand(world, pattern, "trigger", now),
            (None, helm) => {
                let name = filled(helm.as_deref().unwrap_or_default());
                let (namespace, release) = name.split_once('/').unwrap_or(("default", &name));
                let values = json!({"replicas": 2, "nodes": 2, "replica": {"replicaCount": 2}});
                let body = json!({"release": release, "namespace": namespace, "revision": 1, "values": values});
                put(world, RELEASE, HERE, &format!("{namespace}/{release}"), body, "trigger", now);
            }
        }
        make.needs.iter().for_each(|pattern| stand(world, pattern, "", now));
    }
}

fn stand(world: &mut World, pattern: &Pattern, token: &str, now: i64) {
    let [kind, namespace, name] = [&pattern.kind, &pattern.namespace, &pattern.name].map(|glob| filled(glob));
    let body = json!({
        "apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": namespace, "uid": "u", "generation": 1},
        "spec": {"replicas": 1}, "status": {"observedGeneration": 1, "replicas": 1, "readyReplicas": 1, "updatedReplicas": 1, "availableReplicas": 1},
    });
    put(world, OBJECT, HERE, &id("apps/v1", &kind, &namespace, &name), body, token, now);
}

fn put(world: &mut World, kind: &str, place: &str, id: &str, body: Value, token: &str, now: i64) {
    world.put(Object {
        kind: kind.to_owned(),
        place: place.to_owned(),
        id: id.to_owned(),
        body,
        tags: BTreeMap::new(),
        token: token.to_owned(),
        input: Value::Null,
        refs: Vec::new(),
        owner: None,
        states: vec![(now, String::new())],
        gone_at: None,
    });
}

/// A text that a glob means.
fn filled(glob: &str) -> String {
    glob.replace(['*', '?'], "x")
}

/// Every call that its answers are for, as their globs want it.
fn asked(world: &World, rehearsal: &Rehearsal, now_ms: i64) {
    let (place, tags) = (Place { region: "us-east-1".to_owned(), ..Place::default() }, BTreeMap::new());
    let call =
        SimCall { place: &place, input: &Value::Null, token: "", tags: &tags, now_ms, account: ACCOUNT, doomed: false };
    for answer in rehearsal.answers.iter().take(MOST) {
        let Some(name) = CALLS.into_iter().find(|name| *name == answer.call) else { continue };
        let mut asked = Asked::new(name, HERE, &call, now_ms - 3_600_000);
        for (field, glob) in &answer.fits {
            asked = asked.with(field, &filled(glob.as_str().unwrap_or_default()));
        }
        for told in [answers::run(world, &asked).map(|value| value.to_string()), answers::text(world, &asked)] {
            if let Err(error) = told {
                assert!(!error.code.is_empty() && !error.message.trim().is_empty(), "{error:?}");
            }
        }
    }
}
