//! A5 and A6 on the wire: at a call the answer is lost, broken or replaced by an error after the request was executed, or the request does
//! not arrive. The run goes on or is resumed; then the emulators hold what an undisturbed run makes, and each creation was executed once.
//!
//! RUNBOOK_TRIALS=all tries every call with every fault; otherwise a sample that goes through both.

#![expect(clippy::print_stdout, reason = "the figures of the trials")]

use std::collections::BTreeMap;

use runbook_testbed::{
    bed::Options,
    proxy::{Action, By, Entry, Fault, Inventory, On, Outcome, Phase},
    tools,
};

use super::place;
use crate::{
    harness::{Place, Said},
    inventory,
    stand::Stand,
};

/// How many trials the sample has.
const SAMPLE: usize = 8;

/// What can happen to a call: its name, the moment, and what happens.
fn faults() -> Vec<(&'static str, Phase, Action)> {
    let status =
        |status, code: &str| Action::Status { status, code: code.to_owned(), message: "of the test".to_owned() };
    vec![
        ("executed, then 500", Phase::AfterForward, status(500, "InternalError")),
        ("executed, then 503", Phase::AfterForward, status(503, "ServiceUnavailable")),
        ("executed, then 504", Phase::AfterForward, status(504, "GatewayTimeout")),
        ("executed, then reset", Phase::AfterForward, Action::Reset),
        ("executed, then closed", Phase::AfterForward, Action::Drop),
        ("executed, half an answer", Phase::AfterForward, Action::Truncate),
        ("executed, an answer that says nothing", Phase::AfterForward, Action::Garble),
        ("executed, the answer in drips", Phase::AfterForward, Action::SlowDrip(20)),
        ("reset before it arrived", Phase::BeforeForward, Action::Reset),
        ("closed before it arrived", Phase::BeforeForward, Action::Drop),
        ("throttled", Phase::BeforeForward, Action::Throttle),
        ("500 before it was executed", Phase::BeforeForward, status(500, "InternalError")),
    ]
}

/// A mutating call: the operation, and which one of that name.
type Nth = (String, u64);

/// What a run brought: what stands, a line each without what differs from run to run, and how often each operation was executed.
struct Brought {
    stands: Vec<String>,
    executed: BTreeMap<String, usize>,
}

#[test]
fn whatever_becomes_of_a_call_nothing_is_made_twice() {
    let Some(tools) = tools::require() else { return };
    let stand = Stand::with(&tools, &tools.helm4, 1, Options::default());
    let (calm, calls) = undisturbed(&stand);
    let faults = faults();
    let all: Vec<(&Nth, usize)> =
        calls.iter().flat_map(|call| (0..faults.len()).map(move |fault| (call, fault))).collect();
    let cases: Vec<(&Nth, usize)> = match std::env::var("RUNBOOK_TRIALS").as_deref() {
        Ok("all") => all,
        // A step that shares no factor with the number of faults goes through calls and faults alike.
        _ => (0..SAMPLE).map(|n| (&calls[n * calls.len() / SAMPLE], (n * 5) % faults.len())).collect(),
    };
    let (mut resumed, mut wrong) = (0, Vec::new());
    for (call, fault) in &cases {
        let (what, phase, action) = &faults[*fault];
        match trial(&stand, &calm, call, *phase, action) {
            Ok(again) => resumed += again,
            Err(why) => wrong.push(format!("{} {}, {what}: {why}", call.0, call.1)),
        }
    }
    println!("{} calls, {} trials, {resumed} resumes, wrong {}", calls.len(), cases.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn undisturbed(stand: &Stand) -> (Brought, Vec<Nth>) {
    let before = emptied(stand);
    let place = place();
    let said = stand.say(&place, &["run", "services.rhai", "--yes", "--json"]);
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    let mut seen = BTreeMap::<String, u64>::new();
    let log = stand.bed.proxy().log();
    let call = |entry: &Entry| {
        let nth = seen.entry(entry.operation.clone()).or_default();
        *nth += 1;
        (entry.operation.clone(), *nth)
    };
    let calls = log.iter().map(call).collect();
    (brought(stand, &before), calls)
}

/// Empty emulators, a new log, no faults; and what stands even so.
fn emptied(stand: &Stand) -> Inventory {
    stand.bed.moto().reset().expect("moto forgets");
    stand.bed.ministack().reset().expect("ministack forgets");
    stand.bed.proxy().reset();
    stand.inventory()
}

fn brought(stand: &Stand, before: &Inventory) -> Brought {
    let mut executed = BTreeMap::new();
    for entry in stand.bed.proxy().log().iter().filter(|entry| was_executed(entry)) {
        *executed.entry(entry.operation.clone()).or_default() += 1;
    }
    // Tags of runs are left out of inventories already.
    Brought { stands: inventory::lines(&stand.inventory().since(before), "no run"), executed }
}

/// Whether a request made something: it was executed and not refused, whatever answer was delivered then. A repeated token is no
/// second execution.
fn was_executed(entry: &Entry) -> bool {
    let spoilt = entry.fault.as_ref().is_some_and(|fault| fault.phase == Phase::AfterForward);
    let taken = spoilt || entry.status.is_some_and(|status| status < 300);
    entry.outcome >= Outcome::Forwarded && taken && entry.by != Some(By::Ledger)
}

/// One disturbed run; how often it was resumed, or what is wrong.
fn trial(stand: &Stand, calm: &Brought, call: &Nth, phase: Phase, action: &Action) -> Result<u32, String> {
    let before = emptied(stand);
    let on = On::Operation { name: call.0.clone(), nth: call.1 };
    stand.bed.proxy().faults().add(Fault::new(on, phase, action.clone()));
    let place = place();
    let mut said = stand.say(&place, &["run", "services.rhai", "--yes", "--json"]);
    if stand.bed.proxy().faults().happened().is_empty() {
        return Err("the call did not come".to_owned());
    }
    let mut resumed = 0;
    while said.code != 0 {
        if resumed == 2 {
            return Err(format!("it ended with {}:\n{}", said.code, told(stand, &place, &said)));
        }
        said = stand.say(&place, &["resume", "latest", "--json"]);
        resumed += 1;
    }
    let now = brought(stand, &before);
    if let Some(differs) = inventory::difference(&now.stands, &calm.stands) {
        return Err(differs);
    }
    for (operation, times) in &now.executed {
        let wanted = calm.executed.get(operation).copied().unwrap_or_default();
        // What sets a state may be said again. The secret of a key is told once: one whose answer was lost is deleted, and another made.
        let makes = ["Create", "Allocate", "Request"].iter().any(|verb| operation.starts_with(verb));
        if *times > wanted && makes && !["CreateAccessKey", "CreateTags"].contains(&operation.as_str()) {
            return Err(format!("{operation} was executed {times} times and not {wanted}"));
        }
    }
    Ok(resumed)
}

fn told(stand: &Stand, place: &Place, said: &Said) -> String {
    let shown = stand.say(place, &["show", "latest"]);
    format!("{}\n{}{}", said.err, shown.out, stand.last_calls())
}
