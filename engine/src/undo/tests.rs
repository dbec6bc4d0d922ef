//! What undo promises: all that the run made is gone, nothing else is, whenever the process dies.

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use runbook_modules::{error::Class, target::Place};
use runbook_state::record::{Ending, Record};
use serde_json::{Value, json};

use super::{Difference, Drift, Options, UndoHook, UndoReport, undo, verify};
use crate::{
    effect::tests::{
        cloud::{ALARM, CLUSTER, ENI, Fault, PUT, TAG},
        rig::{Rig, site},
    },
    error::{Failure, Halt},
    event::What,
    run::{
        parallel::{Branch, parallel},
        scope::Scope,
        step::{StepOptions, step},
    },
};

type Body<'a> = dyn FnMut(&Arc<Scope>) -> Result<Value, Halt> + 'a;

fn plain(scope: &Arc<Scope>, name: &str, body: &mut Body<'_>) -> Result<Value, Halt> {
    step(scope, name, &StepOptions::default(), &site(1), "", body)
}

fn id(value: &Value) -> Value {
    value["id"].clone()
}

/// A network: `net` makes a thing and one in it, then `use` one in that.
fn build(rig: &Rig) {
    let outcome = rig.drive(|scope| {
        let inner = plain(scope, "net", &mut |scope| {
            let vpc = rig.bind(scope, "t.create_tag", json!({"name": "vpc", "slow": 30}))?;
            rig.bind(scope, "t.create_key", json!({"name": "subnet", "parent": id(&vpc), "slow": 20}))
        })?;
        plain(scope, "use", &mut |scope| {
            rig.bind(scope, "t.modify", json!({"x": 1}))?;
            rig.bind(scope, "t.create_token", json!({"name": "nat", "parent": id(&inner), "slow": 60}))
        })?;
        Ok(())
    });
    assert_eq!(outcome.ending, Ending::Finished, "{:?}", outcome.failures);
    rig.calls();
}

fn take_down(rig: &Rig, hooks: Vec<Arc<dyn UndoHook>>, options: &Options) -> Result<UndoReport, Halt> {
    let got = Mutex::new(None);
    rig.drive(|scope| {
        *got.lock().unwrap() = Some(undo(&scope.session, hooks, options));
        Ok(())
    });
    got.into_inner().unwrap().unwrap_or_else(|| Err(Failure::new("RB0901", "the process died before undo").into()))
}

fn all(rig: &Rig) -> UndoReport {
    take_down(rig, Vec::new(), &Options::default()).unwrap()
}

fn deletes(rig: &Rig) -> Vec<String> {
    rig.calls().into_iter().filter(|(what, _)| what == "DeleteTag").map(|(_, id)| id).collect()
}

#[test]
fn dependents_go_before_what_they_depend_on() {
    let rig = Rig::new();
    build(&rig);
    let report = all(&rig);
    assert_eq!((report.deleted, report.left.len()), (3, 0), "{report:?}");
    assert_eq!(report.ending(), Ending::Undone);
    assert_eq!(deletes(&rig), ["token-3", "key-2", "tag-1"]);
    assert_eq!(rig.cloud.standing().len(), 0);
    assert_eq!(rig.inventory(), [""; 0]);
    let again = all(&rig);
    assert_eq!((again, deletes(&rig).len()), (UndoReport::default(), 0));
}

#[test]
fn everything_is_gone_whenever_the_process_dies() {
    for at_once in [false, true] {
        for fault in [None, Some(Fault::Lost(Class::Unknown)), Some(Fault::Fails(Class::Throttled))] {
            let mut cut = 2;
            loop {
                let rig = Rig::new();
                build(&rig);
                rig.cloud.foreign(&TAG, "theirs", json!({"name": "vpc"}), false);
                rig.cloud.state().delete_faults.push_back(fault);
                rig.cut.after(cut, at_once);
                let first = take_down(&rig, Vec::new(), &Options::default());
                let died = rig.cut.dead.load(Ordering::SeqCst);
                rig.cut.never();
                let report = all(&rig);
                assert_eq!(report.left, [], "cut {cut}");
                let left: Vec<_> = rig.cloud.standing().into_iter().map(|thing| thing.id).collect();
                assert_eq!(left, ["theirs"], "cut {cut}");
                assert_eq!(rig.inventory(), [""; 0]);
                if !died {
                    assert!(first.is_ok());
                    break;
                }
                cut += 1;
                assert!(cut < 40, "it never ends");
            }
            assert!(cut > 6, "only {cut} cuts");
        }
    }
}

