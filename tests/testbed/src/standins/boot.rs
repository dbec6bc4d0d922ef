//! What EKS puts into every new cluster: CoreDNS, kube-proxy, the CNI, the storage class gp2, and here also the rules by which kwok
//! leaves some pods to the stand-ins.
//!
//! Source: <https://docs.aws.amazon.com/eks/latest/userguide/eks-add-ons.html> (self-managed add-ons) and the default Corefile of EKS.

use serde_json::{Value, json};

use super::kube_objects::{Objects, text};

/// The Corefile of a new EKS cluster.
pub const COREFILE: &str = ".:53 {
    errors
    health {
        lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
}
";

/// Puts it all into a cluster that has just begun to answer; it may be said again.
///
/// # Errors
/// The API server refuses an object.
pub async fn boot(objects: &Objects, region: &str) -> Result<(), String> {
    let service = objects.get("/api/v1/namespaces/default/services/kubernetes").await?.unwrap_or_default();
    // EKS gives the tenth address of the Service network to DNS, and the first to the API server.
    let first = text(&service, "spec.clusterIP");
    let dns = first.strip_suffix(".1").map(|network| format!("{network}.10"));
    for (path, object) in steering().into_iter().chain(first_objects(region, dns.as_deref())) {
        objects.apply(path, &object).await?;
    }
    Ok(())
}

fn first_objects(region: &str, dns_address: Option<&str>) -> Vec<(&'static str, Value)> {
    let registry = registry(region);
    let dns = json!({"k8s-app": "kube-dns", "eks.amazonaws.com/component": "coredns"});
    let account = |name: &str| json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": "kube-system"}});
    let mut service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "kube-dns", "namespace": "kube-system", "labels": dns},
        "spec": {"selector": {"k8s-app": "kube-dns"}, "ports": [
            {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
            {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
        ]},
    });
    if let Some(address) = dns_address {
        service["spec"]["clusterIP"] = address.into();
    }
    vec![
        ("/api/v1/namespaces/kube-system/serviceaccounts/coredns", account("coredns")),
        ("/api/v1/namespaces/kube-system/serviceaccounts/aws-node", account("aws-node")),
        ("/api/v1/namespaces/kube-system/serviceaccounts/kube-proxy", account("kube-proxy")),
        (
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:coredns",
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "system:coredns"},
                "rules": [
                    {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": ["list", "watch"]},
                    {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]},
                    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
                ],
            }),
        ),
        (
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/system:coredns",
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "system:coredns"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:coredns"},
                "subjects": [{"kind": "ServiceAccount", "name": "coredns", "namespace": "kube-system"}],
            }),
        ),
        (
            "/api/v1/namespaces/kube-system/configmaps/coredns",
            json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "coredns", "namespace": "kube-system", "labels": dns},
                "data": {"Corefile": COREFILE},
            }),
        ),
        ("/apis/apps/v1/namespaces/kube-system/deployments/coredns", coredns(&registry, &dns)),
        ("/api/v1/namespaces/kube-system/services/kube-dns", service),
        (
            "/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node",
            daemons("aws-node", "aws-node", &format!("{registry}/amazon-k8s-cni:v1.19.2")),
        ),
        (
            "/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy",
            daemons("kube-proxy", "kube-proxy", &format!("{registry}/kube-proxy:v1.32.0-minimal-eksbuild.2")),
        ),
        (
            "/apis/storage.k8s.io/v1/storageclasses/gp2",
            json!({
                "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "gp2"},
                "provisioner": "kubernetes.io/aws-ebs", "parameters": {"type": "gp2", "fsType": "ext4"},
                "reclaimPolicy": "Delete", "volumeBindingMode": "WaitForFirstConsumer",
            }),
        ),
    ]
}

fn coredns(registry: &str, labels: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "coredns", "namespace": "kube-system", "labels": labels},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
            "serviceAccountName": "coredns", "dnsPolicy": "Default",
            "containers": [{
                "name": "coredns", "image": format!("{registry}/coredns:v1.11.4-eksbuild.2"), "args": ["-conf", "/etc/coredns/Corefile"],
                "ports": [
                    {"name": "dns", "containerPort": 53, "protocol": "UDP"}, {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
                    {"name": "metrics", "containerPort": 9153, "protocol": "TCP"},
                ],
                "livenessProbe": {"httpGet": {"path": "/health", "port": 8080, "scheme": "HTTP"}},
                "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181, "scheme": "HTTP"}},
                "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": true}],
            }],
            "volumes": [{"name": "config-volume", "configMap": {"name": "coredns", "items": [{"key": "Corefile", "path": "Corefile"}]}}],
        }}},
    })
}

/// A DaemonSet of kube-system on every node.
pub(super) fn daemons(name: &str, account: &str, image: &str) -> Value {
    let labels = json!({"k8s-app": name});
    json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": name, "namespace": "kube-system", "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels},
            "spec": {
                "serviceAccountName": account, "hostNetwork": true, "tolerations": [{"operator": "Exists"}],
                "containers": [{"name": name, "image": image}],
            },
        }},
    })
}

/// Where EKS's own images are.
pub(super) fn registry(region: &str) -> String {
    format!("602401143452.dkr.ecr.{region}.amazonaws.com/eks")
}

/// kwok would end every pod that is not restarted, and call every other one ready. These policies hold the pods whose programs the
/// stand-ins run themselves, so that kwok only starts them: pods with one command ([`super::commands`]), and Redis ([`super::redis`]).
/// A pod that a test steers with annotations of its own is left to the test.
fn steering() -> Vec<(&'static str, Value)> {
    let policy = |name: &str, condition: &str, what: &str| {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy", "metadata": {"name": name},
            "spec": {
                "failurePolicy": "Fail", "reinvocationPolicy": "Never",
                "matchConstraints": {"resourceRules": [
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]},
                ]},
                "matchConditions": [
                    {"name": "meant", "expression": condition},
                    {
                        "name": "not-steered-by-a-test",
                        "expression": "!has(object.metadata.annotations) || object.metadata.annotations.all(key, !key.startsWith('testbed.runbook.dev/'))",
                    },
                ],
                "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": format!(
                    "Object{{metadata: Object.metadata{{annotations: {{'testbed.runbook.dev/hold': 'true', 'testbed.runbook.dev/standin': '{what}'}}}}}}"
                )}}],
            },
        })
    };
    let binding = |name: &str| {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding", "metadata": {"name": name},
            "spec": {"policyName": name},
        })
    };
    let once = "object.spec.restartPolicy == 'Never' && has(object.spec.containers[0].command) && !has(object.metadata.ownerReferences)";
    let redis = "['redis', 'sentinel'].all(name, object.spec.containers.exists(c, c.name == name))";
    vec![
        (
            "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies/testbed-commands",
            policy("testbed-commands", once, "command"),
        ),
        (
            "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings/testbed-commands",
            binding("testbed-commands"),
        ),
        (
            "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies/testbed-redis",
            policy("testbed-redis", redis, "redis"),
        ),
        (
            "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings/testbed-redis",
            binding("testbed-redis"),
        ),
    ]
}
