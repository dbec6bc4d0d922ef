//! What controllers make when an object or a release stands (`makes:` of the rehearsal file), and its end.
//!
//! What was made for a trigger is remembered here, so it goes when the trigger goes, as it would with the controller itself.

use std::{collections::BTreeMap, sync::Arc};

use runbook_modules::sandbox::{
    making::Rendered,
    rehearsal::{Make, OnDelete, Pattern, glob},
    template::Scope,
};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep};

use super::{
    Rehearsed, aws,
    completed::completed,
    custom,
    facts::{Found, fits, is_ready, of_kind, rendered},
    kinds::Kinds,
    scaled,
};
use crate::standins::{
    cluster::Inside,
    kube_objects::{is_going, items, label, name, namespace, text},
};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(400);
/// Helm's records of releases.
const RELEASES: &str = "/api/v1/secrets?labelSelector=owner%3Dhelm%2Cstatus%3Ddeployed";

/// What a rule has done for one trigger.
#[derive(Debug)]
pub(super) struct Work {
    /// The trigger when it was last seen.
    pub trigger: Value,
    seen: Instant,
    going: Option<Instant>,
    /// Whether all was made.
    pub done: bool,
    over: bool,
    /// What was made, in its order.
    pub made: Vec<Made>,
    /// The paths of what was made and deleted again, but is not gone yet.
    leaving: Vec<String>,
}

/// Something that was made.
#[derive(Debug, Clone)]
pub(super) enum Made {
    /// A Kubernetes object: where it is, its kind and name.
    Object { path: String, kind: String, name: String },
    /// An AWS object: what is needed to take it away.
    Aws(String),
}

/// The work on all triggers, by rule and the trigger's UID.
pub(super) type Works = BTreeMap<(usize, String), Work>;

/// Works until the task is ended.
pub(crate) async fn run(inside: Arc<Inside>, rehearsed: Arc<Rehearsed>) {
    let inside = inside.with(inside.objects.as_manager("rehearsed"), inside.aws.as_agent("rehearsed"));
    let mut works = Works::new();
    loop {
        if let Err(why) = round(&inside, &rehearsed, &mut works).await {
            rehearsed.tell(&format!("{}: {why}", inside.name));
        }
        sleep(LOOK).await;
    }
}

async fn round(inside: &Inside, rehearsed: &Rehearsed, works: &mut Works) -> Result<(), String> {
    let kinds = Kinds::read(&inside.objects).await?;
    let mut found = Found::default();
    for (i, rule) in rehearsed.rehearsal.makes.iter().enumerate() {
        let standing = triggers(inside, rehearsed, &kinds, &mut found, rule).await?;
        notice(works, i, standing);
        let due: Vec<String> = works
            .iter()
            .filter(|((rule, _), work)| *rule == i && !work.over)
            .map(|((_, uid), _)| uid.clone())
            .collect();
        for uid in due {
            let Some(work) = works.get_mut(&(i, uid)) else { continue };
            let about = format!("{} {}", text(&work.trigger, "kind"), name(&work.trigger));
            if let Err(why) = attend(inside, rehearsed, &kinds, &mut found, rule, work).await {
                rehearsed.tell(&format!("for {about}: {why}"));
            }
        }
    }
    custom::answer(inside, rehearsed, &kinds, &mut found, works).await
}

/// What sets a rule off now. The objects of a release are in its chart; what else it sets off is done here.
async fn triggers(
    inside: &Inside, rehearsed: &Rehearsed, kinds: &Kinds, found: &mut Found, rule: &Make,
) -> Result<Vec<Value>, String> {
    if let Some(pattern) = &rule.when.k8s {
        let pattern = of_pattern(inside, rehearsed, kinds, found, pattern).await?;
        let all = of_kind(inside, kinds, found, &pattern.kind).await?;
        return Ok(all.iter().filter(|object| fits(&pattern, &inside.name, object)).cloned().collect());
    }
    let Some(release) = rule.when.helm.as_deref().filter(|_| !rule.aws.is_empty()) else { return Ok(Vec::new()) };
    let (wanted_in, wanted) = release.split_once('/').unwrap_or(("*", release));
    let secrets = inside.objects.list(RELEASES).await?;
    let fitting = |secret: &&Value| glob(wanted_in, namespace(secret)) && glob(wanted, label(secret, "name"));
    let release = |secret: &Value| {
        json!({"kind": "Release", "metadata": {
            "name": label(secret, "name"), "namespace": namespace(secret), "uid": format!("{}/{}", namespace(secret), label(secret, "name")),
        }})
    };
    Ok(secrets.iter().filter(fitting).map(release).collect())
}

