//! Requests of a dead client that are still on their way. They are kept with the world, and executed at a time of their own, whoever
//! works with it then.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    sim::SimCall,
    target::ACCOUNT,
    world::{Call, World},
};
use crate::{
    error::CallError,
    table::{Binding, Table},
    target::Place,
};

/// What is asked for, by its name in the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    /// To make one of a kind.
    Create(String),
    /// To delete one of a kind, or to put back what stood there before.
    Delete(String, Option<Value>),
    /// An operation.
    Call(String),
}

/// A request on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Late {
    /// Simulated time at which it is executed.
    pub at: i64,
    /// As the log of calls names it.
    pub op: String,
    /// What is asked for.
    pub asks: Asks,
    /// Where it goes.
    pub place: Place,
    /// The input, or the locator of a deletion.
    pub input: Value,
    /// The idempotency token.
    pub token: String,
    /// Tags of the request.
    pub tags: BTreeMap<String, String>,
}

impl Late {
    /// It arrives: what it asks for is done or refused, and logged.
    pub fn arrive(&self, world: &mut World, kinds: &Table, now_ms: i64) {
        let before = world.clone();
        let done = self.execute(world, kinds, now_ms);
        if done.is_err() {
            *world = before;
        }
        world.log(Call {
            n: world.next_call(),
            op: self.op.clone(),
            place: self.place.cluster.as_ref().unwrap_or(&self.place.region).clone(),
            token: self.token.clone(),
            outcome: done.err().map_or_else(|| "done".to_owned(), |error| error.code),
            at: now_ms,
        });
    }

    fn execute(&self, world: &mut World, kinds: &Table, now_ms: i64) -> Result<(), CallError> {
        let Self { place, input, token, tags, .. } = self;
        let call = SimCall { place, input, token, tags, now_ms, account: ACCOUNT, doomed: false };
        let unknown = |name: &str| CallError::refused("UnknownBinding", format!("there is no {name}"));
        match &self.asks {
            Asks::Create(name) => {
                let kind = kinds.kind(name).ok_or_else(|| unknown(name))?;
                kind.sim().create(kind, world, &call).map(drop)
            }
            Asks::Delete(name, put_back) => {
                let kind = kinds.kind(name).ok_or_else(|| unknown(name))?;
                kind.sim().delete(kind, world, &call, put_back.as_ref())
            }
            Asks::Call(name) => match kinds.binding(name) {
                Some(Binding::Call(operation)) => (operation.sim)(world, &call).map(drop),
                _ => Err(unknown(name)),
            },
        }
    }
}
