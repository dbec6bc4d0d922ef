//! The EBS CSI driver: an EBS volume for each claim whose pod has a node, and none when the claim is gone.
//!
//! Source: <https://github.com/kubernetes-sigs/aws-ebs-csi-driver> (tags) and the external provisioner (objects and finalizers).

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    cluster::Inside,
    controller::{self, Needs},
    kube_objects::{annotation, at, is_going, items, label, name, namespace, text},
};

const DRIVER: &str = "ebs.csi.aws.com";
const FINALIZER: &str = "external-provisioner.volume.kubernetes.io/finalizer";
const VOLUMES: &str = "/api/v1/persistentvolumes";

/// Works until the task is ended.
pub(super) async fn run(inside: Arc<Inside>) {
    let inside = inside.with(inside.objects.as_manager("csi-provisioner"), inside.aws.as_agent("ebs-csi"));
    loop {
        if let Some(pod) = controller::pod(&inside, "kube-system", "ebs-csi-controller").await
            && let Err(why) = round(&inside, &pod).await
        {
            controller::log(&inside, &pod, &format!("E {why}"));
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

async fn round(inside: &Inside, pod: &Value) -> Result<(), String> {
    let volumes = inside.objects.list(VOLUMES).await?;
    for claim in inside.objects.list("/api/v1/persistentvolumeclaims").await? {
        let waits = text(&claim, "status.phase") == "Pending"
            && text(&claim, "spec.volumeName").is_empty()
            && !is_going(&claim);
        let ours = annotation(&claim, "volume.kubernetes.io/storage-provisioner") == DRIVER;
        let made = volumes.iter().any(|volume| name(volume) == volume_name(&claim));
        if waits && ours && !made {
            controller::may_in_aws(inside, pod, Needs::Managed("AmazonEBSCSIDriverPolicy")).await?;
            provision(inside, &claim).await?;
        }
    }
    for volume in &volumes {
        let released = text(volume, "status.phase") == "Released"
            && text(volume, "spec.persistentVolumeReclaimPolicy") == "Delete";
        let ours = annotation(volume, "pv.kubernetes.io/provisioned-by") == DRIVER;
        if ours && released && items(volume, "metadata.finalizers").contains(&json!(FINALIZER)) {
            controller::may_in_aws(inside, pod, Needs::Managed("AmazonEBSCSIDriverPolicy")).await?;
            remove(inside, volume).await?;
        }
    }
    Ok(())
}

fn volume_name(claim: &Value) -> String {
    format!("pvc-{}", text(claim, "metadata.uid"))
}

async fn provision(inside: &Inside, claim: &Value) -> Result<(), String> {
    let class = text(claim, "spec.storageClassName");
    let class = inside.objects.get(&format!("/apis/storage.k8s.io/v1/storageclasses/{class}")).await?;
    let class = class.ok_or("the claim's storage class is gone")?;
    let node = annotation(claim, "volume.kubernetes.io/selected-node");
    if node.is_empty() {
        return Ok(());
    }
    let node = inside.objects.get(&format!("/api/v1/nodes/{node}")).await?.ok_or_else(|| format!("no node {node}"))?;
    let zone = label(&node, "topology.kubernetes.io/zone");
    let size = gibibytes(text(claim, "spec.resources.requests.storage"))?;
    let id = create(inside, claim, &class, zone, size).await?;
    let volume = json!({
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {
            "name": volume_name(claim), "finalizers": [FINALIZER],
            "annotations": {"pv.kubernetes.io/provisioned-by": DRIVER},
        },
        "spec": {
            "capacity": {"storage": format!("{size}Gi")}, "accessModes": at(claim, "spec.accessModes"), "volumeMode": "Filesystem",
            "persistentVolumeReclaimPolicy": class.get("reclaimPolicy").unwrap_or(&json!("Delete")),
            "storageClassName": name(&class),
            "claimRef": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": namespace(claim), "name": name(claim),
                "uid": text(claim, "metadata.uid"),
            },
            "csi": {"driver": DRIVER, "volumeHandle": id, "fsType": "ext4"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                {"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]},
            ]}]}},
        },
    });
    inside.objects.apply(&format!("{VOLUMES}/{}", volume_name(claim)), &volume).await.map(|_| ())
}

