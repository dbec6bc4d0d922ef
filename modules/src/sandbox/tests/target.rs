//! What reaches the store, what two processes see of each other, and faults.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Bench, START};
use crate::{
    error::Class,
    host::Clock,
    k8s::object::Object,
    resource::Kind as _,
    sandbox::{
        faults::Faults,
        late::{Asks, Late},
        memory::MemoryStore,
        target::Sandbox,
        world::{Store, World},
    },
    table::Table,
};

fn config_map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
}

fn at(name: &str) -> Value {
    json!({"api_version": "v1", "kind": "ConfigMap", "namespace": "default", "name": name})
}

fn with_fault(fault: &str) -> Bench {
    let store = Bench::with_cluster("").store;
    Bench::over(store, "", fault)
}

#[test]
fn a_refused_call_executes_nothing() {
    let bench = with_fault("refuse:2,throttle:3");
    bench.create(&Object, "a", config_map("a")).unwrap();
    let error = bench.create(&Object, "b", config_map("b")).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Refused, "InjectedFault"));
    assert_eq!(bench.create(&Object, "b", config_map("b")).unwrap_err().class, Class::Throttled);
    assert_eq!(bench.read(&Object, &at("b")), None);
    bench.create(&Object, "b", config_map("b")).unwrap();
    let outcomes: Vec<(u64, String)> = bench.sandbox.calls().into_iter().map(|call| (call.n, call.outcome)).collect();
    let outcomes: Vec<(u64, &str)> = outcomes.iter().map(|(n, outcome)| (*n, outcome.as_str())).collect();
    assert_eq!(outcomes, [(1, "done"), (2, "InjectedFault"), (3, "Throttling"), (4, "done")]);
}

#[test]
fn from_a_call_on_everything_is_denied() {
    let bench = with_fault("denied:2");
    bench.create(&Object, "a", config_map("a")).unwrap();
    for name in ["b", "c"] {
        let error = bench.create(&Object, name, config_map(name)).unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (Class::Refused, "AccessDenied"));
        assert_eq!(bench.read(&Object, &at(name)), None);
    }
}

#[test]
fn a_lost_answer_was_executed_and_a_dropped_one_was_not() {
    let bench = with_fault("lost:1,drop:2,server-error:3");
    for name in ["a", "b", "c"] {
        assert_eq!(bench.create(&Object, name, config_map(name)).unwrap_err().class, Class::Unknown);
    }
    assert!(bench.read(&Object, &at("a")).is_some());
    assert_eq!(bench.read(&Object, &at("b")), None);
    assert!(bench.read(&Object, &at("c")).is_some());
    let outcomes: Vec<String> = bench.sandbox.calls().into_iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, ["lost", "dropped", "broken"]);
}

#[test]
fn a_late_request_is_executed_when_its_time_has_come_whoever_works_then() {
    let store = Bench::with_cluster("").store;
    let bench = Bench::over(store.clone(), "", "");
    let late = |at, asks, input| Late {
        at,
        op: "late".to_owned(),
        asks,
        place: bench.place.clone(),
        input,
        token: "a".to_owned(),
        tags: Default::default(),
    };
    let name = Object.meta().name.to_owned();
    bench.edit(|world, now| {
        world.send_late(1, late(now + 60_000, Asks::Create(name.clone()), config_map("a")));
        world.send_late(2, late(now + 90_000, Asks::Create(name.clone()), config_map("b")));
        world.send_late(3, late(now + 91_000, Asks::Delete(name.clone(), None), self::at("c")));
        world.send_late(4, late(now + 200_000, Asks::Delete(name.clone(), None), self::at("a")));
    });
    let mut other = Bench::over(store.clone(), "", "");
    let mut kinds = Table::default();
    crate::k8s::register(&mut kinds);
    other.sandbox = Sandbox::open(store, Default::default(), Default::default()).unwrap().with_kinds(Arc::new(kinds));
    other.pass(50);
    assert_eq!(other.read(&Object, &at("a")), None);
    other.pass(20);
    assert!(other.read(&Object, &at("a")).is_some());
    // Two arrive before anybody looks: that the second one is refused takes nothing from the first one.
    other.pass(50);
    assert!(other.read(&Object, &at("b")).is_some());
    other.pass(100);
    assert_eq!(other.read(&Object, &at("a")), None);
    let calls: Vec<(u64, String)> = other.sandbox.calls().into_iter().map(|call| (call.n, call.outcome)).collect();
    let calls: Vec<(u64, &str)> = calls.iter().map(|(n, outcome)| (*n, outcome.as_str())).collect();
    assert_eq!(calls, [(1, "done"), (2, "done"), (3, "NotFound"), (4, "done")]);
}

