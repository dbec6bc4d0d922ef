//! The request of a dead process is executed later. Within the settle time it makes no second thing; after it, where nothing of the
//! provider's own keeps a second one from being made, the audit finds it.

use std::time::Duration;

use runbook_modules::{
    resource::{Identity, Kind as _},
    target::{EFFECT_TAG, Marked, Place},
};
use serde_json::json;

use super::{
    cloud::{Fake, Fault, IDENTITIES, RULES, Thing},
    rig::{RUN, Rig},
};
use crate::{
    effect::policy::SETTLE,
    run::history::History,
    undo::audit::{Known, Whose, Why},
};

/// Dies with a request that is executed `after_s` later, goes on, and lets all of it happen. What stands then, and whose it is.
fn ended(kind: &Fake, after_s: u64) -> Vec<(Thing, Whose)> {
    let rig = Rig::new();
    rig.cloud.state().faults.push_back(Some(Fault::Ghost(after_s)));
    let (name, input) = (format!("t.{}", kind.meta().create), json!({"name": "n", "size": 3}));
    // It dies with the lost answer.
    rig.cut.after(4, false);
    assert!(rig.call(&name, input.clone()).is_err());
    rig.cut.never();
    rig.call(&name, input).unwrap();
    rig.pass(Duration::from_secs(10_000));
    let mut known = Known::default();
    known.run(RUN, &History::load(rig.store().as_ref(), RUN).unwrap());
    let whose = |thing: &Thing| {
        known.whose(&Marked {
            kind: thing.kind.to_owned(),
            id: thing.id.clone(),
            name: "n".to_owned(),
            place: Place::default(),
            run: RUN.to_owned(),
            step: "s".to_owned(),
            effect: thing.tags[EFFECT_TAG].clone(),
        })
    };
    rig.cloud.standing().into_iter().map(|thing| (thing.clone(), whose(&thing))).collect()
}

#[test]
fn within_the_settle_time_there_is_one_and_the_run_owns_it() {
    for kind in IDENTITIES {
        for after_s in (0..SETTLE.as_secs()).step_by(7).chain([SETTLE.as_secs() - 1]) {
            let ended = ended(kind, after_s);
            assert!(matches!(&ended[..], [(_, Whose::Owned)]), "{} after {after_s} s: {ended:?}", kind.meta().name);
        }
    }
}

#[test]
fn beyond_the_settle_time_a_second_one_is_found_by_the_audit() {
    let mut found = 0;
    for kind in IDENTITIES {
        for after_s in [130, 141, 150, 300, 3600, 9000] {
            let ended = ended(kind, after_s);
            let what = format!("{} after {after_s} s: {ended:?}", kind.meta().name);
            let owned = ended.iter().filter(|(_, whose)| *whose == Whose::Owned).count();
            let orphans = ended.iter().filter(|(_, whose)| *whose == Whose::Orphan(Why::Dismissed)).count();
            assert_eq!((owned, owned + orphans), (1, ended.len()), "{what}");
            found += orphans;
        }
    }
    assert!(found > 0, "no request came too late");
}

#[test]
fn what_the_first_request_makes_a_moment_before_the_second_one_is_the_runs() {
    for kind in IDENTITIES.into_iter().chain([&RULES]) {
        let rig = Rig::new();
        let (name, input) = (format!("t.{}", kind.meta().create), json!({"name": "n", "size": 3}));
        // It dies with the intent.
        rig.cut.after(4, true);
        assert!(rig.call(&name, input.clone()).is_err());
        rig.cut.never();
        if !matches!(kind.meta().identity, Identity::Tag) {
            rig.cloud.state().faults.push_back(Some(Fault::Meets));
        }
        let value = rig.call(&name, input).unwrap();
        let standing = rig.cloud.standing();
        assert_eq!(standing.len(), 1, "{name}: {standing:?}");
        assert_eq!(value["id"], standing[0].id.as_str(), "{name}");
        assert_eq!(rig.inventory(), [standing[0].id.clone()], "{name}");
    }
}
