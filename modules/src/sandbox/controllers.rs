//! What controllers would make, out of the rehearsal file: noticed, done when it is due, and undone when its reason goes.
//!
//! Each standing trigger of a rule has a record in the world (kind [`RECORD`]), so a new process goes on where the last one was.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    helm::RELEASE,
    k8s::{CLUSTER, OBJECT, apply, delete, settle::settle},
    rehearsal::{Make, OnDelete, Pattern, glob},
    simple::{begin_deletion, merge},
    template::{Scope, aws_object, identity, is_ready},
    world::{Object, World, key},
};
use crate::k8s::types::text;

/// World objects of this kind say what a rule has made for a trigger; the place is the trigger's cluster.
pub const RECORD: &str = "rehearsal.make";

/// What a rule has done for one trigger.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Work {
    rule: String,
    trigger: String,
    due: i64,
    done: bool,
    /// When what was made goes.
    gone_due: Option<i64>,
    over: bool,
    made: Vec<String>,
}

/// Does what is due by now, in the order of its times; what is still to come stands in the records.
///
/// # Errors
/// An expression of the rehearsal file without a value; its rule is then over, so that the next call goes on.
pub fn advance(world: &mut World, now_ms: i64) -> Result<(), String> {
    if world.rehearsal.makes.is_empty() {
        return Ok(());
    }
    let rehearsal = world.rehearsal.clone();
    let rules: Vec<(String, &Make)> = rehearsal.makes.iter().map(|make| (name_of(make), make)).collect();
    for _ in 0..200 {
        for (name, rule) in &rules {
            notice(world, name, rule, now_ms)?;
        }
        let Some((id, cluster, work, at)) = next(world, &rules, now_ms)? else { return Ok(()) };
        let Some((_, rule)) = rules.iter().find(|(name, _)| *name == work.rule) else { return Ok(()) };
        let work =
            if work.done { unmake(world, &cluster, rule, work, at) } else { make(world, &cluster, rule, work, at) };
        let (work, problem) = match work {
            Ok(work) => (work, None),
            Err((work, problem)) => (Work { done: true, over: true, ..work }, Some(problem)),
        };
        keep(world, &cluster, &id, &work, at);
        if let Some(problem) = problem {
            return Err(problem);
        }
    }
    Ok(())
}

/// What a release still waits for its controllers to make, and the keys of what was made for it.
pub fn made_by(world: &World, release: &Object) -> (Vec<String>, Vec<String>) {
    let trigger = trigger_of(release);
    let mut waiting = Vec::new();
    let mut made = Vec::new();
    for record in world.stored(RECORD, &release.place) {
        let Some(work) = work(record).filter(|work| work.trigger == trigger) else { continue };
        let objects = world.rehearsal.makes.iter().any(|make| !make.objects.is_empty() && name_of(make) == work.rule);
        if objects && !work.done {
            waiting.push("its objects".to_owned());
        }
        made.extend(work.made);
    }
    waiting.dedup();
    (waiting, made)
}

fn work(record: &Object) -> Option<Work> {
    serde_json::from_value(record.body.clone()).ok()
}

fn keep(world: &mut World, cluster: &str, id: &str, work: &Work, now_ms: i64) {
    let Ok(body) = serde_json::to_value(work) else { return };
    let due = match (work.over, work.done, work.gone_due) {
        (true, ..) => None,
        (_, false, _) => Some(work.due),
        (_, true, gone) => gone,
    };
    let mut states = vec![(now_ms.min(due.unwrap_or(now_ms)), String::new())];
    states.extend(due.map(|due| (due, "due".to_owned())));
    world.put(Object {
        kind: RECORD.to_owned(),
        place: cluster.to_owned(),
        id: id.to_owned(),
        body,
        tags: Default::default(),
        token: String::new(),
        input: Value::Null,
        refs: Vec::new(),
        owner: None,
        states,
        gone_at: None,
    });
}

/// A rule's name is its content: an edited file does not confuse what was done by the old one.
fn name_of(make: &Make) -> String {
    hex::encode(&Sha256::digest(format!("{make:?}"))[..6])
}

/// One life of a trigger: an object that is made anew is another one.
fn trigger_of(object: &Object) -> String {
    let life = match text(&object.body, "metadata.uid") {
        "" => object.body["revision"].to_string() + &object.token,
        uid => uid.to_owned(),
    };
    format!("{}#{life}", object.key())
}

fn stays(object: &Object) -> bool {
    object.gone_at.is_none() && text(&object.body, "metadata.deletionTimestamp").is_empty()
}

