//! Kinds that are said as data.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{Bench, START, now};
use crate::{
    error::Class,
    host::Clock,
    input::InputError,
    resource::{Identity, Kind, Meta},
    sandbox::{
        late::{Asks, Late},
        sim::{Ref, Sim, Simple},
        target::Sandbox,
        world::Store as _,
    },
    table::Table,
    target::Target,
};

pub struct Fake {
    meta: &'static Meta,
    sim: Simple,
    locator: &'static str,
}

const NET_LIKE: Meta = Meta {
    name: "t.net",
    create: "create_net",
    operations: ("CreateNet", "DeleteNet"),
    doc: "",
    identity: Identity::Tag,
    usual: (Duration::from_secs(10), Duration::from_secs(20)),
    cost: None,
    replaces: false,
    shared: false,
};

impl Kind for Fake {
    fn meta(&self) -> &'static Meta {
        self.meta
    }
    fn schema(&self) -> Value {
        json!({})
    }
    fn check(&self, _: &Value) -> Result<(), InputError> {
        Ok(())
    }
    fn locate(&self, _: &Value, described: &Value) -> Option<Value> {
        Some(json!({self.locator: described.get("id")?}))
    }
    fn sim(&self) -> &dyn Sim {
        &self.sim
    }
}

static META: Meta = NET_LIKE;
static SUB_META: Meta =
    Meta { name: "t.sub", identity: Identity::Key, usual: (Duration::ZERO, Duration::ZERO), ..NET_LIKE };
static ROLE_META: Meta =
    Meta { name: "t.role", identity: Identity::Key, usual: (Duration::ZERO, Duration::ZERO), ..NET_LIKE };

pub static NET: Fake = Fake {
    meta: &META,
    locator: "net_id",
    sim: Simple {
        prefix: "net-",
        state_field: "status.code",
        states: ("making", "ready", "leaving"),
        token: true,
        missing: "Net.NotFound",
        describe: |_, _, id| json!({"arn": format!("arn:{id}")}),
        ..Simple::DEFAULT
    },
};

static SUB: Fake = Fake {
    meta: &SUB_META,
    locator: "sub_id",
    sim: Simple {
        prefix: "sub-",
        refs: &[Ref { field: "net", kind: "t.net", missing: "Net.NotFound", owned: false }],
        unique: (&["net", "range"], "Sub.Conflict"),
        ..Simple::DEFAULT
    },
};

static ROLE: Fake = Fake {
    meta: &ROLE_META,
    locator: "role_name",
    sim: Simple {
        id: |call| call.text("role_name").to_owned(),
        global: true,
        unique: (&["role_name"], "EntityAlreadyExists"),
        ..Simple::DEFAULT
    },
};

static ATTACHMENT_META: Meta = Meta { name: "t.attachment", create: "attach_net", ..SUB_META };
static ATTACHMENT: Fake = Fake {
    meta: &ATTACHMENT_META,
    locator: "id",
    sim: Simple { id: |call| call.text("net").to_owned(), taggable: false, ..Simple::DEFAULT },
};

#[test]
fn what_bears_no_tags_shows_none_and_is_not_listed_by_them() {
    let mut kinds = Table::default();
    kinds.add(&[&NET, &ATTACHMENT], &[]);
    let mut bench = Bench::new("", "");
    let sandbox = Sandbox::open(bench.store.clone(), Default::default(), Default::default()).unwrap();
    bench.sandbox = sandbox.with_kinds(Arc::new(kinds));
    let net = bench.create(&NET, "t1", json!({})).unwrap();
    let made = bench.create(&ATTACHMENT, "t2", json!({"net": net["id"]})).unwrap();
    assert_eq!(made.get("tags"), None);
    assert_eq!(bench.find(&ATTACHMENT, "t3", json!({"net": net["id"]})), [made], "it is told by what it is");
    let listed = now(bench.sandbox.tagged(&bench.place, &bench.host)).unwrap();
    assert_eq!(listed.found.iter().map(|found| found.kind.as_str()).collect::<Vec<_>>(), ["t.net"]);
}

#[test]
fn what_has_arrived_is_listed_and_not_kept_for_it() {
    let mut kinds = Table::default();
    kinds.add(&[&NET], &[]);
    let mut bench = Bench::new("", "");
    let late = Late {
        at: START + 30_000,
        op: "t.create_net".to_owned(),
        asks: Asks::Create("t.net".to_owned()),
        place: bench.place.clone(),
        input: json!({}),
        token: "t1".to_owned(),
        tags: bench.tags("t1"),
    };
    bench.edit(|world, _| world.send_late(1, late));
    let sandbox = Sandbox::open(bench.store.clone(), Default::default(), Default::default()).unwrap();
    bench.sandbox = sandbox.with_kinds(Arc::new(kinds));
    let listed = |bench: &Bench| now(bench.sandbox.tagged(&bench.place, &bench.host)).unwrap().found.len();
    assert_eq!(listed(&bench), 0, "it is on its way");
    let before = bench.store.load().unwrap();
    bench.pass(60);
    assert_eq!(listed(&bench), 1);
    assert_eq!(bench.store.load().unwrap(), before);
}

