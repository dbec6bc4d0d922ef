//! How a kind behaves in the sandbox.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    error::CallError,
    resource::Kind,
    sandbox::{
        simple,
        world::{Object, World},
    },
    target::Place,
};

/// A simulated call.
pub struct SimCall<'a> {
    /// Where it goes.
    pub place: &'a Place,
    /// The input of a creation or operation, or the locator of a read or deletion.
    pub input: &'a Value,
    /// The idempotency token.
    pub token: &'a str,
    /// Tags of the request.
    pub tags: &'a BTreeMap<String, String>,
    /// Simulated time in milliseconds since the Unix epoch.
    pub now_ms: i64,
    /// The sandbox's account id.
    pub account: &'a str,
    /// What it makes is to end as failed, on purpose ([`Fault::Fail`](super::faults::Fault::Fail)).
    pub doomed: bool,
}

impl SimCall<'_> {
    /// A text field of the input; empty when it is missing.
    pub fn text(&self, field: &str) -> &str {
        self.input.get(field).and_then(Value::as_str).unwrap_or_default()
    }
}

/// How one kind is made, read, found and deleted in the sandbox.
pub trait Sim: Send + Sync {
    /// Makes one; answers as the target's create call would.
    ///
    /// # Errors
    /// What the target would refuse, with its code.
    fn create(&self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError>;

    /// Reads one by its locator (in `call.input`).
    fn read(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<Value>;

    /// Finds what the request would have made: by natural key, else by effect tag.
    fn find(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<Value>;

    /// Starts the deletion of one by its locator (in `call.input`).
    ///
    /// # Errors
    /// What the target would refuse: `NotFound`, `Blocked`.
    fn delete(
        &self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>, put_back: Option<&Value>,
    ) -> Result<(), CallError>;

    /// The simulated time of the next change of state; None when nothing is to come.
    fn next_change(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<i64>;

    /// What keeps it from being deleted.
    fn obstacles(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<String>;

    /// Whether what it makes can end as failed ([`SimCall::doomed`]).
    fn can_fail(&self) -> bool {
        false
    }

    /// Whether what it makes can bear tags. Without them no description shows whose request made it, nor does a list of what is
    /// tagged; the world keeps them all the same, for trials.
    fn taggable(&self) -> bool {
        true
    }
}

/// A field that names another object.
#[derive(Debug, Clone, Copy)]
pub struct Ref {
    /// The input's field; a text or a list of texts. May be absent. Dots go down: `vpc_config.subnet_ids`.
    pub field: &'static str,
    /// The kind it must be.
    pub kind: &'static str,
    /// The code that the target answers when it does not exist: `InvalidVpcID.NotFound`.
    pub missing: &'static str,
    /// It goes away with that object, instead of blocking its deletion.
    pub owned: bool,
}

/// How an object of a kind ends that is taken and never becomes usable.
#[derive(Debug, Clone, Copy)]
pub struct Failing {
    /// The state in which it stays: `CREATE_FAILED`.
    pub state: &'static str,
    /// What its description then says, in the target's own words: fields that are merged into it.
    pub words: fn(&Object) -> Value,
}

/// What becomes of an object whose deletion was taken while these hold it.
pub type Held = fn(&mut World, &SimCall<'_>, &Object, &[String]);

/// A kind's behaviour as data. The fields not named in a kind's file come from [`Simple::DEFAULT`].
pub struct Simple {
    /// Prefix of new ids (`vpc-`). Empty: the id is built by `id`.
    pub prefix: &'static str,
    /// The id, for kinds that are named by their input.
    pub id: fn(&SimCall<'_>) -> String,
    /// The kind is global (IAM, Route 53): its place is empty.
    pub global: bool,
    /// Fields that name other objects.
    pub refs: &'static [Ref],
    /// The fields of the natural key, and the code for a second one. Empty: none.
    pub unique: (&'static [&'static str], &'static str),
    /// The state's field in the description, e.g. `state` or `status`. Empty: no states.
    pub state_field: &'static str,
    /// State while it is being made, when it is ready, and while it is being deleted.
    pub states: (&'static str, &'static str, &'static str),
    /// The provider honours the request's token: the same token gives the first one again, with another input a mismatch.
    pub token: bool,
    /// How one ends whose creation fails after it was taken. None: that does not happen.
    pub failing: Option<Failing>,
    /// As [`Sim::taggable`].
    pub taggable: bool,
    /// A second request with the same input and tags is answered with what stands, instead of the natural key's code.
    pub repeats: bool,
    /// The code of a refused deletion while something depends on it: `DependencyViolation`.
    pub blocked: &'static str,
    /// The code when it does not exist: `InvalidVpcID.NotFound`.
    pub missing: &'static str,
    /// Refuses what the target would refuse beyond references and uniqueness (CIDRs, states of parents).
    pub check: fn(&World, &SimCall<'_>) -> Result<(), CallError>,
    /// The description beyond the input's own fields, `id` given.
    pub describe: fn(&World, &SimCall<'_>, &str) -> Value,
    /// What else happens when one is made (EKS makes a security group).
    pub made: fn(&mut World, &SimCall<'_>, &Object),
    /// What else happens when a deletion begins.
    pub deleted: fn(&mut World, &SimCall<'_>, &Object),
    /// What keeps one from being deleted, for people: what depends on it.
    pub holders: fn(&World, &SimCall<'_>, &Object) -> Vec<String>,
    /// What the deletion of one comes to that is held by these, where the target takes it and says later that it failed. None: it
    /// is refused as `blocked`.
    pub held: Option<Held>,
    /// Refuses a deletion beyond dependents (HostedZoneNotEmpty).
    pub check_delete: fn(&World, &SimCall<'_>, &Object) -> Result<(), CallError>,
    /// What a deletion does where no object of the kind stands, but something else that the locator names (a table's local
    /// route). None: there is no such thing either.
    pub delete_other: fn(&mut World, &SimCall<'_>) -> Option<Result<(), CallError>>,
}

impl Simple {
    /// Nothing special.
    pub const DEFAULT: Self = Self {
        prefix: "",
        id: |_| String::new(),
        global: false,
        refs: &[],
        unique: (&[], ""),
        state_field: "",
        states: ("", "", ""),
        token: false,
        failing: None,
        taggable: true,
        repeats: false,
        blocked: "DependencyViolation",
        missing: "NotFound",
        check: |_, _| Ok(()),
        describe: |_, _, _| Value::Null,
        made: |_, _, _| {},
        deleted: |_, _, _| {},
        holders: |world, call, object| simple::holders(world, &object.key(), call.now_ms),
        held: None,
        check_delete: |_, _, _| Ok(()),
        delete_other: |_, _| None,
    };
}
