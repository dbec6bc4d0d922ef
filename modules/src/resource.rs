//! The resource table's row: one [`Kind`] for each kind of thing that can be made, found again, judged, and deleted.
//!
//! The same row drives creation, adoption, waiting, undo, drift, rehearsal and the docs. What is written here is target
//! independent and pure; the live calls stand beside it (feature `live`), the simulated ones in [`Kind::sim`].

use std::time::Duration;

use serde_json::Value;

use crate::{input::InputError, sandbox::sim::Sim};

/// How an effect whose outcome is unknown is found again (idempotency.md §2, "Resolve").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// The request carries our token in this field; sending it again within `safe` returns the same resource.
    Token {
        /// The request's field, e.g. `client_token`.
        field: &'static str,
        /// For how long the provider remembers the token.
        safe: Duration,
        /// Whether the provider also refuses a second one with the same natural key.
        key: bool,
    },
    /// The natural key (name, or parent and name) identifies it; "already exists" is answered for a second one.
    Key,
    /// Nothing but our ownership tag identifies it: absence counts only after the settle time and three spaced misses.
    Tag,
    /// Doing it again is harmless and makes nothing more.
    Repeat,
    /// The creation's answer tells a secret that nobody can ask for again, and nothing marks what is ours. What stands under the
    /// same natural key is noted before; what an unknown outcome added is deleted, and another one made.
    OneShot {
        /// The answer's field that holds the secret: it is sealed before anything is recorded.
        secret: &'static str,
    },
}

/// What a kind is and how it behaves, for protocol, docs, waits and rehearsal. All of it constant.
#[derive(Debug, Clone, Copy)]
pub struct Meta {
    /// The kind, `service.noun`: `ec2.vpc`. Also the key of inventory rows: never renamed.
    pub name: &'static str,
    /// The script function that makes one: `create_vpc`, in the service `ec2`.
    pub create: &'static str,
    /// The target's own operation names, create then delete, for messages and the AWS reference: `CreateVpc`, `DeleteVpc`. Without the
    /// second one it is never deleted ([`Kind::stays`]).
    pub operations: (&'static str, &'static str),
    /// One sentence, then paragraphs; markdown. Cites the source.
    pub doc: &'static str,
    /// How it is found again.
    pub identity: Identity,
    /// How long it usually takes to be ready, and to be gone. Zero: at once.
    pub usual: (Duration, Duration),
    /// What it costs while it stands, for the plan: `EKS control plane`. None: nothing worth a line.
    pub cost: Option<&'static str>,
    /// It may stand already without being ours (a DNS record, a Kubernetes object): what stood there is kept and put back by undo.
    pub replaces: bool,
    /// A fact shared by the account (a service-linked role, GitHub's OIDC provider): adopted when it stands, never deleted unless this run made it.
    pub shared: bool,
}

/// What a description says about readiness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Usable.
    Ready,
    /// Not yet; the text is what it waits for, e.g. `CREATING` or `pod redis-0: ImagePullBackOff`.
    Pending(String),
    /// It will never be ready; the text is the reason. What is left of it must be deleted before another try.
    Failed(String),
    /// On its way out.
    Deleting(String),
}

/// How a parent is named whose name alone would not do, because things of other kinds bear it too: `rds.db_cluster notes`.
pub fn named(kind: &str, id: &str) -> String {
    format!("{kind} {id}")
}

/// One kind of resource.
///
/// `input` is the script's map after [`Kind::check`] (snake case, our `name`, `tags`, `wait`, `timeout` taken out, `name` in
/// `tags.Name` where the target has no name field). `described` is the target's description as a map in snake case, with
/// `id` (and `arn`, `name` where there are such) at the top and `tags` as a map, where it can bear any: without the field it is one that
/// nobody can mark, and is told by what it holds. That is also what the script gets.
pub trait Kind: Send + Sync {
    /// The constant facts.
    fn meta(&self) -> &'static Meta;

    /// The JSON schema of the input, from the typed struct's doc comments.
    fn schema(&self) -> Value;

    /// Checks the input without any target: names, types, ranges, CIDRs.
    ///
    /// # Errors
    /// The first field that is wrong, with the nearest known name.
    fn check(&self, input: &Value) -> Result<(), InputError>;

    /// What must be kept to read and delete it later: a small map, e.g. `{"vpc_id": "vpc-0c1d"}`.
    /// `described` is Null when only the input is known (looking for it by natural key): then None when the input does not suffice.
    fn locate(&self, input: &Value, described: &Value) -> Option<Value>;

    /// The ids of the resources that must outlive it (its VPC, its role), out of the input; or kind and id, as [`named`] writes them.
    fn parents(&self, input: &Value) -> Vec<String> {
        let _ = input;
        Vec::new()
    }

    /// Whether a description shows it usable.
    fn judge(&self, described: &Value) -> Health {
        let _ = described;
        Health::Ready
    }

    /// Whether to make it where an earlier call of the run has made it is to change that one. What stands is no reason to stop then,
    /// and is not deleted before another try.
    fn upgrades(&self) -> bool {
        false
    }

    /// Whether it stays for good: what a run makes of it is the account's from then on, and undo leaves it.
    fn stays(&self) -> bool {
        self.meta().operations.1.is_empty()
    }

    /// Whether one that stands already may be used although somebody else made it. It is not the run's then, and undo leaves it.
    fn shared(&self, input: &Value) -> bool {
        let _ = input;
        self.meta().shared
    }

    /// Where the description differs from what the input asked for: `(field, asked, found)`. For adoption and drift.
    fn differences(&self, input: &Value, described: &Value) -> Vec<(String, Value, Value)> {
        same_fields(input, described)
    }

    /// Whether what our request made was broken off in the middle, and the same request sent again repairs and finishes it.
    fn unfinished(&self, described: &Value) -> bool {
        let _ = described;
        false
    }

    /// How the sandbox simulates it.
    fn sim(&self) -> &dyn Sim;
}

/// The fields of the input that the description has under the same name with another value.
/// Objects inside compare field by field, lists as wholes; a field that the description lacks says nothing.
pub fn same_fields(input: &Value, described: &Value) -> Vec<(String, Value, Value)> {
    let mut found = Vec::new();
    walk("", input, described, &mut found);
    found
}

fn walk(path: &str, asked: &Value, has: &Value, found: &mut Vec<(String, Value, Value)>) {
    match (asked, has) {
        (Value::Object(a), Value::Object(h)) => {
            for (name, asked) in a {
                if let Some(has) = h.get(name) {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    walk(&path, asked, has, found);
                }
            }
        }
        _ if asked == has => {}
        _ => found.push((path.to_owned(), asked.clone(), has.clone())),
    }
}
