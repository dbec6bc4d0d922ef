use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use runbook_state::record::{Ending, Record};
use serde_json::json;

use super::bed::{Bed, START, boom, branch, effect, lock, plain, seconds, site};
use crate::{
    error::{Halt, Stop},
    run::{approve::approve, parallel::parallel, scope::Scope},
};

#[test]
fn branches_run_side_by_side_and_time_is_the_longest() {
    let bed = Bed::new();
    let outcome = bed.drive(|scope| {
        let branches = (1..=8u64).map(|n| {
            branch(&format!("b{n}"), move |scope| {
                plain(scope, "wait", |inner| inner.sleep(seconds(10 * n)).map(|()| json!(inner.key)))
            })
        });
        let results = parallel(scope, &site(1), branches.collect(), None)?;
        assert_eq!(results.len(), 8);
        assert_eq!(results["b3"], json!("b3/wait"));
        plain(scope, "after", |inner| inner.sleep(seconds(1)).map(|()| json!(1))).map(drop)
    });
    assert_eq!((outcome.ending, outcome.took_ms), (Ending::Finished, 81_000));
}

#[test]
fn branches_within_branches_keep_the_critical_path() {
    for _ in 0..30 {
        let bed = Bed::new();
        let outcome = bed.drive(|scope| {
            let outer = (1..=3u64).map(|n| {
                branch(&format!("o{n}"), move |scope| {
                    let inner = (1..=3u64).map(|m| {
                        branch(&format!("i{m}"), move |scope| {
                            plain(scope, "wait", |inner| inner.sleep(seconds(n * m)).map(|()| json!(1)))
                        })
                    });
                    parallel(scope, &site(2), inner.collect(), None)?;
                    plain(scope, "then", |inner| inner.sleep(seconds(10 - n)).map(|()| json!(1)))
                })
            });
            parallel(scope, &site(1), outer.collect(), None).map(drop)
        });
        // The longest: 3 * 3 + 7.
        assert_eq!((outcome.ending, outcome.took_ms), (Ending::Finished, 16_000));
    }
}

#[test]
fn at_most_so_many_at_a_time() {
    let bed = Bed::new();
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let outcome = bed.drive(|scope| {
        let branches = (0..6).map(|n| {
            let (now, most) = (&now, &most);
            branch(&format!("b{n}"), move |scope| {
                plain(scope, "wait", |inner| {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    inner.sleep(seconds(10))?;
                    now.fetch_sub(1, Ordering::SeqCst);
                    Ok(json!(1))
                })
            })
        });
        parallel(scope, &site(1), branches.collect(), Some(2)).map(drop)
    });
    assert_eq!((outcome.took_ms, most.into_inner()), (30_000, 2));
}

#[test]
fn after_a_failure_the_others_send_nothing_more_and_all_failures_are_listed() {
    let bed = Bed::new();
    let world = bed.world.clone();
    let outcome = bed.drive(|scope| {
        let quick = branch("quick", |scope| plain(scope, "s", |_| Err(boom("quick broke"))));
        let slow = branch("slow", |scope| {
            plain(scope, "s", |inner| {
                effect(inner, &world, "first")?;
                inner.sleep(seconds(3600))?;
                effect(inner, &world, "second")
            })
        });
        let last = branch("last", |scope| {
            plain(scope, "s", |inner| {
                let _ = inner.sleep(seconds(3600));
                Err(boom("last broke while stopping"))
            })
        });
        parallel(scope, &site(1), vec![quick, slow, last], None).map(drop)
    });
    assert_eq!(outcome.took_ms, 0);
    assert!(!world.things().contains("slow/s#0 second"));
    let mut messages: Vec<&str> = outcome.failures.iter().map(|f| f.message.as_str()).collect();
    messages.sort_unstable();
    assert_eq!(messages, ["last broke while stopping", "quick broke"]);
    let Ending::Failed { message, .. } = outcome.ending else { panic!("failed") };
    assert!(message.starts_with("2 of 3 branches failed: last: "), "{message}");
}

#[test]
fn after_a_failure_no_other_branch_begins() {
    let bed = Bed::new();
    let world = bed.world.clone();
    bed.drive(|scope| {
        let first = branch("a", |_| Err(boom("broke")));
        let next = branch("b", |_| {
            world.say("b began");
            Ok(json!(1))
        });
        parallel(scope, &site(1), vec![first, next], Some(1)).map(drop)
    });
    assert_eq!(bed.world.heard(), [""; 0]);
}

#[test]
fn a_caught_failure_of_branches_is_replayed_with_what_it_abandoned() {
    let bed = Bed::new();
    let world = bed.world.clone();
    let script = |end: bool| {
        let world = world.clone();
        move |scope: &Arc<Scope>| {
            let a = branch("a", |scope| {
                plain(scope, "s", |inner| {
                    world.say("a");
                    inner.sleep(seconds(1))?;
                    Err(boom("a broke"))
                })
            });
            let b = branch("b", |scope| {
                plain(scope, "s", |inner| {
                    world.say("b");
                    effect(inner, &world, "first")?;
                    inner.sleep(seconds(3600))?;
                    effect(inner, &world, "second")
                })
            });
            let caught = parallel(scope, &site(1), vec![a, b], None);
            assert!(matches!(&caught, Err(Halt::Failure(f)) if f.message == "a broke"), "{caught:?}");
            plain(scope, "after", |_| Ok(json!(1)))?;
            if end { Ok(()) } else { Err(boom("later")) }
        }
    };
    bed.drive(script(false));
    assert_eq!(world.heard().len(), 2);
    assert_eq!(bed.drive(script(true)).ending, Ending::Finished);
    assert!(world.heard().is_empty());
    assert!(!world.things().contains("b/s#0 second"));
}

