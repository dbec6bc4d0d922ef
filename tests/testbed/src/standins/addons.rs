//! What EKS add-ons make in a cluster: the VPC CNI's settings, and the EBS CSI driver.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    aws::Aws,
    boot::{daemons, registry},
    kube_objects::{Objects, at, text},
};

const ACCOUNTS: &str = "/api/v1/namespaces/kube-system/serviceaccounts";
const DAEMONS: &str = "/apis/apps/v1/namespaces/kube-system/daemonsets";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/kube-system/deployments/ebs-csi-controller";
const DRIVER: &str = "/apis/storage.k8s.io/v1/csidrivers/ebs.csi.aws.com";

/// Makes an add-on's objects, with the role and the settings that EKS was given for it, and waits until they run.
///
/// # Errors
/// An add-on that is not known here, a refusal by the API server, or no pod that runs: the add-on would be DEGRADED.
pub async fn add(objects: &Objects, aws: &Aws, cluster: &str, region: &str, addon: &str) -> Result<(), String> {
    let described = aws.eks(&format!("/clusters/{cluster}/addons/{addon}")).await.unwrap_or_default();
    let role = text(&described, "addon.serviceAccountRoleArn");
    let settings: Value = match text(&described, "addon.configurationValues") {
        "" => json!({}),
        values => serde_yaml::from_str(values).map_err(|error| format!("ConfigurationConflict: {addon}: {error}"))?,
    };
    match addon {
        "vpc-cni" => cni(objects, region, role, &settings).await,
        "aws-ebs-csi-driver" => ebs(objects, region, role).await,
        other => Err(format!("the testbed has no add-on {other}: it knows vpc-cni and aws-ebs-csi-driver")),
    }
}

/// Takes an add-on's objects away.
///
/// # Errors
/// The API server refuses.
pub async fn remove(objects: &Objects, addon: &str) -> Result<(), String> {
    let paths = match addon {
        "vpc-cni" => vec![format!("{DAEMONS}/aws-node"), format!("{ACCOUNTS}/aws-node")],
        "aws-ebs-csi-driver" => vec![
            DEPLOYMENT.to_owned(),
            format!("{DAEMONS}/ebs-csi-node"),
            format!("{ACCOUNTS}/ebs-csi-controller-sa"),
            format!("{ACCOUNTS}/ebs-csi-node-sa"),
            DRIVER.to_owned(),
        ],
        _ => Vec::new(),
    };
    for path in paths {
        objects.delete(&path, false).await?;
    }
    Ok(())
}

async fn cni(objects: &Objects, region: &str, role: &str, settings: &Value) -> Result<(), String> {
    account(objects, "aws-node", role).await?;
    let mut object = daemons("aws-node", "aws-node", &format!("{}/amazon-k8s-cni:v1.19.2", registry(region)));
    let env: Vec<Value> = settings["env"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            json!({"name": name, "value": value})
        })
        .collect();
    object["spec"]["template"]["spec"]["containers"][0]["env"] = env.into();
    objects.apply(&format!("{DAEMONS}/aws-node"), &object).await?;
    Ok(())
}

async fn ebs(objects: &Objects, region: &str, role: &str) -> Result<(), String> {
    account(objects, "ebs-csi-controller-sa", role).await?;
    account(objects, "ebs-csi-node-sa", "").await?;
    let driver = json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": "ebs.csi.aws.com"},
        "spec": {"attachRequired": true, "podInfoOnMount": false, "fsGroupPolicy": "ReadWriteOnceWithFSType"},
    });
    objects.apply(DRIVER, &driver).await?;
    let image = format!("{}/aws-ebs-csi-driver:v1.40.0", registry(region));
    let node = daemons("ebs-csi-node", "ebs-csi-node-sa", &image);
    objects.apply(&format!("{DAEMONS}/ebs-csi-node"), &node).await?;
    let labels = json!({"app": "ebs-csi-controller"});
    let controller = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "ebs-csi-controller", "namespace": "kube-system", "labels": labels},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
            "serviceAccountName": "ebs-csi-controller-sa", "containers": [{"name": "ebs-plugin", "image": image}],
        }}},
    });
    objects.apply(DEPLOYMENT, &controller).await?;
    for _ in 0..150 {
        let standing = objects.get(DEPLOYMENT).await?.unwrap_or_default();
        if at(&standing, "status.availableReplicas").as_u64() == Some(2) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err("InsufficientNumberOfReplicas: the add-on is unhealthy because it doesn't have the desired number of replicas"
        .into())
}

async fn account(objects: &Objects, name: &str, role: &str) -> Result<(), String> {
    let annotations = if role.is_empty() { json!({}) } else { json!({"eks.amazonaws.com/role-arn": role}) };
    let account = json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": "kube-system", "annotations": annotations},
    });
    objects.apply(&format!("{ACCOUNTS}/{name}"), &account).await.map(|_| ())
}
