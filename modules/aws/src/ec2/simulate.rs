//! What the simulated kinds share: looking at the world, changing a body, addresses, and the describe calls.

use runbook_modules::{
    error::CallError,
    sandbox::{
        sim::{SimCall, Simple},
        world::{Object, World},
    },
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{cidr, filter, row::Row};

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

/// A text of an object's body; empty when it is missing.
pub fn body<'a>(object: &'a Object, field: &str) -> &'a str {
    object.body.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Changes the body of an object of the call's region. Nothing happens when it does not exist.
pub fn change(world: &mut World, call: &SimCall<'_>, kind: &str, id: &str, with: impl FnOnce(&mut Map<String, Value>)) {
    world.change(kind, &call.place.region, id, |object| {
        if let Value::Object(map) = &mut object.body {
            with(map);
        }
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
    world.put(Object {
        kind: kind.to_owned(),
        place: call.place.region.clone(),
        id: id.to_owned(),
        body,
        tags: Default::default(),
        token: String::new(),
        input: Value::Null,
        refs: vec![owner.key()],
        owner: Some(owner.key()),
        states: Vec::new(),
        gone_at: None,
    });
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

/// A simulated time as AWS writes it.
pub fn rfc3339(ms: i64) -> String {
    let (days, seconds) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000) / 1000);
    // Civil date from days since 1970-01-01: eras of 400 years (146,097 days) that begin on 1 March.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// A describe call of a kind: see [`describe_kind`].
///
/// # Errors
/// An id that does not exist, with the kind's own code; an unknown filter.
pub fn describe(
    row: &Row, world: &World, call: &SimCall<'_>, ids: &str, answer: &str, aliases: filter::Aliases,
) -> Result<Value, CallError> {
    let kept = describe_kind(row.meta.name, &row.sim, world, call, ids, aliases)?;
    Ok(json!({ answer: kept }))
}

/// Those of a kind in the call's region with the ids of the input's field `ids`, that pass its `filters`.
///
/// # Errors
/// An id that does not exist, with the kind's own code; an unknown filter.
pub fn describe_kind(
    kind: &str, sim: &Simple, world: &World, call: &SimCall<'_>, ids: &str, aliases: filter::Aliases,
) -> Result<Vec<Value>, CallError> {
    let mut found: Vec<Value> = list(world, call, kind).map(|object| sim.description(object, call.now_ms)).collect();
    if let Some(wanted) = call.input.get(ids).and_then(Value::as_array).filter(|wanted| !wanted.is_empty()) {
        for id in wanted {
            if !found.iter().any(|one| one.get("id") == Some(id)) {
                let id = id.as_str().unwrap_or_default();
                return Err(CallError::not_found(sim.missing, format!("The ID '{id}' does not exist")));
            }
        }
        found.retain(|one| one.get("id").is_some_and(|id| wanted.contains(id)));
    }
    filter::keep(found, call.input, aliases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_aws_writes_them() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_399_000), "2000-02-28T23:59:59Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_795_203_794_999), "2026-11-20T19:43:14Z");
    }

    #[test]
    fn zones_have_ids() {
        assert_eq!(zones("us-east-1").len(), 6);
        assert_eq!(zones("eu-central-1"), ["eu-central-1a", "eu-central-1b", "eu-central-1c"]);
        assert_eq!(zone_id("us-east-1b"), "use1-az2");
        assert_eq!(zone_id("eu-central-1a"), "euc1-az1");
    }
}
