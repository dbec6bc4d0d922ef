//! What the fault proxy asks of whoever runs the control planes: EKS, seen from below.

use std::{collections::BTreeMap, pin::Pin};

/// A boxed future, so that the trait can be an object.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// How a cluster is reached.
#[derive(Debug, Clone)]
pub struct Reached {
    /// `https://127.0.0.1:PORT`.
    pub endpoint: String,
    /// The certificate authority, PEM.
    pub ca_pem: String,
}

/// A node group, as far as nodes need it.
#[derive(Debug, Clone)]
pub struct NodeGroup {
    /// Its name.
    pub name: String,
    /// How many nodes.
    pub nodes: usize,
    /// Labels of the nodes.
    pub labels: BTreeMap<String, String>,
    /// Taints as `key=value:Effect`.
    pub taints: Vec<String>,
}

/// Runs a real control plane for each EKS cluster. The proxy calls it when a pending state ends; an error becomes the failure
/// that EKS would report (`CREATE_FAILED` with the text as its reason).
pub trait Clusters: Send + Sync {
    /// Starts a control plane for a new cluster, with what EKS puts into it (CoreDNS, kube-proxy, aws-node, StorageClass gp2).
    fn create<'a>(&'a self, cluster: &'a str, version: &'a str) -> Later<'a, Reached>;
    /// Makes the nodes of a node group; they become Ready.
    fn add_nodes<'a>(&'a self, cluster: &'a str, group: NodeGroup) -> Later<'a, ()>;
    /// Takes the nodes of a node group away.
    fn remove_nodes<'a>(&'a self, cluster: &'a str, group: &'a str) -> Later<'a, ()>;
    /// Makes what an add-on makes in the cluster.
    fn add_addon<'a>(&'a self, cluster: &'a str, addon: &'a str) -> Later<'a, ()>;
    /// Takes an add-on's objects away.
    fn remove_addon<'a>(&'a self, cluster: &'a str, addon: &'a str) -> Later<'a, ()>;
    /// Ends the control plane.
    fn delete<'a>(&'a self, cluster: &'a str) -> Later<'a, ()>;
}

/// For tests of AWS alone: every cluster is the same address that nobody listens on.
#[derive(Debug, Default)]
pub struct NoClusters;

impl Clusters for NoClusters {
    fn create<'a>(&'a self, _: &'a str, _: &'a str) -> Later<'a, Reached> {
        Box::pin(async { Ok(Reached { endpoint: "https://127.0.0.1:9".into(), ca_pem: String::new() }) })
    }
    fn add_nodes<'a>(&'a self, _: &'a str, _: NodeGroup) -> Later<'a, ()> {
        Box::pin(async { Ok(()) })
    }
    fn remove_nodes<'a>(&'a self, _: &'a str, _: &'a str) -> Later<'a, ()> {
        Box::pin(async { Ok(()) })
    }
    fn add_addon<'a>(&'a self, _: &'a str, _: &'a str) -> Later<'a, ()> {
        Box::pin(async { Ok(()) })
    }
    fn remove_addon<'a>(&'a self, _: &'a str, _: &'a str) -> Later<'a, ()> {
        Box::pin(async { Ok(()) })
    }
    fn delete<'a>(&'a self, _: &'a str) -> Later<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}