#[test]
fn a_resource_walks_its_states() {
    let bench = Bench::new("", "");
    let net = bench.create(&NET, "t1", json!({"cidr": "10.0.0.0/16"})).unwrap();
    assert_eq!(net["status"]["code"], "making");
    assert_eq!((net["cidr"].as_str(), net["tags"]["runbook:effect"].as_str()), (Some("10.0.0.0/16"), Some("t1")));
    let at = json!({"net_id": net["id"]});
    assert_eq!(bench.sandbox_next(&at), Some(Duration::from_secs(10)));
    bench.pass(10);
    assert_eq!(bench.read(&NET, &at).unwrap()["status"]["code"], "ready");
    assert_eq!(bench.sandbox_next(&at), None);

    bench.delete(&NET, &at, None).unwrap();
    assert_eq!(bench.read(&NET, &at).unwrap()["status"]["code"], "leaving");
    assert!(bench.find(&NET, "t1", json!({"cidr": "10.0.0.0/16"})).is_empty(), "on its way out");
    bench.pass(20);
    assert_eq!(bench.read(&NET, &at), None);
    assert_eq!(bench.delete(&NET, &at, None).unwrap_err().class, Class::NotFound);
}

#[test]
fn a_token_gives_the_first_one_again_and_refuses_another_input() {
    let bench = Bench::new("", "");
    let first = bench.create(&NET, "t1", json!({"cidr": "10.0.0.0/16"})).unwrap();
    let again = bench.create(&NET, "t1", json!({"cidr": "10.0.0.0/16"})).unwrap();
    assert_eq!(first["id"], again["id"]);
    let error = bench.create(&NET, "t1", json!({"cidr": "10.1.0.0/16"})).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::TokenMismatch, "IdempotentParameterMismatch"));
    assert_ne!(bench.create(&NET, "t2", json!({"cidr": "10.0.0.0/16"})).unwrap()["id"], first["id"]);
    assert_eq!(bench.find(&NET, "t2", json!({})).len(), 1, "found by its effect tag");
}

#[test]
fn parents_must_exist_and_are_held() {
    let bench = Bench::new("", "");
    let error = bench.create(&SUB, "s0", json!({"net": "net-0", "range": 1})).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Refused, "Net.NotFound"));
    let net = bench.create(&NET, "n", json!({})).unwrap();
    let at = json!({"net_id": net["id"]});
    let sub = bench.create(&SUB, "s1", json!({"net": net["id"], "range": 1})).unwrap();
    let error = bench.create(&SUB, "s2", json!({"net": net["id"], "range": 1})).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::AlreadyExists, "Sub.Conflict"));
    assert_eq!(bench.find(&SUB, "s2", json!({"net": net["id"], "range": 1})).len(), 1, "found by its natural key");

    let error = bench.delete(&NET, &at, None).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Blocked, "DependencyViolation"));
    assert_eq!(bench.obstacles(&NET, &at), [format!("t.sub {}", sub["id"].as_str().unwrap())]);
    bench.delete(&SUB, &json!({"sub_id": sub["id"]}), None).unwrap();
    bench.delete(&NET, &at, None).unwrap();
}

#[test]
fn what_is_global_is_found_from_any_region() {
    let mut bench = Bench::new("", "");
    bench.create(&ROLE, "r", json!({"role_name": "admin"})).unwrap();
    bench.place.region = "eu-west-1".into();
    assert!(bench.read(&ROLE, &json!({"role_name": "admin"})).is_some());
    assert_eq!(bench.create(&ROLE, "r2", json!({"role_name": "admin"})).unwrap_err().code, "EntityAlreadyExists");
}

impl Bench {
    fn sandbox_next(&self, at: &Value) -> Option<Duration> {
        use crate::target::Target;
        self.sandbox
            .next_change(&NET, &self.place, at)
            .map(|next| Duration::from_secs(next.as_secs() + u64::from(next.subsec_millis() > 0)))
    }
}

#[test]
fn a_call_takes_simulated_time() {
    let bench = Bench::new("", "");
    let began = bench.host.now_ms();
    bench.create(&ROLE, "r", json!({"role_name": "a"})).unwrap();
    let took = bench.host.now_ms() - began;
    assert!((200..600).contains(&took), "{took}");
}

#[test]
fn reads_that_lag_show_late_what_was_made() {
    let bench = Bench::new("", "stale:30");
    let net = bench.create(&NET, "t1", json!({"cidr": "10.0.0.0/16"})).unwrap();
    let at = json!({"net_id": net["id"]});
    bench.pass(20);
    assert_eq!(bench.read(&NET, &at), None);
    assert!(bench.find(&NET, "t1", json!({})).is_empty());
    bench.create(&SUB, "t2", json!({"net": net["id"], "range": "a"})).expect("calls are not blind to it");
    bench.pass(10);
    assert_eq!(bench.read(&NET, &at).unwrap()["id"], net["id"]);
}