#[test]
fn a_creation_cut_in_the_middle_is_found_and_deleted() {
    for kind in ["t.create_tag", "t.create_token", "t.create_key", "t.create_both"] {
        for executed in [true, false] {
            let rig = Rig::new();
            rig.cut.after(4, !executed);
            assert!(rig.call(kind, json!({"name": "n"})).is_err());
            rig.cut.never();
            assert_eq!(rig.cloud.standing().len(), usize::from(executed));
            let report = all(&rig);
            assert_eq!((report.deleted, report.left.len()), (u32::from(executed), 0), "{kind}");
            assert_eq!(rig.cloud.standing().len(), 0, "{kind}");
            assert!(executed || rig.records().iter().any(|r| matches!(r, Record::Retired { .. })));
        }
    }
}

#[test]
fn not_found_right_after_creation_is_not_gone() {
    let rig = Rig::new();
    rig.cloud.state().lag_s = 90;
    rig.call("t.create_tag", json!({"name": "n"})).unwrap();
    assert_eq!(all(&rig).deleted, 1);
    assert_eq!(rig.cloud.standing().len(), 0);
}

#[test]
fn what_is_gone_already_is_counted() {
    let rig = Rig::new();
    build(&rig);
    rig.pass(Duration::from_secs(1000));
    rig.cloud.state().things.retain(|thing| thing.id != "token-3");
    let report = all(&rig);
    assert_eq!((report.deleted, report.already), (2, 1));
}

#[test]
fn what_holds_it_is_named_and_the_others_go_on() {
    let rig = Rig::new();
    build(&rig);
    rig.drive(|scope| {
        plain(scope, "beside", &mut |scope| rig.bind(scope, "t.create_key", json!({"name": "role"}))).map(|_| ())
    });
    rig.cloud.foreign(&ENI, "eni-1", json!({"name": "lb"}), false);
    rig.cloud.state().held.insert("key-2".to_owned(), "eni-1".to_owned());
    rig.events();
    let report = all(&rig);
    assert_eq!(report.deleted, 2, "the role and the one in the subnet: {report:?}");
    let told = rig.events().into_iter().filter_map(|what| match what {
        What::Left { id, kept: false, cost, .. } => Some((id, cost)),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), [("key-2".to_owned(), Some("key".to_owned())), ("tag-1".to_owned(), None)]);
    let left: Vec<_> = report.left.iter().map(|left| (left.id.as_str(), left.blockers.join(" "))).collect();
    assert_eq!(left, [("key-2", "eni-1".to_owned()), ("tag-1", "key-2".to_owned())]);
    assert!(matches!(report.ending(), Ending::Stuck { left: 2, message } if message.contains("DependencyViolation")));

    let options = Options { also: vec!["eni-1".to_owned()], ..Options::default() };
    let report = take_down(&rig, Vec::new(), &options).unwrap();
    assert_eq!((report.deleted, report.left.len()), (3, 0));
    assert_eq!(rig.cloud.standing().len(), 0);
    // Called again with the words of the first.
    let report = take_down(&rig, Vec::new(), &options).unwrap();
    assert_eq!((report.deleted, report.left.len()), (0, 0));
}

#[test]
fn also_refuses_what_it_does_not_know() {
    let rig = Rig::new();
    build(&rig);
    for unknown in ["eni-none", "xyz-1"] {
        let options = Options { also: vec![unknown.to_owned()], ..Options::default() };
        let refused = take_down(&rig, Vec::new(), &options);
        assert!(matches!(&refused, Err(Halt::Failure(failure)) if failure.code == "RB0504"), "{refused:?}");
    }
    assert_eq!(rig.cloud.standing().len(), 3);
}

#[test]
fn shared_things_are_left() {
    let rig = Rig::new();
    rig.cloud.foreign(&super::super::effect::tests::cloud::SHARED, "role", json!({"name": "n"}), false);
    rig.call("t.create_shared", json!({"name": "n"})).unwrap();
    let report = all(&rig);
    assert_eq!((report.kept.len(), report.left.len(), deletes(&rig).len()), (1, 0, 0));
    assert_eq!(report.ending(), Ending::Undone);
}