async fn of_pattern(
    inside: &Inside, rehearsed: &Rehearsed, kinds: &Kinds, found: &mut Found, pattern: &Pattern,
) -> Result<Pattern, String> {
    rendered(inside, rehearsed, kinds, found, |live| Scope::new(live, &inside.name).pattern(pattern)).await
}

/// Brings the work on a rule's triggers up to date with what stands.
fn notice(works: &mut Works, rule: usize, standing: Vec<Value>) {
    let now = Instant::now();
    let mut there = Vec::new();
    for trigger in standing {
        let uid = text(&trigger, "metadata.uid").to_owned();
        let going = is_going(&trigger);
        there.push(uid.clone());
        match works.get_mut(&(rule, uid.clone())) {
            Some(work) => {
                work.trigger = trigger;
                if going {
                    work.going.get_or_insert(now);
                }
            }
            None if going => {}
            None => {
                let (made, leaving) = (Vec::new(), Vec::new());
                let work = Work { trigger, seen: now, going: None, done: false, over: false, made, leaving };
                works.insert((rule, uid), work);
            }
        }
    }
    for ((of, uid), work) in works.iter_mut() {
        if *of == rule && !there.contains(uid) {
            work.going.get_or_insert(now);
        }
    }
}

/// Does what is due for one trigger.
async fn attend(
    inside: &Inside, rehearsed: &Rehearsed, kinds: &Kinds, found: &mut Found, rule: &Make, work: &mut Work,
) -> Result<(), String> {
    let due = match (work.going, rule.on_delete) {
        (Some(_), _) if !work.done && work.made.is_empty() && !holds(rule, work) => {
            work.over = true;
            return Ok(());
        }
        (Some(since), OnDelete::RemoveAfter(after)) => since + scaled(after),
        (Some(since), _) => since,
        (None, _) if work.done => return Ok(()),
        (None, _) => work.seen + scaled(rule.after.0),
    };
    if Instant::now() < due || (rule.when.ready && work.going.is_none() && !is_ready(&work.trigger)) {
        return Ok(());
    }
    let needed =
        rendered(inside, rehearsed, kinds, found, |live| Scope::new(live, &inside.name).all_ready(&rule.needs));
    if !needed.await? {
        return Ok(());
    }
    if work.going.is_some() {
        unmake(inside, rule, work).await?;
        if lets_go_early(&work.trigger) || is_gone(inside, work).await? {
            let_go(inside, rule, work, kinds).await?;
            work.over = true;
        }
        return Ok(());
    }
    make(inside, rehearsed, kinds, found, rule, work).await?;
    work.done = true;
    Ok(())
}

/// Whether the trigger bears one of the rule's finalizers, put there by this rule or by whoever applied it.
fn holds(rule: &Make, work: &Work) -> bool {
    is_going(&work.trigger)
        && items(&work.trigger, "metadata.finalizers")
            .iter()
            .filter_map(Value::as_str)
            .any(|f| rule.finalizers.iter().any(|own| own == f))
}

