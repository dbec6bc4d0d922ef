use runbook_state::{record::Owned, store::Entry};
use serde_json::json;

use super::*;

fn key(step: &str, ordinal: u32, generation: u32) -> EffectKey {
    EffectKey { step: step.to_owned(), ordinal, generation }
}

fn intent(effect: EffectKey) -> Record {
    Record::Intent {
        effect,
        op: "ec2.create_vpc".into(),
        token: "t".into(),
        digest: "d".into(),
        input: json!({}),
        place: json!({}),
        tags: json!({}),
        site: Default::default(),
        prior: None,
    }
}

fn done(effect: EffectKey, owned: Option<Owned>) -> Record {
    Record::Done { effect, response: json!({"id": "vpc-1"}), owned, adopted: false, attempts: 1 }
}

fn owned() -> Owned {
    Owned {
        kind: "ec2.vpc".into(),
        id: "vpc-1".into(),
        name: "vpc".into(),
        place: json!({}),
        locator: json!({}),
        parents: vec![],
        input: json!({}),
        prior: None,
        account: String::new(),
        ours: true,
    }
}

fn started(step: &str, attempt: u32) -> Record {
    Record::StepStarted { step: step.into(), attempt, site: Default::default() }
}

fn history(records: Vec<Record>) -> History {
    let entry =
        |(at, record): (i64, Record)| Entry { seq: at.unsigned_abs() + 1, at_ms: at, sim_ms: Some(at * 10), record };
    let mut inner = Inner::default();
    (0..).zip(records).map(entry).for_each(|entry| inner.take(entry));
    History { inner: RwLock::new(inner) }
}

#[test]
fn the_newest_generation_answers() {
    let h = history(vec![
        started("a", 1),
        intent(key("a", 0, 0)),
        Record::Failed { effect: key("a", 0, 0), error: json!({}), remains: true },
        Record::Gone { effect: key("a", 0, 0), already: false },
        intent(key("a", 0, 1)),
        done(key("a", 0, 1), Some(owned())),
    ]);
    let newest = h.effect("a", 0).map(|e| (e.key.generation, e.state));
    assert_eq!(newest, Some((1, EffectState::Done)));
    assert_eq!(h.effect_at(&key("a", 0, 0)).map(|e| e.state), Some(EffectState::Undone));
    assert_eq!(h.effects().len(), 2);
    assert_eq!(h.totals(), Totals { effects: 1, ..Totals::default() });
}

#[test]
fn an_acceptance_without_a_row_keeps_the_one_that_is_known() {
    let accepted = |owned| Record::Accepted { effect: key("a", 0, 0), response: json!({"id": "vpc-1"}), owned };
    let lost = Record::Unknown { effect: key("a", 0, 0), error: json!({}) };
    let h = history(vec![intent(key("a", 0, 0)), accepted(Some(owned())), lost, accepted(None)]);
    assert_eq!(h.effect("a", 0).and_then(|effect| effect.owned.as_deref().cloned()), Some(owned()));
}

#[test]
fn what_an_effect_keeps_is_what_was_recorded() {
    let said = json!({"name": "ü\n\"", "n": [1, -1, u64::MAX, 0.1, 1e300, true, null], "m": {"": {}}});
    for response in [said.clone(), Value::Null] {
        let Record::Intent { effect, op, token, digest, site, .. } = intent(key("a", 0, 0)) else { unreachable!() };
        let (input, place, tags, prior) =
            (said.clone(), json!({"region": "r"}), json!({"Name": "x"}), Some(said.clone()));
        let asked = Record::Intent { effect, op, token, digest, input, place, tags, site, prior };
        let answered = Record::Done {
            effect: key("a", 0, 0),
            response: response.clone(),
            owned: None,
            adopted: false,
            attempts: 1,
        };
        let effect = history(vec![asked, answered]).effect("a", 0).unwrap();
        assert_eq!((effect.input.value(), effect.answer(), effect.response.is_some()), (said.clone(), response, true));
        assert_eq!((effect.place.value(), effect.tags.value()), (json!({"region": "r"}), json!({"Name": "x"})));
        assert_eq!(effect.prior.as_ref().map(Packed::value), Some(said.clone()));
        assert_eq!((effect.error.is_none(), effect.trouble()), (true, Value::Null));
    }
}

