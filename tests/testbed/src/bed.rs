//! All of the testbed together: the emulators, the fault proxy before them, and for each EKS cluster that is created through the
//! proxy a real control plane with stand-ins inside.

mod planes;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use runbook_modules::sandbox::rehearsal::Rehearsal;
use tokio::runtime::Runtime;

use crate::{
    emulators::{Ministack, Moto},
    proxy::{Config, Pending, Proxy},
    registry::Registry,
    rehearsed::{self, Rehearsed},
    standins::{self, aws::Aws},
    tools::Tools,
};
use planes::Planes;

pub use planes::Plane;

/// The region in which clusters are made.
pub const REGION: &str = "us-east-1";

/// How much faster than the wall the clock of a program on the testbed goes.
pub const SPEED: u32 = 5;

/// What a testbed is to have.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How long things are under way that the emulators finish at once.
    pub pending: Pending,
    /// Where the oracle log is written beside being kept.
    pub log: Option<PathBuf>,
    /// A runbook's rehearsal file, with the run's parameters: what its charts and controllers make.
    pub rehearsal: Option<Rehearsal>,
}

/// A whole testbed, until it is dropped. It brings its own runtime, so it may be used and dropped anywhere.
pub struct Bed {
    proxy: Option<Proxy>,
    planes: Arc<Planes>,
    standins: Arc<standins::Shared>,
    registry: Registry,
    moto: Moto,
    ministack: Ministack,
    tools: Tools,
    helm: PathBuf,
    runtime: Option<Runtime>,
}

impl Bed {
    /// Starts everything and waits until it answers. Blocks; from asynchronous code call it through `spawn_blocking`.
    ///
    /// # Errors
    /// What did not start.
    pub fn start(tools: &Tools, options: Options) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
        // The emulators take seconds to start, the charts to be pushed: all at once.
        let (moto, ministack, inside) = std::thread::scope(|scope| {
            let (moto, ministack) = (scope.spawn(|| Moto::start(tools)), scope.spawn(|| Ministack::start(tools)));
            let inside = runtime.block_on(async {
                let registry = Registry::start().await?;
                registry.push_charts(tools).await?;
                Ok::<_, String>((registry, standins::Shared::start(&tools.kubelet_standin).await?))
            });
            (moto.join(), ministack.join(), inside)
        });
        let panicked = |_| "the thread that starts an emulator panicked".to_owned();
        let (moto, ministack, (registry, standins)) =
            (moto.map_err(panicked)??, ministack.map_err(panicked)??, inside?);
        let planes = Arc::new(Planes::new(tools, standins.clone()));
        let config = Config {
            ministack: Some(ministack.url()),
            clusters: planes.clone(),
            pending: options.pending,
            log: options.log,
            ..Config::new(moto.url())
        };
        let proxy =
            runtime.block_on(Proxy::start(config)).map_err(|error| format!("the proxy did not start: {error}"))?;
        planes.meet(&proxy);
        if let Some(rehearsal) = options.rehearsal {
            let given = Aws::new(&proxy.url(), REGION, "given");
            let rehearsed = runtime.block_on(Rehearsed::begin(rehearsal, &given));
            standins.rehearse(Arc::new(rehearsed.map_err(|why| format!("the rehearsal file: {why}"))?));
        }
        let helm = tools.helm4.clone();
        let tools = tools.clone();
        let mut bed = Self {
            proxy: Some(proxy),
            planes,
            standins,
            registry,
            moto,
            ministack,
            tools,
            helm,
            runtime: Some(runtime),
        };
        bed.helm = bed.helm(&bed.helm)?;
        Ok(bed)
    }

    /// The helm to call instead of a real one: where there is a rehearsal file, its charts are put in the place of others.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn helm(&self, real: &Path) -> Result<PathBuf, String> {
        match self.standins.rehearsed() {
            Some(_) => rehearsed::helm::write(&self.tools, real, &self.standins.charts(), self.standins.folder()),
            None => Ok(real.to_owned()),
        }
    }

    /// The real ids of the hosted zones that a rehearsal file gives, by those in the file.
    #[must_use]
    pub fn zones(&self) -> BTreeMap<String, String> {
        self.standins.rehearsed().map(|rehearsed| rehearsed.zones.clone()).unwrap_or_default()
    }

    /// The fault proxy.
    ///
    /// # Panics
    /// Never: it is there as long as the testbed is.
    #[must_use]
    pub fn proxy(&self) -> &Proxy {
        self.proxy.as_ref().expect("taken only when dropped")
    }

    /// moto itself, behind the proxy: only to read what is really there.
    #[must_use]
    pub fn moto(&self) -> &Moto {
        &self.moto
    }

    /// ministack itself, behind the proxy: only to read what is really there.
    #[must_use]
    pub fn ministack(&self) -> &Ministack {
        &self.ministack
    }

    /// What runs for an EKS cluster, once it is ACTIVE and until it is deleted.
    #[must_use]
    pub fn plane(&self, cluster: &str) -> Option<Arc<Plane>> {
        self.planes.get(cluster)
    }

    /// What stands in a cluster beside what EKS put there, as its API server has it: `Kind namespace/name`. Blocks.
    ///
    /// # Errors
    /// There is no such cluster, or it does not answer.
    ///
    /// # Panics
    /// Never: the runtime is there as long as the testbed is.
    pub fn added(&self, cluster: &str) -> Result<BTreeSet<String>, String> {
        let runtime = self.runtime.as_ref().expect("taken only when dropped");
        runtime.block_on(self.planes.added(cluster))
    }

    /// What stood in each deleted cluster when it was deleted, beside what EKS had put there: `Kind namespace/name`.
    #[must_use]
    pub fn left_behind(&self) -> BTreeMap<String, BTreeSet<String>> {
        self.planes.left_behind()
    }

    /// The parameters of redis-ha that name our charts instead of public ones.
    #[must_use]
    pub fn chart_parameters(&self) -> Vec<(String, String)> {
        let charts = self.registry.url();
        let pairs = [("redis_chart", "redis"), ("external_dns_chart", "external-dns")];
        pairs.map(|(parameter, chart)| (parameter.to_owned(), format!("{charts}/{chart}"))).into()
    }

    /// The environment that points a program at it.
    #[must_use]
    pub fn env(&self) -> Vec<(String, String)> {
        let pairs = [
            ("AWS_ENDPOINT_URL", self.proxy().url()),
            ("AWS_ACCESS_KEY_ID", "test".into()),
            ("AWS_SECRET_ACCESS_KEY", "test".into()),
            ("AWS_REGION", REGION.into()),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
            ("RUNBOOK_TEST_CLOCK", SPEED.to_string()),
            ("RUNBOOK_HELM", self.helm.display().to_string()),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value)).into()
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.proxy = None;
        self.planes.clear();
        if let Some(runtime) = self.runtime.take() {
            // Waiting for its tasks would block, which asynchronous callers may not.
            runtime.shutdown_background();
        }
    }
}
