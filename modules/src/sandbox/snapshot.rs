//! A world in a form in which two of them can be compared, whatever ids, tokens, times and addresses they were given.
//!
//! For trials: the world after a crash and a resume must be the world of an undisturbed run. Duplicates and orphans are counted by
//! the ownership tag of the effect, out of the world itself, never out of our journal.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    controllers::RECORD,
    k8s::OBJECT,
    making::is_given,
    world::{Object, Store, World},
};
use crate::{
    k8s::types::text,
    target::{EFFECT_TAG, RUN_TAG, STEP_TAG},
};

/// All that is under way has come to its end by then.
const LATER_MS: i64 = 7 * 86_400_000;
/// Fields that differ from run to run.
const VOLATILE: &[&str] = &[
    "uid",
    "creationTimestamp",
    "resourceVersion",
    "deletionTimestamp",
    "generation",
    "change_id",
    "operation_id",
    "update_id",
    "created_at",
    "modified_at",
    "create_date",
    "launch_time",
    "attach_time",
    "caller_reference",
    "creator_request_id",
    "client_token",
    "client_request_token",
    "private_ip_address",
    "private_dns_name",
    "mac_address",
    "public_ip",
    "public_ips",
    "hostIP",
    "podIP",
    "nodeName",
    "providerID",
    "runbook/run",
    "runbook/effect",
];

/// The world that a store keeps, once all that is under way has come to its end: a list of objects, ids replaced by names.
///
/// # Errors
/// When the world cannot be read.
pub fn snapshot(store: &dyn Store) -> Result<Value, String> {
    let world = open(store)?;
    let now = world.clock + LATER_MS;
    let objects: Vec<&Object> =
        world.all(now).filter(|o| o.kind != RECORD && o.gone_at.is_none() && !is_given(o)).collect();
    let names = names(&objects);
    let mut list: Vec<Value> = objects.iter().map(|object| shown(object, &names, now)).collect();
    list.sort_by_key(Value::to_string);
    Ok(Value::Array(list))
}

/// The keys of what stands for each effect (value of its ownership tag), the run's or all runs'. More than one key for an effect
/// whose kind makes one resource is a duplicate; one for an effect that no journal knows is an orphan.
///
/// # Errors
/// When the world cannot be read.
pub fn by_effect(store: &dyn Store, run: Option<&str>) -> Result<BTreeMap<String, Vec<String>>, String> {
    let world = open(store)?;
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for object in world.all(world.clock + LATER_MS).filter(|o| o.gone_at.is_none()) {
        let ours = run.is_none_or(|run| object.tags.get(RUN_TAG).is_some_and(|tag| tag == run));
        if let Some(effect) = object.tags.get(EFFECT_TAG).filter(|_| ours) {
            found.entry(effect.clone()).or_default().push(object.key());
        }
    }
    Ok(found)
}

fn open(store: &dyn Store) -> Result<World, String> {
    let (_, documents) = store.load()?;
    World::load(documents, Default::default())
}

/// Names for the ids that were given out: first by what people call a thing, then by what it is made of, thrice, since one may be
/// made of another.
fn names(objects: &[&Object]) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for object in objects.iter().filter(|o| given_out(o)) {
        let called = object.tags.get("Name").or_else(|| object.tags.get(STEP_TAG));
        if let Some(called) = called {
            names.insert(object.id.clone(), format!("<{} {called}>", object.kind));
        }
    }
    for _ in 0..3 {
        let known = names.clone();
        for object in objects.iter().filter(|o| given_out(o) && !known.contains_key(&o.id)) {
            names.insert(object.id.clone(), format!("<{} {}>", object.kind, short(&made_of(object, &known))));
        }
    }
    tell_apart(objects, &mut names);
    names
}

/// What an object is made of, and what it goes away with.
fn made_of(object: &Object, known: &BTreeMap<String, String>) -> String {
    let owner = object.owner.as_deref().map(|owner| rename(owner, known)).unwrap_or_default();
    format!("{} {owner}", clean(&object.body, known, &object.id))
}

/// Two of the same name get numbers, in the order of what they are made of.
fn tell_apart(objects: &[&Object], names: &mut BTreeMap<String, String>) {
    let mut same: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let known = names.clone();
    for object in objects {
        if let Some(name) = known.get(&object.id) {
            let made_of = made_of(object, &known);
            let group = same.entry(name.clone()).or_default();
            if !group.iter().any(|(_, id)| *id == object.id) {
                group.push((made_of, object.id.clone()));
            }
        }
    }
    for (name, mut group) in same.into_iter().filter(|(_, group)| group.len() > 1) {
        group.sort();
        for (i, (_, id)) in group.into_iter().enumerate() {
            names.insert(id, format!("{name}#{}", i + 1));
        }
    }
}

