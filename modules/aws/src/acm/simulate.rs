//! Certificates in the sandbox: issued once the records that prove their names stand in a public zone.

use runbook_modules::{
    error::{CallError, Class},
    resource::Kind,
    sandbox::{
        clock_text::rfc3339,
        sim::{Sim, SimCall, Simple},
        world::{Object, World},
    },
};
use serde_json::{Value, json};

use super::certificate::{Input, META};
use crate::{
    row::text,
    simulate::{body, digits},
};

/// From the request until the records are told.
const TOLD_MS: i64 = 5_000;
/// From the last record until the certificate is issued.
const ISSUED_MS: i64 = 90_000;
/// After that a certificate is never issued any more.
const TIMED_OUT_MS: i64 = 72 * 3_600_000;

/// The state of one whose request fails; one whose names are only not proved has none.
const FAILED: &str = "FAILED";

/// The certificates.
pub struct Certificates;

static ROW: Simple = Simple {
    id: |call| {
        let d = digits(call.token, 32);
        let uuid = format!("{}-{}-{}-{}-{}", &d[..8], &d[8..12], &d[12..16], &d[16..20], &d[20..]);
        format!("arn:aws:acm:{}:{}:certificate/{uuid}", call.place.region, call.account)
    },
    token: true,
    blocked: "ResourceInUseException",
    missing: "ResourceNotFoundException",
    describe: |_, call, id| {
        let names = runbook_modules::input::parse::<Input>(call.input).map(|typed| typed.names()).unwrap_or_default();
        json!({
            "arn": id, "certificate_arn": id, "subject_alternative_names": names, "type": "AMAZON_ISSUED",
            "created_at": rfc3339(call.now_ms),
        })
    },
    made: |world, call, made| {
        let mut asked = vec![(call.now_ms, String::new())];
        if call.doomed {
            asked.push((call.now_ms + TOLD_MS, FAILED.to_owned()));
        }
        world.change(META.name, &call.place.region, &made.id, |certificate| certificate.states = asked);
    },
    ..Simple::DEFAULT
};

/// When a certificate was asked for.
fn asked_at(object: &Object) -> i64 {
    object.states.first().map_or(0, |(from, _)| *from)
}

/// The record that proves a name. A name and its wildcard share one.
fn record(arn: &str, name: &str) -> Value {
    let bare = name.trim_start_matches("*.");
    let account = arn.split(':').nth(4).unwrap_or_default();
    json!({
        "name": format!("_{}.{bare}.", digits(&format!("{account}{bare}"), 32)), "type": "CNAME",
        "value": format!("_{}.acm-validations.aws.", digits(&format!("{bare}{account}"), 32)),
    })
}

/// When a record stood in a public zone; None: it does not.
fn stood(world: &World, record: &Value, now_ms: i64) -> Option<i64> {
    let (name, value) = (text(record, "name"), text(record, "value"));
    let found = world.list("route53.record_set", "", now_ms).find(|o| {
        let values = o.body["resource_records"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let same = |has: &str| has.trim_end_matches('.') == value.trim_end_matches('.');
        body(o, "name") == name && body(o, "type") == "CNAME" && values.into_iter().any(same)
    })?;
    let zone = world.get("route53.hosted_zone", "", body(found, "hosted_zone_id"), now_ms)?;
    let public = zone.body.pointer("/config/private_zone") != Some(&Value::Bool(true));
    public.then(|| found.states.last().map_or(now_ms, |(from, _)| *from))
}

/// When all names are proved; None: not all are.
fn proved(world: &World, object: &Object, now_ms: i64) -> Option<i64> {
    let names = object.body["subject_alternative_names"].as_array()?;
    names
        .iter()
        .filter_map(Value::as_str)
        .try_fold(0, |last: i64, name| Some(last.max(stood(world, &record(&object.id, name), now_ms)?)))
}

/// When it is issued, as far as that is known.
fn issued_at(world: &World, object: &Object, now_ms: i64) -> Option<i64> {
    proved(world, object, now_ms).map(|at| at.max(asked_at(object)) + ISSUED_MS)
}

/// A certificate as ACM describes it at a time.
pub fn described(world: &World, object: &Object, now_ms: i64) -> Value {
    let born = asked_at(object);
    let issued = issued_at(world, object, now_ms).is_some_and(|at| at <= now_ms);
    let failed = object.state(now_ms) == FAILED;
    let status = match issued {
        _ if failed => FAILED,
        true => "ISSUED",
        false if now_ms >= born + TIMED_OUT_MS => "VALIDATION_TIMED_OUT",
        false => "PENDING_VALIDATION",
    };
    let told = now_ms >= born + TOLD_MS;
    let names = object.body["subject_alternative_names"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let option = |name: &str| {
        let mut option = json!({
            "domain_name": name, "validation_method": "DNS",
            "validation_status": if issued { "SUCCESS" } else { "PENDING_VALIDATION" },
        });
        if told {
            option["resource_record"] = record(&object.id, name);
        }
        option
    };
    let options: Value = names.map(option).collect();
    let key = object.key();
    let users: Value = world
        .dependents(&key, now_ms)
        .map(|listener| match body(listener, "load_balancer_arn") {
            "" => listener.id.clone(),
            balancer => balancer.to_owned(),
        })
        .collect();
    let mut found = ROW.description(object, now_ms);
    if let Value::Object(map) = &mut found {
        map.insert("status".to_owned(), status.into());
        if failed {
            map.insert("failure_reason".to_owned(), "ADDITIONAL_VERIFICATION_REQUIRED".into());
        }
        map.insert("domain_validation_options".to_owned(), options);
        map.insert("in_use_by".to_owned(), users);
    }
    found
}

impl Sim for Certificates {
    fn create(&self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
        let made = ROW.create(kind, world, call)?;
        let object = world.get(META.name, &call.place.region, text(&made, "id"), call.now_ms);
        Ok(object.map(|object| described(world, object, call.now_ms)).unwrap_or(made))
    }

    fn read(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<Value> {
        let object = world.get(META.name, &call.place.region, call.text("certificate_arn"), call.now_ms)?;
        Some(described(world, object, call.now_ms))
    }

    fn find(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<Value> {
        let effect = call.tags.get(runbook_modules::target::EFFECT_TAG);
        world
            .list(META.name, &call.place.region, call.now_ms)
            .filter(|o| effect.is_some() && o.tags.get(runbook_modules::target::EFFECT_TAG) == effect)
            .map(|object| described(world, object, call.now_ms))
            .collect()
    }

    fn delete(
        &self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>, put_back: Option<&Value>,
    ) -> Result<(), CallError> {
        let users = self.obstacles(kind, world, call);
        if !users.is_empty() {
            let text = format!("Certificate {} in use", call.text("certificate_arn"));
            return Err(CallError::new(Class::Blocked, ROW.blocked, text).hint(format!("used by {}", users.join(", "))));
        }
        ROW.delete(kind, world, call, put_back)
    }

    fn next_change(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<i64> {
        let object = world.get(META.name, &call.place.region, call.text("certificate_arn"), call.now_ms)?;
        let told = Some(asked_at(object) + TOLD_MS);
        let issued = issued_at(world, object, call.now_ms);
        [told, issued].into_iter().flatten().filter(|at| *at > call.now_ms).min()
    }

    fn obstacles(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<String> {
        let found = world.get(META.name, &call.place.region, call.text("certificate_arn"), call.now_ms);
        let described = found.map(|object| described(world, object, call.now_ms)).unwrap_or_default();
        let users = described["in_use_by"].as_array().cloned().unwrap_or_default();
        users.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    fn can_fail(&self) -> bool {
        true
    }
}