fn notice(world: &mut World, name: &str, rule: &Make, now_ms: i64) -> Result<(), String> {
    let clusters: Vec<String> =
        world.everything().filter(|o| o.kind == CLUSTER && o.exists(now_ms)).map(|o| o.id.clone()).collect();
    for cluster in clusters {
        let scope = Scope::new(world, &cluster, now_ms);
        if !glob(&scope.words(&rule.when.cluster)?, &cluster) {
            continue;
        }
        let (kind, pattern) = match (&rule.when.k8s, &rule.when.helm) {
            (Some(pattern), _) => (OBJECT, scope.pattern(pattern)?),
            (None, helm) => {
                let text = scope.words(helm.as_deref().unwrap_or_default())?;
                let (namespace, release) = text.split_once('/').unwrap_or(("*", &text));
                let [kind, namespace, name] = ["Release", namespace, release].map(str::to_owned);
                (RELEASE, Pattern { cluster: None, kind, namespace, name })
            }
        };
        let mut found = Vec::new();
        for trigger in world.stored(kind, &cluster) {
            let (kind, namespace, object) = identity(trigger);
            if !pattern.fits(&cluster, &cluster, kind, namespace, object) {
                continue;
            }
            let id = format!("{name}/{}", trigger_of(trigger));
            let record = world.by_key(&key(RECORD, &cluster, &id)).and_then(work);
            if stays(trigger) && record.is_none() {
                let born = trigger.states.first().map_or(now_ms, |(from, _)| *from);
                let due = born + millis(rule.after.0);
                let work = Work {
                    rule: name.to_owned(),
                    trigger: trigger_of(trigger),
                    due,
                    done: false,
                    gone_due: None,
                    over: false,
                    made: Vec::new(),
                };
                found.push((id, work));
            } else if let Some(mut work) = record
                && !stays(trigger)
                && !work.over
                && work.gone_due.is_none()
            {
                let after = match rule.on_delete {
                    OnDelete::RemoveAfter(after) => millis(after),
                    OnDelete::Remove | OnDelete::Keep => 0,
                };
                work.over = !work.done;
                work.gone_due = Some(now_ms + after);
                found.push((id, work));
            }
        }
        for (id, work) in found {
            keep(world, &cluster, &id, &work, now_ms);
        }
    }
    Ok(())
}

type Due = (String, String, Work, i64);

/// The first record that is due and whose conditions hold, with the time at which it is done.
fn next(world: &World, rules: &[(String, &Make)], now_ms: i64) -> Result<Option<Due>, String> {
    let mut first: Option<Due> = None;
    for record in world.everything().filter(|o| o.kind == RECORD) {
        let Some(work) = work(record).filter(|work| !work.over) else { continue };
        let due = match (work.done, work.gone_due) {
            (false, _) => work.due,
            (true, Some(due)) => due,
            (true, None) => continue,
        };
        let Some((_, rule)) = rules.iter().find(|(name, _)| *name == work.rule) else { continue };
        if due > now_ms || first.as_ref().is_some_and(|(_, _, _, at)| *at <= due) {
            continue;
        }
        if let Some(at) = holds(world, &record.place, rule, &work, due, now_ms)? {
            first = Some((record.id.clone(), record.place.clone(), work, at));
        }
    }
    Ok(first)
}

/// When a rule's conditions hold: at the time that it is due, or only now.
fn holds(world: &World, cluster: &str, rule: &Make, work: &Work, due: i64, now_ms: i64) -> Result<Option<i64>, String> {
    for at in [due, now_ms] {
        let ready =
            !rule.when.ready || work.done || trigger(world, work).is_some_and(|object| is_ready(world, object, at));
        if ready && Scope::new(world, cluster, at).all_ready(&rule.needs)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

fn trigger<'a>(world: &'a World, work: &Work) -> Option<&'a Object> {
    world.by_key(work.trigger.rsplit_once('#').map_or(work.trigger.as_str(), |(key, _)| key))
}

type Made = Result<Work, (Work, String)>;

fn make(world: &mut World, cluster: &str, rule: &Make, mut work: Work, at: i64) -> Made {
    let Some(trigger) = trigger(world, &work).cloned() else { return Ok(Work { over: true, ..work }) };
    let rendered = {
        let (_, namespace, name) = identity(&trigger);
        let mut scope = Scope::new(world, cluster, at).with("name", name.into()).with("namespace", namespace.into());
        if trigger.kind == RELEASE {
            scope = scope.with("release", name.into()).with("values", trigger.body["values"].clone());
        } else {
            scope = scope.with("object", trigger.body.clone());
        }
        let list = |items: &[Value]| scope.render(&Value::Array(items.to_vec()));
        list(&rule.aws).and_then(|aws| Ok((aws, list(&rule.objects)?, scope.render(&rule.adds)?)))
    };
    let (aws, objects, adds) = match rendered {
        Ok(rendered) => rendered,
        Err(problem) => return Err((work, problem)),
    };
    for item in aws.as_array().into_iter().flatten() {
        match put_aws(world, cluster, item, at) {
            Ok(made) => work.made.extend(made),
            Err(problem) => return Err((work, problem)),
        }
    }
    for item in objects.as_array().into_iter().flatten() {
        if !item["metadata"].is_object() || !(item["spec"].is_object() || item["spec"].is_null()) {
            return Err((work, format!("an object needs metadata, and spec must be a map: {item}")));
        }
        for place in places(world, cluster, item, at) {
            work.made.extend(put_object(world, &place, &trigger, item, at));
        }
    }
    if trigger.kind == OBJECT && (!adds.is_null() || !rule.finalizers.is_empty()) {
        world.change(OBJECT, cluster, &trigger.id, |object| {
            merge(&mut object.body, adds);
            let mut list = delete::finalizers(&object.body);
            list.extend(rule.finalizers.iter().cloned());
            list.dedup();
            if !list.is_empty() {
                object.body["metadata"]["finalizers"] = list.into();
            }
        });
    }
    settle(world, cluster, at);
    Ok(Work { done: true, ..work })
}

