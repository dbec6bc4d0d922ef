//! The simulated clusters: what every cluster has from the start, its nodes, and its end.

use super::world::World;

/// A cluster begins to answer at `now_ms`.
pub fn boot_cluster(world: &mut World, region: &str, cluster: &str, now_ms: i64) {
    let _ = (world, region, cluster, now_ms);
}

/// Nodes `(name, availability zone)` of a node group, ready at `ready_ms`.
pub fn boot_nodes(world: &mut World, cluster: &str, nodegroup: &str, nodes: &[(String, String)], ready_ms: i64) {
    let _ = (world, cluster, nodegroup, nodes, ready_ms);
}

/// The nodes of a node group go.
pub fn remove_nodes(world: &mut World, cluster: &str, nodegroup: &str, now_ms: i64) {
    let _ = (world, cluster, nodegroup, now_ms);
}

/// A cluster goes, with everything in it; volumes and load balancers stay behind in AWS.
pub fn remove_cluster(world: &mut World, cluster: &str) {
    let _ = (world, cluster);
}
