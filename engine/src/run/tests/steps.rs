use std::sync::atomic::{AtomicU32, Ordering};

use runbook_modules::target::About;
use runbook_state::{
    error::Error,
    record::{Ending, Record},
    store::Store,
};
use serde_json::json;

use super::bed::{Bed, boom, effect, plain, read, seconds, site, tries};
use crate::{
    error::{Halt, Stop},
    event::What,
    run::{
        drive::Refused,
        scope::Scope,
        step::{StepOptions, step},
    },
};

#[test]
fn a_finished_step_answers_and_its_body_does_not_run() {
    let bed = Bed::new();
    let world = bed.world.clone();
    let script = |scope: &std::sync::Arc<Scope>| {
        let out = plain(scope, "a", |inner| {
            world.say("body");
            effect(inner, &world, "make")
        })?;
        world.say(out["id"].as_str().unwrap_or_default());
        Ok(())
    };
    assert_eq!(bed.drive(script).ending, Ending::Finished);
    assert_eq!(world.heard(), ["body", "a#0 make"]);
    assert_eq!(bed.drive(script).ending, Ending::Finished);
    assert_eq!(world.heard(), ["a#0 make"]);
    assert!(world.twice().is_empty());
    let kept =
        world.events().iter().filter(|event| matches!(event, What::StepDone { kept: true, effects: 1, .. })).count();
    assert_eq!(kept, 1);
}

#[test]
fn a_failed_step_is_tried_again_as_a_new_attempt() {
    let bed = Bed::new();
    let world = bed.world.clone();
    let script = |fail: bool| {
        let world = world.clone();
        move |scope: &std::sync::Arc<Scope>| {
            plain(scope, "a", |inner| {
                effect(inner, &world, "make")?;
                let seen = read(inner, "look", || json!(!fail))?;
                world.say(format!("attempt {} saw {seen}", inner.attempt));
                if seen == json!(false) { Err(boom("not yet")) } else { Ok(seen) }
            })?;
            Ok(())
        }
    };
    let outcome = bed.drive(script(true));
    assert_eq!(outcome.ending, Ending::Failed { step: "a".into(), message: "not yet".into() });
    assert_eq!(outcome.failures.len(), 1);
    assert_eq!(outcome.failures[0].sites, [site(1)]);
    assert_eq!(bed.drive(script(false)).ending, Ending::Finished);
    assert_eq!(world.heard(), ["attempt 1 saw false", "attempt 2 saw true"]);
    assert!(world.twice().is_empty());
}

#[test]
fn a_caught_failure_is_the_outcome_and_is_replayed() {
    let bed = Bed::new();
    let world = bed.world.clone();
    let script = |end: bool| {
        let world = world.clone();
        move |scope: &std::sync::Arc<Scope>| {
            let caught = plain(scope, "a", |_| {
                world.say("body");
                Err(boom("broken"))
            });
            assert!(matches!(caught, Err(Halt::Failure(f)) if f.message == "broken" && f.step == "a"));
            plain(scope, "b", |_| Ok(json!(1)))?;
            if end { Ok(()) } else { Err(boom("later")) }
        }
    };
    bed.drive(script(false));
    let caught = |r: &Record| matches!(r, Record::StepFailed { step, caught: true, .. } if step == "a");
    assert_eq!(bed.records().iter().filter(|r| caught(r)).count(), 1);
    assert_eq!(bed.drive(script(true)).ending, Ending::Finished);
    assert_eq!(world.heard(), ["body"]);
    assert_eq!(bed.records().iter().filter(|r| caught(r)).count(), 1);
}

#[test]
fn a_failure_caught_at_the_end_of_a_step_or_of_the_script_is_recorded_too() {
    let bed = Bed::new();
    bed.drive(|scope| {
        plain(scope, "outer", |inner| {
            let _ = plain(inner, "a", |_| Err(boom("broken")));
            Ok(json!(1))
        })?;
        let _ = plain(scope, "b", |_| Err(boom("broken")));
        Ok(())
    });
    let caught: Vec<String> = bed
        .records()
        .into_iter()
        .filter_map(|r| match r {
            Record::StepFailed { step, caught: true, .. } => Some(step),
            _ => None,
        })
        .collect();
    assert_eq!(caught, ["outer/a", "b"]);
}

#[test]
fn a_retry_keeps_effects_and_makes_reads_again() {
    let bed = Bed::new();
    let world = bed.world.clone();
    let answers = AtomicU32::new(0);
    let outcome = bed.drive(|scope| {
        let done = step(scope, "a", &tries(3), &site(1), "", &mut |inner| {
            effect(inner, &world, "make")?;
            let inside = plain(inner, "inside", |_| {
                world.say("inside");
                Ok(json!(1))
            })?;
            let seen = read(inner, "look", || json!(answers.fetch_add(1, Ordering::Relaxed)))?;
            world.say(format!("{} {seen} {inside}", inner.attempt));
            if seen == json!(2) { Ok(seen) } else { Err(boom("not yet")) }
        })?;
        assert_eq!(done, json!(2));
        Ok(())
    });
    assert_eq!(outcome.ending, Ending::Finished);
    assert_eq!(world.heard(), ["inside", "1 0 1", "2 1 1", "3 2 1"]);
    assert!(world.twice().is_empty());
    // 5 s, then 10 s.
    assert_eq!((outcome.took_ms, outcome.retries), (15_000, 2));
}

