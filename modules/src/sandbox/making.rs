//! What a rule of the rehearsal file makes when it is due, and how that goes away again.

use serde_json::{Value, json};

use super::{
    facts::{Moment, aws_object, identity},
    helm::RELEASE,
    k8s::{CLUSTER, OBJECT, apply, delete, settle::settle},
    rehearsal::{Make, OnDelete, glob},
    simple::{begin_deletion, merge},
    template::Scope,
    world::{Object, World, key},
};
use crate::k8s::{finalizers, types::text};

/// In the place of a token: it stood before the run.
const GIVEN: &str = "given";

/// Whether an object stood before the run: nobody's work here, and nobody's to take away.
pub fn is_given(object: &Object) -> bool {
    object.token == GIVEN
}

/// What a rule makes, with its texts rendered.
pub struct Rendered {
    /// AWS objects.
    pub aws: Vec<Value>,
    /// Kubernetes objects.
    pub objects: Vec<Value>,
    /// What is merged into the trigger.
    pub adds: Value,
}

impl Make {
    /// What it makes. The scope must know `name`, `namespace`, and `object` or `release` and `values`.
    ///
    /// # Errors
    /// An expression without a value, or an object that is none.
    pub fn rendered(&self, scope: &Scope<'_>) -> Result<Rendered, String> {
        let list = |items: &[Value]| match scope.render(&Value::Array(items.to_vec()))? {
            Value::Array(items) => Ok(items),
            other => Err(format!("{other} is no list")),
        };
        let rendered =
            Rendered { aws: list(&self.aws)?, objects: list(&self.objects)?, adds: scope.render(&self.adds)? };
        for item in &rendered.objects {
            if !item["metadata"].is_object() || !(item["spec"].is_object() || item["spec"].is_null()) {
                return Err(format!("an object needs metadata, and spec must be a map: {item}"));
            }
        }
        let adds = &rendered.adds;
        if !(adds.is_object() || adds.is_null()) || adds.get("metadata").is_some_and(|metadata| !metadata.is_object()) {
            return Err(format!("`adds` must be a map, and metadata in it too: {adds}"));
        }
        Ok(rendered)
    }
}

/// Makes what a rule says for a trigger; the keys of what was made are added to `made`.
///
/// # Errors
/// An expression without a value, or an object that is none.
pub(super) fn make(
    world: &mut World, cluster: &str, rule: &Make, trigger: &Object, made: &mut Vec<String>, at: i64,
) -> Result<(), String> {
    let Rendered { aws, objects, adds } = {
        let (_, namespace, name) = identity(trigger);
        let moment = Moment { world, now_ms: at };
        let scope = Scope::new(&moment, cluster).with("name", name.into()).with("namespace", namespace.into());
        let scope = match trigger.kind == RELEASE {
            true => scope.with("release", name.into()).with("values", trigger.body["values"].clone()),
            false => scope.with("object", trigger.body.clone()),
        };
        rule.rendered(&scope)?
    };
    for item in &aws {
        made.extend(put_aws(world, cluster, item, trigger.kind == RELEASE, at)?);
    }
    for item in &objects {
        for place in places(world, cluster, item, at) {
            made.extend(put_object(world, &place, trigger, item, at));
        }
    }
    if trigger.kind == OBJECT && (!adds.is_null() || !rule.finalizers.is_empty()) {
        world.change(OBJECT, cluster, &trigger.id, |object| {
            merge(&mut object.body, adds);
            let mut list = finalizers::of(&object.body);
            list.extend(rule.finalizers.iter().cloned());
            list.dedup();
            if !list.is_empty() {
                object.body["metadata"]["finalizers"] = list.into();
            }
        });
    }
    settle(world, cluster, at);
    Ok(())
}

/// Puts down what stands before the run, once: what was deleted since does not come back.
///
/// # Errors
/// An expression without a value, or an object that is none.
pub(super) fn give(world: &mut World, given: &[Value], at: i64) -> Result<(), String> {
    if given.is_empty() {
        return Ok(());
    }
    let items = Scope::new(&Moment { world, now_ms: at }, "").render(&Value::Array(given.to_vec()))?;
    for item in items.as_array().into_iter().flatten() {
        let stored = [text(item, "place"), ""]
            .iter()
            .any(|place| world.by_key(&key(text(item, "kind"), place, text(item, "id"))).is_some());
        if !stored && let Some(made) = put_aws(world, "", item, false, at)? {
            let object = world.by_key(&made).cloned();
            if let Some(object) = object {
                world.put(Object { token: GIVEN.to_owned(), ..object });
            }
        }
    }
    Ok(())
}

