//! How long things are under way that the emulators finish at once, and which of them fail.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// How long each kind of thing is under way, in real time.
#[derive(Debug, Clone, Copy)]
pub struct Pending {
    /// EKS clusters, `CREATING` and `DELETING`.
    pub cluster: Duration,
    /// Node groups.
    pub nodegroup: Duration,
    /// Add-ons.
    pub addon: Duration,
    /// EKS updates, `InProgress`.
    pub update: Duration,
    /// NAT gateways, `pending` and `deleting`.
    pub nat_gateway: Duration,
    /// Load balancers, `provisioning`, and their network interfaces after their end.
    pub load_balancer: Duration,
    /// Route 53 changes, `PENDING`.
    pub change: Duration,
    /// Cloud Map operations, `SUBMITTED`.
    pub operation: Duration,
}

impl Pending {
    /// Everything takes this long.
    pub fn all(time: Duration) -> Self {
        Self {
            cluster: time,
            nodegroup: time,
            addon: time,
            update: time,
            nat_gateway: time,
            load_balancer: time,
            change: time,
            operation: time,
        }
    }

    /// Everything is done at once (but not before the answer: the first description may still say that it is under way).
    pub fn none() -> Self {
        Self::all(Duration::ZERO)
    }
}

impl Default for Pending {
    fn default() -> Self {
        Self::all(Duration::from_secs(1))
    }
}

/// What can be planned to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// An EKS cluster becomes `FAILED`.
    Cluster,
    /// A node group becomes `CREATE_FAILED`.
    Nodegroup,
    /// An add-on becomes `CREATE_FAILED`.
    Addon,
    /// A NAT gateway becomes `failed`.
    NatGateway,
    /// A Cloud Map operation becomes `FAIL`.
    Operation,
}

/// A failure at the end of a pending state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Failure {
    /// Of what.
    pub what: What,
    /// Only of this name (cluster, node group, add-on; a NAT gateway's subnet; an operation's type). None: of the next one.
    #[serde(default)]
    pub name: Option<String>,
    /// The code of the health issue, e.g. `NodeCreationFailure`; a NAT gateway's `FailureCode`.
    pub code: String,
    /// Its message.
    pub message: String,
}

/// The planned failures; each happens once.
#[derive(Debug, Default)]
pub struct Plans(Mutex<Vec<Failure>>);

impl Plans {
    /// Plans a failure.
    pub fn add(&self, failure: Failure) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(failure);
    }

    /// Forgets all.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Takes the failure that was planned for a thing.
    pub(super) fn take(&self, what: What, name: &str) -> Option<Failure> {
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let meant = |plan: &Failure| plan.what == what && plan.name.as_deref().is_none_or(|wanted| wanted == name);
        let place = plans.iter().position(meant)?;
        Some(plans.remove(place))
    }
}

/// When something that begins now is done.
pub(super) fn due(time: Duration) -> Instant {
    Instant::now() + time
}