/// The client token makes a second attempt find the volume of the first.
async fn create(inside: &Inside, claim: &Value, class: &Value, zone: &str, size: u64) -> Result<String, String> {
    let (made, size, cluster) = (volume_name(claim), size.to_string(), &inside.name);
    let kind = match text(class, "parameters.type") {
        "" => "gp3",
        kind => kind,
    };
    let encrypted = if text(class, "parameters.encrypted") == "true" { "true" } else { "false" };
    let mut asked: Vec<(String, &str)> = [
        ("AvailabilityZone", zone),
        ("Size", size.as_str()),
        ("VolumeType", kind),
        ("Encrypted", encrypted),
        ("ClientToken", &made),
        ("TagSpecification.1.ResourceType", "volume"),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into();
    let (owned, called) = (format!("kubernetes.io/cluster/{cluster}"), format!("{cluster}-dynamic-{made}"));
    let tags = [
        ("Name", called.as_str()),
        ("CSIVolumeName", &made),
        ("ebs.csi.aws.com/cluster", "true"),
        (&owned, "owned"),
        ("KubernetesCluster", cluster),
        ("kubernetes.io/created-for/pv/name", &made),
        ("kubernetes.io/created-for/pvc/name", name(claim)),
        ("kubernetes.io/created-for/pvc/namespace", namespace(claim)),
    ];
    for ((key, value), i) in tags.iter().zip(1..) {
        asked.push((format!("TagSpecification.1.Tag.{i}.Key"), key));
        asked.push((format!("TagSpecification.1.Tag.{i}.Value"), value));
    }
    let asked: Vec<(&str, &str)> = asked.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    let answer = inside.aws.query("ec2", "CreateVolume", &asked).await?;
    Ok(answer.text("volumeId").to_owned())
}

async fn remove(inside: &Inside, volume: &Value) -> Result<(), String> {
    let id = text(volume, "spec.csi.volumeHandle");
    match inside.aws.query("ec2", "DeleteVolume", &[("VolumeId", id)]).await {
        Err(refusal) if refusal.code != "InvalidVolume.NotFound" => return Err(refusal.into()),
        _ => {}
    }
    let path = format!("{VOLUMES}/{}", name(volume));
    inside.objects.delete(&path, false).await?;
    let others: Vec<&Value> = items(volume, "metadata.finalizers").iter().filter(|f| **f != json!(FINALIZER)).collect();
    inside.objects.merge(&path, &json!({"metadata": {"finalizers": others}})).await.map(|_| ())
}

/// A quantity such as `8Gi` in whole gibibytes, rounded up as EBS needs it.
fn gibibytes(quantity: &str) -> Result<u64, String> {
    let units = [
        ("Ti", 1 << 40),
        ("Gi", 1 << 30),
        ("Mi", 1 << 20),
        ("T", 1_000_000_000_000),
        ("G", 1_000_000_000),
        ("M", 1_000_000),
    ];
    let (number, unit) = units
        .iter()
        .find_map(|(suffix, unit)| Some((quantity.strip_suffix(suffix)?, *unit)))
        .unwrap_or((quantity, 1_u64));
    let number: u64 = number.parse().map_err(|_| format!("no quantity of storage: {quantity:?}"))?;
    Ok((number * unit).div_ceil(1 << 30).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_up() {
        assert_eq!(gibibytes("8Gi"), Ok(8));
        assert_eq!(gibibytes("1500Mi"), Ok(2));
        assert_eq!(gibibytes("10G"), Ok(10));
        assert!(gibibytes("many").is_err());
    }
}