/// Takes away what was made for a trigger, newest first.
pub(super) fn unmake(world: &mut World, rule: &Make, made: &[String], at: i64) {
    if rule.on_delete == OnDelete::Keep {
        return;
    }
    for key in made.iter().rev() {
        let Some(object) = world.by_key(key).filter(|o| o.gone_at.is_none()).cloned() else { continue };
        if object.kind == OBJECT {
            // One that is gone already needs no deletion.
            let _ = delete::delete(world, &object.place, &object.id, at);
        } else {
            begin_deletion(world, key, at, "", at);
        }
    }
}

/// When the last of what was taken away is gone; None: finalizers of its own, or what is in it, still hold some of it.
pub(super) fn gone_at(world: &World, made: &[String]) -> Option<i64> {
    made.iter().filter_map(|key| world.by_key(key)).try_fold(0, |last: i64, object| match object.gone_at {
        Some(gone) => Some(last.max(gone)),
        // One of the same name that nobody deletes is another one.
        None => text(&object.body, "metadata.deletionTimestamp").is_empty().then_some(last),
    })
}

/// Whether a rule's controller holds a trigger by its finalizers until what it made is gone. Flux's for Kustomizations, that do not say
/// otherwise, lets go when that is deleted. Source: <https://fluxcd.io/flux/components/kustomize/kustomizations/#deletion-policy>.
pub(super) fn holds_until_gone(rule: &Make, trigger: &Object) -> bool {
    let early = text(&trigger.body, "kind") == "Kustomization"
        && text(&trigger.body, "spec.deletionPolicy") != "WaitForTermination";
    trigger.kind == OBJECT && !rule.finalizers.is_empty() && rule.on_delete != OnDelete::Keep && !early
}

/// Takes a rule's finalizers off a trigger.
pub(super) fn let_go(world: &mut World, cluster: &str, rule: &Make, trigger: Option<&Object>, at: i64) {
    if let Some(trigger) = trigger.filter(|trigger| trigger.kind == OBJECT) {
        delete::remove_finalizers(world, cluster, &trigger.id, &rule.finalizers, at);
    }
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

/// An AWS object as a controller makes it; None when it stands already. An upgraded release takes over (`again`) what was made
/// for the revision before.
fn put_aws(world: &mut World, cluster: &str, item: &Value, again: bool, at: i64) -> Result<Option<String>, String> {
    let kind = text(item, "kind").to_owned();
    let region = world.get(CLUSTER, cluster, cluster, at).map_or("", |c| text(&c.body, "region")).to_owned();
    let global = ["account.", "iam.", "route53.", "s3."].iter().any(|service| kind.starts_with(service));
    let place = match (item.get("place").and_then(Value::as_str), global) {
        (Some(place), _) => place.to_owned(),
        (None, true) => String::new(),
        (None, false) => region.clone(),
    };
    let id = text(item, "id").to_owned();
    if kind.is_empty() || id.is_empty() {
        return Err(format!("an AWS object needs kind and id: {item}"));
    }
    if let Some(there) = world.get(&kind, &place, &id, at) {
        return Ok((again && there.token.is_empty()).then(|| there.key()));
    }
    let named = |reference: &str| -> Result<String, String> {
        let (kind, name) = reference.split_once(' ').ok_or_else(|| format!("`{reference}`: say KIND NAME"))?;
        let found = aws_object(world, &region, kind, name, at).ok_or_else(|| format!("no {kind} {name} stands"))?;
        Ok(found.key())
    };
    let refs = item["refs"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let refs = refs.map(named).collect::<Result<Vec<_>, _>>()?;
    let owner = item.get("owner").and_then(Value::as_str).map(named).transpose()?;
    let mut body = item.get("body").cloned().unwrap_or_else(|| json!({}));
    if !body.is_object() {
        return Err(format!("the body of an AWS object must be a map: {item}"));
    }
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
