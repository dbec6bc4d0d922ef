//! Records in, records out; the effects and the inventory they leave.

use super::*;
use crate::record::Ending;

#[test]
fn what_goes_in_comes_out_in_order() {
    let (_dir, store) = on_disk();
    let lease = lease(&store);
    store.append(&lease, 5, Some(7), vec![output(1), output(2)], When::Now).unwrap();
    now(&store, &lease, vec![step_done("a")]).unwrap();
    let journal = store.journal(RUN).unwrap();
    assert_eq!(journal.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(journal[0], Entry { seq: 1, at_ms: 5, sim_ms: Some(7), record: output(1) });
    assert_eq!(journal[2].record, step_done("a"));
    assert_eq!(store.journal_after(RUN, 2).unwrap(), journal[2..]);
}

#[test]
fn a_resource_is_in_the_inventory_from_done_to_gone() {
    let store = store();
    let lease = lease(&store);
    now(&store, &lease, vec![intent("a"), intent("b")]).unwrap();
    assert_eq!(store.inventory(RUN).unwrap(), []);
    now(&store, &lease, vec![done("b", Some(owned("vpc-b")))]).unwrap();
    now(&store, &lease, vec![done("a", Some(owned("vpc-a")))]).unwrap();
    let ids = |store: &Sqlite| {
        let rows = store.inventory(RUN).unwrap();
        rows.into_iter().map(|row| (row.owned.id, row.seq, row.gone)).collect::<Vec<_>>()
    };
    assert_eq!(ids(&store), [("vpc-b".into(), 3, false), ("vpc-a".into(), 4, false)]);
    assert_eq!(store.run(RUN).unwrap().summary.owned, 2);
    now(&store, &lease, vec![Record::DeleteIntent { effect: key("b") }, gone("b")]).unwrap();
    assert_eq!(ids(&store), [("vpc-b".into(), 3, true), ("vpc-a".into(), 4, false)]);
    assert_eq!(store.run(RUN).unwrap().summary.owned, 1);
}

#[test]
fn accepted_inserts_and_done_renews_the_same_row() {
    let store = store();
    let lease = lease(&store);
    let accepted = Record::Accepted { effect: key("a"), response: Value::Null, owned: Some(owned("first")) };
    now(&store, &lease, vec![intent("a"), accepted]).unwrap();
    assert_eq!(store.inventory(RUN).unwrap()[0].owned.id, "first");
    now(&store, &lease, vec![done("a", None)]).unwrap();
    assert_eq!(store.inventory(RUN).unwrap()[0].owned.id, "first");
    assert_eq!(store.run(RUN).unwrap().summary.owned, 1);
}

#[test]
fn remains_of_a_failure_stay_in_the_inventory() {
    for (remains, left) in [(true, 1), (false, 0)] {
        let store = store();
        let lease = lease(&store);
        let accepted = Record::Accepted { effect: key("a"), response: Value::Null, owned: Some(owned("nat")) };
        let failed = Record::Failed { effect: key("a"), error: Value::Null, remains };
        now(&store, &lease, vec![intent("a"), accepted, failed]).unwrap();
        assert_eq!(store.run(RUN).unwrap().summary.owned, left);
        assert_eq!(store.inventory(RUN).unwrap()[0].gone, left == 0);
    }
}

#[test]
fn an_illegal_record_writes_nothing_of_its_request() {
    let store = store();
    let lease = lease(&store);
    for illegal in [done("a", None), gone("a"), Record::DeleteIntent { effect: key("a") }] {
        assert!(matches!(now(&store, &lease, vec![output(1), illegal]), Err(Error::Illegal { .. })));
    }
    now(&store, &lease, vec![intent("a")]).unwrap();
    let again = now(&store, &lease, vec![intent("a")]);
    assert_eq!(
        again.unwrap_err().to_string(),
        format!("run {RUN}: effect 0 of step a (generation 0): an effect cannot go from Some(Intent) to Intent")
    );
    assert_eq!(store.journal(RUN).unwrap().len(), 1);
}

#[test]
fn the_summary_follows_the_journal() {
    let store = store();
    let lease = lease(&store);
    let began = Record::Began { mode: "run".into(), version: "1".into(), by: "me".into(), script: None };
    let ended = Record::Ended { ending: Ending::Finished, failures: Vec::new() };
    now(&store, &lease, vec![began.clone(), intent("a"), done("a", None), step_done("a"), ended]).unwrap();
    let summary = store.run(RUN).unwrap().summary;
    assert_eq!(summary.ending, Some(json!({"how": "finished"})));
    assert_eq!((summary.mode.as_str(), summary.steps_done, summary.effects_done), ("run", 1, 1));
    assert_eq!(summary.last_ms, 2_000);
    // An edited body was held against the record; another step was begun, not finished, and is undone.
    let again = Record::StepDone { step: "a".into(), result: json!(2), captures: String::new(), again: true };
    now(&store, &lease, vec![again, Record::StepUndone { step: "b".into(), finished: false }]).unwrap();
    assert_eq!(store.run(RUN).unwrap().summary.steps_done, 1);
    now(&store, &lease, vec![began, gone("a"), Record::StepUndone { step: "a".into(), finished: true }]).unwrap();
    let summary = store.run(RUN).unwrap().summary;
    assert_eq!((summary.ending, summary.steps_done, summary.effects_done), (None, 0, 0));
}

#[test]
fn soon_is_in_order_with_now_and_is_there_for_the_next_read() {
    let (_dir, store) = on_disk();
    let lease = lease(&store);
    for n in 0..20 {
        let when = if n % 5 == 4 { When::Now } else { When::Soon };
        store.append(&lease, n, None, vec![output(n)], when).unwrap();
    }
    store.append(&lease, 20, None, vec![output(20)], When::Soon).unwrap();
    let journal = store.journal(RUN).unwrap();
    assert_eq!(journal.iter().map(|entry| entry.at_ms).collect::<Vec<_>>(), (0..21).collect::<Vec<_>>());
}

#[test]
fn a_record_that_nobody_waited_for_is_not_lost_in_silence() {
    let store = store();
    let lease = lease(&store);
    store.append(&lease, 0, None, vec![gone("a")], When::Soon).unwrap();
    for _ in 0..2 {
        assert!(matches!(now(&store, &lease, vec![output(1)]), Err(Error::Illegal { .. })));
    }
    assert_eq!(store.journal(RUN).unwrap(), []);
}

#[test]
fn closing_writes_what_was_to_be_written_soon() {
    let (dir, store) = on_disk();
    let lease = lease(&store);
    store.append(&lease, 0, None, vec![output(1)], When::Soon).unwrap();
    drop(store);
    let store = Sqlite::open(&dir.path().join("state")).unwrap();
    assert_eq!(store.journal(RUN).unwrap().len(), 1);
}

#[test]
fn people_tell_without_a_lease_and_only_what_they_may() {
    let store = store();
    store.tell(RUN, 9, Record::CancelAsked { by: "me".into() }).unwrap();
    assert_eq!(store.journal(RUN).unwrap().len(), 1);
    assert!(matches!(store.tell(RUN, 9, output(1)), Err(Error::Illegal { .. })));
    assert!(matches!(store.tell("f", 9, Record::CancelAsked { by: "me".into() }), Err(Error::NoSuchRun { .. })));
}

#[test]
fn numbers_are_read_back_as_they_were() {
    let store = store();
    let lease = lease(&store);
    let numbers = (0_u64..5_000).map(|n| f64::from_bits(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let value: Value = numbers.filter(|number| number.is_finite()).map(Value::from).collect();
    let record = Record::Output { name: "n".into(), value };
    now(&store, &lease, vec![record.clone()]).unwrap();
    assert_eq!(store.journal(RUN).unwrap()[0].record, record);
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let store = store();
    let lease = lease(&store);
    let nested = |depth: usize| {
        let value = (0..depth).fold(Value::from("\"[[[{"), |inner, _| json!([inner]));
        now(&store, &lease, vec![Record::Output { name: "n".into(), value }])
    };
    nested(110).unwrap();
    assert!(matches!(nested(121), Err(Error::Illegal { .. })));
    assert_eq!(store.journal(RUN).unwrap().len(), 1);
}
