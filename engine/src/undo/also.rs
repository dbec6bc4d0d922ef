//! `--also ID`: something that a controller left behind and that holds what is to be undone. A person names it; it becomes a row
//! like any other, the newest, and is deleted first. A store named by its address (`s3://BUCKET`) goes with all that is in it: what
//! others put there is not the run's, so that a person must say so. A database named so (`rds:db:NAME`) goes although it is protected,
//! an object of a cluster (`k8s://CLUSTER/v1/ConfigMap/NAMESPACE/NAME`) with its finalizers taken off.

use std::sync::Arc;

use runbook_modules::{k8s::finalizers, target::Place};
use runbook_state::{
    record::{EffectKey, Owned, Record, Site},
    store::When,
};
use serde_json::{Value, json};

use super::{row::cluster_gone, standing};
use crate::{
    effect::{Act, token::token},
    error::{Failure, Halt},
    run::{scope::Scope, session::Session},
};

/// The kind of what has an address in a cluster.
const OBJECT: &str = "k8s.object";

/// Begins the address of a repository on GitHub.
const GITHUB: &str = "github://";

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
    (GITHUB, "github.repository", "full_name", "delete_with_commits"),
    ("rds:db:", "rds.db_instance", "db_instance_identifier", "lift_deletion_protection"),
    ("rds:cluster:", "rds.db_cluster", "db_cluster_identifier", "lift_deletion_protection"),
];

/// What an id or an address names: the kind, a description to locate it by, and where it is.
fn named(session: &Session, id: &str) -> Option<(&'static str, Value, Place)> {
    if id.starts_with(finalizers::ADDRESS) {
        let mut clusters = places(session).filter(|place| !place.cluster_name().is_empty());
        return clusters.find_map(|place| Some((OBJECT, finalizers::named(place.cluster_name(), id)?, place)));
    }
    let (kind, found) = of_account(id)?;
    let there = |place: &Place| match id.starts_with(GITHUB) {
        true => place.api.is_some(),
        false => place.cluster_name().is_empty() && !place.region.is_empty(),
    };
    let place = places(session).find(there);
    Some((kind, found, place.unwrap_or_default()))
}

fn of_account(id: &str) -> Option<(&'static str, Value)> {
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
        let known = named(session, id).and_then(|(kind, found, place)| Some((session.table.kind(kind)?, found, place)));
        let (kind, found, place) = known.ok_or_else(|| {
            if id.starts_with(finalizers::ADDRESS) {
                return wrong("the run has nothing in such a cluster, or it is no object's address")
                    .hint("an address is like k8s://CLUSTER/v1/ConfigMap/NAMESPACE/NAME, the namespace empty for what has none");
            }
            let all = PREFIXES.iter().copied().chain(ADDRESSES.iter().map(|(prefix, kind, ..)| (*prefix, *kind)));
            let known: Vec<_> = all.filter(|(_, kind)| session.table.kind(kind).is_some()).map(|(p, _)| p).collect();
            wrong("its kind is not known").hint(format!("ids that begin so are known: {}", known.join(", ")))
        })?;
        let scope = Scope::undoing(session, STEP);
        let act = Act::new(&scope, kind.meta().name, kind.meta().operations.1, id, &Site::default());
        let mut at = kind.locate(&json!({}), &found).ok_or_else(|| wrong("it cannot be looked up by its id"))?;
        let gone = match &place.cluster {
            Some(cluster) => cluster_gone(session, &act, cluster)?,
            None => false,
        };
        let described = if gone { None } else { act.read(kind, &place, &at)? };
        let Some(described) = described else {
            if deleted_before(session, id) {
                continue;
            }
            return Err(wrong("it does not exist").into());
        };
        // The very object that stands now.
        if let Some(uid) = described.pointer("/metadata/uid") {
            at["uid"] = uid.clone();
        }
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

/// Whether an earlier undo was told the same: one that was stopped is called again with the words of the first.
fn deleted_before(session: &Session, id: &str) -> bool {
    let effects = session.history.effects();
    effects.iter().any(|effect| effect.key.step == STEP && effect.owned.as_ref().is_some_and(|owned| owned.id == id))
}

/// Where the run works, the newest first.
fn places(session: &Session) -> impl Iterator<Item = Place> {
    session.history.effects().into_iter().rev().filter_map(|effect| effect.place.read())
}
