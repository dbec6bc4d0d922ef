//! Where effects go. The engine speaks to one [`Target`], which is live (AWS, Kubernetes, Helm) or the sandbox.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{error::CallError, host::Host, operation::Operation, resource::Kind};

/// Where in the target: an AWS region (and assumed role), a Kubernetes cluster, or a service with an address of its own. Kept with each effect and inventory row.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// AWS region.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// Named profile of the AWS configuration files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// ARN of the role to assume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assume_role: Option<String>,
    /// Name of the EKS cluster that Kubernetes and Helm calls go to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Context of a kubeconfig, instead of an EKS cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// A service that is none of AWS's: GitHub, Cloudflare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<Api>,
}

/// A service that is spoken to at an address of its own, with a token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Api {
    /// Its address: `https://api.github.com`.
    pub url: String,
    /// The token's placeholder; a live target calls [`Host::reveal`] on it.
    pub token: String,
}

impl Place {
    /// The cluster that Kubernetes and Helm calls go to: an EKS cluster's name, or a kubeconfig's context; empty when there is none.
    pub fn cluster_name(&self) -> &str {
        self.cluster.as_deref().or(self.context.as_deref()).unwrap_or_default()
    }
}

/// What a call carries beside its input.
pub struct Request<'a> {
    /// Where it goes.
    pub place: &'a Place,
    /// The checked input, secrets as placeholders. A live target calls [`Host::reveal`] on it, the sandbox does not.
    pub input: &'a Value,
    /// The idempotency token: 64 lower-hex characters (ACM takes the first 32).
    pub token: &'a str,
    /// Tags for the same request: ownership (`runbook:run`, `runbook:step`, `runbook:effect`), `Name`, and the script's.
    pub tags: &'a BTreeMap<String, String>,
    /// The runner.
    pub host: &'a dyn Host,
}

/// The ownership tag whose value names the effect: the first 32 characters of its token.
pub const EFFECT_TAG: &str = "runbook:effect";
/// The ownership tag whose value is the run id.
pub const RUN_TAG: &str = "runbook:run";
/// The ownership tag whose value is the step key.
pub const STEP_TAG: &str = "runbook:step";

/// What a target is, for headings, guards and the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Nothing is real: every output says so.
    pub simulated: bool,
    /// AWS account id; the sandbox has one of its own.
    pub account: String,
    /// ARN of the caller.
    pub caller: String,
    /// The region that the configuration gives a place that names none; empty when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// The endpoint, when it is not AWS's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
}

/// Something that carries our ownership tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// Its kind, as in the table where the table has it.
    pub kind: String,
    /// Its id, as its description would give it.
    pub id: String,
    /// Its name; may be empty.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// The run in its tags.
    pub run: String,
    /// The step in its tags; may be empty.
    pub step: String,
    /// The effect in its tags; may be empty.
    pub effect: String,
}

/// What carries our ownership tags somewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// All that can be listed.
    pub found: Vec<Marked>,
    /// What cannot be listed, for people.
    pub unseen: Vec<String>,
    /// It may still name what is gone.
    pub lags: bool,
}

/// What became of credentials that were refused, or could not be got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewal {
    /// There are others now: what was refused may be sent again with them.
    Fresh,
    /// There are none.
    Lapsed(Lapse),
}

/// Credentials that no longer work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lapse {
    /// Where they come from: `profile acme, access key …W5QK`. Never a secret.
    pub from: String,
    /// When they expired, as far as they say so themselves; milliseconds since the Unix epoch.
    pub expired_ms: Option<i64>,
    /// When they were last seen to work in this process.
    pub worked_ms: Option<i64>,
}