async fn make(
    inside: &Inside, rehearsed: &Rehearsed, kinds: &Kinds, found: &mut Found, rule: &Make, work: &mut Work,
) -> Result<(), String> {
    let trigger = work.trigger.clone();
    let Rendered { aws, objects, adds } = rendered(inside, rehearsed, kinds, found, |live| {
        let scope = Scope::new(live, &inside.name);
        let scope = scope.with("name", name(&trigger).into()).with("namespace", namespace(&trigger).into());
        rule.rendered(&scope.with("object", trigger.clone()))
    })
    .await?;
    // Held before anything is made for it.
    if let Some(served) = kinds.of(&trigger) {
        let path = served.one(namespace(&trigger), name(&trigger));
        hold(inside, rule, &trigger, &path).await?;
        add(inside, &path, adds).await?;
    }
    for item in &aws {
        if let Some(handle) = aws::put(inside, item, &rehearsed.zones).await? {
            work.made.push(Made::Aws(handle));
        }
    }
    // A definition that was made a moment ago is not among the kinds yet.
    let mut kinds = kinds.clone();
    for item in objects {
        let mut object = completed(item);
        if kinds.of(&object).is_none() {
            kinds = Kinds::read(&inside.objects).await?;
        }
        let served = kinds.of(&object).ok_or_else(|| format!("{} is not served", text(&object, "kind")))?;
        if served.namespaced && namespace(&object).is_empty() {
            object["metadata"]["namespace"] = namespace(&trigger).into();
        }
        let path = served.one(namespace(&object), name(&object));
        let made = Made::Object { path: path.clone(), kind: served.kind.clone(), name: name(&object).to_owned() };
        if inside.objects.get(&path).await?.is_none() {
            inside.objects.apply(&path, &object).await?;
            work.made.push(made);
        }
    }
    Ok(())
}

async fn hold(inside: &Inside, rule: &Make, trigger: &Value, path: &str) -> Result<(), String> {
    let mut all: Vec<&str> = items(trigger, "metadata.finalizers").iter().filter_map(Value::as_str).collect();
    let more: Vec<&str> = rule.finalizers.iter().map(String::as_str).filter(|own| !all.contains(own)).collect();
    if more.is_empty() {
        return Ok(());
    }
    all.extend(more);
    inside.objects.merge(path, &json!({"metadata": {"finalizers": all}})).await.map(drop)
}

async fn add(inside: &Inside, path: &str, mut adds: Value) -> Result<(), String> {
    let Some(fields) = adds.as_object_mut() else { return Ok(()) };
    if let Some(status) = fields.remove("status") {
        inside.objects.merge(&format!("{path}/status"), &json!({"status": status})).await?;
    }
    if !fields.is_empty() {
        inside.objects.merge(path, &adds).await?;
    }
    Ok(())
}

/// Deletes what was made, newest first, each once.
async fn unmake(inside: &Inside, rule: &Make, work: &mut Work) -> Result<(), String> {
    if rule.on_delete == OnDelete::Keep {
        work.made.clear();
    }
    while let Some(last) = work.made.last() {
        match last {
            Made::Object { path, .. } => {
                if inside.objects.delete(path, false).await? {
                    work.leaving.push(path.clone());
                }
            }
            Made::Aws(handle) => aws::remove(inside, handle).await?,
        }
        work.made.pop();
    }
    Ok(())
}

/// Whether nothing is left of what was deleted: finalizers of its own, or what is in it, may hold it.
async fn is_gone(inside: &Inside, work: &mut Work) -> Result<bool, String> {
    while let Some(path) = work.leaving.last() {
        // One of the same name that nobody deletes is another one.
        if inside.objects.get(path).await?.is_some_and(|object| is_going(&object)) {
            return Ok(false);
        }
        work.leaving.pop();
    }
    Ok(true)
}

/// Whether its controller lets an object go when what it made for it is deleted, not when that is gone: Flux's for Kustomizations, that do
/// not say otherwise. Source: <https://fluxcd.io/flux/components/kustomize/kustomizations/#deletion-policy>.
fn lets_go_early(trigger: &Value) -> bool {
    text(trigger, "kind") == "Kustomization" && text(trigger, "spec.deletionPolicy") != "WaitForTermination"
}

/// Takes the rule's finalizers off the trigger.
async fn let_go(inside: &Inside, rule: &Make, work: &Work, kinds: &Kinds) -> Result<(), String> {
    let Some(served) = kinds.of(&work.trigger) else { return Ok(()) };
    let path = served.one(namespace(&work.trigger), name(&work.trigger));
    let Some(trigger) = inside.objects.get(&path).await? else { return Ok(()) };
    if text(&trigger, "metadata.uid") != text(&work.trigger, "metadata.uid") {
        return Ok(());
    }
    let all = items(&trigger, "metadata.finalizers");
    let left: Vec<&Value> = all.iter().filter(|f| !rule.finalizers.iter().any(|own| *f == own)).collect();
    if left.len() < all.len() {
        inside.objects.merge(&path, &json!({"metadata": {"finalizers": left}})).await?;
    }
    Ok(())
}