fn unmake(world: &mut World, cluster: &str, rule: &Make, work: Work, at: i64) -> Made {
    if rule.on_delete != OnDelete::Keep {
        for key in work.made.iter().rev() {
            let Some(object) = world.by_key(key).filter(|o| o.gone_at.is_none()).cloned() else { continue };
            if object.kind == OBJECT {
                // One that is gone already needs no deletion.
                let _ = delete::delete(world, &object.place, &object.id, at);
            } else {
                begin_deletion(world, key, at, "", at);
            }
        }
    }
    if let Some(trigger) =
        trigger(world, &work).filter(|trigger| trigger.kind == OBJECT).map(|trigger| trigger.id.clone())
    {
        delete::remove_finalizers(world, cluster, &trigger, &rule.finalizers, at);
    }
    Ok(Work { over: true, ..work })
}

fn places(world: &World, cluster: &str, item: &Value, now_ms: i64) -> Vec<String> {
    match item.get("cluster").and_then(Value::as_str) {
        None => vec![cluster.to_owned()],
        Some(wanted) => {
            let clusters = world.everything().filter(|o| o.kind == CLUSTER && o.exists(now_ms));
            clusters.map(|o| o.id.clone()).filter(|name| glob(wanted, name)).collect()
        }
    }
}

fn put_object(world: &mut World, cluster: &str, trigger: &Object, item: &Value, at: i64) -> Option<String> {
    let mut object = item.clone();
    if let Value::Object(fields) = &mut object {
        fields.remove("cluster");
    }
    if trigger.kind == RELEASE {
        let mut mark = json!({"metadata": {
            "labels": {"app.kubernetes.io/managed-by": "Helm"},
            "annotations": {
                "meta.helm.sh/release-name": trigger.body["release"], "meta.helm.sh/release-namespace": trigger.body["namespace"],
            },
        }});
        merge(&mut mark, object);
        object = mark;
    }
    let kind = crate::k8s::types::builtin(text(&object, "kind"), None);
    if text(&object, "metadata.namespace").is_empty() && kind.is_none_or(|kind| kind.namespaced) {
        object["metadata"]["namespace"] = identity(trigger).1.into();
    }
    let path = |field: &str| text(&object, field).to_owned();
    let id =
        crate::k8s::types::id(&path("apiVersion"), &path("kind"), &path("metadata.namespace"), &path("metadata.name"));
    let made = key(OBJECT, cluster, &id);
    match world.get(OBJECT, cluster, &id, at).cloned() {
        Some(there) if trigger.kind == RELEASE => {
            let mut body = there.body;
            crate::k8s::patch::strategic(&mut body, &object);
            apply::update(world, cluster, &id, body, at);
        }
        Some(_) => return None,
        None => {
            apply::put(world, cluster, object, &Default::default(), "", at);
            settle(world, cluster, at);
        }
    }
    Some(made)
}

/// An AWS object as a controller makes it; None when it stands already.
fn put_aws(world: &mut World, cluster: &str, item: &Value, at: i64) -> Result<Option<String>, String> {
    let kind = text(item, "kind").to_owned();
    let region = world.get(CLUSTER, cluster, cluster, at).map(|c| c.body["region"].clone());
    let global = kind.starts_with("iam.") || kind.starts_with("route53.");
    let place = match (item.get("place").and_then(Value::as_str), global) {
        (Some(place), _) => place.to_owned(),
        (None, true) => String::new(),
        (None, false) => region.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned(),
    };
    let id = text(item, "id").to_owned();
    if kind.is_empty() || id.is_empty() {
        return Err(format!("an AWS object needs kind and id: {item}"));
    }
    if world.get(&kind, &place, &id, at).is_some() {
        return Ok(None);
    }
    let named = |reference: &str| -> Result<String, String> {
        let (kind, name) = reference.split_once(' ').ok_or_else(|| format!("`{reference}`: say KIND NAME"))?;
        let found =
            aws_object(world, region.as_ref(), kind, name, at).ok_or_else(|| format!("no {kind} {name} stands"))?;
        Ok(found.key())
    };
    let refs = item["refs"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let refs = refs.map(named).collect::<Result<Vec<_>, _>>()?;
    let owner = item.get("owner").and_then(Value::as_str).map(named).transpose()?;
    let mut body = item.get("body").cloned().unwrap_or_else(|| json!({}));
    body["id"] = id.as_str().into();
    let object = Object {
        kind,
        place,
        id,
        body,
        tags: serde_json::from_value(item["tags"].clone()).unwrap_or_default(),
        token: String::new(),
        input: Value::Null,
        refs,
        owner,
        states: vec![(at, text(item, "state").to_owned())],
        gone_at: None,
    };
    let made = object.key();
    world.put(object);
    Ok(Some(made))
}

fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2)
}
