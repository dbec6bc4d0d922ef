//! The fault proxy in front of the emulators: what AWS does and they do not, and what goes wrong on the way.
//!
//! A request is understood ([`parse`]), numbered and entered in the oracle ([`log`]), met by a fault ([`faults`]), executed at most
//! once for its token ([`ledger`]), by an emulator with what that lacks ([`eks`], [`ec2`], [`elb`], [`route53`], [`cloudmap`], [`sts`]), and
//! answered. What the proxy answers itself, and why, stands in `README.md` beside this file.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, atomic::AtomicU64},
    time::Duration,
};

use tokio::{net::TcpListener, task::JoinHandle};

mod answer;
mod cbor;
mod cloudmap;
mod control;
mod door;
mod ec2;
mod eks;
mod elb;
mod emulator;
pub mod faults;
mod flow;
pub mod golden;
mod ids;
mod inventory;
mod ledger;
pub mod log;
mod parse;
pub mod pending;
mod quotas;
mod rds;
mod records;
mod route53;
mod s3;
mod server;
mod shared;
mod sigv4;
mod socket;
mod stale;
mod sts;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod xml;

pub use answer::By;
pub use door::{Access, Door};
pub use faults::{Action, Fault, Faults, On, Phase};
pub use inventory::Inventory;
pub use ledger::Ledger;
pub use log::{Entry, Outcome};
pub use pending::{Failure, Pending, What};
pub use sigv4::Presigned;
pub(crate) use xml::Element;

use crate::clusters::{Clusters, NoClusters};
use shared::Shared;

/// How a proxy is set up.
pub struct Config {
    /// An address that others know already; else a free one is taken.
    pub door: Option<Door>,
    /// Where moto is: `http://127.0.0.1:PORT`.
    pub moto: String,
    /// Where ministack is. It answers what moto has not got at all.
    pub ministack: Option<String>,
    /// Who runs the control planes.
    pub clusters: Arc<dyn Clusters>,
    /// How long things take.
    pub pending: Pending,
    /// A file for the oracle log, one line of JSON for each change of an entry.
    pub log: Option<PathBuf>,
    /// How long the ledger keeps tokens.
    pub token_expiry: Duration,
    /// Access keys and their secrets. The proxy learns those that STS and IAM give out.
    pub keys: BTreeMap<String, String>,
}

impl Config {
    /// moto alone, no control planes, a second for everything, tokens kept for a day, the key `test`.
    pub fn new(moto: impl Into<String>) -> Self {
        Self {
            door: None,
            moto: moto.into(),
            ministack: None,
            clusters: Arc::new(NoClusters),
            pending: Pending::default(),
            log: None,
            token_expiry: Duration::from_secs(24 * 60 * 60),
            keys: BTreeMap::from([("test".to_owned(), "test".to_owned())]),
        }
    }
}

/// A running proxy. It stops when it is dropped.
pub struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
    controls: SocketAddr,
    servers: [JoinHandle<()>; 2],
}

impl Proxy {
    /// Starts a proxy on a free loopback port.
    ///
    /// # Errors
    /// The log file or the port cannot be had.
    pub async fn start(config: Config) -> std::io::Result<Self> {
        let door = config.door.map_or_else(Door::open, Ok)?;
        let access = door.access();
        let (listener, controls) = (TcpListener::from_std(door.listener)?, TcpListener::bind(("127.0.0.1", 0)).await?);
        let (address, controls_at) = (listener.local_addr()?, controls.local_addr()?);
        let keys: Vec<(String, String)> = config.keys.into_iter().collect();
        let shared = Arc::new(Shared {
            emulators: emulator::Emulators::new(config.moto, config.ministack),
            clusters: config.clusters,
            pending: config.pending,
            plans: pending::Plans::default(),
            log: log::Log::new(config.log.as_deref())?,
            faults: Faults::default(),
            ledger: Ledger::new(config.token_expiry),
            stale: stale::Stale::default(),
            identities: sts::Identities::new(&keys),
            nats: ec2::Nats::default(),
            balancers: elb::Balancers::default(),
            option_groups: Default::default(),
            changes: route53::Changes::default(),
            operations: cloudmap::Operations::default(),
            access,
            callers: Mutex::default(),
            requests: AtomicU64::new(0),
        });
        let servers = [
            tokio::spawn(server::serve(listener, Arc::clone(&shared))),
            tokio::spawn(control::serve(controls, Arc::clone(&shared))),
        ];
        Ok(Self { shared, address, controls: controls_at, servers })
    }

    /// Where it listens: `http://127.0.0.1:PORT`. This is what `AWS_ENDPOINT_URL` is set to.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where other processes control it: `http://127.0.0.1:PORT/_testbed/` with `log`, `faults`, `release`, `failures`, `inventory`,
    /// `eks`, `token-expiry`, `reset` (see `control.rs`).
    pub fn control_url(&self) -> String {
        format!("http://{}/_testbed/", self.controls)
    }

    /// The oracle: every mutating request so far, in order.
    pub fn log(&self) -> Vec<Entry> {
        self.shared.log.entries()
    }

    /// The oracle as lines that are the same in every run of the same program (see [`golden`]).
    pub fn golden(&self) -> Vec<String> {
        golden::lines(&self.log())
    }

    /// The planned faults.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// The token ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.shared.ledger
    }

    /// Plans the failure of something that is under way.
    pub fn fail(&self, failure: Failure) {
        self.shared.plans.add(failure);
    }

    /// Who may enter which cluster.
    pub fn access(&self) -> Access {
        self.shared.access.clone()
    }

    /// What exists in the emulators.
    ///
    /// # Errors
    /// An emulator does not answer as it should.
    pub async fn inventory(&self) -> Result<Inventory, String> {
        Inventory::read(&self.shared).await
    }

    /// What the proxy keeps of EKS beside moto: each cluster's status, node groups, add-ons, access entries, associations.
    pub fn eks(&self) -> serde_json::Value {
        self.shared.eks().inventory()
    }

    /// Forgets the log, the faults, the planned failures, stale reads and tokens. What exists in the emulators stays.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Stops it. Open connections end.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
    }
}
