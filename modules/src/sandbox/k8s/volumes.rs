//! Volumes that were made before their claims: which claim gets which, where its pods may run, and what becomes of it after.

use serde_json::{Value, json};

use super::{
    super::{
        simple::set,
        world::{Object, World, key},
    },
    OBJECT, of_kind, one, region,
};
use crate::k8s::{quantity, types::text};

/// From a claim that takes a volume to a disk that is attached, and from a claim's end to a disk that is free again.
const ATTACHING_MS: i64 = 5_000;
/// What tells a volume's zone.
const ZONES: [&str; 2] = ["topology.ebs.csi.aws.com/zone", "topology.kubernetes.io/zone"];

/// Gives a claim a volume that stands already, if one fits. Says whether the claim has one now.
pub fn bind(world: &mut World, cluster: &str, claim: &Object, now_ms: i64) -> bool {
    let asked = text(&claim.body, "spec.volumeName").to_owned();
    let fits = |volume: &&Object| {
        let spec = &volume.body["spec"];
        let size = |value: &Value| quantity::read(value).unwrap_or_default();
        let class = text(spec, "storageClassName") == text(&claim.body, "spec.storageClassName");
        let large = size(&spec["capacity"]["storage"]) >= size(&claim.body["spec"]["resources"]["requests"]["storage"]);
        let named = asked.is_empty() || text(&volume.body, "metadata.name") == asked;
        volume.gone_at.is_none() && volume.exists(now_ms) && spec["claimRef"].is_null() && class && large && named
    };
    let Some(volume) = of_kind(world, cluster, "PersistentVolume", now_ms).find(fits).cloned() else { return false };
    let body = &claim.body;
    let [namespace, name, uid] = ["metadata.namespace", "metadata.name", "metadata.uid"].map(|path| text(body, path));
    let owner = json!({"kind": "PersistentVolumeClaim", "namespace": namespace, "name": name, "uid": uid});
    world.change(OBJECT, cluster, &volume.id, |volume| set(&mut volume.body, "spec.claimRef", owner));
    world.change(OBJECT, cluster, &claim.id, |claim| {
        set(&mut claim.body, "spec.volumeName", text(&volume.body, "metadata.name").into());
        claim.states = vec![(now_ms, "Pending".to_owned()), (now_ms + 1_000, "Bound".to_owned())];
    });
    attach(world, cluster, &volume, now_ms + ATTACHING_MS, "in-use");
    true
}

/// A claim that nothing can make a volume for waits for one.
pub fn wait(world: &mut World, cluster: &str, claim: &Object, now_ms: i64) {
    world.change(OBJECT, cluster, &claim.id, |claim| claim.states = vec![(now_ms, "Pending".to_owned())]);
}

/// A new or freed volume is offered to the claims that wait.
pub fn offer(world: &mut World, cluster: &str, now_ms: i64) {
    let waiting: Vec<Object> = of_kind(world, cluster, "PersistentVolumeClaim", now_ms)
        .filter(|claim| claim.gone_at.is_none() && claim.states.iter().all(|(_, state)| state == "Pending"))
        .cloned()
        .collect();
    for claim in waiting {
        bind(world, cluster, &claim, now_ms);
    }
}

/// Whether a class makes volumes by itself.
pub fn makes_volumes(world: &World, cluster: &str, class: &str, now_ms: i64) -> bool {
    one(world, cluster, "StorageClass", "", class, now_ms)
        .is_some_and(|class| text(&class.body, "provisioner") != "kubernetes.io/no-provisioner")
}

/// A volume that is kept when its claim is gone: it is released, and its disk is free.
pub fn keep(world: &mut World, cluster: &str, volume: &Object, gone: i64) {
    attach(world, cluster, volume, gone + ATTACHING_MS, "available");
}

/// The disks of a cluster's volumes are free when the cluster is gone.
pub fn detach_all(world: &mut World, cluster: &str) {
    let now_ms = world.clock;
    let volumes: Vec<Object> = of_kind(world, cluster, "PersistentVolume", now_ms).cloned().collect();
    for volume in volumes {
        attach(world, cluster, &volume, now_ms, "available");
    }
}

/// A StatefulSet ends at `gone`: the claims of the pods that it would have made later are never made, nor their volumes and disks.
pub fn never_claimed(world: &mut World, cluster: &str, set: &Object, gone: i64) {
    let later = |object: &Object| object.states.first().is_some_and(|(born, _)| *born > gone);
    let [namespace, name] = ["metadata.namespace", "metadata.name"].map(|path| text(&set.body, path));
    let templates = set.body["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten();
    let names: Vec<String> = templates.map(|claim| format!("{}-{name}-", text(claim, "metadata.name"))).collect();
    let claims: Vec<Object> = of_kind(world, cluster, "PersistentVolumeClaim", gone)
        .filter(|claim| later(claim) && text(&claim.body, "metadata.namespace") == namespace)
        .filter(|claim| names.iter().any(|name| text(&claim.body, "metadata.name").starts_with(name)))
        .cloned()
        .collect();
    let place = region(world, cluster, i64::MAX).unwrap_or_default();
    for claim in claims {
        let volume = text(&claim.body, "spec.volumeName");
        let made = of_kind(world, cluster, "PersistentVolume", gone)
            .find(|found| text(&found.body, "metadata.name") == volume)
            .cloned();
        match made {
            // It stood before, and is bound to it.
            Some(volume) if !later(&volume) => continue,
            Some(volume) => {
                world.remove(&key("ec2.volume", &place, text(&volume.body, "spec.csi.volumeHandle")));
                world.remove(&volume.key());
            }
            None => {}
        }
        world.remove(&claim.key());
    }
}

fn attach(world: &mut World, cluster: &str, volume: &Object, at: i64, state: &str) {
    let Ok(place) = region(world, cluster, i64::MAX) else { return };
    let disk = text(&volume.body, "spec.csi.volumeHandle");
    if world.by_key(&key("ec2.volume", &place, disk)).is_some_and(|disk| disk.gone_at.is_none()) {
        world.change("ec2.volume", &place, disk, |disk| disk.states.push((at, state.to_owned())));
    }
}

/// The phase of a volume.
pub fn phase(world: &World, cluster: &str, volume: &Object, now_ms: i64) -> &'static str {
    let owner = &volume.body["spec"]["claimRef"];
    if owner.is_null() {
        return "Available";
    }
    let claim = one(world, cluster, "PersistentVolumeClaim", text(owner, "namespace"), text(owner, "name"), now_ms);
    match claim.is_some_and(|claim| text(&claim.body, "metadata.uid") == text(owner, "uid")) {
        true => "Bound",
        false => "Released",
    }
}

/// The zone in which a pod must run, because its volumes are there.
pub fn zone<'a>(world: &'a World, cluster: &str, pod: &Value, now_ms: i64) -> Option<&'a str> {
    let namespace = text(pod, "metadata.namespace");
    pod["spec"]["volumes"].as_array()?.iter().find_map(|volume| {
        let claim = text(volume, "persistentVolumeClaim.claimName");
        let claim = one(world, cluster, "PersistentVolumeClaim", namespace, claim, now_ms)?;
        let volume = text(&claim.body, "spec.volumeName").to_owned();
        let volume =
            of_kind(world, cluster, "PersistentVolume", now_ms).find(|o| text(&o.body, "metadata.name") == volume)?;
        let terms = volume.body.pointer("/spec/nodeAffinity/required/nodeSelectorTerms/0/matchExpressions")?;
        let zone = terms.as_array()?.iter().find(|term| ZONES.contains(&text(term, "key")))?;
        zone["values"][0].as_str()
    })
}
