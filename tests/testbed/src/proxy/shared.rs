//! What all requests share.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    cloudmap::Operations,
    door::Access,
    ec2::Nats,
    eks::Eks,
    elb::Balancers,
    emulator::Emulators,
    faults::Faults,
    ledger::Ledger,
    log::Log,
    parse::Credential,
    pending::{Pending, Plans},
    rds::OptionGroups,
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
    pub(super) balancers: Balancers,
    pub(super) option_groups: OptionGroups,
    pub(super) changes: Changes,
    pub(super) operations: Operations,
    pub(super) access: Access,
    pub(super) callers: Mutex<BTreeMap<(String, String), Credential>>,
    pub(super) requests: AtomicU64,
}

impl Shared {
    pub(super) fn next_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// The EKS that the proxy lays over moto's.
    pub(super) fn eks(&self) -> &Eks {
        &self.access.0
    }

    /// Notes with which key and in which region requests come.
    pub(super) fn met(&self, who: &Credential) {
        if !who.access_key.is_empty() {
            let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
            callers.entry((who.access_key.clone(), who.region.clone())).or_insert_with(|| who.clone());
        }
    }

    /// Keys and regions of all requests so far, and of the usual one.
    pub(super) fn callers(&self) -> Vec<Credential> {
        let usual =
            Credential { access_key: "test".to_owned(), region: "us-east-1".to_owned(), ..Credential::default() };
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        callers.entry((usual.access_key.clone(), usual.region.clone())).or_insert(usual);
        // One key of each account is enough.
        let mut seen = Vec::new();
        let all = callers.into_values().filter(|who| {
            let place = (self.identities.account(&who.access_key), who.region.clone());
            let new = !seen.contains(&place);
            seen.push(place);
            new
        });
        all.collect()
    }

    /// Forgets the log, the faults, the planned failures, stale reads and tokens. What exists in the emulators stays.
    pub(super) fn reset(&self) {
        self.log.clear();
        self.faults.clear();
        self.plans.clear();
        self.stale.clear();
        self.ledger.clear();
    }
}