#[test]
fn what_stays_for_good_is_left_though_the_run_made_it() {
    let rig = Rig::new();
    rig.call("t.create_stays", json!({"name": "n"})).unwrap();
    let report = all(&rig);
    assert_eq!((report.kept.len(), report.left.len(), deletes(&rig).len()), (1, 0, 0), "{report:?}");
    assert!(report.kept[0].why.contains("the account's"), "{report:?}");
    assert_eq!((report.ending(), rig.cloud.standing().len()), (Ending::Undone, 1));
}

#[test]
fn what_stays_for_good_is_not_deleted_after_it_failed_either() {
    let rig = Rig::new();
    let input = json!({"name": "n", "broken": true});
    assert!(rig.call("t.create_stays", input.clone()).is_err());
    rig.cloud.state().things[0].input["broken"] = json!(false);
    rig.call("t.create_stays", input).unwrap();
    assert_eq!((deletes(&rig).len(), rig.cloud.standing().len()), (0, 1));
}

#[test]
fn what_stood_there_is_put_back_unless_somebody_else_changed_it() {
    for changed in [false, true] {
        let rig = Rig::new();
        rig.cloud.foreign(&PUT, "put-n", json!({"name": "n", "size": 1}), false);
        rig.call("t.put", json!({"name": "n", "size": 2})).unwrap();
        assert_eq!(rig.cloud.standing()[0].input["size"], 2);
        if changed {
            rig.cloud.state().things[0].input["size"] = json!(7);
        }
        let report = all(&rig);
        let size = rig.cloud.standing()[0].input["size"].clone();
        if changed {
            assert_eq!((size, report.kept.len()), (json!(7), 1), "{report:?}");
            assert!(report.kept[0].why.contains("size is 7"), "{report:?}");
        } else {
            assert_eq!((size, report.put_back), (json!(1), 1), "{report:?}");
        }
    }
}

#[test]
fn what_stands_as_before_already_is_not_put_back_again() {
    let rig = Rig::new();
    rig.cloud.foreign(&PUT, "put-n", json!({"name": "n", "size": 1}), false);
    rig.call("t.put", json!({"name": "n", "size": 2})).unwrap();
    rig.cloud.state().things[0].input["size"] = json!(1);
    let report = all(&rig);
    assert_eq!((report.put_back, report.kept.len(), deletes(&rig).len()), (1, 0, 0), "{report:?}");
}

#[test]
fn it_is_put_back_once_whenever_the_process_dies() {
    for at_once in [false, true] {
        for fault in [None, Some(Fault::Lost(Class::Unknown))] {
            for cut in 2_i64.. {
                let rig = Rig::new();
                rig.cloud.foreign(&PUT, "put-n", json!({"name": "n", "size": 1}), false);
                rig.call("t.put", json!({"name": "n", "size": 2})).unwrap();
                rig.calls();
                rig.cloud.state().delete_faults.push_back(fault);
                rig.cut.after(cut, at_once);
                let _ = take_down(&rig, Vec::new(), &Options::default());
                let died = rig.cut.dead.load(Ordering::SeqCst);
                rig.cut.never();
                let report = all(&rig);
                assert_eq!((report.left.len(), report.kept.len()), (0, 0), "cut {cut}: {report:?}");
                assert_eq!(rig.cloud.standing()[0].input["size"], 1, "cut {cut}");
                assert_eq!(deletes(&rig).len(), 1, "cut {cut}, at once {at_once}, fault {fault:?}");
                assert_eq!(rig.inventory(), [""; 0], "cut {cut}");
                if !died {
                    assert!(cut > 3, "only {cut} cuts");
                    break;
                }
            }
        }
    }
}

