//! Script functions that make no resource of their own: reads, updates of something that is owned, deletes by hand, exec.

use serde_json::Value;

use crate::{
    error::CallError,
    input::InputError,
    sandbox::{sim::SimCall, world::World},
};

/// What kind of call an operation is; decides what the journal records and what a crash in the middle means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Changes nothing: recorded as an observation.
    Read,
    /// Changes something that is there, and doing it again with the same input is harmless (`modify_vpc_attribute`).
    Update,
    /// Takes something away that this run does not track as a resource (`deregister_instance`); not found means done.
    Delete,
    /// Runs something whose repetition may do harm (`exec`): after a crash with an unknown outcome the run stops and asks,
    /// unless the call says `repeatable: true`.
    Exec,
}

/// One operation.
pub struct Operation {
    /// `service.function`: `ec2.describe_availability_zones`.
    pub name: &'static str,
    /// The target's own name, for messages and the reference: `DescribeAvailabilityZones`.
    pub operation: &'static str,
    /// Documentation: one sentence, then paragraphs; markdown. Cites the source.
    pub doc: &'static str,
    /// What kind of call it is.
    pub class: Class,
    /// The JSON schema of the input.
    pub schema: fn() -> Value,
    /// Checks the input without any target.
    pub check: fn(&Value) -> Result<(), InputError>,
    /// The request's token field, where there is one.
    pub token: Option<&'static str>,
    /// Says whether an answer means that the change has come through; Pending is read again through `poll`.
    /// None: the answer is final.
    pub settle: Option<Settle>,
    /// The sandbox's answer.
    pub sim: fn(&mut World, &SimCall<'_>) -> Result<Value, CallError>,
}

/// How an update that goes on after its answer (an EKS update id, a Cloud Map operation id, a Route 53 change id) is followed.
#[derive(Clone, Copy)]
pub struct Settle {
    /// The read operation that tells the state: `route53.get_change`.
    pub poll: &'static str,
    /// The poll's input out of the update's input and answer.
    pub input: fn(&Value, &Value) -> Value,
    /// Judges the poll's answer.
    pub judge: fn(&Value) -> crate::resource::Health,
}
