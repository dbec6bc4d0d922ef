//! A real control plane for each EKS cluster, with its token webhook and the stand-ins for what would run in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use crate::{
    clusters::{Clusters, Later, NodeGroup, Reached},
    control_plane::{ControlPlane, Options, Webhook as Asked},
    objects,
    process::on_free_port,
    proxy::{Access, Proxy},
    standins,
    tools::Tools,
    webhook::Webhook,
};

/// A cluster that runs.
pub struct Plane {
    // What talks to the control plane ends before it: fields are dropped in this order.
    inside: standins::Cluster,
    control_plane: Arc<ControlPlane>,
    _webhook: Webhook,
}

impl Plane {
    /// Its control plane.
    #[must_use]
    pub fn control_plane(&self) -> &Arc<ControlPlane> {
        &self.control_plane
    }

    /// What stands in for its insides.
    #[must_use]
    pub fn inside(&self) -> &standins::Cluster {
        &self.inside
    }
}

/// The control planes of a testbed.
pub(super) struct Planes {
    tools: Tools,
    standins: Arc<standins::Shared>,
    // Known once the proxy listens; the proxy is made with the control planes in hand.
    proxy: OnceLock<(String, Access)>,
    running: Mutex<BTreeMap<String, Arc<Plane>>>,
    histories: Mutex<BTreeMap<String, History>>,
}

/// What stood in a cluster.
#[derive(Default)]
struct History {
    /// Before its first node group, when nobody but EKS had put anything into it.
    fresh: BTreeSet<String>,
    /// When it was deleted, more than that.
    left: Option<BTreeSet<String>>,
}

impl Planes {
    pub(super) fn new(tools: &Tools, standins: Arc<standins::Shared>) -> Self {
        Self {
            tools: tools.clone(),
            standins,
            proxy: OnceLock::new(),
            running: Mutex::default(),
            histories: Mutex::default(),
        }
    }

    /// Tells where the proxy is. Before that no cluster can be created.
    pub(super) fn meet(&self, proxy: &Proxy) {
        let _ = self.proxy.set((proxy.url(), proxy.access()));
    }

    pub(super) fn get(&self, cluster: &str) -> Option<Arc<Plane>> {
        self.running().get(cluster).cloned()
    }

    /// Ends all.
    pub(super) fn clear(&self) {
        let planes = std::mem::take(&mut *self.running());
        drop(planes);
    }

    /// What stood in each deleted cluster beside what EKS had put there.
    pub(super) fn left_behind(&self) -> BTreeMap<String, BTreeSet<String>> {
        let histories = self.histories();
        histories.iter().filter_map(|(cluster, history)| Some((cluster.clone(), history.left.clone()?))).collect()
    }

    fn histories(&self) -> MutexGuard<'_, BTreeMap<String, History>> {
        self.histories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what stands before anybody had a node to put anything on.
    async fn note_fresh(&self, cluster: &str) -> Result<(), String> {
        if self.histories().contains_key(cluster) {
            return Ok(());
        }
        let fresh = objects::standing(&self.existing(cluster)?.control_plane.client()).await?;
        // Of two groups that are made at once, the second may already see the nodes of the first.
        self.histories().entry(cluster.to_owned()).or_insert(History { fresh, left: None });
        Ok(())
    }

    /// What stands in a cluster now beside what EKS had put there.
    pub(super) async fn added(&self, cluster: &str) -> Result<BTreeSet<String>, String> {
        let standing = objects::standing(&self.existing(cluster)?.control_plane.client()).await?;
        let histories = self.histories();
        let fresh = histories.get(cluster).map(|history| &history.fresh);
        Ok(standing.into_iter().filter(|object| !fresh.is_some_and(|fresh| fresh.contains(object))).collect())
    }

    /// Notes what stands at the end.
    async fn note_left(&self, cluster: &str) -> Result<(), String> {
        let left = self.added(cluster).await?;
        self.histories().entry(cluster.to_owned()).or_default().left = Some(left);
        Ok(())
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Plane>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn existing(&self, cluster: &str) -> Result<Arc<Plane>, String> {
        self.get(cluster).ok_or_else(|| format!("there is no control plane for the cluster {cluster}"))
    }

    async fn start(&self, cluster: &str) -> Result<Reached, String> {
        let (proxy_url, access) = self.proxy.get().ok_or("the proxy is not up yet")?;
        let webhook = Webhook::start(cluster, proxy_url, access.clone()).await?;
        let asked = Asked { url: webhook.url().to_owned(), ca_pem: Some(webhook.ca_pem().to_owned()) };
        let (tools, options) = (self.tools.clone(), Options { webhook: Some(asked), ..Options::named(cluster) });
        let started = tokio::task::spawn_blocking(move || {
            on_free_port(|kubelet_port| {
                let options = Options { kubelet_port, ..options.clone() };
                Ok((kubelet_port, ControlPlane::start(&tools, options)?))
            })
        });
        let (kubelet_port, control_plane) = started.await.map_err(|error| error.to_string())??;
        let inside = standins::Cluster::attach(standins::Facts {
            name: cluster.to_owned(),
            region: super::REGION.to_owned(),
            client: control_plane.client(),
            proxy_url: proxy_url.clone(),
            kubelet_port,
            shared: Arc::clone(&self.standins),
        })
        .await?;
        inside.boot().await?;
        let reached = Reached { endpoint: control_plane.endpoint(), ca_pem: control_plane.ca_pem().to_owned() };
        let plane = Plane { inside, control_plane: Arc::new(control_plane), _webhook: webhook };
        self.running().insert(cluster.to_owned(), Arc::new(plane));
        Ok(reached)
    }
}

impl fmt::Debug for Planes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.running().keys()).finish()
    }
}

impl Clusters for Planes {
    fn create<'a>(&'a self, cluster: &'a str, _version: &'a str) -> Later<'a, Reached> {
        // Whatever version is asked for, it is that of the pinned programs.
        Box::pin(self.start(cluster))
    }

    fn add_nodes<'a>(&'a self, cluster: &'a str, group: NodeGroup) -> Later<'a, ()> {
        Box::pin(async move {
            self.note_fresh(cluster).await?;
            self.existing(cluster)?.inside.add_nodes(&group).await
        })
    }

    fn remove_nodes<'a>(&'a self, cluster: &'a str, group: &'a str) -> Later<'a, ()> {
        Box::pin(async move { self.existing(cluster)?.inside.remove_nodes(group).await })
    }

    fn add_addon<'a>(&'a self, cluster: &'a str, addon: &'a str) -> Later<'a, ()> {
        Box::pin(async move { self.existing(cluster)?.inside.add_addon(addon).await })
    }

    fn remove_addon<'a>(&'a self, cluster: &'a str, addon: &'a str) -> Later<'a, ()> {
        Box::pin(async move { self.existing(cluster)?.inside.remove_addon(addon).await })
    }

    fn delete<'a>(&'a self, cluster: &'a str) -> Later<'a, ()> {
        Box::pin(async move {
            // One that failed to come up has nothing in it, and is deleted all the same.
            if self.get(cluster).is_some() {
                self.note_left(cluster).await?;
            }
            let plane = self.running().remove(cluster);
            // Ending processes blocks.
            tokio::task::spawn_blocking(|| drop(plane)).await.map_err(|error| error.to_string())
        })
    }
}
