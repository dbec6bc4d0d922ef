//! The sandbox's account: what stands, what others plant in it and take out again.

use std::collections::{BTreeMap, BTreeSet};

use runbook_state::world::World;
use serde_json::{Value, json};

use super::super::Tried;
use crate::harness::Place;

/// The stored world, by key (`kind|place|id`).
pub type Documents = BTreeMap<String, Value>;

/// A document of the world, or None to take it out.
pub type Change = (String, Option<Value>);

/// What the sandbox takes for something that stood before the run: nobody's work here.
const GIVEN: &str = "given";

/// What stands.
///
/// # Errors
/// When the world cannot be read.
pub fn documents(place: &Place) -> Tried<Documents> {
    let (_, documents) = open(place)?.load().map_err(|error| error.to_string())?;
    Ok(documents.into_iter().collect())
}

/// Does what somebody else does.
///
/// # Errors
/// When the world cannot be written.
pub fn change(place: &Place, changes: &[Change]) -> Tried<()> {
    let world = open(place)?;
    let version = world.version().map_err(|error| error.to_string())?;
    world.commit(version, changes).map_err(|error| error.to_string())?.ok_or("another process changed the world")?;
    Ok(())
}

fn open(place: &Place) -> Tried<World> {
    World::open(&place.state()).map_err(|error| error.to_string())
}

/// Something of somebody else's, that holds what stands under the keys `held`.
pub fn foreign(kind: &str, place: &str, id: &str, held: &[&str], mut body: Value) -> Change {
    body["id"] = id.into();
    let state = body["status"].as_str().unwrap_or_default().to_owned();
    let object = json!({
        "kind": kind, "place": place, "id": id, "body": body, "token": GIVEN, "refs": held, "states": [[0, state]],
    });
    (format!("{kind}|{place}|{id}"), Some(object))
}

/// The key of the one thing of a kind that the run made.
///
/// # Errors
/// When there is none.
pub fn key<'d>(documents: &'d Documents, kind: &str) -> Tried<&'d str> {
    let mut made = documents.iter().filter(|(_, body)| ours(body) && body["kind"] == kind);
    made.next().map(|(key, _)| key.as_str()).ok_or_else(|| format!("no {kind} was made"))
}

/// Whether a request of a run made it.
pub fn ours(object: &Value) -> bool {
    object["token"].as_str().is_some_and(|token| !token.is_empty() && token != GIVEN)
}

/// Whether it stands, with no end in sight.
pub fn stands(object: &Value) -> bool {
    object["kind"].is_string() && object["gone_at"].is_null()
}

/// Kind and id of all that runs made and that still stands.
pub fn left(documents: &Documents) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let left = documents.values().filter(|object| ours(object) && stands(object));
    left.map(|object| (text(&object["kind"]), text(&object["id"]))).collect()
}

/// Takes something out with all that goes with it or needs it.
pub fn without(documents: &Documents, key: &str) -> Vec<Change> {
    let mut gone = BTreeSet::from([key.to_owned()]);
    loop {
        let needs = |object: &Value| {
            let refs = object["refs"].as_array().into_iter().flatten().chain([&object["owner"]]);
            refs.filter_map(Value::as_str).any(|key| gone.contains(key))
        };
        let more: Vec<String> = documents
            .iter()
            .filter(|(key, object)| !gone.contains(*key) && needs(object))
            .map(|(key, _)| key.clone())
            .collect();
        if more.is_empty() {
            return gone.into_iter().map(|key| (key, None)).collect();
        }
        gone.extend(more);
    }
}