/// The live calls of one service, as [`Target`] has them. Each mutating call is sent once.
#[async_trait]
pub trait Calls: Send + Sync {
    /// See [`Target::create`].
    async fn create(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Value, CallError>;
    /// See [`Target::read`].
    async fn read(
        &self, kind: &'static dyn Kind, place: &Place, at: &Value, host: &dyn Host,
    ) -> Result<Option<Value>, CallError>;
    /// See [`Target::find`].
    async fn find(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Vec<Value>, CallError>;
    /// See [`Target::delete`].
    async fn delete(
        &self, kind: &'static dyn Kind, place: &Place, at: &Value, put_back: Option<&Value>, host: &dyn Host,
    ) -> Result<(), CallError>;
    /// See [`Target::call`].
    async fn call(&self, operation: &'static Operation, request: &Request<'_>) -> Result<Value, CallError>;
    /// See [`Target::obstacles`].
    async fn obstacles(&self, kind: &'static dyn Kind, place: &Place, at: &Value, host: &dyn Host) -> Vec<String>;
}

/// A target. Calls are made one at a time within a branch, from several branches at once.
///
/// `create`, `delete` and `call` send exactly one mutating request and never repeat it: the engine owns retries.
#[async_trait]
pub trait Target: Send + Sync {
    /// Says what it is. May ask the target (STS GetCallerIdentity).
    ///
    /// # Errors
    /// When the target cannot be reached or the credentials do not work.
    async fn about(&self, place: &Place, host: &dyn Host) -> Result<About, CallError>;

    /// Makes one. The answer is the description as far as the creating call gives it.
    ///
    /// # Errors
    /// See [`CallError`]; its class says whether anything was made.
    async fn create(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Value, CallError>;

    /// Reads one by its locator ([`Kind::locate`]). None: it does not exist (or is gone but for a tombstone).
    ///
    /// # Errors
    /// See [`CallError`]; never `NotFound`.
    async fn read(
        &self, kind: &'static dyn Kind, place: &Place, at: &Value, host: &dyn Host,
    ) -> Result<Option<Value>, CallError>;

    /// Looks for what the request would have made: by natural key where the kind has one, else by the effect tag.
    /// Each answer is a description with its `tags`; resources on their way out are left out.
    ///
    /// # Errors
    /// See [`CallError`].
    async fn find(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Vec<Value>, CallError>;

    /// Deletes one by its locator. `put_back` is what stood there before, for a kind that replaces.
    ///
    /// # Errors
    /// `NotFound` when it is gone already, `Blocked` while something depends on it.
    async fn delete(
        &self, kind: &'static dyn Kind, place: &Place, at: &Value, put_back: Option<&Value>, host: &dyn Host,
    ) -> Result<(), CallError>;

    /// Makes a call that is not a resource.
    ///
    /// # Errors
    /// See [`CallError`].
    async fn call(&self, operation: &'static Operation, request: &Request<'_>) -> Result<Value, CallError>;

    /// After [`crate::error::Class::Credentials`]: looks for fresh credentials where those of the place came from.
    async fn renew(&self, place: &Place) -> Renewal {
        let _ = place;
        Renewal::Lapsed(Lapse::default())
    }

    /// What keeps a resource from being deleted, for people: `eni-0f2c "ELB net/k8s-…"`. Empty when nothing is known.
    async fn obstacles(&self, kind: &'static dyn Kind, place: &Place, at: &Value, host: &dyn Host) -> Vec<String> {
        let _ = (kind, place, at, host);
        Vec::new()
    }

    /// Lists what carries our ownership tags at a place, whichever run made it. Nothing is changed.
    ///
    /// # Errors
    /// See [`CallError`].
    async fn tagged(&self, place: &Place, host: &dyn Host) -> Result<Listing, CallError> {
        let _ = (place, host);
        Ok(Listing { unseen: vec!["anything: this target lists nothing by tag".to_owned()], ..Listing::default() })
    }

    /// How long to wait before reading again: the sandbox knows its next change, a live target leaves it to the policy.
    fn next_change(&self, kind: &'static dyn Kind, place: &Place, at: &Value) -> Option<Duration> {
        let _ = (kind, place, at);
        None
    }
}
