//! What controllers would make, out of the rehearsal file: noticed, done when it is due, and undone when its reason goes.
//!
//! Each standing trigger of a rule has a record in the world (kind [`RECORD`]), so a new process goes on where the last one was.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    balancers,
    facts::{Moment, identity, is_ready},
    helm::RELEASE,
    k8s::{CLUSTER, OBJECT},
    making,
    rehearsal::{Make, OnDelete, Pattern, Rehearsal, glob},
    standard,
    template::Scope,
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
    /// It was taken away, and the finalizers stay until it is gone.
    #[serde(default)]
    leaving: bool,
    over: bool,
    made: Vec<String>,
}

/// Does what is due by now, in the order of its times; what is still to come stands in the records.
///
/// # Errors
/// An expression of the rehearsal file without a value; its rule is then over, so that the next call goes on.
pub fn advance(world: &mut World, now_ms: i64) -> Result<(), String> {
    let rehearsal = world.rehearsal.clone();
    making::give(world, &rehearsal.given, now_ms)?;
    if world.of_kind(CLUSTER).next().is_none() {
        return Ok(());
    }
    follow(world, &rehearsal, now_ms)?;
    balancers::advance(world, now_ms);
    Ok(())
}

/// Does what the rules say.
fn follow(world: &mut World, rehearsal: &Rehearsal, now_ms: i64) -> Result<(), String> {
    let rules: Vec<(String, &Make)> = rules(rehearsal).map(|make| (name_of(make), make)).collect();
    for _ in 0..200 {
        for (name, rule) in &rules {
            notice(world, name, rule, now_ms)?;
        }
        let Some((id, cluster, mut work, at)) = next(world, &rules, now_ms)? else { return Ok(()) };
        let Some((_, rule)) = rules.iter().find(|(name, _)| *name == work.rule) else { return Ok(()) };
        let trigger = trigger(world, &work).cloned();
        let mut problem = Ok(());
        match &trigger {
            _ if work.done => leave(world, &cluster, rule, trigger.as_ref(), &mut work, at),
            Some(trigger) => {
                problem = making::make(world, &cluster, rule, trigger, &mut work.made, at);
                work.over = problem.is_err();
            }
            None => work.over = true,
        }
        work.done = true;
        keep(world, &cluster, &id, &work, at);
        problem?;
    }
    Ok(())
}

/// Takes away what was made for a trigger, and lets the trigger go when that is gone.
fn leave(world: &mut World, cluster: &str, rule: &Make, trigger: Option<&Object>, work: &mut Work, at: i64) {
    if !work.leaving {
        making::unmake(world, rule, &work.made, at);
        work.leaving = true;
    }
    let held = trigger.filter(|trigger| making::holds_until_gone(rule, trigger));
    match held.map(|_| making::gone_at(world, &work.made)) {
        Some(None) => {}
        Some(Some(gone)) if gone > at => work.gone_due = Some(gone),
        _ => {
            making::let_go(world, cluster, rule, trigger, at);
            work.over = true;
        }
    }
}

/// The rules of every world and those of the rehearsal file.
fn rules(rehearsal: &Rehearsal) -> impl Iterator<Item = &Make> {
    standard::rules().iter().chain(&rehearsal.makes)
}

/// What a release still waits for its controllers to make, and the keys of what was made for it.
pub fn made_by(world: &World, release: &Object) -> (Vec<String>, Vec<String>) {
    let trigger = trigger_of(release);
    let mut waiting = Vec::new();
    let mut made = Vec::new();
    for record in world.stored(RECORD, &release.place) {
        let Some(work) = work(record).filter(|work| work.trigger == trigger) else { continue };
        let objects = rules(&world.rehearsal).any(|make| !make.objects.is_empty() && name_of(make) == work.rule);
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
    let clusters: Vec<String> = world.of_kind(CLUSTER).filter(|o| o.exists(now_ms)).map(|o| o.id.clone()).collect();
    for cluster in clusters {
        let moment = Moment { world, now_ms };
        let scope = Scope::new(&moment, &cluster);
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
                    leaving: false,
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
    for record in world.of_kind(RECORD) {
        let Some(work) = work(record).filter(|work| !work.over) else { continue };
        let due = match (work.done, work.gone_due) {
            (false, _) => work.due,
            (true, Some(due)) if !work.leaving => due,
            (true, Some(due)) => match making::gone_at(world, &work.made) {
                Some(gone) => due.max(gone),
                None => continue,
            },
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
        if ready && Scope::new(&Moment { world, now_ms: at }, cluster).all_ready(&rule.needs)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

fn trigger<'a>(world: &'a World, work: &Work) -> Option<&'a Object> {
    world.by_key(work.trigger.rsplit_once('#').map_or(work.trigger.as_str(), |(key, _)| key))
}

/// At most so long that a time can still be added.
fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).min(i64::MAX / 4)
}