#[test]
fn a_branch_that_waits_for_an_approval_lets_the_others_end() {
    let bed = Bed::new();
    let world = bed.world.clone();
    let script = |scope: &Arc<Scope>| {
        let asks = branch("asks", |scope| approve(scope, "go on?", &site(2)));
        let works = branch("works", |scope| {
            plain(scope, "s", |inner| inner.sleep(seconds(60)).map(|()| json!(1)))?;
            plain(scope, "t", |inner| effect(inner, &world, "made"))
        });
        parallel(scope, &site(1), vec![asks, works], None).map(drop)
    };
    let outcome = bed.drive(script);
    assert_eq!(outcome.ending, Ending::Waiting { step: "asks/go on?".into(), question: "go on?".into() });
    assert!(world.things().contains("works/t#0 made"));
    let yes = Record::Approved { step: "asks/go on?".into(), yes: true, by: "eve".into(), why: "looks good".into() };
    assert!(runbook_state::store::Store::tell(&*bed.store, super::bed::RUN, 1, yes).is_ok());
    assert_eq!(bed.drive(script).ending, Ending::Finished);
    assert!(world.twice().is_empty());
}

#[test]
fn a_stop_outranks_a_failure_which_is_still_told() {
    let bed = Bed::new();
    let outcome = bed.drive(|scope| {
        let broken = branch("broken", |scope| plain(scope, "s", |_| Err(boom("broke"))));
        let wrong = branch("wrong", |scope| {
            plain(scope, "s", |_| Ok(json!(1)))?;
            plain(scope, "s", |_| Ok(json!(1)))
        });
        parallel(scope, &site(1), vec![broken, wrong], Some(1)).map(drop)
    });
    // With one thread, `broken` ends first and `wrong` is never begun: the failure is alone.
    assert!(matches!(outcome.ending, Ending::Failed { ref message, .. } if message == "broke"));
    let outcome = Bed::new().drive(|scope| {
        let broken = branch("broken", |scope| {
            plain(scope, "s", |inner| {
                let _ = inner.sleep(seconds(1));
                Err(boom("broke"))
            })
        });
        let wrong = branch("wrong", |scope| {
            plain(scope, "s", |_| Ok(json!(1)))?;
            plain(scope, "s", |_| Ok(json!(1)))
        });
        parallel(scope, &site(1), vec![broken, wrong], None).map(drop)
    });
    assert!(matches!(outcome.stop, Some(Stop::Script(_))));
    assert_eq!(outcome.failures.iter().map(|f| f.code.as_str()).collect::<Vec<_>>(), ["RB0301", "RB0401"]);
}

#[test]
fn a_panic_in_a_branch_is_that_branch_s_failure() {
    let bed = Bed::new();
    let outcome = bed.try_drive(|scope| {
        let bug = branch("bug", |_| std::panic::panic_any("on purpose"));
        let fine = branch("fine", |scope| plain(scope, "s", |inner| inner.sleep(seconds(9)).map(|()| json!(1))));
        parallel(scope, &site(1), vec![bug, fine], None).map(drop)
    });
    assert_eq!(outcome.expect("a driven run").failures[0].code, "RB0900");
}

#[test]
fn the_same_branches_may_come_again_and_their_effects_count_on() {
    let bed = Bed::new();
    let world = bed.world.clone();
    let outcome = bed.drive(|scope| {
        plain(scope, "all", |step| {
            for op in ["one", "two"] {
                let world = &world;
                let branches = ["a", "b"].map(|name| branch(name, move |scope| effect(scope, world, op)));
                parallel(step, &site(1), branches.into_iter().collect(), None)?;
            }
            Ok(json!(1))
        })
        .map(drop)
    });
    assert_eq!(outcome.ending, Ending::Finished);
    let made: Vec<String> = lock(&world.sent).keys().cloned().collect();
    assert_eq!(made, ["all/a#0 one", "all/a#1 two", "all/b#0 one", "all/b#1 two"]);
}

#[test]
fn a_branch_and_a_step_of_one_name_are_a_mistake() {
    for step_first in [true, false] {
        let outcome = Bed::new().drive(|scope| {
            if step_first {
                plain(scope, "a", |_| Ok(json!(1)))?;
            }
            parallel(scope, &site(1), vec![branch("a", |_| Ok(json!(1)))], None)?;
            plain(scope, "a", |_| Ok(json!(1))).map(drop)
        });
        assert_eq!(outcome.failures[0].code, "RB0301");
    }
}

#[test]
fn simulated_time_goes_on_in_the_next_process() {
    let mut bed = Bed::new();
    bed.drive(|scope| plain(scope, "a", |inner| inner.sleep(seconds(60)).map(|()| json!(1))).map(drop));
    bed.time = Arc::new(crate::run::clock::SimClock::new(START, None));
    bed.drive(|scope| {
        assert_eq!(scope.session.time.now_ms(), START + 60_000);
        Ok(())
    });
}
