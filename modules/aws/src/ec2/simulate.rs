//! What the simulated kinds share: looking at the world, changing a body, addresses, and the describe calls.

use runbook_modules::{
    error::CallError,
    sandbox::{
        sim::{SimCall, Simple},
        simple,
        world::{Object, World},
    },
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{cidr, filter};
pub use crate::simulate::body;
use crate::{row::Row, simulate::owned};

/// The zones of a region: six in us-east-1, three elsewhere.
pub fn zones(region: &str) -> Vec<String> {
    let letters = if region == "us-east-1" { "abcdef" } else { "abc" };
    letters.chars().map(|letter| format!("{region}{letter}")).collect()
}

/// The zone's id, as AWS makes them: `use1-az1` for `us-east-1a`. (In a real account the numbers are shuffled.)
pub fn zone_id(zone: &str) -> String {
    let letter = zone.chars().last().unwrap_or('a');
    let region = zone.trim_end_matches(letter);
    let mut parts = region.split('-');
    let area = parts.next().unwrap_or_default();
    let side: String = parts.next().unwrap_or_default().chars().take(1).collect();
    let number = parts.next().unwrap_or_default();
    format!("{area}{side}{number}-az{}", u32::from(letter) - u32::from('a') + 1)
}

/// An object of the call's region.
pub fn get<'w>(world: &'w World, call: &SimCall<'_>, kind: &str, id: &str) -> Option<&'w Object> {
    world.get(kind, &call.place.region, id, call.now_ms)
}

/// All objects of a kind in the call's region.
pub fn list<'w>(world: &'w World, call: &SimCall<'_>, kind: &str) -> impl Iterator<Item = &'w Object> + use<'w> {
    world.list(kind, &call.place.region, call.now_ms)
}

/// Changes the body of an object of the call's region. Nothing happens when it does not exist.
pub fn change(world: &mut World, call: &SimCall<'_>, kind: &str, id: &str, with: impl FnOnce(&mut Map<String, Value>)) {
    world.change(kind, &call.place.region, id, |object| {
        if let Value::Object(map) = &mut object.body {
            with(map);
        }
    });
}

/// Puts those of the fields that the input gives into a body.
pub fn overwrite(world: &mut World, call: &SimCall<'_>, kind: &str, id: &str, fields: &[&str]) {
    change(world, call, kind, id, |map| {
        let given = fields.iter().filter_map(|field| Some(((*field).to_owned(), call.input.get(*field)?.clone())));
        map.extend(given);
    });
}

/// Adds to a list in a body.
pub fn push(map: &mut Map<String, Value>, field: &str, entry: Value) {
    match map.get_mut(field).and_then(Value::as_array_mut) {
        Some(list) => list.push(entry),
        None => {
            map.insert(field.to_owned(), json!([entry]));
        }
    }
}

/// Takes out of a list in a body what the test says.
pub fn drop_entries(map: &mut Map<String, Value>, field: &str, gone: impl Fn(&Value) -> bool) {
    if let Some(list) = map.get_mut(field).and_then(Value::as_array_mut) {
        list.retain(|entry| !gone(entry));
    }
}

/// Puts an object that no request of ours made (a VPC's main route table), gone with its owner.
pub fn put_owned(world: &mut World, call: &SimCall<'_>, kind: &str, id: &str, owner: &Object, body: Value) {
    let refs = vec![owner.key()];
    world.put(owned(kind, &call.place.region, id, owner, body, refs));
}

/// A public address out of the range for benchmarks (198.18.0.0/15), always the same for an id.
pub fn public_ip(id: &str) -> String {
    let digest = Sha256::digest(id);
    format!("198.{}.{}.{}", 18 + digest[0] % 2, digest[1], 1 + digest[2] % 254)
}

/// The next free address of a subnet. AWS keeps the first four and the last.
pub fn private_ip(world: &World, call: &SimCall<'_>, subnet: &Object) -> Option<String> {
    let net = cidr::net(body(subnet, "cidr_block"))?;
    let taken: Vec<&str> = list(world, call, "ec2.network_interface")
        .filter(|eni| body(eni, "subnet_id") == subnet.id)
        .map(|eni| body(eni, "private_ip_address"))
        .collect();
    net.hosts().skip(3).map(|ip| ip.to_string()).find(|ip| !taken.contains(&ip.as_str()))
}

