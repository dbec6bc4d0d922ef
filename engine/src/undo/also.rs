//! `--also ID`: something that a controller left behind and that holds what is to be undone. A person names it; it becomes a row
//! like any other, the newest, and is deleted first. A store named by its address (`s3://BUCKET`) goes with all that is in it: what
//! others put there is not the run's, so that a person must say so. A database named so (`rds:db:NAME`) goes although it is protected.

use std::sync::Arc;

use runbook_modules::target::Place;
use runbook_state::{
    record::{EffectKey, Owned, Record, Site},
    store::When,
};
use serde_json::{Value, json};

use super::standing;
use crate::{
    effect::{Act, token::token},
    error::{Failure, Halt},
    run::{scope::Scope, session::Session},
};

/// The key under which such rows stand.
pub const STEP: &str = "undo --also";

/// The kind by the beginning of an id.
const PREFIXES: &[(&str, &str)] = &[
    ("eni-", "ec2.network_interface"),
    ("sg-", "ec2.security_group"),
    ("vol-", "ec2.volume"),
    ("eipalloc-", "ec2.address"),
    ("nat-", "ec2.nat_gateway"),
    ("rtb-", "ec2.route_table"),
    ("subnet-", "ec2.subnet"),
    ("igw-", "ec2.internet_gateway"),
    ("vpce-", "ec2.vpc_endpoint"),
    ("pcx-", "ec2.vpc_peering_connection"),
    ("vpc-", "ec2.vpc"),
];

/// The kind by the beginning of an address, its field for the rest, and the field that says what a person allows by naming it.
const ADDRESSES: &[(&str, &str, &str, &str)] = &[
    ("s3://", "s3.bucket", "bucket", "empty_on_undo"),
    ("ecr://", "ecr.repository", "repository_name", "empty_on_undo"),
    ("rds:db:", "rds.db_instance", "db_instance_identifier", "lift_deletion_protection"),
    ("rds:cluster:", "rds.db_cluster", "db_cluster_identifier", "lift_deletion_protection"),
];

/// What an id or an address names: the kind, and a description to locate it by.
fn named(id: &str) -> Option<(&'static str, Value)> {
    let address = ADDRESSES.iter().find_map(|(prefix, kind, field, consent)| {
        let name = id.strip_prefix(prefix)?;
        Some((*kind, json!({ "id": name, *field: name, *consent: true })))
    });
    let by_id =
        || PREFIXES.iter().find(|(prefix, _)| id.starts_with(prefix)).map(|(_, kind)| (*kind, json!({ "id": id })));
    address.or_else(by_id)
}

/// Takes what a person named into the inventory.
pub(super) fn adopt(session: &Arc<Session>, ids: &[String]) -> Result<(), Halt> {
    let rows = standing(session);
    for id in ids {
        if rows.iter().any(|row| row.owned.as_ref().is_some_and(|owned| owned.id == *id)) {
            continue;
        }
        let wrong = |why: &str| Failure::new("RB0504", format!("--also {id}: {why}"));
        let known = named(id).and_then(|(kind, found)| Some((session.table.kind(kind)?, found)));
        let (kind, found) = known.ok_or_else(|| {
            let all = PREFIXES.iter().copied().chain(ADDRESSES.iter().map(|(prefix, kind, ..)| (*prefix, *kind)));
            let known: Vec<_> = all.filter(|(_, kind)| session.table.kind(kind).is_some()).map(|(p, _)| p).collect();
            wrong("its kind is not known").hint(format!("ids that begin so are known: {}", known.join(", ")))
        })?;
        let place = place(session);
        let scope = Scope::undoing(session, STEP);
        let act = Act::new(&scope, kind.meta().name, kind.meta().operations.1, id, &Site::default());
        let at = kind.locate(&json!({}), &found).ok_or_else(|| wrong("it cannot be looked up by its id"))?;
        let described = act.read(kind, &place, &at)?.ok_or_else(|| wrong("it does not exist"))?;
        let ordinal = session.history.effects().iter().filter(|effect| effect.key.step == STEP).count();
        let effect =
            EffectKey { step: STEP.to_owned(), ordinal: u32::try_from(ordinal).unwrap_or(u32::MAX), generation: 0 };
        let owned = Owned {
            kind: kind.meta().name.to_owned(),
            id: id.clone(),
            name: described.get("name").and_then(Value::as_str).unwrap_or(id).to_owned(),
            place: serde_json::to_value(&place).unwrap_or_default(),
            locator: at,
            parents: kind.parents(&described),
            input: json!({}),
            prior: None,
            account: session.account_at(&place),
            ours: true,
        };
        let intent = Record::Intent {
            token: token(&session.run.id, STEP, effect.ordinal, STEP, 0),
            effect: effect.clone(),
            op: STEP.to_owned(),
            digest: String::new(),
            input: json!({}),
            place: owned.place.clone(),
            tags: json!({}),
            site: Site::default(),
            prior: None,
        };
        let done = Record::Done { effect, response: described, owned: Some(owned), adopted: true, attempts: 0 };
        session.record(vec![intent, done], When::Now)?;
    }
    Ok(())
}

/// Where the run works: the place of the newest row that is not in a cluster.
fn place(session: &Session) -> Place {
    let places = session.history.effects().into_iter().rev().filter_map(|effect| {
        serde_json::from_value::<Place>(effect.place.clone()).ok().filter(|place| place.cluster.is_none())
    });
    places.into_iter().find(|place| !place.region.is_empty()).unwrap_or_default()
}