#[test]
fn an_inner_step_that_failed_is_tried_again_with_the_outer_one() {
    let bed = Bed::new();
    let world = bed.world.clone();
    bed.drive(|scope| {
        step(scope, "a", &tries(2), &site(1), "", &mut |outer| {
            plain(outer, "in", |inner| {
                world.say(format!("outer {} inner {}", outer.attempt, inner.attempt));
                if inner.attempt == 1 { Err(boom("first")) } else { Ok(json!(1)) }
            })
        })?;
        Ok(())
    });
    assert_eq!(world.heard(), ["outer 1 inner 1", "outer 2 inner 2"]);
}

#[test]
fn two_equal_keys_are_a_mistake_that_shows_both_places() {
    let bed = Bed::new();
    let outcome = bed.drive(|scope| {
        step(scope, "a", &StepOptions::default(), &site(3), "", &mut |_| Ok(json!(1)))?;
        let _ = step(scope, "a", &StepOptions::default(), &site(4), "", &mut |_| Ok(json!(1)))?;
        Ok(())
    });
    assert!(matches!(outcome.ending, Ending::Failed { .. }));
    assert!(matches!(outcome.stop, Some(Stop::Script(_))));
    assert_eq!(
        (outcome.failures[0].code.as_str(), &outcome.failures[0].sites[..]),
        ("RB0301", &[site(4), site(3)][..])
    );
}

#[test]
fn a_slash_in_a_name_makes_no_level() {
    let bed = Bed::new();
    bed.drive(|scope| {
        plain(scope, "a/b", |inner| {
            assert_eq!(inner.key, "a\u{2215}b");
            Ok(json!(1))
        })
        .map(drop)
    });
}

#[test]
fn a_timeout_ends_the_wait_and_names_it() {
    let bed = Bed::new();
    let options = StepOptions { timeout: Some(seconds(60)), ..StepOptions::default() };
    let outcome = bed.drive(|scope| {
        step(scope, "a", &options, &site(1), "", &mut |outer| {
            plain(outer, "in", |inner| {
                inner.waits_for("redis is CREATING");
                inner.sleep(seconds(3600))?;
                Ok(json!(1))
            })
        })?;
        Ok(())
    });
    assert_eq!(outcome.took_ms, 60_000);
    assert_eq!(outcome.failures[0].code, "RB0305");
    assert_eq!(outcome.failures[0].message, "step \"a\" timed out after 1m, waiting for redis is CREATING");
}

#[test]
fn a_cancel_parks_before_the_next_step_and_finished_ones_still_answer() {
    let bed = Bed::new();
    let world = bed.world.clone();
    let script = |scope: &std::sync::Arc<Scope>| {
        plain(scope, "a", |_| Ok(json!(1)))?;
        scope.session.cancel.ask("Ctrl-C");
        let halt = plain(scope, "b", |_| {
            world.say("b");
            Ok(json!(1))
        });
        assert!(matches!(halt, Err(Halt::Stop(Stop::Parked(_)))));
        halt.map(drop)
    };
    let outcome = bed.drive(script);
    assert_eq!(outcome.ending, Ending::Parked { why: "Ctrl-C".into() });
    bed.drive(script);
    assert!(world.heard().is_empty());
    assert_eq!(world.events().iter().filter(|e| matches!(e, What::StepDone { kept: true, .. })).count(), 1);
}

#[test]
fn a_runbook_cancel_wakes_a_sleeper() {
    let mut bed = Bed::new();
    bed.time = std::sync::Arc::new(crate::run::clock::WallClock::default());
    let store = bed.store.clone();
    let outcome = bed.drive(|scope| {
        plain(scope, "a", |inner| {
            let asked = Record::CancelAsked { by: "eve".into() };
            store.tell(super::bed::RUN, 1, asked).map_err(|e| boom(&e.to_string()))?;
            inner.sleep(seconds(3600))?;
            Ok(json!(1))
        })
        .map(drop)
    });
    assert_eq!(outcome.ending, Ending::Parked { why: "runbook cancel by eve".into() });
}

#[test]
fn a_panic_is_a_failure_and_the_journal_ends_well() {
    let bed = Bed::new();
    let outcome = bed.try_drive(|scope| plain(scope, "a", |_| std::panic::panic_any("on purpose")).map(drop));
    assert_eq!(outcome.expect("a driven run").failures[0].code, "RB0900");
    assert!(matches!(bed.records().last(), Some(Record::Ended { ending: Ending::Failed { .. }, .. })));
    assert_eq!(bed.drive(|_| Ok(())).ending, Ending::Finished);
}

