//! The status that well-known controllers write into their objects: the sandbox knows their words, and here they are written.

use std::time::Duration;

use runbook_modules::{
    k8s::{custom, health},
    resource::Health,
    sandbox::{
        k8s::custom::{ANSWERING_MS, told},
        rehearsal::Make,
    },
};
use serde_json::{Value, json};

use super::{
    Rehearsed,
    controllers::{Made, Work, Works},
    facts::{Found, of_kind},
    kinds::Kinds,
    scaled,
};
use crate::standins::{
    cluster::Inside,
    kube_objects::{at, is_going, name, namespace, text},
};

/// Writes the status of every custom resource whose controller is known, where it is not as it should be.
///
/// # Errors
/// The API server does not answer.
pub(super) async fn answer(
    inside: &Inside, rehearsed: &Rehearsed, kinds: &Kinds, found: &mut Found, works: &Works,
) -> Result<(), String> {
    for served in kinds.custom() {
        let all = of_kind(inside, kinds, found, &served.kind).await?.to_vec();
        for object in all.iter().filter(|object| kinds.of(object) == Some(served)) {
            let uid = text(object, "metadata.uid");
            let works = works.iter().filter(|(_, work)| text(&work.trigger, "metadata.uid") == uid);
            let own: Vec<(&Make, &Work)> =
                works.map(|((rule, _), work)| (&rehearsed.rehearsal.makes[*rule], work)).collect();
            let is_rehearsed = own.iter().any(|(rule, _)| !at(&rule.adds, "status").is_null());
            if is_going(object) || is_rehearsed || custom::judge(object).is_none() || is_new(object) {
                continue;
            }
            let mut waiting = Vec::new();
            if own.iter().any(|(rule, work)| !work.done && !rule.objects.is_empty()) {
                waiting.push("its objects".to_owned());
            }
            for made in own.iter().flat_map(|(_, work)| &work.made) {
                waiting.extend(why_not_ready(inside, kinds, found, made).await?);
            }
            let status = told(object, &waiting);
            if !contains(&object["status"], &status) {
                let path = format!("{}/status", served.one(namespace(object), name(object)));
                inside.objects.merge(&path, &json!({"status": status})).await?;
            }
        }
    }
    Ok(())
}

/// Whether its controller can have answered yet.
fn is_new(object: &Value) -> bool {
    let made: Option<jiff::Timestamp> = text(object, "metadata.creationTimestamp").parse().ok();
    let age = made.map(|made| jiff::Timestamp::now().duration_since(made)).and_then(|age| Duration::try_from(age).ok());
    age.is_some_and(|age| age < scaled(Duration::from_millis(ANSWERING_MS.unsigned_abs())))
}

async fn why_not_ready(
    inside: &Inside, kinds: &Kinds, found: &mut Found, made: &Made,
) -> Result<Option<String>, String> {
    let Made::Object { path, kind, name } = made else { return Ok(None) };
    let all = of_kind(inside, kinds, found, kind).await?;
    let listed = all.iter().find(|object| {
        kinds.of(object).is_some_and(|of| of.one(namespace(object), text(object, "metadata.name")) == *path)
    });
    let object = match listed {
        Some(object) => Some(object.clone()),
        // Made since they were listed.
        None => inside.objects.get(path).await?,
    };
    let why = match object.as_ref().map(health::judge) {
        None | Some(Health::Ready) => return Ok(None),
        Some(Health::Pending(why) | Health::Failed(why) | Health::Deleting(why)) => why,
    };
    Ok(Some(format!("{kind} {name}: {why}")))
}

/// Whether all that is wanted is there.
fn contains(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => {
            wanted.iter().all(|(key, value)| there.get(key).is_some_and(|there| contains(there, value)))
        }
        (Value::Array(there), Value::Array(wanted)) => {
            there.len() == wanted.len() && there.iter().zip(wanted).all(|(there, wanted)| contains(there, wanted))
        }
        (there, wanted) => there == wanted,
    }
}
