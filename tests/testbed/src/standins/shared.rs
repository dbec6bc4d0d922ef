//! What spans the clusters of one testbed: who is attached, where answers are served, and the folder of programs and data.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
};

use tokio::task::JoinHandle;

use crate::rehearsed::Rehearsed;

use super::{
    answers,
    cluster::Inside,
    redis::{Programs, Redis},
    toolbox,
};

/// One for each testbed; the clusters attached to it reach each other's pods.
pub struct Shared {
    clusters: Mutex<BTreeMap<String, Weak<Inside>>>,
    /// The Redis processes; they end before their folder goes.
    pub redis: Redis,
    folder: tempfile::TempDir,
    kubelet: PathBuf,
    port: u16,
    server: Mutex<Option<JoinHandle<()>>>,
    rehearsed: OnceLock<Arc<Rehearsed>>,
}

impl Shared {
    /// Begins to serve answers on the loopback; `kubelet` is the program kubelet-standin.
    ///
    /// # Errors
    /// A program is missing, or no folder or port can be had.
    pub async fn start(kubelet: &Path) -> Result<Arc<Self>, String> {
        let redis = Redis::new(Programs::find()?);
        let folder = tempfile::Builder::new().prefix("testbed-pods-").tempdir();
        let folder = folder.map_err(|error| format!("failed to make a folder for the pods: {error}"))?;
        toolbox::make(folder.path(), kubelet)?;
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.map_err(|error| format!("failed to listen for pods' questions: {error}"))?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        let shared = Arc::new(Self {
            clusters: Mutex::default(),
            redis,
            folder,
            kubelet: kubelet.to_owned(),
            port,
            server: Mutex::default(),
            rehearsed: OnceLock::new(),
        });
        let server = tokio::spawn(answers::serve(listener, Arc::downgrade(&shared)));
        *shared.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
        Ok(shared)
    }

    /// The attached cluster of that name.
    pub fn cluster(&self, name: &str) -> Option<Arc<Inside>> {
        self.registry().get(name).and_then(Weak::upgrade)
    }

    /// All attached clusters, by name.
    pub fn clusters(&self) -> Vec<Arc<Inside>> {
        self.registry().values().filter_map(Weak::upgrade).collect()
    }

    /// Where a cluster's questions are answered.
    pub fn answers_of(&self, cluster: &str) -> String {
        format!("http://127.0.0.1:{}/{cluster}", self.port)
    }

    /// Where charts are asked for ([`crate::rehearsed::helm`]).
    pub fn charts(&self) -> String {
        format!("http://127.0.0.1:{}/chart", self.port)
    }

    /// The rehearsal file that the clusters made from now on are about.
    pub fn rehearse(&self, rehearsed: Arc<Rehearsed>) {
        // A testbed has one, if any.
        let _ = self.rehearsed.set(rehearsed);
    }

    /// The rehearsal file, if there is one.
    pub fn rehearsed(&self) -> Option<&Arc<Rehearsed>> {
        self.rehearsed.get()
    }

    /// A folder of this testbed; it goes with it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn kubelet(&self) -> &Path {
        &self.kubelet
    }

    pub(super) fn attach(&self, cluster: &Arc<Inside>) {
        self.registry().insert(cluster.name.clone(), Arc::downgrade(cluster));
    }

    fn registry(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Weak<Inside>>> {
        self.clusters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(server) = self.server.lock().unwrap_or_else(PoisonError::into_inner).take() {
            server.abort();
        }
    }
}