#[test]
fn another_account_is_refused_before_anything_is_written() {
    let mut bed = Bed::new();
    bed.guard.account = Some("999900001111".into());
    let Err(Refused::Failure(refused)) = bed.try_drive(|_| Ok(())) else { panic!("it was driven") };
    let message = "the customer file names account 999900001111, and these credentials are for 111122223333";
    assert_eq!((refused.code.as_str(), refused.message.as_str()), ("RB0441", message));
    assert!(bed.records().is_empty());
    bed.guard.account = None;
    bed.about.region = "eu-west-1".into();
    bed.drive(|_| Ok(()));
    let before = bed.records().len();
    let began = bed.about.clone();
    for (account, region, endpoint) in [
        ("444455556666", "eu-west-1", None),
        ("111122223333", "eu-west-2", None),
        ("111122223333", "eu-west-1", Some("http://localhost:1".to_owned())),
    ] {
        bed.about = About { account: account.into(), region: region.into(), endpoint, ..began.clone() };
        assert!(
            matches!(bed.try_drive(|_| Ok(())), Err(Refused::Failure(f)) if f.code == "RB0430"),
            "{account} {region}"
        );
    }
    assert_eq!(bed.records().len(), before);
    bed.about = began;
    assert_eq!(bed.drive(|_| Ok(())).ending, Ending::Finished);
}

#[test]
fn another_identity_goes_on_until_the_run_has_made_a_cluster() {
    let role = |name: &str, session: &str| format!("arn:aws:sts::111122223333:assumed-role/{name}/{session}");
    let mut bed = Bed::new();
    bed.about.caller = role("a", "1");
    bed.drive(|_| Ok(()));
    bed.about.caller = role("b", "1");
    let world = bed.world.clone();
    world.events();
    bed.drive(|scope| effect(scope, &world, "eks.create_cluster").map(drop));
    let noted = world.events().into_iter().any(|e| matches!(e, What::Note { text, .. } if text.contains("role/a/1")));
    assert!(noted, "nobody was told that another identity goes on");
    bed.about.caller = role("b", "2");
    assert_eq!(bed.drive(|_| Ok(())).ending, Ending::Finished);
    let before = bed.records().len();
    bed.about.caller = role("a", "1");
    assert!(matches!(bed.try_drive(|_| Ok(())), Err(Refused::Failure(f)) if f.code == "RB0433"));
    assert_eq!(bed.records().len(), before);
    bed.guard.other_identity = true;
    assert_eq!(bed.drive(|_| Ok(())).ending, Ending::Finished);
}

#[test]
fn a_run_is_driven_once_at_a_time() {
    let bed = Bed::new();
    bed.drive(|_| {
        assert!(matches!(bed.try_drive(|_| Ok(())), Err(Refused::Store(Error::Held { .. }))));
        Ok(())
    });
    assert_eq!(bed.drive(|_| Ok(())).ending, Ending::Finished);
}

/// The beginning goes into the commit of the end, unless a few milliseconds pass between them: then it is written alone. A busy
/// machine lets them pass in some steps, and never in all.
#[test]
fn a_step_without_effects_is_one_commit() {
    let bed = Bed::new();
    let commits = runbook_seeded::sync::Mutex::new(Vec::new());
    bed.drive(|scope| {
        for n in 0..50 {
            plain(scope, &format!("{n}"), |_| Ok(json!(n)))?;
            super::bed::lock(&commits).push(bed.store.commits());
        }
        Ok(())
    });
    let commits = super::bed::lock(&commits).clone();
    assert!(commits.windows(2).any(|pair| pair[1] - pair[0] == 1), "{commits:?}");
}

#[test]
fn a_lost_lease_ends_everything_and_nothing_more_is_written() {
    let bed = Bed::new();
    let outcome = bed.drive(|scope| {
        plain(scope, "a", |_| Ok(json!(1)))?;
        scope.session.cancel.ask("Ctrl-C");
        scope.session.cancel.fence("the lease was taken over");
        plain(scope, "b", |_| Ok(json!(1))).map(drop)
    });
    assert!(matches!(outcome.stop, Some(Stop::Fenced(_))));
    assert!(!bed.records().iter().any(|record| matches!(record, Record::Ended { .. })));
}

/// Stopped between an intent and its call, and taken over meanwhile: what it would send, the other one has found out about already.
#[test]
fn who_was_stopped_for_long_looks_before_it_sends() {
    let bed = Bed::new();
    bed.drive(|scope| {
        let session = &scope.session;
        assert!(session.still_ours().is_ok());
        session.held.forget();
        assert!(session.still_ours().is_ok(), "it is still ours");
        assert!(!session.held.long_ago(), "and that is known again");
        bed.store.release(&session.lease, 0).expect("our lease");
        assert!(session.still_ours().is_ok(), "just now it was ours");
        session.held.forget();
        assert!(matches!(session.still_ours(), Err(Halt::Stop(Stop::Fenced(_)))));
        Err(Stop::Fenced("the lease was taken over".to_owned()).into())
    });
}
