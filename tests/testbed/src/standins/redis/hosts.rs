//! The names that a cluster's Redis processes resolve: the records that its VPC sees, as far as the addresses are within reach.

use std::{collections::BTreeMap, fs, net::Ipv4Addr, path::PathBuf};

use serde_json::Value;

use super::super::{
    cluster::Inside,
    kube_objects::{is_going, name, text},
    vpc,
};
use super::{PORT, is_redis};

/// A cluster's file, in the form of `/etc/hosts`.
pub(super) fn file(inside: &Inside) -> PathBuf {
    inside.shared.folder().join(format!("hosts-{}", inside.name))
}

/// Writes it anew when something has changed; a name that cannot be read now keeps what it had.
pub(super) async fn write(inside: &Inside) {
    let Ok(names) = names(inside).await else { return };
    let text: String = names.iter().map(|(name, address)| format!("{address} {name}\n")).collect();
    let path = file(inside);
    if fs::read_to_string(&path).is_ok_and(|standing| standing == text) {
        return;
    }
    let new = path.with_extension("new");
    // A file that cannot be written shows as names that do not resolve.
    let _ = fs::write(&new, text).and_then(|()| fs::rename(&new, &path));
}

/// The loopback address that stands behind a name for this cluster.
pub(super) fn address(inside: &Inside, wanted: &str) -> Option<Ipv4Addr> {
    let text = fs::read_to_string(file(inside)).ok()?;
    text.lines().find_map(|line| {
        let (address, name) = line.split_once(' ')?;
        if name == wanted { address.parse().ok() } else { None }
    })
}

/// Whether a pod's announced name leads to the pod: a record of the zone, or a name of the cluster itself.
pub(super) async fn is_written(inside: &Inside, pod: &Value, announced: &str) -> bool {
    if announced.ends_with(".svc.cluster.local") {
        return true;
    }
    let own = text(pod, "status.podIP").parse::<Ipv4Addr>();
    let private = vpc::private(inside).await.unwrap_or_default();
    matches!((private.addresses(announced), own), (Some(found), Ok(own)) if found == [own])
}

async fn names(inside: &Inside) -> Result<BTreeMap<String, Ipv4Addr>, String> {
    let private = vpc::private(inside).await.unwrap_or_default();
    let own = redis_pods(inside).await?;
    let source = own.iter().find_map(|pod| text(pod, "status.podIP").parse::<Ipv4Addr>().ok());
    let mut found = BTreeMap::new();
    for cluster in inside.shared.clusters() {
        for pod in redis_pods(&cluster).await? {
            let Some(loopback) = inside.shared.redis.address(&pod) else { continue };
            let Ok(target) = text(&pod, "status.podIP").parse::<Ipv4Addr>() else { continue };
            let Some(source) = source else { continue };
            if vpc::path(inside, source, &cluster, target, PORT).await.is_err() {
                continue;
            }
            let records = private.records.iter().filter(|record| record.addresses == [target]);
            found.extend(records.map(|record| (record.name.clone(), loopback)));
            if cluster.name == inside.name {
                let subdomain = text(&pod, "spec.subdomain");
                let space = super::super::kube_objects::namespace(&pod);
                found.insert(format!("{}.{subdomain}.{space}.svc.cluster.local", name(&pod)), loopback);
            }
        }
    }
    Ok(found)
}

async fn redis_pods(inside: &Inside) -> Result<Vec<Value>, String> {
    let pods = inside.objects.list("/api/v1/pods").await?;
    Ok(pods.into_iter().filter(|pod| is_redis(pod) && !is_going(pod)).collect())
}