/// An ARN of the sandbox's account.
pub fn arn(call: &SimCall<'_>, noun: &str, id: &str) -> String {
    format!("arn:aws:ec2:{}:{}:{noun}/{id}", call.place.region, call.account)
}

/// A describe call of a kind: see [`describe_kind`].
///
/// # Errors
/// An id that does not exist, with the kind's own code; an unknown filter.
pub fn describe(
    row: &Row, world: &World, call: &SimCall<'_>, ids: &str, answer: &str, aliases: filter::Aliases,
) -> Result<Value, CallError> {
    describe_with(row, world, call, Vec::new(), (ids, answer), aliases)
}

/// As [`describe`], with further descriptions of things that are gone, which count as existing.
///
/// # Errors
/// As [`describe`].
pub fn describe_with(
    row: &Row, world: &World, call: &SimCall<'_>, gone: Vec<Value>, fields: (&str, &str), aliases: filter::Aliases,
) -> Result<Value, CallError> {
    let there = list(world, call, row.meta.name).map(|object| row.sim.description(object, call.now_ms));
    let kept = keep(there.chain(gone).collect(), row.sim, call, fields.0, aliases)?;
    Ok(json!({ fields.1: kept }))
}

/// Those of a kind that AWS still describes as `deleted` so many milliseconds after they are gone.
pub fn gone(row: &Row, world: &World, call: &SimCall<'_>, for_ms: i64) -> Vec<Value> {
    let lately = |at: i64| (at..at + for_ms).contains(&call.now_ms);
    let gone = world.stored(row.meta.name, &call.place.region).filter(|object| object.gone_at.is_some_and(lately));
    let described = |object: &Object| {
        let mut described = row.sim.description(object, call.now_ms);
        simple::set(&mut described, row.sim.state_field, "deleted".into());
        described
    };
    gone.map(described).collect()
}

/// Those of a kind in the call's region with the ids of the input's field `ids`, that pass its `filters`.
///
/// # Errors
/// An id that does not exist, with the kind's own code; an unknown filter.
pub fn describe_kind(
    kind: &str, sim: &Simple, world: &World, call: &SimCall<'_>, ids: &str, aliases: filter::Aliases,
) -> Result<Vec<Value>, CallError> {
    let found = list(world, call, kind).map(|object| sim.description(object, call.now_ms)).collect();
    keep(found, sim, call, ids, aliases)
}

fn keep(
    found: Vec<Value>, sim: &Simple, call: &SimCall<'_>, ids: &str, aliases: filter::Aliases,
) -> Result<Vec<Value>, CallError> {
    let missing = |id| CallError::not_found(sim.missing, format!("The ID '{id}' does not exist"));
    filter::keep(named(found, call, ids).map_err(missing)?, call.input, aliases)
}

/// Those with the ids of the input's field `ids`; all when it has none.
///
/// # Errors
/// The first id that none of them has.
pub fn named<'c>(mut found: Vec<Value>, call: &SimCall<'c>, ids: &str) -> Result<Vec<Value>, &'c str> {
    if let Some(wanted) = call.input.get(ids).and_then(Value::as_array).filter(|wanted| !wanted.is_empty()) {
        if let Some(unknown) = wanted.iter().find(|id| !found.iter().any(|one| one.get("id") == Some(id))) {
            return Err(unknown.as_str().unwrap_or_default());
        }
        found.retain(|one| one.get("id").is_some_and(|id| wanted.contains(id)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_have_ids() {
        assert_eq!(zones("us-east-1").len(), 6);
        assert_eq!(zones("eu-central-1"), ["eu-central-1a", "eu-central-1b", "eu-central-1c"]);
        assert_eq!(zone_id("us-east-1b"), "use1-az2");
        assert_eq!(zone_id("eu-central-1a"), "euc1-az1");
    }
}