#[test]
fn a_replacement_whose_answer_was_lost_is_put_back_too() {
    for (kind, op) in [(&PUT, "t.put"), (&ALARM, "t.put_alarm")] {
        for executed in [true, false] {
            let rig = Rig::new();
            rig.cloud.foreign(kind, "put-n", json!({"name": "n", "size": 1}), false);
            // The intent is the fourth record; what is answered is not recorded any more.
            rig.cut.after(4, !executed);
            let _died = rig.call(op, json!({"name": "n", "size": 2}));
            rig.cut.never();
            assert_eq!(rig.cloud.standing()[0].input["size"], if executed { 2 } else { 1 }, "{op}");
            let report = all(&rig);
            assert_eq!((report.left.len(), report.kept.len()), (0, 0), "{op}, executed {executed}: {report:?}");
            assert_eq!(rig.cloud.standing()[0].input["size"], 1, "{op}, executed {executed}");
        }
    }
}

#[test]
fn what_somebody_changed_after_it_was_put_back_is_left() {
    let rig = Rig::new();
    rig.cloud.foreign(&PUT, "put-n", json!({"name": "n", "size": 1}), false);
    rig.call("t.put", json!({"name": "n", "size": 2})).unwrap();
    // Began, DeleteIntent; it is put back, and that is not recorded any more.
    rig.cut.after(2, false);
    let _ = take_down(&rig, Vec::new(), &Options::default());
    rig.cut.never();
    assert_eq!(deletes(&rig).len(), 1);
    rig.cloud.state().things[0].input["size"] = json!(7);
    let report = all(&rig);
    assert_eq!((report.kept.len(), deletes(&rig).len()), (1, 0), "{report:?}");
    assert_eq!(rig.cloud.standing()[0].input["size"], 7);
}

#[test]
fn one_step_goes_with_what_depends_on_it_and_can_be_done_again() {
    let rig = Rig::new();
    build(&rig);
    rig.drive(|scope| {
        plain(scope, "beside", &mut |scope| rig.bind(scope, "t.create_key", json!({"name": "role"}))).map(|_| ())
    });
    let options = Options { step: Some("net".to_owned()), ..Options::default() };
    let report = take_down(&rig, Vec::new(), &options).unwrap();
    assert_eq!((report.deleted, report.left.len()), (3, 0), "{report:?}");
    assert_eq!(rig.inventory(), ["key-4"]);
    let undone: Vec<_> = rig
        .records()
        .into_iter()
        .filter_map(|r| if let Record::StepUndone { step, .. } = r { Some(step) } else { None })
        .collect();
    assert_eq!(undone, ["net", "use"]);
    build(&rig);
    assert_eq!(rig.cloud.standing().len(), 4);
    assert_eq!(rig.inventory().len(), 4);
    assert!(
        rig.records()
            .iter()
            .any(|r| matches!(r, Record::Intent { effect, op, .. } if op == "t.modify" && effect.generation == 1))
    );
}

#[test]
fn undoing_a_step_is_the_way_out_of_an_unknown_exec() {
    let rig = Rig::new();
    rig.cloud.state().faults.push_back(Some(Fault::Lost(Class::Unknown)));
    assert!(rig.call("t.exec", json!({"command": ["x"]})).is_err());
    let options = Options { step: Some("s".to_owned()), ..Options::default() };
    take_down(&rig, Vec::new(), &options).unwrap();
    rig.call("t.exec", json!({"command": ["x"]})).unwrap();
}

type Closure = dyn Fn(&Arc<Scope>) -> Result<(), Halt> + Send + Sync;

struct Hook {
    step: &'static str,
    said: Arc<Mutex<Vec<String>>>,
    body: Box<Closure>,
}

impl UndoHook for Hook {
    fn step(&self) -> &str {
        self.step
    }

    fn call(&self, scope: &Arc<Scope>) -> Result<(), Halt> {
        self.said.lock().unwrap().push(format!("{} of {}", scope.key, self.step));
        (self.body)(scope)
    }
}

fn hook(
    step: &'static str, said: &Arc<Mutex<Vec<String>>>,
    body: impl Fn(&Arc<Scope>) -> Result<(), Halt> + Send + Sync + 'static,
) -> Arc<dyn UndoHook> {
    Arc::new(Hook { step, said: said.clone(), body: Box::new(body) })
}

