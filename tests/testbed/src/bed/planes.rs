//! A real control plane for each EKS cluster.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use k8s_openapi::api::core::v1::Node;
use kube::{
    Api,
    api::{DeleteParams, ListParams, PostParams},
};

use crate::{
    clusters::{Clusters, Later, NodeGroup, Reached},
    control_plane::{ControlPlane, Options},
    tools::Tools,
};

/// A cluster that runs.
#[derive(Debug)]
pub struct Plane {
    control_plane: Arc<ControlPlane>,
}

impl Plane {
    /// Its control plane.
    #[must_use]
    pub fn control_plane(&self) -> &Arc<ControlPlane> {
        &self.control_plane
    }
}

/// The control planes of a testbed.
#[derive(Debug)]
pub(super) struct Planes {
    tools: Tools,
    running: Mutex<BTreeMap<String, Arc<Plane>>>,
}

impl Planes {
    pub(super) fn new(tools: &Tools) -> Self {
        Self { tools: tools.clone(), running: Mutex::default() }
    }

    pub(super) fn get(&self, cluster: &str) -> Option<Arc<Plane>> {
        self.running().get(cluster).cloned()
    }

    /// Ends all.
    pub(super) fn clear(&self) {
        let planes = std::mem::take(&mut *self.running());
        drop(planes);
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Plane>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn existing(&self, cluster: &str) -> Result<Arc<Plane>, String> {
        self.get(cluster).ok_or_else(|| format!("there is no control plane for the cluster {cluster}"))
    }

    async fn start(&self, cluster: &str) -> Result<Reached, String> {
        let (tools, options) = (self.tools.clone(), Options::named(cluster));
        let started = tokio::task::spawn_blocking(move || ControlPlane::start(&tools, options)).await;
        let control_plane = started.map_err(|error| error.to_string())??;
        let reached = Reached { endpoint: control_plane.endpoint(), ca_pem: control_plane.ca_pem().to_owned() };
        let plane = Arc::new(Plane { control_plane: Arc::new(control_plane) });
        self.running().insert(cluster.to_owned(), plane);
        Ok(reached)
    }
}

impl Clusters for Planes {
    fn create<'a>(&'a self, cluster: &'a str, _version: &'a str) -> Later<'a, Reached> {
        // Whatever version is asked for, it is that of the pinned programs.
        Box::pin(self.start(cluster))
    }

    fn add_nodes<'a>(&'a self, cluster: &'a str, group: NodeGroup) -> Later<'a, ()> {
        Box::pin(async move {
            let nodes = Api::<Node>::all(self.existing(cluster)?.control_plane.client());
            for number in 0..group.nodes {
                let mut node = Node::default();
                node.metadata.name = Some(format!("{}-{number}", group.name));
                node.metadata.labels = Some(group.labels.clone());
                nodes.create(&PostParams::default(), &node).await.map_err(|error| error.to_string())?;
            }
            Ok(())
        })
    }

    fn remove_nodes<'a>(&'a self, cluster: &'a str, group: &'a str) -> Later<'a, ()> {
        Box::pin(async move {
            let nodes = Api::<Node>::all(self.existing(cluster)?.control_plane.client());
            for node in nodes.list(&ListParams::default()).await.map_err(|error| error.to_string())? {
                let name = node.metadata.name.unwrap_or_default();
                if name.rsplit_once('-').is_some_and(|(made_for, _)| made_for == group) {
                    nodes.delete(&name, &DeleteParams::default()).await.map_err(|error| error.to_string())?;
                }
            }
            Ok(())
        })
    }

    fn add_addon<'a>(&'a self, cluster: &'a str, _addon: &'a str) -> Later<'a, ()> {
        Box::pin(async move { self.existing(cluster).map(|_| ()) })
    }

    fn remove_addon<'a>(&'a self, cluster: &'a str, _addon: &'a str) -> Later<'a, ()> {
        Box::pin(async move { self.existing(cluster).map(|_| ()) })
    }

    fn delete<'a>(&'a self, cluster: &'a str) -> Later<'a, ()> {
        let plane = self.running().remove(cluster);
        // Ending processes blocks.
        Box::pin(async move { tokio::task::spawn_blocking(|| drop(plane)).await.map_err(|error| error.to_string()) })
    }
}
