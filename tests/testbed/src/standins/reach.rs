//! Where a connection from a pod ends: through a Service to an endpoint, over the network of AWS to a pod, at a port that is open.

use std::{net::Ipv4Addr, sync::Arc};

use serde_json::{Value, json};

use super::{
    cluster::Inside,
    dns::{self, Unresolved},
    kube_objects::{at, is_going, items, label, name, namespace, text},
    vpc,
};

/// Where a connection arrived.
pub struct Arrival {
    /// The pod's cluster.
    pub inside: Arc<Inside>,
    /// The pod.
    pub pod: Value,
    /// The pod's port.
    pub port: u16,
}

/// Why a connection did not come to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreached {
    /// The name has no address.
    Unresolved(Unresolved),
    /// No packet comes back: the reason that the pod itself would not see.
    Timeout(String),
    /// Nobody listens.
    Refused(String),
}

/// Connects from a pod to `host` (a name or an address) and `port`.
///
/// # Errors
/// Why it fails.
pub async fn connect(inside: &Arc<Inside>, pod: &Value, host: &str, port: u16) -> Result<Arrival, Unreached> {
    let found = dns::resolve(inside, pod, host).await.map_err(Unreached::Unresolved)?;
    let mut last = Unreached::Timeout(format!("{host} has no address"));
    for address in found.addresses {
        match to_address(inside, pod, address, port).await {
            Ok(arrival) => return Ok(arrival),
            Err(why) => last = why,
        }
    }
    Err(last)
}

async fn to_address(inside: &Arc<Inside>, pod: &Value, address: Ipv4Addr, port: u16) -> Result<Arrival, Unreached> {
    let lost = Unreached::Timeout;
    let (address, port) = behind_service(inside, address, port).await?;
    let (there, target) =
        pod_at(inside, address).await.ok_or_else(|| lost(format!("no pod has the address {address}")))?;
    let source: Ipv4Addr = text(pod, "status.podIP").parse().map_err(|_| lost("the pod has no address yet".into()))?;
    vpc::path(inside, source, &there, address, port).await.map_err(lost)?;
    let arrival = Arrival { inside: there, pod: target, port };
    if listens(&arrival).await {
        Ok(arrival)
    } else {
        Err(Unreached::Refused(format!("pod {} does not listen on {port}", name(&arrival.pod))))
    }
}

/// What kube-proxy does: the address of a Service becomes that of one ready endpoint.
async fn behind_service(inside: &Inside, address: Ipv4Addr, port: u16) -> Result<(Ipv4Addr, u16), Unreached> {
    let lost = Unreached::Timeout;
    let services = inside.objects.list("/api/v1/services").await.map_err(lost)?;
    let Some(service) = services.iter().find(|service| text(service, "spec.clusterIP") == address.to_string()) else {
        return Ok((address, port));
    };
    let refused = |why: &str| Unreached::Refused(format!("Service {}: {why}", name(service)));
    let wanted = items(service, "spec.ports").iter().find(|p| p["port"] == json!(port));
    let wanted = wanted.ok_or_else(|| refused("no such port"))?;
    let path = format!("/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices", namespace(service));
    let slices = inside.objects.list(&path).await.map_err(lost)?;
    for slice in slices.iter().filter(|slice| label(slice, "kubernetes.io/service-name") == name(service)) {
        let same = |p: &&Value| text(p, "name") == text(wanted, "name") || items(service, "spec.ports").len() == 1;
        let Some(number) = items(slice, "ports").iter().find(same).and_then(|p| p["port"].as_u64()) else { continue };
        let ready = items(slice, "endpoints").iter().find(|endpoint| endpoint["conditions"]["ready"] != json!(false));
        let target = ready.and_then(|endpoint| items(endpoint, "addresses").first()?.as_str()?.parse().ok());
        if let Some(target) = target {
            return Ok((target, u16::try_from(number).unwrap_or(port)));
        }
    }
    Err(refused("no ready endpoint"))
}

/// The pod that has an address, in this cluster first.
async fn pod_at(inside: &Arc<Inside>, address: Ipv4Addr) -> Option<(Arc<Inside>, Value)> {
    let others = inside.shared.clusters().into_iter().filter(|other| other.name != inside.name);
    for cluster in std::iter::once(inside.clone()).chain(others) {
        let pods = cluster.objects.list("/api/v1/pods").await.unwrap_or_default();
        let has = |pod: &&Value| {
            text(pod, "status.podIP") == address.to_string()
                && at(pod, "spec.hostNetwork") != true
                && !is_going(pod)
                && text(pod, "status.phase") == "Running"
        };
        if let Some(pod) = pods.iter().find(has) {
            return Some((cluster, pod.clone()));
        }
    }
    None
}

/// A pod listens on the ports that its containers name; Redis only where its process answers.
async fn listens(arrival: &Arrival) -> bool {
    if super::redis::is_redis(&arrival.pod) {
        return arrival.inside.shared.redis.listens(&arrival.pod, arrival.port).await;
    }
    let containers = items(&arrival.pod, "spec.containers").iter();
    let mut ports = containers.flat_map(|container| items(container, "ports"));
    ports.any(|port| port["containerPort"] == json!(arrival.port) && text(port, "protocol") != "UDP")
}
