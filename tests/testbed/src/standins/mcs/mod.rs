//! The AWS Cloud Map MCS controller v0.3.1: Services that a cluster exports stand in Cloud Map, and every cluster of the set imports
//! what stands there.
//!
//! Source: <https://github.com/aws/aws-cloud-map-mcs-controller-for-k8s>. It works while a pod of its Deployment is ready, both
//! ClusterProperties exist, and its service account and role may do what it does. [`exports`] and [`imports`] are its two halves.

mod exports;
mod imports;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    aws::Refusal,
    cluster::Inside,
    controller::{self, Needs},
    kube_objects::{items, text},
};

/// Whose export an instance is.
const CLUSTER: &str = "CLUSTER_ID";
/// Which set it belongs to.
const SET: &str = "CLUSTERSET_ID";
const SOURCE: &str = "multicluster.kubernetes.io/source-cluster";
const SERVICE: &str = "multicluster.kubernetes.io/service-name";

/// What the controller does in the cluster.
const RIGHTS: [(&str, &str, &str); 7] = [
    ("list", "", "namespaces"),
    ("list", "", "services"),
    ("create", "", "services"),
    ("create", "discovery.k8s.io", "endpointslices"),
    ("list", "about.k8s.io", "clusterproperties"),
    ("update", "multicluster.x-k8s.io", "serviceexports"),
    ("create", "multicluster.x-k8s.io", "serviceimports"),
];

/// The controller of one cluster.
struct Controller<'a> {
    inside: &'a Inside,
    /// The value of the property `cluster.clusterset.k8s.io`.
    cluster: String,
    /// The value of the property `clusterset.k8s.io`.
    set: String,
}

/// Works until the task is ended.
pub(super) async fn run(inside: Arc<Inside>) {
    let inside = inside.with(inside.objects.as_manager("cloud-map-mcs"), inside.aws.as_agent("cloud-map-mcs"));
    loop {
        let pod = controller::pod(&inside, "cloud-map-mcs-system", "cloud-map-mcs-controller-manager").await;
        if let Some(pod) = pod
            && let Err(why) = round(&inside, &pod).await
        {
            controller::log(&inside, &pod, &format!("ERROR {why}"));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn round(inside: &Inside, pod: &Value) -> Result<(), String> {
    if inside.logs.read(pod, "manager").is_empty() {
        controller::log(inside, pod, "INFO setup starting manager");
    }
    controller::may_in_cluster(inside, pod, &RIGHTS).await?;
    let cluster = property(inside, "cluster.clusterset.k8s.io").await?;
    let set = property(inside, "clusterset.k8s.io").await?;
    let controller = match (cluster, set) {
        (Some(cluster), Some(set)) => Controller { inside, cluster, set },
        _ => return Err("unable to retrieve ClusterId and ClusterSetId".into()),
    };
    controller::may_in_aws(inside, pod, Needs::Managed("AWSCloudMapFullAccess")).await?;
    exports::reconcile(&controller).await?;
    imports::reconcile(&controller).await
}

async fn property(inside: &Inside, name: &str) -> Result<Option<String>, String> {
    let found = inside.objects.get(&format!("/apis/about.k8s.io/v1alpha1/clusterproperties/{name}")).await?;
    Ok(found.map(|property| text(&property, "spec.value").to_owned()).filter(|value| !value.is_empty()))
}

/// An instance of a Cloud Map service.
struct Instance {
    id: String,
    attributes: Value,
}

impl Controller<'_> {
    async fn namespaces(&self) -> Result<Vec<(String, String)>, Refusal> {
        let all = self.inside.aws.cloud_map("ListNamespaces", &json!({})).await?;
        Ok(pairs(&all, "Namespaces"))
    }

    async fn services(&self, namespace_id: &str) -> Result<Vec<(String, String)>, Refusal> {
        let filter = json!({"Filters": [{"Name": "NAMESPACE_ID", "Values": [namespace_id], "Condition": "EQ"}]});
        let all = self.inside.aws.cloud_map("ListServices", &filter).await?;
        Ok(pairs(&all, "Services"))
    }

    async fn instances(&self, service_id: &str) -> Result<Vec<Instance>, Refusal> {
        let all = self.inside.aws.cloud_map("ListInstances", &json!({"ServiceId": service_id})).await?;
        let of_set = items(&all, "Instances").iter().filter(|instance| instance["Attributes"][SET] == json!(self.set));
        Ok(of_set.map(|i| Instance { id: text(i, "Id").to_owned(), attributes: i["Attributes"].clone() }).collect())
    }

    /// Waits for an operation of Cloud Map; one that takes longer is looked at in the next round.
    async fn finished(&self, begun: &Value) -> Result<(), String> {
        let operation = json!({"OperationId": begun["OperationId"]});
        for _ in 0..50 {
            let found = self.inside.aws.cloud_map("GetOperation", &operation).await?;
            match text(&found, "Operation.Status") {
                "SUCCESS" => return Ok(()),
                "FAIL" => return Err(format!("the operation failed: {}", text(&found, "Operation.ErrorMessage"))),
                _ => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
        Err("the operation is still under way".into())
    }
}

/// Name and id of each element.
fn pairs(answer: &Value, list: &str) -> Vec<(String, String)> {
    items(answer, list).iter().map(|found| (text(found, "Name").to_owned(), text(found, "Id").to_owned())).collect()
}

fn id_of(pairs: &[(String, String)], name: &str) -> Option<String> {
    pairs.iter().find(|(found, _)| found == name).map(|(_, id)| id.clone())
}
