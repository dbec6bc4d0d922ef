//! What EKS add-ons make in a cluster, with the role and the settings (affinity, tolerations, …) that EKS was given for them.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    aws::Aws,
    boot::{daemons, registry},
    kube_objects::{Objects, at, text},
};
use crate::rehearsed::completed::completed;

const ACCOUNTS: &str = "/api/v1/namespaces/kube-system/serviceaccounts";
const DAEMONS: &str = "/apis/apps/v1/namespaces/kube-system/daemonsets";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/kube-system/deployments";
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/// What may be said of the pods of an add-on's Deployment.
const OF_PODS: [&str; 3] = ["affinity", "tolerations", "nodeSelector"];
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
        "aws-ebs-csi-driver" => ebs(objects, region, role, &settings["controller"]).await,
        "kube-proxy" => {
            let object = daemons("kube-proxy", "kube-proxy", &format!("{}/kube-proxy:v1.36.3", registry(region)));
            objects.apply(&format!("{DAEMONS}/kube-proxy"), &object).await.map(drop)
        }
        // EKS has put it there, but its pods are as the settings say.
        "coredns" => {
            let path = format!("{DEPLOYMENTS}/coredns");
            let pods = chosen(&settings);
            objects.merge(&path, &json!({"spec": {"template": {"spec": pods}}})).await?;
            available(objects, &path).await
        }
        "eks-pod-identity-agent" => {
            let object = daemons(addon, "default", &format!("{}/eks-pod-identity-agent:0.1.32", registry(region)));
            objects.apply(&format!("{DAEMONS}/{addon}"), &object).await.map(drop)
        }
        "metrics-server" => metrics(objects, region, &settings).await,
        other => Err(format!("the testbed has no add-on {other} (src/standins/addons.rs)")),
    }
}

/// Takes an add-on's objects away.
///
/// # Errors
/// The API server refuses.
pub async fn remove(objects: &Objects, addon: &str) -> Result<(), String> {
    let paths = match addon {
        "vpc-cni" => vec![format!("{DAEMONS}/aws-node"), format!("{ACCOUNTS}/aws-node")],
        "kube-proxy" | "eks-pod-identity-agent" => vec![format!("{DAEMONS}/{addon}")],
        "coredns" => vec![format!("{DEPLOYMENTS}/coredns")],
        "metrics-server" => {
            vec![format!("{DEPLOYMENTS}/metrics-server"), format!("{DEFINITIONS}/standins.metrics.k8s.io")]
        }
        "aws-ebs-csi-driver" => vec![
            format!("{DEPLOYMENTS}/ebs-csi-controller"),
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

/// Those settings that are said of pods.
fn chosen(settings: &Value) -> Value {
    let said = OF_PODS.iter().filter(|name| !settings[**name].is_null());
    said.map(|name| ((*name).to_owned(), settings[*name].clone())).collect()
}

/// Its API has no pod to answer here: a definition of the same group stands for it.
async fn metrics(objects: &Objects, region: &str, settings: &Value) -> Result<(), String> {
    let service = json!({"kind": "APIService", "spec": {"group": "metrics.k8s.io", "version": "v1beta1"}});
    objects.apply(&format!("{DEFINITIONS}/standins.metrics.k8s.io"), &completed(service)).await?;
    let image = format!("{}/metrics-server:v0.7.2", registry(region));
    deployment(objects, "metrics-server", "default", &image, settings).await
}

async fn ebs(objects: &Objects, region: &str, role: &str, settings: &Value) -> Result<(), String> {
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
    deployment(objects, "ebs-csi-controller", "ebs-csi-controller-sa", &image, settings).await
}

/// A Deployment of two pods in kube-system, once it is available.
async fn deployment(objects: &Objects, name: &str, account: &str, image: &str, settings: &Value) -> Result<(), String> {
    let labels = json!({"app": name});
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "kube-system", "labels": labels},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
            "serviceAccountName": account, "containers": [{"name": "main", "image": image}],
        }}},
    });
    for (setting, value) in chosen(settings).as_object().into_iter().flatten() {
        object["spec"]["template"]["spec"][setting] = value.clone();
    }
    let path = format!("{DEPLOYMENTS}/{name}");
    objects.apply(&path, &object).await?;
    available(objects, &path).await
}

async fn available(objects: &Objects, path: &str) -> Result<(), String> {
    for _ in 0..150 {
        let standing = objects.get(path).await?.unwrap_or_default();
        let seen = at(&standing, "status.observedGeneration") == at(&standing, "metadata.generation");
        if seen && at(&standing, "status.availableReplicas").as_u64() == Some(2) {
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