#[test]
fn closures_run_in_their_place_and_once() {
    let rig = Arc::new(Rig::new());
    build(&rig);
    let said = Arc::default();
    let hooks = || -> Vec<Arc<dyn UndoHook>> {
        let inner = rig.clone();
        let standing = rig.clone();
        vec![
            hook("use", &said, move |scope| inner.bind(scope, "t.modify", json!({"drain": true})).map(|_| ())),
            hook("net", &said, move |_| {
                let ids: Vec<_> = standing.cloud.standing().into_iter().map(|thing| thing.id).collect();
                assert_eq!(ids, ["tag-1", "key-2"], "after what came later, before its own");
                Ok(())
            }),
        ]
    };
    let report = take_down(&rig, hooks(), &Options::default()).unwrap();
    assert_eq!((report.deleted, report.left.len()), (3, 0), "{report:?}");
    assert_eq!(*said.lock().unwrap(), ["use/undo of use", "net/undo of net"]);
    take_down(&rig, hooks(), &Options::default()).unwrap();
    assert_eq!(said.lock().unwrap().len(), 2);
}

#[test]
fn a_failed_closure_keeps_what_its_step_made() {
    let rig = Rig::new();
    build(&rig);
    let said = Arc::default();
    let fails = hook("use", &said, |_| Err(Failure::new("RB0312", "the replica does not answer").into()));
    let report = take_down(&rig, vec![fails], &Options::default()).unwrap();
    assert!(report.left[0].why.contains("does not answer"), "{report:?}");
    assert_eq!(rig.cloud.standing().len(), 3);
    assert_eq!(all(&rig).deleted, 3);
}

#[test]
fn what_stood_in_a_cluster_is_gone_with_it() {
    let rig = Rig::new();
    rig.step("s", |scope| {
        rig.bind(scope, "eks.create_cluster", json!({"name": "demo"}))?;
        let place = Place { cluster: Some("demo".to_owned()), ..Place::default() };
        rig.bind_at(scope, "t.put", json!({"name": "pod"}), &place)
    })
    .unwrap();
    rig.pass(Duration::from_secs(1000));
    let name = runbook_modules::resource::Kind::meta(&CLUSTER).name;
    rig.cloud.state().things.retain(|thing| thing.kind != name);
    let report = all(&rig);
    assert_eq!((report.already, report.deleted, report.left.len()), (2, 0, 0), "{report:?}");
    assert_eq!(deletes(&rig).len(), 0);
}

#[test]
fn branches_are_undone_side_by_side() {
    let rig = Rig::new();
    let outcome = rig.drive(|scope| {
        let branch = |name: &'static str| {
            let rig = &rig;
            Branch {
                name: name.to_owned(),
                body: Box::new(move |scope: &Arc<Scope>| {
                    plain(scope, "net", &mut |scope| {
                        let input = json!({"name": scope.key, "slow": 300});
                        rig.bind(scope, "t.create_tag", input)
                    })
                }),
            }
        };
        parallel(scope, &site(1), vec![branch("one"), branch("two"), branch("three")], None).map(|_| ())
    });
    assert_eq!(outcome.ending, Ending::Finished);
    let before = crate::run::clock::Time::now_ms(&*rig.time);
    assert_eq!(all(&rig).deleted, 3);
    let took = crate::run::clock::Time::now_ms(&*rig.time) - before;
    assert!(took < 400_000, "one after the other: {took}");
}

#[test]
fn drift_is_found_and_nothing_is_changed() {
    let rig = Rig::new();
    build(&rig);
    rig.pass(Duration::from_secs(1000));
    let look = || {
        let got = Mutex::new(Vec::new());
        rig.drive(|scope| {
            *got.lock().unwrap() = verify(&scope.session)?;
            Ok(())
        });
        got.into_inner().unwrap()
    };
    assert_eq!(look(), [] as [Drift; 0]);
    {
        let mut state = rig.cloud.state();
        state.things.retain(|thing| thing.id != "token-3");
        state.things[1].input["name"] = json!("renamed");
        state.things[0].input["broken"] = json!(true);
    }
    let drifts: Vec<_> = look().into_iter().map(|drift| (drift.id, drift.difference)).collect();
    let renamed = Difference::Field { field: "name".to_owned(), asked: json!("subnet"), found: json!("renamed") };
    assert_eq!(
        drifts,
        [
            ("tag-1".to_owned(), Difference::NotReady("the subnet is full".to_owned())),
            ("key-2".to_owned(), renamed),
            ("token-3".to_owned(), Difference::Gone),
        ]
    );
    assert_eq!(deletes(&rig).len(), 0);
}
