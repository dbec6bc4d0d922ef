//! What all requests share.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::{
    cloudmap::Operations,
    ec2::Nats,
    eks::Eks,
    emulator::Emulators,
    faults::Faults,
    ledger::Ledger,
    log::Log,
    pending::{Pending, Plans},
    route53::Changes,
    stale::Stale,
    sts::Identities,
};
use crate::clusters::Clusters;

/// The proxy's state.
pub struct Shared {
    pub(super) emulators: Emulators,
    pub(super) clusters: Arc<dyn Clusters>,
    pub(super) pending: Pending,
    pub(super) plans: Plans,
    pub(super) log: Log,
    pub(super) faults: Faults,
    pub(super) ledger: Ledger,
    pub(super) stale: Stale,
    pub(super) identities: Identities,
    pub(super) nats: Nats,
    pub(super) changes: Changes,
    pub(super) operations: Operations,
    pub(super) eks: Eks,
    pub(super) requests: AtomicU64,
}

impl Shared {
    pub(super) fn next_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::SeqCst) + 1
    }
}