#[test]
fn effects_count_in_all_scopes_around_them() {
    let h =
        history(vec![started("a", 1), started("a/b", 1), intent(key("a/b/x", 0, 0)), done(key("a/b/x", 0, 0), None)]);
    assert_eq!([h.effects_below("a"), h.effects_below("a/b"), h.effects_below("a/b/x")], [1, 1, 1]);
    assert_eq!((h.children("a"), h.children("")), (vec!["a/b".to_owned()], vec!["a".to_owned()]));
}

#[test]
fn an_effect_in_a_branch_has_the_attempt_of_the_step_around_it() {
    let h = history(vec![started("a", 1), started("a", 2), intent(key("a/x", 0, 0))]);
    assert_eq!(h.effect("a/x", 0).map(|e| e.attempt), Some(2));
}

#[test]
fn a_finished_step_only_moves_when_it_is_started_again() {
    let site = runbook_state::record::Site { file: "x.rhai".into(), line: 9, column: 1 };
    let h = history(vec![
        started("a", 1),
        Record::StepDone { step: "a".into(), result: json!(1), captures: String::new(), again: false },
        Record::StepStarted { step: "a".into(), attempt: 1, site: site.clone() },
    ]);
    let step =
        h.step("a").map(|s| (s.site.clone(), matches!(s.state, StepState::Done { .. }), s.started_ms, s.ended_ms));
    assert_eq!(step, Some((site, true, 0, 10)));
}

#[test]
fn an_undone_step_may_run_again() {
    let h = history(vec![
        started("a", 1),
        intent(key("a", 0, 0)),
        done(key("a", 0, 0), Some(owned())),
        Record::StepDone { step: "a".into(), result: json!(1), captures: String::new(), again: false },
        Record::DeleteIntent { effect: key("a", 0, 0) },
        Record::Gone { effect: key("a", 0, 0), already: false },
        Record::StepUndone { step: "a".into(), finished: true },
    ]);
    assert_eq!(h.step("a").map(|s| s.state.clone()), Some(StepState::Undone));
    assert_eq!((h.totals(), h.effects_below("a")), (Totals::default(), 0));
    assert!(h.effects_of("a").is_empty());
}

#[test]
fn time_is_counted_while_the_run_is_driven() {
    let began = |mode: &str| Record::Began { mode: mode.into(), version: "1".into(), by: "eve".into(), script: None };
    let ended = || Record::Ended { ending: Ending::Finished, failures: Vec::new() };
    let yes = Record::Approved { step: "b".into(), yes: true, by: "eve".into(), why: String::new() };
    // At 0 to 20 of target time, killed; asked at 30; at 40 to 60; an undo at 70 to 90.
    let records = vec![began("run"), started("a", 1), started("b", 1), yes, began("resume"), started("b", 2), ended()];
    let h = history(records.into_iter().chain([began("undo"), started("c", 1), ended()]).collect());
    assert_eq!((h.totals().took_ms, h.totals().real_ms), (40, 4));
}

#[test]
fn open_questions_are_those_without_an_answer() {
    let ask =
        |step: &str| Record::Decided { step: step.into(), ordinal: 0, what: ASKED.into(), value: json!("really?") };
    let yes = Record::Approved { step: "b".into(), yes: true, by: "eve".into(), why: String::new() };
    let h = history(vec![ask("a"), ask("b"), yes]);
    assert_eq!(h.questions(), vec![("a".to_owned(), "really?".to_owned())]);
}