#[test]
fn only_a_late_call_has_a_time() {
    assert!("kill-late:3+90,lost:4".parse::<Faults>().is_ok());
    for wrong in ["kill-late:3", "kill-late:3+", "lost:3+90", "server-error", "kill-late:+3"] {
        assert!(wrong.parse::<Faults>().is_err(), "{wrong}");
    }
}

#[test]
fn a_refusal_by_the_sandbox_itself_is_logged_and_changes_nothing() {
    let bench = Bench::with_cluster("");
    let mut stray = config_map("a");
    stray["metadata"]["namespace"] = "nowhere".into();
    assert_eq!(bench.create(&Object, "a", stray).unwrap_err().code, "NotFound");
    let calls = bench.sandbox.calls();
    assert_eq!(
        (calls[0].op.as_str(), calls[0].outcome.as_str(), calls[0].token.as_str()),
        ("k8s.apply", "NotFound", "a")
    );
}

#[test]
fn two_processes_see_each_others_work() {
    let store = Bench::with_cluster("").store;
    let one = Bench::over(store.clone(), "", "");
    let other = Bench::over(store, "", "");
    one.create(&Object, "a", config_map("a")).unwrap();
    assert!(other.read(&Object, &at("a")).is_some());
    other.create(&Object, "b", config_map("b")).unwrap();
    assert!(one.read(&Object, &at("b")).is_some());
    one.delete(&Object, &at("b"), None).unwrap();
    assert_eq!(other.read(&Object, &at("b")), None);
    let numbers: Vec<u64> = other.sandbox.calls().iter().map(|call| call.n).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn a_commit_that_comes_second_is_done_again_on_what_the_first_left() {
    /// Lets another process commit between the reading and the writing of the first commit.
    struct Racing(Arc<MemoryStore>, std::sync::Mutex<Option<(String, Value)>>);
    impl Store for Racing {
        fn version(&self) -> Result<u64, String> {
            self.0.version()
        }
        fn load(&self) -> Result<(u64, Vec<(String, Value)>), String> {
            self.0.load()
        }
        fn commit(&self, base: u64, changes: &[(String, Option<Value>)]) -> Result<Option<u64>, String> {
            if let Some((key, value)) = self.1.lock().unwrap().take() {
                self.0.commit(self.0.version()?, &[(key, Some(value))])?;
            }
            self.0.commit(base, changes)
        }
    }
    let inner = Bench::with_cluster("").store;
    let log = json!({"n": 1, "op": "other", "place": "", "token": "", "outcome": "done", "at": START});
    let racing = Racing(inner.clone(), Some(("oracle/00000001".to_owned(), log)).into());
    let mut bench = Bench::over(inner.clone(), "", "");
    bench.sandbox = Sandbox::open(Arc::new(racing), Default::default(), Default::default()).unwrap();
    bench.create(&Object, "a", config_map("a")).unwrap();
    let (_, documents) = inner.load().unwrap();
    let world = World::load(documents, Arc::default()).unwrap();
    let calls: Vec<(u64, &str)> = world.calls().iter().map(|call| (call.n, call.op.as_str())).collect();
    assert_eq!(calls, [(1, "other"), (2, "k8s.apply")]);
}

#[test]
fn simulated_time_goes_on_in_the_next_process() {
    let store = Bench::with_cluster("").store;
    let one = Bench::over(store.clone(), "", "");
    one.pass(3600);
    one.create(&Object, "a", config_map("a")).unwrap();
    let other = Bench::over(store.clone(), "", "");
    assert!(other.host.now_ms() >= START + 3_600_000);

    // One whose clock is behind does not fall back: what stands, stands for it too.
    let behind = Bench::over(store, "", "");
    behind.host.0.store(START, std::sync::atomic::Ordering::SeqCst);
    assert!(behind.read(&Object, &at("a")).is_some());
}
