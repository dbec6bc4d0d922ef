//! The kinds and operations on the simulated world.

use std::collections::BTreeMap;

use runbook_modules::{
    error::CallError,
    operation::Operation,
    resource::{Health, Kind},
    sandbox::{sim::SimCall, world::World},
    table::Table,
    target::{EFFECT_TAG, Place},
};
use serde_json::{Value, json};

use crate::row::Row;

mod gateways;
mod groups;
#[cfg(feature = "live")]
mod live;
mod logs_and_templates;
mod network;
mod others;
mod peering;
mod snapshots;
mod table;

/// A world with a clock that only tests move.
pub(super) struct Bench {
    world: World,
    now_ms: i64,
    calls: u32,
    region: &'static str,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self { world: World::default(), now_ms: 1_000_000, calls: 0, region: "us-east-1" }
    }

    fn with<T>(&mut self, input: &Value, act: impl FnOnce(&mut World, &SimCall<'_>) -> T) -> T {
        self.calls += 1;
        let token = format!("{:064}", self.calls);
        let tags = BTreeMap::from([(EFFECT_TAG.to_owned(), token[..32].to_owned())]);
        let place = Place { region: self.region.to_owned(), ..Place::default() };
        let call = SimCall {
            place: &place,
            input,
            token: &token,
            tags: &tags,
            now_ms: self.now_ms,
            account: "123456789012",
            doomed: false,
        };
        act(&mut self.world, &call)
    }

    /// Makes one without waiting.
    pub(super) fn begin(&mut self, row: &'static Row, input: Value) -> Result<Value, CallError> {
        assert_eq!(row.check(&input), Ok(()), "the input of {}", row.meta.create);
        self.with(&input, |world, call| row.sim().create(row, world, call))
    }

    /// Makes one and waits until it is ready; gives the description.
    pub(super) fn make(&mut self, row: &'static Row, input: Value) -> Value {
        let made = self.begin(row, input.clone()).unwrap_or_else(|e| panic!("{}: {e}", row.meta.create));
        self.pass(row.meta.usual.0.as_secs());
        let read = self.read(row, &input, &made).expect("what was made is there");
        assert_eq!(row.judge(&read), Health::Ready, "{read}");
        assert_eq!(row.differences(&input, &read), Vec::new(), "no drift at once");
        read
    }

    /// The id of what [`Bench::make`] makes.
    pub(super) fn id(&mut self, row: &'static Row, input: Value) -> String {
        self.make(row, input)["id"].as_str().unwrap_or_default().to_owned()
    }

    pub(super) fn read(&mut self, row: &'static Row, input: &Value, described: &Value) -> Option<Value> {
        let at = row.locate(input, described).expect("a locator");
        self.with(&at, |world, call| row.sim().read(row, world, call))
    }

    /// Deletes one and waits until it is gone; the code of a refusal.
    pub(super) fn delete(&mut self, row: &'static Row, described: &Value) -> Result<(), String> {
        let at = row.locate(&Value::Null, described).expect("a locator");
        self.with(&at, |world, call| row.sim().delete(row, world, call, None)).map_err(|e| e.code)?;
        self.pass(row.meta.usual.1.as_secs());
        assert_eq!(self.read(row, &Value::Null, described), None, "it is gone");
        Ok(())
    }

    /// The code with which making one is refused.
    pub(super) fn refused(&mut self, row: &'static Row, input: Value) -> String {
        self.begin(row, input).map_or_else(|e| e.code, |made| format!("made {made}"))
    }

    pub(super) fn call(&mut self, operation: &'static Operation, input: Value) -> Result<Value, CallError> {
        assert_eq!((operation.check)(&input), Ok(()), "the input of {}", operation.name);
        self.with(&input, |world, call| (operation.sim)(world, call))
    }

    /// How many a describe call lists.
    pub(super) fn count(&mut self, operation: &'static Operation, answer: &str, input: Value) -> usize {
        let listed = self.call(operation, input).unwrap_or_else(|e| panic!("{}: {e}", operation.name));
        listed[answer].as_array().map_or(0, Vec::len)
    }

    pub(super) fn pass(&mut self, seconds: u64) {
        self.now_ms += i64::try_from(seconds).unwrap_or_default() * 1000;
    }

    pub(super) fn vpc(&mut self, block: &str) -> String {
        self.id(&super::vpc::VPC, json!({ "cidr_block": block }))
    }

    pub(super) fn subnet(&mut self, vpc: &str, block: &str) -> String {
        self.id(
            &super::subnet::SUBNET,
            json!({ "vpc_id": vpc, "cidr_block": block, "availability_zone": "us-east-1a" }),
        )
    }
}

/// The table with the kinds of EC2.
fn full_table() -> Table {
    let mut table = Table::default();
    super::register(&mut table);
    table
}