/// Whether the id was given out, not chosen: it ends in `0` and 16 hexadecimal digits, or is a node's name or a volume's.
fn given_out(object: &Object) -> bool {
    generated(&object.id)
        || (object.kind == OBJECT && matches!(text(&object.body, "kind"), "Node" | "PersistentVolume"))
}

fn generated(id: &str) -> bool {
    let digits = id.len().checked_sub(17).and_then(|at| id.get(at..)).unwrap_or_default();
    digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn shown(object: &Object, names: &BTreeMap<String, String>, now_ms: i64) -> Value {
    let name = |text: &str| rename(text, names);
    let tags = object.tags.iter().filter(|(tag, _)| !matches!(tag.as_str(), RUN_TAG | EFFECT_TAG));
    let tags: Map<String, Value> = tags.map(|(tag, value)| (name(tag), name(value).into())).collect();
    let refs: BTreeSet<String> = object.refs.iter().map(|key| name(key)).collect();
    json!({
        "kind": object.kind, "place": object.place, "id": name(&object.id), "state": object.state(now_ms), "tags": tags,
        "refs": refs, "owner": object.owner.as_deref().map(name), "body": clean(&object.body, names, ""),
    })
}

fn clean(value: &Value, names: &BTreeMap<String, String>, own: &str) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| !VOLATILE.contains(&name.as_str()));
            Value::Object(kept.map(|(name, value)| (rename(name, names), clean(value, names, own))).collect())
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| clean(item, names, own)).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        Value::String(text) if !own.is_empty() => rename(&text.replace(own, "<itself>"), names).into(),
        Value::String(text) => rename(text, names).into(),
        other => other.clone(),
    }
}

/// A text with ids replaced by names; what else was given out or drawn (ids, uids, tokens, times, addresses) is blotted out.
fn rename(text: &str, names: &BTreeMap<String, String>) -> String {
    let mut out = text.to_owned();
    for (id, name) in names {
        if out.contains(id.as_str()) {
            out = out.replace(id.as_str(), name);
        }
    }
    blot(&out)
}

fn blot(text: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '_') {
            word.push(c);
            continue;
        }
        let cidr = c == '/' && word.matches('.').count() == 3;
        out.push_str(if cidr { word.as_str() } else { blotted(&word) });
        word.clear();
        if c != '\0' {
            out.push(c);
        }
    }
    out
}

fn blotted(word: &str) -> &str {
    let hex = |part: &str| {
        part.len() >= 15 && part.bytes().all(|b| b.is_ascii_hexdigit()) && part.bytes().any(|b| b.is_ascii_digit())
    };
    if generated(word) || word.split(['-', '.', ':', '_']).any(hex) || uuid(word) {
        return "<id>";
    }
    // Its last six characters are drawn.
    if word.starts_with("arn:aws:secretsmanager:") {
        return "<secret>";
    }
    if host(word) {
        return "<host>";
    }
    if word.len() >= 20 && word.as_bytes()[10] == b'T' && word.ends_with('Z') {
        return "<time>";
    }
    if word.parse::<std::net::Ipv4Addr>().is_ok() {
        return "<address>";
    }
    word
}

/// A host's name that is made of its address: `ip-10-5-3-6.eu-west-1.compute.internal`.
fn host(word: &str) -> bool {
    let name = word.split('.').next().and_then(|name| name.strip_prefix("ip-"));
    name.is_some_and(|name| name.replace('-', ".").parse::<std::net::Ipv4Addr>().is_ok())
}

fn uuid(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    parts.windows(5).any(|parts| {
        let lengths = parts.iter().map(|part| part.len());
        lengths.eq([8, 4, 4, 4, 12]) && parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_hexdigit()))
    })
}

fn short(text: &str) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(&Sha256::digest(text)[..4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_drawn_is_blotted_out_and_what_was_asked_for_stays() {
        assert_eq!(blot("arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-host-0a1b2c"), "<secret>");
        assert_eq!(blot("http://ip-10-5-3-6.eu-west-1.compute.internal"), "http://<host>");
        assert_eq!(blot("ip-ranges db-host 10.5.0.0/16"), "ip-ranges db-host 10.5.0.0/16");
    }
}
