//! Everything that stands in for the insides of one EKS cluster, attached to its control plane and ended with it.

use std::{path::Path, sync::Arc};

use kube::Client;
use tokio::task::JoinSet;

use super::{
    Shared, addons, aws::Aws, balancers, boot, commands, controller, external_dns, kube_objects::Objects, logs::Logs,
    mcs, nodes, redis, volumes, vpc,
};
use crate::{clusters::NodeGroup, process::Process, rehearsed::controllers};

/// What is known of a cluster when it is attached.
pub struct Facts {
    /// The name that EKS knows it by.
    pub name: String,
    /// Its region.
    pub region: String,
    /// A client of its API server with all rights.
    pub client: Client,
    /// Where AWS is: the fault proxy, such as `http://127.0.0.1:PORT`.
    pub proxy_url: String,
    /// The port that the nodes give as their kubelet's.
    pub kubelet_port: u16,
    /// What spans the clusters.
    pub shared: Arc<Shared>,
}

/// What the parts of a stand-in know of their cluster.
pub struct Inside {
    /// The name that EKS knows it by.
    pub name: String,
    /// Its region.
    pub region: String,
    /// Its API server.
    pub objects: Objects,
    /// AWS.
    pub aws: Aws,
    /// What containers have logged.
    pub logs: Arc<Logs>,
    /// What was read of its VPC a moment ago.
    pub network: tokio::sync::Mutex<vpc::Memory>,
    /// What its controllers may do, as found a moment ago.
    pub rights: tokio::sync::Mutex<controller::Rights>,
    /// The other clusters.
    pub shared: Arc<Shared>,
}

impl Inside {
    /// The same cluster as a controller sees it: under its own field manager and user agent.
    pub(crate) fn with(&self, objects: Objects, aws: Aws) -> Self {
        Self {
            name: self.name.clone(),
            region: self.region.clone(),
            objects,
            aws,
            logs: self.logs.clone(),
            network: Default::default(),
            rights: Default::default(),
            shared: self.shared.clone(),
        }
    }
}

/// An attached cluster. Dropping it ends its tasks and its kubelet; what they made in the cluster and in AWS stays.
pub struct Cluster {
    inside: Arc<Inside>,
    // Two groups at once would take the same addresses.
    placing: tokio::sync::Mutex<()>,
    // Dropped with the cluster: both end.
    _tasks: JoinSet<()>,
    _kubelet: Process,
}

impl Cluster {
    /// Starts the kubelet and the controllers of a cluster whose API server answers.
    ///
    /// # Errors
    /// The kubelet does not start.
    pub async fn attach(facts: Facts) -> Result<Self, String> {
        let Facts { name, region, client, proxy_url, kubelet_port, shared } = facts;
        let inside = Arc::new(Inside {
            objects: Objects::new(client, "eks"),
            aws: Aws::new(&proxy_url, &region, "eks"),
            logs: Arc::default(),
            network: Default::default(),
            rights: Default::default(),
            name,
            region,
            shared: shared.clone(),
        });
        shared.attach(&inside);
        let kubelet = kubelet(&shared, &inside.name, kubelet_port)?;
        let mut tasks = JoinSet::new();
        tasks.spawn(commands::run(inside.clone()));
        tasks.spawn(redis::run(inside.clone()));
        tasks.spawn(volumes::run(inside.clone()));
        tasks.spawn(mcs::run(inside.clone()));
        tasks.spawn(external_dns::run(inside.clone()));
        tasks.spawn(balancers::run(inside.clone()));
        if let Some(rehearsed) = shared.rehearsed() {
            tasks.spawn(controllers::run(inside.clone(), rehearsed.clone()));
        }
        Ok(Self { inside, placing: Default::default(), _tasks: tasks, _kubelet: kubelet })
    }

    /// Puts in what every EKS cluster begins with.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn boot(&self) -> Result<(), String> {
        boot::boot(&self.inside.objects, &self.inside.region).await
    }

    /// Makes the nodes of a node group and waits until they are ready.
    ///
    /// # Errors
    /// As [`nodes::add`].
    pub async fn add_nodes(&self, group: &NodeGroup) -> Result<(), String> {
        let _one_by_one = self.placing.lock().await;
        nodes::add(&self.inside.objects, &self.inside.aws, &self.inside.name, group).await
    }

    /// Takes the nodes of a node group away.
    ///
    /// # Errors
    /// As [`nodes::remove`].
    pub async fn remove_nodes(&self, group: &str) -> Result<(), String> {
        nodes::remove(&self.inside.objects, group).await
    }

    /// Makes what an add-on makes.
    ///
    /// # Errors
    /// As [`addons::add`].
    pub async fn add_addon(&self, addon: &str) -> Result<(), String> {
        let Inside { objects, aws, name, region, .. } = &*self.inside;
        addons::add(objects, aws, name, region, addon).await
    }

    /// Takes away what an add-on made.
    ///
    /// # Errors
    /// As [`addons::remove`].
    pub async fn remove_addon(&self, addon: &str) -> Result<(), String> {
        addons::remove(&self.inside.objects, addon).await
    }

    /// What is inside, for tests that look.
    pub fn inside(&self) -> &Arc<Inside> {
        &self.inside
    }
}

fn kubelet(shared: &Shared, cluster: &str, port: u16) -> Result<Process, String> {
    let log = shared.folder().join(format!("kubelet-{cluster}.log"));
    let arguments = [format!("-port={port}"), format!("-answers={}", shared.answers_of(cluster))];
    let mut kubelet = Process::start(shared.kubelet(), arguments, &[], &log)?;
    kubelet.wait_until(std::time::Duration::from_secs(30), || has_begun(&log))?;
    Ok(kubelet)
}

/// It prints its address when it listens.
fn has_begun(log: &Path) -> bool {
    std::fs::read_to_string(log).is_ok_and(|text| text.contains("127.0.0.1:"))
}
